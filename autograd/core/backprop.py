"""The backward pass, and other functions that evaluate a whole graph.

`backward` writes `.grad`, and must be fast. `gradients` computes the same numbers, but returns them
in a dictionary and leaves `.grad` unchanged. All derivatives come from the table in `ops.py`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite, nan
from types import MappingProxyType
from typing import Any

from . import locks, modes, ops
from .boundary import as_float, flag, instance, several
from .graph import in_order, topological_order
from .notation import expression, name
from .term import numeral
from .twin import give, twinned
from .value import NOT_COMPUTED, Value, constant, exact_data, failure, leaves_below

Asked = Callable[[Value], bool]  # returns whether the derivative by this operand is needed


def backward(root: Value, gradient: float = 1.0, *, retain_graph: bool | None = None) -> None:
    """Compute ∂root/∂node for every node that `root` depends on, and store it in `.grad`.

    Reverse mode: write v̄ for ∂root/∂v. The pass visits the nodes in reverse topological order, so
    v̄ is complete when the pass reaches v. Then the pass adds v̄ · ∂v/∂operand to the gradient of
    each operand. An intermediate node gets the gradient of this call only. A leaf accumulates the
    gradients of all calls, as in PyTorch. A constant gets none.

    Several threads may call this function at the same time, even on graphs that share nodes: the
    passes run one after the other.

    Args:
        root: the output.
        gradient: ∂root/∂root, the gradient that the pass starts with.
        retain_graph: PyTorch's argument, which changes nothing: a graph is always kept.

    Raises:
        TypeError: `gradient` is not a number, or `retain_graph` neither True nor False.
        ValueError: the graph has a cycle or no leaf, or it has no finite derivative on a path to a
            leaf. All gradients are then unchanged.
        RuntimeError: a signal handler or a user's operation calls this function during a pass over
            the same nodes.

    Source: Linnainmaa, "Taylor expansion of the accumulated rounding error", BIT 16 (1976).

    >>> x = Value(3.0)
    >>> y = x * x
    >>> y.backward(); x.grad
    6.0
    >>> y.backward(); x.grad, y.grad
    (12.0, 1.0)
    """
    gradient = as_float(gradient, "gradient")
    if retain_graph is not None:
        flag(retain_graph, "retain_graph")
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


_running: list[list[Value]] = []  # the nested passes of the thread that holds locks.gradients


def _refuse_shared_nodes(order: list[Value]) -> None:
    """Raise an error if this pass would reset gradients that an enclosing pass still needs."""
    if _running and any(node.op.arity for node in set(order).intersection(*_running)):
        raise RuntimeError(
            "backward() was called inside another backward pass over the same nodes, as from a "
            "signal handler: call it when the other one has returned"
        )


@twinned
def _pass(order: list[Value], gradient: float) -> None:
    """Run one backward pass; if it fails, restore every gradient."""
    before: list[float] = []
    try:
        for node in order:
            before.append(node.grad)
            if node.op.arity or node.grad is None:  # users of PyTorch reset gradients to None
                node.grad = 0.0
            elif type(node.grad) is not float:
                node.grad = as_float(node.grad, f"the gradient of {node.label or 'a leaf'}")
            if type(node.data) is not float:
                node.data = exact_data(node)
        order[-1].grad += gradient
        _accumulate(order)
        _watch_if_asked(order)
    except BaseException:
        for node, grad in zip(order, before):
            node.grad = grad
        raise


def check_for_leaves(root: Value, order: list[Value]) -> None:
    """Refuse to differentiate a root that depends on no leaf.

    Raises:
        ValueError: there is no leaf among the nodes of `order`.
    """
    if not any(node.op is ops.leaf for node in order):
        made = "is a constant" if root.op is ops.constant else "is made of constants only"
        raise ValueError(
            f"nothing to differentiate: {root!r} {made} (plain numbers, or what detach() or "
            f"no_grad() made), and no gradient flows from it"
        )


def _accumulate(order: list[Value]) -> None:
    """Visit the nodes in reverse order, and add gradients to their operands.

    This is the hottest loop of the package, so it treats operations on two operands inline.
    """
    constant_row = ops.constant
    left = reversed(order)
    while True:  # after an exception, the inner loop continues with the next node
        try:
            for node in left:
                op = node.op
                arity = op.arity
                if arity == 2:
                    a, b, upstream = node._a, node._b, node.grad
                    if a.op is constant_row and b.op is constant_row:
                        continue  # no gradient is needed, and there may be no derivative
                    to_a, to_b = op.partials(node.data, a.data, b.data)
                    if a.op is not constant_row:
                        a.grad += upstream * to_a
                    if b.op is not constant_row:
                        b.grad += upstream * to_b
                elif arity:
                    push(node)
            return
        except (ArithmeticError, ValueError):
            push(node)  # raises, unless the missing derivative leads to no leaf
        except TypeError as error:
            raise slope_failure(node, error) from None


def push(node: Value) -> None:
    """Add the node's gradient times each local derivative to its operands' gradients."""
    upstream = node.grad
    args = node.args
    if node.op is ops.take:
        _push_to_chosen(node)
        return
    if _all_constant(args):
        return
    for arg, local in zip(args, locals_of(node)):
        if arg.op is not ops.constant:
            arg.grad += upstream * local


def _push_to_chosen(node: Value) -> None:
    """Add the gradient of a `take` to the entry that it chose; the others get a gradient of 0."""
    index, *entries = node.args
    chosen = entries[ops.place(index.data, len(entries))]
    for operand in (index, *entries):
        if operand.grad is NOT_COMPUTED and operand.op is not ops.constant:
            operand.grad = 0.0
    if chosen.op is not ops.constant:
        chosen.grad += node.grad


def _all_constant(args: tuple[Value, ...]) -> bool:
    return all(arg.op is ops.constant for arg in args)


def _watch_if_asked(order: list[Value]) -> None:
    """Check the gradients of a pass, inside `detect_anomaly`."""
    if modes.setting("watching"):
        _watch(order)


def _watch(order: list[Value]) -> None:
    """Raise a FloatingPointError at the first operation where a gradient is not finite."""
    flowing = _depending_on(order, [node for node in order if node.op is ops.leaf])
    for node in reversed(order):
        if node not in flowing:
            continue
        if not isfinite(node.grad):
            raise FloatingPointError(f"the gradient of {name(node)} added up to {node.grad}")
        for arg, local in zip(node.args, locals_of(node, flowing.__contains__)):
            if arg in flowing and not isfinite(node.grad * local):
                raise FloatingPointError(
                    f"the gradient of {name(arg)} became {node.grad * local} in "
                    f"{expression(node)}: upstream {numeral(node.grad)} × local {numeral(local)}"
                )


def slope_failure(node: Value, error: Exception) -> Exception:
    """Return the error to report for `error`, which the partials of `node` raised."""
    args = node.args
    if isinstance(error, TypeError):
        for other in (node, *args):
            exact_data(other)
        return error
    return node.op.slope_failure(error, [arg.data for arg in args], [name(arg) for arg in args])


@twinned
def locals_of(node: Value, asked: Asked | None = None) -> tuple[float, ...]:
    """Return the local derivatives ∂node/∂operand, in the order of `node.args`.

    A derivative that does not exist raises an error if it is needed; otherwise it is NaN.

    Args:
        node: the node.
        asked: returns whether the derivative by this operand is needed. Default: it is, if the
            operand depends on a leaf.

    Raises:
        ValueError: a derivative that is needed does not exist.

    >>> a, b = Value(2.0), Value(3.0)
    >>> locals_of(a * b)
    (3.0, 2.0)
    """
    return _slopes(node, node.data, [arg.data for arg in node.args], asked)


def local_of(node: Value, slot: int) -> float:
    """Return one local derivative; NaN if it does not exist and the operand depends on no leaf.

    Raises:
        ValueError: the derivative does not exist, and the operand depends on a leaf.

    >>> a, b = Value(-2.0), Value(3.0)
    >>> local_of(a**b, 0)
    12.0
    """
    operand = node.args[slot]
    return locals_of(node, lambda arg: arg is operand and depends_on_a_leaf(arg))[slot]


def known_locals(node: Value) -> tuple[float, ...]:
    """Return the local derivatives for a drawing, with NaN for one that does not exist.

    >>> x = Value(0.0)
    >>> known_locals(x.sqrt())
    (nan,)
    """
    return locals_of(node, lambda arg: False)


def _locals_as_values(node: Value, asked: Asked | None = None) -> tuple[Any, ...]:
    """Return the local derivatives as Values, which can be differentiated again."""
    operands = [arg.data if arg.op is ops.constant else arg for arg in node.args]
    return _slopes(node, node, operands, asked)


def _slopes(node: Value, out: Any, operands: list[Any], asked: Asked | None) -> tuple[Any, ...]:
    """Compute the partials of the node's row; if that fails, compute them one by one."""
    try:
        return node.op.partials(out, *operands)
    except ops.NodeNeeded:
        return node.op.partials_of(node)  # type: ignore[attr-defined,no-any-return]
    except TypeError as error:
        raise slope_failure(node, error) from None
    except (ArithmeticError, ValueError):
        needed = asked or depends_on_a_leaf
        slots = range(len(operands))
        return tuple([_slope(node, slot, out, operands, needed) for slot in slots])


