"""`History`: the numbers of a training run, epoch by epoch, and their JSON form.

`Trainer.fit` fills and returns it; pages, plots and the diagnosis read it.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from autograd.extend import markup, read_whole, terminal, write_whole

from ..files import json_of
from ..settings import instance, whole
from .answers import Answers
from .curve import curve
from .snapshots import Snapshot, check_snapshots
from .typed import typed

if TYPE_CHECKING:
    from ..methods import OfHistory

    AnswersOrNone = Answers | Any  # so that a use needs no check for None
else:
    OfHistory = object
    AnswersOrNone = Answers | None  # `typed` reads it

ROWS = 12  # a longer history is printed with a gap in the middle


@dataclass(repr=False)
class History(OfHistory):
    """The numbers of a training run. Each list has one item per epoch, except `step_losses`.

    Attributes:
        seed: the seed of the shuffling.
        losses: the mean cost over the epoch's batches, penalty included. Each batch's cost is
            computed before its step.
        accuracies: the share of right answers in the same batches; None if the loss does not
            define a right answer.
        validation_losses, validation_accuracies: on the held-out examples, after the epoch.
        learning_rates: the learning rate during the epoch.
        gradient_norms: for each layer, the mean over the batches of its gradient's norm √Σg².
        step_losses: the cost of each batch, before its step.
        seconds: the duration of the epoch.
        kept_epoch: the epoch whose weights the model has now: the last, or with early stopping
            the best; 0 if no epoch was finished.
        stop_reason: why training ended.
        not_compiled: why training ran on the engine instead of compiled code; "" if it did not.
        snapshots: the parameters before training and after some epochs, including the last.
        answers: how the outputs are interpreted. `history.answers.of(outputs)` converts the
            outputs of `model.predict` to answers.
        batch_size: the number of examples per step; 0 if unknown, as in files of older versions.
        optimizer, momentum: the name of the optimiser's class; its momentum, 0 if it has none.

    >>> history = History(seed=0, losses=[0.7, 0.4], accuracies=[0.5, 0.9],
    ...                   learning_rates=[0.1, 0.1], stop_reason="all 2 epochs done")
    >>> print(history)
    epoch          loss  accuracy        lr
        1           0.7     50.0%       0.1
        2           0.4     90.0%       0.1
    all 2 epochs done
    """

    seed: int = 0
    losses: list[float] = field(default_factory=list)
    accuracies: list[float | None] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    validation_accuracies: list[float | None] = field(default_factory=list)
    learning_rates: list[float] = field(default_factory=list)
    gradient_norms: dict[str, list[float]] = field(default_factory=dict)
    step_losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    kept_epoch: int = 0
    stop_reason: str = ""
    not_compiled: str = ""
    snapshots: list[Snapshot] = field(default_factory=list)
    answers: AnswersOrNone = None
    batch_size: int = 0
    optimizer: str = ""
    momentum: float = 0.0

    @property
    def epochs(self) -> int:
        """The number of finished epochs."""
        return len(self.losses)

    def add(self, **numbers: Any) -> None:
        """Append an epoch's numbers to the lists of the same names: all or, if interrupted, none.

        >>> history = History()
        >>> history.add(losses=0.5, accuracies=None, gradient_norms={"layers.0": 0.1})
        >>> history.losses, history.gradient_norms
        ([0.5], {'layers.0': [0.1]})
        """
        unknown = [name for name in numbers if not isinstance(getattr(self, name, 0), (list, dict))]
        if unknown:
            raise TypeError(f"a History has no list {unknown[0]!r} to append to")
        norms = instance(numbers.pop("gradient_norms", {}), dict, "gradient_norms are by layer")
        pairs = [(getattr(self, name), x) for name, x in numbers.items()]
        pairs += [(self.gradient_norms.setdefault(name, []), x) for name, x in norms.items()]
        lengths = [len(column) for column, _ in pairs]
        try:
            for column, x in pairs:
                column.append(x)
        except BaseException:
            for (column, _), length in zip(pairs, lengths):
                del column[length:]
            raise

    def cut(self, epochs: int, steps: int) -> None:
        """Keep the first `epochs` epochs and `steps` steps, and delete the rest.

        >>> history = History(losses=[0.5, 0.4], step_losses=[0.6, 0.4])
        >>> history.cut(epochs=1, steps=2)
        >>> history.losses, history.step_losses
        ([0.5], [0.6, 0.4])
        """
        epochs, steps = whole(epochs, "epochs", 0), whole(steps, "steps", 0)
        del self.step_losses[steps:]
        for column in self._columns():
            del column[epochs:]

    def _columns(self) -> list[list[Any]]:
        """Return the lists that have one item per epoch."""
        columns: list[list[Any]] = [self.losses, self.accuracies, self.learning_rates]
        columns += [self.validation_losses, self.validation_accuracies, self.seconds]
        return [*columns, *self.gradient_norms.values()]

    @terminal.fitted
    def __str__(self) -> str:
        heads, rows = self._table()
        lines = [
            f"{epoch:>5}{''.join(map(_cell, heads[1:], cells))}".rstrip()
            for epoch, *cells in [heads, *rows]
        ]
        return "\n".join([*lines, *self._remarks()]).rstrip()

    @terminal.fitted
    def __repr__(self) -> str:
        return f"History of {self.epochs} epoch{'s' * (self.epochs != 1)}\n{self}"

    def _repr_html_(self) -> str:
        """Return the table beside a plot of the cost, as HTML."""
        heads, rows = self._table()
        lines = {"loss": self.losses, "val. loss": self.validation_losses}
        return markup.block(
            markup.beside(
                markup.table(rows, "r" * len(heads), heads),
                curve({name: line for name, line in lines.items() if line or name == "loss"}),
            ),
            *(markup.note(remark) for remark in self._remarks()),
        )

    def _table(self) -> tuple[list[str], list[list[str]]]:
        """Return the column heads, and a row for each epoch; a long table omits the middle."""
        columns: dict[str, list[Any]] = {
            "loss": self.losses,
            "accuracy": self.accuracies,
            "val. loss": self.validation_losses,
            "val. acc.": self.validation_accuracies,
            "lr": self.learning_rates,
        }
        shown = {name: x for name, x in columns.items() if any(v is not None for v in x)}
        rows = []
        for epoch in range(self.epochs):
            if self.epochs > ROWS and ROWS // 2 <= epoch < self.epochs - ROWS // 2:
                if epoch == ROWS // 2:
                    rows.append(["⋮", *("" for _ in shown)])
                continue
            cells = [
                _written(name, x[epoch] if epoch < len(x) else None) for name, x in shown.items()
            ]
            rows.append([f"{epoch + 1}", *cells])
        return ["epoch", *shown], rows

    def _remarks(self) -> list[str]:
        reason = [f"not compiled: {self.not_compiled}"] if self.not_compiled else []
        return [*reason, self.stop_reason]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the history to a JSON file, with a digest.

        Raises:
            OSError: the file cannot be written. An existing file is unchanged.
            ValueError: the history holds a NaN or an infinity, which JSON cannot represent.
        """
        write_whole(path, self.to_json().encode())

    def to_json(self) -> str:
        """Return the history as JSON, with a digest that reveals damage.

        Raises:
            ValueError: the history holds a NaN or an infinity, which JSON cannot represent.

        >>> History(seed=3).to_json().startswith('{')
        True
        """
        numbers = asdict(self)
        return json.dumps({**numbers, "digest": _digest(numbers)}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> History:
        """Make a history from the text that `to_json` returned.

        Texts of older versions, which have no digest, are accepted.

        Raises:
            ValueError: the text is not the JSON of a history, is damaged, or holds impossible
                numbers.

        >>> History.from_json(History(seed=3).to_json()).seed
        3
        """
        try:
            numbers = json_of(text)
            digest = numbers.pop("digest", None) if isinstance(numbers, dict) else None
            if digest is not None and digest != _digest(numbers):
                raise ValueError("it is damaged: its digest does not match")
            found = typed(numbers, cls, "history")
            found._check()
        except (TypeError, ValueError) as error:
            raise ValueError(f"this is not the JSON of a History: {error}") from None
        return found

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> History:
        """Read a file that `save` wrote.

        Raises:
            OSError: the file cannot be read.
            ValueError: the file is not the JSON of a history, is damaged, or holds impossible
                numbers.
        """
        return cls.from_json(read_whole(path))

    def _check(self) -> None:
        """Raise a ValueError if no training run can have these numbers."""
        shares = [*self.accuracies, *self.validation_accuracies]
        if not all(x is None or 0.0 <= x <= 1.0 for x in shares):
            raise ValueError("an accuracy is not between 0 and 1")
        if not all(x > 0.0 for x in self.learning_rates):
            raise ValueError("a learning rate is not above 0")
        sizes = [self.seconds, *self.gradient_norms.values()]
        if not all(x >= 0.0 for column in sizes for x in column):
            raise ValueError("a norm or a time is negative")
        if self.batch_size < 0 or self.momentum < 0.0:
            raise ValueError("the batch size or the momentum is negative")
        if any(len(column) > self.epochs for column in self._columns()):
            raise ValueError(f"losses has {self.epochs} epoch(s), and another list has more")
        if not 0 <= self.kept_epoch <= self.epochs:
            raise ValueError(f"kept_epoch is {self.kept_epoch}, of {self.epochs} epoch(s)")
        check_snapshots(self.snapshots, self.epochs)


def _digest(numbers: dict[str, Any]) -> str:
    text = json.dumps(numbers, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _cell(name: str, text: str) -> str:
    return f"{text:>{14 if 'loss' in name else 10}}"


def _written(name: str, x: float | None) -> str:
    if x is None:
        return "—"
    return f"{x:.1%}" if "acc" in name else f"{x:.4g}"
