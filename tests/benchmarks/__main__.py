"""Run all benchmarks and print each number beside its target.

AUTOGRAD_DATA names a folder with `mnist/` and `names.txt`. Benchmarks that lack their data, or a
library to compare with (micrograd, CasADi, PyTorch), or Chromium, are left out.
"""

from __future__ import annotations

import os
import platform
import sys
from math import prod
from pathlib import Path
from statistics import median

from autograd.core.twin import choice

from ..browsing import CHROMIUM, NO_BROWSER, chromium
from . import compiled, convolution, names, pages, scaling, timing, training, workloads

WORKLOADS = {
    "network": "2-16-16-1 network on 100 points",
    "gpt": "one-layer GPT step on 8 tokens",
    "image": "one image through 784-16-16-10",
}


def main() -> None:
    """Print the tables that the command line names, by default all of them."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    asked = sys.argv[1:] or ["engine", "compiled", "training", "pages"]
    if "engine" in asked:
        print_engine()
    if "compiled" in asked:
        print_compiled()
    if "training" in asked:
        print_training()
    if "pages" in asked:
        print_pages()


def print_engine() -> None:
    """Print the tables of the engine: beside other engines and floats, then depth and size."""
    print(f"core: {choice.reason}")
    print_speed()
    print_by_hand()
    print_memory()
    print_depth()
    print_flatness()
    print_tools()


def print_speed() -> None:
    """Print the time of the engines on the workloads."""
    title(f"Milliseconds a step: forward, backward, freeing (median of {timing.TURNS} turns)")
    row("same losses and gradients to 1e-9", "micrograd", "autograd", "plain Python")
    ratios: dict[str, list[float]] = {"autograd": [], "plain_python": []}
    for workload, called in WORKLOADS.items():
        seconds = timing.race(workload, "micrograd", *ratios)
        row(called, *(f"{1000 * taken:,.1f}" for taken in seconds.values()))
        for engine, found in ratios.items():
            found.append(seconds["micrograd"] / seconds[engine])
    means = {engine: prod(found) ** (1 / len(found)) for engine, found in ratios.items()}
    row("times as fast, geometric mean", "", *(f"{mean:.1f}x" for mean in means.values()))
    verdict("a geometric mean of at least 100x", means["autograd"] >= 100.0)
    verdict("at least 12x in plain Python", means["plain_python"] >= 12.0)

    step, forward = timing.race_floats()
    row("a step of the network", "", f"{1000 * step:.2f}")
    row("its forward pass on floats", "", f"{1000 * forward:.2f}", f"{step / forward:.2f}x")
    verdict("at most 2.5x the forward pass on floats", step <= 2.5 * forward)

    seconds = timing.race("gpt", "slotted", "autograd")
    row("the GPT with a public class of its own", "", f"{1000 * seconds['slotted']:.1f}")
    ratio = seconds["slotted"] / seconds["autograd"]
    row("with this one", "", f"{1000 * seconds['autograd']:.1f}", f"{ratio:.1f}x")
    verdict("at least 12x as fast", ratio >= 12.0)


def print_by_hand() -> None:
    """Print the time of nodes that a program makes by hand."""
    title("Nanoseconds a node made by hand, forward, backward and freeing")
    row("", "micrograd", "autograd", "ratio")
    for workload, called in {"by_hand": "with a _backward", "by_derivatives": "given"}.items():
        seconds = timing.race(workload, "micrograd", "autograd")
        ratio = seconds["micrograd"] / seconds["autograd"]
        row(
            called,
            *(f"{1e9 * x / workloads.CHAIN:,.0f}" for x in seconds.values()),
            f"{ratio:.2f}x",
        )
        verdict("at least 2x as fast", ratio >= 2.0)


def print_memory() -> None:
    """Print the memory of the engines on the first workload."""
    title(f"Bytes a node: {WORKLOADS['network']}, parameters included")
    row("", "micrograd", "autograd", "ratio")
    micrograd, autograd = timing.weigh("network", "micrograd", "autograd").values()
    row("nodes", f"{micrograd.nodes:,}", f"{autograd.nodes:,}")
    for what, field in (("held after backward", "held"), ("most held on the way", "peak")):
        theirs, ours = getattr(micrograd, field), getattr(autograd, field)
        row(what, f"{theirs:.1f}", f"{ours:.1f}", f"{theirs / ours:.2f}x")
    verdict("at most 100 bytes held after backward", autograd.held <= 100.0)


def print_depth() -> None:
    """Print the time and the memory of this engine on a very deep chain."""
    title(f"Seconds for a chain {scaling.DEPTH:,} operations deep")
    seconds, gigabytes = scaling.deep_chain_apart()
    for what, taken in seconds.items():
        row(what, "", "", f"{taken:.2f}")
    row("in all", "", f"{gigabytes:.2f} GB", f"{sum(seconds.values()):.2f}")
    reached = sum(seconds.values()) < 6.0 and gigabytes < 1.2
    verdict("less than 6 s and 1.2 GB", reached)


def print_flatness() -> None:
    """Print the time per node of this engine on graphs from small to large."""
    title("Microseconds a node: forward, backward, freeing")
    row("nodes in the graph", "", "collector on", "collector off")
    on, off = scaling.seconds_a_node(), scaling.seconds_a_node_uncollected()
    for size in scaling.SIZES:
        row(f"{size:,}", "", f"{1e6 * on[size]:.3f}", f"{1e6 * off[size]:.3f}")
    spreads = [max(times.values()) / min(times.values()) for times in (on, off)]
    row("slowest to fastest", "", *(f"{spread:.2f}x" for spread in spreads))
    verdict("within 1.5x, collector off: the engine's own part", round(spreads[1], 1) <= 1.5)
    verdict("within 1.5x, collector on: it scans live nodes anew", spreads[0] <= 1.5)


def print_tools() -> None:
    """Print the time that the teaching tools take for a large graph."""
    title(f"Seconds for a graph of {scaling.LARGE:,} nodes")
    for what, taken in scaling.tool_seconds().items():
        row(what, "", "", f"{taken:.2f}")
        verdict("less than 1 s", taken < 1.0)


def print_compiled() -> None:
    """Print the tables of compiled code, compared with other libraries."""
    data = os.environ.get("AUTOGRAD_DATA", "")
    title("Microseconds a step of SGD: 784-16-16-10, 32 images, float64")
    seconds = print_turns(compiled.in_turns(compiled.sgd_peers(), 50))
    ours = seconds["compiled"]
    verdict("at most 1.3x the time of NumPy by hand", ours <= 1.3 * seconds["NumPy by hand"])
    if "PyTorch, 2 threads" in seconds:
        verdict("at least 2x as fast as PyTorch", seconds["PyTorch, 2 threads"] >= 2 * ours)
    ratio = compiled.micrograd_seconds() / (ours / compiled.BATCH)
    row("micrograd, an image", "", "", f"{ratio:,.0f}x")
    verdict("at least 40,000x as fast as micrograd, an image", ratio >= 40_000)

    for side, kernel, steps in ((8, 3, 50), (28, 5, 10)):
        title(f"Microseconds a step of SGD: 8 filters {kernel}×{kernel} on 32 images {side}×{side}")
        seconds = print_turns(compiled.in_turns(convolution.peers(side, kernel), steps))
        ours = seconds["compiled"]
        verdict("at most 2x the time of NumPy by hand", ours <= 2 * seconds["NumPy by hand"])
        if "PyTorch, 2 threads" in seconds:
            verdict("as fast as PyTorch", ours <= seconds["PyTorch, 2 threads"])

    title("Microseconds a step: one-layer GPT on 8 characters of names")
    path = Path(data, "names.txt")
    known = path.read_text().split()[:2] if data and path.exists() else ["emma", "olivia"]
    seconds = print_turns(compiled.in_turns(compiled.gpt_peers(known), 3))
    ours = seconds["compiled"]
    verdict("at least 25x as fast as the engine", seconds["engine"] >= 25 * ours)
    verdict("at most 4x the time of NumPy by hand", ours <= 4 * seconds["NumPy by hand"])

    title("Microseconds a call of a neuron with two inputs on one row")
    seconds = print_turns(compiled.in_turns(compiled.neuron_peers(), 1_000))
    least = seconds["its NumPy statements"]
    verdict("at most 5 µs over its NumPy statements", seconds["compiled"] - least <= 5e-6)

    for widths, steps in (([2, 16, 16, 1], 20), ([784, 16, 16, 10], 2)):
        title(f"Microseconds for the outputs of {'-'.join(map(str, widths))}, 10,000 rows")
        seconds = print_turns(compiled.in_turns(compiled.predict_peers(widths), steps))
        verdict("at most 1.1x the call", seconds["predict"] <= 1.1 * seconds["compiled call"])

    title("Seconds for 1,000 steps of the GPT, words of 12 lengths, compiling included")
    totals = names.seconds()
    for name, taken in totals.items():
        row(name, "", f"{taken:.2f}", f"{taken / totals['compiled']:.2f}x")
    verdict("at most 2.5 s", totals["compiled"] <= 2.5)

    title("Microseconds for an irregular graph of 100,000 nodes, 256 rows")
    seconds = print_turns(compiled.in_turns(compiled.irregular_peers(100_000, 256), 1))
    if len(seconds) > 1:
        reached = seconds["CasADi SX, mapped"] >= 2 * seconds["compiled"]
        verdict("at least 2x as fast as CasADi", reached)

    title("Seconds to trace and compile value and gradient")
    found = compiled.compiling_seconds((16, 80, 402))
    for nodes, taken in found.items():
        row(f"{nodes:,} nodes", "", f"{taken:.2f}", f"{1e6 * taken / nodes:.1f} µs each")
    few, *_, many = found.values()
    verdict("at most 0.10 s for 40,000 nodes", few <= 0.1)
    verdict("at most 2.5 s for 1,000,000", many <= 2.5)
    held = compiled.compiling_memory_apart(402)
    row("1,000,000 nodes, bytes each on the way", "", f"{held:.0f}")
    verdict("at most 300 bytes a node on the way", held <= 300.0)

    title("Bytes while running 784-16-16-10, to those of inputs, outputs and live values")
    for rows in (32, 1_000, 10_000):
        peak, live = compiled.memory(rows)
        row(f"{rows:,} rows", f"{peak:,.0f}", f"{live:,.0f}", f"{peak / live:.2f}x")
        verdict("at most 2x", peak <= 2 * live)

    if data and Path(data, "mnist").exists():
        title("MNIST, written scalar by scalar: all of it, compiling included")
        for seed in range(3):
            share, taken = compiled.mnist(Path(data, "mnist"), seed)
            row(f"seed {seed}: right of 10,000 unseen", "", f"{share:.4f}", f"{taken:.1f} s")
            verdict("at least 0.96 in at most 6 s", share >= 0.96 and taken <= 6.0)


def print_training() -> None:
    """Print the time of a training step beside its bare code and other libraries."""
    title("Microseconds a step of fit: 2-16-16-1, SGD, batches of 10 of 1,000 points")
    seconds = print_turns(training.seconds_a_step(training.points()))
    ours = seconds["fit"]
    verdict("at most 1.25x the time of the bare code", ours <= 1.25 * seconds["the bare code"])
    if "scikit-learn" in seconds:
        verdict("at most half the time of scikit-learn", ours <= 0.5 * seconds["scikit-learn"])
    if "PyTorch, 1 thread" in seconds:
        reached = ours <= 0.35 * seconds["PyTorch, 1 thread"]
        verdict("at most 0.35x the time of PyTorch", reached)
    if "scikit-learn" in seconds:
        print_estimators()
        title("Microseconds a step of fit: digits, 64-16-16-10, Adam, batches of 32")
        seconds = print_turns(training.seconds_a_step(training.digits()))
        reached = seconds["fit"] <= 0.8 * seconds["scikit-learn"]
        verdict("at most 0.8x the time of scikit-learn", reached)


def print_estimators() -> None:
    """Print the time and the accuracy of the estimators beside scikit-learn's."""
    from . import estimators  # needs scikit-learn

    title("Milliseconds a fit, compiling included, 16-16 hidden neurons, standardised, 3 folds")
    row("", "autograd", "scikit-learn", "", "accuracies")
    slowest = 0.0
    for name in estimators.DATA:
        ours, theirs = estimators.race(name)
        ratio = ours.seconds / theirs.seconds
        slowest = max(slowest, ratio)
        times = f"{1000 * ours.seconds:.0f}", f"{1000 * theirs.seconds:.0f}", f"{ratio:.2f}x"
        row(name, *times, f"{ours.accuracy:.3f} {theirs.accuracy:.3f}")
        verdict("an accuracy at most a point lower", ours.accuracy > theirs.accuracy - 0.01)
    verdict("at most 1.5x the time of scikit-learn", slowest <= 1.5)


