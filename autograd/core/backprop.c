/* The backward pass, and evaluating a graph again: `backprop.py` in C. */

/* ------------------------------------------------------------------ the backward pass */

/* Return the place of the operand that a `take` chooses, or 0 if its index is no place. */
static Py_ssize_t find_chosen(PyObject **first, Py_ssize_t arity)
{
    double index = is_plain(first[0]) ? plain_number((Node *)first[0]) : -1.0;
    return 0.0 <= index && index < (double)(arity - 1) && floor(index) == index
               ? (Py_ssize_t)index + 1
               : 0;
}

/* See `_push_to_chosen` in backprop.py. Return 1 if Python has to do it. */
static int push_to_chosen(Node *node, PyObject **first, Py_ssize_t arity)
{
    Py_ssize_t chosen = find_chosen(first, arity);
    if (!chosen)
        return 1;
    for (Py_ssize_t i = 0; i < arity; i++)
        if (((Node *)first[i])->flags & NOT_REACHED)
            add_gradient((Node *)first[i], 0.0);
    add_gradient((Node *)first[chosen], node->grad);
    return 0;
}

/* Add a node's gradient times each local derivative to its operands' gradients. */
static inline int push(Node *node)
{
    PyObject **first = NULL;
    Py_ssize_t arity = operands(node, &first);
    if (arity == 0)
        return 0;
    if (node->op == take_row && push_to_chosen(node, first, arity) == 0)
        return 0;
    if (node->row == BY_HAND) {
        int result = has_function(node) ? push_probed(node, first, arity)
                                        : push_given(node, first, arity);
        if (result <= 0)
            return result;
    }
    if (node->row >= 0 && ROWS[node->row].partials && arity == ROWS[node->row].arity) {
        double x[LARGEST_ARITY], d[LARGEST_ARITY];
        int varies = 0, exists = 1;
        for (int i = 0; i < arity; i++) {
            x[i] = plain_number((Node *)first[i]);
            varies |= ((Node *)first[i])->op != constant;
        }
        if (!varies)
            return 0;
        ROWS[node->row].partials(plain_number(node), x, d);
        for (int i = 0; i < arity; i++)
            exists &= isfinite(d[i]);
        if (exists) {
            for (int i = 0; i < arity; i++)
                add_gradient((Node *)first[i], node->grad * d[i]);
            return 0;
        }
    }
    PyObject *done = PyObject_CallOneArg(py_push, (PyObject *)node);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static int all_plain(PyObject *order)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(order); i++)
        if (!is_plain(PyList_GET_ITEM(order, i)))
            return 0;
    return 1;
}

/* The gradient that a node had before a pass. */
typedef struct {
    Node *node;
    double grad;
    uint16_t state;
} Before;

typedef struct {
    Before *nodes;
    Py_ssize_t count, room;
} Notes;

static int note(Notes *notes, Node *node)
{
    if (notes->count == notes->room) {
        Py_ssize_t room = notes->room ? 2 * notes->room : 256;
        Before *nodes = PyMem_Realloc(notes->nodes, room * sizeof(Before));
        if (nodes == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        notes->nodes = nodes;
        notes->room = room;
    }
    notes->nodes[notes->count++] = (Before){node, node->grad, node->flags & GRAD_STATES};
    return 0;
}

/* Note the gradients of the nodes that an earlier pass has reached, and reset all for a pass. Return
 * the number of nodes done; it is smaller than that of all if Python has to do the pass. */
static Py_ssize_t begin_pass(PyObject *order, Notes *notes)
{
    Py_ssize_t i;
    for (i = 0; i < PyList_GET_SIZE(order) && is_plain(PyList_GET_ITEM(order, i)); i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        AHEAD(order, i + SOON);
        if (!(node->flags & NOT_REACHED) && note(notes, node) < 0)
            break;
        if (is_result(node) || node->flags & (GRAD_NONE | GRAD_INT)) {
            node->grad = 0.0;
            node->flags &= ~GRAD_STATES;
        }
    }
    return i;
}

/* Give the first nodes of an order their gradients back. */
static void restore(PyObject *order, Py_ssize_t count, const Notes *notes)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        node->grad = 0.0;
        node->flags = (node->flags & ~GRAD_STATES) | NOT_REACHED;
    }
    for (Py_ssize_t i = 0; i < notes->count; i++) {
        Before *before = &notes->nodes[i];
        before->node->grad = before->grad;
        before->node->flags = (before->node->flags & ~GRAD_STATES) | before->state;
    }
}

