/* Whether objects hold what they held: `snapshot.py` in C. */

/* The rest of what is to be compared, and the object that stands for any other. */
typedef struct {
    PyObject **at, **end, *any;
} Held;

static inline int is_same(PyObject *was, PyObject *found, const Held *held)
{
    return was == found || was == held->any;
}

/* Compare some objects with the next ones. */
static inline int hold_next(Held *held, PyObject **found, Py_ssize_t count)
{
    if (held->end - held->at < count)
        return 0;
    for (Py_ssize_t i = 0; i < count; i++)
        if (!is_same(held->at[i], found[i], held))
            return 0;
    held->at += count;
    return 1;
}

static int holds_dict(PyObject *thing, Held *held)
{
    PyObject *key, *entry, **at = held->at;
    if (held->end - at < 2 * PyDict_GET_SIZE(thing))
        return 0;
    for (Py_ssize_t i = 0; PyDict_Next(thing, &i, &key, &entry); at += 2)
        if (at[0] != key || !is_same(at[1], entry, held))
            return 0;
    held->at = at;
    return 1;
}

static int holds(PyObject *thing, Held *held)
{
    if (PyDict_CheckExact(thing))
        return holds_dict(thing, held);
    if (PyList_CheckExact(thing))
        return hold_next(held, PySequence_Fast_ITEMS(thing), PyList_GET_SIZE(thing));
    if (PyCell_Check(thing)) {
        PyObject *content = PyCell_GET(thing);
        return hold_next(held, &content, content != NULL);
    }
    if (PyFunction_Check(thing)) {
        PyObject *defaults = PyFunction_GET_DEFAULTS(thing);
        PyObject *of_keywords = PyFunction_GET_KW_DEFAULTS(thing);
        PyObject *parts[] = {PyFunction_GET_CODE(thing), defaults ? defaults : Py_None,
                             of_keywords ? of_keywords : Py_None};
        return hold_next(held, parts, 3);
    }
    PyObject *kind = (PyObject *)Py_TYPE(thing);
    return hold_next(held, &kind, 1);
}

/* hold(things, held, any, end) */
static PyObject *hold(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 4 || !PyList_CheckExact(args[0]) || !PyList_CheckExact(args[1])) {
        PyErr_SetString(PyExc_TypeError, "hold takes two lists, any and end");
        return NULL;
    }
    PyObject **first = PySequence_Fast_ITEMS(args[1]);
    Held held = {first, first + PyList_GET_SIZE(args[1]), args[2]};
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(args[0]); i++)
        if (!holds(PyList_GET_ITEM(args[0], i), &held) || held.at == held.end ||
            *held.at++ != args[3])
            Py_RETURN_FALSE;
    return PyBool_FromLong(held.at == held.end);
}
