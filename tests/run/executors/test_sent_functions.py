"""Functions that are sent themselves find the modules beside their file as they were when the sweep was described."""

import json
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from caviar_workers.load import load_function
from caviar_workers.messages import Program

WAYS = {  # what a script makes of the modules beside it, with what its function gives
    "under the guard": "def train(config, trial): return helper.value()\ngive(train)",
    "a lambda": "give(lambda config, trial: helper.value())",
    "a partial": "give(functools.partial(lambda config, trial, f: f(), f=helper.value))",
    "a name of its own": "value = helper.value\ngive(lambda config, trial: value())",
    "imported late": "def train(config, trial):\n    import late\n    return late.value()\ngive(train)",
    "a part imported late": """
        def train(config, trial):
            from pack import inner
            return inner.value()
        give(train)
    """,
    "a package": "import pack.inner\ngive(lambda config, trial: pack.inner.value())",
    "what a package imports late": "import pack\ngive(lambda config, trial: pack.late())",
    "a folder without __init__": "import bare.inner\ngive(lambda config, trial: bare.inner.value())",
    "an instance": "thing = helper.Thing()\ngive(lambda config, trial: thing.value())",
    "a class below one": "class Own(helper.Thing): pass\nthing = Own()\ngive(lambda config, trial: thing.value())",
    "a method": "give(helper.Thing().train)",
}
FILES = {
    "helper.py": "from far import value\n"
    "class Thing:\n    def value(self): return value()\n    def train(self, config, trial): return value()\n",
    "far.py": "def value(): return 7\n",
    "late.py": "from far import value\n",
    "pack/__init__.py": "def late():\n    from . import inner\n    return inner.value()\n",
    "pack/inner.py": "from far import value\n",
    "bare/inner.py": "from far import value\n",
}
HEAD = "import functools, helper\n"
DRIVER = """
    import builtins, os, pickle, runpy, sys
    from caviar import Sweep
    from caviar.run.executors import sent_program

    def give(train):
        sent_program.sent(Sweep(train, space={"x": [1, 2]}, metric="m").program)

    builtins.give = give
    sent = []
    sent_program.ray.put = lambda pair: sent.append(pair[0])  # a store that is no other process's
    for folder in sys.argv[1:]:
        before = set(sys.modules)
        os.chdir(folder)
        sys.path[0] = folder
        if folder.endswith("notebook"):
            source = open("exp.py").read()
            exec(source, {"__name__": "__main__"})
        else:
            runpy.run_path(os.path.join(folder, "exp.py"), run_name="__main__")
        for name in set(sys.modules) - before:
            if getattr(sys.modules[name], "__file__", None) and sys.modules[name].__file__.startswith(folder):
                del sys.modules[name]
    pickle.dump(sent, sys.stdout.buffer)
"""
WORKER = """
    import json, pickle, sys
    from caviar_workers.load import load_function

    def outcome(program):
        try:
            return load_function(program, program.train)({}, None)
        except Exception as error:
            return repr(error)

    path = list(sys.path)
    found = []
    for folder, program in zip(sys.argv[1:], pickle.load(sys.stdin.buffer), strict=True):
        sys.path[:] = [folder, *path]
        found.append(outcome(program))
    print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
    """(Way, kind) → what the function gives in a worker, one for all, after all files were edited."""
    home = tmp_path_factory.mktemp("sent")
    keys = [(way, kind) for way in WAYS for kind in ("script", "notebook")]
    folders = [home / str(number) / kind for number, (_, kind) in enumerate(keys)]
    for (way, kind), folder in zip(keys, folders, strict=True):
        for name, source in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(source)
        body = textwrap.dedent(WAYS[way])
        if kind == "script":
            body = f"if __name__ == '__main__':\n{textwrap.indent(body, '    ')}"
        (folder / "exp.py").write_text(HEAD + body)
    sent = _run(home, DRIVER, folders, b"")
    for folder in folders:
        for file in folder.rglob("*.py"):
            file.write_text("raise RuntimeError('edited')")
    return dict(zip(keys, json.loads(_run(home, WORKER, folders, sent)), strict=True))


def _run(home: Path, code: str, folders: list[Path], given: bytes) -> bytes:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, folders)]  # a `__main__` without a file
    done = subprocess.run(command, input=given, capture_output=True, check=False, cwd=home)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize("kind", ["script", "notebook"])
@pytest.mark.parametrize("way", WAYS)
def test_an_edit_in_mid_sweep_changes_nothing(outcomes: dict[tuple[str, str], Any], way: str, kind: str) -> None:
    assert outcomes[way, kind] == 7


def test_what_functions_share_lives_as_long_as_the_process_that_they_were_sent_to_as_in_a_module() -> None:
    from caviar.run.executors.sent_program import _pickled

    seen = np.zeros(10_000)  # large enough to travel beside the pickle

    def train(config: Any, trial: Any) -> float:
        counted.append(1)
        return len(counted) + float(seen[0])

    def final(config: Any, trial: Any) -> int:
        return len(counted)

    counted: list[int] = []
    given = Program(digest="d", train="train", final="final", functions={"train": train, "final": final})
    found = []
    for value in (0.0, 100.0):  # two runs
        seen = np.full(10_000, value)
        sent = pickle.dumps(_pickled(given), protocol=5)
        for _ in range(3):  # leases
            program = pickle.loads(sent)
            found.append(load_function(program, "train")({}, None))
        found.append(load_function(program, "final")({}, None))

    assert found == [1.0, 2.0, 3.0, 3, 101.0, 102.0, 103.0, 3]
