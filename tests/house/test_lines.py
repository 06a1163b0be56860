"""A file is read in one sitting: none over 400 lines (100 to 250 are comfortable), no function body over 50."""

import ast
from pathlib import Path

FOLDERS = ("orchestrator", "workers", "experiments", "benchmarks", "tests")
FILE_LINES = 400
BODY_LINES = 50


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its first statement to its last; the docstring does not count."""
    body = function.body if ast.get_docstring(function) is None else function.body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def long_functions(source: str) -> list[str]:
    functions = (
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return [f"{node.name} has {body_lines(node)} lines" for node in functions if body_lines(node) > BODY_LINES]


def sources(root: Path, tracked: list[Path]) -> list[Path]:
    found = [path for path in tracked if path.suffix == ".py" and path.relative_to(root).parts[0] in FOLDERS]
    assert len(found) > 50, "the source files were not found"
    return found


def test_no_file_is_too_long(root, tracked):
    lengths = {
        str(path.relative_to(root)): len(path.read_text("utf-8").splitlines()) for path in sources(root, tracked)
    }
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES} == {}


def test_no_function_is_too_long(root, tracked):
    found = {str(path.relative_to(root)): long_functions(path.read_text("utf-8")) for path in sources(root, tracked)}
    assert {name: functions for name, functions in found.items() if functions} == {}


def test_the_count_leaves_out_the_docstring_only():
    statements = "\n".join(f"    x{i} = {i}" for i in range(BODY_LINES))
    docstring = '    """One.\n\n    Two.\n    """\n'
    assert long_functions(f"def f():\n{docstring}{statements}\n") == []
    assert long_functions(f"def f():\n{docstring}{statements}\n    y = 0\n") == ["f has 51 lines"]
