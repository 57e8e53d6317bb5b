"""The chain rule over a whole graph: interpreters of the table of operations.

`backward` is the pass everyone knows and the one that must be fast; `gradients` is the same pass
with a table of its own, for whoever asks without wanting `.grad` touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite, nan
from types import MappingProxyType
from typing import Any

from . import locks, modes, ops
from .boundary import as_float, flag, instance, several
from .graph import in_order, topological_order
from .notation import expression, name, number
from .value import NOT_COMPUTED, Value, constant, exact_data, failure

Asked = Callable[[Value], bool]


def backward(root: Value, gradient: float = 1.0) -> None:
    """Let ∂root/∂root = `gradient` flow back to every node that `root` is made of.

    Reverse mode: with v̄ for ∂root/∂v, every node adds v̄ · ∂v/∂operand to each operand's
    gradient, once all of v̄ has arrived. Intermediate nodes get the gradient of this call; leaves
    add it to what they have, as in PyTorch; constants get none. Threads may call it at the same
    time, also on graphs that share leaves or nodes: the passes run one after the other.

    Args:
        root: the output.
        gradient: what flows into it; 1.0 makes every gradient ∂root/∂node.

    Raises:
        ValueError: the graph has a cycle, is made of constants only, or has no finite derivative
            on the way to a leaf. All gradients are then as they were.
        RuntimeError: a signal handler or an operation of yours calls it while a pass over the same
            nodes runs.

    Source: Linnainmaa, "Taylor expansion of the accumulated rounding error", BIT 16 (1976).

    >>> x = Value(3.0)
    >>> y = x * x
    >>> y.backward(); x.grad
    6.0
    >>> y.backward(); x.grad, y.grad
    (12.0, 1.0)
    """
    gradient = as_float(gradient, "gradient")
    order = topological_order(root)
    check_for_leaves(root, order)
    inside_another = locks.gradients._is_owned()  # type: ignore[attr-defined]
    with locks.gradients:
        if not inside_another:
            _running.clear()
        _refuse_shared_nodes(order)
        depth = len(_running)
        try:
            _running.append(order)
            _pass(order, gradient)
        finally:
            del _running[depth:]


_running: list[list[Value]] = []  # the passes that this thread is in, of the thread with the lock


def _refuse_shared_nodes(order: list[Value]) -> None:
    """Refuse a pass that would empty gradients on which a pass around it still counts."""
    if _running and any(node.op.arity for node in set(order).intersection(*_running)):
        raise RuntimeError(
            "backward() was called inside another backward pass over the same nodes, as from a "
            "signal handler: call it when the other one has returned"
        )


def _pass(order: list[Value], gradient: float) -> None:
    """One backward pass; if it fails, every gradient is as it was."""
    before: list[float] = []
    try:
        for node in order:
            before.append(node.grad)
            if node.op.arity or node.grad is None:  # PyTorch's users empty a gradient with None
                node.grad = 0.0
            elif type(node.grad) is not float:
                node.grad = as_float(node.grad, f"the gradient of {node.label or 'a leaf'}")
            if type(node.data) is not float:
                node.data = exact_data(node)
        order[-1].grad += gradient
        _accumulate(order)
        if modes.setting("watching"):
            _watch(order)
    except BaseException:
        for node, grad in zip(order, before):
            node.grad = grad
        raise


def check_for_leaves(root: Value, order: list[Value]) -> None:
    """Refuse to differentiate what has no leaf among the nodes that it is made of.

    Raises:
        ValueError: there is none.
    """
    if not any(node.op is ops.leaf for node in order):
        made = "is a constant" if root.op is ops.constant else "is made of constants only"
        raise ValueError(
            f"nothing to differentiate: {root!r} {made} (plain numbers, or what detach() or "
            f"no_grad() made), and no gradient flows from it"
        )


def _accumulate(order: list[Value]) -> None:
    """The pass itself: the hottest loop of the package."""
    constant_row = ops.constant
    left = reversed(order)
    while True:
        try:
            for node in left:
                op = node.op
                arity = op.arity
                if arity == 2:
                    a, b, upstream = node._a, node._b, node.grad
                    if a.op is constant_row and b.op is constant_row:
                        continue  # nothing to tell, and perhaps no derivative to tell it with
                    to_a, to_b = op.partials(node.data, a.data, b.data)
                    if a.op is not constant_row:
                        a.grad += upstream * to_a
                    if b.op is not constant_row:
                        b.grad += upstream * to_b
                elif arity:
                    push(node)
            return
        except (ArithmeticError, ValueError):
            push(node)  # perhaps the derivative that does not exist goes to no leaf
        except TypeError as error:
            raise slope_failure(node, error) from None


def push(node: Value) -> None:
    """Add the node's gradient times each local derivative to its operands' gradients."""
    upstream = node.grad
    args = node.args
    if _all_constant(args):
        return
    for arg, local in zip(args, locals_of(node)):
        if arg.op is not ops.constant:
            arg.grad += upstream * local


def _all_constant(args: tuple[Value, ...]) -> bool:
    return all(arg.op is ops.constant for arg in args)


def _watch(order: list[Value]) -> None:
    """Raise at the first operation through which a gradient stopped being finite."""
    flowing = _made_of(order, [node for node in order if node.op is ops.leaf])
    for node in reversed(order):
        if node not in flowing:
            continue
        if not isfinite(node.grad):
            raise FloatingPointError(f"the gradient of {name(node)} added up to {node.grad}")
        for arg, local in zip(node.args, locals_of(node, flowing.__contains__)):
            if arg in flowing and not isfinite(node.grad * local):
                raise FloatingPointError(
                    f"the gradient of {name(arg)} became {node.grad * local} in "
                    f"{expression(node)}: upstream {number(node.grad)} × local {number(local)}"
                )


def slope_failure(node: Value, error: Exception) -> Exception:
    """The error to raise for `error`, met while differentiating the operation of `node`."""
    args = node.args
    if isinstance(error, TypeError):
        for other in (node, *args):
            exact_data(other)
        return error
    return node.op.slope_failure(error, [arg.data for arg in args], [name(arg) for arg in args])


def locals_of(node: Value, asked: Asked | None = None) -> tuple[float, ...]:
    """The local derivatives ∂node/∂operand, in the order of `node.args`.

    Args:
        node: the node.
        asked: whether an operand's is needed; by default if the operand is made of a leaf. One
            that is not needed and does not exist is NaN.

    Raises:
        ValueError: one that is needed is not finite here.

    >>> a, b = Value(2.0), Value(3.0)
    >>> locals_of(a * b)
    (3.0, 2.0)
    """
    return _slopes(node, node.data, [arg.data for arg in node.args], asked)


def local_of(node: Value, slot: int) -> float:
    """The local derivative ∂node/∂operand by one operand; NaN if it goes to no leaf and fails.

    Raises:
        ValueError: it is not finite here, and the operand is made of a leaf.

    >>> a, b = Value(-2.0), Value(3.0)
    >>> local_of(a**b, 0)
    12.0
    """
    operand = node.args[slot]
    return locals_of(node, lambda arg: arg is operand and depends_on_a_leaf(arg))[slot]


def known_locals(node: Value) -> tuple[float, ...]:
    """The local derivatives, for a picture: NaN where there is none.

    >>> x = Value(0.0)
    >>> known_locals(x.sqrt())
    (nan,)
    """
    return locals_of(node, lambda arg: False)


def _locals_as_values(node: Value, asked: Asked | None = None) -> tuple[Any, ...]:
    """The local derivatives as expressions of the node and its operands."""
    operands = [arg.data if arg.op is ops.constant else arg for arg in node.args]
    return _slopes(node, node, operands, asked)


def _slopes(node: Value, out: Any, operands: list[Any], asked: Asked | None) -> tuple[Any, ...]:
    """The partials of the node's row; one by one where together they fail."""
    try:
        return node.op.partials(out, *operands)
    except TypeError as error:
        raise slope_failure(node, error) from None
    except (ArithmeticError, ValueError):
        needed = asked or depends_on_a_leaf
        slots = range(len(operands))
        return tuple([_slope(node, slot, out, operands, needed) for slot in slots])


