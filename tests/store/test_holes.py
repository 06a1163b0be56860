"""What is missing is never taken for what was not written: holes are refused and named, tails are not."""

import shutil
from itertools import combinations

import pytest
from simulated_sweep import Driver, Simulation

from caviar.errors import StoreError
from caviar.store import Views, Writer
from caviar.store.check import check
from caviar.store.finalize import compact, finalize
from caviar.store.layout import Segment
from caviar.store.manifest import Manifest, Quarantined
from caviar.store.merging import merge
from caviar.store.quarantine import skip_lost
from caviar.store.segment import encode, first_of_tick
from caviar.store.visible_files import gaps, holes

TICKS = 4


def tick(writer, rows, trial):
    """One publication: of the first trial two segments, of the others three."""
    if trial == 0:
        writer.add("configs", rows.configs(list(range(TICKS))))
    writer.add("curves", rows.curve(trial, [0, 1], loss=[1.0, 2.0]))
    if trial:
        writer.add("attempts", rows.attempt(trial, rows=2, last_loss=2.0))
    writer.flush()


@pytest.fixture
def epoch(sweep, rows):
    """Four ticks of a sweep that this process runs."""
    epoch = sweep.claim()
    with Writer(sweep, epoch, interval_s=60, sealing=True) as writer:
        for trial in range(TICKS):
            tick(writer, rows, trial)
    return epoch


@pytest.fixture
def unsealed(sweep, rows):
    """The same of a process that died."""
    epoch = sweep.claim()
    with Writer(sweep, epoch, interval_s=60) as writer:
        for trial in range(TICKS):
            tick(writer, rows, trial)
    sweep.release(epoch)
    return epoch


def segments(sweep):
    return sorted(sweep.path.glob("_hot/*.parquet"))


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def shown(store, sweep):
    with Views(store, [sweep]) as views:
        return views.execute("SELECT trial, step FROM curves ORDER BY ALL").fetchall()


ALL = [(trial, step) for trial in range(TICKS) for step in range(2)]
HOLE = r"has no segment _hot/0001-00000000\d-… any more.*--skip-lost"


@pytest.mark.parametrize("lost", range(2 * TICKS))
def test_the_end_refuses_a_hole_wherever_it_is_and_keeps_all_files(store, sweep, epoch, lost):
    segments(sweep)[lost].unlink()
    before = files(sweep.path)
    for end in (lambda: finalize(sweep, epoch), lambda: merge(sweep), lambda: (sweep.release(epoch), compact(sweep))):
        with pytest.raises(StoreError, match=HOLE) as caught:
            end()
        assert "\n" not in str(caught.value)
        assert set(before) - set(files(sweep.path)) <= {"_owner/000001.json"}
    (finding,) = check(sweep)
    assert finding.name == f"_hot/0001-{lost:09d}"
    with Views(store, [sweep]) as views:
        (sentence,) = views.missing()
    assert f"0001-{lost:09d}" in sentence


@pytest.mark.parametrize("lost", range(2 * TICKS - 1))
def test_a_takeover_refuses_a_hole_that_no_seal_tells_of(store, sweep, unsealed, lost):
    segments(sweep)[lost].unlink()
    before = set(files(sweep.path))
    for act in (sweep.claim, lambda: compact(sweep), lambda: merge(sweep)):
        with pytest.raises(StoreError, match=HOLE):
            act()
        assert before <= set(files(sweep.path))
    assert [finding.name for finding in check(sweep)] == [f"_hot/0001-{lost:09d}"]
    assert sweep.state() == "interrupted"


@pytest.mark.parametrize("lost", [*combinations(range(2 * TICKS), 2)][::4])
def test_what_is_given_up_for_lost_hides_nothing_else(store, sweep, epoch, lost):
    there = segments(sweep)
    for n in lost:
        there[n].unlink()
    skip_lost(sweep)
    left = {trial for trial in range(TICKS) if (2 * trial or 1) not in lost}
    assert shown(store, sweep) == [row for row in ALL if row[0] in left]
    assert [finding for finding in check(sweep) if finding.hole] == []
    finalize(sweep, epoch)
    assert shown(store, sweep) == [row for row in ALL if row[0] in left]


def test_what_is_restored_counts_again(store, sweep, epoch, tmp_path):
    lost = segments(sweep)[3]
    shutil.move(lost, tmp_path / lost.name)
    skip_lost(sweep)
    shutil.move(tmp_path / lost.name, lost)
    assert shown(store, sweep) == ALL
    assert check(sweep) == []
    finalize(sweep, epoch)
    assert shown(store, sweep) == ALL


def test_all_segments_gone_after_a_sweep_let_go_are_missed(store, sweep, epoch):
    for path in segments(sweep):
        path.unlink()
    with pytest.raises(StoreError, match=HOLE):
        finalize(sweep, epoch)


