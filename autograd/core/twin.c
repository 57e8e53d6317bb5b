/* The compiled twin of the core: the node, its arithmetic, and the passes over a graph.
 *
 * Everything here has its meaning in Python: `value.py`, `graph.py` and `backprop.py` say what a
 * node is and what happens to it. This file does the same for the common case: operands that are
 * Values or plain numbers, rows that `rows.h` has in C, and results that are finite. In any other
 * case it calls the Python function of the same name, so errors, settings, subclasses and
 * operations of users behave alike in both cores.
 *
 * A node is not tracked by the garbage collector, because a graph has no cycles. It becomes tracked
 * when Python code sets its operation or operands, for then it may be part of one.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <frameobject.h>
#include <math.h>
#include <stddef.h>

/* ------------------------------------------------------------------ the rows of the table */

typedef struct {
    const char *name;
    int arity;
    double (*value)(const double *x);
    void (*partials)(double out, const double *x, double *d); /* or NULL */
} Row;

/* a % b as Python computes it: with the sign of b. */
static double python_mod(double a, double b)
{
    double left = fmod(a, b);
    if (left == 0.0)
        return copysign(0.0, b);
    return (b < 0.0) != (left < 0.0) ? left + b : left;
}

#include "rows.h"

#define ROW_COUNT ((int)(sizeof(ROWS) / sizeof(ROWS[0])))
#define LARGEST_ARITY 3

static PyObject *row_objects[ROW_COUNT]; /* the row of the table in Python, for each row in C */

/* ------------------------------------------------------------------ the node */

enum {
    ODD_DATA = 1,    /* `data` is no float: it is in `more` */
    ODD_GRAD = 2,    /* `grad` is no float: it is in `more` */
    NOT_REACHED = 4, /* `grad` is NOT_COMPUTED */
    GRAD_NONE = 8,   /* `grad` is None, as users of PyTorch reset it */
    GRAD_INT = 16,   /* `grad` is the integer 0, as users of micrograd reset it */
};
#define GRAD_STATES (ODD_GRAD | NOT_REACHED | GRAD_NONE | GRAD_INT)

typedef struct {
    PyObject_HEAD
    double data, grad;
    PyObject *op;    /* the row in Python */
    PyObject *a, *b; /* one operand, two operands, or a tuple in a */
    PyObject *more;  /* NULL; the scope, a str; (label, scope); or a dict of what is rare */
    uint64_t mark;   /* the last walk that entered or left the node; when freed, the next one */
    uint32_t child;  /* during a walk: how many operands have been entered */
    uint16_t flags;
    int16_t row;     /* the place of the operation in ROWS, or one of the two below */
} Node;

enum {
    UNKNOWN = -1, /* the operation is a leaf, a constant, or a row in Python */
    /* `op` is (name, slopes) or (name, function, variables); Python makes the row if it is asked. */
    BY_HAND = -2,
};

static PyTypeObject *Value;      /* the class of nodes */
static PyTypeObject *Shared;     /* the class of leaves whose number lies in an array */
static PyTypeObject *Hidden;     /* the class of nodes while a function is traced */
static PyObject *leaf, *constant, *pow_row, *power_row, *take_row, *not_computed, *empty, *zero;
static PyObject *open_blocks;    /* the set of open `with` blocks: empty in the common case */
static PyObject *initialiser;    /* Value.__init__ */
static PyObject *own_data, *own_grad; /* the descriptors that a subclass may replace */
static PyObject *innermost, *defaults; /* the open blocks, and the settings without them */
enum { LINK_SETTINGS = 4, LINK_CHECKS = 5 }; /* places in a `Link` of modes.py */
static PyObject *str_record_node, *str_record_leaf, *str_tracer, *str_recording, *str_watching;
static PyObject *str_children, *str_their_children, *str_local_grads, *str_op, *str_unknown;
static PyObject *str_collected, *str_dict, *str_data, *str_grad, *str_label, *str_scope, *str_number, *str_init;
/* Python functions: what the twin calls in all but the common case */
static PyObject *py_record1, *py_record2, *py_record_many, *py_note;
static PyObject *py_under_settings, *py_tabulate, *py_cycle, *py_walk, *py_pass, *py_watch, *py_push;
static PyObject *py_forward, *py_evaluated, *py_by_hand, *py_Untied;
static PyObject *py_get_backward, *py_set_backward, *py_set_args, *py_locals_of, *py_gradients, *py_make_node;

