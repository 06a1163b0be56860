"""Names follow the data: a file or class is called after what it holds, never after being useful."""

import ast
import re

VAGUE_FILE = re.compile(r"(^|_)(utils?|misc|stuff|common|managers?)(_|$)")
VAGUE_CLASS = re.compile(r"(Utils?|Misc|Stuff|Manager)$")


def python_files(root, tracked):
    found = [path.relative_to(root) for path in tracked if path.suffix == ".py"]
    assert len(found) > 50, "the source files were not found"
    return found


def test_no_file_or_folder_has_a_name_without_meaning(root, tracked):
    names = [(path, part) for path in python_files(root, tracked) for part in (*path.parts[:-1], path.stem)]
    assert [str(path) for path, part in names if VAGUE_FILE.search(part)] == []


def test_no_class_has_a_name_without_meaning(root, tracked):
    classes = [
        f"{path}: {node.name}"
        for path in python_files(root, tracked)
        for node in ast.walk(ast.parse((root / path).read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and VAGUE_CLASS.search(node.name)
    ]
    assert classes == []


def test_the_patterns_find_what_they_are_for():
    assert all(VAGUE_FILE.search(name) for name in ("utils", "store_util", "common", "misc_rows"))
    assert not any(VAGUE_FILE.search(name) for name in ("miscarriage", "commons_licence", "base", "signal_handlers"))
    assert all(VAGUE_CLASS.search(name) for name in ("StoreManager", "RowUtils"))
    assert not any(VAGUE_CLASS.search(name) for name in ("Database", "BaseSampler", "SignalHandler"))
