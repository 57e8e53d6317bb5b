/* The order of a graph, and its columns: `graph.py` in C. */

/* Ask the memory for a node, which lies in two lines of a cache. */
static inline void fetch(const Node *node)
{
    PREFETCH(&node->data);
    PREFETCH(&node->row);
}

/* Ask the memory for a node that a loop over an order will reach soon. */
#define SOON 12
#define AHEAD(order, i)                                                                  \
    if (0 <= (i) && (i) < PyList_GET_SIZE(order))                                        \
    fetch((Node *)PyList_GET_ITEM(order, i))

static uint64_t walks = 0; /* each walk takes two numbers: for nodes it entered, and has left */

typedef struct {
    Node **nodes;
    Py_ssize_t count, room;
} Stack;

static int push_node(Stack *stack, Node *node)
{
    if (stack->count == stack->room) {
        Py_ssize_t room = stack->room ? 2 * stack->room : 1024;
        Node **nodes = PyMem_Realloc(stack->nodes, room * sizeof(Node *));
        if (nodes == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        stack->nodes = nodes;
        stack->room = room;
    }
    node->child = 0;
    stack->nodes[stack->count++] = node;
    return 0;
}

/* Where the node lies that was made a few nodes before, as operands were: see memory.c. */
static inline const Node *made_before(const Node *node, int places)
{
    return (const Node *)((uintptr_t)node - places * sizeof(Place));
}

/* Append the nodes below `root`, each after its operands. Return 1 when done, 0 if another walk,
 * as in a signal handler, has replaced the marks, and -1 after an error. */
static int walk_once(Node *root, PyObject *order, Stack *stack)
{
    uint64_t entered = ++walks * 2, left = entered + 1, this_walk = walks;
    Py_ssize_t steps = 0;
    stack->count = 0;
    root->mark = entered;
    if (push_node(stack, root) < 0)
        return -1;
    while (stack->count) {
        Node *node = stack->nodes[stack->count - 1];
        PyObject **first = NULL;
        Py_ssize_t arity = operands(node, &first);
        if (node->child < arity) {
            Node *next = (Node *)first[node->child++];
            if (next->mark == left)
                continue;
            if (next->mark == entered) {
                PyObject *error = PyObject_CallOneArg(py_cycle, (PyObject *)next);
                if (error)
                    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
                Py_XDECREF(error);
                return -1;
            }
            next->mark = entered;
            fetch((Node *)next->a);
            fetch((Node *)next->b);
            fetch(made_before(next, 6));
            fetch(made_before(next, 7));
            if (push_node(stack, next) < 0)
                return -1;
        }
        else {
            node->mark = left;
            stack->count--;
            if (PyList_Append(order, (PyObject *)node) < 0 || SIGNALS(steps++))
                return -1;
            if (walks != this_walk)
                return 0;
        }
    }
    return 1;
}

/* in_order(root): see `topological_order` in graph.py. */
static PyObject *walk(PyObject *module, PyObject *root)
{
    if (!is_node(root))
        return PyObject_CallOneArg(py_walk, root);
    Stack stack = {NULL, 0, 0};
    PyObject *order = NULL;
    int done = 0;
    while (!done) {
        Py_XSETREF(order, PyList_New(0));
        done = order ? walk_once((Node *)root, order, &stack) : -1;
    }
    PyMem_Free(stack.nodes);
    if (done < 0)
        Py_CLEAR(order);
    return order;
}

/* Return the index of a key among those of a dictionary, adding it if it is new; -1 after an error. */
static int32_t index_of(PyObject *dict, PyObject *key)
{
    PyObject *next = PyLong_FromSsize_t(PyDict_GET_SIZE(dict));
    PyObject *found = next ? PyDict_SetDefault(dict, key, next) : NULL;
    int32_t index = found ? (int32_t)PyLong_AsLong(found) : -1;
    Py_XDECREF(next);
    return index;
}

/* Write into each node of an order its place; return 0 if Python has to look for places. */
static int number_nodes(PyObject *order)
{
    if (!PyList_CheckExact(order) || PyList_GET_SIZE(order) >= INT32_MAX)
        return 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(order); i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        if (!is_node((PyObject *)node))
            return 0;
        node->child = (uint32_t)i;
    }
    return 1;
}

/* Return the place of a node in an order whose nodes are numbered; -1 if it is not there. */
static inline int32_t place_in(PyObject *order, PyObject *x)
{
    if (!is_node(x))
        return -1;
    Py_ssize_t place = ((Node *)x)->child;
    return place < PyList_GET_SIZE(order) && PyList_GET_ITEM(order, place) == x ? (int32_t)place : -1;
}

