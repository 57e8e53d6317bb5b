"""Tests of wrong input: every public argument refuses what its kind must refuse, with a message.

`ARGUMENTS` gives each public argument one of the kinds in `kinds.py`. The first test fails if a
new argument has no kind, and the second if an argument is not checked.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import random
import re
import types
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
import nn
import nn.picture.page
from autograd import Value, extend
from autograd.page import graph_page
from tests.kinds import KINDS, Kind, graph, kind_of, model, sgd

ROOT = Path(__file__).parent.parent

ARGUMENTS = """
Value(data: real, children: children or label, local_grads: local grads, label: label,
      _children: children, _op: text, requires_grad: flag)
Value.backward(root: root, gradient: real, retain_graph: flag?)
Value.recompute Value.zero_grad(root: root)
Value.add Value.sub Value.mul Value.div(other: operand)
Value.pow(exponent: operand)
Value.clamp(min: operand?, max: operand?)
Value.leaky_relu(negative_slope: operand)
Value.elu(alpha: operand)
Value.hypot Value.atan2 Value.mod(other: operand)
Value.clip(low: operand, high: operand)
Value.maximum(other: operand)
Value.minimum(other: operand)
Value.stepper(gradient: real)
Value.save_html(root: root, path: path, parameters: nodes, lr: positive, max_nodes: whole from 2,
                title: text?, position: whole from 0?)
Stepper(root: root, gradient: real)
Stepper.next Stepper.back(count: whole)
Stepper.until(node: node)
Stepper.check(guesses: guesses, by_label: real)
Stepper.draw(path: path pair, around: node?, depth: whole from 0?, max_nodes: whole, open: open,
             rankdir: rankdir, format: format)
Flat(values: leaves)
Flat.lower(change: array)
Flat.write(numbers: array)
Compiled.__call__ Compiled.mean Compiled.value_and_grad(arguments: column, static: theirs)
Compiled.descend(arguments: column, size: whole, step: function, static: theirs)
Page.save Compiled.save(path: path)
Figure.savefig(fname: theirs, kwargs: theirs)
Drawing.pipe(format: format?, renderer: theirs, formatter: theirs, quiet: flag,
             engine: theirs, encoding: theirs)
Drawing.save(filename: path?, directory: path?, skip_existing: theirs)
Drawing.render(filename: path?, directory: path?, view: off, cleanup: flag, format: format?,
               renderer: theirs, formatter: theirs, quiet: flag, quiet_view: off,
               outfile: picture, engine: theirs)
Setting.__call__(function: decorated)
compile(function: function?, params: leaves?, has_aux: flag, allow_unused: flag, dtype: dtype,
        static: static)
Value.draw draw(root: root, path: path pair, around: node?, depth: whole from 0?,
                max_nodes: whole, open: open, gradients: gradients, rankdir: rankdir,
                format: format, dpi: whole?)
draw_dot(root: root, format: format, rankdir: rankdir)
drawn(sampler: sampler)
Value.explain explain(root: root, node: node, max_paths: whole)
grad(output: output, inputs: inputs of it, create_graph: flag, allow_unused: flag,
     retain_graph: flag?)
gradcheck(f: checked, inputs: two inputs, eps: positive?, atol: at least 0, rtol: at least 0)
graph_page(root: root, parameters: nodes, lr: positive, max_nodes: whole from 2, title: text?,
           position: whole from 0?)
javascript(function: function, names: js names)
javascript_gradient(function: function, names: js names, at: js numbers)
logsumexp log_softmax mean softmax sum(values: values)
surprisal(value: operand, others: others)
take(values: table, index: token)
require(test: test, values: operand, error: error, together: flag)
setting(name: theirs)
value_and_grad(function: function, argnums: whole from 0)
Value.nudge nudge(root: root, node: node, amount: real)
op(name: op name, value: op value, partials: op partials, rules: rules, symbol: text,
   reads: op function, domain: domain, kink: kink)
scope(name: scope)
Value.sensitivity sensitivity trace(root: root)
destination expanded(path: path)
read_whole(path: file)
write_whole(path: path, content: bytes)
Op.__call__(operands: operand, named: theirs)

