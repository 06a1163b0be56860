"""Damage at every file of a sweep: it is named, nothing is shown as less without a word, and nothing is deleted."""

import shutil
from contextlib import suppress

import pytest

from caviar.errors import CaviarError, StoreError
from caviar.store import Store, Views, Writer
from caviar.store.check import check
from caviar.store.checkpoints import write_carried
from caviar.store.final_tests import add_final
from caviar.store.finalize import compact, finalize
from caviar.store.merging import merge
from caviar_workers.checkpoint import Save, carried

TRIALS = 3
ROWS = [(trial, step) for trial in range(TRIALS) for step in range(2)]
FORMS = ("finished", "interrupted", "merged", "running", "resumed")
HURTS = ("deleted", "truncated", "swapped")


def record(sweep, rows, epoch, trials):
    with Writer(sweep, epoch, interval_s=60, sealing=True) as writer:
        for trial in trials:
            if trial == 0:
                writer.add("configs", rows.configs(range(TRIALS)))
            writer.add("curves", rows.curve(trial, [0, 1], loss=[1.0 + trial, 2.0 + int(sweep.id[-4:], 16)]))
            writer.add("attempts", rows.attempt(trial, rows=2, last_loss=2.0))
            writer.add("logs", rows.logs(trial, [f"hello from {sweep.id}"]))
            writer.add("decisions", rows.decisions([trial]))
            writer.flush()


def make(store, rows, describe, form):
    sweep = store.create_sweep(describe(trials=TRIALS, note=form), form.encode())
    epoch = sweep.claim()
    write_carried(
        sweep, epoch, carried(Save(trial=0, attempt=0, step=1, rows=2, value=1.0, checksum=""), sweep.id.encode())
    )
    first = range(1) if form == "resumed" else range(TRIALS)
    record(sweep, rows, epoch, first)
    if form == "merged":
        merge(sweep)
    if form in ("finished", "resumed"):
        finalize(sweep, epoch)
    if form == "finished":
        add_final(sweep, {"trial": 0, "of": sweep.id})
    if form in ("merged", "interrupted"):
        sweep.release(epoch)
    if form == "resumed":
        epoch = sweep.claim()
        record(sweep, rows, epoch, range(1, TRIALS))
        sweep.release(epoch)
    return sweep


@pytest.fixture(scope="module")
def lived(tmp_path_factory, rows, describe):
    """A store with two sweeps of each form; those that run are this process's."""
    store = Store.open(tmp_path_factory.mktemp("lived") / "store", create=True)
    return {form: [make(store, rows, describe, form) for _ in range(2)] for form in FORMS}


def shown(sweep):
    """The rows that a reader sees, and whether it is told that there were more."""
    with Views(Store.open(sweep.path.parent), [sweep]) as views:
        found = views.execute("SELECT trial, step FROM curves ORDER BY ALL").fetchall()
        return found, bool(views.missing() or views.quarantined())


def hurt_it(path, how, other):
    if how == "deleted":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(path.read_bytes()[:-3])
    else:
        path.write_bytes(other.read_bytes())


def counterpart(path, sweep, other):
    """The file of another sweep that is in the place of this one."""
    folder = other.path / path.relative_to(sweep.path).parent
    found = sorted(folder.iterdir(), key=lambda one: (one.name.split("-")[:3] != path.name.split("-")[:3], one.name))
    return next((one for one in found if one.is_file()), None)


UNKNOWN = {
    "deleted": ("_checkpoints/", "_final/"),  # nobody else knows that there was one
    "swapped": ("_final/", "_owner/", "_manifest/000000"),  # of another sweep, and as whole as its own
    "truncated": (),
}


def pairs(lived, form):
    sweep, other = lived[form]
    for path in sorted(path for path in sweep.path.rglob("*") if path.is_file()):
        for how in HURTS:
            yield sweep, other, path, how


def names_of(sweep):
    """What `check` names; of a sweep that cannot be read at all, all that the sentence says."""
    try:
        return [finding.name for finding in check(sweep)]
    except StoreError as error:
        return [str(error)]


def is_it(finding, name):
    """Whether a finding means a file. Of a manifest of another sweep, the description is what does not fit."""
    lengths = {"_hot": len("_hot/0001-000000000"), "_owner": len("_owner/000001")}
    start = name[: lengths.get(name.partition("/")[0])]
    of_folder = finding in ("_final",) and name.startswith("_final/")
    return start in finding or of_folder or (finding == "sweep.json" and name.startswith("_manifest/"))


def is_silent(sweep, name, how):
    """Whether nobody can know, or nobody needs to."""
    seen = sweep.visible_files()
    newest = name == f"_manifest/{seen.manifest.k:06d}.json" and how == "deleted"  # what is left is whole as well
    merged = name.endswith(".parquet") and name not in seen.all_names()
    return newest or merged or name.startswith(UNKNOWN[how])


def suffer(sweep, other, path, how, copy):
    """Hurt one file of a copy of the sweep; see who says so, what is shown, and that nothing else is touched."""
    name = str(path.relative_to(sweep.path))
    twin = counterpart(path, sweep, other)
    if how == "swapped" and (twin is None or twin.read_bytes() == path.read_bytes()):
        return
    shutil.copytree(sweep.path.parent, copy)
    ours = Store.open(copy).find(sweep.id)
    hurt_it(ours.path / name, how, twin)
    before = {str(one.relative_to(ours.path)) for one in ours.path.rglob("*") if one.is_file()}
    told = f"{how} {name}"
    named = [name for finding in names_of(ours) if is_it(finding, name)]
    assert named or is_silent(sweep, name, how), told
    with suppress(StoreError):
        rows, said = shown(ours)
        assert rows == ROWS or said, f"{told}: shown as less without a word"
    with suppress(CaviarError):
        compact(ours)
        return  # it was done with all that there is
    after = {str(one.relative_to(ours.path)) for one in ours.path.rglob("*") if one.is_file()}
    assert {one for one in before - after if not one.startswith(("_owner/", "_build/"))} == set(), told


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("form", FORMS)
def test_damage_at_every_file(lived, tmp_path, form):
    for number, (sweep, other, path, how) in enumerate(pairs(lived, form)):
        suffer(sweep, other, path, how, tmp_path / f"{number}")


@pytest.mark.parametrize("form", FORMS)
def test_damage_at_some_files(lived, tmp_path, form):
    for number, (sweep, other, path, how) in enumerate(pairs(lived, form)):
        if number % 19 == FORMS.index(form):
            suffer(sweep, other, path, how, tmp_path / f"{number}")
