"""`ComparedCosts`: compiled code whose numbers are compared with the engine's.

It compares before training, after epochs as time allows, around callbacks, which may change the
model, and at the end. If the numbers differ it raises a `DifferentError`. Where compiled code
cannot compute a number, it asks the engine.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import time
import warnings
from collections.abc import Callable, Sequence
from operator import methodcaller
from typing import Any

import numpy as np

from ..data import Examples
from ..dropout import Dropout, dropouts_in, seed_dropouts
from ..probes import Probes, find_differences
from .compiled_costs import CompiledCosts
from .costs import FAILURES, Computed, Costs, Move, Rows, Steps
from .history import History

OTHERS = 3  # examples compared before training, in addition to `Probes.representative`
SLOPES = 3  # examples among them whose gradient is compared as well
MOST = 32  # examples compared after an epoch, at most
AGAIN = 8  # engine runs that decide whether the engine itself draws at random
SHARE = 0.03  # the largest share of a run's time for the comparisons after epochs
LOOKS = 0.5  # seconds that the comparisons around callbacks may always take
BRANCH = "Does it branch on a number, or change from one call to the next?"
CHANCE = "The engine itself gives another number each time: does it draw at random?"
Compute = Callable[[Costs], Computed]


class DifferentError(Exception):
    """Compiled code gives other numbers than the engine."""


def compared_if_possible(
    engine: Costs, examples: Examples, held_out: Examples | None, history: History
) -> Costs:
    """Return a `ComparedCosts`; if that fails return `engine`, and the history says why."""
    try:
        return ComparedCosts(engine, examples, held_out)
    except DifferentError as error:
        history.not_compiled = str(error)
        warnings.warn(f"training runs on the engine: {error}", RuntimeWarning, stacklevel=3)
    except Exception as error:  # any error: training can still run on the engine
        history.not_compiled = f"{type(error).__name__}: {error}".partition("\n")[0]
    return engine


class ComparedCosts(Costs):
    """Computes costs with compiled code, or with the engine once compiled code is given up.

    Args:
        engine: computes the numbers to compare with.
        examples: the training examples.
        held_out: the held-out examples; None if there are none.

    Raises:
        DifferentError: compiled code gives other numbers than the engine.
        Exception: any error that prevents compilation.
    """

    def __init__(self, engine: Costs, examples: Examples, held_out: Examples | None) -> None:
        super().__init__(engine.model, engine.loss, engine.penalty)
        self._engine, self._examples, self._is_compiled = engine, examples, True
        self._began, self._spent, self._looked = time.perf_counter(), 0.0, 0.0
        # Before compiling, because it gives each dropout its generator
        seed_dropouts(dropouts_in(self.model), "check")
        self._compiled = CompiledCosts(self.model, self.loss, self.penalty)
        tables = [examples, *([held_out] if held_out else [])]
        self._probes = {table: Probes(table.X, table.targets) for table in tables}
        self._trace()
        for table, probes in self._probes.items():
            self._compare(table, probes.next(len(probes.representative) + OTHERS), SLOPES)
        self._compare_penalty()

    # ------------------------------------------------------------------ computing

    def compute(self, examples: Examples, rows: Rows, training: bool, slopes: bool) -> Computed:
        """Compute costs and outputs of some rows and, if `slopes` is True, the gradient."""
        what = "a step" if slopes else "the cost"
        return self._ask(methodcaller("compute", examples, rows, training, slopes), what)

    def penalize(self) -> Computed:
        """Compute the penalty and its gradient."""
        return self._ask(methodcaller("penalize"), "the penalty")

    def _ask(self, compute: Compute, what: str) -> Computed:
        """Compute with compiled code, or with the engine if the result is not finite."""
        if not self._is_compiled:
            return compute(self._engine)
        try:
            if (found := compute(self._compiled)).is_finite:
                return found
        except FAILURES:
            pass  # the engine raises an error that says why
        if (found := compute(self._engine)).is_finite:
            raise DifferentError(f"the compiled code cannot compute {what}, and the engine can")
        return found

    @property
    def can_descend(self) -> bool:
        """True if compiled code can compute several steps."""
        return self._is_compiled and self._compiled.can_descend

    def descend(self, examples: Examples, batches: Sequence[np.ndarray], move: Move) -> Steps:
        """Compute what `learn` does for one batch after the other, and check it at the end."""
        return self._compiled.descend(examples, batches, move)

    def while_unchanged(self) -> Costs:
        """Return costs for the steps of an epoch: they check only once for other changes."""
        if not self._is_compiled:
            return self._engine
        found = copy.copy(self)
        found._compiled = self._compiled.while_unchanged()
        return found

    # ------------------------------------------------------------------ when to compare

    def check(self, at_least: int = 0) -> None:
        """Compare on further examples as time allows, and on some whatever time it takes."""
        began, checked = time.perf_counter(), 0
        allowed = SHARE * (began - self._began) - self._spent
        while self._is_compiled and (
            checked < at_least or (checked < MOST and time.perf_counter() - began < allowed)
        ):
            for table, probes in self._probes.items():
                self._compare(table, probes.next(1))
            checked += 1
        if checked:
            self._compare_penalty()
        self._spent += time.perf_counter() - began

    def around(self, callbacks: Sequence[Callable[..., Any]]) -> Sequence[Callable[..., Any]]:
        """Return the callbacks between two comparisons, if there are any callbacks.

        A difference that only the second comparison finds is due to a callback.
        """
        elapsed = time.perf_counter() - self._began
        has_time = self._looked < max(LOOKS, SHARE * elapsed)
        if callbacks and self._is_compiled and has_time:
            return [self._look, *callbacks, self._look_again]
        return callbacks

    def _look(self, trainer: Any, history: History) -> None:
        """Compare on two representative examples, others in each epoch, and on the penalty."""
        began = time.perf_counter()
        for table, probes in self._probes.items():
            count = len(probes.representative)
            rows = [probes.representative[(history.epochs + k) % count] for k in range(2)]
            self._compare(table, rows)
        self._compare_penalty()
        self._looked += time.perf_counter() - began

    def _look_again(self, trainer: Any, history: History) -> None:
        """Compare on the same examples, and compile again if the numbers differ now.

        If the new code differs from the engine too, training continues with the engine.
        """
        try:
            try:
                self._look(trainer, history)
            except DifferentError:
                self._compiled.renew()
                self._trace()
                self._look(trainer, history)
        except (DifferentError, *FAILURES) as error:
            self._is_compiled, history.not_compiled = False, str(error).partition("\n")[0]
            if isinstance(error, DifferentError):
                why = f"training goes on with the engine: {error}"
                warnings.warn(why, RuntimeWarning, stacklevel=4)

    # ------------------------------------------------------------------ what to compare

    def _trace(self) -> None:
        """Run the code once in each mode, on examples that differ from each other.

        The compiler traces two of them, and refuses the model if the traces differ.
        """
        for table, probes in self._probes.items():
            for training in (False, True) if table is self._examples else (False,):
                self._compiled.compute(table, probes.representative, training, slopes=False)

    def _compare(self, table: Examples, rows: Sequence[int], count: int = 0) -> None:
        """Compare rows in evaluation and, of the training examples, in training.

        The first `count` training examples are compared with the gradient. If training and
        evaluation run the same program, one comparison covers both.
        """
        learned = table is self._examples
        two_programs = learned and not self._compiled.has_one_program
        for k, row in enumerate(rows):
            slopes = learned and k < count
            modes = [True, False] if two_programs else [slopes]
            for training in modes:
                compute = methodcaller("compute", table, [row], training, training and slopes)
                inputs = table.X[row], table.targets[row]
                self._compare_results(compute, table.place(row), *inputs)

    def _compare_penalty(self) -> None:
        if self.penalty is not None:
            self._compare_results(methodcaller("penalize"), "the model")

    # ------------------------------------------------------------------ one comparison

    def _compare_results(self, compute: Compute, place: str, *inputs: Any) -> None:
        """Raise a DifferentError if compiled code and the engine give different results.

        The comparison is skipped if the engine cannot compute the result, because training reports
        that, and if two runs of the code differ: the code then draws random numbers from
        generators other than the dropouts', which cannot be restarted. For the inputs see `unlike`.
        """
        run = functools.partial(_run, compute, dropouts_in(self.model))
        try:
            wanted = run(self._engine)
        except FAILURES:
            return
        try:
            found = run(self._compiled).numbers
            different = find_differences(found, wanted.numbers, *inputs).tolist()
            again = run(self._compiled).numbers if different else found
        except FAILURES as error:
            raise DifferentError(
                f"{place}: the compiled code fails ({error}), and the engine does not. {BRANCH}"
            ) from None
        if different and np.array_equal(found, again, equal_nan=True):
            k = different[0]
            why = CHANCE if self._is_by_chance(run, k, wanted.numbers[k]) else BRANCH
            raise DifferentError(
                f"{place}: the compiled code gives {found[k]:.6g} as {wanted.name(k)} and the "
                f"engine {wanted.numbers[k]:.6g}. {why}"
            )

    def _is_by_chance(self, run: Compute, k: int, wanted: float) -> bool:
        """Return True if the engine gives another k-th number when it runs again."""
        for _ in range(AGAIN):
            with contextlib.suppress(*FAILURES):
                if run(self._engine).numbers[k] != wanted:
                    return True
        return False


def _run(compute: Compute, dropouts: list[Dropout], costs: Costs) -> Computed:
    """Compute a result with the same dropout masks each time."""
    seed_dropouts(dropouts, "check")
    return compute(costs)