def _slope(node: Value, slot: int, out: Any, operands: list[Any], asked: Asked) -> Any:
    try:
        return node.op.slope(slot, out, *operands)
    except (ArithmeticError, ValueError) as error:
        if asked(node.args[slot]):
            raise slope_failure(node, error) from None
        return nan


def depends_on_a_leaf(node: Value) -> bool:
    """Whether a leaf is among what the node is made of, itself included.

    >>> x = Value(3.0)
    >>> depends_on_a_leaf(x * 2.0), depends_on_a_leaf(x.detach() * 2.0)
    (True, False)
    """
    seen: set[Value] = set()
    stack = [node]
    while stack:
        made_of = stack.pop()
        if made_of.op is ops.leaf:
            return True
        if made_of not in seen:
            seen.add(made_of)
            stack.extend(made_of.args)
    return False


def gradients(
    root: Value,
    gradient: float = 1.0,
    *,
    by: Iterable[Value] | None = None,
    create_graph: bool = False,
) -> dict[Value, Any]:
    """∂root/∂node for every node that `root` is made of, without touching any `.grad`.

    Args:
        root: the output.
        gradient: what flows into it.
        by: give only what flows to these nodes: a derivative that does not exist on the way to
            others is no error then.
        create_graph: as Values, which can be differentiated again.

    Raises:
        ValueError: a derivative that is needed is not finite.

    >>> x = Value(3.0)
    >>> gradients(x * x)[x], x.grad
    (6.0, 0.0)
    """
    order = in_order(root) if create_graph else topological_order(root)
    asked = None if by is None else _made_of(order, by).__contains__
    flows = asked or _is_no_constant
    slopes = _locals_as_values if create_graph else locals_of
    found: dict[Value, Any] = {root: gradient}
    for node in reversed(order):
        if node not in found or not any(map(flows, node.args)):
            continue
        upstream = found[node]
        for arg, local in zip(node.args, slopes(node, asked)):
            if flows(arg):
                contribution = _product(upstream, local)
                found[arg] = found[arg] + contribution if arg in found else contribution
    return found


