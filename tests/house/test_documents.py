"""What a verb shows is a document that a room below made; `cli` builds no JSON of its own."""

import ast
import re

import pytest

from caviar.cli.output import emit_json

WRITERS = {"output.py", "query_output.py"}
"""Files of cli that write JSON: of documents, and of the rows that a user's own query found."""
FORMS = re.compile(r"\bimport json\b|\bas_json\(|\basdict\b|\bto_json\(\)|\b\w+Document\(|class \w*Document\b")


def files_of_cli(root, tracked):
    found = {path.name: path.read_text("utf-8") for path in tracked if path.parent == root / "orchestrator/caviar/cli"}
    assert len(found) > 20, "the files of cli were not found"
    return found


def built_here(source):
    """What a file builds for JSON by itself: other modules' means to do so, or a mapping handed to `emit_json`."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    handed = [one.args[0] for one in calls if isinstance(one.func, ast.Name) and one.func.id == "emit_json"]
    return FORMS.findall(source) + [ast.unparse(one) for one in handed if isinstance(one, ast.Dict | ast.BinOp)]


def test_no_verb_builds_json(root, tracked):
    found = {name: built_here(source) for name, source in files_of_cli(root, tracked).items() if name not in WRITERS}
    assert {name: here for name, here in found.items() if here} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import json",
        "emit_json({'a': 1})",
        "emit_json(a | {'b': 2})",
        "emit_json(asdict(x))",
        "class RunDocument: ...",
        "RunDocument(a=1)",
    ],
)
def test_json_that_is_built_is_seen(source):
    assert built_here(source)


def test_a_mapping_is_no_document(capsys):
    with pytest.raises(TypeError, match="a document is a frozen dataclass"):
        emit_json({"store": "x"})
    assert capsys.readouterr().out == ""
