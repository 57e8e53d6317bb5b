"""The result of each demo at its default seed and at ten others.

`python -m tests.benchmarks.demos` runs two demos at a time, for about a quarter of an hour.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from statistics import median
from typing import NamedTuple

from ..demo_runs import TARGETS, demo
from . import __main__ as tables

SEEDS = range(11)  # the default and ten others


class Result(NamedTuple):
    """One run: the number of the target, the claims that do not hold, seconds with pictures."""

    number: float
    refuted: list[str]
    seconds: float


def result(name: str, seed: int) -> Result:
    """Run a demo with its defaults and this seed."""
    run = demo(name).main
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as out:
        numbers = run(seed=seed, out=out)
    seconds = time.perf_counter() - began
    refuted = [claim for claim, holds in numbers.get("claims", {}).items() if not holds]
    return Result(TARGETS[name].number(numbers), refuted, seconds)


def main(names: list[str]) -> None:
    """Print a row for each demo."""
    tables.title(f"What the demos reach at the default seed, and at {len(SEEDS) - 1} others")
    tables.row("", "default", "lowest", "reached", "claims hold", "s, median")
    with ProcessPoolExecutor(2) as pool:
        for name in names or TARGETS:
            target = TARGETS[name]
            found = list(pool.map(result, [name] * len(SEEDS), SEEDS))
            default, others = found[0], found[1:]
            reached = sum(one.number >= target.least for one in others)
            claimed = sum(not one.refuted for one in others)
            tables.row(
                f"{name}: {target.text}",
                f"{default.number:,.3f}",
                f"{min(one.number for one in found):,.3f}",
                f"{reached} of {len(others)}",
                f"{claimed} of {len(others)}",
                f"{median(one.seconds for one in found):.1f}",
            )
            for seed, one in zip(SEEDS, found):
                if one.refuted:
                    print(f"    seed {seed}: not {', '.join(one.refuted)}")
            tables.verdict(
                f"{name}, by default and for 9 of 10 other seeds",
                default.number >= target.least
                and not default.refuted
                and min(reached, claimed) >= 9,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