static inline int is_node(PyObject *x)
{
    return Py_IS_TYPE(x, Value) || PyObject_TypeCheck(x, Value);
}

static int find_row(PyObject *op)
{
    for (int i = 0; i < ROW_COUNT; i++)
        if (row_objects[i] == op)
            return i;
    return UNKNOWN;
}

static Node *spare = NULL; /* memory of freed nodes, linked by `mark`, for new ones */
static Py_ssize_t spares = 0;
#define MOST_SPARES 250000 /* 24 MB: the graphs of a training loop stay in memory that is at hand */

static inline Node *allocate(void)
{
    Node *node = spare;
    if (node) {
        spare = (Node *)(uintptr_t)node->mark;
        spares--;
        PyObject_Init((PyObject *)node, Value);
    }
    else if ((node = PyObject_GC_New(Node, Value)) == NULL)
        return NULL;
    node->data = node->grad = 0.0;
    node->op = node->a = node->b = node->more = NULL;
    node->mark = 0;
    node->child = 0;
    node->flags = 0;
    node->row = UNKNOWN;
    return node;
}

/* Make a node; takes over the references to a and b. */
static inline Node *make(double data, PyObject *op, int row, PyObject *a, PyObject *b)
{
    Node *node = allocate();
    if (node == NULL) {
        Py_XDECREF(a);
        Py_XDECREF(b);
        return NULL;
    }
    node->data = data;
    node->flags = NOT_REACHED;
    node->op = Py_NewRef(op);
    node->row = (int16_t)row;
    node->a = a;
    node->b = b;
    return node;
}

static PyObject *node_alloc(PyTypeObject *type, Py_ssize_t items)
{
    if (type == Value)
        return (PyObject *)allocate();
    Node *node = (Node *)PyType_GenericAlloc(type, items);
    if (node)
        node->row = UNKNOWN;
    return (PyObject *)node;
}

static int node_traverse(Node *node, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(node));
    Py_VISIT(node->op);
    Py_VISIT(node->a);
    Py_VISIT(node->b);
    Py_VISIT(node->more);
    return 0;
}

static int node_clear(Node *node)
{
    Py_CLEAR(node->a);
    Py_CLEAR(node->b);
    Py_CLEAR(node->more);
    return 0;
}

static Node *dying = NULL; /* nodes that are to be freed, linked by `mark` */
static int freeing = 0;

/* Free a node, and then the operands that nothing else uses: a loop, for graphs of any depth. */
static void node_dealloc(Node *node)
{
    if (PyObject_GC_IsTracked((PyObject *)node))
        PyObject_GC_UnTrack(node);
    node->mark = (uint64_t)(uintptr_t)dying;
    dying = node;
    if (freeing)
        return;
    freeing = 1;
    while (dying) {
        node = dying;
        dying = (Node *)(uintptr_t)node->mark;
        Py_CLEAR(node->a);
        Py_CLEAR(node->b);
        Py_CLEAR(node->more);
        Py_CLEAR(node->op);
        PyTypeObject *type = Py_TYPE(node);
        if (type == Value && spares < MOST_SPARES) {
            node->mark = (uint64_t)(uintptr_t)spare;
            spare = node;
            spares++;
        }
        else
            type->tp_free(node);
        Py_DECREF(type);
    }
    freeing = 0;
}

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

