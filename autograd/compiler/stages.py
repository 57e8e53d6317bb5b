"""Run the stages of the compiler: make a `Version` of a function for arguments of some shapes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core import locks, modes
from ..core.flat import Flat
from ..core.modes import TraceError
from ..core.value import Value
from .arguments import Arguments
from .collector import paused_collector
from .errors import in_row
from .groups import group_nodes
from .guard import Guard
from .passes import PASSES, Pass
from .program import Program, check_program, make_program
from .reach import Reach
from .roll import build_array_program
from .trace import Trace, explain_difference, record_trace
from .version import Version


@dataclass(frozen=True)
class Options:
    """The options of `compile`, and those that only tests set.

    Attributes:
        has_aux, allow_unused, dtype, static: as for `compile`.
        passes: the passes that rewrite the graph.
        matrices: True to form matrix products of dot products.
        debug: True to check the invariants of the program after every pass.
    """

    has_aux: bool = False
    allow_unused: bool = False
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(float))
    static: tuple[str | int, ...] = ()
    passes: tuple[Pass, ...] = PASSES
    matrices: bool = True
    debug: bool = False


def make_version(
    function: Callable[..., Any],
    params: list[Value] | None,
    options: Options,
    rows: Arguments,
) -> Version:
    """Compile a function, and leave the random generators as they were.

    Args:
        function: takes Values or lists of Values; returns a Value or a list of them.
        params: the Values to differentiate with respect to; None for those that it reads.
        options: the options of `compile`.
        rows: arguments of the shapes to compile for.

    Raises:
        TraceError: the function depends on values in a way that cannot be compiled.
        ValueError: the function does not depend on one of the parameters.
    """
    with locks.alone_in_tracing(), paused_collector():
        reach = Reach(function)
        states = reach.read_states()
        try:
            return _run_stages(function, params, options, rows, reach)
        finally:
            reach.restore(states)


def _run_stages(
    function: Callable[..., Any],
    given: list[Value] | None,
    options: Options,
    rows: Arguments,
    reach: Reach,
) -> Version:
    """Trace two rows, rewrite the program, and turn it into array statements."""
    theta = Flat(given or [])
    first, second = _trace_two_rows(function, given or [], rows, reach)
    params = _find_params(first, second, given or [])
    if len(params) > len(theta.values):
        theta = Flat(params)
    numbers = _find_embedded_constants([first, second], params)
    program = make_program(first, params)
    alike = program.computes_as(make_program(second, params))
    if not alike or first.list_tests() != second.list_tests():
        raise explain_difference(function, rows.take_row(0), rows.find_other_row())
    if not options.allow_unused:
        _refuse_unused(given or [], second)
    settings = (first.settings_read | second.settings_read).difference(modes.DEFAULTS)
    if settings or reach.outdated:
        reach = Reach(function, settings, earlier=reach)
    traced = [first.describe_row(), second.describe_row()]
    del second  # a large graph as columns is large, too
    program = _improve(program, options)
    cost = program.outputs[0] if first.shape == () or options.has_aux else None
    groups = group_nodes(program, cost, options.matrices)
    places = first.find_places(params)
    leading = int(np.count_nonzero((places >= 0) & (places < first.reached)))
    return Version(
        first,
        traced,
        program,
        theta,
        build_array_program(program, groups),
        leading if given is None else len(given),
        Guard(reach, numbers),
        options.dtype,
    )


def _trace_two_rows(
    function: Callable[..., Any], given: list[Value], rows: Arguments, reach: Reach
) -> tuple[Trace, Trace]:
    """Trace row 0, then a row that differs from it, or else numbers close to row 0.

    The leaves that the first trace finds are stored in an array before the second trace, in which
    they therefore notice that their number is read.
    """
    with in_row(0):
        first = record_trace(function, rows.take_row(0), given, reach)
    found = _find_others(first, given)
    if found:
        Flat(found)
    row, leaves = rows.find_different_row(), [*given, *found]
    try:
        with in_row(row):
            return first, record_trace(function, rows.find_other_row(), leaves, reach)
    except TraceError:
        raise
    except Exception:
        if row:
            raise
        # The function may not be defined close to row 0.
        return first, record_trace(function, rows.take_row(0), leaves, reach)


def _find_others(trace: Trace, given: list[Value]) -> list[Value]:
    """Return the leaves of a trace that are not among the given ones, in the order of first use."""
    others, places = trace.is_leaf, trace.find_places(given)
    others[places[places >= 0]] = False
    return trace.choose(others)


def _find_params(first: Trace, second: Trace, given: list[Value]) -> list[Value]:
    """Return the given parameters, then the other leaves that both traces use."""
    others = _find_others(first, given)
    used = (second.find_places(others) >= 0).tolist()
    return [*given, *itertools.compress(others, used)]


def _refuse_unused(given: list[Value], trace: Trace) -> None:
    """Raise if a trace does not use one of the given parameters."""
    unused = np.flatnonzero(trace.find_places(given) < 0)
    if len(unused):
        raise ValueError(
            f"the function does not depend on {len(unused)} of its {len(given)} params, as on "
            f"{given[unused[0]]!r}: leave them out, or give allow_unused=True for a gradient of 0"
        )


def _find_embedded_constants(traces: list[Trace], params: list[Value]) -> list[Value]:
    """Return the constants that existed before the traces: their numbers become part of the code.

    Raises:
        TraceError: a trace used a Value that was computed before, or that the other did not use.
    """
    for trace in traces:
        for v in trace.choose(trace.is_outside & ~trace.is_end):
            raise TraceError(
                f"the function uses {v!r}, which was computed before it was called: compute it "
                f"inside, or take its number alone with v.detach()"
            )
    for trace in traces:
        unknown, places = trace.is_outside & trace.is_leaf, trace.find_places(params)
        unknown[places[places >= 0]] = False
        for v in trace.choose(unknown):
            raise TraceError(
                f"for one row the function uses {v!r}, and for another it does not: what is "
                f"compiled must be the same for all rows. Choose with where or maximum"
            )
    return traces[0].choose(traces[0].is_outside & traces[0].is_end & ~traces[0].is_leaf)


def _improve(program: Program, options: Options) -> Program:
    """Rewrite a program by the passes."""
    for rewrite in options.passes:
        program = rewrite(program)
        if options.debug:
            check_program(program)
    return program
