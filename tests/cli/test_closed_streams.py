"""Started by a daemon that closed what it does not need."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_reason_to_fail(filled, closed):
    line = f'"$0" -m caviar.cli.main ls --store "$1" {closed}'
    done = subprocess.run(["sh", "-c", line, sys.executable, filled.path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("digits" in done.stdout) == (">&-" not in closed.replace("2>&-", ""))
