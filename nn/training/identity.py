"""The identity of a training run: facts as texts, which a checkpoint stores and a resume compares.

A fact is a name and a text, such as `model.layers[0].activation.name` and `'tanh'`. Every object
is broken down into facts: its type, its public attributes and its items. Arrays are described by
a digest; objects of Python or a library by their name; the user's functions by a digest of their
code, their closures and the globals that they read.

Not compared: the numbers in Values, attributes whose names begin with `_`, the contents of
objects written in C, and the code of libraries.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import types
from collections.abc import Iterator, Mapping
from dis import get_instructions
from typing import Any

import numpy as np

from autograd import Value

from ..module import Module
from ..optim import Optimizer
from ..schedule import Scheduler

OURS = {"autograd", "nn"}
PLAIN = (bool, int, float, complex, str, bytes, type(None))
LONGEST = 100  # characters; a longer text is shortened and gets a digest
SHOWN = 3  # differences that an error names
PASSING = {"init", "training"}  # attributes of modules that do not affect a run once it has begun

Named = tuple[str, Any]


def identity(**things: Any) -> dict[str, str]:
    """Return the facts about some objects, each under its name.

    >>> identity(seed=0, loss=functools.partial(max, key=abs))
    {'seed': '0', 'loss': 'functools.partial', 'loss.func': 'builtins.max', 'loss.args': '[]',
     'loss.keywords': 'builtins.dict', "loss.keywords['key']": 'builtins.abs'}
    """
    facts: dict[str, str] = {}
    seen: dict[int, str] = {}  # name by id, for shared objects and cycles
    kept = []  # keeps the objects alive, so that no id is reused
    stack = list(things.items())[::-1]
    while stack:
        name, thing = stack.pop()
        if id(thing) in seen:
            facts[name] = f"the same as {seen[id(thing)]}"
            continue
        text, parts = _apart(name, thing)
        facts[name] = text
        if parts:
            seen[id(thing)] = name
            kept.append(thing)
            stack.extend(parts[::-1])
    return facts


def difference(theirs: Mapping[str, str], mine: Mapping[str, str]) -> str:
    """Describe the differences between two identities in words; return "" if there are none.

    >>> difference({"seed": "0", "clip": "None"}, {"seed": "0", "clip": "1.0"})
    'clip was None there and is 1.0 here'
    """
    names: list[str] = []
    for name in {**mine, **theirs}:
        of_another = any(name.startswith((f"{other}.", f"{other}[")) for other in names)
        if theirs.get(name) != mine.get(name) and not of_another:
            names.append(name)
        if len(names) > SHOWN:
            break
    texts = [
        f"{name} was {theirs.get(name, 'nothing')} there and is {mine.get(name, 'nothing')} here"
        for name in names[:SHOWN]
    ]
    return "; ".join([*texts, "and more"] if len(names) > SHOWN else texts)


def _apart(name: str, thing: Any) -> tuple[str, list[Named]]:
    """Return the text that describes an object, and its parts, which are described next."""
    if isinstance(thing, np.generic):
        thing = thing.item()
    if _is_plain(thing):
        return _short(_written(thing)), []
    if isinstance(thing, np.ndarray) and not thing.dtype.hasobject:
        numbers = np.ascontiguousarray(thing).reshape(-1).view(np.uint8).data
        return f"{thing.dtype} of shape {thing.shape}, {_digest(numbers)}", []
    if isinstance(thing, Value):
        return "a Value", []
    if isinstance(thing, functools.partial):
        parts = {"func": thing.func, "args": thing.args, "keywords": thing.keywords}
        return _name(functools.partial), _listed(name, parts)
    if isinstance(thing, Mapping):
        return _name(type(thing)), [(f"{name}[{key!r}]", item) for key, item in thing.items()]
    if isinstance(thing, (list, tuple, np.ndarray)):
        if all(isinstance(item, Value) for item in thing):
            return f"{len(thing)} Values", []
        items = [(f"{name}[{i}]", item) for i, item in enumerate(thing)]
        return f"{_name(type(thing))} of {len(thing)}", items
    if isinstance(thing, types.MethodType):
        return "a method", _listed(name, {"of": thing.__self__, "function": thing.__func__})
    if isinstance(thing, types.ModuleType):
        return f"the module {thing.__name__}", []
    if isinstance(thing, types.FunctionType):
        return (_name(thing), []) if _is_library(thing) else _function(name, thing)
    if isinstance(thing, type):
        return _name(thing), [] if _is_library(thing) else _listed(name, _class_parts(thing))
    if hasattr(thing, "__qualname__") or isinstance(thing, np.ufunc):  # a function written in C
        wrapped = getattr(thing, "__wrapped__", None)
        return _name(thing), [] if wrapped is None else [(f"{name}.__wrapped__", wrapped)]
    return _object(name, thing)


def _is_plain(thing: Any, depth: int = 3) -> bool:
    """Return True for numbers, texts, and lists or sets of them nested at most `depth` deep."""
    if type(thing) in (list, tuple, set, frozenset):
        return depth > 0 and all(_is_plain(item, depth - 1) for item in thing)
    return type(thing) in PLAIN


def _written(thing: Any) -> str:
    """Return plain data as text, with sets in sorted order."""
    if isinstance(thing, (set, frozenset)):
        return f"{{{', '.join(sorted(map(_written, thing)))}}}"
    if isinstance(thing, (list, tuple)):
        return f"[{', '.join(map(_written, thing))}]"
    return repr(thing)


def _object(name: str, thing: Any) -> tuple[str, list[Named]]:
    kind = type(thing)
    parts = {key: part for key, part in _attributes(thing).items() if not key.startswith("_")}
    code = [] if _is_library(kind) else [(f"{name}.__class__", kind)]
    return _name(kind) if parts else _shown(thing), [*_listed(name, parts), *code]


def _attributes(thing: Any) -> dict[str, Any]:
    if isinstance(thing, Optimizer):
        return {setting: getattr(thing, setting) for setting in thing.settings}
    if isinstance(thing, Scheduler):
        return thing.state_dict()
    parts: dict[str, Any] = getattr(thing, "__dict__", {})
    if isinstance(thing, Module):
        return {key: part for key, part in parts.items() if not _is_passing(key, part)}
    slots = [slot for kind in type(thing).__mro__ for slot in getattr(kind, "__slots__", ())]
    return {slot: getattr(thing, slot) for slot in slots if hasattr(thing, slot)} | parts


def _shown(thing: Any) -> str:
    """Return the `repr` of an object if it is reproducible, else the name of its class.

    A `repr` is not reproducible if it contains an address, has no fixed order (sets), or is
    defined by the user.
    """
    kind = type(thing)
    if issubclass(kind, (set, frozenset)) or not _is_library(kind.__repr__):
        return _name(kind)
    text = repr(thing)
    return _name(kind) if " at 0x" in text else _short(text)


def _is_passing(key: str, part: Any) -> bool:
    """Return True for an attribute of a module that says nothing about the run.

    An example is the output of the last call.
    """
    return key in PASSING or part is None or isinstance(part, Value)


def _class_parts(kind: type) -> dict[str, Any]:
    """Return the methods and the public attributes that a user's class defines."""
    parts: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if not _is_library(base):
            for key, part in vars(base).items():
                part = getattr(part, "__func__", getattr(part, "fget", part))
                if isinstance(part, types.FunctionType) or not key.startswith("_"):
                    parts[key] = part
    return parts


