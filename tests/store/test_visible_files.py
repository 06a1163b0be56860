"""Which files count."""

import pytest

from caviar.errors import StoreError
from caviar.store import SweepDir, Views, Writer, manifest
from caviar.store.disk import PosixDisk
from caviar.store.layout import Segment, parse_segment
from caviar.store.manifest import Manifest
from caviar.store.merging import merge
from caviar.store.visible_files import live


def segments(*numbers, epoch=1):
    return [Segment(epoch=epoch, n=n, table="curves") for n in numbers]


def numbers(found):
    return [(segment.epoch, segment.n) for segment in found]


def test_only_the_contiguous_run_counts():
    listed = [*segments(3, 0, 1), *segments(1, 2, epoch=2), *segments(0, epoch=3)]
    assert numbers(live(listed, Manifest(k=0))) == [(1, 0), (1, 1), (3, 0)]
    assert numbers(live(listed, Manifest(k=0, hot_through={1: 0, 2: 0}))) == [(1, 1), (2, 1), (2, 2), (3, 0)]
    assert numbers(live(listed, Manifest(k=0, sealed={1: 0, 3: -1}))) == [(1, 0)]


def test_names_of_segments():
    segment = Segment(epoch=12, n=34, table="logs")
    assert segment.name == "_hot/0012-000000034-logs.parquet"
    assert parse_segment(segment.name.removeprefix("_hot/")) == segment
    for wrong in (".x.aside", "1-2-trials.parquet", "a.parquet"):
        assert parse_segment(wrong) is None


class Meddling(PosixDisk):
    """Lets something happen just after the hot files were listed."""

    def __init__(self, happen):
        self.happen = happen

    def list(self, folder):
        found = super().list(folder)
        if folder.name == "_hot" and self.happen is not None:
            happen, self.happen = self.happen, None
            happen()
        return found


def test_a_merge_between_listing_and_manifest_loses_and_doubles_nothing(store, sweep, rows):
    with Writer(sweep, sweep.claim()) as writer:
        for step in range(5):
            writer.add("curves", rows.curve(0, [step], seq=step, loss=[float(step)]))
            writer.flush()

        def merged_meanwhile():
            for path in merge(sweep):
                path.unlink()
            writer.add("curves", rows.curve(0, [5], seq=5, loss=[5.0]))
            writer.flush()

        meddled = SweepDir(path=sweep.path, disk=Meddling(merged_meanwhile))
        with Views(store, [meddled]) as views:
            found = views.execute("SELECT step FROM curves ORDER BY step").fetchall()
        assert found == [(step,) for step in range(5)]
    with Views(store, [sweep]) as views:
        assert views.execute("SELECT count(*) FROM curves").fetchall() == [(6,)]


def test_a_reader_starts_again_when_its_files_are_gone(store, sweep, rows):
    with Writer(sweep, sweep.claim()) as writer:
        writer.add("curves", rows.curve(0, [0], loss=[1.0]))
    with Views(store, [sweep]) as views:
        for path in merge(sweep):
            path.unlink()
        assert views.execute("SELECT count(*) FROM curves").fetchall() == [(1,)]
        (sweep.path / sweep.visible_files().names("curves")[0]).unlink()
        with pytest.raises(StoreError, match="Cannot read") as caught:
            views.execute("SELECT count(*) FROM curves").fetchall()
        assert "\n" not in str(caught.value)


def test_the_chain_is_compare_and_swap(sweep):
    first = manifest.newest(sweep.disk, sweep.path)
    assert first.k == 0
    second = Manifest(k=1, hot_through={1: 3}, sealed={1: 5}, state="finished", counts={"FAILED": 2})
    assert manifest.append(sweep.disk, sweep.path, second)
    assert not manifest.append(sweep.disk, sweep.path, Manifest(k=1))
    assert manifest.newest(sweep.disk, sweep.path) == second


def test_an_old_number_is_not_free_again_when_its_manifest_was_deleted(sweep):
    for k in range(1, 50):
        assert manifest.append(sweep.disk, sweep.path, Manifest(k=k))
    assert not (sweep.path / "_manifest" / "000002.json").exists()
    assert not manifest.append(sweep.disk, sweep.path, Manifest(k=2))
    assert manifest.newest(sweep.disk, sweep.path).k == 49