def _made_of(order: list[Value], nodes: Iterable[Value]) -> set[Value]:
    """Those in this order that are, or are made of, one of the nodes."""
    found = set(nodes)
    for node in order:
        if any(arg in found for arg in node.args):
            found.add(node)
    return found


def _is_no_constant(node: Value) -> bool:
    return node.op is not ops.constant


def _product(upstream: Any, local: Any) -> Any:
    """upstream · local, without recording a multiplication by one."""
    if type(upstream) is float and type(local) is float:
        return upstream * local + 0.0  # as in backward(), where it is added to a zero
    if type(local) is float and local == 1.0:
        return upstream
    if type(upstream) is float and upstream == 1.0:
        return local
    return upstream * local


def grad(
    output: Value,
    inputs: Value | Sequence[Value],
    create_graph: bool = False,
    *,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """∂output/∂input for each input, like `torch.autograd.grad`; every `.grad` is left alone.

    Args:
        output: what to differentiate.
        inputs: one Value or several: leaves or intermediate nodes.
        create_graph: return Values, which can be differentiated again.
        allow_unused: give None for an input that the output does not depend on.

    Returns:
        A tuple with a float (or a Value) for each input.

    Raises:
        TypeError: the output or an input is not a Value, or `create_graph` is not a bool.
        ValueError: the output does not depend on an input, or has no finite derivative.

    Newton's method, with f′ and f″ from the graph:

    >>> x = Value(3.0)
    >>> for _ in range(6):
    ...     y = x**4 - 3.0 * x**3 + 2.0
    ...     (slope,) = grad(y, x, create_graph=True)
    ...     (curvature,) = grad(slope, x)
    ...     x = Value(x.data - slope.data / curvature)
    >>> round(x.data, 6)
    2.25
    """
    create_graph = flag(create_graph, "create_graph")
    allow_unused = flag(allow_unused, "allow_unused")
    wanted = [inputs] if isinstance(inputs, Value) else several(inputs, "inputs are Values")
    for node in [output, *wanted]:
        instance(node, Value, "grad differentiates a Value with respect to Values")
    found = gradients(output, by=wanted, create_graph=create_graph)
    missing = [node for node in wanted if node not in found or node.op is ops.constant]
    if missing and not allow_unused:
        raise ValueError(
            f"{name(output)} does not depend on {name(missing[0])}"
            f"{' (a constant)' if missing[0].op is ops.constant else ''}, so there is no "
            f"derivative to give: leave it out, or pass allow_unused=True to get None for it"
        )
    results = [None if node in missing else found[node] for node in wanted]
    if create_graph:
        results = [constant(x) if isinstance(x, float) else x for x in results]
    return tuple(results)


def zero_grad(root: Value) -> None:
    """Empty the gradient of every node that `root` is made of, leaves included.

    >>> x = Value(3.0)
    >>> y = x * x
    >>> y.backward(); y.zero_grad(); x.grad
    0.0
    """
    for node in topological_order(root):
        node.grad = NOT_COMPUTED


def recompute(root: Value) -> Value:
    """Evaluate the graph again, in place, from the data now in its leaves.

    It is a new forward pass over the old graph: the gradients of intermediate nodes are emptied,
    those of leaves stay.

    Returns:
        The root.

    Raises:
        ValueError, OverflowError: an operation is not defined at the new data.
        TypeError: a leaf's data is not a number.
        NotImplementedError: a node was made by hand, without a formula.
        FloatingPointError: a value is not finite, under `detect_anomaly`.
            In each case the graph is then as it was.

    >>> x = Value(3.0)
    >>> y = x * x
    >>> x.data = 4.0
    >>> y.recompute()
    Value(data=16.0, grad=0.0)
    """
    order = topological_order(root)
    before = [(node.data, node.grad) for node in order]
    watching = modes.setting("watching")
    try:
        for node in order:
            if node.op.arity:
                node.data = evaluated(node)
                node.grad = NOT_COMPUTED
                if watching and not isfinite(node.data):
                    raise FloatingPointError(f"{expression(node)} became {node.data}")
            elif type(node.data) is not float:
                node.data = exact_data(node)
    except BaseException:
        for node, (data, gradient) in zip(order, before):
            node.data, node.grad = data, gradient
        raise
    return root


def evaluated(node: Value, instead: Mapping[Value, float] = MappingProxyType({})) -> float:
    """The value of a node's operation at its operands' data, or at what `instead` has for them.

    Raises:
        ValueError, OverflowError: it has none there.
        NotImplementedError: the node was made by hand.
    """
    args = node.args
    numbers = [instead.get(arg, arg.data) for arg in args]
    try:
        data = node.op.value(*numbers)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise failure(node.op, error, args, numbers) from None
    if type(data) is not float:
        data = as_float(data, f"the value of {node.op.name}")
    return data


def moved(root: Value, node: Value, data: float) -> dict[Value, float]:
    """What each node that depends on `node` would be if `node` were `data`.

    The graph is left as it is.

    Raises:
        ValueError, OverflowError: an operation is not defined there.

    >>> x = Value(3.0)
    >>> y = x * x
    >>> moved(y, x, 4.0)[y], y.data
    (16.0, 9.0)
    """
    found = {node: data}
    for other in topological_order(root):
        if other is not node and any(arg in found for arg in other.args):
            found[other] = evaluated(other, found)
    return found


STALE_WARNING = "stale: data changed since the graph was evaluated; call recompute() first"


def stale(root: Value) -> set[Value]:
    """The nodes whose data no longer follows from the leaves; empty after `recompute`.

    >>> x = Value(3.0)
    >>> y = x * x
    >>> x.data = 4.0
    >>> stale(y) == {y}
    True
    """
    found: set[Value] = set()
    for node in topological_order(root):
        args = node.args
        if any(arg in found for arg in args) or (args and not _agrees(node)):
            found.add(node)
    return found


def _agrees(node: Value) -> bool:
    try:
        data = evaluated(node)
    except (ArithmeticError, ValueError):
        return False
    except NotImplementedError:  # a node made by hand has no formula to disagree with
        return True
    return data == node.data or (data != data and node.data != node.data)


def has_gradient(node: Value) -> bool:
    """Whether a backward pass has reached the node since it was made, emptied or recomputed."""
    return node.grad is not NOT_COMPUTED and node.grad is not None
