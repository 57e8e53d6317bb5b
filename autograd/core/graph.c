/* The order of a graph, and its columns: `graph.py` in C. */

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
            PREFETCH(next->a);
            PREFETCH(next->b);
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

/* Fill the columns of `tabulate`; return -1 after an error. */
static int fill(PyObject *order, PyObject *created, PyObject *kinds, PyObject *texts,
                int32_t *columns[])
{
    int32_t *codes = columns[0], *starts = columns[1], *args = columns[2], *labels = columns[3];
    PyObject **first;
    starts[0] = 0;
    memset(columns[4], 0, PyList_GET_SIZE(order) * sizeof(int32_t));
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(created); i++) {
        Node *node = (Node *)PyList_GET_ITEM(created, i);
        if (node->child < PyList_GET_SIZE(order) &&
            PyList_GET_ITEM(order, node->child) == (PyObject *)node)
            columns[4][node->child] = 1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(order); i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        Py_ssize_t arity = operands(node, &first);
        for (Py_ssize_t k = 0; k < arity; k++)
            *args++ = (int32_t)((Node *)first[k])->child;
        starts[i + 1] = starts[i] + (int32_t)arity;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(order); i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        PyObject *text = entry(node, str_label);
        if (text == NULL || PyObject_IsTrue(text) != 1)
            text = entry(node, str_scope);
        codes[i] = index_of(kinds, node->op);
        labels[i] = text == NULL ? 0 : index_of(texts, text);
        if (codes[i] < 0 || labels[i] < 0)
            return -1;
    }
    return 0;
}

/* tabulate(order, outputs, created): see graph.py. */
static PyObject *tabulate(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    if (!arguments_are(n, 3))
        return NULL;
    PyObject *order = args[0], *outputs = args[1], *created = args[2], **first;
    int known = PyList_CheckExact(order);
    Py_ssize_t count = known ? PyList_GET_SIZE(order) : 0, total = 0;
    for (Py_ssize_t i = 0; known && i < count; i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        known = is_node((PyObject *)node) && node->row != BY_HAND;
        if (known) {
            total += operands(node, &first);
            node->child = (uint32_t)i;
        }
    }
    if (!known || count >= INT32_MAX || total > INT32_MAX)
        return PyObject_Vectorcall(py_tabulate, args, n, NULL);
    PyObject *kinds = PyDict_New(), *texts = PyDict_New(), *bytes[6] = {NULL}, *found = NULL;
    Py_ssize_t sizes[6] = {count, count + 1, total, count, count, PyList_GET_SIZE(outputs)};
    int32_t *columns[6];
    int made = kinds && texts && index_of(texts, empty) == 0;
    for (int k = 0; made && k < 6; k++) {
        bytes[k] = PyBytes_FromStringAndSize(NULL, sizes[k] * (Py_ssize_t)sizeof(int32_t));
        made = bytes[k] != NULL;
        columns[k] = made ? (int32_t *)PyBytes_AS_STRING(bytes[k]) : NULL;
    }
    for (Py_ssize_t i = 0; made && i < sizes[5]; i++)
        columns[5][i] = (int32_t)((Node *)PyList_GET_ITEM(outputs, i))->child;
    if (made && fill(order, created, kinds, texts, columns) == 0)
        found = Py_BuildValue("NNOOOOOO", PyDict_Keys(kinds), PyDict_Keys(texts), bytes[0], bytes[1],
                              bytes[2], bytes[3], bytes[4], bytes[5]);
    for (int k = 0; k < 6; k++)
        Py_XDECREF(bytes[k]);
    Py_XDECREF(kinds);
    Py_XDECREF(texts);
    return found;
}

