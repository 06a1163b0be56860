"""What a trial goes on from, read by the worker that trains it: from a disk that its machine sees, or from a bucket."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from caviar_workers.checkpoint import BORNE, Checkpoint, Save, crc, is_visible
from caviar_workers.messages import Lease, Origin
from caviar_workers.tables import FORKED


class UnseenStoreError(RuntimeError):
    """This machine sees no such store, or may not read it: what its trials go on from has to come with the lease."""


def check_seen(lease: Lease) -> None:
    """See that all that the lease's trials go on from can be read here, before any of them begins.

    Raises:
        UnseenStoreError: It cannot.
    """
    origins = (origin for some in lease.restore.values() for origin in some if origin.save.data is None)
    for folder in {origin.folder for origin in origins}:
        if not _is_seen(folder):
            raise UnseenStoreError(f"this machine does not see {folder}")


def first_whole(trial: int, origins: Sequence[Origin]) -> tuple[Origin, Checkpoint] | None:
    """The first of some checkpoints that is as it was saved, with its bytes; None: the trial begins at step 0.

    Raises:
        OSError: The trial was forked from another one, and there is nothing left that it could go on from.
    """
    for origin in origins:
        data = _read(origin)
        if data is not None:
            return origin, Checkpoint(origin.save.step, data)
    if origins and trial >= FORKED:
        save = origins[-1].save
        raise OSError(
            f"it was forked from trial {save.trial} at step {save.step}, and that checkpoint is damaged or gone: put a "
            "copy of it back, then caviar resume --retry-failed"
        )
    return None


def damaged(origins: Iterable[Origin], taken: Origin | None) -> str:
    """What to say of the checkpoints that were passed over; empty: none was."""
    steps = [origin.save.step for origin in origins]
    passed = steps if taken is None else steps[: steps.index(taken.save.step)]
    if not passed:
        return ""
    where = "step 0" if taken is None else f"step {taken.save.step + 1}"
    what = f" of step {passed[0]} is" if len(passed) == 1 else f"s of steps {', '.join(map(str, passed))} are"
    return f"the checkpoint{what} damaged or gone: this attempt begins at {where}"


def _read(origin: Origin) -> bytes | None:
    save = origin.save
    try:
        data = save.data if save.data is not None else _bytes_of(origin.folder, save)
    except OSError:
        return None
    return data if f"{crc(data):08x}" == save.checksum else None


def _bytes_of(folder: str, save: Save) -> bytes:
    if "://" not in folder:
        shown = Path(folder)
        file = shown / save.name
        for place in (shown.parent, shown, file.parent, file):
            if place.is_symlink():
                raise OSError(errno.ELOOP, "it is a link, and no link within a store is followed", str(place))
        return BORNE.call(lambda again: file.read_bytes())
    from caviar_workers.bucket_folder import get  # noqa: PLC0415 - an extra, for those who use it

    return get(f"{folder}/{save.name}")


def _is_seen(folder: str) -> bool:
    if "://" not in folder:
        return is_visible(folder)
    with suppress(ImportError, OSError):  # no client, no credentials, or none that may read
        from caviar_workers.bucket_folder import is_there  # noqa: PLC0415 - an extra, for those who use it

        return is_there(folder)
    return False
