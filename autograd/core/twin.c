/* The compiled twin of the core: the node, its arithmetic, and the passes over a graph.
 *
 * Everything here has its meaning in Python, in the files of the same names: they say what a node is
 * and what happens to it. The twin does the same for the common case: operands that are Values or
 * plain numbers, rows that `rows.h` has in C, and results that are finite. In any other case it calls
 * the Python function of the same name, so errors, settings, subclasses and operations of users
 * behave alike in both cores.
 *
 * The files are compiled as one, so that the compiler can join their hot paths.
 */

#include "node.c"
#include "by_hand.c"
#include "attributes.c"
#include "value.c"
#include "graph.c"
#include "backprop.c"
#include "columns.c"
#include "snapshot.c"

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
        {"find_places", &py_find_places}, {"gradient_column", &py_gradient_column},
        {"make_node", &py_make_node},
        {"NOT_COMPUTED", &not_computed}, {"open_blocks", &open_blocks}, {"leaf", &leaf},
        {"constant", &constant}, {"pow", &pow_row}, {"power", &power_row}, {"take", &take_row},
        {"_cycle", &py_cycle}, {"tabulate", &py_tabulate}, {"in_order", &py_walk}, {"_pass", &py_pass}, {"_watch_if_asked", &py_watch},
        {"push", &py_push}, {"_forward", &py_forward}, {"evaluated", &py_evaluated},
        {"Shared", (PyObject **)&Shared}, {"Hidden", (PyObject **)&Hidden},
        {"HiddenShared", (PyObject **)&HiddenShared}, {"__init__", &initialiser},
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
    {"hide", hide, METH_O, NULL},
    {"reveal", reveal, METH_O, NULL},
    {"find_places", (PyCFunction)find_places, METH_FASTCALL, NULL},
    {"tabulate", (PyCFunction)tabulate, METH_FASTCALL, NULL},
    {"_pass", (PyCFunction)backward_pass, METH_FASTCALL, NULL},
    {"evaluated", (PyCFunction)evaluated, METH_FASTCALL, NULL},
    {"locals_of", (PyCFunction)locals_of, METH_FASTCALL, NULL},
    {"_forward", forward_pass, METH_O, NULL},
    {"_reset", reset, METH_O, NULL},
    {"_gradients", (PyCFunction)gradients, METH_FASTCALL, NULL},
    {"hold", (PyCFunction)hold, METH_FASTCALL, NULL},
    {"gradient_column", (PyCFunction)gradient_column, METH_FASTCALL, NULL},
    {"mark_operands", (PyCFunction)mark_operands, METH_FASTCALL, NULL},
    {"mark_users", (PyCFunction)mark_users, METH_FASTCALL, NULL},
    {"add_depths", (PyCFunction)add_depths, METH_FASTCALL, NULL},
    {"list_terms", (PyCFunction)list_terms, METH_FASTCALL, NULL},
    {"number_values", (PyCFunction)number_values, METH_FASTCALL, NULL},
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
    if (Value == NULL || check_header() < 0)
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