def _function(name: str, function: types.FunctionType) -> tuple[str, list[Named]]:
    """Describe a user's function; its parts are what its code reads besides the arguments."""
    code, around = function.__code__, function.__globals__
    parts = {key: around[key] for key in _globals_read(code) if key in around}
    for key, cell in zip(code.co_freevars, function.__closure__ or ()):
        parts[key] = _content(cell)
    for key, module in list(parts.items()):
        if isinstance(module, types.ModuleType) and not _is_library(module):
            read = {each for inner in _codes(code) for each in inner.co_names} & vars(module).keys()
            parts |= {f"{key}.{each}": vars(module)[each] for each in sorted(read)}
    parts["defaults"] = function.__defaults__ or ()
    parts["keyword defaults"] = function.__kwdefaults__ or ()
    version = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    text = f"{_name(function)}, code with {_digest(_code(code).encode())} in {version}"
    return text, _listed(name, parts)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return "not set yet"


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield this code object and those of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _globals_read(code: types.CodeType) -> list[str]:
    instructions = (each for inner in _codes(code) for each in get_instructions(inner))
    return sorted({i.argval for i in instructions if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")})


def _code(code: types.CodeType) -> str:
    """Return a function's instructions, names and constants as text."""
    return "\n".join(
        f"{inner.co_code.hex()} {inner.co_names} {inner.co_argcount} "
        f"{_written([c for c in inner.co_consts if not isinstance(c, types.CodeType)])}"
        for inner in _codes(code)
    )


def _listed(name: str, parts: Mapping[str, Any]) -> list[Named]:
    return [(f"{name}.{key}", part) for key, part in parts.items()]


def _is_library(thing: Any) -> bool:
    """Return True if an object belongs to Python, this project or an installed package."""
    module = thing.__name__ if isinstance(thing, types.ModuleType) else _module(thing)
    root = module.partition(".")[0]
    file = getattr(sys.modules.get(root), "__file__", None) or ""
    installed = "site-packages" in file or "dist-packages" in file
    return root in OURS or root in sys.stdlib_module_names or installed


def _module(thing: Any) -> str:
    module = getattr(thing, "__module__", None)
    return module if isinstance(module, str) else "builtins"


def _name(thing: Any) -> str:
    """Return the qualified name of an object, such as builtins.max."""
    module = _module(thing)
    root = module.partition(".")[0]
    called = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", "")
    return f"{root if root in OURS else module}.{called}"


def _short(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]}… ({len(text)} characters, {_digest(text.encode())})"


def _digest(content: bytes | memoryview) -> str:
    return f"digest {hashlib.sha256(content).hexdigest()[:16]}"
