/* Values that operators and `Value(...)` make: `value.py` in C. */

/* ------------------------------------------------------------------ recording */

/* Tell whether the object of a weak reference is alive. */
static int alive(PyObject *reference)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *object = NULL;
    int found = PyWeakref_GetRef(reference, &object);
    Py_XDECREF(object);
    return found == 1;
#else
    return PyWeakref_GetObject(reference) != Py_None;
#endif
}

/* Return the settings of the innermost block as a new reference, or NULL without an error if only
 * Python can tell which blocks are open: see `settings` in modes.py. */
static PyObject *find_settings(void)
{
    PyObject *link = NULL, *settings = NULL;
    if (innermost == NULL || PyContextVar_Get(innermost, NULL, &link) < 0 || link == NULL)
        return NULL;
    if (link == Py_None)
        settings = Py_NewRef(defaults);
    else {
        PyObject *checks = PyTuple_GET_ITEM(link, LINK_CHECKS);
        int open = 1;
        for (Py_ssize_t i = 0; open && i < PyTuple_GET_SIZE(checks); i++) {
            PyObject *check = PyTuple_GET_ITEM(checks, i);
            open = PyWeakref_CheckRefExact(check) && alive(check);
        }
        if (open)
            settings = Py_NewRef(PyTuple_GET_ITEM(link, LINK_SETTINGS));
    }
    Py_DECREF(link);
    return settings;
}

/* Exchange the class of a node; return 0 if it has neither. */
static int exchange(PyObject *node, PyTypeObject *from, PyTypeObject *to)
{
    if (from == NULL || to == NULL || !Py_IS_TYPE(node, from))
        return 0;
    Py_INCREF(to);
    Py_SET_TYPE(node, to);
    Py_DECREF(from);
    return 1;
}

/* Add a new node to those of a trace, and hide it if it is no leaf; return 0 if the tracer must see
 * it. See `Tracer` in compiler/tracer.py. */
static int collect(Node *node, PyObject *recording, PyObject *collected, PyObject *record_name)
{
    if (Hidden == NULL || collected == NULL || !PyList_CheckExact(collected) ||
        recording != Py_True || node->op == take_row || !Py_IS_TYPE(node, Value))
        return 0;
    if (PyList_Append(collected, (PyObject *)node) == 0 && record_name == str_record_node)
        exchange((PyObject *)node, Value, Hidden);
    return 1;
}

/* hide(nodes): see compiler/hidden.py. */
static PyObject *hide(PyObject *module, PyObject *nodes)
{
    PyObject *found = PyList_New(0);
    for (Py_ssize_t i = 0; found && i < PyList_GET_SIZE(nodes); i++) {
        PyObject *node = PyList_GET_ITEM(nodes, i);
        if ((exchange(node, Value, Hidden) || exchange(node, Shared, HiddenShared)) &&
            PyList_Append(found, node) < 0)
            Py_CLEAR(found);
    }
    return found;
}

/* reveal(nodes): see compiler/hidden.py. */
static PyObject *reveal(PyObject *module, PyObject *nodes)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(nodes); i++) {
        PyObject *node = PyList_GET_ITEM(nodes, i);
        if (!exchange(node, Hidden, Value))
            exchange(node, HiddenShared, Shared);
    }
    Py_RETURN_NONE;
}

/* Apply the settings of the open blocks to a new node; takes over the reference. `record_name` is the
 * method of the tracer that sees it, and `slowly` the function in Python for what is rare. */
static PyObject *settle(Node *node, PyObject *record_name, PyObject *slowly)
{
    PyObject *settings = find_settings(), *out = NULL;
    if (settings == NULL || PyDict_GetItem(settings, str_watching) != Py_False) {
        if (!PyErr_Occurred())
            out = PyObject_CallOneArg(slowly, (PyObject *)node);
    }
    else {
        PyObject *label = entry(node, str_label), *tracer = PyDict_GetItem(settings, str_tracer);
        PyObject *recording = PyDict_GetItem(settings, str_recording);
        if (set_texts(node, label ? label : empty, PyDict_GetItem(settings, str_scope)) < 0)
            out = NULL;
        else if (tracer == Py_None && recording == Py_True)
            out = Py_NewRef(node);
        else if (tracer == Py_None)
            out = PyObject_CallOneArg(slowly, (PyObject *)node);
        else if (collect(node, recording, PyDict_GetItem(settings, str_collected), record_name))
            out = PyErr_Occurred() ? NULL : Py_NewRef(node);
        else if (record_name == str_record_node)
            out = PyObject_CallMethodObjArgs(tracer, record_name, node, recording, NULL);
        else
            out = PyObject_CallMethodObjArgs(tracer, record_name, node, NULL);
    }
    Py_XDECREF(settings);
    Py_DECREF(node);
    return out;
}