static int run_backward(PyObject *order, double gradient)
{
    Py_ssize_t last = PyList_GET_SIZE(order) - 1;
    Node *root = (Node *)PyList_GET_ITEM(order, last);
    root->grad += gradient;
    root->flags &= ~GRAD_STATES;
    for (Py_ssize_t i = last; i >= 0; i--) {
        AHEAD(order, i - SOON);
        if (push((Node *)PyList_GET_ITEM(order, i)) < 0 || SIGNALS(i))
            return -1;
    }
    if (PySet_GET_SIZE(open_blocks) == 0)
        return 0;
    PyObject *watched = PyObject_CallOneArg(py_watch, order);
    Py_XDECREF(watched);
    return watched ? 0 : -1;
}

/* _pass(order, gradient): run one backward pass; if it fails, restore every gradient. */
static PyObject *backward_pass(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    if (!arguments_are(n, 2))
        return NULL;
    PyObject *order = args[0];
    if (!PyList_CheckExact(order) || !PyFloat_CheckExact(args[1]))
        return PyObject_Vectorcall(py_pass, args, 2, NULL);
    Notes notes = {NULL, 0, 0};
    Py_ssize_t done = begin_pass(order, &notes);
    int failed = done < PyList_GET_SIZE(order) ||
                 run_backward(order, PyFloat_AS_DOUBLE(args[1])) < 0;
    if (failed)
        restore(order, done, &notes);
    PyMem_Free(notes.nodes);
    if (failed && !PyErr_Occurred())
        return PyObject_Vectorcall(py_pass, args, 2, NULL);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* Compute the gradients of the nodes of an order on the paths to the nodes in `by`, or on all paths
 * if it is NULL: flows[i] says whether node i is on one, and found[i] becomes its gradient. Return 0
 * if Python has to do it. */
static int flow(PyObject *order, const char *flows, char *reached, double *found)
{
    for (Py_ssize_t i = PyList_GET_SIZE(order) - 1; i >= 0; i--) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        PyObject **first = NULL;
        Py_ssize_t arity = operands(node, &first), any = 0;
        for (Py_ssize_t k = 0; k < arity; k++)
            any |= flows[((Node *)first[k])->child];
        if (!reached[i] || !any)
            continue;
        Py_ssize_t chosen = node->op == take_row ? find_chosen(first, arity) : 0;
        for (Py_ssize_t k = 0; chosen && k < arity; k++)
            reached[((Node *)first[k])->child] |= flows[((Node *)first[k])->child];
        if (chosen) {
            uint32_t place = ((Node *)first[chosen])->child;
            if (flows[place])
                found[place] += found[i];
            continue;
        }
        if (node->row < 0 || !ROWS[node->row].partials || arity != ROWS[node->row].arity)
            return 0;
        double x[LARGEST_ARITY], d[LARGEST_ARITY];
        for (Py_ssize_t k = 0; k < arity; k++)
            x[k] = plain_number((Node *)first[k]);
        ROWS[node->row].partials(plain_number(node), x, d);
        for (Py_ssize_t k = 0; k < arity; k++) {
            uint32_t place = ((Node *)first[k])->child;
            if (!isfinite(d[k]))
                return 0;
            if (flows[place]) {
                found[place] += found[i] * d[k] + 0.0; /* -0.0 becomes 0.0 */
                reached[place] = 1;
            }
        }
    }
    return 1;
}

