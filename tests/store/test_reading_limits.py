"""All that is read from a store whole has a limit, but what the user saved."""

import ast
from pathlib import Path

import caviar.store

USERS = {"checkpoints.py"}


def test_whatever_is_read_whole_has_a_limit():
    reads = {}
    folder = Path(caviar.store.__file__).parent
    for path in (*folder.glob("*.py"), *folder.glob("read/*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        names = [(call, ast.unparse(call.func)) for call in calls]
        reads[path.name] = [call for call, name in names if name.endswith(("disk.read", "read_bytes"))]
    assert sum(map(len, reads.values())) > 5
    without = {
        name for name, calls in reads.items() for call in calls if "most" not in {one.arg for one in call.keywords}
    }
    assert without == USERS
