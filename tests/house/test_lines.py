"""A file is read in one sitting, a function on one screen; what must be longer says here why."""

import ast
from pathlib import Path

FOLDERS = ("orchestrator", "workers", "experiments", "benchmarks", "tests")
FILE_LINES = 400
BODY_LINES = 50

LONGER: dict[str, str] = {}
"""Path, or `path: function`, and why it is better whole. A thought is not torn apart for a count."""


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its first statement to its last; the docstring does not count."""
    body = function.body if ast.get_docstring(function) is None else function.body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def too_long(name: str, source: str) -> list[str]:
    """What is over the limits in a file: itself, or some of its functions."""
    functions = (
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    file = [name] if len(source.splitlines()) > FILE_LINES else []
    return file + [f"{name}: {node.name}" for node in functions if body_lines(node) > BODY_LINES]


def sources(root: Path, tracked: list[Path]) -> list[Path]:
    found = [path for path in tracked if path.suffix == ".py" and path.relative_to(root).parts[0] in FOLDERS]
    assert len(found) > 50, "the source files were not found"
    return found


def test_what_is_long_says_why(root, tracked):
    long = [
        one for path in sources(root, tracked) for one in too_long(str(path.relative_to(root)), path.read_text("utf-8"))
    ]
    assert set(long) == set(LONGER), "shorten it, or write down in LONGER why it is better whole"


def test_the_count_leaves_out_the_docstring_only():
    statements = "\n".join(f"    x{i} = {i}" for i in range(BODY_LINES))
    docstring = '    """One.\n\n    Two.\n    """\n'
    assert too_long("a.py", f"def f():\n{docstring}{statements}\n") == []
    assert too_long("a.py", f"def f():\n{docstring}{statements}\n    y = 0\n") == ["a.py: f"]
    assert too_long("a.py", "x = 0\n" * (FILE_LINES + 1)) == ["a.py"]