/* Apply the settings of the open blocks to a new node; takes over the reference. */
static PyObject *settled(Node *node)
{
    if (node == NULL || PySet_GET_SIZE(open_blocks) == 0)
        return (PyObject *)node;
    return settle(node, str_record_node, py_under_settings);
}

/* The same for a new leaf or constant. */
static PyObject *noted(Node *node)
{
    if (node == NULL || PySet_GET_SIZE(open_blocks) == 0)
        return (PyObject *)node;
    Py_INCREF(node);
    PyObject *out = settle(node, str_record_leaf, py_note);
    if (out == NULL)
        Py_CLEAR(node);
    Py_XDECREF(out);
    return (PyObject *)node;
}
static PyObject *make_constant(double x)
{
    return noted(make(x, constant, UNKNOWN, NULL, NULL));
}

static PyObject *record2(PyObject *op, int row, PyObject *x, PyObject *y)
{
    double numbers[2];
    int first = operand(x, &numbers[0]), second = operand(y, &numbers[1]);
    if (first && second && row >= 0) {
        double out = ROWS[row].value(numbers);
        if (isfinite(out)) {
            PyObject *a = first == NODE ? Py_NewRef(x) : make_constant(numbers[0]);
            PyObject *b = a == NULL ? NULL : second == NODE ? Py_NewRef(y) : make_constant(numbers[1]);
            if (b == NULL) {
                Py_XDECREF(a);
                return NULL;
            }
            return settled(make(out, op, row, a, b));
        }
    }
    PyObject *arguments[] = {op, x, y};
    return PyObject_Vectorcall(py_record2, arguments, 3, NULL);
}

static PyObject *record1(PyObject *op, int row, PyObject *x)
{
    double numbers[1];
    if (row >= 0 && number(x, &numbers[0])) {
        double out = ROWS[row].value(numbers);
        if (isfinite(out))
            return settled(make(out, op, row, Py_NewRef(x), NULL));
    }
    PyObject *arguments[] = {op, x};
    return PyObject_Vectorcall(py_record1, arguments, 2, NULL);
}

static PyObject *record_many(PyObject *op, int row, PyObject *operands)
{
    double numbers[LARGEST_ARITY];
    if (row >= 0 && PyTuple_CheckExact(operands) &&
        PyTuple_GET_SIZE(operands) == ROWS[row].arity && ROWS[row].arity > 2) {
        int known = 1;
        for (int i = 0; known && i < ROWS[row].arity; i++)
            known = number(PyTuple_GET_ITEM(operands, i), &numbers[i]);
        if (known) {
            double out = ROWS[row].value(numbers);
            if (isfinite(out))
                return settled(make(out, op, row, Py_NewRef(operands), NULL));
        }
    }
    PyObject *arguments[] = {op, operands};
    return PyObject_Vectorcall(py_record_many, arguments, 2, NULL);
}

static int row_pow, row_power;
static PyObject *record_power(PyObject *x, PyObject *y)
{
    int varies = is_node(y) && ((Node *)y)->op != constant;
    return varies ? record2(power_row, row_power, x, y) : record2(pow_row, row_pow, x, y);
}

/* make_node(op, data, a, b): see value.py. */
static PyObject *make_node(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    if (n != 4 || !PyFloat_CheckExact(args[1]))
        return PyObject_Vectorcall(py_make_node, args, n, NULL);
    PyObject *a = args[2] == Py_None ? NULL : Py_NewRef(args[2]);
    PyObject *b = args[3] == Py_None ? NULL : Py_NewRef(args[3]);
    return settled(make(PyFloat_AS_DOUBLE(args[1]), args[0], find_row(args[0]), a, b));
}

