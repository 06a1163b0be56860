"""The user's code, snapshotted and hashed when the sweep is described."""

from caviar.program.archive import pack, unpack
from caviar.program.entry import ROLES
from caviar.program.snapshot import program_of_file, program_of_functions
from caviar.program.source import load_file, own_modules, program_of

__all__ = [
    "ROLES",
    "load_file",
    "own_modules",
    "pack",
    "program_of",
    "program_of_file",
    "program_of_functions",
    "unpack",
]
