"""Looking for damage: every byte of a sweep's files, each row's place in its curve, what a sweep says of itself."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from caviar.errors import StoreError
from caviar.store.artifacts import damaged_artifacts
from caviar.store.checkpoints import all_saves
from caviar.store.disk.checksum import checksum, checksum_of
from caviar.store.drift_checks import drift_checks
from caviar.store.final_tests import final_results
from caviar.store.fingerprints import fingerprints
from caviar.store.layout import (
    CHECKPOINTS,
    DRIFT,
    FINAL_TABLES,
    FINAL_TESTS,
    FINGERPRINTS,
    MANIFEST,
    OWNER,
    SUPERSEDED,
    SWEEP_FILE,
    numbered_name,
    parse_number,
)
from caviar.store.manifest import KEPT, from_bytes
from caviar.store.owner import from_bytes as owner_of
from caviar.store.owner import look
from caviar.store.read.splice_check import splices
from caviar.store.read.sql import one_line, open_plain, paths
from caviar.store.read.sweep_tables import SweepTables
from caviar.store.segment import greatest, least
from caviar.store.storable import MOST_DESCRIBED, MOST_PROJECT
from caviar.store.untrusted_json import MOST_BYTES
from caviar.store.visible_files import gap_name, gap_words, holes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import PurePath

    from caviar.store.manifest import DataFile
    from caviar.store.owner import Owner
    from caviar.store.sweep_dir import SweepDir
    from caviar.store.visible_files import VisibleFiles
    from caviar_workers.checkpoint import Save


MISSING = "it is missing"
MOST_NAMED = 100
"""How many missing files are named: a number in a name may be any."""

Wrong = tuple[str, str]
"""Path within the sweep's folder, and what is wrong, for a person."""


def beginning(sweep: SweepDir, seen: VisibleFiles) -> list[Wrong]:
    """Return what is wrong with the files that the sweep began with.

    If it is the description, the manifest may as well be another sweep's, and the data is not to be judged by it.
    """
    found = []
    for name, expected in seen.manifest.beginning.items():
        try:
            data = sweep.disk.read(sweep.path / name, most=MOST_PROJECT)
        except FileNotFoundError:
            found.append((name, MISSING))
            continue
        if (now := checksum(data)) != expected:
            other = "; it was changed, or the manifest is another sweep's" if name == SWEEP_FILE else ""
            found.append((name, f"its checksum is {now}, and was {expected}{other}"))
    return found


def records(sweep: SweepDir, seen: VisibleFiles) -> list[Wrong]:
    """Return what is wrong with manifests, owners, findings and artifacts."""
    return [
        *_manifests(sweep, seen),
        *_end(sweep, seen),
        *_owners(sweep, seen),
        *_finals(sweep),
        *_prints(sweep),
        *damaged_artifacts(sweep),
    ]


def _manifests(sweep: SweepDir, seen: VisibleFiles) -> Iterator[Wrong]:
    """Yield what is wrong with the manifests behind the newest one: each must be there, whole, and of this sweep."""
    last = seen.manifest.k
    for number in range(max(0, last - KEPT), last):
        name = f"{MANIFEST}/{numbered_name(number)}"
        try:
            one = from_bytes(sweep.disk.read(sweep.path / name, most=MOST_DESCRIBED))
        except FileNotFoundError:
            if number >= sweep.visible_files().manifest.k - KEPT:  # else it was one too many meanwhile
                yield name, MISSING
            continue
        except (ValueError, KeyError, TypeError, AttributeError, StoreError) as error:
            yield name, f"it cannot be understood ({error})"
            continue
        if one.k != number or (one.beginning and one.beginning != seen.manifest.beginning):
            yield name, "it is another sweep's, or another manifest"


def _end(sweep: SweepDir, seen: VisibleFiles) -> Iterator[Wrong]:
    """Yield what is wrong with the end: after the manifest of final files comes the one that says how the sweep
    ended.
    """
    last = seen.manifest
    if not (seen.plain and last.state == "running" and last.k and look(sweep.disk, sweep.path).standing == "nobody"):
        return
    with suppress(OSError, ValueError, KeyError, TypeError):
        before = from_bytes(sweep.disk.read(sweep.path / MANIFEST / numbered_name(last.k - 1), most=MOST_DESCRIBED))
        if before.files != last.files:  # otherwise the sweep was taken up again since
            what = "it is missing, or the end of the sweep failed before it; `caviar store compact` writes it"
            yield f"{MANIFEST}/{numbered_name(last.k + 1)}", what


