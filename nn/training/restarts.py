"""Training from several random starts, possibly in parallel processes."""

from __future__ import annotations

import contextlib
import copy
import math
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..data import Examples, split
from ..labels import Labels, numbered
from .history import History

if TYPE_CHECKING:
    from .trainer import Trainer

INTERRUPTED = "interrupted by Ctrl-C"


class Trained(NamedTuple):
    """The cost after training from one start, the history, and the weights."""

    cost: float
    history: History
    weights: dict[str, np.ndarray]


def split_once(
    X: Any, y: Any, labels: Labels | None, share: Any, seed: int
) -> tuple[Any, Any, tuple[Any, Any]]:
    """Hold out a share of the examples, the same for all starts.

    Returns:
        X and y of the training examples, and the pair (X, y) of those held out, with the labels.
    """
    examples, held_out = split(Examples.of(X, numbered(y, labels)), share, seed)
    assert held_out is not None
    learned, judged = (
        table.y if labels is None else labels.named(table.y) for table in (examples, held_out)
    )
    return examples.X, learned, (held_out.X, judged)


def train_from(
    trainer: Trainer,
    starts: Sequence[int],
    arguments: Any,
    settings: dict[str, Any],
    n_jobs: int | None,
) -> list[Trained]:
    """Train copies of a trainer, each from the weights that one of the seeds draws.

    Ctrl-C ends the training. If there is one process, the interrupted start is returned, too.
    """
    import joblib  # takes a fifth of the time of `import nn`, and is rarely needed

    one, found = joblib.delayed(_train), []
    backend, _ = joblib.parallel.get_active_backend()
    return_as = "generator" if backend.supports_return_generator else "list"
    parallel = joblib.Parallel(n_jobs=n_jobs, return_as=return_as)
    calls = (one(copy.deepcopy(trainer), start, arguments, settings) for start in starts)
    with contextlib.suppress(KeyboardInterrupt), _away_from_here():
        for result in parallel(calls):
            found.append(result)
            if result.history.stop_reason.startswith(INTERRUPTED):
                break
    return found


def _train(
    trainer: Trainer, seed: int, arguments: tuple[Any, ...], settings: dict[str, Any]
) -> Trained:
    """Train from one random start, possibly in another process."""
    trainer._restart(seed)
    history = trainer.fit(*arguments, seed=seed, **settings)
    try:
        cost, _ = trainer.evaluate(*(settings.get("validation") or arguments[:2]))
    except (ArithmeticError, ValueError):
        cost = math.inf
    return Trained(cost if cost == cost else math.inf, history, trainer.model.state_dict())


@contextlib.contextmanager
def _away_from_here() -> Iterator[None]:
    """Keep new Python processes from importing from the current folder (Python 3.11 and later).

    Otherwise a worker would import a file of the user's that happens to be named `joblib.py`.
    Workers still find the user's modules, because joblib passes them this process's import path.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        os.environ.pop("PYTHONSAFEPATH", None)
        if before is not None:
            os.environ["PYTHONSAFEPATH"] = before
