"""Compiled costs, and their comparison with the engine.

`Run` uses `Codes` for one training run. The compiler refuses most models that branch on numbers or
change between calls, but it cannot detect all of them (see `autograd.compile`). Therefore the code
is compared with the engine before, during and after training; `DifferentError` reports a
difference.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import autograd
from autograd import TraceError, Value, no_grad

from .. import losses
from ..costs import cost_of, depends_on
from ..data import Examples
from ..layers import seed_dropouts
from ..loss_modules import function_of
from ..modes import evaluating, mode
from ..module import Module
from ..probes import Probes, unlike
from ..targets import one_hot

if TYPE_CHECKING:
    from .trainer import Trainer

OTHERS = 3  # examples checked before training, in addition to `Probes.telling`
SLOPES = 3  # examples among them whose gradient is checked as well
LAST = 4  # examples checked at the end, at least
MOST = 32  # examples checked after an epoch, at most
AGAIN = 8  # engine runs that decide whether the engine itself draws at random
SHARE = 0.03  # the largest share of a run's time for the checks after epochs
LOOKS = 0.5  # seconds that the checks around callbacks may always take
BRANCH = "Does it branch on a number, or change from one call to the next?"
CHANCE = "The engine itself gives another number each time: does it draw at random?"


class DifferentError(Exception):
    """Compiled code gives other numbers than the engine."""


class Code:
    """Compiled code for the costs, outputs and gradients of many examples at once.

    Args:
        model: the model.
        loss: the cost of one example.
        examples: the examples.
        learns: True if the code is to run in training mode as well.
        like: a `Code` of the same model and loss whose compiled function is shared.

    Raises:
        Exception: any error that prevents compilation.
    """

    def __init__(
        self,
        model: Module,
        loss: Callable[[Any, Any], Value],
        examples: Examples,
        learns: bool = True,
        like: Code | None = None,
    ) -> None:
        self.model, self.loss, self.examples = model, loss, examples
        self._learns, self._like = learns, like
        self._params = model.parameters()  # stay the same even if callbacks add parameters
        self._cost = _cost_by(model, loss)  # runs on the engine
        self._programs: dict[bool, Any] = {}  # the last program in training, and in evaluation
        self.X, self.y, self._loss = examples.X, np.array(examples.y, dtype=float), loss
        if function_of(loss) is losses.cross_entropy and self.y.ndim == 1:
            # A class index that is an argument cannot index a list. A one-hot vector can select.
            with evaluating(model):
                self.y = one_hot(examples.y, len(model(self.X[0].tolist())))
            self._loss = losses.chosen_surprisal
        self.probes = Probes(self.X, self.y)
        self.compile()

    def compile(self) -> None:
        """Compile the cost, for evaluation and if needed for training.

        Raises:
            Exception: any error that prevents compilation.
        """
        self._code: Any = self._like._code if self._like is not None else self._compiled()
        for training in (False, True) if self._learns else (False,):
            self._run(self._code, self.probes.telling, training)

    def _compiled(self) -> Any:
        cost = autograd.compile(params=self._params, has_aux=True, allow_unused=True)
        return cost(_cost_by(self.model, self._loss))

    def judged(self, chosen: Sequence[int] | slice) -> tuple[np.ndarray, list[Any]]:
        """Compute the cost and the outputs of each chosen example in evaluation mode."""
        found = self._run(self._code, chosen, training=False)
        return found[:, 0], _outputs(found)

    def learned(self, chosen: Sequence[int]) -> tuple[np.ndarray, list[Any], np.ndarray]:
        """Compute costs, outputs and the gradient of the mean cost in training mode."""
        found, gradient = self._run(self._code.value_and_grad, chosen, training=True)
        return found[:, 0], _outputs(found), gradient

    def descended(self, chosen: Sequence[int] | slice) -> tuple[np.ndarray, np.ndarray]:
        """Compute costs and the gradient of the mean cost in evaluation mode."""
        found, gradient = self._run(self._code.value_and_grad, chosen, training=False)
        return found[:, 0], gradient

    def _run(self, code: Callable[..., Any], chosen: Any, training: bool) -> Any:
        """Run code on the chosen examples, and note which program has run."""
        with mode(self.model, training):
            found = code(self.X[chosen], self.y[chosen])
        self._programs[training] = self._code.program
        return found

    def is_one_for_both(self) -> bool:
        """Return True if training and evaluation have last run the same program."""
        return self._programs.get(True) is self._programs.get(False)

    # ------------------------------------------------------------------ comparison with the engine

    def check(self, rows: Sequence[int], training: bool = False, slopes: bool = False) -> None:
        """Compare costs and outputs of some examples with the engine's.

        An example is skipped if two runs of the code differ: the code then draws random numbers
        from generators other than the dropouts', which cannot be restarted.

        Args:
            rows: the indices of the examples.
            training: True to compare in training mode.
            slopes: True to compare the gradients as well.

        Raises:
            DifferentError: they differ. The error names the example, both numbers and the likely
                cause.
        """
        for row in rows:
            found, again = (self._by_code(row, training, slopes) for _ in range(2))
            wanted = self._by_engine(row, training, slopes)
            if wanted is None:
                continue  # training reports costs that cannot be computed
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
        """Compute cost, outputs and slopes of an example; return the error if this fails."""
        seed_dropouts(self.model, "check")
        code = self._code.value_and_grad if slopes else self._code
        try:
            found = self._run(code, [row], training)
        except (ArithmeticError, TraceError, ValueError) as error:
            return error
        return np.concatenate([np.ravel(part) for part in found]) if slopes else np.ravel(found)

    def _by_engine(self, row: int, training: bool, slopes: bool) -> np.ndarray | None:
        """Compute the same with the engine; return None if this fails."""
        seed_dropouts(self.model, "check")
        gradient: tuple[Any, ...] = ()
        with mode(self.model, training), contextlib.nullcontext() if slopes else no_grad():
            try:
                computed = self._cost(*self.examples[row])
                if slopes and depends_on(computed[0], self._params):
                    gradient = autograd.grad(computed[0], self._params, allow_unused=True)
                elif slopes:
                    gradient = (0.0,) * len(self._params)
            except (ArithmeticError, ValueError):
                return None
        return np.array([*(v.data for v in computed), *(slope or 0.0 for slope in gradient)])


class PenaltyCode:
    """Compiled code for a penalty and its gradient.

    Args:
        model: the model.
        penalty: a function of the model that returns a Value.
    """

    def __init__(self, model: Module, penalty: Callable[[Any], Value]) -> None:
        self.model, self._params = model, model.parameters()

        def cost() -> Value:
            return cost_of(penalty(model), "penalty")

        self._cost = cost
        self.compile()

    def compile(self) -> None:
        """Make a new compiled function. It traces the penalty when it is called first."""
        self._code = autograd.compile(self._cost, params=self._params, allow_unused=True)

    def check(self) -> None:
        """Compare the penalty with the engine's.

        Raises:
            DifferentError: they differ. The error gives both numbers.
        """
        try:
            with evaluating(self.model):
                wanted = self._cost().data
            found, _ = self.penalised()
        except (ArithmeticError, TraceError, ValueError):
            return  # training reports a penalty that cannot be computed
        if len(unlike(found, wanted)):
            raise DifferentError(
                f"the compiled code gives {found:.6g} as penalty and the engine {wanted:.6g}. "
                f"{BRANCH}"
            )

    def penalised(self) -> tuple[float, np.ndarray]:
        """Compute the penalty and its gradient for all parameters."""
        cost, gradient = self._code.value_and_grad()
        return cost, gradient


class Codes:
    """All compiled code of a training run. It is compared with the engine when it is made.

    Args:
        trainer: the trainer.
        examples: the training examples.
        held_out: the held-out examples; None if there are none.

    Attributes:
        learning: the cost of the training examples.
        judging: the cost of the held-out examples; None if there are none.
        penalty: the penalty; None if there is none.

    Raises:
        DifferentError: the code gives other numbers than the engine.
        Exception: any error that prevents compilation.
    """

    def __init__(self, trainer: Trainer, examples: Examples, held_out: Examples | None) -> None:
        self._began, self._spent, self._looked = time.perf_counter(), 0.0, 0.0
        seed_dropouts(trainer.model, "check")  # before compiling: gives each dropout its generator
        self.learning = Code(trainer.model, trainer.loss, examples)
        self.judging = (
            Code(trainer.model, trainer.loss, held_out, learns=False, like=self.learning)
            if held_out
            else None
        )
        self.penalty = PenaltyCode(trainer.model, trainer.penalty) if trainer.penalty else None
        for code in self._costs():
            rows = code.probes.next(len(code.probes.telling) + OTHERS)
            if code is self.learning:
                code.check(rows[:SLOPES], training=True, slopes=True)
                if not code.is_one_for_both():
                    code.check(rows[:SLOPES])
                rows = rows[SLOPES:]
            self._check(code, rows)
        self._check_penalty()

    def check(self, at_least: int = 0) -> None:
        """Compare the code with the engine on further examples, as far as the time allows.

        Args:
            at_least: the number of examples to compare whatever time it takes.

        Raises:
            DifferentError: they differ.
        """
        began, checked = time.perf_counter(), 0
        allowed = SHARE * (began - self._began) - self._spent
        while checked < at_least or (checked < MOST and time.perf_counter() - began < allowed):
            for code in self._costs():
                self._check(code, code.probes.next(1))
            checked += 1
        if checked:
            self._check_penalty()
        self._spent += time.perf_counter() - began

    def _check(self, code: Code, rows: list[int]) -> None:
        code.check(rows)
        if code is self.learning and not code.is_one_for_both():
            code.check(rows, training=True)

    def look(self, epoch: int) -> None:
        """Compare the code with the engine before callbacks run, if the time allows.

        Raises:
            DifferentError: they differ.
        """
        elapsed = time.perf_counter() - self._began
        self._looks = self._looked < max(LOOKS, SHARE * elapsed)
        if self._looks:
            self._look(epoch)

    def renew(self, epoch: int) -> None:
        """Compare again after the callbacks, and compile again if the numbers differ now.

        Raises:
            DifferentError: the new code differs from the engine, too.
        """
        if not self._looks:
            return
        try:
            self._look(epoch)
        except DifferentError:
            for code in self._costs():
                code.compile()
            if self.penalty is not None:
                self.penalty.compile()
            self._look(epoch)

    def _look(self, epoch: int) -> None:
        """Compare on two of the telling examples, others in each epoch, and on the penalty."""
        began = time.perf_counter()
        for code in self._costs():
            telling = code.probes.telling
            code.check([telling[(epoch + k) % len(telling)] for k in range(2)])
        self._check_penalty()
        self._looked += time.perf_counter() - began

    def _costs(self) -> list[Code]:
        return [self.learning, *([self.judging] if self.judging else [])]

    def _check_penalty(self) -> None:
        if self.penalty is not None:
            self.penalty.check()


def _cost_by(model: Module, loss: Callable[[Any, Any], Value]) -> Callable[[Any, Any], list[Value]]:
    """Return a function that computes the cost of an example, followed by its outputs.

    The compiler watches everything that the function reads, so it reads only the model and the
    loss.
    """

    def cost(x: Any, y: Any) -> list[Value]:
        outputs = model(x)
        cost = cost_of(loss(outputs, y), "loss")
        return [cost, outputs] if isinstance(outputs, Value) else [cost, *outputs]

    return cost


def _outputs(found: np.ndarray) -> list[Any]:
    outputs: list[Any] = found[:, 1].tolist() if found.shape[1] == 2 else found[:, 1:].tolist()
    return outputs


def _what(k: int, count: int, slopes: int) -> str:
    """Name the k-th compared number: the cost, an output, or the slope by a parameter."""
    if k == 0:
        return "cost"
    outputs = count - slopes
    return f"output {k - 1}" if k < outputs else f"slope by parameter {k - outputs}"