/* Compute the gradients of the nodes of an order as `flow` does; `by` is NULL or a list. Return them in
 * memory that the caller frees, with a mask of the nodes that were reached; NULL if Python has to do
 * it, or after an error. */
static double *find_gradients(PyObject *order, double gradient, PyObject *by, char **reached)
{
    Py_ssize_t count = PyList_GET_SIZE(order), i;
    char *flows = PyMem_Calloc(count + 1, 1);
    double *found = PyMem_Calloc(count + 1, sizeof(double));
    *reached = PyMem_Calloc(count + 1, 1);
    int known = flows && found && *reached && count <= INT32_MAX;
    for (i = 0; known && i < count; i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        node->child = (uint32_t)i;
        flows[i] = by == NULL && node->op != constant;
    }
    for (i = 0; known && by && i < PyList_GET_SIZE(by); i++) {
        int32_t place = place_in(order, PyList_GET_ITEM(by, i));
        if (place >= 0)
            flows[place] = 1;
    }
    for (i = 0; known && by && i < count; i++) {
        PyObject **first = NULL;
        Py_ssize_t arity = operands((Node *)PyList_GET_ITEM(order, i), &first);
        for (Py_ssize_t k = 0; !flows[i] && k < arity; k++)
            flows[i] = flows[((Node *)first[k])->child];
    }
    if (known) {
        found[count - 1] = gradient;
        (*reached)[count - 1] = 1;
        known = flow(order, flows, *reached, found);
    }
    PyMem_Free(flows);
    if (!known) {
        PyMem_Free(found);
        PyMem_Free(*reached);
    }
    return known ? found : NULL;
}

/* _gradients(order, gradient, by): see `gradients` in backprop.py; `by` is a list or None. */
static PyObject *gradients(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    if (!arguments_are(n, 3))
        return NULL;
    PyObject *order = args[0], *by = args[2] == Py_None ? NULL : args[2];
    double *found = NULL;
    char *reached;
    if (PyList_CheckExact(order) && PyFloat_CheckExact(args[1]) && all_plain(order) &&
        (by == NULL || PyList_CheckExact(by)))
        found = find_gradients(order, PyFloat_AS_DOUBLE(args[1]), by, &reached);
    if (found == NULL)
        return PyErr_Occurred() ? NULL : PyObject_Vectorcall(py_gradients, args, 3, NULL);
    PyObject *result = PyDict_New();
    for (Py_ssize_t i = PyList_GET_SIZE(order) - 1; result && i >= 0; i--) {
        PyObject *x = reached[i] ? PyFloat_FromDouble(found[i]) : NULL;
        if (reached[i] && (x == NULL || PyDict_SetItem(result, PyList_GET_ITEM(order, i), x) < 0))
            Py_CLEAR(result);
        Py_XDECREF(x);
    }
    PyMem_Free(reached);
    PyMem_Free(found);
    return result;
}

/* gradient_column(order, by): see backprop.py. */
static PyObject *gradient_column(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    if (!arguments_are(n, 2))
        return NULL;
    PyObject *order = args[0], *by = args[1];
    double *found = NULL;
    char *reached;
    if (PyList_CheckExact(order) && PyList_CheckExact(by) && all_plain(order))
        found = find_gradients(order, 1.0, by, &reached);
    if (found == NULL)
        return PyErr_Occurred() ? NULL : PyObject_Vectorcall(py_gradient_column, args, 2, NULL);
    Py_ssize_t size = PyList_GET_SIZE(order) * (Py_ssize_t)sizeof(double);
    PyObject *bytes = PyBytes_FromStringAndSize((char *)found, size);
    PyMem_Free(reached);
    PyMem_Free(found);
    return bytes;
}

/* reset(order): forget the gradient of each node. */
static PyObject *reset(PyObject *module, PyObject *order)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(order); i++)
        if (PyObject_SetAttr(PyList_GET_ITEM(order, i), str_grad, not_computed) < 0)
            return NULL;
    Py_RETURN_NONE;
}

