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

UNKEPT = ("m", "v", "velocity", "momentum", "cache", "name", "color", "colour")
"""Attributes that programs give their parameters, and for which a Value has no place."""