def _slope(node: Value, slot: int, out: Any, operands: list[Any], asked: Asked) -> Any:
    """Compute one partial; if that fails, raise if the partial is needed, else return NaN."""
    try:
        return node.op.slope(slot, out, *operands)
    except (ArithmeticError, ValueError) as error:
        if asked(node.args[slot]):
            raise slope_failure(node, error) from None
        return nan


def depends_on_a_leaf(node: Value) -> bool:
    """Return whether the node is a leaf or depends on one.

    >>> x = Value(3.0)
    >>> depends_on_a_leaf(x * 2.0), depends_on_a_leaf(x.detach() * 2.0)
    (True, False)
    """
    return any(True for _ in leaves_below([node]))


def gradients(
    root: Value,
    gradient: float = 1.0,
    *,
    by: Iterable[Value] | None = None,
    create_graph: bool = False,
) -> dict[Value, Any]:
    """Compute ∂root/∂node for every node that `root` depends on, without changing any `.grad`.

    Args:
        root: the output.
        gradient: ∂root/∂root, the gradient that the pass starts with.
        by: follow only the paths to these nodes. A derivative that does not exist elsewhere is
            then no error.
        create_graph: return the gradients as Values, which can be differentiated again.

    Returns:
        The gradient of each node that was reached.

    Raises:
        ValueError: a derivative that is needed does not exist.

    >>> x = Value(3.0)
    >>> gradients(x * x)[x], x.grad
    (6.0, 0.0)
    """
    wanted = None if by is None else list(by)
    if create_graph:
        return _flow(in_order(root), gradient, wanted, _locals_as_values)
    return _gradients(topological_order(root), gradient, wanted)