/* ------------------------------------------------------------------ the forward pass again */

/* Compute the operation of a node from the numbers of its operands, if they are plain. */
static int evaluate_here(Node *node, double *out)
{
    PyObject **first = NULL;
    Py_ssize_t arity = operands(node, &first), chosen;
    if (node->op == take_row && (chosen = find_chosen(first, arity)) && is_plain(first[chosen])) {
        *out = plain_number((Node *)first[chosen]);
        return 1;
    }
    if (node->row < 0 || arity != ROWS[node->row].arity)
        return 0;
    double x[LARGEST_ARITY];
    for (int i = 0; i < arity; i++) {
        if (!is_plain(first[i]))
            return 0;
        x[i] = plain_number((Node *)first[i]);
    }
    *out = ROWS[node->row].value(x);
    return isfinite(*out);
}

static int evaluate(Node *node, double *out)
{
    if (evaluate_here(node, out))
        return 0;
    PyObject *found = PyObject_CallOneArg(py_evaluated, (PyObject *)node);
    if (found == NULL)
        return -1;
    *out = PyFloat_AsDouble(found);
    Py_DECREF(found);
    return 0;
}

/* evaluated(node, instead): see backprop.py. */
static PyObject *evaluated(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    double out;
    if (n == 1 && is_node(args[0]) && evaluate_here((Node *)args[0], &out))
        return PyFloat_FromDouble(out);
    return PyObject_Vectorcall(py_evaluated, args, n, NULL);
}

/* locals_of(node, asked): see backprop.py. */
static PyObject *locals_of(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    PyObject **first = NULL, *found = NULL;
    Node *node = (Node *)args[0];
    double x[LARGEST_ARITY], d[LARGEST_ARITY];
    if (n < 1 || !is_node(args[0]) || node->row < 0 || !ROWS[node->row].partials ||
        operands(node, &first) != ROWS[node->row].arity || !is_plain(args[0]))
        return PyObject_Vectorcall(py_locals_of, args, n, NULL);
    Py_ssize_t arity = ROWS[node->row].arity;
    int exists = 1;
    for (Py_ssize_t i = 0; exists && i < arity; i++) {
        exists = is_plain(first[i]);
        x[i] = plain_number((Node *)first[i]);
    }
    if (exists)
        ROWS[node->row].partials(plain_number(node), x, d);
    for (Py_ssize_t i = 0; exists && i < arity; i++)
        exists = isfinite(d[i]);
    if (!exists)
        return PyObject_Vectorcall(py_locals_of, args, n, NULL);
    found = PyTuple_New(arity);
    for (Py_ssize_t i = 0; found && i < arity; i++) {
        PyObject *slope = PyFloat_FromDouble(d[i]);
        if (slope == NULL)
            Py_CLEAR(found);
        else
            PyTuple_SET_ITEM(found, i, slope);
    }
    return found;
}

/* _forward(order): evaluate each operation again; if it fails, restore every number. */
static PyObject *forward_pass(PyObject *module, PyObject *order)
{
    if (!PyList_CheckExact(order) || PySet_GET_SIZE(open_blocks) || !all_plain(order))
        return PyObject_CallOneArg(py_forward, order);
    Py_ssize_t count = PyList_GET_SIZE(order), i;
    double *before = PyMem_Malloc(count * sizeof(double) + 1);
    if (before == NULL)
        return PyErr_NoMemory();
    for (i = 0; i < count; i++)
        before[i] = ((Node *)PyList_GET_ITEM(order, i))->data;
    for (i = 0; i < count; i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        if (is_result(node) && (evaluate(node, &node->data) < 0 || SIGNALS(i)))
            break;
    }
    int failed = i < count;
    for (i = 0; i < count; i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        if (failed)
            node->data = before[i];
        else if (is_result(node)) {
            node->grad = 0.0;
            node->flags = (node->flags & ~GRAD_STATES) | NOT_REACHED;
        }
    }
    PyMem_Free(before);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

