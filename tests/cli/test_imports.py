"""Reading a store that holds sweeps imports nothing heavy either."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from caviar.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print("imported:", *sorted(set(sys.modules) & {"ray", "scipy", "pandas"}), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "verb",
    [
        ("ls",),
        ("status", "digits"),
        ("best", "digits"),
        ("best", "digits", "--family"),
        ("zoom", "digits", "--dry-run"),
        ("show", "2", "--sweep", "digits"),
        ("logs", "2", "--sweep", "digits"),
        ("curves", "digits"),
        ("simulate", "digits", "--orders", "2"),
        ("query", "SELECT count(*) FROM trials", "--format", "json"),
    ],
    ids=" ".join,
)
def test_reading_verbs_import_nothing_heavy(filled, verb):
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, *verb, "--store", str(filled.path)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout
    assert ran.stderr.splitlines()[-1] == "imported:"
