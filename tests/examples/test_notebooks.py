"""The notebooks of examples/ run from top to bottom, in a kernel of their own."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))

LIMIT = 300
"""Time limit of a cell, in seconds."""


def test_there_are_examples():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path):
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=LIMIT, resources={"metadata": {"path": str(EXAMPLES)}})
    client.execute()
    printed = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    bars = [output.text for output in printed if output.output_type == "stream" and output.name == "stderr"]
    assert any("5 evaluate]" in text for text in bars), "progress is shown in a notebook too"
    last = [output.text for output in printed if output.output_type == "stream" and output.name == "stdout"]
    assert "did you mean mmul" in last[-1]
