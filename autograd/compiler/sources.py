"""Read and set the states of random generators and iterators, the sources of numbers."""

from __future__ import annotations

import functools
import itertools
import operator
import pickle
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from .foreign import is_standard


@functools.cache
def list_generators() -> tuple[type, ...]:
    """Return the classes of random generators; those of NumPy take long to import."""
    return random.Random, np.random.RandomState, np.random.Generator, np.random.BitGenerator


def is_iterator(thing: Any) -> bool:
    """Return True for an iterator of the standard library, whose only content is its position."""
    return isinstance(thing, Iterator) and is_standard(type(thing).__module__)


def read_state(source: Any) -> Any:
    """Return the state of a random generator or an iterator, in a form that `!=` compares."""
    if isinstance(source, random.SystemRandom):
        return None  # it has no state
    if isinstance(source, random.Random):
        return source.getstate()
    if isinstance(source, np.random.RandomState):
        return pickle.dumps(source.get_state(legacy=False))
    if isinstance(source, list_generators()):
        return pickle.dumps(_find_bit_generator(source).state)
    if isinstance(source, itertools.count):
        return repr(source)
    if frame := getattr(source, "gi_frame", None):
        return frame.f_lasti, repr(frame.f_locals)
    left = operator.length_hint(source, -1)
    return left if left >= 0 else object()  # an unknown state counts as changed


def set_state(source: Any, state: Any) -> None:
    """Set a random generator to a state; an iterator cannot be set back."""
    if isinstance(source, random.SystemRandom):
        return
    if isinstance(source, random.Random):
        source.setstate(state)
    elif isinstance(source, np.random.RandomState):
        source.set_state(pickle.loads(state))
    elif isinstance(source, list_generators()):
        _find_bit_generator(source).state = pickle.loads(state)


def _find_bit_generator(source: Any) -> Any:
    """Return the bit generator of a NumPy generator, or the argument if it is one."""
    return getattr(source, "bit_generator", source)
