"""What the classifier and the regressor share: scikit-learn's parameters, and training."""

from __future__ import annotations

import inspect
import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from autograd import Compiled, compile
from autograd.extend import Flat

from ..networks import MLP
from ..optim import SGD, Adam, Optimizer
from ..settings import at_least_zero, choice, flag, fraction, positive, whole
from .costs import Cost, Loss

SOLVERS = ("adam", "sgd", "lbfgs")
RATES = ("constant", "invscaling", "adaptive")
ACTIVATIONS = {"logistic": "sigmoid"}  # scikit-learn's names that `nn` spells differently
LARGEST_AUTO_BATCH = 200
SMALLEST_RATE = 1e-6  # of an adaptive learning rate


@dataclass(eq=False, repr=False)  # it writes the `__init__` that scikit-learn expects
class Estimator(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no types
    """Base class of the estimators. Subclasses say what the targets and the answers are.

    Args:
        hidden_layer_sizes: the number of neurons of each hidden layer.
        activation: "relu", "tanh", "logistic", "identity", or another activation of `nn`.
        solver: "adam", "sgd", or "lbfgs" for L-BFGS on all examples at once.
        alpha: the factor α of the penalty α/2 · Σw² over all weights, but not over biases. The
            penalty is divided by the number of examples of a batch.
        batch_size: the number of examples per step; "auto" for min(200, n).
        learning_rate: how "sgd" sets its rate: "constant"; "invscaling" for learning_rate_init /
            t^power_t after t examples; "adaptive" to divide it by 5 when training stalls.
        learning_rate_init, power_t: the first learning rate, and the power of "invscaling".
        max_iter: the largest number of epochs, or of iterations of L-BFGS.
        shuffle: whether each epoch takes the examples in a new order.
        random_state: the seed of weights, order and held-out examples.
        tol, n_iter_no_change: training ends when the cost (with `early_stopping` the score) has not
            become better by `tol` for more than `n_iter_no_change` epochs. For L-BFGS, `tol` is the
            largest gradient at the end.
        verbose: whether to print the cost of each epoch.
        warm_start: whether `fit` goes on from the weights of the last one.
        momentum, nesterovs_momentum: the momentum of "sgd".
        early_stopping, validation_fraction: whether to hold out this share of the examples, judge
            by them, and keep the best weights.
        beta_1, beta_2, epsilon: the settings of `nn.Adam`, which adds ε to √v̂ as PyTorch does, and
            not to √v as scikit-learn does.
        max_fun: the largest number of costs that L-BFGS computes.

    Attributes:
        model_: the network, a module of `nn`. Its outputs are before `out_activation_`.
        n_features_in_, n_outputs_, n_layers_, out_activation_: as in scikit-learn.
        coefs_, intercepts_: the weights of the layers as arrays, shape (nin, nout), and the biases.
        loss_, best_loss_, loss_curve_: the cost of the last epoch, the lowest, and that of each.
        validation_scores_, best_validation_score_: the scores of held-out examples by epoch, and
            the highest.
        n_iter_, t_: the number of epochs of the last `fit`, and of examples in all.
    """

    def __init_subclass__(cls, **settings: Any) -> None:
        """Add the parameters and attributes, which are the same for all, to the docstring."""
        super().__init_subclass__(**settings)
        shared = inspect.cleandoc(Estimator.__doc__ or "").partition("\n\n")[2]
        cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\n{shared}"

    hidden_layer_sizes: int | Sequence[int] = (100,)
    activation: str = "relu"
    _: KW_ONLY
    solver: str = "adam"
    alpha: float = 1e-4
    batch_size: int | str = "auto"
    learning_rate: str = "constant"
    learning_rate_init: float = 1e-3
    power_t: float = 0.5
    max_iter: int = 200
    shuffle: bool = True
    random_state: Any = None
    tol: float = 1e-4
    verbose: bool = False
    warm_start: bool = False
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    early_stopping: bool = False
    validation_fraction: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: int = 10
    max_fun: int = 15000

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train the network on X and y, and return the estimator.

        Args:
            X: features, shape (n, n_features), dense.
            y: n targets.
            sample_weight: n numbers, at least 0, by which the costs of the examples count.
                Default: 1 for each.

        Raises:
            TypeError, ValueError: a parameter is out of range, or X, y or the weights do not fit.
        """
        return self._learn(X, y, sample_weight, go_on=flag(self.warm_start, "warm_start"))

    def _continue(self, X: Any, y: Any, weights: Any, classes: np.ndarray | None = None) -> Any:
        """Do the work of `partial_fit`."""
        if self.early_stopping or self.solver == "lbfgs":
            raise ValueError(
                f"partial_fit needs solver='adam' or 'sgd', without early_stopping; got "
                f"solver={self.solver!r} and early_stopping={self.early_stopping}"
            )
        return self._learn(X, y, weights, go_on=True, one_epoch=True, classes=classes)

    def _learn(
        self,
        X: Any,
        y: Any,
        weights: Any,
        go_on: bool,
        one_epoch: bool = False,
        classes: np.ndarray | None = None,
    ) -> Any:
        """Do the work of `fit` and, for one epoch, of `partial_fit`."""
        self._check()
        anew = not (go_on and hasattr(self, "model_"))
        checks = {"dtype": np.float64, "multi_output": True, "y_numeric": is_regressor(self)}
        X, y = validate_data(self, X, y, reset=anew, **checks)
        weights = _check_weights(weights, len(X))
        targets = self._encode(y, classes if anew else getattr(self, "classes_", None))
        self._random = check_random_state(self.random_state)
        if anew:
            self._begin(targets)
        if self.solver == "lbfgs":
            self._minimize(X, targets, weights)
            return self
        if anew or not one_epoch:
            self._optimizer = self._make_optimizer()
        train, held_out = self._split(targets)
        examples = X[train], targets[train], weights[train]
        judged = (X[held_out], y[held_out], weights[held_out]) if len(held_out) else None
        try:
            converged = self._descend(examples, judged, 1 if one_epoch else self.max_iter)
        except KeyboardInterrupt:
            warnings.warn("training was interrupted by Ctrl-C", RuntimeWarning, stacklevel=3)
            return self
        if not converged and not one_epoch:
            _warn(f"training ended after max_iter={self.max_iter} epochs, before it converged")
        return self

    # ------------------------------------------------------------------ the network

    def _check(self) -> None:
        """Check the parameters.

        Raises:
            TypeError, ValueError: a parameter is out of range.
        """
        choice(self.solver, "solver", SOLVERS)
        choice(self.learning_rate, "learning_rate", RATES)
        for name in ("alpha", "tol", "momentum", "epsilon", "power_t"):
            at_least_zero(getattr(self, name), name)
        for name in ("max_iter", "n_iter_no_change", "max_fun"):
            whole(getattr(self, name), name)
        for name in ("beta_1", "beta_2", "validation_fraction"):
            fraction(getattr(self, name), name)
        for name in ("shuffle", "nesterovs_momentum", "early_stopping"):
            flag(getattr(self, name), name)
        positive(self.learning_rate_init, "learning_rate_init")
        if self.batch_size != "auto":
            whole(self.batch_size, "batch_size")

    @abstractmethod
    def _encode(self, y: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
        """Return the targets as `_loss` takes them; `classes` are the labels, if known before."""

    @abstractmethod
    def _form(self, targets: np.ndarray) -> tuple[int, str, Loss]:
        """Return the number of outputs, the name of what is applied to them, and the loss."""

    @abstractmethod
    def _judge(self, y: np.ndarray, answers: np.ndarray, weights: np.ndarray) -> float:
        """Return the score of answers to held-out examples, by which training stops early."""

    @abstractmethod
    def _answer(self, outputs: np.ndarray) -> np.ndarray:
        """Return the predictions for the outputs of the network, shape (n, n_outputs_)."""

    def _begin(self, targets: np.ndarray) -> None:
        """Make the network with random weights, and the records of training."""
        nout, form, loss = self._form(targets)
        hidden = np.atleast_1d(np.asarray(self.hidden_layer_sizes, dtype=object))
        sizes = [self.n_features_in_, *(whole(n, "hidden_layer_sizes") for n in hidden), nout]
        model = MLP(sizes[0], sizes[1:], ACTIVATIONS.get(self.activation, self.activation), seed=0)
        model.load_state_dict(dict(self._draw_weights(sizes)))
        self.model_, self.n_layers_, self.n_outputs_ = model, len(sizes), nout
        self.out_activation_ = form
        self._compile(loss, targets)
        self.t_, self._stalled = 0, 0
        self.loss_curve_: list[float] = []
        self.validation_scores_: list[float] = []
        self.best_loss_, self.best_validation_score_ = np.inf, -np.inf

    def _draw_weights(self, sizes: Sequence[int]) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the first weights and biases, drawn as scikit-learn draws them.

        Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
        networks", AISTATS 2010, equation (16).
        """
        factor = 2.0 if self.activation == "logistic" else 6.0
        for i, (nin, nout) in enumerate(pairwise(sizes)):
            bound = np.sqrt(factor / (nin + nout))
            yield f"layers.{i}.weight", self._random.uniform(-bound, bound, (nin, nout)).T
            yield f"layers.{i}.bias", self._random.uniform(-bound, bound, nout)

    def _compile(self, loss: Loss, targets: np.ndarray) -> None:
        """Compile the cost, and put the weights into one array."""
        params = self.model_.parameters()
        self._code = compile(Cost(self.model_, loss), params=params, has_aux=True)
        self._flat = Flat(params)
        names = [name for name, _ in self.model_.named_parameters()]
        self._decays = np.array([not name.endswith(".b") for name in names], dtype=float)
        self._no_targets = np.zeros((1, *targets.shape[1:]), dtype=targets.dtype)

    def _outputs(self, X: Any) -> np.ndarray:
        """Return the outputs of the network, before `out_activation_`, shape (n, n_outputs_)."""
        check_is_fitted(self, "model_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return self._run(X)

    def _run(self, X: np.ndarray) -> np.ndarray:
        """Return the outputs by the code of the cost, so that no other code is compiled."""
        n = len(X)
        found: np.ndarray = self._code(X, np.repeat(self._no_targets, n, axis=0), np.ones(n))
        return found[:, 1:]

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights of each layer, shape (nin, nout)."""
        return [layer.T for name, layer in self.model_.state_dict().items() if "weight" in name]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases of each layer, shape (nout,)."""
        return [layer for name, layer in self.model_.state_dict().items() if "bias" in name]

    # ------------------------------------------------------------------ training

    def _cost_and_gradient(
        self, code: Compiled, X: np.ndarray, targets: np.ndarray, weights: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Return Σ wᵢCᵢ / Σ wᵢ + α/2 · Σθ² / Σ wᵢ, where θ are the weights without biases."""
        size = weights.sum()
        found, gradient = code.value_and_grad(X, targets, weights * (len(X) / size))
        theta = self._flat.read()
        decay = (self.alpha / size) * self._decays * theta
        return float(found[:, 0].mean() + 0.5 * (decay @ theta)), gradient + decay

    def _make_optimizer(self) -> Optimizer:
        params, rate = self.model_.parameters(), self.learning_rate_init
        if self.solver == "adam":
            return Adam(params, rate, betas=(self.beta_1, self.beta_2), eps=self.epsilon)
        nesterov = bool(self.nesterovs_momentum and self.momentum)
        return SGD(params, rate, self.momentum, nesterov=nesterov)

    def _split(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the indices of the examples to train on, and of those to hold out."""
        rows = np.arange(len(targets))
        if not self.early_stopping:
            return rows, rows[:0]
        if math.ceil(self.validation_fraction * len(rows)) < 2:
            raise ValueError(
                f"early stopping judges by two examples at least, and validation_fraction="
                f"{self.validation_fraction} of {len(rows)} holds out fewer"
            )
        sides = targets if self.out_activation_ == "logistic" and self.n_outputs_ == 1 else None
        train, held_out = train_test_split(
            rows, random_state=self._random, test_size=self.validation_fraction, stratify=sides
        )
        return train, held_out

    def _descend(
        self, examples: tuple[np.ndarray, np.ndarray, np.ndarray], judged: Any, epochs: int
    ) -> bool:
        """Make steps until the cost, or the score, is no longer better; return True if so."""
        order, best, converged = np.arange(len(examples[0])), None, False
        code = self._code.while_unchanged()
        self.n_iter_ = 0
        while self.n_iter_ < epochs and not converged:
            if self.shuffle:
                order = self._random.permutation(order)
            self.loss_ = self._epoch(code, *examples, order)
            self.loss_curve_.append(self.loss_)
            self.n_iter_, self.t_ = self.n_iter_ + 1, self.t_ + len(order)
            if self.verbose:
                print(f"Iteration {self.n_iter_}, loss = {self.loss_:.8f}")  # noqa: T201
            if self._record(judged):
                best = self._flat.read().copy()
            converged = self._has_stalled()
        if best is not None:
            self._flat.write(best)
        return converged

    def _epoch(
        self,
        code: Compiled,
        X: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray,
        order: np.ndarray,
    ) -> float:
        """Make a step for each batch, and return the mean cost."""
        total = 0.0
        size = LARGEST_AUTO_BATCH if self.batch_size == "auto" else int(self.batch_size)
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            if not weights[rows].any():
                continue  # such a batch has no cost
            cost, gradient = self._cost_and_gradient(code, X[rows], targets[rows], weights[rows])
            self._optimizer.step(gradient)
            total += cost * len(rows)
        return total / len(order)

    def _record(self, judged: Any) -> bool:
        """Record whether the epoch was better; return True if its weights are to be kept."""
        if judged is None:
            self._stalled = self._stalled + 1 if self.loss_ > self.best_loss_ - self.tol else 0
            self.best_loss_ = min(self.best_loss_, self.loss_)
            return False
        X, y, weights = judged
        score = self._judge(y, self._answer(self._run(X)), weights)
        self.validation_scores_.append(score)
        best = self.best_validation_score_
        self._stalled = self._stalled + 1 if score < best + self.tol else 0
        self.best_validation_score_ = max(best, score)
        return score > best

    def _has_stalled(self) -> bool:
        """Return True if training is to end; lower a learning rate that changes."""
        optimizer = self._optimizer
        if self.solver == "sgd" and self.learning_rate == "invscaling":
            optimizer.lr = self.learning_rate_init / (self.t_ + 1) ** self.power_t
        if self._stalled <= self.n_iter_no_change:
            return False
        adapts = self.solver == "sgd" and self.learning_rate == "adaptive"
        if not adapts or optimizer.lr <= SMALLEST_RATE:
            return True
        optimizer.lr, self._stalled = optimizer.lr / 5.0, 0
        return False

    def _minimize(self, X: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> None:
        """Minimise the cost of all examples with L-BFGS."""

        code = self._code.while_unchanged()

        def cost(theta: np.ndarray) -> tuple[float, np.ndarray]:
            self._flat.write(theta)
            return self._cost_and_gradient(code, X, targets, weights)

        options = {"maxfun": self.max_fun, "maxiter": self.max_iter, "gtol": self.tol}
        start = self._flat.read().copy()
        found = minimize(cost, start, method="L-BFGS-B", jac=True, options=options)
        self._flat.write(found.x)
        self.n_iter_, self.loss_ = min(found.nit, self.max_iter), float(found.fun)
        if found.status == 1:
            _warn(f"L-BFGS ended before it converged ({found.message})")


def _check_weights(weights: Any, n: int) -> np.ndarray:
    """Check n weights of examples, and return them; None stands for 1 each."""
    if weights is None:
        return np.ones(n)
    found: np.ndarray = check_array(
        weights, ensure_2d=False, dtype=float, input_name="sample_weight"
    )
    if found.shape != (n,):
        raise ValueError(f"sample_weight has shape {found.shape}, expected ({n},)")
    if (found < 0.0).any() or not found.any():
        raise ValueError("sample_weight: a weight is at least zero, and one is above zero")
    return found


def _warn(message: str) -> None:
    warnings.warn(message, ConvergenceWarning, stacklevel=4)