Module.__call__ Module.forward(args: theirs, kwargs: theirs)
HasState.load(path: file)
HasState.load_state_dict(state: state)
Module.predict(X: rows)
HasMembers.reset_parameters(seed: seed)
HasMembers.zero_grad(set_to_none: flag)
HasState.save(path: path)
Module.page(model: model, history: history, data: pair, loss: loss?, classes: classes,
            features: classes, shape: shape, title: text?, tokens: theirs, longest: theirs,
            start: theirs, prefix: theirs, attention: theirs)
Module.save_html(model: model, path: path, history: history, data: pair, loss: loss?,
                 classes: classes, features: classes, shape: shape, title: text?,
                 tokens: theirs, longest: theirs, start: theirs, prefix: theirs, attention: theirs)
nn.points(kind: data kind, n: whole, noise: at least 0, seed: whole from 0)
HasMode.train(mode: flag)
Neuron(nin: whole, activation: one activation, nonlin: flag?, init: init, seed: seed, nout: whole)
Neuron.forward Layer.forward Sequential.forward(x: inputs)
Layer(nin: whole, nout: whole, activation: activation, nonlin: flag?, init: init, seed: seed)
Linear(in_features: whole, out_features: whole, bias: flag, init: init, seed: seed)
ActivationModule.forward(x: activated)
Windows.forward(x: image)
Sliding.output_shape(input_shape: image shape)
Conv2d(in_channels: whole, out_channels: whole, kernel_size: two sides,
       stride: two sides, padding: two sides from 0, bias: flag, init: init, seed: seed)
Conv1d(in_channels: whole, out_channels: whole, kernel_size: one side, stride: one side,
       padding: one side from 0, bias: flag, init: init, seed: seed)
Conv1d.forward(x: signal)
MaxPool2d AvgPool2d(kernel_size: two sides, stride: two sides?)
Flatten.forward(x: theirs)
LayerNorm(normalized_shape: sizes, eps: at least 0, elementwise_affine: flag, bias: flag)
RMSNorm(normalized_shape: sizes, eps: at least 0?, elementwise_affine: flag)
Normalisation.forward(x: normalised)
Embedding(num_embeddings: whole, embedding_dim: whole, padding_idx: padding index, init: init,
          seed: seed)
Embedding.forward(token: token)
MultiheadAttention(embed_dim: whole, num_heads: divisor, dropout: share, bias: flag, kdim: whole?,
                   vdim: whole?, batch_first: flag, causal: flag, init: init, seed: seed)
MultiheadAttention.forward(query: sequence, key: sequence?, value: sequence?,
                           key_padding_mask: padding, need_weights: flag, attn_mask: mask,
                           average_attn_weights: flag, is_causal: flag)
LeakyReLU(negative_slope: finite, inplace: flag)
ELU(alpha: at least 0, inplace: flag)
ReLU SiLU(inplace: flag)
Softmax(dim: axis)
GELU(approximate: approximation)
MLP(nin: whole, nouts: nouts, activation: activation, output: activation, init: init, seed: seed)
Sequential(layers: layers)
Sequential.__getitem__(index: theirs)
Dropout(p: share, seed: seed)
Dropout.forward(x: theirs)
Dropout.seed(seed: seed)
MSELoss L1Loss BCELoss BCEWithLogitsLoss HingeLoss PerceptronLoss(reduction: reduction)
CrossEntropyLoss NLLLoss(reduction: reduction, ignore_index: any whole)
Loss.forward(input: outputs, target: target)
nn.mse_loss nn.l1_loss nn.binary_cross_entropy nn.binary_cross_entropy_with_logits
  (input: outputs, target: target, reduction: reduction)
nn.hinge_loss nn.perceptron_loss(input: outputs, target: sign, reduction: reduction)
nn.squared_error(output: outputs, target: target)
nn.cross_entropy(input: logits, target: class, reduction: reduction, ignore_index: any whole)
nn.nll_loss(input: log-probabilities, target: class, reduction: reduction,
            ignore_index: any whole)
