"""The end of a sweep, or of an interrupted one: its rows sorted into final files, so that any glob is exact."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from caviar.errors import StoreError
from caviar.store import manifest
from caviar.store import manifest as chain
from caviar.store.check import strays
from caviar.store.disk.store_errors import store_error
from caviar.store.final_files import CurveFiles, FinalFolder, write_tables
from caviar.store.foreign_files import data_files, foreign, sweep_up
from caviar.store.layout import FINAL_TABLES, build_folder
from caviar.store.merging import EVERY_SIZE
from caviar.store.owner import superseded
from caviar.store.ownership import own
from caviar.store.quarantine import move_aside
from caviar.store.read.sql import one_line, open_plain, text
from caviar.store.read.sweep_tables import SweepTables
from caviar.store.visible_files import need_whole
from caviar_workers.states import ENDED

if TYPE_CHECKING:
    from collections import Counter

    from caviar.store.manifest import DataFile, State
    from caviar.store.sweep_dir import SweepDir
    from caviar.store.visible_files import VisibleFiles


MEMORY = "512MB"
"""What sorting may take before it spills into the sweep's folder."""

THREADS = 2
"""Files that are written at the same time; each takes some 200 MB of memory."""


def finalize(sweep_dir: SweepDir, epoch: int, state: State | None = None) -> None:
    """End the sweep as `write_final` does, and release it."""
    write_final(sweep_dir, epoch, state)
    sweep_dir.release(epoch)


def write_final(sweep_dir: SweepDir, epoch: int, state: State | None = None) -> None:
    """Write the final files, let them stand for all others, and delete those. The sweep stays its owner's.

    `curves/` holds the live rows and `superseded/` the others; `trials/`, `attempts/`, `logs/` and `decisions/`
    are as the views, without `sweep`. Call it after the writer was closed. It can be done again after the sweep
    went on.

    Args:
        sweep_dir: A sweep that this process claimed.
        epoch: What `claim` returned.
        state: "finished", "interrupted", or "failed" where it was hopeless; None: one of the first two, finished if as
            many trials as planned ended.

    Raises:
        StoreError: The sweep was taken over, the disk is full, or something that was published is gone; what was
            published stays readable then.
    """
    try:
        _finalize(sweep_dir, epoch, state)
    except duckdb.Error as error:
        raise StoreError(f"Cannot finalize {sweep_dir.path}: {one_line(error)}; what was published stays.") from error
    except (OSError, pa.ArrowException) as error:
        if _is_lost(sweep_dir, epoch):
            raise StoreError(_LOST.format(sweep_dir.path.name)) from error
        raise store_error("finalize", sweep_dir.path, error) from error


def _finalize(sweep: SweepDir, epoch: int, state: State | None) -> None:
    _check_owner(sweep, epoch)
    move_aside(sweep.disk, sweep.path, sweep.visible_files().manifest)
    there = data_files(sweep.disk, sweep.path)
    seen = sweep.visible_files()
    need_whole(sweep.disk, sweep.path, seen, set(there))
    files, counts, forked = _write_all(sweep, seen, epoch)
    ended = state or _ended(sweep.plan.trials + forked, counts)
    _check_owner(sweep, epoch)
    whole = manifest.finalized(seen.manifest, files, seen.through(), "running", counts)
    _append(sweep, whole)
    # Listed before that, so nobody can have built upon them: a later manifest of another process is built on ours.
    kept = {sweep.path / file.name for file in files}
    sweep.disk.delete((path for path in there if path not in kept), durable=True)
    if not foreign(sweep.disk, sweep.path, build_folder(epoch)):
        sweep.disk.delete_folder(sweep.path / build_folder(epoch))
    sweep_up(sweep.disk, sweep.path)
    _append(sweep, manifest.ended(whole, ended))  # last: of a finished sweep, a plain glob is exact


def _append(sweep: SweepDir, after: manifest.Manifest) -> None:
    if not chain.append(sweep.disk, sweep.path, after):
        raise StoreError(f"Another process changed {sweep.path.name} while it was finalized: try again.")


def _write_all(sweep: SweepDir, seen: VisibleFiles, epoch: int) -> tuple[list[DataFile], Counter[str], int]:
    """Write the final files; returns them, the trials in each state, and how many were forked from others."""
    build = sweep.path / build_folder(epoch)
    number = f"{seen.manifest.k + 1:06d}-{epoch:04d}"  # no other process writes files of that name
    files: list[DataFile] = []
    try:
        with open_plain() as connection, sweep.disk.scratch(build) as scratch:
            connection.execute(f"SET memory_limit = '{MEMORY}'")
            connection.execute(f"SET temp_directory = {text(scratch)}")
            connection.execute("SET preserve_insertion_order = false")
            connection.execute("SET threads = 1")  # more cost a small sweep time, and gain a large one none
            tables = SweepTables(connection, sweep, seen, running=False, most=EVERY_SIZE)
            final = FinalFolder(sweep=sweep, number=number, build=build, files=files)
            final.prepare(*FINAL_TABLES)
            sql = f"SELECT count(DISTINCT trial) FROM ({tables.decisions()}) WHERE action = 'fork'"
            forked = connection.execute(sql).fetchall()[0][0]
            counts = _write_files(final, connection, tables)
    except BaseException:
        with suppress(OSError):
            sweep.disk.delete(sweep.path / file.name for file in files)
        raise
    return sorted(files, key=lambda file: file.name), counts, forked


def _write_files(final: FinalFolder, connection: duckdb.DuckDBPyConnection, tables: SweepTables) -> Counter[str]:
    curves = CurveFiles(final, connection, tables)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="caviar-final") as pool:
        counts = pool.submit(write_tables, final, connection, tables)
        jobs: list[Future[Any]] = [counts, *(pool.submit(curves.write, place) for place in range(len(curves.spans)))]
        try:
            for done in as_completed(jobs):
                done.result()
        except BaseException:
            curves.given_up = True
            raise
    return counts.result()


def _check_owner(sweep: SweepDir, epoch: int) -> None:
    if superseded(sweep.disk, sweep.path, epoch):
        raise StoreError(_LOST.format(sweep.path.name))


def _is_lost(sweep: SweepDir, epoch: int) -> bool:
    """Whether another process has it; False where that cannot be told."""
    with suppress(OSError):
        return superseded(sweep.disk, sweep.path, epoch)
    return False


_LOST = "Another process took {} over: it will finalize it."


def _ended(planned: int, counts: Counter[str]) -> State:
    done = sum(counts[state] for state in ENDED)
    return "finished" if done == counts.total() and done >= planned else "interrupted"


def needs_compacting(sweep: SweepDir) -> bool:
    """Whether a plain glob over the sweep is not exact though nobody, as far as can be told, runs it."""
    seen = sweep.visible_files()
    return sweep.owner().standing in ("nobody", "silent") and (
        not seen.plain or seen.manifest.state == "running" or bool(strays(sweep, seen))
    )


def compact(sweep: SweepDir, *, take_over: bool = False) -> None:
    """Sort what was recorded into one file a table, and remove what is left of merges and crashes.

    The sweep's state stays as it is, and `caviar resume` goes on from there.

    Args:
        sweep: The sweep.
        take_over: As for `SweepDir.claim`.

    Raises:
        StoreError: A living process runs it, or the store cannot be written.
    """
    with own(sweep, purpose="compacted", take_over=take_over) as held:
        state = held.sweep.visible_files().manifest.state
        write_final(held.sweep, held.epoch, state if state in ("finished", "failed") else None)
