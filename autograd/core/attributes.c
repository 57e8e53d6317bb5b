/* The attributes of a node, as Python code reads and sets them. */

/* ------------------------------------------------------------------ label, scope and what is rare */

/* Return a borrowed entry of `more`, or NULL. */
static PyObject *entry(Node *node, PyObject *key)
{
    PyObject *more = node->more;
    if (more == NULL)
        return NULL;
    if (PyDict_CheckExact(more))
        return PyDict_GetItemWithError(more, key);
    if (PyTuple_CheckExact(more))
        return key == str_label ? PyTuple_GET_ITEM(more, 0)
               : key == str_scope ? PyTuple_GET_ITEM(more, 1) : NULL;
    return key == str_scope ? more : NULL;
}

/* Make `more` a dict, and return it borrowed. */
static PyObject *rare(Node *node)
{
    if (node->more && PyDict_CheckExact(node->more))
        return node->more;
    PyObject *dict = PyDict_New();
    if (dict == NULL)
        return NULL;
    PyObject *label = entry(node, str_label), *scope = entry(node, str_scope);
    if ((label && PyDict_SetItem(dict, str_label, label) < 0) ||
        (scope && PyDict_SetItem(dict, str_scope, scope) < 0)) {
        Py_DECREF(dict);
        return NULL;
    }
    Py_XSETREF(node->more, dict);
    return dict;
}

static int set_rare(Node *node, PyObject *key, PyObject *x)
{
    PyObject *dict = rare(node);
    return dict ? PyDict_SetItem(dict, key, x) : -1;
}

static int set_texts(Node *node, PyObject *label, PyObject *scope)
{
    if (!PyUnicode_CheckExact(label) || !PyUnicode_CheckExact(scope) ||
        (node->more && PyDict_CheckExact(node->more)))
        return set_rare(node, str_label, label) < 0 || set_rare(node, str_scope, scope) < 0 ? -1 : 0;
    PyObject *more;
    if (PyUnicode_GET_LENGTH(label))
        more = PyTuple_Pack(2, label, scope);
    else
        more = PyUnicode_GET_LENGTH(scope) ? Py_NewRef(scope) : NULL;
    if (more == NULL && PyErr_Occurred())
        return -1;
    Py_XSETREF(node->more, more);
    return 0;
}

static PyObject *get_label(Node *node, void *closure)
{
    PyObject *label = entry(node, str_label);
    return Py_NewRef(label ? label : empty);
}

static PyObject *get_scope(Node *node, void *closure)
{
    PyObject *scope = entry(node, str_scope);
    return Py_NewRef(scope ? scope : empty);
}

static int set_label(Node *node, PyObject *x, void *closure)
{
    PyObject *scope = entry(node, str_scope);
    return missing(x) ? -1 : set_texts(node, x, scope ? scope : empty);
}

static int set_scope(Node *node, PyObject *x, void *closure)
{
    PyObject *label = entry(node, str_label);
    return missing(x) ? -1 : set_texts(node, label ? label : empty, x);
}

/* ------------------------------------------------------------------ the attributes */

static PyObject *get_data(Node *node, void *closure)
{
    if (node->flags & ODD_DATA)
        return Py_XNewRef(entry(node, str_data));
    return PyFloat_FromDouble(node->data);
}

static int set_data(Node *node, PyObject *x, void *closure)
{
    if (missing(x))
        return -1;
    if (PyFloat_CheckExact(x)) {
        node->data = PyFloat_AS_DOUBLE(x);
        node->flags &= ~ODD_DATA;
        return 0;
    }
    node->flags |= ODD_DATA;
    return set_rare(node, str_data, x);
}

static PyObject *get_grad(Node *node, void *closure)
{
    if (!(node->flags & GRAD_STATES))
        return PyFloat_FromDouble(node->grad);
    if (node->flags & NOT_REACHED)
        return Py_NewRef(not_computed);
    if (node->flags & GRAD_NONE)
        Py_RETURN_NONE;
    return Py_XNewRef(node->flags & GRAD_INT ? zero : entry(node, str_grad));
}

