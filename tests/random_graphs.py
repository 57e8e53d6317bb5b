"""Random programs of scalar operations, which the engine and the oracles can both run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from autograd import Value
from autograd.extend import TABLE

# Operations that keep numbers moderate, so that programs of any length stay in range.
CALM = (
    *("add", "sub", "mul", "neg", "sin", "cos", "tanh", "sigmoid", "softplus", "expm1_tanh"),
    *("atan", "asinh"),
)
PIECEWISE = ("relu", "leaky_relu", "elu", "abs", "maximum", "minimum")
GUARDED = ("div", "log", "sqrt", "power", "pow")  # their operands are first moved into the domain
# Operations in no random program; `test_ops.py` tests them alone, as all others.
LEFT_OUT = (
    *("exp", "log1p", "step", "where", "take", "gap", "stop_gradient", "leaf", "constant"),
    *("log2", "log10", "exp2", "square", "reciprocal", "rsqrt", "hypot", "tan", "asin", "acos"),
    *("atan2", "sinh", "cosh", "acosh", "atanh", "silu", "sign", "clip"),
    *("gelu", "erf", "erfc", "floor", "mod"),
)


@dataclass(frozen=True)
class Program:
    """The numbers of the leaves, then instructions (operation, indices of earlier results).

    An index below the number of leaves is a leaf. The last result is the output.
    """

    leaves: tuple[float, ...]
    instructions: tuple[tuple[str, tuple[int, ...]], ...]

    def only(self, outputs: Sequence[int]) -> Program:
        """Replace every instruction that `outputs` do not need by one that cannot fail."""
        wanted = set(outputs)
        instructions = list(self.instructions)
        for i in reversed(range(len(instructions))):
            position = len(self.leaves) + i
            if position in wanted:
                wanted |= set(instructions[i][1])
            else:
                instructions[i] = ("neg", (0,))
        return Program(self.leaves, tuple(instructions))

    def run(self, leaves: Sequence[Any], operations: dict[str, Callable[..., Any]]) -> list[Any]:
        """Compute all results with these operations; the leaves come first."""
        results = list(leaves)
        for name, operands in self.instructions:
            results.append(_apply(name, [results[i] for i in operands], operations))
        return results


def _apply(name: str, operands: list[Any], do: dict[str, Callable[..., Any]]) -> Any:
    a = operands[0]
    if name in ("div", "power"):
        return (
            do[name](*operands[:1], _positive(operands[1], do))
            if name == "div"
            else do[name](_positive(a, do), do["tanh"](operands[1]))
        )
    if name == "pow":
        return do["pow"](_positive(a, do), 1.5)
    if name in ("log", "sqrt"):
        return do[name](_positive(a, do))
    if name == "mul":
        return do["mul"](do["tanh"](a), operands[1])
    if name == "expm1_tanh":
        return do["expm1"](do["tanh"](a))
    if name in ("leaky_relu", "elu"):
        return do[name](a, 0.25)
    return do[name](*operands)


def _positive(a: Any, do: dict[str, Callable[..., Any]]) -> Any:
    """Return something of at least ½ that depends on `a`."""
    return do["add"](do["mul"](do["sin"](a), do["sin"](a)), 0.5)


ARITY = {"expm1_tanh": 1, "leaky_relu": 1, "elu": 1, "pow": 1}


@st.composite
def programs(
    draw: st.DrawFn, names: Sequence[str] = (*CALM, *GUARDED), most: int = 14, least: int = 1
) -> Program:
    """Draw a program; nodes may be shared, operands repeated and leaves unused."""
    leaves = draw(st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=4))
    instructions = []
    for position in range(draw(st.integers(least, most))):
        name = draw(st.sampled_from(names))
        arity = ARITY[name] if name in ARITY else TABLE[name].arity
        earlier = st.integers(0, len(leaves) + position - 1)
        instructions.append((name, tuple(draw(earlier) for _ in range(arity))))
    return Program(tuple(leaves), tuple(instructions))


def built(program: Program) -> Value:
    """Run the program by the engine; return its last result."""
    return results(program)[-1]


def results(program: Program) -> list[Value]:
    """Run the program by the engine with labelled leaves; return all results."""
    leaves = [Value(x, f"x{i}") for i, x in enumerate(program.leaves)]
    return program.run(leaves, dict(TABLE))
