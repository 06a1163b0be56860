"""The notebooks of docs/notebooks run from top to bottom, and a cell that was interrupted can be gone on from."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbclient")

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))
pytestmark = pytest.mark.timeout(600)

LONG = """
import time

from caviar import Float, Sweep


def train(config, trial):
    for epoch in range(1_000):
        trial.report(epoch, loss=config["x"] + 1 / (epoch + 1))
        time.sleep(0.1 if epoch > 2 and slow else 0)


slow = True
sweep = Sweep(train, {"x": Float(0.0, 1.0)}, "loss", trials=4, concurrency=1)
"""
GO_ON = """
from caviar import Result

slow = False
result = Result("caviar-store").resume(sweep=sweep, force=True)
assert set(result.trials()["state"]) == {"COMPLETED"}, result.trials()
assert len(result.trials()) == 4
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def client(notebook: Any, folder: Path, **how: Any) -> Any:
    from nbclient import NotebookClient

    return NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}, **how)


def said(cell: Any) -> str:
    return "\n".join(str(one.get("data", {}).get("text/plain", one.get("text", ""))) for one in cell["outputs"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, folder: Path) -> None:
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "kept without outputs: a run makes them"
    client(notebook, folder).execute()


def test_a_cell_that_was_interrupted_is_gone_on_from(folder: Path) -> None:
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [new_code_cell(text) for text in (LONG, 'sweep.run(store="caviar-store")', GO_ON)]
    notebook = new_notebook(cells=cells)
    running = client(notebook, folder, allow_errors=True)

    async def run() -> None:
        async with running.async_setup_kernel():
            await running.async_execute_cell(cells[0], 0)
            cell = asyncio.ensure_future(running.async_execute_cell(cells[1], 1))
            while "t0" not in said(cells[1]):  # the display shows a trial that runs
                await asyncio.sleep(0.5)
                assert not cell.done(), said(cells[1])
            await asyncio.sleep(2)
            await running.km.interrupt_kernel()
            await cell
            await running.async_execute_cell(cells[2], 2)

    asyncio.run(run())
    ended = [one for one in cells[1]["outputs"] if one["output_type"] == "error"]
    assert [one["ename"] for one in ended] == ["SweepInterrupted"]
    assert [one for one in cells[2]["outputs"] if one["output_type"] == "error"] == []
