"""What the drivers of a sweep said: a text file for each owner, which is written anew as it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.store.disk.store_errors import store_error
from caviar.store.layout import DRIVERS, numbered_name, parse_number

if TYPE_CHECKING:
    from caviar.store.sweep_dir import SweepDir

MOST_LOG = 2**24
"""Bytes of one log."""
MOST_LOGS = 1000
"""Drivers of one sweep of which the logs are read: the newest."""


def write_driver_log(sweep: SweepDir, epoch: int, text: str) -> None:
    """Put a text in the place of an owner's log; by that owner only.

    Raises:
        OSError: It cannot be written.
    """
    sweep.disk.make_folder(sweep.path / DRIVERS, within=sweep.path)
    sweep.disk.publish([(sweep.path / DRIVERS / numbered_name(epoch, ".log"), text.encode("utf-8", "replace"))])


def driver_logs(sweep: SweepDir) -> dict[int, str]:
    """The epoch of each owner that left a log → its text, oldest first.

    Raises:
        StoreError: They cannot be read.
    """
    folder = sweep.path / DRIVERS
    try:
        names = [name.removesuffix(".log") for name in sweep.disk.list(folder) if name.endswith(".log")]
        epochs = sorted(epoch for name in names if (epoch := parse_number(f"{name}.json")) is not None)
        return {
            epoch: sweep.disk.read(folder / numbered_name(epoch, ".log"), most=MOST_LOG).decode("utf-8", "replace")
            for epoch in epochs[-MOST_LOGS:]
        }
    except OSError as error:
        raise store_error("read", folder, error) from error
