"""Runs the cells of `chain_notebook.py` and writes them with their output to `chain.ipynb`.

    python -m demos.build_notebook

So it does with each script in SCRIPTS. A notebook contains no times, paths or versions, so the same
cells always give the same file. The module needs the extra `dev`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

from autograd.extend import write_whole

NAMES = ("chain", "network")
SCRIPTS = [Path(__file__).with_name(f"{name}_notebook.py") for name in NAMES]
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebook_of(script: Path) -> Path:
    """Return the notebook that is made from a script."""
    return script.with_name(script.name.replace("_notebook.py", ".ipynb"))


def executed(script: Path) -> Any:
    """Run a script from top to bottom in a kernel of its own, and return it as a notebook.

    Raises:
        CellExecutionError: a cell raised an error.
    """
    notebook = jupytext.read(script, fmt="py:percent")
    client = NotebookClient(notebook, kernel_name="python3", record_timing=False)
    client.execute(cwd=str(script.parent.parent))
    notebook.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = {}
    return notebook


def main() -> None:
    """Write the notebooks."""
    for script in SCRIPTS:
        text = nbformat.writes(executed(script))
        write_whole(notebook_of(script), f"{text}\n".encode())
        print(f"{notebook_of(script)}: {len(text) / 1000:,.0f} kB")


if __name__ == "__main__":
    main()
