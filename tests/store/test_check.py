"""Damage is found, named and set aside; the rest can be read; nothing is deleted."""

import errno
from itertools import product

import pytest

from caviar.errors import StoreError
from caviar.store import Store, SweepDir, Views, Writer, manifest
from caviar.store.check import check
from caviar.store.disk import PosixDisk
from caviar.store.finalize import compact, finalize
from caviar.store.manifest import Manifest, replace
from caviar.store.merging import merge
from caviar.store.quarantine import quarantine
from caviar.store.segment import encode


@pytest.fixture
def epoch(sweep, rows):
    """Three ticks of a sweep that this process runs: segments 0 and 1, 2, 3."""
    epoch = sweep.claim()
    with Writer(sweep, epoch, interval_s=60) as writer:
        writer.add("configs", rows.configs([0, 1, 2]))
        for trial in range(3):
            writer.add("curves", rows.curve(trial, [0, 1], loss=[1.0, 2.0]))
            writer.flush()
    return epoch


def file_of(sweep, n):
    (path,) = sweep.path.glob(f"_hot/0001-{n:09d}-*")
    return path


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


def trials(store, sweep):
    with Views(store, [sweep]) as views:
        return [row[0] for row in views.execute("SELECT DISTINCT trial FROM curves ORDER BY 1").fetchall()]


def rewrite(sweep, **changes):
    """Append a manifest that tells something else."""
    before = sweep.visible_files().manifest
    after = replace(before, k=before.k + 1, **changes)
    assert manifest.append(sweep.disk, sweep.path, after)


def test_nothing_is_wrong(sweep, epoch, rows):
    assert check(sweep) == []
    merge(sweep)
    assert check(sweep) == []
    finalize(sweep, epoch)
    assert check(sweep) == []


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


@pytest.mark.parametrize(
    ("form", "hurt"),
    [*product(("hot", "merged", "final"), (flip, cut, empty)), ("merged", remove), ("final", remove)],
)
def test_damage_is_named(sweep, epoch, rows, form, hurt):
    path = file_of(sweep, 2)
    if form == "merged":
        merge(sweep)
        (path,) = sweep.path.glob("_merged/curves-*")
    if form == "final":
        finalize(sweep, epoch)
        (path,) = sweep.path.glob("curves/*")
    hurt(path)
    (finding,) = check(sweep)
    assert finding.name == str(path.relative_to(sweep.path))
    assert finding.what.startswith("it is missing" if hurt is remove else "its checksum is")
    assert (finding.table, finding.damaged) == ("curves", True)
    assert finding.rows == (None if form == "hot" else 6)


@pytest.mark.parametrize("sealed", [False, True])
def test_a_segment_that_is_gone_is_named(sweep, epoch, sealed):
    if sealed:
        sweep.release(epoch)
        sweep.claim()
    file_of(sweep, 2).unlink()
    (finding,) = check(sweep)
    assert finding.name == "_hot/0001-000000002"
    assert finding.what.startswith("it was removed, or lost")
    assert not finding.damaged


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_damaged_segment_is_set_aside_and_leaves_no_gap(store, sweep, epoch, rows, n):
    path = file_of(sweep, n)
    flip(path)
    torn = path.read_bytes()
    with pytest.raises(StoreError, match="`caviar store check` sets it aside"):
        trials(store, sweep)
    (gone,) = quarantine(sweep, check(sweep))
    assert gone.name == f"_hot/{path.name}"
    (kept,) = (sweep.path / "_quarantine").iterdir()
    assert (kept.name, kept.read_bytes()) == (f"_hot-{path.name}", torn)
    left = [trial for trial in range(3) if trial != n - 1]
    assert trials(store, sweep) == left
    with Views(store, [sweep]) as views:
        assert [(one.id, file) for one, file in views.quarantined()] == [(sweep.id, gone)]
    assert check(sweep) == []
    with Writer(sweep, epoch) as writer:  # a second writer of the epoch counts on after it
        writer.add("curves", rows.curve(9, [0], loss=[1.0]))
    assert trials(store, sweep) == [*left, 9]
    merge(sweep)
    assert trials(store, sweep) == [*left, 9]
    with Writer(sweep, epoch) as writer:
        writer.add("curves", rows.curve(10, [0], loss=[1.0]))
    assert check(sweep) == []
    finalize(sweep, epoch)
    assert trials(store, sweep) == [*left, 9, 10]
    assert kept.read_bytes() == torn
    assert sweep.visible_files().manifest.quarantined == (gone,)


def test_an_owner_goes_on_beside_a_check(store, sweep, rows):
    with Writer(sweep, sweep.claim(), interval_s=60) as writer:
        for trial in range(3):
            writer.add("curves", rows.curve(trial, [0], loss=[1.0]))
            writer.flush()
        flip(file_of(sweep, 2))
        quarantine(sweep, check(sweep))
        writer.add("curves", rows.curve(3, [0], loss=[1.0]))
    assert trials(store, sweep) == [0, 1, 3]


def test_a_takeover_after_a_check_counts_all_but_the_damage(store, sweep, epoch, rows):
    flip(file_of(sweep, 3))
    quarantine(sweep, check(sweep))
    sweep.release(epoch)
    sweep.claim()
    assert trials(store, sweep) == [0, 1]
    assert check(sweep) == []


