/* Nodes that a program makes by hand: `by_hand.py` in C.
 *
 * Their operation is (name, slopes) or (name, function, variable, ...), until Python asks for the row;
 * or the name alone, while the slopes are 0 because a `_backward` is to be assigned. The variables have
 * no tuple of their own, because Python's collector would visit it.
 */

#define VARIABLES 2 /* the place of the first variable */

static PyObject *name_of(Node *node)
{
    return PyUnicode_CheckExact(node->op) ? node->op : PyTuple_GET_ITEM(node->op, 0);
}

static int has_function(Node *node)
{
    return PyTuple_CheckExact(node->op) && !PyTuple_CheckExact(PyTuple_GET_ITEM(node->op, 1));
}

static PyObject *function_of(Node *node) { return PyTuple_GET_ITEM(node->op, 1); }

/* Return the local derivatives, or the function and its variables, as `by_hand.py` stores them. */
static PyObject *slopes_of(Node *node, Py_ssize_t arity)
{
    if (has_function(node)) {
        PyObject *variables = PyTuple_GetSlice(node->op, VARIABLES, PyTuple_GET_SIZE(node->op));
        PyObject *untied = variables ? PyObject_CallFunctionObjArgs(py_Untied, function_of(node),
                                                                    variables, NULL)
                                     : NULL;
        Py_XDECREF(variables);
        return untied;
    }
    if (PyTuple_CheckExact(node->op))
        return Py_NewRef(PyTuple_GET_ITEM(node->op, 1));
    PyObject *one = Py_BuildValue("(d)", 0.0);
    PyObject *slopes = one ? PySequence_Repeat(one, arity) : NULL;
    Py_XDECREF(one);
    return slopes;
}

/* Return the name of the function that calls Value(...), borrowed from its code; see `_caller`. */
static PyObject *caller(void)
{
    PyFrameObject *frame = PyEval_GetFrame();
    PyObject *name = NULL;
    Py_XINCREF(frame);
    while (frame) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        name = code->co_name;
        Py_DECREF(code);
        if (PyUnicode_Compare(name, str_init) != 0)
            break;
        Py_SETREF(frame, PyFrame_GetBack(frame));
    }
    Py_XDECREF(frame);
    return name && PyUnicode_IsIdentifier(name) ? name : str_unknown;
}

/* Return the operation of a node made by hand, or NULL without an error. */
static PyObject *operation_by_hand(PyObject *given, Py_ssize_t arity)
{
    if (PyUnicode_CheckExact(given))
        return Py_NewRef(given);
    if (!PyTuple_CheckExact(given) || PyTuple_GET_SIZE(given) != arity)
        return NULL;
    PyObject *slopes = PyTuple_New(arity), *op;
    for (Py_ssize_t i = 0; slopes && i < arity; i++) {
        double x;
        if (operand(PyTuple_GET_ITEM(given, i), &x) != NUMBER) {
            Py_DECREF(slopes);
            return NULL;
        }
        PyObject *slope = PyFloat_FromDouble(x);
        if (slope == NULL)
            Py_CLEAR(slopes);
        else
            PyTuple_SET_ITEM(slopes, i, slope);
    }
    op = slopes ? PyTuple_Pack(2, caller(), slopes) : NULL;
    Py_XDECREF(slopes);
    return op;
}

/* Make a node by hand, or return NULL without an error if Python has to look at the arguments. */
static Node *made_by_hand(double data, PyObject *children, PyObject *given)
{
    if (!PyTuple_CheckExact(children) || PySet_GET_SIZE(open_blocks) || !py_by_hand)
        return NULL;
    Py_ssize_t arity = PyTuple_GET_SIZE(children);
    for (Py_ssize_t i = 0; i < arity; i++)
        if (!is_node(PyTuple_GET_ITEM(children, i)))
            return NULL;
    PyObject *op = arity ? operation_by_hand(given, arity) : NULL;
    if (op == NULL)
        return NULL;
    PyObject *a = arity < 3 ? PyTuple_GET_ITEM(children, 0) : children;
    PyObject *b = arity == 2 ? PyTuple_GET_ITEM(children, 1) : NULL;
    Node *node = make(data, op, BY_HAND, Py_NewRef(a), Py_XNewRef(b));
    Py_DECREF(op);
    return node;
}

/* Return an operation: its name, a copy of a function with empty variables in place of those that hold
 * the node, and these variables. `untied` in `by_hand.py` says why. */