nn.one_hot(target: class index, num_classes: whole)
nn.l1_penalty nn.l2_penalty(parameters: parameters, strength: at least 0)
nn.clip_grad_norm_(parameters: parameters, max_norm: norm, error_if_nonfinite: flag)
nn.clip_grad_value_(parameters: parameters, clip_value: positive)
nn.grad_norm(parameters: parameters)
Optimizer(params: learnt, lr: positive, weight_decay: at least 0)
Optimizer.step(gradient: numbers?)
Optimizer.step_unchecked(gradient: theirs)
Optimizer.zero_grad(set_to_none: flag)
Optimizer.write(numbers: numbers)
Optimizer.load_state_dict(state: optimizer state)
SGD(params: learnt, lr: positive, momentum: at least 0, weight_decay: at least 0, nesterov: flag)
Adam(params: learnt, lr: positive, betas: betas, eps: at least 0, weight_decay: at least 0)
Scheduler.step(metric: theirs)
Scheduler.load_state_dict(state: scheduler state)
StepLR(optimizer: optimizer, step_size: whole, gamma: positive)
ExponentialLR(optimizer: optimizer, gamma: positive)
CosineAnnealingLR(optimizer: optimizer, T_max: whole, eta_min: at least 0)
LinearLR(optimizer: optimizer, start_factor: positive, end_factor: at least 0, total_iters: whole)
ReduceLROnPlateau(optimizer: optimizer, mode: mode, factor: above 0 below 1, patience: whole from 0,
                  threshold: at least 0, threshold_mode: threshold mode, min_lr: at least 0)
ReduceLROnPlateau.step(metric: metric)
Trainer(model: model, loss: loss, optimizer: optimizer, scheduler: scheduler, penalty: penalty,
        clip: positive?, accuracy: accuracy)
Trainer.fit(X: rows, y: targets, epochs: whole, batch_size: whole?, validation: validation,
            early_stopping: whole?, seed: any whole, checkpoint: path?, resume: flag,
            callbacks: callbacks, progress: flag?, compile: flag)
Trainer.evaluate(X: rows, y: targets)
Trainer.restarts(n: whole, X: rows, y: targets, epochs: whole, batch_size: whole?,
                 validation: validation, early_stopping: whole?, checkpoint: theirs,
                 callbacks: callbacks, progress: flag?, compile: flag, n_jobs: jobs,
                 seed: any whole)
History.add(numbers: theirs)
History.cut(epochs: whole from 0, steps: whole from 0)
History.from_json(text: json)
History.load(path: file)
History.save(path: path)
nn.diagnose(model: model, X: rows, y: targets, loss: loss?, lr: positive?, optimizer: optimizer?,
            history: history, trainer: trainer?)
nn.draw(model: model, x: features?, by: by, max_neurons: whole from 2, classes: one class,
        bias: place of biases?, shape: no shape, format: format)
plots.curves(history: full history)
plots.decision_regions(model: model, X: rows, y: targets, title: text, threshold: finite?,
                       history: history)
plots.regions(axes: axes, model: model, X: rows, y: targets, title: text, threshold: finite?,
              history: history)
plots.scatter(axes: axes, X: rows, y: targets, kinds: theirs)
plots.neuron_heatmaps(model: model, X: rows)
plots.activations(names: activations, reach: positive)
plots.weights_as_images(layer: layer, shape: shape of two)
plots.filters(conv: convolution, image: pixels, names: one class)
plots.confusion_matrix(y: answers, said: answers, classes: classes,
                       history: told history)
