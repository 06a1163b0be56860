"""Where files are: a file system or an object store, behind one contract that tells what lasts and what is seen.

`Disk` is the contract, `PosixDisk` a file system; `locate` finds the one that a path or URI means.
"""

from caviar.disk.contract import STALE_S, Bytes, Disk
from caviar.disk.location import locate
from caviar.disk.posix import PosixDisk
from caviar_workers.patience import Patience

__all__ = ["STALE_S", "Bytes", "Disk", "Patience", "PosixDisk", "locate"]