static int missing(PyObject *x)
{
    if (x == NULL)
        PyErr_SetString(PyExc_AttributeError, "an attribute of a Value cannot be deleted");
    return x == NULL;
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

static void track(Node *node)
{
    if (!PyObject_GC_IsTracked((PyObject *)node))
        PyObject_GC_Track(node);
}

static PyObject *get_object(PyObject *x, const char *name)
{
    if (x == NULL)
        PyErr_SetString(PyExc_AttributeError, name);
    return Py_XNewRef(x);
}

static inline Py_ssize_t operands(Node *node, PyObject ***first);
static PyObject *function_of(Node *node) { return PyTuple_GET_ITEM(node->op, 1); }
static PyObject *variables_of(Node *node) { return PyTuple_GET_ITEM(node->op, 2); }

static PyObject *get_op(Node *node, void *closure)
{
    if (node->row == BY_HAND) {
        PyObject **first, *name = PyTuple_GET_ITEM(node->op, 0);
        PyObject *slopes = PyTuple_GET_SIZE(node->op) == 2
                               ? Py_NewRef(PyTuple_GET_ITEM(node->op, 1))
                               : PyObject_CallFunctionObjArgs(py_Untied, function_of(node),
                                                              variables_of(node), NULL);
        PyObject *row = slopes == NULL ? NULL
                                       : PyObject_CallFunction(py_by_hand, "OnO", name,
                                                               operands(node, &first), slopes);
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
    node->row = (int16_t)find_row(x);
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
    if (x != Py_None)
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
    PyObject *there = PyObject_GetAttr((PyObject *)Py_TYPE(x), name);
    Py_XDECREF(there);
    if (there)
        return -1; /* a method, which refuses to be set */
    PyErr_Clear();
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

static PyObject *get_backward(Node *node, void *closure);
static int set_backward(Node *node, PyObject *function, void *closure);

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

/* ------------------------------------------------------------------ numbers of nodes */

static inline double *shared_place(Node *node)
{
    Py_buffer *buffer = PyMemoryView_GET_BUFFER(node->a);
    return (double *)buffer->buf + PyLong_AsSsize_t(node->b);
}

/* Return whether a subclass reads this attribute as Value does. */
static int has_own(PyTypeObject *type, PyObject *name, PyObject *own)
{
    PyObject *found = PyObject_GetAttr((PyObject *)type, name);
    if (found == NULL)
        PyErr_Clear();
    Py_XDECREF(found);
    return found == own;
}

/* Read the number of a node, as the attribute `_number`; return 0 if Python must read it. */
static inline int number(PyObject *x, double *out)
{
    Node *node = (Node *)x;
    if (!Py_IS_TYPE(x, Value) && !Py_IS_TYPE(x, Hidden)) {
        if (!is_node(x))
            return 0;
        if (Shared && PyObject_TypeCheck(x, Shared)) {
            *out = *shared_place(node);
            return 1;
        }
        if (!has_own(Py_TYPE(x), str_number, own_data))
            return 0;
    }
    *out = node->data;
    return !(node->flags & ODD_DATA);
}

/* Return whether both passes may read and write the fields of a node. */
static inline int is_plain(PyObject *x)
{
    if (((Node *)x)->flags & (ODD_DATA | ODD_GRAD))
        return 0;
    return Py_IS_TYPE(x, Value) || Py_IS_TYPE(x, Shared) ||
           (has_own(Py_TYPE(x), str_data, own_data) && has_own(Py_TYPE(x), str_grad, own_grad));
}

/* The number of a node that is plain. */
static inline double plain_number(Node *node)
{
    return Py_IS_TYPE((PyObject *)node, Shared) ? *shared_place(node) : node->data;
}

/* ------------------------------------------------------------------ recording */

enum { OTHER, NODE, NUMBER };

/* Read an operand: a node, or a plain number beside one. */
static inline int operand(PyObject *x, double *out)
{
    if (number(x, out))
        return NODE;
    if (PyFloat_CheckExact(x)) {
        *out = PyFloat_AS_DOUBLE(x);
        return NUMBER;
    }
    if (PyLong_CheckExact(x)) {
        *out = PyLong_AsDouble(x);
        if (*out != -1.0 || !PyErr_Occurred())
            return NUMBER;
        PyErr_Clear();
    }
    return OTHER;
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
            open = PyWeakref_CheckRefExact(check) && PyWeakref_GetObject(check) != Py_None;
        }
        if (open)
            settings = Py_NewRef(PyTuple_GET_ITEM(link, LINK_SETTINGS));
    }
    Py_DECREF(link);
    return settings;
}

/* Add a new node to those of a trace, and hide it if it is no leaf; return 0 if the tracer must see
 * it. See `Tracer` in compiler/tracer.py. */
static int collect(Node *node, PyObject *recording, PyObject *collected, PyObject *record_name)
{
    if (Hidden == NULL || collected == NULL || !PyList_CheckExact(collected) ||
        recording != Py_True || node->op == take_row || !Py_IS_TYPE(node, Value))
        return 0;
    if (PyList_Append(collected, (PyObject *)node) == 0 && record_name == str_record_node) {
        Py_INCREF(Hidden);
        Py_SET_TYPE(node, Hidden);
        Py_DECREF(Value);
    }
    return 1;
}

/* reveal(nodes): see compiler/hidden.py. */
static PyObject *reveal(PyObject *module, PyObject *nodes)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(nodes); i++) {
        PyObject *node = PyList_GET_ITEM(nodes, i);
        if (Py_IS_TYPE(node, Hidden)) {
            Py_INCREF(Value);
            Py_SET_TYPE(node, Value);
            Py_DECREF(Hidden);
        }
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

static int arguments_are(Py_ssize_t given, Py_ssize_t wanted)
{
    if (given != wanted)
        PyErr_Format(PyExc_TypeError, "takes %zd arguments, got %zd", wanted, given);
    return given == wanted;
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

/* Return (name, local derivatives) for a node made by hand, or NULL without an error. */
static PyObject *slopes_by_hand(PyObject *given, Py_ssize_t arity)
{
    int named = PyUnicode_CheckExact(given);
    if (!named && !(PyTuple_CheckExact(given) && PyTuple_GET_SIZE(given) == arity))
        return NULL;
    PyObject *slopes = PyTuple_New(arity), *op;
    for (Py_ssize_t i = 0; slopes && i < arity; i++) {
        double x = 0.0;
        if (!named && operand(PyTuple_GET_ITEM(given, i), &x) != NUMBER) {
            Py_DECREF(slopes);
            return NULL;
        }
        PyObject *slope = PyFloat_FromDouble(x);
        if (slope == NULL)
            Py_CLEAR(slopes);
        else
            PyTuple_SET_ITEM(slopes, i, slope);
    }
    op = slopes ? PyTuple_Pack(2, named ? given : caller(), slopes) : NULL;
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
    PyObject *op = arity ? slopes_by_hand(given, arity) : NULL;
    if (op == NULL)
        return NULL;
    PyObject *a = arity < 3 ? PyTuple_GET_ITEM(children, 0) : children;
    PyObject *b = arity == 2 ? PyTuple_GET_ITEM(children, 1) : NULL;
    Node *node = make(data, op, BY_HAND, Py_NewRef(a), Py_XNewRef(b));
    Py_DECREF(op);
    return node;
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

/* Return a copy of a function with empty variables in place of those that hold the node, and these
 * variables: `untied` in `by_hand.py` says why. */
static PyObject *untied(PyObject *given, PyObject *node, PyObject *name)
{
    PyObject *closure = PyFunction_GET_CLOSURE(given), *op = NULL, *copy = NULL;
    Py_ssize_t n = closure ? PyTuple_GET_SIZE(closure) : 0;
    PyObject *all = PyTuple_New(n), *empty_ones = PyList_New(0), *variables = NULL;
    for (Py_ssize_t i = 0; all && empty_ones && i < n; i++) {
        PyObject *variable = PyTuple_GET_ITEM(closure, i);
        int holds = PyCell_GET(variable) == node;
        variable = holds ? PyCell_New(NULL) : Py_NewRef(variable);
        if (variable == NULL || (holds && PyList_Append(empty_ones, variable) < 0)) {
            Py_XDECREF(variable);
            Py_CLEAR(all);
            break;
        }
        PyTuple_SET_ITEM(all, i, variable);
    }
    if (all && empty_ones && (variables = PyList_AsTuple(empty_ones)) != NULL) {
        if (PyTuple_GET_SIZE(variables) == 0)
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
    op = copy ? PyTuple_Pack(3, name, copy, variables) : NULL;
    Py_XDECREF(all);
    Py_XDECREF(empty_ones);
    Py_XDECREF(variables);
    Py_XDECREF(copy);
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
    PyObject *op = untied(function, (PyObject *)node, PyTuple_GET_ITEM(node->op, 0));
    if (op == NULL)
        return -1;
    Py_SETREF(node->op, op);
    track(node); /* the function may hold the node in other ways */
    return 0;
}

/* ------------------------------------------------------------------ the order of a graph */

#ifdef __GNUC__ /* large graphs do not fit into the caches */
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address) (void)(address)
#endif

static uint64_t walks = 0; /* each walk takes two numbers: for nodes it entered, and has left */

/* Return the operands of a node: *first points to them. */
static inline Py_ssize_t operands(Node *node, PyObject ***first)
{
    if (node->a == NULL || node->op == leaf || node->op == constant)
        return 0;
    if (PyTuple_CheckExact(node->a)) {
        *first = &PyTuple_GET_ITEM(node->a, 0);
        return PyTuple_GET_SIZE(node->a);
    }
    *first = &node->a;
    return node->b ? 2 : 1;
}

/* Run what a signal asks for, now and then in a long loop. */
#define SIGNALS(i) (((i) & 0xffff) == 0xffff && PyErr_CheckSignals() < 0)

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

/* ------------------------------------------------------------------ the backward pass */

/* Ask the memory for a node that a loop over an order will reach soon. */
#define SOON 12
#define AHEAD(order, i)                                                                  \
    if (0 <= (i) && (i) < PyList_GET_SIZE(order))                                        \
    PREFETCH(&((Node *)PyList_GET_ITEM(order, i))->data)

static inline void add_gradient(Node *node, double x)
{
    if (node->op != constant) {
        node->grad += x;
        node->flags &= ~GRAD_STATES;
    }
}

/* The same for a node made by hand, whose local derivatives are numbers. */
static int push_given(Node *node, PyObject **first, Py_ssize_t arity)
{
    PyObject *slopes = PyTuple_GET_ITEM(node->op, 1);
    for (Py_ssize_t i = 0; i < arity; i++)
        add_gradient((Node *)first[i], node->grad * PyFloat_AS_DOUBLE(PyTuple_GET_ITEM(slopes, i)));
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
    PyObject *function = Py_NewRef(function_of(node)), *variables = Py_NewRef(variables_of(node));
    for (Py_ssize_t i = 0; i < arity; i++) {
        before[i] = ((Node *)first[i])->grad;
        flags[i] = ((Node *)first[i])->flags;
    }
    for (Py_ssize_t i = 0; i < arity; i++) {
        ((Node *)first[i])->grad = 0.0;
        ((Node *)first[i])->flags &= ~GRAD_STATES;
    }
    node->grad = 1.0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(variables); i++)
        PyCell_Set(PyTuple_GET_ITEM(variables, i), (PyObject *)node);
    PyObject *done = PyObject_CallNoArgs(function);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(variables); i++)
        PyCell_Set(PyTuple_GET_ITEM(variables, i), NULL);
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
        ((Node *)first[i])->flags = flags[i];
    }
    Py_DECREF(function);
    Py_DECREF(variables);
    Py_XDECREF(done);
    if (done == NULL || odd)
        return done ? 1 : -1;
    for (Py_ssize_t i = 0; i < arity; i++)
        add_gradient((Node *)first[i], upstream * found[i]);
    return 0;
}

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
        int result = PyTuple_GET_SIZE(node->op) == 2 ? push_given(node, first, arity)
                                                     : push_probed(node, first, arity);
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