plots.attention(weights: attention, tokens: tokens, title: text)
plots.descent_path(cost: cost, paths: places, names: two names)
"""

# Results that people only read, base classes, and helper classes of public ones.
NOT_FOR_CALLING = {
    *("Compiled", "Domain", "Drawing", "Nudge", "Op", "Page", "Programs.add", "Value.conjugate"),
    *("GraphTemplates.add", "GraphTemplates.page"),
    *("Op.accepts", "Op.compute", "Op.failure", "Op.rule", "Op.slope", "Op.slope_failure"),
    *(
        "Figure.set",
        "nn.playground",  # tests/nn/play tries its settings by their table
        "add_spellings",
        "bind",
        "save_arrays",
        "saved",
        "Setting",
        "Setting.within",
        "no_grad.within",
        "detect_anomaly.within",
        "scope.within",
    ),
    *(
        "HasMembers.sample_parameters",
        "Neuron.sample_parameters",
        "Convolution.sample_parameters",
        "Embedding.sample_parameters",
        "MultiheadAttention.sample_parameters",
        "Normalisation.sample_parameters",
        "Neuron.keep_activation",
        "Neuron.weighted_sum",
    ),
    *("Activation", "Diagnosis", "Finding", "History", "Scheduler"),
}

# Arguments that have a meaning only together with others.
TOGETHER = {
    ("Trainer.fit", "resume"): ["checkpoint"],
    ("Trainer.fit", "early_stopping"): ["validation"],
    ("Trainer.restarts", "early_stopping"): ["validation"],
    ("SGD", "nesterov"): ["momentum"],
    ("compile", "static"): ["function"],
    ("Compiled.descend", "size"): ["arguments"],
    ("Compiled.descend", "step"): ["arguments"],
    ("require", "test"): ["values"],
    ("require", "error"): ["values"],
    ("require", "together"): ["values"],
    ("Value.clamp", "min"): ["max"],
    ("Value.clamp", "max"): ["min"],
    ("gradcheck", "f"): ["inputs"],
    ("gradcheck", "eps"): ["inputs"],
    ("gradcheck", "atol"): ["inputs"],
    ("gradcheck", "rtol"): ["inputs"],
}

RECEIVERS: dict[str, Callable[[], Any]] = {
    "Value": graph,
    "Stepper": lambda: graph().stepper(),
    "Flat": lambda: extend.Flat(model().parameters()),
    "Compiled": lambda: called(autograd.compile(lambda x: Value(2.0) * x)),
    "Figure": lambda: nn.plots.activations(["tanh"]),
    "Page": lambda: autograd.Page("player", "a page", {"nodes": []}),
    "Drawing": lambda: graph().draw(),
    "Setting": autograd.no_grad,
    "Op": lambda: autograd.relu,
    "Module": model,
    "HasMode": model,
    "HasMembers": model,
    "HasState": model,
    "Neuron": lambda: model()[0].neurons[0],
    "Layer": lambda: model()[0],
    "ActivationModule": nn.ReLU,
    "Sliding": lambda: nn.Conv2d(1, 2, 2, seed=0),
    "Conv1d": lambda: nn.Conv1d(1, 2, 2, seed=0),
    "Windows": lambda: nn.Conv2d(1, 2, 2, seed=0),
    "Flatten": nn.Flatten,
    "Normalisation": lambda: nn.LayerNorm(2),
    "Embedding": lambda: nn.Embedding(2, 2, seed=0),
    "MultiheadAttention": lambda: nn.MultiheadAttention(2, 1, seed=0),
    "Sequential": model,
    "Dropout": lambda: nn.Dropout(0.5, seed=0),
    "Loss": nn.MSELoss,
    "Optimizer": sgd,
    "Scheduler": lambda: nn.StepLR(sgd(), 1),
    "ReduceLROnPlateau": lambda: nn.ReduceLROnPlateau(sgd()),
    "Trainer": lambda: trainer(model()),
    "History": nn.History,
}


def called(code: autograd.Compiled) -> autograd.Compiled:
    code([1.0])
    return code


def trainer(network: nn.Module) -> nn.Trainer:
    return nn.Trainer(network, nn.mse_loss, nn.SGD(network.parameters(), lr=0.1))


# ---------------------------------------------------------------------- the public signatures


def public_callables() -> dict[str, Callable[..., Any]]:
    """Collect every public function, constructor and method by name."""
    found: dict[str, Callable[..., Any]] = {"graph_page": graph_page}
    plots = [
        n for n, f in vars(nn.plots).items() if getattr(f, "__module__", "") == "nn.picture.plots"
    ]
    places = [
        (autograd, autograd.__all__, ""),
        (extend, extend.__all__, ""),
        (nn, nn.__all__, "nn."),
        (nn.plots, [n for n in plots if not n.startswith("_")], "plots."),
    ]
    for module, names, prefix in places:
        for name in names:
            thing = getattr(module, name)
            if isinstance(thing, type):
                found.update(of_class(thing))
            elif isinstance(thing, types.FunctionType):
                found[prefix + name] = thing
    return {name: f for name, f in found.items() if name not in NOT_FOR_CALLING}


def of_class(thing: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    if issubclass(thing, BaseException):
        return
    if "__init__" in vars(thing) or any("__init__" in vars(c) for c in ours(thing)):
        yield thing.__name__, thing
    for owner in ours(thing):
        for name, method in vars(owner).items():
            static = isinstance(method, (staticmethod, classmethod))
            public = not name.startswith("_") or name in ("__call__", "__getitem__")
            named_so = static or getattr(method, "__name__", "") == name  # not an alias
            if public and named_so and (static or isinstance(method, types.FunctionType)):
                yield f"{owner.__name__}.{name}", getattr(owner, name)


def ours(thing: type) -> list[type]:
    return [c for c in thing.__mro__ if c.__module__.split(".")[0] in ("autograd", "nn")]


def declared() -> dict[str, dict[str, str]]:
    """Parse `ARGUMENTS`: for each callable the kinds of its arguments."""
    found: dict[str, dict[str, str]] = {}
    for called, arguments in re.findall(r"([\w.\s]+)\(([^)]*)\)", ARGUMENTS):
        pairs = [argument.split(":") for argument in arguments.split(",")]
        for name in called.split():
            found[name] = {argument.strip(): kind.strip() for argument, kind in pairs}
    return found


def arguments_of(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:
        return {}
    return {name: p for name, p in parameters.items() if name != "self"}


PUBLIC, DECLARED = public_callables(), declared()


def test_every_public_argument_has_a_kind() -> None:
    wanted = {name: set(arguments_of(f)) for name, f in PUBLIC.items() if arguments_of(f)}
    given = {name: set(kinds) for name, kinds in DECLARED.items()}
    without = {name: wanted[name] - given.get(name, set()) for name in wanted}
    assert {n: a for n, a in without.items() if a} == {}, "give them a kind in ARGUMENTS"
    gone = {name: given[name] - wanted.get(name, set()) for name in given}
    assert {n: a for n, a in gone.items() if a} == {}, "delete them from ARGUMENTS"
    tables = [*DECLARED.values(), *SET_LATER.values()]
    used = {kind.removesuffix("?") for kinds in tables for kind in kinds.values()}
    assert used == set(KINDS)


def test_there_is_an_object_for_the_methods_of_each_class() -> None:
    owners = {name.rpartition(".")[0] for name in DECLARED if takes_self(PUBLIC[name])}
    assert owners - set(RECEIVERS) == set(), "add an object of the class to RECEIVERS"


def takes_self(function: Callable[..., Any]) -> bool:
    return "self" in inspect.signature(function).parameters


# ---------------------------------------------------------------------- calling

Call = tuple[Callable[..., Any], dict[str, Any]]


def call_with(name: str, argument: str, value: Any) -> tuple[Callable[[], Any], list[Any]]:
    """Build a call with this argument, and with good examples for the required ones.

    Returns:
        A function that makes the call, and the objects that take part in it.
    """
    function, kinds = PUBLIC[name], DECLARED[name]
    parameters = arguments_of(function)
    owner, _, method = name.rpartition(".")
    given: dict[str, Any] = {}
    for other, parameter in parameters.items():
        open_ended = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        required = parameter.default is parameter.empty and not open_ended
        if (other != argument and required) or other in TOGETHER.get((name, argument), []):
            given[other] = kind_of(kinds[other]).good()[0]
    given[argument] = value
    several = any(parameters[other].kind == inspect.Parameter.VAR_POSITIONAL for other in given)
    by_place: set[Any] = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY}
    if several:  # arguments before *args can only be passed by position
        by_place.add(inspect.Parameter.POSITIONAL_OR_KEYWORD)
    receivers = [RECEIVERS[owner]()] if takes_self(function) else []
    if "optimizer" in given and "model" in given and argument != "optimizer":
        given["optimizer"] = nn.SGD(given_parameters(given["model"]), lr=0.1)
    positional, named = list(receivers), {}
    for other, parameter in parameters.items():
        if other in given and parameter.kind in by_place:
            positional.append(given[other])
        elif other in given:
            open_ended = parameter.kind == inspect.Parameter.VAR_KEYWORD
            named["w" if open_ended else other] = given[other]
    if method in ("fit", "restarts"):
        named = {"epochs": 1, "compile": False, **named}
    return lambda: function(*positional, **named), [*receivers, *given.values()]


def given_parameters(network: Any) -> list[Value]:
    return (network if isinstance(network, nn.Module) else model()).parameters()


def picture(thing: Any, known: dict[int, tuple[int, Any]] | None = None) -> Any:
    """Return everything that can change in an object, in a form that compares by content."""
    known = {} if known is None else known
    if id(thing) in known:
        return known[id(thing)][0]
    if isinstance(thing, (types.FunctionType, type, autograd.Op)):
        return repr(thing)
    known[id(thing)] = len(known), thing  # the object is kept, so that its id is not used again
    if isinstance(thing, Value):
        fields = [thing.data, thing.grad, thing.label, thing.op.name, thing.args]
        return picture(fields, known)
    if isinstance(thing, np.ndarray):
        return str(thing.dtype), thing.shape, repr(thing.tolist())
    if isinstance(thing, random.Random):
        return thing.getstate()
    if isinstance(thing, dict):
        return [(picture(key, known), picture(x, known)) for key, x in thing.items()]
    if isinstance(thing, (list, tuple)):
        return [picture(x, known) for x in thing]
    if type(thing).__module__.split(".")[0] in ("autograd", "nn") and hasattr(thing, "__dict__"):
        return type(thing).__name__, picture(vars(thing), known)
    return repr(thing)


@cache
def raising_lines(file: str) -> set[int]:
    tree = ast.parse("".join(linecache.getlines(file)))
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def fault(name: str, argument: str, kind: Kind, value: Any) -> str:
    """Make a call with a wrong value; return what is wrong with its refusal, or ""."""
    call, objects = call_with(name, argument, value)
    before = picture(objects)
    try:
        call()
    except (TypeError, ValueError, OverflowError, autograd.LabelError) as error:
        traceback = error.__traceback__
        while traceback is not None and traceback.tb_next is not None:
            traceback = traceback.tb_next
        assert traceback is not None
        file = traceback.tb_frame.f_code.co_filename
        place = Path(file)
        if not place.is_relative_to(ROOT) or traceback.tb_lineno not in raising_lines(file):
            return f"was not checked: {error!r}, from {place.name}:{traceback.tb_lineno}"
        if not re.search(rf"\b{argument.strip('_')}\b|{kind.says}|masked entries", str(error)):
            return f"is not explained: {error!r}"
        if picture(objects) != before:
            return f"left something changed: {error!r}"
        return ""
    except BaseException as error:
        return f"ended in {type(error).__name__}: {error}"
    return "was taken"


CASES = [
    (name, argument)
    for name, kinds in DECLARED.items()
    for argument, kind in kinds.items()
    if kind != "theirs"
]


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_what_does_not_fit_is_refused(empty_folder: Path, name: str, argument: str) -> None:
    kind = kind_of(DECLARED[name][argument])
    wrong = [*kind.odd.items(), *((repr(x), lambda x=x: x) for x in kind.bad())]
    faults = {shown: fault(name, argument, kind, make()) for shown, make in wrong}
    assert {shown: said for shown, said in faults.items() if said} == {}
    assert list(empty_folder.iterdir()) == []


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_what_fits_is_taken(empty_folder: Path, name: str, argument: str) -> None:
    for value in kind_of(DECLARED[name][argument]).good():
        call_with(name, argument, value)[0]()


# ---------------------------------------------------------------------- settings, set later

# Attributes that are settings: assigning a wrong value is refused as in the constructor.
SET_LATER: dict[str, dict[str, str]] = {
    "SGD": {"lr": "positive", "weight_decay": "at least 0"}
    | {"momentum": "at least 0", "nesterov": "flag"},
    "Adam": {"lr": "positive", "weight_decay": "at least 0"}
    | {"betas": "betas", "eps": "at least 0"},
    "StepLR": {"step_size": "whole", "gamma": "positive", "base_lr": "positive"}
    | {"epoch": "whole from 0"},
    "ExponentialLR": {"gamma": "positive"},
    "CosineAnnealingLR": {"T_max": "whole", "eta_min": "at least 0"},
    "LinearLR": {"start_factor": "positive", "end_factor": "at least 0", "total_iters": "whole"},
    "ReduceLROnPlateau": {"mode": "mode", "factor": "above 0 below 1", "patience": "whole from 0"}
    | {"threshold": "at least 0", "threshold_mode": "threshold mode", "min_lr": "at least 0"},
    "Dropout": {"p": "share", "training": "flag"},
    "LeakyReLU": {"negative_slope": "finite"},
    "ELU": {"alpha": "at least 0"},
    "GELU": {"approximate": "approximation"},
    "Trainer": {"model": "model", "loss": "loss", "optimizer": "optimizer", "clip": "positive?"}
    | {"scheduler": "any scheduler", "penalty": "penalty", "accuracy": "accuracy"},
}
MADE: dict[str, Callable[[], Any]] = {
    "SGD": sgd,
    "Adam": lambda: nn.Adam([Value(1.0)]),
    "StepLR": lambda: nn.StepLR(sgd(), 2),
    "ExponentialLR": lambda: nn.ExponentialLR(sgd(), 0.9),
    "CosineAnnealingLR": lambda: nn.CosineAnnealingLR(sgd(), 5),
    "LinearLR": lambda: nn.LinearLR(sgd()),
    "ReduceLROnPlateau": lambda: nn.ReduceLROnPlateau(sgd()),
    "Dropout": lambda: nn.Dropout(0.5, seed=0),
    "LeakyReLU": nn.LeakyReLU,
    "ELU": nn.ELU,
    "GELU": nn.GELU,
    "Trainer": lambda: trainer(model()),
}


@pytest.mark.parametrize("owner", SET_LATER)
def test_every_argument_that_is_kept_as_an_attribute_is_a_setting(owner: str) -> None:
    kept = set(arguments_of(getattr(nn, owner))) & set(dir(MADE[owner]()))
    links = {"params", "optimizer", "seed"} if owner != "Trainer" else set()
    assert kept - links <= set(SET_LATER[owner])


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner, names in SET_LATER.items() for name in names]
)
def test_a_setting_is_checked_when_it_is_set(owner: str, name: str) -> None:
    kind = kind_of(SET_LATER[owner][name])
    for shown, make in kind.odd.items():
        thing = MADE[owner]()
        before = picture(thing)
        with pytest.raises((TypeError, ValueError), match=kind.says):
            setattr(thing, name, make())
            raise AssertionError(f"{shown} was taken")
        assert picture(thing) == before
    for x in kind.good():
        setattr(MADE[owner](), name, x)


def test_a_schedule_of_another_optimiser_is_refused() -> None:
    network = model()
    other = nn.StepLR(nn.SGD(network.parameters(), lr=0.1), 1)
    with pytest.raises(ValueError, match="the learning rate of another optimiser"):
        nn.Trainer(network, nn.mse_loss, nn.SGD(network.parameters(), lr=0.1), scheduler=other)
    later = trainer(network)
    later.scheduler = other
    with pytest.raises(ValueError, match="the learning rate of another optimiser"):
        later.fit([[0.0, 1.0]], [1.0])


# ---------------------------------------------------------------------- the checks themselves


def test_the_wrong_inputs_of_the_lists_are_refused_in_words() -> None:
    """Test by hand some inputs that were once accepted, or gave an unclear error of Python's."""
    network: Any = model()
    optimizer: Any = sgd()
    loose: Any = trainer(network)
    untyped: Any = nn
    root: Any = graph()
    tried: list[tuple[Callable[[], Any], str]] = [
        (lambda: root.draw(max_nodes="a"), "max_nodes is a whole number of at least 1, got 'a'"),
        (lambda: loose.fit([[0.0, 1.0]], [1.0], seed=1.5), "seed is a whole number"),
        (lambda: loose.fit([[0.0, 1.0]], [1.0], checkpoint=5), "path of a file.* got 5"),
        (lambda: loose.fit([[0.0, 1.0]], [1.0], compile="no"), "compile is True or"),
        (lambda: trainer(network).restarts(2, [[0.0, 1.0]], [1.0], n_jobs=0), "n_jobs is a count"),
        (lambda: untyped.diagnose(5, [[0.0]], [0]), "model is a module of nn; got 5"),
        (lambda: untyped.draw(5), "model is a module of nn.*; got 5"),
        (lambda: optimizer.step("abc"), "gradient is an array .* got 'abc'"),
        (lambda: optimizer.step(0.5), "gradient is an array .* got 0.5"),
        (lambda: network.load_state_dict(None), "state holds arrays by name.*; got None"),
        (lambda: nn.one_hot(0, -1), "num_classes is a whole number of at least 1, got -1"),
        (lambda: setattr(optimizer, "momentum", -1), "momentum is at least 0, got -1"),
        (lambda: nn.MLP(2, [1], init=lambda *_: float("nan")), "init draws is a finite number"),
        (lambda: started_anew_from(float("nan")), "starts from is a finite number, got nan"),
        (lambda: judged_by(lambda outputs, target: "yes"), "True, False or None, it said 'yes'"),
        (lambda: stepped_by("a"), "gradient of W1.0,0. expected one real number, got str 'a'"),
        (lambda: setattr(graph(), "args", 5), "args are the operands.* got 5"),
        (lambda: nn.History().add(losses=0.5, loss=0.5), "no list 'loss'"),
        (lambda: nn.History().add(gradient_norms=0.5), "gradient_norms are by layer; got 0.5"),
        (lambda: nn.Dropout(0.5, seed=0)("abc"), "x holds Values or numbers; got 'abc'"),
        (lambda: nn.Dropout(0.5, seed=0)([None]), "x holds Values or numbers; got None"),
    ]
    for call, said in tried:
        with pytest.raises((TypeError, ValueError), match=said):
            call()