def _owners(sweep: SweepDir, seen: VisibleFiles) -> Iterator[Wrong]:
    """Yield what is wrong with owners: each that left something behind, and those before it, have a file of their
    own.
    """
    names = sweep.disk.list(sweep.path / OWNER)
    known = {parse_number(name) for name in names}
    missing = (epoch for epoch in range(1, seen.newest_epoch + 1) if epoch not in known)
    for epoch in islice(missing, MOST_NAMED):
        yield f"{OWNER}/{numbered_name(epoch)}", MISSING
    for name in names:
        number = parse_number(name)
        try:
            understood = number is None or _owner(sweep, name, number) is not None
        except FileNotFoundError:  # it let go just now
            continue
        except OSError:
            understood = False
        if not understood:
            yield f"{OWNER}/{name}", "it cannot be understood"


def _owner(sweep: SweepDir, name: str, epoch: int) -> Owner | None:
    return owner_of(sweep.disk.read(sweep.path / OWNER / name, most=MOST_BYTES), epoch)


def _finals(sweep: SweepDir) -> Iterator[Wrong]:
    try:
        final_results(sweep)
    except StoreError as error:
        yield FINAL_TESTS, f"a finding cannot be read ({error})"


def _prints(sweep: SweepDir) -> Iterator[Wrong]:
    try:
        fingerprints(sweep)
    except StoreError as error:
        yield FINGERPRINTS, f"a fingerprint cannot be read ({error})"
    try:
        drift_checks(sweep)
    except StoreError as error:
        yield DRIFT, f"a check for drift cannot be read ({error})"


GAPS = """
SELECT count(*), min(trial) FROM (
    SELECT trial, attempt FROM read_parquet({files}, union_by_name = true, hive_partitioning = false)
    GROUP BY trial, attempt HAVING count(*) <> max(_seq)::BIGINT + 1 OR min(_seq) <> 0
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it was written."""

    name: str
    """Path within the sweep's folder; "curves" for the rows as a whole."""
    what: str
    """For a person."""
    table: str = ""
    rows: int | None = None
    """Rows that the file should have, if known."""
    hole: bool = False
    """Whether it is a segment that is gone, and after which nothing counts until it is given up for lost."""
    damaged: bool = False
    """Whether it is a file that counts, and whose content is lost: one to set aside."""


def check(sweep: SweepDir) -> list[Finding]:
    """Read all of a sweep; changes nothing. In bounded memory, and beside a running owner.

    Returns:
        What is wrong, by file; empty when all is well.

    Raises:
        StoreError: The manifest or the description cannot be read at all.
        OSError: A folder cannot be listed.
    """
    sweep.description()
    while True:
        seen = sweep.visible_files()
        begun = [Finding(name=name, what=what) for name, what in beginning(sweep, seen)]
        if any(finding.name == SWEEP_FILE for finding in begun):
            return begun
        findings = [finding for finding in map(_Reading(sweep, seen).look, _entries(seen)) if finding]
        if not any(finding.what == MISSING for finding in findings) or sweep.visible_files() == seen:
            break  # otherwise files were merged away while we read
    findings += [*begun, *(Finding(name=name, what=what) for name, what in records(sweep, seen))]
    saves = list(all_saves(sweep))
    findings += [finding for save in saves if (finding := _checkpoint(sweep, save))]
    histories = [*_gaps(sweep, seen, findings), *_splices(sweep, seen, saves, findings)]
    return [*findings, *_holes(sweep, seen), *histories, *strays(sweep, seen)]


def _entries(seen: VisibleFiles) -> Iterator[tuple[str, str, DataFile | None]]:
    """(table, name, entry in the manifest) of each file that counts."""
    for file in seen.manifest.files:
        yield file.table, file.name, file
    for segment in seen.hot:
        yield segment.table, segment.name, None


class _Reading:
    def __init__(self, sweep: SweepDir, seen: VisibleFiles) -> None:
        self._sweep = sweep
        self._checksums = seen.checksums()

    def look(self, entry: tuple[str, str, DataFile | None]) -> Finding | None:
        """Return what is wrong with a file."""
        table, name, file = entry
        rows = None if file is None else file.rows
        path = self._sweep.path / name
        try:
            what = self._content(path, self._checksums[name], file)
        except FileNotFoundError:
            what = MISSING
        except OSError as error:  # of the disk, not of the content: it may be read another time
            return Finding(name=name, what=f"it cannot be read ({one_line(error)})", table=table, rows=rows)
        return Finding(name=name, what=what, table=table, rows=rows, damaged=True) if what else None

    def _content(self, path: PurePath, expected: str, file: DataFile | None) -> str:
        try:
            with self._sweep.disk.reading(path) as source:
                found = checksum_of(source) if expected else ""
                if found != expected:
                    return f"its checksum is {found}, and was {expected}"
                source.seek(0)
                rows, low, high = _count(source)
        except KeyError:
            return "it has no column trial"
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            return f"it cannot be decoded ({one_line(error)})"
        if file is not None and (rows, low, high) != (file.rows, file.min_trial, file.max_trial):
            wanted = f"{file.rows} rows of trials {file.min_trial} to {file.max_trial}"
            return f"it holds {rows} rows of trials {low} to {high}, not {wanted}"
        return ""