/* Note the gradients of the nodes, and reset them for a pass. Return the number of nodes done; it is
 * smaller than that of all if Python has to do the pass. */
static Py_ssize_t begin_pass(PyObject *order, double *grads, uint8_t *flags)
{
    Py_ssize_t i;
    for (i = 0; i < PyList_GET_SIZE(order) && is_plain(PyList_GET_ITEM(order, i)); i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        PyObject **first;
        AHEAD(order, i + SOON);
        grads[i] = node->grad;
        flags[i] = node->flags & GRAD_STATES;
        if (operands(node, &first) || node->flags & (GRAD_NONE | GRAD_INT)) {
            node->grad = 0.0;
            node->flags &= ~GRAD_STATES;
        }
    }
    return i;
}

/* Give the first nodes of an order their gradients back. */
static void restore(PyObject *order, Py_ssize_t count, const double *grads, const uint8_t *flags)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        node->grad = grads[i];
        node->flags = (node->flags & ~GRAD_STATES) | flags[i];
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
    Py_ssize_t count = PyList_GET_SIZE(order), done = 0;
    double *grads = PyMem_Malloc(count * sizeof(double) + 1);
    uint8_t *flags = PyMem_Malloc(count + 1);
    int failed = grads == NULL || flags == NULL;
    if (failed)
        PyErr_NoMemory();
    else {
        done = begin_pass(order, grads, flags);
        failed = done < count || run_backward(order, PyFloat_AS_DOUBLE(args[1])) < 0;
        if (failed)
            restore(order, done, grads, flags);
    }
    PyMem_Free(grads);
    PyMem_Free(flags);
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