static int set_grad(Node *node, PyObject *x, void *closure)
{
    if (missing(x))
        return -1;
    uint16_t state = ODD_GRAD;
    node->grad = 0.0;
    if (x == not_computed)
        state = NOT_REACHED;
    else if (PyFloat_CheckExact(x)) {
        state = 0;
        node->grad = PyFloat_AS_DOUBLE(x);
    }
    else if (x == Py_None)
        state = GRAD_NONE;
    else if (x == zero)
        state = GRAD_INT;
    node->flags = (node->flags & ~GRAD_STATES) | state;
    return state == ODD_GRAD ? set_rare(node, str_grad, x) : 0;
}

static PyObject *get_object(PyObject *x, const char *name)
{
    if (x == NULL)
        PyErr_SetString(PyExc_AttributeError, name);
    return Py_XNewRef(x);
}

static PyObject *get_op(Node *node, void *closure)
{
    if (node->row == BY_HAND) {
        PyObject **first;
        Py_ssize_t arity = operands(node, &first);
        PyObject *slopes = slopes_of(node, arity), *row = NULL;
        if (slopes)
            row = PyObject_CallFunction(py_by_hand, "OnO", name_of(node), arity, slopes);
        Py_XDECREF(slopes);
        if (row == NULL)
            return NULL;
        node->row = UNKNOWN;
        Py_SETREF(node->op, row);
    }
    return get_object(node->op, "op");
}

static int set_op(Node *node, PyObject *x, void *closure)
{
    if (missing(x))
        return -1;
    node->row = (int8_t)find_row(x);
    if (node->row < 0 && x != leaf && x != constant)
        track(node);
    Py_XSETREF(node->op, Py_NewRef(x));
    return 0;
}

static PyObject *get_a(Node *node, void *closure) { return Py_NewRef(node->a ? node->a : Py_None); }
static PyObject *get_b(Node *node, void *closure) { return Py_NewRef(node->b ? node->b : Py_None); }

static int set_operand(Node *node, PyObject **place, PyObject *x)
{
    if (missing(x))
        return -1;
    if (x != Py_None && !PyMemoryView_Check(x) && !PyLong_CheckExact(x)) /* a Shared's are no nodes */
        track(node);
    Py_XSETREF(*place, x == Py_None ? NULL : Py_NewRef(x));
    return 0;
}

static int set_a(Node *node, PyObject *x, void *closure) { return set_operand(node, &node->a, x); }
static int set_b(Node *node, PyObject *x, void *closure) { return set_operand(node, &node->b, x); }

/* The operands as a tuple. */
static PyObject *get_args(Node *node, void *closure)
{
    PyObject **first = NULL;
    Py_ssize_t arity = operands(node, &first);
    if (node->a && PyTuple_CheckExact(node->a))
        return Py_NewRef(node->a);
    PyObject *args = PyTuple_New(arity);
    for (Py_ssize_t i = 0; args && i < arity; i++)
        PyTuple_SET_ITEM(args, i, Py_NewRef(first[i]));
    return args;
}

