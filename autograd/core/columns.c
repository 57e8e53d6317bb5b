/* Loops over a graph that is stored as columns of numbers: `columns.py` in C. */

#define MOST_COLUMNS 6

typedef struct {
    Py_buffer views[MOST_COLUMNS];
    int count;
} Opened;

static void close_columns(Opened *opened)
{
    while (opened->count)
        PyBuffer_Release(&opened->views[--opened->count]);
}

/* Open the columns that a function takes: `sizes` has the bytes of an element of each, of which the
 * last `filled` are written. Return 0 after an error. */
static int open_columns(PyObject *const *args, Py_ssize_t n, const char *sizes, int filled,
                        Opened *opened)
{
    opened->count = 0;
    if (!arguments_are(n, (Py_ssize_t)strlen(sizes)))
        return 0;
    while (opened->count < n) {
        int i = opened->count, flags = i < n - filled ? PyBUF_CONTIG_RO : PyBUF_CONTIG;
        if (PyObject_GetBuffer(args[i], &opened->views[i], flags) < 0) {
            close_columns(opened);
            return 0;
        }
        opened->count++;
        if (opened->views[i].itemsize != sizes[i] - '0') {
            PyErr_Format(PyExc_TypeError, "column %d has elements of %zd bytes, expected %c", i,
                         opened->views[i].itemsize, sizes[i]);
            close_columns(opened);
            return 0;
        }
    }
    return 1;
}

static inline void *column(Opened *opened, int i) { return opened->views[i].buf; }

static Py_ssize_t length(Opened *opened, int i)
{
    return opened->views[i].len / opened->views[i].itemsize;
}

/* mark_operands(starts, args, marked): see columns.py, as for the other functions. */
static PyObject *mark_operands(PyObject *module, PyObject *const *given, Py_ssize_t n)
{
    Opened opened;
    if (!open_columns(given, n, "441", 1, &opened))
        return NULL;
    const int32_t *starts = column(&opened, 0), *args = column(&opened, 1);
    char *marked = column(&opened, 2);
    for (Py_ssize_t i = length(&opened, 2) - 1; i >= 0; i--)
        for (int32_t k = starts[i]; marked[i] && k < starts[i + 1]; k++)
            marked[args[k]] = 1;
    close_columns(&opened);
    Py_RETURN_NONE;
}

static PyObject *mark_users(PyObject *module, PyObject *const *given, Py_ssize_t n)
{
    Opened opened;
    if (!open_columns(given, n, "441", 1, &opened))
        return NULL;
    const int32_t *starts = column(&opened, 0), *args = column(&opened, 1);
    char *marked = column(&opened, 2);
    for (Py_ssize_t i = 0; i < length(&opened, 2); i++)
        for (int32_t k = starts[i]; !marked[i] && k < starts[i + 1]; k++)
            marked[i] = marked[args[k]];
    close_columns(&opened);
    Py_RETURN_NONE;
}

static PyObject *add_depths(PyObject *module, PyObject *const *given, Py_ssize_t n)
{
    Opened opened;
    if (!open_columns(given, n, "444", 1, &opened))
        return NULL;
    const int32_t *starts = column(&opened, 0), *args = column(&opened, 1);
    int32_t *depths = column(&opened, 2);
    for (Py_ssize_t i = 0; i < length(&opened, 2); i++) {
        int32_t deepest = 0;
        for (int32_t k = starts[i]; k < starts[i + 1]; k++)
            if (depths[args[k]] > deepest)
                deepest = depths[args[k]];
        depths[i] += deepest;
    }
    close_columns(&opened);
    Py_RETURN_NONE;
}

static PyObject *list_terms(PyObject *module, PyObject *const *given, Py_ssize_t n)
{
    Opened opened;
    if (!open_columns(given, n, "441444", 2, &opened))
        return NULL;
    const int32_t *starts = column(&opened, 0), *args = column(&opened, 1);
    const int32_t *ends = column(&opened, 3);
    const char *inner = column(&opened, 2);
    int32_t *counts = column(&opened, 4), *terms = column(&opened, 5);
    int32_t *stack = PyMem_Malloc((length(&opened, 2) + 2) * sizeof(int32_t));
    for (Py_ssize_t k = 0; stack && k < length(&opened, 3); k++) {
        int32_t *before = terms;
        Py_ssize_t top = 0;
        stack[top++] = ends[k];
        while (top) {
            int32_t i = stack[--top];
            if (i == ends[k] || inner[i]) {
                stack[top++] = args[starts[i] + 1];
                stack[top++] = args[starts[i]];
            }
            else
                *terms++ = i;
        }
        counts[k] = (int32_t)(terms - before);
    }
    close_columns(&opened);
    if (stack == NULL)
        return PyErr_NoMemory();
    PyMem_Free(stack);
    Py_RETURN_NONE;
}

typedef struct {
    const int32_t *codes, *offsets, *starts, *args;
    int32_t *numbers;
} Numbering;

static uint64_t hash_value(Numbering *of, Py_ssize_t i)
{
    uint64_t hash = (uint64_t)(uint32_t)of->codes[i] << 32 | (uint32_t)of->offsets[i];
    for (int32_t k = of->starts[i]; k < of->starts[i + 1]; k++) {
        hash = (hash ^ hash >> 29) * 0x9E3779B97F4A7C15u;
        hash += (uint32_t)of->numbers[of->args[k]];
    }
    hash *= 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

static int same_value(Numbering *of, Py_ssize_t i, Py_ssize_t j)
{
    int32_t arity = of->starts[i + 1] - of->starts[i];
    int same = of->codes[i] == of->codes[j] && of->offsets[i] == of->offsets[j] &&
               arity == of->starts[j + 1] - of->starts[j];
    for (int32_t k = 0; same && k < arity; k++)
        same = of->numbers[of->args[of->starts[i] + k]] == of->numbers[of->args[of->starts[j] + k]];
    return same;
}

/* The nodes found so far lie in a hash table with open addressing; a place that is free has -1. */
static PyObject *number_values(PyObject *module, PyObject *const *given, Py_ssize_t n)
{
    Opened opened;
    if (!open_columns(given, n, "44444", 1, &opened))
        return NULL;
    Numbering of = {column(&opened, 0), column(&opened, 1), column(&opened, 2), column(&opened, 3),
                    column(&opened, 4)};
    Py_ssize_t count = length(&opened, 4), room = 16;
    while (room < 2 * count)
        room *= 2;
    int32_t *table = PyMem_Malloc(room * sizeof(int32_t));
    if (table)
        memset(table, -1, room * sizeof(int32_t));
    for (Py_ssize_t i = 0; table && i < count; i++) {
        uint64_t place = hash_value(&of, i) & (room - 1);
        while (table[place] >= 0 && !same_value(&of, i, table[place]))
            place = (place + 1) & (room - 1);
        if (table[place] < 0)
            table[place] = (int32_t)i;
        of.numbers[i] = table[place];
    }
    close_columns(&opened);
    if (table == NULL)
        return PyErr_NoMemory();
    PyMem_Free(table);
    Py_RETURN_NONE;
}