@twinned
def _gradients(order: list[Value], gradient: float, by: list[Value] | None) -> dict[Value, Any]:
    """Compute `gradients` as numbers."""
    return _flow(order, gradient, by, locals_of)


@twinned
def gradient_column(order: list[Value], by: list[Value]) -> Any:
    """Compute `gradients` of the last node of an order, as a float for each node: 0.0 elsewhere."""
    found = _flow(order, 1.0, by, locals_of)
    return array("d", [found.get(node, 0.0) for node in order])


def _flow(
    order: list[Value],
    gradient: float,
    by: list[Value] | None,
    slopes: Callable[[Value, Asked | None], tuple[Any, ...]],
) -> dict[Value, Any]:
    """Add up gradients along the paths from the last node of an order, all or those to `by`."""
    asked = None if by is None else _depending_on(order, by).__contains__
    flows = asked or _is_no_constant
    found: dict[Value, Any] = {order[-1]: gradient}
    for node in reversed(order):
        if node not in found or not any(map(flows, node.args)):
            continue
        upstream = found[node]
        if node.op is ops.take and slopes is locals_of:
            _pass_to_chosen(node, upstream, flows, found)
            continue
        for arg, local in zip(node.args, slopes(node, asked)):
            if flows(arg):
                contribution = _product(upstream, local)
                found[arg] = found[arg] + contribution if arg in found else contribution
    return found


