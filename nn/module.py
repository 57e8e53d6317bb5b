"""`Module`, the base class of neurons, layers, networks and losses.

A module finds its parameters by walking through its attributes. All names in `state_dict()` and
in saved files come from this walk.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import warnings
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from autograd import Setting, Value, compile, setting
from autograd.extend import TABLE

from .data import features
from .files import load_arrays, save_arrays
from .init import Seed, generator
from .parameters import move
from .probes import Probes, unlike
from .settings import finite, flag, instance, refuse_masked

if TYPE_CHECKING:
    from .methods import OfModule
else:
    OfModule = object

Self = TypeVar("Self", bound="Module")
LEAF = TABLE["leaf"]
CONTAINERS = (list, tuple, dict, np.ndarray)  # in which a module may keep parameters and modules
MANY = 50  # `predict` compiles from this number of rows on
PROBED = 12  # rows on which `predict` compares compiled code with the engine


class Module(OfModule):
    """Base class of everything that has parameters: neurons, layers, networks and your own classes.

    The parameters are the leaf Values in the module's attributes: directly, in lists, tuples,
    dicts or arrays, or in other modules. Computed Values, such as a neuron's last output, are not
    parameters.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.intercept = Value(2.0), Value(1.0)
    ...     def forward(self, x):
    ...         return self.slope * x + self.intercept
    >>> line = Line()
    >>> line(3.0).data
    7.0
    >>> dict(line.named_parameters())
    {'slope': Value(data=2.0, grad=0.0), 'intercept': Value(data=1.0, grad=0.0)}
    """

    _answers: Any = None  # the `Answers` of the last training; set by Trainer
    _training = True

    @property
    def training(self) -> bool:
        """True in training mode, in which dropout is active.

        The innermost enclosing `mode` block decides; without one, the last `train()` or `eval()`.
        """
        for told in reversed(setting("training") or ()):
            if id(self) in told.modules:
                return told.training  # type: ignore[no-any-return]
        return self._training

    @training.setter
    def training(self, training: bool) -> None:
        self._training = flag(training, "training")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return `forward(...)`."""
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs. Every subclass defines this method.

        Raises:
            NotImplementedError: the subclass does not define it.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, x)")

    # ------------------------------------------------------------------ parameters

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Yield each parameter once, with its name, such as `layers.0.neurons.3.w.2`."""
        seen = {id(self)}  # ids, because a module may define __eq__ by its contents
        stack = list(self._members())[::-1]
        while stack:
            name, member = stack.pop()
            if id(member) in seen:
                continue
            seen.add(id(member))
            if isinstance(member, Value):
                yield name, member
            else:
                stack.extend([(f"{name}.{inner}", m) for inner, m in member._members()][::-1])

    def parameters(self) -> list[Value]:
        """Return the parameters, in the order of `named_parameters()`."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def reset_parameters(self, seed: Seed) -> None:
        """Draw all weights again, each with the initialiser that first drew it.

        On an error no parameter has changed.

        Raises:
            TypeError: a module has a parameter that its `drawn(rng)` does not yield.
            TypeError, ValueError: `drawn(rng)` yields something other than a finite number.

        >>> from nn import MLP
        >>> model = MLP(2, [3, 1], seed=0)
        >>> model.reset_parameters(seed=1)
        >>> model.parameters()[0].data == MLP(2, [3, 1], seed=1).parameters()[0].data
        True
        """
        drawn = {
            id(p): finite(x, "a number that a parameter starts from")
            for p, x in self.drawn(generator(seed))
        }
        for name, parameter in self.named_parameters():
            if id(parameter) not in drawn:
                raise TypeError(
                    f"no start value is known for {name}: give its module a method "
                    f"drawn(self, rng) that yields the pair (parameter, number), after all pairs "
                    f"of super().drawn(rng)"
                )
        move(self.parameters(), [drawn[id(parameter)] for parameter in self.parameters()])

    def drawn(self, rng: random.Random) -> Iterator[tuple[Value, float]]:
        """Return each parameter with a newly drawn start value, without setting it."""
        inside = [member for _, member in self._members(parameters=False)]
        with _entering(self) as first:
            found = [pair for member in inside if first for pair in member.drawn(rng)]
        return iter(found)

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield this module, named "", and every module inside it, each once, outer before inner.

        >>> from nn import MLP
        >>> [name for name, _ in MLP(1, [1]).named_modules()]
        ['', 'layers.0', 'layers.0.neurons.0']
        """
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [("", self)]
        while stack:
            name, module = stack.pop()
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module
                inside = list(module._members(parameters=False))
                prefix = f"{name}." if name else ""
                stack.extend((prefix + inner, m) for inner, m in reversed(inside))

    def modules(self) -> Iterator[Module]:
        """Return an iterator over the modules of `named_modules()`, without their names."""
        return (module for _, module in self.named_modules())

    def _members(self, parameters: bool = True) -> Iterator[tuple[str, Any]]:
        for name, attribute in vars(self).items():
            yield from _inside(attribute, name, parameters)

    # ------------------------------------------------------------------ modes

    def train(self: Self, mode: bool = True) -> Self:
        """Put this module and all modules inside it into training mode, and return it.

        With `mode=False` they go into evaluation mode.
        """
        mode = flag(mode, "mode")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: Self) -> Self:
        """Put this module and all modules inside it into evaluation mode, and return it."""
        return self.train(False)

    def predict(self, X: Any) -> np.ndarray:
        """Compute the outputs for each row of X as numbers, without a graph and without dropout.

        Args:
            X: rows of features, shape (n, nin).

        Returns:
            The outputs, shape (n, nout), or (n,) if the module has one output.

        Raises:
            TypeError, ValueError: X is not a table of finite numbers. The error names row and
                column.

        >>> from nn import MLP
        >>> MLP(2, [3], seed=0).predict([[0.0, 0.0], [1.0, 2.0]]).shape
        (2, 3)
        """
        rows = features(X)
        if len(rows) >= MANY and (found := self._predicted(rows)) is not None:
            return found
        with evaluating(self):
            return np.array([numbers(self(row)) for row in rows.tolist()])

    def _predicted(self, rows: np.ndarray) -> np.ndarray | None:
        """Compute the outputs with compiled code; return None if this fails.

        It fails if the model cannot be compiled, or if the outputs differ from the engine's on
        some rows that `Probes` chooses.
        """

        def listed(x: Any) -> Any:
            outputs = self(x)
            return [outputs] if isinstance(outputs, Value) else outputs

        try:
            with evaluating(self):
                found = compile(listed)(rows)
                chosen = Probes(rows).next(PROBED)
                wanted = [numbers(self(row)) for row in rows[chosen].tolist()]
        except (ArithmeticError, TypeError, ValueError):
            return None
        outputs = np.array(found if np.ndim(wanted) > 1 else found[:, 0])
        for row, right in zip(chosen, wanted):
            if len(unlike(outputs[row], right, rows[row])):
                warnings.warn(
                    f"predict runs on the engine: for X[{row}] the compiled code gives "
                    f"{outputs[row]} and the engine {np.array(right)}. Does the model branch on a "
                    f"number, or change from one call to the next?",
                    RuntimeWarning,
                    stacklevel=3,
                )
                return None
        return outputs

    # ------------------------------------------------------------------ state

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the parameters as arrays of Values, under the names of `state_dict()`.

        A layer has `weight`, shape (nout, nin), and `bias`, shape (nout,), like PyTorch's Linear.
        """
        found: dict[str, np.ndarray] = {}
        with _entering(self) as first:
            for name, attribute in vars(self).items() if first else ():
                found.update(_tensors(attribute, name))
        return found

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return the numbers of the parameters by name, in PyTorch's layout.

        >>> from nn import MLP
        >>> {name: array.shape for name, array in MLP(2, [3, 1]).state_dict().items()}
        {'layers.0.weight': (3, 2), 'layers.0.bias': (3,),
         'layers.1.weight': (1, 3), 'layers.1.bias': (1,)}
        """
        return {
            name: np.array([p.data for p in tensor.flat]).reshape(tensor.shape)
            for name, tensor in self.tensors().items()
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set the parameters to the numbers of a `state_dict()`, of this module or of PyTorch.

        On an error no parameter has changed.

        Args:
            state: arrays by name. PyTorch names those of a `Sequential` `0.weight`, not
                `layers.0.weight`; `dict(zip(model.state_dict(), theirs.values()))` renames them.

        Raises:
            ValueError: a name is missing or unknown, a shape does not match, or a number is not
                finite.

        >>> from nn import Neuron
        >>> neuron = Neuron(2)
        >>> neuron.load_state_dict({"w": [0.5, -1.0], "b": 0.25})
        >>> neuron([2.0, 1.0]).data
        0.25
        """
        instance(state, Mapping, "state holds arrays by name, as state_dict() returns them")
        tensors = self.tensors()
        _check_names(tensors, state)
        arrays = {name: _checked(name, state[name], t.shape) for name, t in tensors.items()}
        move(
            [parameter for tensor in tensors.values() for parameter in tensor.flat],
            [x for name in tensors for x in arrays[name].ravel().tolist()],
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to an `.npz` file.

        Raises:
            OSError: the file cannot be written. An existing file is unchanged.
        """
        save_arrays(path, self.state_dict())

    def load(self: Self, path: str | os.PathLike[str]) -> Self:
        """Set the parameters to those in an `.npz` file, and return the module.

        On an error no parameter has changed.

        Raises:
            OSError: the file cannot be read.
            ValueError: the file is damaged, or holds the parameters of another model.
        """
        state = load_arrays(path)
        try:
            self.load_state_dict(state)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)} does not fit this model: {error}") from None
        return self

    @recursive_repr("…")
    def __repr__(self) -> str:
        inside = ", ".join(repr(module) for _, module in self._members(parameters=False))
        return f"{type(self).__name__}({inside})"


_entered: ContextVar[frozenset[int]] = ContextVar("_entered", default=frozenset())


@contextlib.contextmanager
def _entering(module: Module) -> Iterator[bool]:
    """Mark a module as being visited; yield False if it was being visited already.

    This stops recursion where a module holds a reference to the module that contains it.
    """
    outer = _entered.get()
    token = _entered.set(outer | {id(module)})
    try:
        yield id(module) not in outer
    finally:
        _entered.reset(token)


class mode(Setting):
    """A `with` block in which a module and all modules inside it are in one mode.

    It applies to the current thread or task only, and does not change what `train()` and `eval()`
    have set.

    >>> from nn import Dropout
    >>> dropout = Dropout(0.5, seed=0)
    >>> with mode(dropout, training=False):
    ...     dropout([1.0, 1.0]), dropout.training
    ([1.0, 1.0], False)
    >>> dropout.training
    True
    """

    def __init__(self, module: Module, training: bool) -> None:
        self._told = _Told(module, training)

    def within(self, outer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the settings inside the block: those around it, and this mode last.

        `Module.training` reads the modes from last to first.
        """
        around = [told for told in outer.get("training") or () if told.root is not self._told.root]
        return {**outer, "training": (*around, self._told)}


class _Told:
    """The mode that a `mode` block gives to a module and all modules inside it.

    Attributes:
        root: the module.
        training: True for training mode.
    """

    def __init__(self, root: Module, training: bool) -> None:
        self.root, self.training = root, training

    @functools.cached_property
    def modules(self) -> dict[int, Module]:
        """The modules concerned, by id. Computed on first use, because few modules read it."""
        return {id(module): module for module in self.root.modules()}

    def __eq__(self, other: object) -> bool:
        if not (isinstance(other, _Told) and self.root is other.root):
            return False
        return self.training == other.training and self.modules.keys() == other.modules.keys()

    __hash__ = None  # type: ignore[assignment]


class evaluating(mode):
    """A `with` block in which a module is in evaluation mode and no graph is recorded."""

    def __init__(self, module: Module) -> None:
        super().__init__(module, training=False)

    def within(self, outer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the settings of `mode`, with recording off as in `no_grad`."""
        return {**super().within(outer), "recording": False}


def numbers(outputs: Any) -> Any:
    """Return the numbers in a module's outputs: a float for a Value, a list for a list.

    >>> numbers([Value(1.0), Value(2.0)])
    [1.0, 2.0]
    """
    if isinstance(outputs, Value):
        return outputs.data
    return [numbers(v) for v in outputs] if hasattr(outputs, "__len__") else outputs


def _is_parameter(thing: Any) -> bool:
    return isinstance(thing, Value) and thing.op is LEAF


def _inside(
    thing: Any, name: str, parameters: bool, around: tuple[Any, ...] = ()
) -> Iterator[tuple[str, Any]]:
    """Yield the modules in an attribute, and its parameters if wanted, each with its name.

    `around` holds the containers that are being visited.
    """
    if isinstance(thing, Module) or (parameters and _is_parameter(thing)):
        yield name, thing
    elif isinstance(thing, CONTAINERS) and (parameters or not _holds_values_alone(thing)):
        for inner, item in _items(thing, around):
            if not isinstance(item, Value):
                yield from _inside(item, f"{name}.{inner}", parameters, (*around, thing))
            elif parameters and _is_parameter(item):
                yield f"{name}.{inner}", item


def _holds_values_alone(thing: Any) -> bool:
    """Return True for a list or tuple of Values, as of the weights of a neuron: there are many."""
    sequence = isinstance(thing, (list, tuple))
    return sequence and all(issubclass(kind, Value) for kind in set(map(type, thing)))


def _items(thing: Any, around: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    """Return the items of a list, tuple, dict or array; none if it is among `around` (a cycle)."""
    if any(outer is thing for outer in around):
        return []
    if isinstance(thing, dict):
        return list(thing.items())
    if isinstance(thing, np.ndarray):
        thing = thing.tolist() if thing.dtype == object else []
    return list(enumerate(thing)) if isinstance(thing, CONTAINERS) else []


def _tensors(thing: Any, name: str, around: tuple[Any, ...] = ()) -> dict[str, np.ndarray]:
    """Return the arrays of parameters in an attribute; regular nested lists become one array."""
    if isinstance(thing, Module):
        return {f"{name}.{inner}": tensor for inner, tensor in thing.tensors().items()}
    if _is_parameter(thing):
        return {name: _array(thing, ())}
    shape = _shape(thing)
    if shape:
        return {name: _array(thing, shape)}
    found: dict[str, np.ndarray] = {}
    for inner, item in _items(thing, around):
        found.update(_tensors(item, f"{name}.{inner}", (*around, thing)))
    return found


def _shape(thing: Any, around: tuple[Any, ...] = ()) -> tuple[int, ...] | None:
    """Return the shape of nested lists of parameters; None if ragged or not only parameters."""
    if _is_parameter(thing):
        return ()
    if isinstance(thing, dict) or not (items := _items(thing, around)):
        return None
    shapes = {_shape(item, (*around, thing)) for _, item in items}
    inner = shapes.pop()
    return None if shapes or inner is None else (len(thing), *inner)


def _array(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = np.empty(shape, dtype=object)
    array[...] = values
    return array


def _check_names(tensors: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    missing = [name for name in tensors if name not in state]
    unknown = [name for name in state if name not in tensors]
    if missing or unknown:
        parts = [f"missing {', '.join(missing)}"] if missing else []
        parts += [f"unknown {', '.join(map(str, unknown))}"] if unknown else []
        rename = ""
        if len(tensors) == len(state):
            rename = ". To take them in order: dict(zip(model.state_dict(), state.values()))"
        raise ValueError(
            f"{'; '.join(parts)}. The parameters here are {', '.join(tensors)}{rename}"
        )


def _checked(name: str, numbers: Any, shape: tuple[int, ...]) -> np.ndarray:
    refuse_masked(numbers, name)
    try:
        given = np.asarray(numbers)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{name} is not an array of numbers: {error}") from None
    if given.dtype.kind not in "fiub":
        raise ValueError(f"{name} is not an array of numbers: it holds {given.dtype}")
    array = given.astype(np.float64)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {shape}")
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name}{list(place)} is {array[place]}, expected a finite number")
    return array
