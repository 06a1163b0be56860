"""Waiting until an owner that gives no sign of life any more counts as gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caviar.show.progress import Progress
    from caviar.store import SweepDir
    from caviar.store.owner import Sighting

LOOK_S = 5.0
"""Seconds between two looks, at most."""


def wait_for_silence(
    sweep_dir: SweepDir, progress: Progress, *, sleep: Callable[[float], None] = time.sleep
) -> Sighting:
    """Wait while the owner's last sign of life is too young, and no other comes.

    Returns:
        The owner as it was seen last: who claims the sweep now is told the rest.
    """
    seen = sweep_dir.owner()
    if seen.left_s is not None:
        progress.note(
            f"{seen.who} gave its last sign of life {seen.age_s:.0f} s ago: waiting {seen.left_s:.0f} s for another "
            "one, until it counts as gone"
        )
    while (left := seen.left_s) is not None:
        sleep(min(left + 0.1, LOOK_S))
        before, seen = seen, sweep_dir.owner()
        if seen.epoch != before.epoch or (seen.age_s or 0.0) < (before.age_s or 0.0):
            return seen  # a sign of life, or another owner
    return seen