static PyObject *untied(PyObject *given, PyObject *node, PyObject *name)
{
    PyObject *closure = PyFunction_GET_CLOSURE(given), *copy = NULL;
    Py_ssize_t n = closure ? PyTuple_GET_SIZE(closure) : 0, holding = 0;
    for (Py_ssize_t i = 0; i < n; i++)
        holding += PyCell_GET(PyTuple_GET_ITEM(closure, i)) == node;
    PyObject *all = PyTuple_New(n), *op = PyTuple_New(VARIABLES + holding);
    for (Py_ssize_t i = 0, k = VARIABLES; all && op && i < n; i++) {
        PyObject *variable = Py_NewRef(PyTuple_GET_ITEM(closure, i));
        if (PyCell_GET(variable) == node) {
            Py_SETREF(variable, PyCell_New(NULL));
            if (variable == NULL) {
                Py_CLEAR(all);
                break;
            }
            PyTuple_SET_ITEM(op, k++, Py_NewRef(variable));
        }
        PyTuple_SET_ITEM(all, i, variable);
    }
    if (all && op) {
        if (holding == 0)
            copy = Py_NewRef(given);
        else if ((copy = PyFunction_New(PyFunction_GET_CODE(given), PyFunction_GET_GLOBALS(given)))) {
            PyObject *defaults = PyFunction_GET_DEFAULTS(given);
            PyObject *by_name = PyFunction_GET_KW_DEFAULTS(given);
            if (PyFunction_SetClosure(copy, all) < 0 ||
                (defaults && PyFunction_SetDefaults(copy, defaults) < 0) ||
                (by_name && PyFunction_SetKwDefaults(copy, by_name) < 0))
                Py_CLEAR(copy);
        }
    }
    Py_XDECREF(all);
    if (copy == NULL) {
        Py_XDECREF(op);
        return NULL;
    }
    PyTuple_SET_ITEM(op, 0, Py_NewRef(name));
    PyTuple_SET_ITEM(op, 1, copy);
    return op;
}

static PyObject *get_backward(Node *node, void *closure)
{
    return PyObject_CallOneArg(py_get_backward, (PyObject *)node);
}

/* node._backward = function: see `set_backward` in `by_hand.py`. */
static int set_backward(Node *node, PyObject *function, void *closure)
{
    if (missing(function))
        return -1;
    if (node->row != BY_HAND || !PyFunction_Check(function)) {
        PyObject *done = PyObject_CallFunctionObjArgs(py_set_backward, node, function, NULL);
        Py_XDECREF(done);
        return done ? 0 : -1;
    }
    PyObject *op = untied(function, (PyObject *)node, name_of(node));
    if (op == NULL)
        return -1;
    Py_SETREF(node->op, op);
    track(node); /* the function may hold the node in other ways */
    return 0;
}

/* The same for a node made by hand, whose local derivatives are numbers. */
static int push_given(Node *node, PyObject **first, Py_ssize_t arity)
{
    PyObject *slopes = PyTuple_CheckExact(node->op) ? PyTuple_GET_ITEM(node->op, 1) : NULL;
    for (Py_ssize_t i = 0; i < arity; i++) {
        double slope = slopes ? PyFloat_AS_DOUBLE(PyTuple_GET_ITEM(slopes, i)) : 0.0;
        add_gradient((Node *)first[i], node->grad * slope);
    }
    return 0;
}

#define MANY 16 /* nodes made by hand have fewer operands, or are left to Python */

/* The same for a node made by hand, whose `_backward` is run with a gradient of 1 to find the local
 * derivatives: see `_probed` in `by_hand.py`. Return 1 if Python has to do it. */
static int push_probed(Node *node, PyObject **first, Py_ssize_t arity)
{
    if (arity >= MANY)
        return 1;
    double before[MANY], found[MANY], upstream = node->grad;
    uint16_t flags[MANY];
    PyObject *op = Py_NewRef(node->op), *function = function_of(node);
    for (Py_ssize_t i = 0; i < arity; i++) {
        before[i] = ((Node *)first[i])->grad;
        flags[i] = ((Node *)first[i])->flags & GRAD_STATES;
    }
    for (Py_ssize_t i = 0; i < arity; i++) {
        ((Node *)first[i])->grad = 0.0;
        ((Node *)first[i])->flags &= ~GRAD_STATES;
    }
    node->grad = 1.0;
    for (Py_ssize_t i = VARIABLES; i < PyTuple_GET_SIZE(op); i++)
        PyCell_Set(PyTuple_GET_ITEM(op, i), (PyObject *)node);
    PyObject *done = PyObject_CallNoArgs(function);
    for (Py_ssize_t i = VARIABLES; i < PyTuple_GET_SIZE(op); i++)
        PyCell_Set(PyTuple_GET_ITEM(op, i), NULL);
    int odd = 0;
    for (Py_ssize_t i = 0; i < arity; i++) {
        odd |= ((Node *)first[i])->flags & GRAD_STATES;
        found[i] = ((Node *)first[i])->grad;
        for (Py_ssize_t j = 0; j < i; j++)
            if (first[j] == first[i])
                found[i] = 0.0; /* the first use has the sum */
    }
    node->grad = upstream;
    for (Py_ssize_t i = 0; i < arity; i++) {
        ((Node *)first[i])->grad = before[i];
        ((Node *)first[i])->flags = (((Node *)first[i])->flags & ~GRAD_STATES) | flags[i];
    }
    Py_DECREF(op);
    Py_XDECREF(done);
    if (done == NULL || odd)
        return done ? 1 : -1;
    for (Py_ssize_t i = 0; i < arity; i++)
        add_gradient((Node *)first[i], upstream * found[i]);
    return 0;
}