/* find_places(order, nodes): see graph.py. */
static PyObject *find_places(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    if (!arguments_are(n, 2))
        return NULL;
    PyObject *order = args[0], *nodes = args[1];
    if (!PyList_CheckExact(nodes) || !number_nodes(order))
        return PyObject_Vectorcall(py_find_places, args, n, NULL);
    Py_ssize_t count = PyList_GET_SIZE(nodes);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof(int32_t));
    for (Py_ssize_t i = 0; bytes && i < count; i++)
        ((int32_t *)PyBytes_AS_STRING(bytes))[i] = place_in(order, PyList_GET_ITEM(nodes, i));
    return bytes;
}

#define RECENT 1024

/* Return the index of a text in a list, to which it is added if it is not one of the recent ones,
 * whose places `recent` has; -1 after an error. */
static int32_t index_of_text(PyObject *texts, PyObject *text, int32_t *recent)
{
    int32_t *place = &recent[(uintptr_t)text / 16 % RECENT];
    if (PyList_GET_ITEM(texts, *place) == text)
        return *place;
    *place = (int32_t)PyList_GET_SIZE(texts);
    return PyList_Append(texts, text) < 0 ? -1 : *place;
}

typedef struct {
    int32_t *codes, *starts, *args, *labels, *created;
    double *numbers;
} Columns;

/* Fill the columns of `tabulate`, which has numbered the nodes; return -1 after an error. */
static int fill(PyObject *order, PyObject *created, PyObject *kinds, PyObject *texts, Columns to)
{
    Py_ssize_t count = PyList_GET_SIZE(order);
    PyObject **first, *last_op = NULL;
    int32_t code = 0, recent[RECENT] = {0};
    to.starts[0] = 0;
    memset(to.created, 0, count * sizeof(int32_t));
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(created); i++) {
        int32_t place = place_in(order, PyList_GET_ITEM(created, i));
        if (place >= 0)
            to.created[place] = 1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        AHEAD(order, i + SOON);
        Py_ssize_t arity = operands(node, &first);
        for (Py_ssize_t k = 0; k < arity; k++)
            *to.args++ = (int32_t)((Node *)first[k])->child;
        to.starts[i + 1] = to.starts[i] + (int32_t)arity;
        to.numbers[i] = plain_number(node);
        PyObject *text = entry(node, str_label);
        if (text == NULL || PyObject_IsTrue(text) != 1)
            text = entry(node, str_scope);
        if (node->op != last_op && (code = index_of(kinds, last_op = node->op)) < 0)
            return -1;
        to.codes[i] = code;
        to.labels[i] = text ? index_of_text(texts, text, recent) : 0;
        if (to.labels[i] < 0)
            return -1;
    }
    return 0;
}

/* tabulate(order, created): see graph.py. */
static PyObject *tabulate(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    if (!arguments_are(n, 2))
        return NULL;
    PyObject *order = args[0], *created = args[1], **first, *found = NULL;
    int known = number_nodes(order) && PyList_CheckExact(created);
    Py_ssize_t count = known ? PyList_GET_SIZE(order) : 0, total = 0;
    for (Py_ssize_t i = 0; known && i < count; i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        known = node->row != BY_HAND && is_plain((PyObject *)node);
        total += known ? operands(node, &first) : 0;
    }
    if (!known || total > INT32_MAX)
        return PyObject_Vectorcall(py_tabulate, args, n, NULL);
    PyObject *kinds = PyDict_New(), *texts = PyList_New(1), *bytes[6] = {NULL};
    Py_ssize_t sizes[6] = {4 * count, 4 * (count + 1), 4 * total, 4 * count, 4 * count, 8 * count};
    int made = kinds && texts && PyList_SetItem(texts, 0, Py_NewRef(empty)) == 0;
    for (int k = 0; made && k < 6; k++)
        made = (bytes[k] = PyBytes_FromStringAndSize(NULL, sizes[k])) != NULL;
    if (made) {
        Columns columns = {
            (int32_t *)PyBytes_AS_STRING(bytes[0]), (int32_t *)PyBytes_AS_STRING(bytes[1]),
            (int32_t *)PyBytes_AS_STRING(bytes[2]), (int32_t *)PyBytes_AS_STRING(bytes[3]),
            (int32_t *)PyBytes_AS_STRING(bytes[4]), (double *)PyBytes_AS_STRING(bytes[5]),
        };
        if (fill(order, created, kinds, texts, columns) == 0)
            found = Py_BuildValue("NOOOOOOO", PyDict_Keys(kinds), texts, bytes[0],
                                  bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]);
    }
    for (int k = 0; k < 6; k++)
        Py_XDECREF(bytes[k]);
    Py_XDECREF(kinds);
    Py_XDECREF(texts);
    return found;
}