class Stuck(PosixDisk):
    """Cannot make the folder of damaged files: a crash between the manifest and the move."""

    def make_folder(self, *paths, within=None):
        raise OSError(errno.EIO, "made up")


def test_damage_is_never_deleted_even_if_the_check_died_half_way(store, sweep, epoch):
    path = file_of(sweep, 2)
    flip(path)
    torn = path.read_bytes()
    stuck = SweepDir(path=sweep.path, disk=Stuck())
    with pytest.raises(OSError, match="made up"):
        quarantine(stuck, check(stuck))
    assert path.exists()
    assert trials(store, sweep) == [0, 2]
    finalize(sweep, epoch)
    assert not path.exists()
    assert [kept.read_bytes() for kept in (sweep.path / "_quarantine").iterdir()] == [torn]


class Bad(PosixDisk):
    """Has a bad sector."""

    def _reader(self, path):
        if "curves" in path.name:
            raise OSError(errno.EIO, "Input/output error")
        return super()._reader(path)


def test_what_cannot_be_read_now_is_named_and_stays(sweep, epoch):
    bad = SweepDir(path=sweep.path, disk=Bad())
    findings = check(bad)
    assert [finding.what for finding in findings] == ["it cannot be read ([Errno 5] Input/output error)"] * 3
    assert quarantine(bad, findings) == []


def test_another_number_of_rows_than_the_manifest_says(sweep, epoch):
    merge(sweep)
    files = sweep.visible_files().manifest.files
    rewrite(sweep, files=tuple(replace(file, rows=file.rows + 1) for file in files if file.table == "curves"))
    (finding,) = check(sweep)
    assert finding.what == "it holds 6 rows of trials 0 to 2, not 7 rows of trials 0 to 2"


def test_a_page_is_verified_where_no_checksum_of_the_file_is_known(sweep, epoch):
    finalize(sweep, epoch)
    files = sweep.visible_files().manifest.files
    rewrite(sweep, files=tuple(replace(file, checksum="") for file in files))
    assert check(sweep) == []
    (path,) = sweep.path.glob("curves/*")
    flip(path)
    (finding,) = check(sweep)
    assert finding.what.startswith("it cannot be decoded")


@pytest.mark.parametrize("numbers", [[2, 4], [1, 2]])
def test_missing_and_doubled_rows_are_named(sweep, epoch, rows, numbers):
    with Writer(sweep, epoch) as writer:
        for number in numbers:
            writer.add("curves", rows.curve(1, [number], seq=number, loss=[1.0]))
    (finding,) = check(sweep)
    assert finding.what == "rows of 1 attempts are missing or doubled, first of trial 1"
    assert not finding.damaged


def test_a_stray_file_is_named_and_compacting_removes_it(sweep, epoch, rows):
    finalize(sweep, epoch)
    stray = sweep.path / "curves" / "000009-0009.parquet"
    stray.write_bytes(encode(rows.curve(5, [0], loss=[1.0])))
    (finding,) = check(sweep)
    assert finding.name == "curves/000009-0009.parquet"
    assert not finding.damaged
    compact(sweep)
    assert not stray.exists()
    assert check(sweep) == []


def test_a_manifest_that_cannot_be_read_is_one_sentence(sweep):
    (sweep.path / "_manifest" / "000000.json").write_bytes(b"{")
    with pytest.raises(StoreError, match="cannot be understood"):
        check(sweep)


class Merging(PosixDisk):
    """Something is merged away just when the check comes to it."""

    happen = None

    def _reader(self, path):
        if self.happen is not None:
            happen, self.happen = self.happen, None
            happen()
        return super()._reader(path)


def test_files_merged_away_under_a_check_are_no_damage(sweep, epoch):
    disk = Merging()
    disk.happen = lambda: [path.unlink() for path in merge(sweep)]
    assert check(SweepDir(path=sweep.path, disk=disk)) == []


def test_compacting_keeps_the_state(store, sweep, epoch, rows):
    sweep.release(epoch)
    compact(sweep)
    assert sweep.state() == "interrupted"
    finalize(sweep, sweep.claim(), "finished")
    compact(sweep)
    assert sweep.state() == "finished"
    assert trials(store, sweep) == [0, 1, 2]


def test_removing_is_at_once_and_refused_while_it_runs(store, sweep, epoch):
    with pytest.raises(StoreError, match="is being run by process"):
        store.remove(sweep)
    sweep.release(epoch)
    store.remove(sweep)
    assert store.sweeps() == []
    assert [path.name for path in store.path.iterdir()] == ["FORMAT"]


class Dying(PosixDisk):
    def delete_folder(self, path):
        raise KeyboardInterrupt


def test_a_removal_that_was_cut_short_shows_no_half_sweep(store, sweep, describe):
    with pytest.raises(KeyboardInterrupt):
        Store(path=store.path, disk=Dying()).remove(sweep)
    assert store.sweeps() == []
    store.create_sweep(describe(), b"")  # the next sweep clears up
    assert not list(store.path.glob("_*"))


def test_manifests_keep_what_was_set_aside_through_json(sweep, epoch):
    flip(file_of(sweep, 1))
    quarantine(sweep, check(sweep))
    seen = sweep.visible_files().manifest
    assert isinstance(seen, Manifest)
    assert seen.quarantined[0].why.startswith("its checksum is")