def _pass_to_chosen(node: Value, upstream: float, flows: Asked, found: dict[Value, Any]) -> None:
    """Do for `gradients` what `_push_to_chosen` does for `backward`."""
    index, *entries = node.args
    chosen = entries[ops.place(index.data, len(entries))]
    for operand in filter(flows, (index, *entries)):
        found.setdefault(operand, 0.0)
    if flows(chosen):
        found[chosen] += upstream


def _depending_on(order: list[Value], nodes: Iterable[Value]) -> set[Value]:
    """Return the nodes that are in `nodes`, or that depend on one of them."""
    found = set(nodes)
    for node in order:
        if any(arg in found for arg in node.args):
            found.add(node)
    return found


def _is_no_constant(node: Value) -> bool:
    return node.op is not ops.constant


def _product(upstream: Any, local: Any) -> Any:
    """Return upstream · local, without recording a multiplication by 1."""
    if type(upstream) is float and type(local) is float:
        return upstream * local + 0.0  # -0.0 becomes 0.0, as in backward(), which adds to 0.0
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
    retain_graph: bool | None = None,
) -> tuple[Any, ...]:
    """Compute ∂output/∂input for each input, like `torch.autograd.grad`; no `.grad` changes.

    Args:
        output: the Value to differentiate.
        inputs: one Value or several: leaves or intermediate nodes.
        create_graph: return Values, which can be differentiated again.
        allow_unused: return None for an input that the output does not depend on.
        retain_graph: PyTorch's argument, which changes nothing: a graph is always kept.

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
    if retain_graph is not None:
        flag(retain_graph, "retain_graph")
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
    """Reset the gradient of `root` and of every node that it depends on, including leaves.

    >>> x = Value(3.0)
    >>> y = x * x
    >>> y.backward(); y.zero_grad(); x.grad
    0.0
    """
    _reset(topological_order(root))


@twinned
def _reset(order: list[Value]) -> None:
    """Forget the gradient of each node."""
    for node in order:
        node.grad = NOT_COMPUTED


def recompute(root: Value) -> Value:
    """Evaluate the graph again, in place, from the current data of its leaves.

    This is a new forward pass over the same graph. It resets the gradients of intermediate nodes
    and keeps those of leaves.

    Returns:
        The root.

    Raises:
        ValueError, OverflowError: an operation is not defined at the new data.
        TypeError: the data of a leaf is not a number.
        NotImplementedError: a node was made by hand, without a formula.
        FloatingPointError: a value is not finite, inside `detect_anomaly`.
            In each case the graph is unchanged.

    >>> x = Value(3.0)
    >>> y = x * x
    >>> x.data = 4.0
    >>> y.recompute()
    Value(data=16.0, grad=0.0)
    """
    _forward(topological_order(root))
    return root


@twinned
def _forward(order: list[Value]) -> None:
    """Evaluate each operation again, in this order; if one fails, restore every number."""
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


@twinned
def evaluated(node: Value, instead: Mapping[Value, float] = MappingProxyType({})) -> float:
    """Compute the operation of a node from the data of its operands, without changing the node.

    Args:
        node: the node.
        instead: numbers to use in place of the data of some operands.

    Raises:
        ValueError, OverflowError: the operation is not defined there.
        NotImplementedError: the node was made by hand, without a formula.
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
    """Compute the value that each node depending on `node` would have if `node` had `data`.

    The graph is unchanged.

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
    """Return the nodes whose data no longer matches the leaves; none after `recompute`.

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
    """Return whether the data of a node is what its operation gives for its operands."""
    try:
        data = evaluated(node)
    except (ArithmeticError, ValueError):
        return False
    except NotImplementedError:  # a node made by hand has no formula to compare with
        return True
    return data == node.data or (data != data and node.data != node.data)


def has_gradient(node: Value) -> bool:
    """Return whether a backward pass has reached the node since its gradient was last reset."""
    return node.grad is not NOT_COMPUTED and node.grad is not None


give(push=push, _watch_if_asked=_watch_if_asked)
