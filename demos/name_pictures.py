"""The pictures of the lesson on names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from demos.decoder import HEADS, Decoder
from demos.decoder_inside import Knowledge
from demos.name_list import Names
from nn import plots

SMOOTHED = 50  # steps of which the mean loss is drawn
NUMBERED = 0.045  # from this probability on a cell has its number
BLUES = LinearSegmentedColormap.from_list("blues", ["white", plots.COLOURS[1]])


def draw_losses(
    losses: Sequence[float],
    curve: Sequence[tuple[int, float]],
    steps: int,
    levels: dict[str, float],
) -> Figure:
    """Plot the loss by step, the surprisal of unseen names, and levels to compare them with.

    Args:
        losses: the loss of each step.
        curve: steps, and the surprisal of unseen names after them.
        steps: the number of steps with one name.
        levels: numbers to compare with, by what they are.
    """
    figure = Figure(figsize=(8.0, 3.6), layout="constrained")
    axes = figure.add_subplot()
    parts = np.array_split(np.array(losses), max(len(losses) // SMOOTHED, 1))
    middles = [part.mean() for part in np.array_split(np.arange(len(losses)), len(parts))]
    means = [part.mean() for part in parts]
    axes.plot(middles, means, color="#8c8c8c", linewidth=1.2, label="names learned from")
    axes.plot(*zip(*curve), color=plots.COLOURS[1], marker="o", markersize=4, label="unseen names")
    for (what, level), line in zip(levels.items(), plots.LINES[1:]):
        axes.axhline(level, color=plots.COLOURS[0], linestyle=line, linewidth=1.4, label=what)
    axes.axvline(steps, color="#222222", linewidth=0.8)
    top = axes.get_ylim()[1]
    axes.text(steps, top, "one name a step ", ha="right", va="bottom", fontsize=9)
    axes.text(steps, top, " mini-batches", ha="left", va="bottom", fontsize=9)
    axes.set(xlabel="step", ylabel="surprisal in nats a letter")
    axes.margins(x=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center", bbox_to_anchor=(0.45, 0.66))
    return figure


def draw_attention(decoder: Decoder, names: Names, name: str) -> Figure:
    """Plot where each head looks while the decoder reads a name."""
    read = names.tokens(name)[:-1]
    decoder(read)
    heads = [[place[head] for place in decoder.shares] for head in range(HEADS)]
    return plots.attention(heads, names.shown(read), title=f"where each head looks in {name}")


def draw_expected(expected: np.ndarray, names: Names, prefix: str) -> Figure:
    """Plot the probability of each token after each letter of a prefix."""
    rows, columns = expected.shape
    figure = Figure(figsize=(8.3, 1.1 + 0.34 * rows), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(expected, cmap=BLUES, vmin=0.0, vmax=max(0.5, expected.max()), aspect="auto")
    read = names.shown(names.tokens(prefix)[:-1])
    axes.set(xticks=range(columns), yticks=range(rows), xlabel="expected next", ylabel="after")
    axes.set_xticklabels(names.shown(range(columns)), fontsize=9)
    axes.set_yticklabels([read[: place + 1] for place in range(rows)])
    axes.tick_params(length=0)
    for row, column in zip(*np.nonzero(expected >= NUMBERED)):
        share = expected[row, column]
        colour = "white" if share > 0.3 else "#222222"
        axes.text(
            column, row, f"{share * 100:.0f}", ha="center", va="center", fontsize=8, color=colour
        )
    axes.set_title("what it expects next, in percent", fontsize=10)
    return figure


def draw_neurons(knowledge: Knowledge, names: Names) -> Figure:
    """Plot the mean activation of each neuron at each letter, on a scale of its own."""
    often = np.flatnonzero(~np.isnan(knowledge.light[0]))
    light = knowledge.light[:, often]
    light = light / np.maximum(light.max(axis=1, keepdims=True), 1e-12)
    order = np.lexsort((-light.max(axis=1), light.argmax(axis=1)))
    figure = Figure(figsize=(8.3, 0.9 + 0.15 * len(often)), layout="constrained")
    axes = figure.add_subplot()
    shown = axes.imshow(light[order].T, cmap=BLUES, vmin=0.0, vmax=1.0, aspect="auto")
    axes.set(xticks=[], yticks=range(len(often)), ylabel="letter that it reads")
    axes.set_xlabel(
        "the neurons of the feed-forward part, by the letter at which they are brightest"
    )
    axes.set_yticklabels(names.shown(often.tolist()), fontsize=8, fontfamily="monospace")
    axes.tick_params(length=0)
    figure.colorbar(shown, ax=axes, label="light, of its brightest", aspect=30, pad=0.01)
    return figure
