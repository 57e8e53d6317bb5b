"""Neural networks on scalar Values: layers, losses, optimisers and a trainer.

Names follow PyTorch where PyTorch has the same thing.

Modules:
    Module                      the base class; model.predict(X), .parameters(), .save(path)
    dense                       Neuron Layer Linear MLP Sequential Dropout
    images and signals          Conv2d Conv1d MaxPool2d AvgPool2d Flatten
    sequences                   Embedding MultiheadAttention LayerNorm RMSNorm
    activations                 ReLU LeakyReLU ELU GELU SiLU Sigmoid Tanh Softplus Softmax Step
                                Identity; ACTIVATIONS, a table of `Activation`; INITIALISERS

Costs, each as a function and as a module:
    numbers                     mse_loss MSELoss, squared_error SquaredError, l1_loss L1Loss
    yes or no                   binary_cross_entropy BCELoss,
                                binary_cross_entropy_with_logits BCEWithLogitsLoss,
                                hinge_loss HingeLoss, perceptron_loss PerceptronLoss
    classes                     cross_entropy CrossEntropyLoss, nll_loss NLLLoss; one_hot
    penalties of weights        l1_penalty l2_penalty

Training:
    Trainer, History            trainer.fit(X, y) trains, and returns the record of the run
    optimisers                  SGD Adam, of the class Optimizer
    schedules                   StepLR ExponentialLR CosineAnnealingLR LinearLR ReduceLROnPlateau,
                                of the class Scheduler
    gradients                   grad_norm clip_grad_norm_ clip_grad_value_

To look and to ask:
    draw                        a network as a picture
    model.page(), model.save_html()    a page that plays its training
    playground                  a page in which a network learns; points, to learn from
    history.plot(), nn.plots    figures, with matplotlib
    diagnose                    what keeps a network from learning: a Diagnosis of Findings, each a
                                `Finding`

`nn.sklearn` has estimators for scikit-learn.

>>> import nn
>>> nn.MLP(2, [2, 1], seed=0)
MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]
"""

import importlib
from typing import TYPE_CHECKING

from . import methods  # noqa: F401  # it gives the classes their methods
from .activation_modules import (
    ELU,
    GELU,
    Identity,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Step,
    Tanh,
)
from .activations import ACTIVATIONS, Activation
from .attention import MultiheadAttention
from .dropout import Dropout
from .embedding import Embedding
from .gradients import clip_grad_norm_, clip_grad_value_, grad_norm
from .images import AvgPool2d, Conv1d, Conv2d, Flatten, MaxPool2d
from .init import INITIALISERS
from .layers import Layer, Linear, Neuron
from .loss_modules import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HingeLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    PerceptronLoss,
    SquaredError,
)
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
    l1_loss,
    mse_loss,
    nll_loss,
    perceptron_loss,
    squared_error,
)
from .module import Module
from .networks import MLP, Sequential
from .normalisation import LayerNorm, RMSNorm
from .optim import SGD, Adam, Optimizer
from .penalties import l1_penalty, l2_penalty
from .picture.draw import draw
from .schedule import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    ReduceLROnPlateau,
    Scheduler,
    StepLR,
)
from .targets import one_hot
from .training.history import History
from .training.trainer import Trainer

__all__ = [
    "ACTIVATIONS",
    "ELU",
    "GELU",
    "INITIALISERS",
    "MLP",
    "SGD",
    "Activation",
    "Adam",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "Conv1d",
    "Conv2d",
    "CosineAnnealingLR",
    "CrossEntropyLoss",
    "Diagnosis",
    "Dropout",
    "Embedding",
    "ExponentialLR",
    "Finding",
    "Flatten",
    "HingeLoss",
    "History",
    "Identity",
    "L1Loss",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LinearLR",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "MultiheadAttention",
    "NLLLoss",
    "Neuron",
    "Optimizer",
    "PerceptronLoss",
    "RMSNorm",
    "ReLU",
    "ReduceLROnPlateau",
    "Scheduler",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SquaredError",
    "Step",
    "StepLR",
    "Tanh",
    "Trainer",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "clip_grad_norm_",
    "clip_grad_value_",
    "cross_entropy",
    "diagnose",
    "draw",
    "grad_norm",
    "hinge_loss",
    "l1_loss",
    "l1_penalty",
    "l2_penalty",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "perceptron_loss",
    "playground",
    "points",
    "squared_error",
]


if TYPE_CHECKING:  # because of `__getattr__`, a type checker would accept every name
    from . import sklearn as sklearn
    from .diagnosis.diagnose import Diagnosis as Diagnosis
    from .diagnosis.diagnose import diagnose as diagnose
    from .diagnosis.symptoms import Finding as Finding
    from .picture import plots as plots
    from .play.page import playground as playground
    from .play.points import points as points
else:
    # They are imported on first use: the modules because they need matplotlib and scikit-learn, the
    # others because they take long to import.
    _MODULES = {"plots": ".picture.plots", "sklearn": ".sklearn"}
    _OTHERS = {
        "Diagnosis": ".diagnosis.diagnose",
        "Finding": ".diagnosis.symptoms",
        "diagnose": ".diagnosis.diagnose",
        "playground": ".play.page",
        "points": ".play.points",
    }

    def __getattr__(name: str) -> object:
        """Import a name on first use, or say what a name of another library is here."""
        if name in _MODULES:
            return importlib.import_module(_MODULES[name], __name__)
        if name in _OTHERS:
            return getattr(importlib.import_module(_OTHERS[name], __name__), name)
        from .spellings import OF_NN

        remedy = f": here it is {OF_NN[name]}" if name in OF_NN else ""
        raise AttributeError(f"module 'nn' has no attribute {name!r}{remedy}")


def __dir__() -> list[str]:
    return [*__all__, "plots", "sklearn"]
