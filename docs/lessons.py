"""Runs the lessons, and writes a page for each: its text, pictures, live page, output and code."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = Path(__file__).parent / "lessons"
SERVED = ROOT / "build" / "lessons"  # copied into the site as it is
OUTPUT = SERVED / "lessons" / "live"
GALLERY = ROOT / "demos" / "gallery"
WIDE = 1600  # pixels; a wider picture cannot be read in the column of a page
ORDER = (
    *("chain", "gates", "boundary", "descent", "moons", "spirals", "overfit", "regularise"),
    *("dropout", "vanishing", "digits", "convolution", "names"),
)

PAGE = """\
# {title}

{text}

{live}

## Pictures

{pictures}

## What the lesson claims

{notes}

## What it prints

`python -m demos.{name}` prints:

```{{literalinclude}} ../../build/lessons/lessons/live/{name}.txt
:language: none
:class: output
```

## The code

```{{literalinclude}} ../../demos/{name}.py
:language: python
```
"""

LIVE = """\
```{{raw}} html
<iframe class="live" src="live/{name}.html" title="{title}: a page to play with" loading="lazy">
</iframe>
<p class="live-link"><a href="live/{name}.html">Open this page in a tab of its own</a></p>
```
"""

INDEX = """\
# Lessons

```{{include}} ../../demos/README.md
:start-after: "# The lessons"
:end-before: "| demo |"
```

```{{toctree}}
:maxdepth: 1

{names}
```

The first lesson, and a network, as notebooks with what their cells show. They are in `demos/`, and
{{doc}}`../howto/notebooks` says how to run them:

```{{toctree}}
:maxdepth: 1

A notebook of the chain <../notebooks/chain>
A notebook of a network <../notebooks/network>
```

## What they reach

```{{include}} ../../demos/README.md
:start-after: "runs all lessons."
:end-before: "![Logic gates"
```
"""


def newest() -> float:
    """Return the time of the last change of what a lesson and its page are made of."""
    packages = [path for name in ("autograd", "nn", "demos") for path in (ROOT / name).rglob("*.*")]
    sources = [path for path in packages if path.suffix in (".py", ".js", ".css", ".html")]
    return max(path.stat().st_mtime for path in [*sources, Path(__file__).parent / "live.py"])


def run(name: str) -> None:
    """Run a lesson in a process of its own, unless its output is newer than all sources."""
    output = OUTPUT / f"{name}.txt"
    if output.exists() and output.stat().st_mtime > newest():
        return
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    environment.pop("AUTOGRAD_PURE", None)
    command = [sys.executable, "-m", "docs.live", name]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the lesson {name} failed:\n{done.stderr.decode()}")
    output.write_bytes(done.stdout)


def text_of(name: str) -> tuple[str, str]:
    """Return the title and the text of a lesson, from its docstring."""
    source = (ROOT / "demos" / f"{name}.py").read_text("utf-8")
    head, _, rest = (ast.get_docstring(ast.parse(source)) or "").partition("\n")
    title, _, about = head.rpartition(": ")
    title = title or name.capitalize()
    return title, f"{about[:1].upper()}{about[1:]}\n{rest}"


def notes(name: str) -> str:
    """Return what demos/README.md says of a lesson."""
    text = (ROOT / "demos" / "README.md").read_text("utf-8")
    return text.partition(f"## `python -m demos.{name}`")[2].partition("\n## ")[0]


def pictures(name: str) -> list[Path]:
    """Return the pictures of a lesson, the main one first, but not those of its notes and page."""
    first = [path for path in [GALLERY / f"{name}.png"] if path.exists()]
    named = notes(name)
    found = first + sorted(GALLERY.glob(f"{name}-*.png"))
    return [p for p in found if f"gallery/{p.name}" not in named and p.stem != f"{name}-page"]


def picture(path: Path, text: str) -> str:
    """Return the Markdown of a picture of the gallery; a wide one scrolls."""
    shown = f"![{text}](../../demos/gallery/{path.name})"
    width = int.from_bytes(path.read_bytes()[16:20], "big")  # by the header of a PNG
    return f":::{{div}} wide\n{shown}\n:::" if width > WIDE else shown


def page(name: str) -> str:
    """Return the page of a lesson."""
    title, text = text_of(name)
    shown = [picture(path, f"{title}: {path.stem}") for path in pictures(name)]
    live = LIVE.format(name=name, title=title) if (OUTPUT / f"{name}.html").exists() else ""
    return PAGE.format(
        name=name,
        title=title,
        text=text,
        live=live,
        pictures="\n\n".join(shown),
        notes=notes(name),
    )


def write() -> None:
    """Run the lessons, and write their pages."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    PAGES.mkdir(exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, ORDER))
    for name in ORDER:
        (PAGES / f"{name}.md").write_text(page(name), "utf-8")
    (PAGES / "index.md").write_text(INDEX.format(names="\n".join(ORDER)), "utf-8")
