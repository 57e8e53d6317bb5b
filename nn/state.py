"""The numbers of a module's parameters by name: as arrays, and in files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from autograd.extend import save_arrays

from .files import load_arrays
from .members import HasMembers, is_parameter, items_of
from .parameters import move
from .settings import instance, refuse_masked

Self = TypeVar("Self", bound="HasState")


class HasState(HasMembers):
    """Base class of `Module`: reads, sets, saves and loads the numbers of its parameters."""

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
            state: arrays by name. A `Sequential` has `0.weight` where an `MLP` has
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
        arrays = {name: _checked_array(name, state[name], t.shape) for name, t in tensors.items()}
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


_entered: ContextVar[frozenset[int]] = ContextVar("_entered", default=frozenset())


@contextlib.contextmanager
def _entering(module: HasState) -> Iterator[bool]:
    """Mark a module as being visited; yield False if it was being visited already.

    This stops recursion where a module holds a reference to the module that contains it.
    """
    outer = _entered.get()
    token = _entered.set(outer | {id(module)})
    try:
        yield id(module) not in outer
    finally:
        _entered.reset(token)


def _tensors(thing: Any, name: str, around: tuple[Any, ...] = ()) -> dict[str, np.ndarray]:
    """Return the arrays of parameters in an attribute; regular nested lists become one array."""
    if isinstance(thing, HasState):
        return {f"{name}.{inner}": tensor for inner, tensor in thing.tensors().items()}
    if is_parameter(thing):
        return {name: _array(thing, ())}
    shape = _shape(thing)
    if shape:
        return {name: _array(thing, shape)}
    found: dict[str, np.ndarray] = {}
    for inner, item in items_of(thing, around):
        found.update(_tensors(item, f"{name}.{inner}", (*around, thing)))
    return found


def _shape(thing: Any, around: tuple[Any, ...] = ()) -> tuple[int, ...] | None:
    """Return the shape of nested lists of parameters; None if ragged or not only parameters."""
    if is_parameter(thing):
        return ()
    if isinstance(thing, dict) or not (items := items_of(thing, around)):
        return None
    shapes = {_shape(item, (*around, thing)) for _, item in items}
    inner = shapes.pop()
    return None if shapes or inner is None else (len(thing), *inner)


def _array(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return nested lists of Values as an array of Values."""
    array = np.empty(shape, dtype=object)
    array[...] = values
    return array


def _check_names(tensors: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Refuse a state whose names are not those of the module's tensors."""
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


def _checked_array(name: str, numbers: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return an item of a state as floats, if it is of this shape and finite."""
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
