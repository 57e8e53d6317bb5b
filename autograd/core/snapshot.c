/* Whether objects hold what they held: `snapshot.py` in C. */

/* What is still to be compared, and the object that stands for any other. */
typedef struct {
    PyObject **at, **end, *any;
} Held;

static int is_next(Held *held, PyObject *found)
{
    if (held->at == held->end)
        return 0;
    PyObject *was = *held->at++;
    return was == found || was == held->any;
}

static int holds(PyObject *thing, Held *held)
{
    if (PyDict_CheckExact(thing)) {
        PyObject *key, *entry;
        for (Py_ssize_t i = 0; PyDict_Next(thing, &i, &key, &entry);)
            if (!is_next(held, key) || !is_next(held, entry))
                return 0;
        return 1;
    }
    if (PyList_CheckExact(thing)) {
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(thing); i++)
            if (!is_next(held, PyList_GET_ITEM(thing, i)))
                return 0;
        return 1;
    }
    if (PyCell_Check(thing))
        return PyCell_GET(thing) == NULL || is_next(held, PyCell_GET(thing));
    if (PyFunction_Check(thing)) {
        PyObject *defaults = PyFunction_GET_DEFAULTS(thing);
        PyObject *of_keywords = PyFunction_GET_KW_DEFAULTS(thing);
        return is_next(held, PyFunction_GET_CODE(thing)) &&
               is_next(held, defaults ? defaults : Py_None) &&
               is_next(held, of_keywords ? of_keywords : Py_None);
    }
    return is_next(held, (PyObject *)Py_TYPE(thing));
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
