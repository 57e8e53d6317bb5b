"""Run all benchmarks and print each number beside its target."""

from __future__ import annotations

import os
import platform
import sys
from math import prod

from . import scaling, timing

WORKLOADS = {
    "network": "2-16-16-1 network on 100 points",
    "gpt": "one-layer GPT step on 8 tokens",
    "image": "one image through 784-16-16-10",
}


def main() -> None:
    """Print the four tables."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    print_speed()
    print_memory()
    print_depth()
    print_flatness()


def print_speed() -> None:
    """Both engines on the three workloads."""
    title(f"Milliseconds a step: forward, backward, freeing (median of {timing.TURNS} turns)")
    row("same losses and gradients to 1e-9", "micrograd", "autograd", "ratio")
    ratios = []
    for workload, called in WORKLOADS.items():
        seconds = timing.race(workload)
        ratios.append(seconds["micrograd"] / seconds["autograd"])
        milliseconds = [f"{1000 * seconds[engine]:,.1f}" for engine in timing.ENGINES]
        row(called, *milliseconds, f"{ratios[-1]:.2f}x")
    mean = prod(ratios) ** (1 / len(ratios))
    row("geometric mean", "", "", f"{mean:.2f}x")
    verdict("a geometric mean of at least 6x", mean >= 6.0)


def print_memory() -> None:
    """Both engines on the first workload."""
    title(f"Bytes a node: {WORKLOADS['network']}, parameters included")
    row("", "micrograd", "autograd", "ratio")
    micrograd, autograd = timing.weigh("network").values()
    row("nodes", f"{micrograd.nodes:,}", f"{autograd.nodes:,}")
    for what, field in (("held after backward", "held"), ("most held on the way", "peak")):
        theirs, ours = getattr(micrograd, field), getattr(autograd, field)
        row(what, f"{theirs:.1f}", f"{ours:.1f}", f"{theirs / ours:.2f}x")
    verdict("at most 160 bytes held after backward", autograd.held <= 160.0)


def print_depth() -> None:
    """This engine on a very deep chain."""
    title(f"Seconds for a chain {scaling.DEPTH:,} operations deep")
    for what, seconds in scaling.deep_chain().items():
        row(what, "", "", f"{seconds:.2f}")
    limit = sys.getrecursionlimit()
    row("recursion limit", "", "", str(limit))
    verdict("all of it at Python's own limit of 1000", limit == 1000)


def print_flatness() -> None:
    """This engine on graphs from small to large."""
    title("Microseconds a node: forward, backward, freeing")
    row("nodes in the graph", "", "collector on", "collector off")
    on, off = scaling.seconds_a_node(), scaling.seconds_a_node_uncollected()
    for size in scaling.SIZES:
        row(f"{size:,}", "", f"{1e6 * on[size]:.3f}", f"{1e6 * off[size]:.3f}")
    spreads = [max(times.values()) / min(times.values()) for times in (on, off)]
    row("slowest to fastest", "", *(f"{spread:.2f}x" for spread in spreads))
    verdict("within 1.5x, collector off: the engine's own part", round(spreads[1], 1) <= 1.5)
    verdict("within 1.5x, collector on: it scans live nodes anew", spreads[0] <= 1.5)


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