def _checkpoint(sweep: SweepDir, save: Save) -> Finding | None:
    """Return what is wrong with a checkpoint; one that was thinned out meanwhile is no matter."""
    name = f"{CHECKPOINTS}/{save.name}"
    try:
        with sweep.disk.reading(sweep.path / name) as source:
            found = checksum_of(source)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Finding(name=name, what=f"it cannot be read ({one_line(error)})", table="checkpoints")
    if found == save.checksum:
        return None
    what = f"its checksum is {found}, and was {save.checksum}"
    return Finding(name=name, what=what, table="checkpoints", damaged=True)


def _count(source: object) -> tuple[int, int | None, int | None]:
    """Rows, lowest and highest trial; every page's checksum is verified on the way."""
    rows = 0
    ends: list[int | None] = []
    with pq.ParquetFile(source, page_checksum_verification=True) as file:
        for batch in file.iter_batches():
            rows += batch.num_rows
            if batch.num_rows:
                span = pc.min_max(batch["trial"]).as_py()
                ends += [span["min"], span["max"]]
    return rows, least(ends), greatest(ends)


def _holes(sweep: SweepDir, seen: VisibleFiles) -> list[Finding]:
    """Owners of whom a segment is gone, so that what they published after it does not count."""
    return [
        Finding(name=gap_name(gap), what=f"{gap_words(gap)}; --skip-lost gives it up", hole=True)
        for gap in holes(sweep.disk, sweep.path, seen)
    ]


def _gaps(sweep: SweepDir, seen: VisibleFiles, findings: Iterable[Finding]) -> list[Finding]:
    """Attempts whose rows are not numbered from 0 without gap or doublet; of sound files only."""
    bad = {finding.name for finding in findings}
    lost = [file for file in seen.manifest.quarantined if file.table in ("curves", SUPERSEDED)]
    names = [name for table in ("curves", SUPERSEDED) for name in seen.names(table)]
    if lost or not names or bad & set(names):  # then rows are missing anyway
        return []
    sums = seen.checksums()
    with open_plain() as connection:
        try:
            files = sweep.disk.local([(sweep.path / name, sums[name]) for name in names])
            rows = connection.execute(GAPS.format(files=paths(files))).fetchall()
        except (FileNotFoundError, duckdb.Error):  # merged away meanwhile
            return []
    attempts, first = rows[0]
    if not attempts:
        return []
    return [Finding(name="curves", what=f"rows of {attempts} attempts are missing or doubled, first of trial {first}")]


def _splices(
    sweep: SweepDir, seen: VisibleFiles, saves: Sequence[Save], findings: Iterable[Finding]
) -> Iterator[Finding]:
    """Histories that were spliced; of sound files only."""
    bad = {finding.name for finding in findings}
    if seen.manifest.quarantined or bad & set(seen.all_names()):  # then rows are missing anyway
        return
    metric = sweep.plan.metric
    over = seen.plain and seen.manifest.state in ("finished", "failed")
    sound = [save for save in saves if f"{CHECKPOINTS}/{save.name}" not in bad]
    with open_plain() as connection:
        tables = SweepTables(connection, sweep, seen, running=False)
        try:
            for name, what in splices(connection, tables, sound, metric, over=over):
                yield Finding(name=name, what=what)
        except (FileNotFoundError, duckdb.IOException):  # merged away meanwhile
            return


def strays(sweep: SweepDir, seen: VisibleFiles) -> list[Finding]:
    """Files that a plain glob over an ended sweep would find, and that do not count."""
    if not seen.plain or seen.manifest.state == "running":
        return []
    known = set(seen.all_names())
    there = [f"{table}/{name}" for table in (*FINAL_TABLES, SUPERSEDED) for name in sweep.disk.list(sweep.path / table)]
    what = "it does not count, but a plain glob finds it; `caviar store compact` removes it"
    return [Finding(name=name, what=what) for name in there if name not in known]
