"""Write pages as single HTML files that need no network and may not use one.

`graph_page` and `nn.picture.page` build a `Page`. All scripts and styles are inlined, and the
content security policy lists their hashes: a script that is changed after that does not run.
"""

from __future__ import annotations

import base64
import hashlib
import html
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from string import Template
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from ..core.boundary import path as checked_path
from ..core.terminal import fitted
from ..files import expanded, write_whole
from ..picture.markup import LINE, Markup, element

if TYPE_CHECKING:
    if sys.version_info >= (3, 11):
        from importlib.resources.abc import Traversable
    else:
        from importlib.abc import Traversable

IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./([^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?:function\*?|class|const) (\w+)", re.MULTILINE)
FIRST_ARGUMENT = re.compile(r"(?<=Args:\n)    \w+: .*\n(?:        .*\n)*")
TELL_COLOUR = "this.contentWindow.postMessage(getComputedStyle(this).color, '*')"
HEIGHT = 720  # pixels of the frame in a notebook: the player, and below it the chosen node


Shown = TypeVar("Shown")
Options = ParamSpec("Options")


class Page:
    """An HTML page in one file, which needs no server and runs only its own scripts.

    Args:
        kind: the name of the page's own files: `kind`.js, `kind`.css and `kind`.html.
        title: the title.
        data: the data that the page shows, which is stored as JSON.
        generated: JavaScript generated for this page, which runs before the modules.
        libraries: the third-party files that the page needs, from the folder `vendor`.
        folders: the folders of the page's own files, if they are in another package. A file is
            taken from the first folder that has it, or else from the files of all pages.
        framed: a page that this one shows in a frame, where the policy of both is valid.

    >>> page = Page("player", "a </title>", {"nodes": []})
    >>> "a &lt;/title&gt;" in page.html
    True
    """

    def __init__(
        self,
        kind: str,
        title: str,
        data: dict[str, Any],
        generated: str = "",
        libraries: tuple[str, ...] = (),
        folders: Sequence[Traversable] = (),
        framed: Page | None = None,
    ) -> None:
        self.title = title
        vendored = "".join(read(f"vendor/{name}") for name in libraries)
        generated = globals_of("special.js") + generated
        script = f'"use strict";\n{vendored}\n{generated}\n{modules(f"{kind}.js", folders)}'
        style = read("page.css") + read(f"{kind}.css", folders)
        self.scripts: list[str] = [_hashed(script), *(framed.scripts if framed else [])]
        self.styles: list[str] = [_hashed(style), *(framed.styles if framed else [])]
        self.html = Template(read("page.html")).substitute(
            policy="; ".join(
                [
                    "default-src 'none'",
                    f"script-src {' '.join(self.scripts)}",
                    f"style-src {' '.join(self.styles)}",
                    "img-src data:",
                    "base-uri 'none'",
                    "form-action 'none'",
                ]
            ),
            title=html.escape(title),
            style=style,
            body=read(f"{kind}.html", folders)
            .replace("CONTROLS", read("controls.html"))
            .replace("TITLE", html.escape(title)),
            data=_inert(json.dumps(data, ensure_ascii=False, separators=(",", ":"))),
            script=script,
        )

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the page to a file and return its path; a name without an ending gets `.html`.

        Raises:
            OSError: the file cannot be written; an existing file is then unchanged.
        """
        target = expanded(path)
        if not (target.suffix or target.is_dir()):
            target = target.with_name(f"{target.name}.html")
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, self.html.encode())
        return str(target)

    @fitted
    def __repr__(self) -> str:
        return f"<page {self.title!r}: .save('page.html') writes it, a notebook shows it>"

    def frame(self) -> Markup:
        """Return the page in an iframe, so that its styles and scripts do not affect a notebook.

        The notebook tells the page the colour of its text, which is light if the notebook is dark.
        A notebook that is not trusted shows the words in the iframe instead.
        """
        return element(
            "iframe",
            f"{self.title}: a page that runs where the notebook is trusted, or the cell is run",
            srcdoc=self.html,
            title=self.title,
            sandbox="allow-scripts",
            onload=TELL_COLOUR,
            width="100%",
            height=str(HEIGHT),
            style=f"border:1px solid {LINE};border-radius:8px;box-sizing:border-box",
        )

    _repr_html_ = frame


def saved(
    make: Callable[Concatenate[Shown, Options], Page],
) -> Callable[Concatenate[Shown, str | os.PathLike[str], Options], str]:
    """Return the function that writes the page that `make` makes, with the same options.

    Its signature and its docstring are those of `make`, with a path after the first argument.
    """

    def save_html(
        shown: Shown,
        /,
        path: str | os.PathLike[str],
        *args: Options.args,
        **options: Options.kwargs,
    ) -> str:
        file = checked_path(path)  # first, because making the page takes time
        return make(shown, *args, **options).save(file)

    own, given = inspect.signature(save_html), inspect.signature(make)
    first, *options = given.parameters.values()
    first = first.replace(kind=inspect.Parameter.POSITIONAL_ONLY)
    parameters = [first, own.parameters["path"], *options]
    save_html.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    save_html.__module__ = make.__module__
    text = inspect.cleandoc(make.__doc__ or "").partition("\n\n>>>")[0].replace("Make", "Write", 1)
    named = "    path: the file to write; a name without an ending gets `.html`.\n"
    text = FIRST_ARGUMENT.sub(named, text)
    save_html.__doc__ = (
        f"{text}\n    OSError: the file cannot be written; an existing file is unchanged.\n\n"
        f"Returns:\n    The path."
    )
    return save_html  # type: ignore[return-value]  # `path` may be given by name, too


def read(name: str, folders: Sequence[Traversable] = ()) -> str:
    """Read a file from the first folder that has it, or else from the files of all pages."""
    from importlib.resources import files  # here, because it takes long to import

    found = [folder.joinpath(name) for folder in (*folders, files(__package__) / "web")]
    return next((file for file in found if file.is_file()), found[-1]).read_text(encoding="utf-8")


def globals_of(name: str) -> str:
    """Return a module as a script whose names are global, for what `javascript` generates."""
    return read(name).replace("export function", "function")


def modules(entry: str, folders: Sequence[Traversable] = ()) -> str:
    """Bundle a module and its imports into one script, dependencies first.

    Each module becomes a function that returns its exports, so that its names remain private.
    """
    texts: dict[str, str] = {}

    def add(name: str) -> None:
        if name not in texts:
            text = read(name, folders)
            for _, needed in IMPORT.findall(text):
                add(needed)
            texts[name] = _enclosed(name, text)

    add(entry)
    return "const MODULES = {};\n" + "".join(texts.values())


def _enclosed(name: str, text: str) -> str:
    """Rewrite a module as a function that is called at once and returns the module's exports."""
    body = IMPORT.sub(r'const \1 = MODULES["\2"];\n', text)
    exported = ", ".join(EXPORT.findall(body))
    body = EXPORT.sub(lambda found: found[0].removeprefix("export "), body)
    return f'MODULES["{name}"] = (() => {{\n{body}return {{ {exported} }};\n}})();\n'


def _hashed(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _inert(text: str) -> str:
    """Escape JSON so that it cannot close the script element that contains it."""
    return text.replace("<", "\\u003c")
