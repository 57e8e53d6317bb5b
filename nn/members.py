"""The members of a module: the parameters and the modules in its attributes.

All names in `state_dict()` and in saved files come from the walk through the attributes here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Value
from autograd.extend import TABLE

from .init import Seed, generator
from .parameters import move
from .settings import finite, flag

if TYPE_CHECKING:
    from .module import Module

CONTAINERS = (list, tuple, dict, np.ndarray)  # in which a module may keep parameters and modules


class HasMembers:
    """Base class of `Module`: finds, names and resets the members of a module."""

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

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradient of every parameter to 0.

        `set_to_none` is PyTorch's argument, and changes nothing: a gradient is always a number.
        """
        flag(set_to_none, "set_to_none")
        for parameter in self.parameters():
            parameter.zero_grad()

    def reset_parameters(self, seed: Seed) -> None:
        """Draw all parameters again, each as when its module was made.

        On an error no parameter has changed.

        Raises:
            TypeError: a module has a parameter that its `sample_parameters(rng)` does not yield.
            TypeError, ValueError: it yields something other than a finite number.

        >>> from nn import MLP
        >>> model = MLP(2, [3, 1], seed=0)
        >>> model.reset_parameters(seed=1)
        >>> model.parameters()[0].data == MLP(2, [3, 1], seed=1).parameters()[0].data
        True
        """
        rng, numbers = generator(seed), {}
        for module in self.modules():
            for parameter, x in module.sample_parameters(rng):
                numbers[id(parameter)] = finite(x, "a number that a parameter starts from")
        for name, parameter in self.named_parameters():
            if id(parameter) not in numbers:
                raise TypeError(
                    f"no start value is known for {name}: give its module a method "
                    f"sample_parameters(self, rng) that yields the pair (parameter, number)"
                )
        parameters = self.parameters()
        move(parameters, [numbers[id(parameter)] for parameter in parameters])

    def sample_parameters(self, rng: random.Random) -> Iterator[tuple[Value, float]]:
        """Yield each parameter with a number to start from, and set none.

        A class that makes parameters of its own defines this method. It leaves out the parameters
        of the modules inside, which are asked themselves.
        """
        yield from ()

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield this module, named "", and every module inside it, each once, outer before inner.

        >>> from nn import MLP
        >>> [name for name, _ in MLP(1, [1]).named_modules()]
        ['', 'layers.0', 'layers.0.neurons.0']
        """
        seen: set[int] = set()
        stack: list[tuple[str, Any]] = [("", self)]
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
            yield from _members_in(attribute, name, parameters)


def is_parameter(thing: Any) -> bool:
    """Return True for a leaf; the other Values in a module were computed, such as z and a.

    >>> w = Value(1.0)
    >>> is_parameter(w), is_parameter(w * 2.0)
    (True, False)
    """
    return isinstance(thing, Value) and thing.op is TABLE["leaf"]


def _members_in(
    thing: Any, name: str, parameters: bool, around: tuple[Any, ...] = ()
) -> Iterator[tuple[str, Any]]:
    """Yield the modules in an attribute, and its parameters if wanted, each with its name.

    `around` holds the containers that are being visited.
    """
    if isinstance(thing, HasMembers) or (parameters and is_parameter(thing)):
        yield name, thing
    elif isinstance(thing, CONTAINERS) and (parameters or not _holds_only_values(thing)):
        for inner, item in items_of(thing, around):
            if not isinstance(item, Value):
                yield from _members_in(item, f"{name}.{inner}", parameters, (*around, thing))
            elif parameters and is_parameter(item):
                yield f"{name}.{inner}", item


def _holds_only_values(thing: Any) -> bool:
    """Return True for a list or tuple of Values, as of the weights of a neuron: there are many."""
    sequence = isinstance(thing, (list, tuple))
    return sequence and all(issubclass(kind, Value) for kind in set(map(type, thing)))


def items_of(thing: Any, around: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    """Return the items of a list, tuple, dict or array; none if it is among `around` (a cycle)."""
    if any(outer is thing for outer in around):
        return []
    if isinstance(thing, dict):
        return list(thing.items())
    if isinstance(thing, np.ndarray):
        thing = thing.tolist() if thing.dtype == object else []
    return list(enumerate(thing)) if isinstance(thing, CONTAINERS) else []
