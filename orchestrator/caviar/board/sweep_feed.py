"""One sweep as the board's pages know it: followed while somebody asks, and told as what changed since a version."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from caviar.board.changes import Changes
from caviar.errors import StoreError
from caviar.results.json_form import as_json
from caviar.results.open_sweep import open_sweep, say_not_shown
from caviar.results.report.curve_columns import curve_axes, read_curves, typical
from caviar.results.report.document import changed_payload, moment_of, space_findings, whole_payload
from caviar.results.report.running import running_document
from caviar.results.report.trial_rows import trial_rows
from caviar.store.disk.store_errors import store_error
from caviar.store.layout import AMENDMENTS, MANIFEST
from caviar.store.read.following import read_through
from caviar.store.read.kept_views import KeptViews
from caviar.store.read.sql import one_line
from caviar_workers.states import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from caviar.results.open_sweep import OpenSweep
    from caviar.results.report.curve_columns import Axis
    from caviar.results.report.document import Moment, SpaceFindings
    from caviar.results.report.trial_rows import TrialRows
    from caviar.store import Store, SweepDir

SHARE = 1
"""A sweep is read again after a pause of so many times what the last time took: a page that asks every two seconds
meets none, unless that is as long."""
AFTER_ERROR = 10
"""One that could not be read is tried again after so many times what that took, for damage takes long to find; or when
its manifest is another one."""
MORE = 1.1
"""What takes long to find out is found out again when so many times as many trials have ended, or reports come."""
LATER_S = 30.0
"""Or after so many seconds."""


class SweepFeed:
    """A sweep, of which rows and documents are kept as of the last look.

    A look reads nothing where no file was published since the one before: segments are numbered without gaps, so that
    nothing is missed, whatever clocks say. What it reads is compared with what was known. A feed is of one thread at a
    time.
    """

    def __init__(
        self, store: Store, sweep: SweepDir, versions: Iterator[int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read nothing yet.

        Args:
            store: The store.
            sweep: Of this store.
            versions: Numbers that rise.
            clock: Seconds.
        """
        self._sweep = sweep
        self._versions, self._clock = versions, clock
        self._reader, self._slow = _Reader(store, sweep), _Slow(clock)
        self._files: tuple[Any, ...] = ()
        self._again_at = 0.0
        self._error = ""
        self._manifests: list[str] = []
        self._moment: Moment | None = None
        self._changes = Changes()
        self._changed_in: dict[str, int] = {}
        self._whole = b""
        self.version = 0
        """Of what is known; 0: nothing is."""

    @property
    def size(self) -> int:
        """Bytes that are kept, about."""
        columns = () if self._moment is None else self._moment.columns.values()
        return len(self._whole) + 2 * sum(column.nbytes for column in columns)

    def payload(self, boot: str, since: int, kin: object = None) -> bytes | None:
        """What a page is told that knows a version; None: nothing has changed since.

        Args:
            boot: Goes into the head.
            since: The version; −1: it knows nothing.
            kin: Differs when something happened to a sweep on which it depends what is said of this one.

        Raises:
            StoreError: It cannot be read; the next time it is tried again.
        """
        began, before = self._clock(), self._manifests
        self._manifests = self._sweep.disk.list(self._sweep.path / MANIFEST)
        if self._error and began < self._again_at and self._manifests == before:
            raise StoreError(self._error)
        try:
            found = self._told(boot, since, kin)
        except (OSError, duckdb.Error) as error:
            self._files = ()
            self.close()
            if isinstance(error, duckdb.Error):
                self._error = f"The rows of {self._sweep.id} cannot be read: {one_line(error)}"
            else:
                self._error = str(store_error("read", self._sweep.path, error))
            now = self._clock()
            self._again_at = now + AFTER_ERROR * (now - began)
            raise StoreError(self._error) from error
        self._error = ""
        return found

    def _told(self, boot: str, since: int, kin: object) -> bytes | None:
        moment = self._look(kin)
        if since == self.version:
            return None
        found = self._since(moment, boot, since) if since >= self._changes.first else self._all(moment, boot)
        if moment.documents["sweep"]["state"] != "running":
            self.close()
        return found

    def close(self) -> None:
        """Let go of files; to read again is to open them anew."""
        self._reader.close()

    def _look(self, kin: object) -> Moment:
        """The sweep as it is now, or was a moment ago."""
        now = self._clock()
        if self._moment is not None and self._files and now < self._again_at:
            return self._moment
        state = self._sweep.state()  # before the files: of a sweep that ends in between, the last rows are there
        seen = self._sweep.visible_files()
        files = (state, seen.manifest.k, tuple(read_through(seen).items()), kin)
        if self._moment is None or files != self._files or now >= self._slow.owed_at:
            with self._reader.opened(anew=True) as opened:
                self._moment = self._read(opened, running=state == "running")
            self._files = files
            self._again_at = self._clock() + SHARE * (self._clock() - now)
        return self._moment

    def _read(self, opened: OpenSweep, *, running: bool) -> Moment:
        rows = trial_rows(opened)
        findings = self._slow.findings(opened, rows, running=running)
        moment = moment_of(opened, rows, findings, not_shown=self._reader.said)
        moment.documents["running"] = as_json(running_document(opened, rows))
        before, version = self._moment, next(self._versions)
        if before is None or before.plan.metrics != moment.plan.metrics:
            self._changes = Changes()
        self._changes.note(moment.columns | {"reports": rows.reports}, version)
        told = {name for name, one in moment.documents.items() if before is None or before.documents[name] != one}
        self._changed_in |= dict.fromkeys(told, version)
        if told or self._changes.since(self.version).any() or self._changes.first > self.version:
            self.version, self._whole = version, b""
        return moment

    def _all(self, moment: Moment, boot: str) -> bytes:
        if not self._whole:
            with self._reader.opened() as opened:
                self._whole = whole_payload(opened, moment, boot=boot, version=self.version).to_bytes()
        return self._whole

    def _since(self, moment: Moment, boot: str, since: int) -> bytes:
        names = [name for name in moment.documents if self._changed_in[name] > since]
        which = self._changes.since(since)
        with self._reader.opened() as opened:
            axes = self._slow.axes(opened, moment)
            return changed_payload(opened, moment, which, names, axes, boot=boot, version=self.version).to_bytes()


