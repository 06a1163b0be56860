"""ARCHITECTURE's table names every room, and there are few enough to keep in mind."""

import re

MOST_AT_THE_TOP = 12
"""The board serves what results makes, and knows no way to run anything; integrations know frameworks, and export knows
other tools, from below `Result`, which offers it."""
MOST = 21
"""The report's data are a room of their own: a page needs as many small answers as all verbs together."""
FOLDERS = ("orchestrator", "workers")


def rooms(root, tracked):
    """Packages with code, and files beside them at the top of `caviar`."""
    paths = [path.relative_to(root) for path in tracked if path.suffix == ".py"]
    parts = [path.parts[1:] for path in paths if path.parts[0] in FOLDERS]
    folders = {one[:-1] for one in parts if one[-1] != "__init__.py" or len(one) > 2}
    files = {(*one[:-1], one[-1].removesuffix(".py")) for one in parts if one[:-1] == ("caviar",)}
    return {".".join(one) for one in (folders | files) - {("caviar",), ("caviar", "__init__")}}


def test_the_table_has_a_line_for_every_room(root, tracked):
    section = (root / "ARCHITECTURE.md").read_text("utf-8").partition("## The rooms\n")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"(?m)^\| `([\w.]+)` \|", section)) == sorted(rooms(root, tracked))


def test_the_rooms_are_few(root, tracked):
    """Errors are no room but a file that all may use; the workers' package is a house of its own."""
    found = rooms(root, tracked) - {"caviar.errors", "caviar_workers"}
    assert len(found) <= MOST
    assert len([one for one in found if one.count(".") == 1]) <= MOST_AT_THE_TOP
