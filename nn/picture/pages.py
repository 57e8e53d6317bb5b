"""`page`: the HTML page of any model, which is `Module.page`.

There are two kinds: `network_page` for networks, `prefix_page` for models that read tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd import Page, Value

from ..module import Module
from ..settings import with_options
from ..training.history import History


@with_options
def page(
    model: Module,
    *,
    history: History | None = None,
    data: tuple[Any, Any] | None = None,
    loss: Callable[[Any, Any], Value] | None = None,
    classes: Sequence[Any] | None = None,
    features: Sequence[Any] | None = None,
    shape: Sequence[int] | None = None,
    title: str | None = None,
    tokens: Sequence[Any] | None = None,
    longest: int | None = None,
    start: Any = None,
    prefix: str = "",
    attention: Callable[[Any], Any] | None = None,
) -> Page:
    """Make an HTML page that shows a model and runs it on inputs of the reader's choice.

    The page is one file that works offline. That of a network shows the weights and the loss by
    epoch, the gradients of one example's cost and what each neuron sees. With `tokens`, the page
    has a field for a prefix, and shows what the model expects next and where its heads look.

    Args:
        model: a chain of layers, or a neuron; or a Sequential with modules on images before its
            layers, for which the page shows the feature maps. With `tokens`: a module that takes a
            list of whole numbers, the tokens, and returns the logits of the token that follows, or
            such logits for each place.
        history: the history of the training, to be played epoch by epoch. Without it the page
            shows the current weights only.
        data: examples (X, y) to run the network on. If there are many, the page holds the first.
        loss: the cost of one example, as for `Trainer`. The page then shows the cost of the
            example on the screen, and the gradients of that cost. An input of the reader's own
            has no target, and so no cost. The page of a network of dense layers can also train it
            on: from the weights shown, on the examples of the page, with the steps of
            `Trainer.fit`. The page holds examples in single precision, and images in 256 levels of
            brightness. Training begins with the optimiser, the learning rate, the batch size and
            the seed of the last epoch in `history`; without its schedule, penalty, clipping, weight
            decay and the memory of its optimiser.
        classes: names of the outputs, or for a single output the names of no and yes.
        features: names of the inputs.
        shape: (rows, columns) if the inputs are the pixels of an image. Default: square images
            for 64 and 784 inputs, else none. For a network on images (channels, rows, columns);
            default: the shape of the data, or the square that fits.
        title: the title of the page. Default: the sizes of the layers, or the number of tokens.
        tokens: the names of all tokens: a list, or a string of characters.
        longest: with `tokens`, how many of them the model takes at most, the start included.
        start: the token before every prefix. If it is drawn again, the text ends there.
        prefix: what the field holds at first.
        attention: a function that is called with the model after each run, and returns for each
            head rows of shares, as for `nn.plots.attention`. Default: the shares of each
            `MultiheadAttention` in the model.

    Raises:
        TypeError, ValueError: the model cannot be shown, an option does not fit the model or the
            others, or the page cannot compute what the model does.

    >>> from nn import MLP
    >>> page(MLP(2, [3, 1], seed=0)).title
    'a 2-3-1 network'
    """
    # Here, because they take long to import
    from .page import network_page
    from .prefix import prefix_page

    of_networks = {
        "history": history,
        "data": data,
        "loss": loss,
        "classes": classes,
        "features": features,
        "shape": shape,
    }
    of_tokens = {"longest": longest, "start": start, "prefix": prefix, "attention": attention}
    if tokens is None:
        _refuse(of_tokens, "needs tokens=, the names of what the model reads")
        return network_page(
            model,
            history=history,
            data=data,
            loss=loss,
            classes=classes,
            features=features,
            shape=shape,
            title=title,
        )
    _refuse(of_networks, "is for networks, and not for a model that reads tokens")
    if longest is None:
        raise TypeError("longest= is missing: how many tokens the model takes at most")
    return prefix_page(
        model,
        tokens=tokens,
        longest=longest,
        start=start,
        prefix=prefix,
        attention=attention,
        title=title,
    )


def _refuse(options: dict[str, Any], why: str) -> None:
    """Raise an error for an option of the other kind of page."""
    for name, given in options.items():
        if given is not None and given != "":
            raise TypeError(f"the option {name}= {why}")