class _Reader:
    """The views of a sweep, which stay open while it is followed: to open them takes longer than most questions."""

    def __init__(self, store: Store, sweep: SweepDir) -> None:
        self._store, self._sweep = store, sweep
        self._stack = ExitStack()
        self._opened: OpenSweep | None = None
        self._amended: list[str] = []
        self.said: list[str] = []
        """What is not shown."""

    @contextmanager
    def opened(self, *, anew: bool = False) -> Iterator[OpenSweep]:
        """The views at the moment at which they were opened, or, anew, at this one."""
        if anew:
            amended = self._sweep.disk.list(self._sweep.path / AMENDMENTS)
            if amended != self._amended:  # the description is kept by who read it
                self.close()
            self._amended = amended
        if self._opened is None:
            sweep = self._sweep.again()
            self._opened = self._stack.enter_context(open_sweep(self._store, sweep, lambda sentence: None, KeptViews))
        elif anew:
            self._opened.views.refresh()
        if anew:
            self.said = []
            say_not_shown(self._opened.views, self.said.append)
        yield self._opened

    def close(self) -> None:
        """Let go of files and memory."""
        self._opened = None
        self._stack.close()


class _Slow:
    """What takes long to find out: it is found out again when there is a tenth more to say, or after a while."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._findings: tuple[SpaceFindings, int, float] | None = None
        self._axes: tuple[dict[str, Axis], int, float] | None = None
        self.owed_at = math.inf
        """When findings are to be found out again although nothing else happens."""

    def findings(self, opened: OpenSweep, rows: TrialRows, *, running: bool) -> SpaceFindings:
        """What the sweep tells of its space, as of now or of some time ago; of one that ended, as of now."""
        ended = int(np.isin(rows.state, ENDED).sum())
        found = self._findings
        if found is None or not running or self._is_due(ended, *found[1:]):
            found = self._findings = space_findings(opened, rows), ended, self._clock()
        self.owed_at = found[2] + LATER_S if found[1] != ended else math.inf
        return found[0]

    def axes(self, opened: OpenSweep, moment: Moment) -> dict[str, Axis]:
        """The axes that suit the curves of all trials."""
        rows, found = moment.rows, self._axes
        reports = int(rows.reports.sum())
        if found is None or found[0].keys() != set(moment.plan.metrics) or self._is_due(reports, *found[1:]):
            curves = read_curves(opened, rows, moment.plan, typical(rows))
            found = self._axes = curve_axes(curves), reports, self._clock()
        return found[0]

    def _is_due(self, count: int, before: int, at: float) -> bool:
        return count >= MORE * max(before, 1) or (count != before and self._clock() >= at + LATER_S)
