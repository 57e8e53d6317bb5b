"""Tests of the estimators: scikit-learn's own numbers, its checks, and its tools around them."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import neural_network as theirs
from sklearn import set_config
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import nn
from autograd import Value
from nn.sklearn import MLPClassifier, MLPRegressor
from nn.sklearn.costs import class_cost

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# `nn.Adam` adds ε to √v̂, and scikit-learn adds it to √v: without it they are the same.
SAME: dict[str, Any] = {
    "random_state": 3,
    "epsilon": 1e-30,
    "hidden_layer_sizes": (5, 4),
    "max_iter": 12,
}

SETTINGS: list[dict[str, Any]] = [
    {},
    {"activation": "tanh", "batch_size": 7, "alpha": 0.5},
    {"activation": "logistic", "shuffle": False, "batch_size": 20},
    {"activation": "identity", "solver": "sgd", "momentum": 0.0},
    {"solver": "sgd", "batch_size": 16, "nesterovs_momentum": False},
    {"solver": "sgd", "learning_rate": "invscaling", "momentum": 0.0, "batch_size": 9},
    {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 1.0,
        "n_iter_no_change": 2,
        "momentum": 0.0,
    },
    {"early_stopping": True, "validation_fraction": 0.3, "n_iter_no_change": 2, "batch_size": 5},
    {"solver": "lbfgs", "activation": "tanh"},
]


def data(kind: str) -> tuple[np.ndarray, Any]:
    """Return 40 examples of 4 features, with targets of one kind."""
    rng = np.random.default_rng(0)
    X, y = make_classification(40, 4, n_informative=3, n_redundant=0, n_classes=3, random_state=0)
    targets = {
        "several classes": np.array(["low", "middle", "high"])[y],
        "two classes": np.where(y > 0, "yes", "no"),
        "labels": np.stack([y > 0, y > 1], axis=1).astype(int),
        "a number": X @ rng.normal(size=4) + 1.0,
        "numbers": X @ rng.normal(size=(4, 2)),
        "counts": rng.poisson(np.exp(X[:, 0])).astype(float),
    }
    return X, targets[kind]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("kind", ["several classes", "two classes", "labels"])
def test_a_classifier_learns_what_scikit_learns_does(kind: str, settings: dict[str, Any]) -> None:
    X, y = data(kind)
    ours, other = (c(**SAME | settings).fit(X, y) for c in (MLPClassifier, theirs.MLPClassifier))
    assert_same(ours, other)
    assert ours.predict(X).tolist() == other.predict(X).tolist()
    np.testing.assert_allclose(ours.predict_proba(X), other.predict_proba(X), rtol=1e-6)
    np.testing.assert_allclose(ours.predict_log_proba(X), other.predict_log_proba(X), rtol=1e-6)
    assert ours.score(X, y) == other.score(X, y)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_regressor_learns_what_scikit_learns_does(settings: dict[str, Any]) -> None:
    X, y = data("a number")
    ours, other = (c(**SAME | settings).fit(X, y) for c in (MLPRegressor, theirs.MLPRegressor))
    assert_same(ours, other)
    np.testing.assert_allclose(ours.predict(X), other.predict(X), rtol=1e-6)
    assert ours.score(X, y) == pytest.approx(other.score(X, y), rel=1e-6)


def assert_same(ours: Any, other: Any) -> None:
    assert (ours.n_iter_, ours.t_, ours.n_layers_) == (other.n_iter_, other.t_, other.n_layers_)
    assert (ours.n_outputs_, ours.out_activation_) == (other.n_outputs_, other.out_activation_)
    for mine, its in zip(ours.coefs_ + ours.intercepts_, other.coefs_ + other.intercepts_):
        np.testing.assert_allclose(mine, its, rtol=1e-6, atol=1e-9)
    if ours.solver != "lbfgs":
        np.testing.assert_allclose(ours.loss_curve_, other.loss_curve_, rtol=1e-7)
    assert ours.loss_ == pytest.approx(other.loss_, rel=1e-6)
    if ours.early_stopping:
        assert ours.validation_scores_ == pytest.approx(other.validation_scores_)


def test_several_numbers_and_counts_are_predicted_as_by_scikit_learn() -> None:
    for kind, settings in (("numbers", {}), ("counts", {"loss": "poisson"})):
        X, y = data(kind)
        ours, other = (c(**SAME | settings).fit(X, y) for c in (MLPRegressor, theirs.MLPRegressor))
        np.testing.assert_allclose(ours.predict(X), other.predict(X), rtol=1e-6)
        assert ours.predict(X).shape == y.shape


@pytest.mark.parametrize("settings", [{"batch_size": 7}, {"solver": "lbfgs"}], ids=str)
def test_weights_of_examples_count_as_in_scikit_learn(settings: dict[str, Any]) -> None:
    X, y = data("several classes")
    weights = np.random.default_rng(1).integers(0, 4, len(X)).astype(float)
    weights[:3] = 2.5
    ours, other = (
        c(**SAME | settings).fit(X, y, sample_weight=weights)
        for c in (MLPClassifier, theirs.MLPClassifier)
    )
    assert_same(ours, other)


@pytest.mark.parametrize("logits", [[0.5, -1.0, 2.0], [60.0, 0.0, -3.0], [-60.0, 0.0, 5.0]])
def test_the_cost_of_classes_is_the_cross_entropy_in_both_tails(logits: list[float]) -> None:
    costs, slopes = [], []
    for cost, target in ((class_cost, [1.0, 0.0, 0.0]), (nn.cross_entropy, 0)):
        z = [Value(number) for number in logits]
        found = cost(z, target)
        found.backward()
        costs.append(found.data)
        slopes.append([v.grad for v in z])
    assert costs[0] == pytest.approx(costs[1], rel=1e-14, abs=0.0)
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-14, abs=0.0)


def test_a_batch_without_weight_is_left_out() -> None:
    X, y = data("two classes")
    weights = np.repeat([1.0, 0.0], 20)
    half = MLPClassifier(**SAME, shuffle=False, batch_size=20).fit(X[:20], y[:20])
    whole = MLPClassifier(**SAME, shuffle=False, batch_size=20).fit(X, y, weights)
    np.testing.assert_allclose(half.coefs_[0], whole.coefs_[0], rtol=1e-12)


def test_training_goes_on_where_it_ended() -> None:
    X, y = data("several classes")
    for start in ({"warm_start": True}, {}):
        models = [c(**SAME | start) for c in (MLPClassifier, theirs.MLPClassifier)]
        for model in models:
            if start:
                model.fit(X, y).fit(X, y)
            else:
                model.partial_fit(X[:20], y[:20], classes=np.unique(y)).partial_fit(X, y)
        assert_same(*models)


def test_a_pickled_estimator_goes_on_as_the_first_would() -> None:
    X, y = data("several classes")
    here = MLPClassifier(**SAME).partial_fit(X, y, classes=np.unique(y))
    there = pickle.loads(pickle.dumps(here))
    assert (there.predict_proba(X) == here.predict_proba(X)).all()
    here.partial_fit(X, y)
    assert not np.array_equal(there.coefs_[0], here.coefs_[0])
    there.partial_fit(X, y)
    assert all(np.array_equal(a, b) for a, b in zip(there.coefs_, here.coefs_))


def test_scikit_learns_tools_take_the_estimators() -> None:
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = MLPClassifier((8,), "tanh", solver="lbfgs", max_iter=30, random_state=0)
    pipeline = make_pipeline(StandardScaler(), model)
    assert cross_val_score(pipeline, X, names, cv=3).mean() > 0.9
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-4, 1e4]}, cv=3).fit(X, names)
    assert search.best_params_ == {"mlpclassifier__alpha": 1e-4}
    calibrated = CalibratedClassifierCV(model, cv=3).fit(X, names)
    assert calibrated.predict_proba(X).sum(axis=1) == pytest.approx(1.0)
    importance = permutation_importance(search, X, names, n_repeats=3, random_state=0)
    assert importance.importances_mean[2:].min() > importance.importances_mean[:2].max()
    assert clone(model).get_params() == model.get_params()


def test_weights_are_routed_where_they_are_asked_for() -> None:
    X, y = data("two classes")
    set_config(enable_metadata_routing=True)
    try:
        model = MLPClassifier(**SAME).set_fit_request(sample_weight=True)
        assert model.get_metadata_routing().fit.requests["sample_weight"] is True
        weights = np.arange(1.0, 41.0)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        found = make_pipeline(scaler, model).fit(X, y, sample_weight=weights)[-1]
        wanted = MLPClassifier(**SAME).fit(StandardScaler().fit_transform(X), y, weights)
        assert np.array_equal(found.coefs_[0], wanted.coefs_[0])
    finally:
        set_config(enable_metadata_routing=False)


def test_the_network_of_an_estimator_is_shown(tmp_path: Path) -> None:
    X, y = data("several classes")
    model = MLPClassifier(**SAME, activation="tanh").fit(X, y)
    assert isinstance(model.model_, nn.MLP)
    assert "middle" in model.draw(X[0]).source
    path = model.save_html(tmp_path / "net.html", X, y, title="Three classes")
    page = Path(path).read_text("utf-8")
    assert "Three classes" in page
    assert '"middle"' in page


def test_an_explanation_is_the_derivative_of_a_logit() -> None:
    X, y = data("several classes")
    model = MLPClassifier(**SAME, activation="tanh").fit(X, y)
    changed = X[:1] + np.array([0.0, 0.0, 1e-6, 0.0])
    slope = (model.model_.predict(changed) - model.model_.predict(X[:1]))[0, 1] / 1e-6
    assert model.explain(X[0], 2, output=1).total == pytest.approx(slope, rel=1e-4)
    largest = max(abs(model.explain(X[0], k).total) for k in range(4))
    assert abs(model.explain(X[0]).total) == largest


def test_features_are_named_as_in_the_table() -> None:
    pandas = pytest.importorskip("pandas")
    X, y = data("a number")
    table = pandas.DataFrame(X, columns=list("abcd"))
    model = MLPRegressor(**SAME).fit(table, y)
    assert str(model.explain(table.iloc[0], "b")).startswith("∂z3[0]/∂b")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"solver": "newton"}, "solver"),
        ({"activation": "tahn"}, "nearest are 'tanh'"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes"),
        ({"hidden_layer_sizes": "many"}, "hidden_layer_sizes"),
        ({"alpha": -1.0}, "alpha"),
        ({"batch_size": 0}, "batch_size"),
        ({"max_iter": 0}, "max_iter"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"learning_rate_init": 0.0}, "learning_rate_init"),
        ({"beta_1": 1.0}, "beta_1"),
        ({"early_stopping": True, "validation_fraction": 0.01}, "holds out fewer"),
    ],
    ids=str,
)
def test_a_parameter_that_does_not_fit_is_refused(settings: dict[str, Any], words: str) -> None:
    X, y = data("two classes")
    with pytest.raises((TypeError, ValueError), match=words):
        MLPClassifier(**SAME | settings).fit(X, y)


def test_data_that_do_not_fit_are_refused() -> None:
    X, y = data("two classes")
    model = MLPClassifier(**SAME)
    with pytest.raises(NotFittedError):
        model.predict(X)
    with pytest.raises(ValueError, match="shape"):
        model.fit(X, y, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match="at least zero"):
        model.fit(X, y, sample_weight=-np.ones(40))
    with pytest.raises(ValueError, match="classes="):
        model.partial_fit(X, y)
    with pytest.raises(ValueError, match="solver='adam'"):
        MLPClassifier(solver="lbfgs").partial_fit(X, y, classes=["no", "yes"])
    with pytest.raises(ValueError, match="not among"):
        model.partial_fit(X, y, classes=["no", "perhaps"])
    model.fit(X, y)
    with pytest.raises(ValueError, match="at first"):
        model.partial_fit(X, y, classes=["no", "perhaps"])
    with pytest.raises(ValueError, match="4 features"):
        model.explain([1.0])
    with pytest.raises(ValueError, match="feature"):
        model.explain(X[0], 4)
    with pytest.raises(ValueError, match="feature"):
        model.explain(X[0], "age")
    with pytest.raises(ValueError, match="output"):
        model.explain(X[0], output=1)


def test_an_end_before_convergence_is_said() -> None:
    X, y = data("two classes")
    for solver in ("adam", "lbfgs"):
        with pytest.warns(ConvergenceWarning, match="before it converged"):
            MLPClassifier(**SAME | {"max_iter": 1}, solver=solver).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MLPClassifier(**SAME | {"max_iter": 300, "tol": 1e-1}).fit(X, y)


def test_ctrl_c_keeps_the_weights_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data("two classes")
    steps = iter(range(30))

    def step(self: nn.Adam, gradient: np.ndarray) -> None:
        if next(steps) == 20:
            raise KeyboardInterrupt
        original(self, gradient)

    original = nn.Adam.step
    monkeypatch.setattr(nn.Adam, "step", step)
    with pytest.warns(RuntimeWarning, match="Ctrl-C"):
        model = MLPClassifier(**SAME | {"max_iter": 100}).fit(X, y)
    assert model.n_iter_ == 20
    assert model.predict(X).shape == (40,)


@pytest.mark.slow
@parametrize_with_checks([MLPClassifier(), MLPRegressor()])  # type: ignore[untyped-decorator]
def test_scikit_learns_checks_pass(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)
