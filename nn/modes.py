"""Training mode and evaluation mode: which of them a module is in."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from autograd import Setting, setting

from .members import HasMembers
from .settings import flag

if TYPE_CHECKING:
    from .module import Module

Self = TypeVar("Self", bound="HasMode")


class HasMode(HasMembers):
    """Base class of `Module`: is in training mode or in evaluation mode."""

    _training = True

    @property
    def training(self) -> bool:
        """True in training mode, in which dropout is active.

        The innermost enclosing `mode` block decides; without one, the last `train()` or `eval()`.
        """
        for found in reversed(setting("training") or ()):
            if id(self) in found.modules:
                return found.training  # type: ignore[no-any-return]
        return self._training

    @training.setter
    def training(self, training: bool) -> None:
        self._training = flag(training, "training")

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
        self._block_mode = _BlockMode(module, training)

    def within(self, outer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the settings inside the block: those around it, and this mode last.

        `Module.training` reads the modes from last to first.
        """
        root = self._block_mode.root
        around = [other for other in outer.get("training") or () if other.root is not root]
        return {**outer, "training": (*around, self._block_mode)}


class _BlockMode:
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
        if not (isinstance(other, _BlockMode) and self.root is other.root):
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
