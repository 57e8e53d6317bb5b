"""Costs as compiled code, held against the engine."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import autograd
from autograd import TraceError, Value, no_grad

from . import losses
from .data import Examples
from .layers import seed_dropouts
from .module import Module, evaluating, mode
from .probes import Probes, unlike
from .targets import one_hot

if TYPE_CHECKING:
    from .train import Trainer

OTHERS = 3  # examples checked at first besides the telling ones
SLOPES = 3  # of these the gradient is checked as well
LAST = 4  # examples checked at the end
MOST = 32  # examples checked after an epoch
AGAIN = 8  # times that the engine is asked whether it says the same once more
SHARE = 0.03  # of the time of a run, which the checks after epochs may take
BRANCH = "Does it branch on a number, or change from one call to the next?"
CHANCE = "The engine itself gives another number each time: does it draw at random?"


class DifferentError(Exception):
    """Compiled code gives other numbers than the engine."""


class Code:
    """Costs, outputs and gradients of many examples at once.

    Args:
        model, loss: whose cost it is.
        examples: what it is to run on.
        learns: whether it is asked for gradients.

    Raises:
        Exception: whatever keeps it from being compiled.
    """

    def __init__(
        self,
        model: Module,
        loss: Callable[[Any, Any], Value],
        examples: Examples,
        learns: bool = True,
    ) -> None:
        self.model, self.loss, self.examples, self.learns = model, loss, examples, learns
        self.X = examples.X
        self.y = self._encoded(examples.y)
        self.probes = Probes(self.X, self.y)
        self.compile()

    def compile(self) -> None:
        """Look at the cost anew, in training and in evaluation.

        Raises:
            Exception: whatever keeps it from being compiled.
        """
        self._params = self.model.parameters()
        cost = autograd.compile(params=self._params, has_aux=True, allow_unused=True)
        self._learning, self._judging = cost(self._cost), cost(self._cost)
        for code, training in ((self._judging, False), (self._learning, True)):
            if self.learns or not training:
                with mode(self.model, training):
                    code(self.X[self.probes.telling], self.y[self.probes.telling])

    def _cost(self, x: Any, y: Any) -> list[Value]:
        outputs = self.model(x)
        cost = losses.cost_of(self.loss(outputs, y), "loss")
        return [cost, outputs] if isinstance(outputs, Value) else [cost, *outputs]

    def _encoded(self, y: list[Any]) -> np.ndarray:
        """Targets as arrays: a class index chooses a logit, which only a one-hot vector can."""
        if losses.function_of(self.loss) is losses.cross_entropy and np.ndim(y) == 1:
            with evaluating(self.model):
                return one_hot(y, len(self.model(self.X[0].tolist())))
        return np.array(y, dtype=float)

    def judged(self, chosen: Sequence[int] | slice) -> tuple[np.ndarray, list[Any]]:
        """The cost of each chosen example, and its outputs."""
        with evaluating(self.model):
            found = self._judging(self.X[chosen], self.y[chosen])
        return found[:, 0], _outputs(found)

    def learned(self, chosen: Sequence[int]) -> tuple[np.ndarray, list[Any], np.ndarray]:
        """The same in training, and the gradient of the mean cost by all parameters."""
        with mode(self.model, training=True):
            found, gradient = self._learning.value_and_grad(self.X[chosen], self.y[chosen])
        return found[:, 0], _outputs(found), gradient

    def descended(self, chosen: Sequence[int] | slice) -> tuple[np.ndarray, np.ndarray]:
        """The cost of each chosen example in evaluation, and the gradient of their mean."""
        with mode(self.model, training=False):
            found, gradient = self._judging.value_and_grad(self.X[chosen], self.y[chosen])
        return found[:, 0], gradient

    # ------------------------------------------------------------------ beside the engine

    def check(self, rows: Sequence[int], training: bool = False, slopes: bool = False) -> None:
        """Hold the cost and outputs of some examples against the engine's.

        Args:
            rows: the examples.
            training: as in training. Draws from generators other than the dropouts' cannot be
                repeated, and such examples are not compared.
            slopes: the gradient, too.

        Raises:
            DifferentError: they differ; it names the example, both numbers and the likely cause.
        """
        for row in rows:
            found, again = (self._by_code(row, training, slopes) for _ in range(2))
            wanted = self._by_engine(row, training, slopes)
            if wanted is None:
                continue  # training says what cannot be computed
            if isinstance(found, Exception):
                raise DifferentError(
                    f"{self.examples.place(row)}: the compiled code fails ({found}), and the "
                    f"engine does not. {BRANCH}"
                )
            drawn = not np.array_equal(found, again, equal_nan=True)
            different = unlike(found, wanted, self.X[row], self.y[row])
            if len(different) and not drawn:
                k = int(different[0])
                more = [self._by_engine(row, training, slopes) for _ in range(AGAIN)]
                chance = any(once is not None and once[k] != wanted[k] for once in more)
                raise DifferentError(
                    f"{self.examples.place(row)}: the compiled code gives {found[k]:.6g} as "
                    f"{_what(k, len(found), slopes and len(self._params))} and the engine "
                    f"{wanted[k]:.6g}. {CHANCE if chance else BRANCH}"
                )

    def _by_code(self, row: int, training: bool, slopes: bool) -> Any:
        """Cost, outputs and slopes of an example; the error if they cannot be computed."""
        seed_dropouts(self.model, "check")
        X, y = self.X[[row]], self.y[[row]]
        code = self._learning if training else self._judging
        with mode(self.model, training):
            try:
                if not slopes:
                    return np.ravel(code(X, y))
                found, gradient = code.value_and_grad(X, y)
            except (ArithmeticError, TraceError, ValueError) as error:
                return error
        return np.concatenate([found.ravel(), gradient])

    def _by_engine(self, row: int, training: bool, slopes: bool) -> np.ndarray | None:
        """The same by the engine; None where it cannot be computed."""
        seed_dropouts(self.model, "check")
        gradient: tuple[Any, ...] = ()
        with mode(self.model, training), contextlib.nullcontext() if slopes else no_grad():
            try:
                computed = self._cost(*self.examples[row])
                if slopes and losses.depends_on(computed[0], self._params):
                    gradient = autograd.grad(computed[0], self._params, allow_unused=True)
                elif slopes:
                    gradient = (0.0,) * len(self._params)
            except (ArithmeticError, ValueError):
                return None
        return np.array([*(v.data for v in computed), *(slope or 0.0 for slope in gradient)])


class PenaltyCode:
    """A penalty and its gradient as compiled code.

    Args:
        model, penalty: whose it is, and what it costs.
    """

    def __init__(self, model: Module, penalty: Callable[[Any], Value]) -> None:
        self.model, self.penalty = model, penalty
        self.compile()

    def compile(self) -> None:
        """Look at the penalty anew when it is asked for next."""
        params = self.model.parameters()
        self._code = autograd.compile(self._cost, params=params, allow_unused=True)

    def _cost(self) -> Value:
        return losses.cost_of(self.penalty(self.model), "penalty")

    def check(self) -> None:
        """Hold it against the engine's.

        Raises:
            DifferentError: they differ; it gives both numbers.
        """
        try:
            with evaluating(self.model):
                wanted = self._cost().data
            found, _ = self.penalised()
        except (ArithmeticError, TraceError, ValueError):
            return  # training says what cannot be computed
        if len(unlike(found, wanted)):
            raise DifferentError(
                f"the compiled code gives {found:.6g} as penalty and the engine {wanted:.6g}. "
                f"{BRANCH}"
            )

    def penalised(self) -> tuple[float, np.ndarray]:
        """The penalty and its gradient by all parameters."""
        cost, gradient = self._code.value_and_grad()
        return cost, gradient


class Codes:
    """All compiled code of a run, held against the engine before it, in it and at its end.

    Args:
        trainer: what trains.
        examples, held_out: what it learns from and is judged by.

    Attributes:
        learning, judging: the cost of the examples, and of those held out if there are any.
        penalty: the code of the penalty if there is one.

    Raises:
        DifferentError: the code gives other numbers than the engine.
        Exception: whatever keeps it from being compiled.
    """

    def __init__(self, trainer: Trainer, examples: Examples, held_out: Examples | None) -> None:
        self._began, self._spent = time.perf_counter(), 0.0
        seed_dropouts(trainer.model, "check")  # they have generators of their own from now on
        self.learning = Code(trainer.model, trainer.loss, examples)
        self.judging = Code(trainer.model, trainer.loss, held_out, False) if held_out else None
        self.penalty = PenaltyCode(trainer.model, trainer.penalty) if trainer.penalty else None
        for code in self._costs():
            rows = code.probes.next(len(code.probes.telling) + OTHERS)
            code.check(rows)
            if code is self.learning:
                code.check(rows[:SLOPES], training=True, slopes=True)
                code.check(rows[SLOPES:], training=True)
        self._check_penalty()

    def check(self, at_least: int = 0) -> None:
        """Hold code against the engine on other examples, as long as it takes little time.

        Raises:
            DifferentError: they differ.
        """
        began, checked = time.perf_counter(), 0
        allowed = SHARE * (began - self._began) - self._spent
        while checked < at_least or (checked < MOST and time.perf_counter() - began < allowed):
            self.learning.check(self.learning.probes.next(1), training=True)
            for code in self._costs():
                code.check(code.probes.next(1))
            checked += 1
        if checked:
            self._check_penalty()
        self._spent += time.perf_counter() - began

    def renew(self, epoch: int) -> None:
        """Compile anew what was changed from outside since the last epoch.

        Raises:
            DifferentError: the new code gives other numbers than the engine, too.
        """
        try:
            self.look(epoch)
        except DifferentError:
            for code in self._costs():
                code.compile()
            if self.penalty is not None:
                self.penalty.compile()
            self.look(epoch)

    def look(self, epoch: int) -> None:
        """Hold code against the engine on the examples whose turn it is in this epoch.

        Raises:
            DifferentError: they differ.
        """
        for code in self._costs():
            telling = code.probes.telling
            code.check([telling[(epoch + k) % len(telling)] for k in range(2)])
        self._check_penalty()

    def _costs(self) -> list[Code]:
        return [self.learning, *([self.judging] if self.judging else [])]

    def _check_penalty(self) -> None:
        if self.penalty is not None:
            self.penalty.check()


def _outputs(found: np.ndarray) -> list[Any]:
    outputs: list[Any] = found[:, 1].tolist() if found.shape[1] == 2 else found[:, 1:].tolist()
    return outputs


def _what(k: int, count: int, slopes: int) -> str:
    """What the k-th of these numbers is: the cost, an output, or a slope by a parameter."""
    if k == 0:
        return "cost"
    outputs = count - slopes
    return f"output {k - 1}" if k < outputs else f"slope by parameter {k - outputs}"
