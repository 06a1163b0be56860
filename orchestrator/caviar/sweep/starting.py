"""When a sweep may be started."""

from __future__ import annotations

from caviar.errors import SpecError
from caviar_workers.load import importing


def refuse_import() -> None:
    """Raise SpecError where the user's file is being imported by who runs it: a sweep that starts there never ends."""
    if importing():
        raise SpecError(
            "a sweep was started while its file was imported: put sweep.run() under if __name__ == '__main__':"
        )
