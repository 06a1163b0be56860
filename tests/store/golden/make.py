"""Makes the golden store of the present format: what every later version must read.

    python tests/store/golden/make.py

Run it when a version with a new format is released, and never again for that format: the point is that the files are
old. It writes format-<n>/store and, as the views show it today, format-<n>/rows.json.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "simulation"))

from rows import Rows

from caviar import Choice, Float, Int, Sweep
from caviar.store import Store, SweepDir, Views, Writer
from caviar.store.finalize import finalize
from caviar.store.merging import merge
from caviar_workers.tables import FORMAT

HERE = Path(__file__).resolve().parent
VIEWS = ("trials", "curves", "attempts", "configs", "logs", "decisions")
KINDS = {"lr": "float", "units": "int", "act": "text"}


def described() -> dict[str, Any]:
    """What a sweep is created with: a real plan, and a provenance that names nobody."""
    sweep = Sweep(
        lambda config, trial: 1.0,
        space={"lr": Float(1e-4, 1.0, scale="log"), "units": Int(8, 64), "act": Choice(["relu", "tanh"])},
        metric="loss",
        trials=3,
        seed=5,
        name="golden",
        tags=["a", "it's"],
        note="größe",
    )
    return {
        "plan": sweep.plan.to_json(),
        "provenance": {"host": "box", "git_commit": "abc", "git_dirty": True, "command": ["caviar", "run", "x.py"]},
        "program": {"digest": "0", "kind": "source"},
        "sampler_identity": {},
    }


def record(sweep: SweepDir, epoch: int) -> None:
    """Three trials: one that was started again, one with values that are no numbers, one that failed."""
    with Writer(sweep, epoch) as writer:
        columns = {"lr": [0.1, 0.2, 0.3], "units": [8, 9, 64], "act": ["relu", "tanh", "relu"]}
        writer.add("configs", Rows.configs([0, 1, 2], KINDS, **columns))
        writer.add("curves", Rows.curve(0, [0, 1, 2], loss=[9.0, 9.0, 9.0]))
        writer.add("curves", Rows.curve(1, [0, 1], loss=[math.nan, -0.0], größe=[None, math.inf]))
        writer.flush()
        writer.add("attempts", Rows.attempt(0, "LOST"))
        writer.add("curves", Rows.curve(0, [0, 1], attempt=1, loss=[5.0, 4.0]))
        writer.add("attempts", Rows.attempt(0, attempt=1, rows=2, step=1, last_loss=4.0, min_loss=4.0, max_loss=5.0))
        writer.add("attempts", Rows.attempt(1, rows=2, step=1, last_loss=-0.0, min_loss=-0.0, max_loss=-0.0))
        writer.add("attempts", Rows.attempt(2, "FAILED", kind="error", error="ValueError: no"))
        writer.add("logs", Rows.logs(0, ["b", "a\n"]))
        writer.add("decisions", Rows.decisions([0]))
        writer.add("decisions", Rows.decisions([1], trial=1, step=4, value=math.nan, bar=0.5))


def seen(store: Store) -> dict[str, Any]:
    """Every view's columns and rows, as text."""
    found = {}
    with Views(store) as views:
        for view in VIEWS:
            answer = views.execute(f"FROM {view}")
            columns = [column[0] for column in answer.description]
            found[view] = {"columns": columns, "rows": sorted(map(str, answer.fetchall()))}
    return found


def main() -> None:
    """Write the store of the present format anew."""
    folder = HERE / f"format-{FORMAT}"
    shutil.rmtree(folder, ignore_errors=True)
    store = Store.open(folder / "store", create=True)
    ended = store.create_sweep(described(), b"code")
    epoch = ended.claim()
    record(ended, epoch)
    finalize(ended, epoch)
    for merged in (False, True):  # interrupted ones: one of segments, one whose segments were merged
        open_sweep = store.create_sweep(described(), b"code")
        epoch = open_sweep.claim()
        record(open_sweep, epoch)
        open_sweep.release(epoch)
        if merged:
            merge(open_sweep)
    store.create_sweep(described(), b"code")  # one that never began
    for empty in sorted(folder.rglob("*"), reverse=True):  # git keeps no empty folders, nor does every copying tool
        if empty.is_dir() and not any(empty.iterdir()):
            empty.rmdir()
    (folder / "rows.json").write_text(json.dumps(seen(store), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