static int set_args(Node *node, PyObject *args, void *closure)
{
    PyObject *done = missing(args) ? NULL
                                   : PyObject_CallFunctionObjArgs(py_set_args, node, args, NULL);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* Attributes that a program sets for itself are kept in a dict, which only then exists. The first
 * node to get one of a name gives the class a descriptor for it: a method of the class that looks
 * for names would make every call of a method slower. */

typedef struct {
    PyObject_HEAD
    PyObject *name;
} Own;

static PyTypeObject *OwnType;

static PyObject *get_dict(Node *node, void *closure)
{
    PyObject *dict = entry(node, str_dict);
    if (dict)
        return Py_NewRef(dict);
    dict = PyDict_New();
    if (dict && set_rare(node, str_dict, dict) < 0)
        Py_CLEAR(dict);
    track(node); /* an attribute may be part of a cycle */
    return dict;
}

/* Return the dict of a node with attributes of its own, or None. */
static PyObject *get_own(Node *node, void *closure)
{
    if (Py_TYPE(node)->tp_dictoffset)
        return PyObject_GenericGetDict((PyObject *)node, NULL);
    PyObject *dict = entry(node, str_dict);
    return Py_NewRef(dict ? dict : Py_None);
}

static PyObject *own_get(Own *own, PyObject *x, PyObject *type)
{
    if (x == NULL || x == Py_None)
        return Py_NewRef(own);
    PyObject *dict = Py_TYPE(x)->tp_dictoffset ? PyObject_GenericGetDict(x, NULL)
                                               : Py_XNewRef(entry((Node *)x, str_dict));
    PyObject *found = dict ? Py_XNewRef(PyDict_GetItemWithError(dict, own->name)) : NULL;
    Py_XDECREF(dict);
    if (found == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_AttributeError, "this Value has no attribute %R", own->name);
    return found;
}

static int own_set(Own *own, PyObject *x, PyObject *to)
{
    PyObject *dict = Py_TYPE(x)->tp_dictoffset ? PyObject_GenericGetDict(x, NULL)
                                               : get_dict((Node *)x, NULL);
    int failed = dict == NULL   ? -1
                 : to == NULL ? PyDict_DelItem(dict, own->name)
                              : PyDict_SetItem(dict, own->name, to);
    Py_XDECREF(dict);
    if (to == NULL && failed && PyErr_ExceptionMatches(PyExc_KeyError))
        PyErr_Format(PyExc_AttributeError, "this Value has no attribute %R", own->name);
    return failed;
}

static void own_dealloc(Own *own)
{
    PyTypeObject *type = Py_TYPE(own);
    Py_CLEAR(own->name);
    type->tp_free(own);
    Py_DECREF(type);
}

static PyType_Slot own_slots[] = {
    {Py_tp_descr_get, own_get},
    {Py_tp_descr_set, own_set},
    {Py_tp_dealloc, own_dealloc},
    {0, NULL},
};

static PyType_Spec own_spec = {
    .name = "autograd.core._twin.Own",
    .basicsize = sizeof(Own),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = own_slots,
};

static int set_attribute(PyObject *x, PyObject *name, PyObject *to)
{
    int failed = PyObject_GenericSetAttr(x, name, to);
    if (!failed || to == NULL || Py_TYPE(x)->tp_dictoffset ||
        !PyErr_ExceptionMatches(PyExc_AttributeError))
        return failed;
    PyObject *kind, *error, *trace;
    PyErr_Fetch(&kind, &error, &trace); /* for the look-up may run code in Python */
    PyObject *there = PyObject_GetAttr((PyObject *)Py_TYPE(x), name);
    Py_XDECREF(there);
    if (there) {
        PyErr_Restore(kind, error, trace);
        return -1; /* a method, or a property without a setter */
    }
    PyErr_Clear();
    Py_XDECREF(kind);
    Py_XDECREF(error);
    Py_XDECREF(trace);
    Own *own = PyObject_New(Own, OwnType);
    if (own == NULL)
        return -1;
    own->name = Py_NewRef(name);
    failed = PyObject_SetAttr((PyObject *)Value, name, (PyObject *)own) < 0 ? -1 : own_set(own, x, to);
    Py_DECREF(own);
    return failed;
}

/* The marks of walks in Python; the twin's walks have their own. */
static PyObject *get_mark(Node *node, void *closure) { Py_RETURN_NONE; }
static int set_mark(Node *node, PyObject *x, void *closure) { return 0; }

static PyGetSetDef node_attributes[] = {
    {"data", (getter)get_data, (setter)set_data, NULL, NULL},
    {"grad", (getter)get_grad, (setter)set_grad, NULL, NULL},
    {"op", (getter)get_op, (setter)set_op, NULL, NULL},
    {"label", (getter)get_label, (setter)set_label, NULL, NULL},
    {"scope", (getter)get_scope, (setter)set_scope, NULL, NULL},
    {"_a", (getter)get_a, (setter)set_a, NULL, NULL},
    {"_b", (getter)get_b, (setter)set_b, NULL, NULL},
    {"_mark", (getter)get_mark, (setter)set_mark, NULL, NULL},
    {"args", (getter)get_args, (setter)set_args, NULL, NULL},
    {"__dict__", (getter)get_dict, NULL, NULL, NULL},
    {"_own", (getter)get_own, NULL, NULL, NULL},
    {"_backward", (getter)get_backward, (setter)set_backward, NULL, NULL},
    {NULL},
};

