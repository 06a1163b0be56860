"""The process that writes a large sweep: what it tells about its time, memory and files."""

import resource
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import large_sweep
from caviar.store import SweepDir, Writer
from caviar.store.finalize import finalize

SAMPLED_S = 0.1
PROGRESS_S = 10.0


class LiveFiles(threading.Thread):
    """Counts the files that a reader would open, ten times a second."""

    def __init__(self, sweep: SweepDir) -> None:
        super().__init__(daemon=True)
        self._sweep = sweep
        self._over = threading.Event()
        self.most = 0

    def run(self) -> None:
        """Count until told to stop."""
        while not self._over.wait(SAMPLED_S):
            self.most = max(self.most, len(self._sweep.visible_files().all_names()))

    def stop(self) -> None:
        """Count no more."""
        self._over.set()
        self.join()


def put_down(path: Path, trials: int, report: Connection) -> None:
    """Write the sweep, wait for a word, and end it; tells how it went after each."""
    sweep = SweepDir(path=path)
    epoch = sweep.claim()
    files = LiveFiles(sweep)
    files.start()
    begun, busy = time.perf_counter(), time.process_time()
    with Writer(sweep, epoch) as writer:
        _add_all(writer, trials)
    seconds = time.perf_counter() - begun
    report.send({"seconds": seconds, "cpu_s": time.process_time() - busy, **_state(sweep, trials, files)})
    report.recv()
    begun, busy = time.perf_counter(), time.process_time()
    finalize(sweep, epoch)
    seconds = time.perf_counter() - begun
    files.stop()
    report.send({"seconds": seconds, "cpu_s": time.process_time() - busy, **_state(sweep, trials, files)})


def _add_all(writer: Writer, trials: int) -> None:
    begun = said = time.perf_counter()
    rows = 0
    for table, data in large_sweep.arrivals(trials):
        writer.add(table, data)
        rows += data.num_rows if table == "curves" else 0
        now = time.perf_counter()
        if now - said > PROGRESS_S:
            said = now
            print(f"  {rows:,} rows written, {rows / (now - begun):,.0f}/s", file=sys.stderr, flush=True)


def _state(sweep: SweepDir, trials: int, files: LiveFiles) -> dict[str, Any]:
    seen = sweep.visible_files()
    size = sum(sweep.disk.size(sweep.path / name) for name in seen.names("curves"))
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "hot": len(seen.hot),
        "others": len(seen.manifest.files),
        "most_files": files.most,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6,
        "bytes_a_row": size / (trials * large_sweep.REPORTS),
    }


def written(told: dict[str, Any]) -> str:
    """The first word of the process, for a person."""
    return f"{told['seconds']:.1f} s ({told['cpu_s']:.1f} CPU s), {told['hot']} hot files, {told['others']} merged ones"


def ended(told: dict[str, Any]) -> str:
    """The second one."""
    return f"{told['seconds']:.1f} s ({told['cpu_s']:.1f} CPU s), {told['others']} files"