def test_a_hole_beside_a_running_owner_is_no_end_of_it(store, sweep, rows):
    """It goes on to publish; its end refuses; given up, all that is there is shown."""
    epoch = sweep.claim()
    with Writer(sweep, epoch, interval_s=60, sealing=True) as writer:
        for trial in range(2):
            tick(writer, rows, trial)
        segments(sweep)[1].unlink()
        for trial in range(2, TICKS):
            tick(writer, rows, trial)
        with pytest.raises(StoreError, match=HOLE):
            merge(sweep)
    with pytest.raises(StoreError, match=HOLE):
        finalize(sweep, epoch)
    skip_lost(sweep)
    finalize(sweep, epoch)
    assert shown(store, sweep) == ALL[2:]


@pytest.mark.parametrize("form", ["merged", "final"])
def test_a_file_that_the_manifest_names_and_that_is_gone_is_refused_and_named(store, sweep, epoch, form):
    if form == "merged":
        merge(sweep)
    else:
        finalize(sweep, epoch)
    names = sweep.visible_files().all_names()
    whole = {name: (sweep.path / name).read_bytes() for name in names}
    for name in names:
        (sweep.path / name).unlink()
        before = files(sweep.path)
        with pytest.raises(StoreError, match=f"{name} was written and is gone"):
            compact(sweep) if form == "final" else finalize(sweep, epoch)
        assert set(before) - set(files(sweep.path)) <= {"_owner/000001.json"}
        assert [(finding.name, finding.what) for finding in check(sweep)] == [(name, "it is missing")]
        if not name.startswith(("logs", "artifacts", "decisions")):
            with Views(store, [sweep]) as views, pytest.raises(StoreError, match=f"{name} was written and is gone"):
                views.execute("FROM curves, trials, attempts").fetchall()
        (sweep.path / name).write_bytes(whole[name])


def test_a_segment_says_with_which_its_tick_began(sweep, epoch):
    found = []
    for path in segments(sweep):
        with path.open("rb") as file:
            found.append(first_of_tick(file))
    assert found == [0, 0, 2, 2, 4, 4, 6, 6]


def test_one_of_an_older_caviar_does_not_and_is_no_tail(store, sweep, rows):
    sweep.release(sweep.claim())
    data = encode(rows.curve(0, [0], loss=[1.0]))
    (sweep.path / "_hot" / "0001-000000001-curves.parquet").write_bytes(bytes(data))
    with pytest.raises(StoreError, match=HOLE):
        sweep.claim()


def numbered(*numbers):
    return [Segment(epoch=1, n=n, table="curves") for n in numbers]


def test_gaps():
    def found(listed, **manifest):
        return [(gap.n, gap.end, [one.n for one in gap.behind]) for gap in gaps(listed, Manifest(k=0, **manifest))]

    aside = Quarantined(table="lost", name="_hot/0001-000000001-lost.parquet", rows=None, why="")
    assert found([]) == found(numbered(0, 1)) == []
    assert found(numbered(0, 2, 3)) == [(1, 2, [2, 3])]
    assert found(numbered(0, 2, 3), quarantined=(aside,)) == []
    assert found(numbered(0, 2, 3), sealed={1: 0}) == []
    assert found(numbered(0, 2, 3), sealed={1: 2}) == [(1, 2, [2])]
    assert found(numbered(0, 1), sealed={1: 3}) == [(2, 4, [])]
    assert found([], sealed={1: 3}) == [(0, 4, [])]
    assert found([], sealed={1: 3}, hot_through={1: 3}) == []
    assert found(numbered(7), hot_through={1: 5}) == [(6, 7, [7])]


def simulated(mirror, monkeypatch):
    simulation = Simulation(mirror, monkeypatch)
    driver = Driver(simulation, 1)
    driver.create()
    driver.claim()
    driver.configure([0])
    driver.report(0, range(2))
    driver.publish()
    return simulation, driver


def test_a_torn_tick_is_a_tail_and_nobody_refuses_it(mirror, monkeypatch):
    """Whatever a power cut keeps of a tick that was not acknowledged: check, claim and end go well."""
    simulation, driver = simulated(mirror, monkeypatch)
    driver.report(0, range(2, 4))
    driver.end(0)
    driver.publish()
    photograph = simulation.platter.photograph()
    names = simulation.platter.folder(simulation.sweep().path / "_hot").now
    torn = [name for name in names if name[5:14] in ("000000002", "000000003")]
    assert len(torn) == 2
    for lost in torn:
        simulation.platter.restore(photograph)
        simulation.sweep().path.joinpath("_hot", lost).unlink()
        simulation.platter.folder(simulation.sweep().path / "_hot").change({lost: None})
        simulation.processes.living.clear()
        sweep = simulation.sweep()
        assert holes(sweep.disk, sweep.path, sweep.visible_files()) == []
        assert check(sweep) == []
        heir = Driver(simulation, 2)
        heir.claim()
        heir.finalize()
        assert len(sweep.disk.list(sweep.path / "curves")) == 1