static PyObject *py_call_record1(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    return arguments_are(n, 2) ? record1(args[0], find_row(args[0]), args[1]) : NULL;
}

static PyObject *py_call_record2(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    return arguments_are(n, 3) ? record2(args[0], find_row(args[0]), args[1], args[2]) : NULL;
}

static PyObject *py_call_record_many(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    return arguments_are(n, 2) ? record_many(args[0], find_row(args[0]), args[1]) : NULL;
}

static PyObject *py_call_record_power(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    return arguments_are(n, 2) ? record_power(args[0], args[1]) : NULL;
}

/* The operators, whose rows are looked up once. */
#define BINARY(name)                                                                     \
    static int row_##name;                                                               \
    static PyObject *node_##name(PyObject *x, PyObject *y)                               \
    {                                                                                    \
        return record2(row_objects[row_##name], row_##name, x, y);                       \
    }
#define UNARY(name)                                                                      \
    static int row_##name;                                                               \
    static PyObject *node_##name(PyObject *x)                                            \
    {                                                                                    \
        return record1(row_objects[row_##name], row_##name, x);                          \
    }
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
UNARY(neg)
UNARY(abs)

static PyObject *node_power(PyObject *x, PyObject *y, PyObject *modulo)
{
    if (modulo != Py_None) {
        PyErr_Format(PyExc_TypeError, "pow(v, exponent) of a Value takes no modulo, got %R", modulo);
        return NULL;
    }
    return record_power(x, y);
}

static PyObject *node_positive(PyObject *x) { return Py_NewRef(x); }

/* ------------------------------------------------------------------ making a leaf */

/* The arguments of Value(...) that the twin knows. */
typedef struct {
    PyObject *data, *children, *local_grads, *label;
} Arguments;

/* Sort the arguments; return 0 if one is given twice, or in a way that is for Python. */
static int sort_arguments(PyObject *const *args, Py_ssize_t n, PyObject *names, Arguments *out)
{
    PyObject **places[] = {&out->data, &out->children, &out->local_grads, &out->label};
    for (Py_ssize_t i = 0; i < n; i++) {
        if (i > 3)
            return 0;
        *places[i] = args[i];
    }
    for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        PyObject **place = name == str_label ? &out->label
                           : name == str_children || name == str_their_children ? &out->children
                           : name == str_local_grads || name == str_op ? &out->local_grads
                           : NULL;
        if (place == NULL || *place)
            return 0;
        *place = args[n + i];
    }
    if (out->label == NULL && out->children && PyUnicode_Check(out->children)) {
        out->label = out->children; /* Value(2.0, "x") */
        out->children = NULL;
    }
    return out->data && (out->label == NULL || PyUnicode_CheckExact(out->label)) &&
           !out->children == !out->local_grads;
}

static PyObject *call_slowly(PyObject *type, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    PyObject *positional = PyTuple_New(n), *keywords = named ? PyDict_New() : NULL, *out = NULL;
    if (positional && (keywords || !named)) {
        for (Py_ssize_t i = 0; i < n; i++)
            PyTuple_SET_ITEM(positional, i, Py_NewRef(args[i]));
        int failed = 0;
        for (Py_ssize_t i = 0; i < named; i++)
            failed |= PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), args[n + i]) < 0;
        if (!failed)
            out = PyType_Type.tp_call(type, positional, keywords);
    }
    Py_XDECREF(positional);
    Py_XDECREF(keywords);
    return out;
}

/* Value(...): a leaf, or a node made by hand; what is rare is for __init__. */
static PyObject *node_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                 PyObject *names)
{
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    Arguments given = {NULL, NULL, NULL, NULL};
    double data;
    Node *node = NULL;
    if (type == (PyObject *)Value && sort_arguments(args, n, names, &given) &&
        operand(given.data, &data) == NUMBER && has_own(Value, str_init, initialiser)) {
        node = given.children ? made_by_hand(data, given.children, given.local_grads)
                              : make(data, leaf, UNKNOWN, NULL, NULL);
        if (node && given.label && set_texts(node, given.label, empty) < 0)
            Py_CLEAR(node);
        if (!given.children)
            node = (Node *)noted(node);
    }
    if (node || PyErr_Occurred())
        return (PyObject *)node;
    return call_slowly(type, args, n, names);
}

