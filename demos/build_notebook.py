"""Builds `chain.ipynb` from `chain_notebook.py`: the cells, run, with what they show.

    python -m demos.build_notebook

The same cells give the same file: no times, no paths, no versions stand in it. It needs the extra
`dev`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

from autograd.extend import write_whole

SCRIPT = Path(__file__).with_name("chain_notebook.py")
NOTEBOOK = Path(__file__).with_name("chain.ipynb")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def executed(script: Path = SCRIPT) -> Any:
    """The notebook of a script, run from top to bottom in a kernel of its own.

    Raises:
        CellExecutionError: a cell raised.
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
    """Write the notebook."""
    text = nbformat.writes(executed())
    write_whole(NOTEBOOK, f"{text}\n".encode())
    print(f"{NOTEBOOK}: {len(text) / 1000:,.0f} kB")


if __name__ == "__main__":
    main()