def started_anew_from(number: float) -> None:
    network = nn.MLP(2, [1], init=lambda *_: 0.5)
    network[0].neurons[0].init = lambda *_: number
    network.reset_parameters(seed=0)


def judged_by(accuracy: Callable[[Any, Any], Any]) -> None:
    network = model()
    optimizer = nn.SGD(network.parameters(), lr=0.1)
    nn.Trainer(network, nn.mse_loss, optimizer, accuracy=accuracy).fit([[0.0, 1.0]], [1.0])


def stepped_by(gradient: Any) -> None:
    network = model()
    network.parameters()[0].grad = gradient
    nn.SGD(network.parameters(), lr=0.1).step()


def test_masked_entries_are_refused_wherever_arrays_come_in() -> None:
    network, X = model(), np.ma.array([[0.0, 1.0]], mask=[[False, True]])
    y, gradient = (
        np.ma.array([1.0], mask=[True]),
        np.ma.array(np.ones(9), mask=[True] + [False] * 8),
    )
    state = {**network.state_dict(), "layers.1.bias": y}
    tried: list[Callable[[], Any]] = [
        lambda: network.predict(X),
        lambda: network.predict([X[0]]),
        lambda: network(X[0]),
        lambda: trainer(network).fit(X, [1.0]),
        lambda: trainer(network).fit([[0.0, 1.0]], y),
        lambda: trainer(network).evaluate([[0.0, 1.0]], y),
        lambda: network.load_state_dict(state),
        lambda: sgd().step(gradient),
        lambda: sgd().write(gradient),
        lambda: autograd.compile(lambda x: x)(y),
        lambda: autograd.relu(y),
        lambda: autograd.sum(y),
        lambda: Value(y),
        lambda: nn.mse_loss([Value(1.0)], y),
        lambda: nn.one_hot(np.ma.array([0, 1], mask=[True, False]), 2),
        lambda: nn.cross_entropy(
            [Value(1.0), Value(2.0)], np.ma.array([0.5, 0.5], mask=[True, False])
        ),
    ]
    for call in tried:
        with pytest.raises(ValueError, match="masked"):
            call()
    whole = np.ma.array([[0.0, 1.0]], mask=[[False, False]])
    assert network.predict(whole) == network.predict(whole.data)
