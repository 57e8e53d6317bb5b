"""Tests of training on several processes, threads and machines: the same numbers everywhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster
from sklearn.model_selection import GridSearchCV

import nn
from nn.sklearn import MLPClassifier

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] * 8)
Y = [-1, 1, 1, -1] * 8


@pytest.fixture(scope="module")
def cluster() -> Iterator[Client]:
    """Yield a client of two worker processes, which restart when they die."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as workers,
        Client(workers) as client,
    ):
        yield client


@pytest.fixture(params=["loky", "threading", "multiprocessing", "dask"])
def backend(request: Any) -> str:
    if request.param == "dask":
        request.getfixturevalue("cluster")
    return str(request.param)


def trained(
    callbacks: Any = (), n_jobs: int | None = None
) -> tuple[list[float], dict[str, np.ndarray]]:
    """Train from four starts; return their last costs, and the weights of the best."""
    model = nn.MLP(2, [4, 1], "tanh", seed=0)
    trainer = nn.Trainer(model, nn.hinge_loss, nn.SGD(model.parameters(), lr=0.5))
    histories = trainer.restarts(4, X, Y, 10, None, callbacks=callbacks, n_jobs=n_jobs)
    return [history.losses[-1] for history in histories], model.state_dict()


def assert_same(found: Any, wanted: Any) -> None:
    assert found[0] == wanted[0]
    assert all(np.array_equal(found[1][name], wanted[1][name]) for name in wanted[1])


def test_restarts_give_the_same_numbers_everywhere(backend: str) -> None:
    with joblib.parallel_config(backend=backend, n_jobs=2):
        assert_same(trained(), trained(n_jobs=1))


def test_a_search_gives_the_same_scores_everywhere(backend: str) -> None:
    def scores() -> list[float]:
        model = MLPClassifier((3,), "tanh", tol=1.0, n_iter_no_change=3, random_state=0)
        search = GridSearchCV(model, {"alpha": [1e-4, 1.0]}, cv=2, n_jobs=2).fit(X, Y)
        found: list[float] = search.cv_results_["mean_test_score"].tolist()
        return found

    here = scores()
    with joblib.parallel_config(backend=backend):
        assert scores() == here


def dying_once(marker: Path) -> Callable[[Any, Any], None]:
    """Return a callback that ends its process, the first time that it is called."""

    def die(trainer: Any, history: Any) -> None:
        if not marker.exists():
            marker.touch()
            os._exit(1)

    return die


def test_a_start_whose_worker_dies_runs_again(cluster: Client, tmp_path: Path) -> None:
    marker = tmp_path / "died"
    with joblib.parallel_config(backend="dask"):
        found = trained([dying_once(marker)], n_jobs=2)
    assert marker.exists()
    assert_same(found, trained())


def test_ray_gives_the_same_numbers() -> None:
    ray = pytest.importorskip("ray")
    register_ray = pytest.importorskip("ray.util.joblib").register_ray
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        register_ray()
        with joblib.parallel_config(backend="ray", n_jobs=2):
            assert_same(trained(), trained(n_jobs=1))
    finally:
        ray.shutdown()
