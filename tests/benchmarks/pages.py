"""Times of pages: to write that of a graph, to show it, to do a step, to open a group, to learn."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import nn
from autograd import Value
from autograd.core.graph import topological_order
from demos import chain

TURNS = 5
STEPS = 41  # in each turn, spread over both passes

STEP = """(position) => {
    const slider = document.getElementById("slider");
    slider.value = String(Math.round(position * Number(slider.max)));
    slider.dispatchEvent(new Event("input"));
    const next = document.getElementById("next");
    const start = performance.now();
    next.click();
    document.body.getBoundingClientRect();
    return performance.now() - start;
}"""
UNFOLD = """() => {
    const start = performance.now();
    document.querySelector(".group").dispatchEvent(new MouseEvent("click"));
    document.body.getBoundingClientRect();
    return performance.now() - start;
}"""
LEARN = """() => {
    const { Learner } = MODULES["learner.js"];
    const { divided, points } = MODULES["points.js"];
    const settings = MODULES["link.js"].settingsOf(location.hash);
    const made = points(settings.data, settings.points, settings.noise, settings.seed);
    const learner = new Learner(settings, divided(made, settings.test));
    const timed = (act) => Array.from({ length: 300 }, () => {
        const start = performance.now();
        act();
        return performance.now() - start;
    }).slice(100);
    const steps = document.getElementById("steps");
    document.getElementById("speed").value = "1";
    document.getElementById("play").click();  // planes as they are drawn while it learns
    return [
        timed(() => learner.step()),
        timed(() => steps.dispatchEvent(new Event("change"))),
    ];
}"""
PLAYED = "#data=moons&points=500&test=0&batch_size=500&layers=8,8"
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


class Times(NamedTuple):
    """Number of nodes, and medians in seconds; `step_worst` is the slowest of all steps."""

    nodes: int
    write: float
    paint: float
    step: float
    step_worst: float
    unfold: float | None


def graphs() -> Iterator[tuple[str, Value]]:
    """Yield the chain of the lessons, one neuron, and networks of about 500 and 5,000 nodes."""
    yield "the chain", chain.build("sigmoid", 3, 0).cost
    yield "one neuron", chain.build("sigmoid", 1, 0).cost
    for width in (10, 38):
        model = nn.MLP(2, [width, width, 1], "tanh", seed=0)
        yield f"2-{width}-{width}-1", nn.squared_error(model([1.0, 2.0]), 1.0)


def times(browser: Any, root: Value) -> Times:
    """Measure the page of a graph in several turns; each turn writes and opens it again."""
    found: dict[str, list[float]] = {"write": [], "paint": [], "step": [], "unfold": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.html")
        for _ in range(TURNS):
            start = perf_counter()
            root.save_html(path)
            found["write"].append(perf_counter() - start)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(path.as_uri())
            page.wait_for_selector(".box")
            page.wait_for_timeout(300)
            found["paint"].append(page.evaluate(PAINT) / 1000)
            found["step"] += [page.evaluate(STEP, i / STEPS) / 1000 for i in range(STEPS)]
            if page.locator(".group").count():
                found["unfold"].append(page.evaluate(UNFOLD) / 1000)
            page.close()
    return Times(
        len(topological_order(root)),
        median(found["write"]),
        median(found["paint"]),
        median(found["step"]),
        max(found["step"]),
        median(found["unfold"]) if found["unfold"] else None,
    )


def playground_times(browser: Any) -> tuple[list[float], list[float]]:
    """Measure steps of 2-8-8-1 on 500 points, and redrawings of its planes, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "playground.html")
        nn.playground(path)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(path.as_uri() + PLAYED)
        steps, redrawings = page.evaluate(LEARN)
        page.close()
    return [x / 1000 for x in steps], [x / 1000 for x in redrawings]
