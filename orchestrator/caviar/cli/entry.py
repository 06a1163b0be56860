"""The installed program: from its first line on, Ctrl-C is told in a word."""

import os
import signal
from typing import NoReturn

from caviar.errors import INTERRUPTED


def main() -> NoReturn:
    """Import the command line and run it; Ctrl-C while it is imported ends the process, which holds nothing yet."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    from caviar.cli import main as program

    signal.signal(signal.SIGINT, before)
    program.main()


def _interrupted(_number: int, _frame: object) -> NoReturn:
    os.write(2, b"caviar: interrupted\n")
    os._exit(INTERRUPTED)
