"""Where files are: a file system or an object store, behind one contract that tells what lasts and what is seen.

`Disk` is the contract, `PosixDisk` a file system; `locate` finds the one that a path or URI means.
"""

from caviar.store.disk.disk import STALE_S, Bytes, Disk
from caviar.store.disk.location import locate
from caviar.store.disk.posix import PosixDisk
from caviar_workers.backoff import Backoff

__all__ = ["STALE_S", "Backoff", "Bytes", "Disk", "PosixDisk", "locate"]