/* _gradients(order, gradient, by): see `gradients` in backprop.py; `by` is a set or None. */
static PyObject *gradients(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    if (!arguments_are(n, 3))
        return NULL;
    PyObject *order = args[0], *by = args[2], *result = NULL;
    if (!PyList_CheckExact(order) || !PyFloat_CheckExact(args[1]) || !all_plain(order) ||
        !(by == Py_None || PySet_Check(by)))
        return PyObject_Vectorcall(py_gradients, args, 3, NULL);
    Py_ssize_t count = PyList_GET_SIZE(order), i;
    char *flows = PyMem_Calloc(2 * count + 1, 1), *reached = flows + count;
    double *found = PyMem_Calloc(count + 1, sizeof(double));
    int known = flows && found && count <= UINT32_MAX;
    for (i = 0; known && i < count; i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        PyObject **first = NULL;
        Py_ssize_t arity = operands(node, &first);
        node->child = (uint32_t)i;
        int asked = by == Py_None ? node->op != constant : PySet_Contains(by, (PyObject *)node);
        known = asked >= 0;
        for (Py_ssize_t k = 0; by != Py_None && !asked && k < arity; k++)
            asked = flows[((Node *)first[k])->child];
        flows[i] = (char)asked;
    }
    if (known) {
        found[count - 1] = PyFloat_AS_DOUBLE(args[1]);
        reached[count - 1] = 1;
        known = flow(order, flows, reached, found);
    }
    if (known)
        result = PyDict_New();
    for (i = count - 1; result && i >= 0; i--) {
        PyObject *x = reached[i] ? PyFloat_FromDouble(found[i]) : NULL;
        if (reached[i] && (x == NULL || PyDict_SetItem(result, PyList_GET_ITEM(order, i), x) < 0))
            Py_CLEAR(result);
        Py_XDECREF(x);
    }
    PyMem_Free(flows);
    PyMem_Free(found);
    if (known || PyErr_Occurred())
        return result;
    return PyObject_Vectorcall(py_gradients, args, 3, NULL);
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
    PyObject **first;
    for (i = 0; i < count; i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        if (operands(node, &first) && (evaluate(node, &node->data) < 0 || SIGNALS(i)))
            break;
    }
    int failed = i < count;
    for (i = 0; i < count; i++) {
        Node *node = (Node *)PyList_GET_ITEM(order, i);
        if (failed)
            node->data = before[i];
        else if (operands(node, &first)) {
            node->grad = 0.0;
            node->flags = (node->flags & ~GRAD_STATES) | NOT_REACHED;
        }
    }
    PyMem_Free(before);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

/* ------------------------------------------------------------------ the module */

static PyType_Slot node_slots[] = {
    {Py_tp_alloc, node_alloc},
    {Py_tp_dealloc, node_dealloc},
    {Py_tp_traverse, node_traverse},
    {Py_tp_clear, node_clear},
    {Py_tp_setattro, set_attribute},
    {Py_tp_getset, node_attributes},
    {Py_nb_add, node_add},
    {Py_nb_subtract, node_sub},
    {Py_nb_multiply, node_mul},
    {Py_nb_true_divide, node_div},
    {Py_nb_power, node_power},
    {Py_nb_negative, node_neg},
    {Py_nb_positive, node_positive},
    {Py_nb_absolute, node_abs},
    {0, NULL},
};

static PyType_Spec node_spec = {
    .name = "autograd.core.value.Value",
    .basicsize = sizeof(Node),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = node_slots,
};

static int operator_row(const char *name)
{
    for (int i = 0; i < ROW_COUNT; i++)
        if (strcmp(ROWS[i].name, name) == 0)
            return i;
    return -1;
}

/* install(parts): take the Python functions and objects that the twin calls and returns. */
static PyObject *install(PyObject *module, PyObject *given)
{
    struct { const char *name; PyObject **place; } wanted[] = {
        {"_record1", &py_record1}, {"_record2", &py_record2}, {"_record_many", &py_record_many},
        {"_note", &py_note}, {"_under_settings", &py_under_settings},
        {"innermost", &innermost}, {"defaults", &defaults}, {"_gradients", &py_gradients},
        {"make_node", &py_make_node},
        {"NOT_COMPUTED", &not_computed}, {"open_blocks", &open_blocks}, {"leaf", &leaf},
        {"constant", &constant}, {"pow", &pow_row}, {"power", &power_row}, {"take", &take_row},
        {"_cycle", &py_cycle}, {"tabulate", &py_tabulate}, {"in_order", &py_walk}, {"_pass", &py_pass}, {"_watch_if_asked", &py_watch},
        {"push", &py_push}, {"_forward", &py_forward}, {"evaluated", &py_evaluated},
        {"Shared", (PyObject **)&Shared}, {"Hidden", (PyObject **)&Hidden}, {"__init__", &initialiser},
        {"by_hand", &py_by_hand}, {"Untied", &py_Untied},
        {"set_args", &py_set_args}, {"locals_of", &py_locals_of},
        {"get_backward", &py_get_backward}, {"set_backward", &py_set_backward},
    };
    PyObject *x;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if ((x = PyDict_GetItemString(given, wanted[i].name)) != NULL)
            Py_XSETREF(*wanted[i].place, Py_NewRef(x));
    PyObject *rows = PyDict_GetItemString(given, "rows");
    for (int i = 0; rows && i < ROW_COUNT; i++)
        Py_XSETREF(row_objects[i], Py_XNewRef(PyDict_GetItemString(rows, ROWS[i].name)));
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"install", install, METH_O, NULL},
    {"make_node", (PyCFunction)make_node, METH_FASTCALL, NULL},
    {"_record1", (PyCFunction)py_call_record1, METH_FASTCALL, NULL},
    {"_record2", (PyCFunction)py_call_record2, METH_FASTCALL, NULL},
    {"_record_many", (PyCFunction)py_call_record_many, METH_FASTCALL, NULL},
    {"_record_power", (PyCFunction)py_call_record_power, METH_FASTCALL, NULL},
    {"in_order", walk, METH_O, NULL},
    {"reveal", reveal, METH_O, NULL},
    {"tabulate", (PyCFunction)tabulate, METH_FASTCALL, NULL},
    {"_pass", (PyCFunction)backward_pass, METH_FASTCALL, NULL},
    {"evaluated", (PyCFunction)evaluated, METH_FASTCALL, NULL},
    {"locals_of", (PyCFunction)locals_of, METH_FASTCALL, NULL},
    {"_forward", forward_pass, METH_O, NULL},
    {"_reset", reset, METH_O, NULL},
    {"_gradients", (PyCFunction)gradients, METH_FASTCALL, NULL},
    {NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "autograd.core._twin",
    .m_doc = "The compiled twin of the core; see autograd/core/twin.c.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__twin(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL)
        return NULL;
#ifdef Py_GIL_DISABLED
    PyUnstable_Module_SetGIL(module, Py_MOD_GIL_USED);
#endif
    str_record_node = PyUnicode_InternFromString("record_node");
    str_record_leaf = PyUnicode_InternFromString("record_leaf");
    str_tracer = PyUnicode_InternFromString("tracer");
    str_recording = PyUnicode_InternFromString("recording");
    str_watching = PyUnicode_InternFromString("watching");
    str_collected = PyUnicode_InternFromString("collected");
    str_dict = PyUnicode_InternFromString("__dict__");
    str_data = PyUnicode_InternFromString("data");
    str_grad = PyUnicode_InternFromString("grad");
    str_label = PyUnicode_InternFromString("label");
    str_scope = PyUnicode_InternFromString("scope");
    str_number = PyUnicode_InternFromString("_number");
    str_children = PyUnicode_InternFromString("children");
    str_their_children = PyUnicode_InternFromString("_children");
    str_local_grads = PyUnicode_InternFromString("local_grads");
    str_op = PyUnicode_InternFromString("_op");
    str_unknown = PyUnicode_InternFromString("?");
    str_init = PyUnicode_InternFromString("__init__");
    empty = PyUnicode_InternFromString("");
    zero = PyLong_FromLong(0);
    row_add = operator_row("add");
    row_sub = operator_row("sub");
    row_mul = operator_row("mul");
    row_div = operator_row("div");
    row_neg = operator_row("neg");
    row_abs = operator_row("abs");
    row_pow = operator_row("pow");
    row_power = operator_row("power");
    Value = (PyTypeObject *)PyType_FromSpec(&node_spec);
    if (Value == NULL)
        return NULL;
    OwnType = (PyTypeObject *)PyType_FromSpec(&own_spec);
    if (OwnType == NULL)
        return NULL;
    Value->tp_vectorcall = node_vectorcall;
    own_data = PyObject_GetAttr((PyObject *)Value, str_data);
    own_grad = PyObject_GetAttr((PyObject *)Value, str_grad);
    if (PyModule_AddObjectRef(module, "Value", (PyObject *)Value) < 0 ||
        PyModule_AddStringConstant(module, "DIGEST", ROWS_DIGEST) < 0)
        return NULL;
    return module;
}
