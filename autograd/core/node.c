/* The node: its fields, its memory, and how the other files read its operands and numbers.
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
    TRACKED = 32,    /* `track` was called */
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
    uint16_t place;  /* one more than the place in its block; 0 if it lies in none */
    uint8_t flags;
    int8_t row;      /* the place of the operation in ROWS, or one of the two below */
} Node;

enum {
    UNKNOWN = -1, /* the operation is a leaf, a constant, or a row in Python */
    /* `op` is (name, slopes) or (name, function, variables); Python makes the row if it is asked. */
    BY_HAND = -2,
};

static PyTypeObject *Value;      /* the class of nodes */
static PyTypeObject *Shared;     /* the class of leaves whose number lies in an array */
static PyTypeObject *Hidden, *HiddenShared; /* their classes while a function is traced */
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
static PyObject *py_find_places, *py_gradient_column;

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

#include "memory.c"

static inline Node *allocate(void)
{
    Node *node = header_fits ? take_place() : PyObject_GC_New(Node, Value);
    if (node == NULL)
        return NULL;
    if (header_fits)
        PyObject_Init((PyObject *)node, Value);
    else
        node->place = 0;
    node->data = node->grad = 0.0;
    node->op = node->a = node->b = node->more = NULL;
    node->mark = 0;
    node->child = 0;
    node->flags = 0;
    node->row = UNKNOWN;
    return node;
}

/* Find out by its size which header an object has. */
static int check_header(void)
{
    header_fits = 0;
    PyObject *node = (PyObject *)allocate(), *size = NULL;
    if (node)
        size = PyObject_CallOneArg(PySys_GetObject("getsizeof"), node);
    header_fits = size && PyLong_AsSize_t(size) == sizeof(Place);
    Py_XDECREF(node);
    Py_XDECREF(size);
    return size ? 0 : -1;
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
    node->row = (int8_t)row;
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
    /* Python tracks a node of a subclass, and once more when it begins to free it. */
    if (node->place == 0 || !Py_IS_TYPE((PyObject *)node, Value) || node->flags & TRACKED)
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
        if (node->place)
            give_back(node);
        else
            type->tp_free(node);
        Py_DECREF(type);
    }
    freeing = 0;
}

/* Let the garbage collector see a node that may be part of a cycle. */
static void track(Node *node)
{
    if (PyObject_GC_IsTracked((PyObject *)node))
        return;
    PyObject_GC_Track(node);
    node->flags |= TRACKED;
}

/* ------------------------------------------------------------------ operands and numbers */

/* Return whether a node has operands, without a look at them. */
static inline int is_result(Node *node)
{
    return node->a && node->op != leaf && node->op != constant;
}

/* Return the operands of a node: *first points to them. */
static inline Py_ssize_t operands(Node *node, PyObject ***first)
{
    if (!is_result(node))
        return 0;
    if (PyTuple_CheckExact(node->a)) {
        *first = &PyTuple_GET_ITEM(node->a, 0);
        return PyTuple_GET_SIZE(node->a);
    }
    *first = &node->a;
    return node->b ? 2 : 1;
}

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

/* Add to the gradient of a node; a constant has none. */
static inline void add_gradient(Node *node, double x)
{
    if (node->op != constant) {
        node->grad += x;
        node->flags &= ~GRAD_STATES;
    }
}

/* ------------------------------------------------------------------ what all files use */

static int arguments_are(Py_ssize_t given, Py_ssize_t wanted)
{
    if (given != wanted)
        PyErr_Format(PyExc_TypeError, "takes %zd arguments, got %zd", wanted, given);
    return given == wanted;
}

static int missing(PyObject *x)
{
    if (x == NULL)
        PyErr_SetString(PyExc_AttributeError, "an attribute of a Value cannot be deleted");
    return x == NULL;
}

#ifdef __GNUC__ /* large graphs do not fit into the caches */
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address) (void)(address)
#endif

/* Run what a signal asks for, now and then in a long loop. */
#define SIGNALS(i) (((i) & 0xffff) == 0xffff && PyErr_CheckSignals() < 0)
