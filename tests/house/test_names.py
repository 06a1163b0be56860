"""Names follow the data: a file or class is called after what it holds, never after being useful."""

import ast
import re

VAGUE_FILE = re.compile(r"(^|_)(utils?|misc|stuff|common|managers?)(_|$)")
VAGUE_CLASS = re.compile(r"(Utils?|Misc|Stuff|Manager)$")


ONE_MEANING = {
    "take": {"accepted_points.py", "trial_source.py"},
    "draw": {"trial_source.py", "gp_draws.py", "scheduler.py"},
    "retry": {"trial_table.py", "resume.py"},
    "execution": set(),
}
"""Word of ARCHITECTURE's table of terms → the files in which something may be called so. The last is an `attempt`."""


def python_files(root, tracked):
    found = [path.relative_to(root) for path in tracked if path.suffix == ".py"]
    assert len(found) > 50, "the source files were not found"
    return found


def test_no_file_or_folder_has_a_name_without_meaning(root, tracked):
    names = [(path, part) for path in python_files(root, tracked) for part in (*path.parts[:-1], path.stem)]
    assert [str(path) for path, part in names if VAGUE_FILE.search(part)] == []


def test_no_test_has_left_a_file_in_the_checkout_under_an_odd_name(root, tracked):
    names = [str(path.relative_to(root)) for path in tracked]
    assert [name for name in names if not re.fullmatch(r"[\w./=-]+", name, re.ASCII)] == []


def test_no_class_has_a_name_without_meaning(root, tracked):
    classes = [
        f"{path}: {node.name}"
        for path in python_files(root, tracked)
        for node in ast.walk(ast.parse((root / path).read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and VAGUE_CLASS.search(node.name)
    ]
    assert classes == []


def called(source):
    """Names of the functions and variables that a file makes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def test_a_word_means_one_thing(root, tracked):
    product = [path for path in python_files(root, tracked) if path.parts[0] in ("orchestrator", "workers")]
    wrong = [
        f"{path}: {name}"
        for path in product
        for name in called((root / path).read_text("utf-8"))
        if path.name not in ONE_MEANING.get(name.lstrip("_"), {path.name})
    ]
    assert wrong == [], "ARCHITECTURE.md says what this word means"
    section = (root / "ARCHITECTURE.md").read_text("utf-8").partition("| term | meaning |")[2].partition("\n## ")[0]
    terms = set(re.findall(r"(?m)^\| (\w+) \|", section))
    assert set(ONE_MEANING) - {"execution"} | {"attempt", "end", "progress"} <= terms


def test_what_a_file_calls_something_is_seen():
    source = "def take(execution):\n    draw = retry = 1\nclass Execution: take.other = 1"
    assert sorted(called(source)) == ["Execution", "draw", "execution", "retry", "take"]


def test_the_patterns_find_what_they_are_for():
    assert all(VAGUE_FILE.search(name) for name in ("utils", "store_util", "common", "misc_rows"))
    assert not any(VAGUE_FILE.search(name) for name in ("miscarriage", "commons_licence", "base", "signal_handlers"))
    assert all(VAGUE_CLASS.search(name) for name in ("StoreManager", "RowUtils"))
    assert not any(VAGUE_CLASS.search(name) for name in ("Database", "BaseSampler", "SignalHandler"))
