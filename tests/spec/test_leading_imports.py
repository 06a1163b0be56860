"""Which imports at a file's top another process may do ahead of it."""

import sys
from pathlib import Path

import pytest

from caviar.spec.leading_imports import leading_imports


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("", []),
        ("def (", []),
        ("'''A docstring.'''\nfrom __future__ import annotations\nimport json", 2),
        ("import json, math as m\nfrom os import path as p, sep\nimport numpy.random", 3),
        ("from caviar import Float, Sweep\nimport numpy", 2),
        ("import os\nos.environ['A_SETTING'] = '1'\nimport numpy", 1),
        ("import json\ntry:\n    import numpy\nexcept ImportError:\n    pass", 1),
        ("import json\nfrom beside import this\nimport numpy", 1),
        ("import json\nimport folder.within\nimport numpy", 1),
        ("import json\nfrom . import beside", 1),
        ("import json, beside", 0),
        ("import json\nimport elsewhere\nimport numpy", 1),  # the user's own, in another folder
        ("import json\nimport no_such_module", 1),
        ("import numpy\nimport ray", 1),
        ("import queue", 0),  # the user's, in place of Python's own
        ("import json\ndef train(config, trial):\n    import numpy", 1),
    ],
)
def test_it_ends_where_something_else_may_begin(tmp_path: Path, source: str, found: int | list[str]) -> None:
    for name in ("experiment/beside.py", "experiment/folder/within.py", "experiment/queue.py", "src/elsewhere.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    path = [str(tmp_path / "src"), *sys.path]
    imports = leading_imports(source, tmp_path / "experiment", path)

    assert imports == found or len(imports) == found


def test_they_are_the_statements_as_they_stand() -> None:
    assert leading_imports("import json as j, math\nfrom os import (path as p, sep)", Path("/nowhere"), sys.path) == [
        "import json as j, math",
        "from os import path as p, sep",
    ]
