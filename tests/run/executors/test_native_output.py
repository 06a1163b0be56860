"""What native code writes to the terminal, and what Python does, in a block that keeps the first."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from caviar.run.executors.native_output import NativeOutput


def run(body: str, **options: object) -> subprocess.CompletedProcess[str]:
    script = (
        "import logging, os, sys\nfrom caviar.run.executors.native_output import native_output_kept\n"
        + textwrap.dedent(body)
    )
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120, **options
    )


def test_native_lines_are_kept_and_python_s_go_on() -> None:
    ran = run(
        """
        handler = logging.StreamHandler()
        os.write(2, b"before\\n")
        with native_output_kept() as kept_output:
            os.write(2, b"[C++] a trace\\n")
            print("said", file=sys.stderr)
            late = logging.StreamHandler()  # keeps the stream of the block
        os.write(2, b"after\\n")
        late.emit(logging.LogRecord("x", 40, "", 0, "late", (), None))
        print("last", file=sys.stderr)
        print(kept_output.log().read_text(), end="")
        os.unlink(kept_output.log())
        """
    )
    assert (ran.stderr, ran.stdout) == ("before\nsaid\nafter\nlate\nlast\n", "[C++] a trace\n")


def test_all_is_given_back_after_an_error_and_time_after_time() -> None:
    ran = run(
        """
        before = len(os.listdir("/dev/fd"))
        for _ in range(20):
            try:
                with native_output_kept():
                    os.write(2, b"kept\\n")
                    raise KeyError
            except KeyError:
                pass
        os.write(2, b"after\\n")
        print(len(os.listdir("/dev/fd")) - before, native_output_kept is not None)
        """
    )
    assert (ran.stderr, ran.stdout) == ("after\n", "0 True\n")


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-"])
def test_where_stderr_is_closed_nothing_happens(closed: str) -> None:
    script = (
        "from caviar.run.executors.native_output import native_output_kept\n"
        "with native_output_kept() as kept_output: pass\nraise SystemExit(kept_output.log() is not None)"
    )
    command = ["sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, script]
    assert subprocess.run(command, check=False, timeout=120).returncode == 0


def test_nothing_is_written_down_where_nothing_was_said(tmp_path: Path) -> None:
    assert NativeOutput().log() is None
