"""What other programs call the operations, and how each is written here."""

FOREIGN = {
    **{"ln": "log", "float_power": "**", "divide": "/"},
    **{"multiply": "*", "subtract": "-", "negative": "-", "fabs": "abs(v)"},
    **{"clip_by_value": "clip", "max": "maximum", "min": "minimum"},
    **{"fmax": "maximum", "fmin": "minimum", "max_with": "maximum", "min_with": "minimum"},
    **{"sgn": "sign", "heaviside": "step", "logistic": "sigmoid", "expit": "sigmoid"},
    **{"swish": "silu", "LeakyReLU": "leaky_relu", "ReLU": "relu", "inverse": "reciprocal"},
    **{"remainder": "%", "fmod": "%", "floor_divide": "(v / w).floor()"},
    **{"ceil": "-(-v).floor()", "rint": "(v + 0.5).floor()", "round": "(v + 0.5).floor()"},
}
ARC = {f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")}
"""NumPy's names, which are methods of a Value but no functions of `autograd`."""

OF_TENSORS = {
    **dict.fromkeys(("numpy", "tolist"), ".data"),
    **{"zero_": "v.data = 0.0", "fill_": "v.data = x", "copy_": "v.data = x"},
    **{"add_": "v.data += x", "sub_": "v.data -= x", "mul_": "v.data *= x", "div_": "v.data /= x"},
    **{"requires_grad_": "Value(x, requires_grad=False)", "is_leaf": "not v.args"},
    **{"grad_fn": ".op", "retain_grad": "not needed, for every node keeps its .grad"},
}
"""What PyTorch's tensors have besides operations."""
OF_TORCH = {"pow": "power", "abs": "absolute", "clamp": "clip"} | dict.fromkeys(
    ("tensor", "Tensor", "Variable"), "Value"
)
"""What `torch` has, as functions and classes."""
