"""Acts on trials of sweeps that nobody runs, by processes that die before any change of the disk: done, or not done."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from caviar import Result
from caviar.run.engine.decision_log import DecisionLog
from caviar.store import Store, SweepDir
from caviar.store.check import check

from .conftest import Caviar, Write
from .test_rollback_code import EXPERIMENT

DIES = """
import os, signal, sys
from caviar import Float, Result
from caviar.store.disk.system_calls import SystemCalls

left, store, code = int(sys.argv[1]), sys.argv[2], sys.argv[4]

def mortal(name):
    done = getattr(SystemCalls, name)

    def call(self, *paths):
        global left
        if name != "_unlink" or not paths[0].name.startswith("."):
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
        done(self, *paths)

    setattr(SystemCalls, name, call)

for name in ("_rename", "_link", "_unlink"):
    mortal(name)
result = Result(store)
eval(sys.argv[3])
"""
ACTS = {
    "edit": "result.edit(0, lr='*0.5')",
    "note": "result.note(0, 'it learns')",
    "rollback": "result.rollback(0, to_step=8, lr=0.25)",
    "code": "result.rollback(0, to_step=8, code=code)",
    "fork": "result.fork(0, k=2, at_step=8, space={'lr': Float(0, 1)})",
    "pause": "result.pause(0)",
    "continue": "result.continue_(0)",
}
"""What is done; `edit`, `pause` and `continue` to a trial that was rolled back, and waits for its sweep."""


class AskedTooMuchError(BaseException):
    """The process is dead."""


@pytest.fixture
def ran(inline: None, write: Write, caviar: Caviar, store: Path) -> Path:
    """The file of a sweep of one trial, which has ended."""
    path = write(EXPERIMENT)
    assert caviar("run", path).code == 0
    mended = path.with_name("mended.py")
    mended.write_text(path.read_text().replace("version=1", "version=2"))
    return mended


def rows(store: Path) -> list[tuple[Any, ...]]:
    return Result(store).sql("SELECT trial, step, loss, version, branch FROM _curves ORDER BY trial, _row").fetchall()


def decided(store: Path, action: str) -> list[dict[str, Any]]:
    found = Result(store).sql(f"SELECT numbers FROM decisions WHERE action = '{action}' ORDER BY n").fetchall()
    return [json.loads(numbers) for (numbers,) in found]


@pytest.mark.parametrize("window", ["before the decision", "after it"])
def test_other_code_is_the_sweep_s_from_the_decision_on_and_not_before(
    ran: Path, caviar: Caviar, store: Path, monkeypatch: pytest.MonkeyPatch, window: str
) -> None:
    """Who dies in between leaves no other code without its rollback, and no rollback without its code."""
    before = Store.open(store).sweeps()[0].code()

    def die(*_: object, **__: object) -> None:
        raise AskedTooMuchError

    with monkeypatch.context() as patch:
        patch.setattr(*((DecisionLog, "publish", die) if window.startswith("before") else (SweepDir, "amend", die)))
        with pytest.raises(AskedTooMuchError):
            Result(store).rollback(0, to_step=8, code=ran)
    assert Store.open(store).sweeps()[0].code() == before
    assert len(decided(store, "rollback")) == (window == "after it")
    resumed = caviar("resume")
    assert resumed.code == 0, resumed.err
    assert [version for _, step, _, version, _ in rows(store) if step >= 8] == [2.0 if "after" in window else 1.0] * 4
    if window.startswith("before"):
        assert caviar("rollback", "0", "--to-step", "8", "--code", ran).code == 0
        assert [version for _, step, _, version, _ in rows(store) if step >= 8] == [2.0] * 4
    else:
        assert caviar("resume", "--add", "1").code == 0
        assert len(Store.open(store).sweeps()[0].codes()) == 1, "it is taken up once"


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("act", ACTS)
def test_who_dies_before_any_change_has_done_an_act_or_has_not(
    ran: Path, caviar: Caviar, store: Path, tmp_path: Path, act: str
) -> None:
    if act in ("edit", "pause", "continue"):
        Result(store).rollback(0, to_step=8, lr=0.5)
    if act == "continue":
        Result(store).pause(0)
    action = "rollback" if act == "code" else act
    before, had = rows(store), len(decided(store, action))
    found: set[bool] = set()
    for changes in range(99):
        shutil.rmtree(home := tmp_path / "again", ignore_errors=True)
        shutil.copytree(store, home)
        done = subprocess.run(
            [sys.executable, "-c", DIES, str(changes), str(home), ACTS[act], str(ran)],
            capture_output=True, text=True, check=False, timeout=100,
        )  # fmt: skip
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        made = len(decided(home, action)) - had
        taken = made > 0
        found.add(taken)
        assert made in ((0, 2) if act == "fork" else (0, 1)), "half of it"
        if act not in ("rollback", "code"):
            assert rows(home) == before
        resumed = caviar("resume", at=home)
        assert resumed.code == 0, resumed.err
        see_what_became_of_it(home, act, taken=taken)
        assert check(Store.open(home).sweeps()[0]) == []
        if done.returncode == 0:
            break
    assert found == {False, True}


def see_what_became_of_it(home: Path, act: str, *, taken: bool) -> None:
    """All trials have gone on to their ends, as the decisions tell."""
    found = rows(home)
    trials = sorted({row[0] for row in found})
    assert [row[1] for row in found if row[0] == 0] == list(range(12))
    assert Result(home).sql("SELECT DISTINCT state FROM trials").fetchall() == [("COMPLETED",)]
    assert len(trials) == (3 if act == "fork" and taken else 1)
    assert {row[3] for row in found} == ({1.0, 2.0} if act == "code" and taken else {1.0})
    branch = max(row[4] for row in found if row[0] == 0)
    assert branch == (1 if act in ("edit", "pause", "continue") or (act in ("rollback", "code") and taken) else 0)
    if act == "edit":
        assert len(decided(home, "applied")) == taken
