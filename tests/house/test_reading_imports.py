"""The verbs that read start fast: they import neither Ray nor scipy nor pandas."""

import subprocess
import sys

import pytest

HEAVY = ("ray", "scipy", "pandas")

SCRIPT = """
import sys
from caviar.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    code = end.code
print("imported:", *sorted(set(sys.modules) & set({heavy!r})))
sys.exit(code)
"""

# Arguments, and the exit code in an empty folder: 4 is "there is no store here".
READING = [
    (["--help"], 0),
    (["--version"], 0),
    (["ls"], 4),
    (["best"], 4),
    *(([verb, "--help"], 0) for verb in ("status", "best", "show", "curves", "query")),
]


def imported(*args, cwd):
    """The exit code of the program, and which of the heavy modules it had imported at its end."""
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(heavy=HEAVY), *args],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    last = ran.stdout.splitlines()[-1:]
    assert last, ran.stderr
    assert last[0].startswith("imported:"), ran.stderr
    return ran.returncode, last[0].split()[1:]


@pytest.mark.parametrize(("args", "code"), READING)
def test_reading_verbs_import_nothing_heavy(tmp_path, args, code):
    assert imported(*args, cwd=tmp_path) == (code, [])


def test_an_import_would_be_seen(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", "import scipy\n" + SCRIPT.format(heavy=HEAVY), "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines()[-1] == "imported: scipy"
