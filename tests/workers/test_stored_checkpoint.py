"""A worker reads what its trials go on from where it lies, and passes over what is not as it was saved."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from caviar_workers.checkpoint import Save, carried
from caviar_workers.lease import run_lease
from caviar_workers.messages import Living, Origin, Program, Summary
from caviar_workers.stored_checkpoint import UnseenStoreError
from caviar_workers.tables import FORKED
from caviar_workers.trial import Trial
from caviar_workers.trial_folder import pack_folder

from ..leases import ended, make_lease, rows_of


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """The folder of checkpoints of a sweep that this machine sees."""
    folder = tmp_path / "sweep=x" / "_checkpoints"
    folder.mkdir(parents=True)
    folder.with_name("sweep.json").write_text("{}")
    return folder


def lying(shown: Path, step: int, data: bytes, trial: int = 0) -> Origin:
    """A checkpoint in the store, as a driver tells of it."""
    save = carried(Save(trial=trial, attempt=0, step=step, rows=step + 1, value=1.0, checksum=""), data)
    (shown / str(trial)).mkdir(exist_ok=True)
    (shown / save.name).write_bytes(data)
    curve = Living(metrics={"loss": Summary(last=float(step), low=0.0, high=9.0)})
    return Origin(save=replace(save, data=None), folder=str(shown), living=curve)


def on(config: dict[str, Any], trial: Trial) -> None:
    saved = trial.load()
    print("from", "nothing" if saved is None else saved.data.decode())
    trial.report(0 if saved is None else saved.step + 1, other=1.0)


def went_on(origins: tuple[Origin, ...], number: int = 0, train: Any = on) -> tuple[dict[str, Any], list[str]]:
    """How an attempt ended, and the lines that it printed."""
    program = Program(digest="d", train="train", functions={"train": train})
    lease = make_lease((number,), attempts=(1,), restore={number: origins})
    tables = rows_of(run_lease(program, lease, own_process=False))
    return ended(tables)[0], sorted("".join(row["text"] for row in tables["logs"]).splitlines())


def test_the_newest_is_read_and_its_curve_is_carried_on(shown: Path) -> None:
    end, said = went_on((lying(shown, 5, b"five"), lying(shown, 2, b"two")))
    assert said == ["from five"]
    assert (end["state"], end["start"], end["last_loss"]) == ("COMPLETED", 6, 5.0)


@pytest.mark.parametrize("wrong", ["damaged", "gone", "cut", "a link"])
def test_one_that_is_not_as_it_was_saved_gives_way_to_the_one_before(shown: Path, wrong: str) -> None:
    origins = lying(shown, 5, b"five"), lying(shown, 2, b"two")
    spoil(shown / origins[0].save.name, wrong)

    end, said = went_on(origins)

    assert said == ["[caviar: the checkpoint of step 5 is damaged or gone: this attempt begins at step 3]", "from two"]
    assert (end["start"], end["last_loss"]) == (3, 2.0)


def spoil(file: Path, wrong: str) -> None:
    data = file.read_bytes()
    file.unlink()
    if wrong == "a link":
        (elsewhere := file.with_name("elsewhere")).write_bytes(data)
        file.symlink_to(elsewhere)
    elif wrong != "gone":
        file.write_bytes(data[:-1] + (b"" if wrong == "cut" else b"x"))


def test_a_trial_without_any_begins_anew_and_a_fork_fails_with_what_to_do(shown: Path) -> None:
    origins = lying(shown, 5, b"five"), lying(shown, 2, b"two")
    for origin in origins:
        (shown / origin.save.name).unlink()

    _, said = went_on(origins)
    told = "[caviar: the checkpoints of steps 5, 2 are damaged or gone: this attempt begins at step 0]"
    assert said == [told, "from nothing"]
    end, said = went_on(origins, FORKED)
    assert (end["state"], said) == ("FAILED", [])
    assert "forked from trial 0 at step 2, and that checkpoint is damaged or gone: put a copy" in end["error"]
    assert went_on((lying(shown, 7, b"own", FORKED), *origins), FORKED)[0]["start"] == 8


def test_a_folder_is_a_folder_again(shown: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(b"w" * 3_000_000)
    pack_folder(tmp_path / "model", tmp_path / "packed")

    def train(config: dict[str, Any], trial: Trial) -> None:
        saved = trial.load()
        assert saved is not None
        trial.report(6, loss=float((saved.path / "weights").stat().st_size))

    end, _ = went_on((lying(shown, 5, (tmp_path / "packed").read_bytes()),), train=train)
    assert (end["error"], end["last_loss"]) == (None, 3e6)


def test_what_is_not_seen_is_told_before_any_trial_begins(shown: Path) -> None:
    origin = lying(shown, 5, b"five")
    shown.with_name("sweep.json").unlink()
    program = Program(digest="d", train="train", functions={"train": on})
    lease = make_lease((3, 0), attempts=(0, 1), restore={0: (origin,)})
    with pytest.raises(UnseenStoreError, match="does not see"):
        list(run_lease(program, lease, own_process=False))
    carried_along = Origin(save=replace(origin.save, data=b"five"))
    assert went_on((carried_along,))[0]["start"] == 6, "what came with its bytes needs no store"