def print_pages() -> None:
    """Print the times of pages in a browser, from small graphs to large."""
    title("Milliseconds of a page: written, first seen, a step, its worst, unfolding")
    if CHROMIUM is None:
        print(NO_BROWSER)
        return
    with chromium() as browser:
        for name, root in pages.graphs():
            found = pages.times(browser, root)
            cells = [found.write, found.paint, found.step, found.step_worst, found.unfold]
            texts = ["" if x is None else f"{1000 * x:,.1f}" for x in cells]
            print(f"{name + f', {found.nodes:,} nodes':<28}" + "".join(f"{x:>10}" for x in texts))
            if name == "the chain":
                verdict("the chain is seen within 0.5 s", found.paint < 0.5)
            verdict("a step within 16 ms", found.step < 0.016)
        steps, redrawings = pages.playground_times(browser)
    title("Milliseconds of the playground, 2-8-8-1 on 500 points: least, median")
    for name, seconds, most in (
        ("a step on all points", steps, 0.002),
        ("the planes redrawn", redrawings, 0.008),
    ):
        row(name, f"{1000 * min(seconds):.2f}", f"{1000 * median(seconds):.2f}")
        verdict(f"within {1000 * most:g} ms", median(seconds) < most)


def print_turns(seconds: dict[str, float]) -> dict[str, float]:
    """Print each peer's time and its ratio to the first, which is ours; return the times."""
    ours = next(iter(seconds.values()))
    for name, taken in seconds.items():
        row(name, "", f"{1e6 * taken:,.1f}", f"{taken / ours:.2f}x")
    return seconds


def title(text: str) -> None:
    """Print the heading of a table."""
    print(f"\n{text}\n{'-' * 80}", flush=True)


def row(name: str, *cells: str) -> None:
    """Print one line of a table."""
    print((f"{name:<38}" + "".join(f"{cell:>14}" for cell in cells)).rstrip(), flush=True)


def verdict(target: str, reached: bool) -> None:
    """Print a target and whether it was reached."""
    print(f"target: {target:<56}{'reached' if reached else 'NOT REACHED':>16}", flush=True)


if __name__ == "__main__":
    main()
