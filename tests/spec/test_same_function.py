"""The function that a worker runs is the one that was given, in whichever way; or the functions themselves travel."""

import runpy
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from caviar.errors import SpecError
from caviar.sweep import Sweep
from caviar_workers.load import import_apart
from caviar_workers.messages import Program

HEAD = """
import argparse, dataclasses, functools, logging, sys, types
import numpy as np
import helper
from caviar import Float, Sweep

log = logging.getLogger(__name__)
FACTOR = 1
TABLE = np.arange(3)
SETTINGS = {"factor": 1, "deep": [1, {2: 3}]}
OPTIONS = types.SimpleNamespace(factor=1)
SPACE = {"x": Float(0, 1)}
LONG, LONG_2 = [i / 7 for i in range(100_001)], 1

SECRET = 1
def by_globals(config, trial): return globals().get("SEC" + "RET") and SETTINGS
def by_eval(config, trial): return eval("SEC" + "RET") if not config else SETTINGS
def by_modules(config, trial): return getattr(sys.modules[__name__], "FACTOR", 1)

class Model:
    factor = 1
    def __init__(self, factor): self.factor = factor
    def fit(self, config, trial): return self.factor
    def __call__(self, config, trial): return self.factor
    @classmethod
    def shared(cls, config, trial): return cls.factor
    @staticmethod
    def alone(config, trial): return FACTOR

def train(config, trial, factor=1):
    log.debug(SPACE)
    return (factor, FACTOR, TABLE.tolist(), SETTINGS, OPTIONS.factor, Model(2).fit(0, 0), helped(),
            LONG[100_000], LONG_2)

def helped(): return helper.value()

def make(factor):
    def inner(config, trial): return factor
    return inner

def decorated(function):
    @functools.wraps(function)
    def wrapper(*words): return function(*words)
    return wrapper

"""
"""What every experiment of this test begins with."""

AT_HOME = {  # at the top level of the file: importing it gives the same
    "plain": "given = train",
    "lambda": "given = lambda config, trial: FACTOR",
    "lambda in place": "sweep = Sweep(lambda config, trial: FACTOR, space=SPACE, metric='m'); given = sweep.train",
    "partial": "given = functools.partial(train, factor=3)",
    "partial of partial": "given = functools.partial(functools.partial(train, factor=3))",
    "closure": "given = make(3)",
    "bound method": "MODEL = Model(4); given = MODEL.fit",
    "class method": "given = Model.shared",
    "static method": "given = Model.alone",
    "callable object": "given = Model(5)",
    "decorated": "given = train = decorated(train)",
    "dispatched": "given = functools.singledispatch(train)",
    "redefined later": "given = train\ndef train(config, trial): return 'another'",
    "global set at import": "FACTOR = 9\ngiven = train",
    "command line read at import": """
        parser = argparse.ArgumentParser(); parser.add_argument("--factor", type=int, default=1)
        OPTIONS = parser.parse_args()
        given = train
    """,
}
IN_MAIN = {  # after the imports: importing the file gives something else
    "partial of the same name": "train = functools.partial(train, factor=3); given = train",
    "name under the guard": "def special(config, trial): return FACTOR\ngiven = special",
    "redefined": "def train(config, trial): return 7\ngiven = train",
    "lambda": "given = lambda config, trial: FACTOR",
    "closure": "given = make(3)",
    "bound method": "given = Model(4).fit",
    "callable object": "given = Model(5)",
    "global": "FACTOR = 9; given = train",
    "item of a dict": "SETTINGS['factor'] = 9; given = train",
    "deep in a dict": "SETTINGS['deep'][1][2] = 9; given = train",
    "attribute": "OPTIONS.factor = 9; given = train",
    "array": "TABLE[1] = 9; given = train",
    "class attribute": "Model.factor = 9; given = Model.shared",
    "method replaced": "Model.fit = lambda self, config, trial: 9; given = train",
    "defaults": "train.__defaults__ = (9,); given = train",
    "helper function replaced": "helped = lambda: 9; given = train",
    "attribute of a function": "train.factor = 9; given = train",
    "state behind a method that is replaced": "train.model = Model(1); Model.__init__ = print; given = train",
    "long table": "LONG[100_000] = 9; given = train",
    "behind a long table": "LONG_2 = 9; given = train",
    "more than can be looked at": "MANY = [*map(Model, range(2000))]; given = lambda *_: (MANY[-1].factor, FACTOR)",
    "by globals": "SECRET = 9; given = by_globals",
    "by eval": "SECRET = 9; given = by_eval",
    "by sys.modules": "SECRET = 9; given = by_modules",
    "new global": "NEW = 9\ndef train(config, trial): return NEW\ngiven = train",
}


KINDS = """
import collections, datetime, decimal, enum, fractions, io, logging, math, operator, random, re, threading, uuid
import pandas as pd
from scipy import sparse, stats

class Slotted:
    __slots__ = ("v",)
    def __init__(self, v): self.v = v
class Dict(dict):
    def __init__(self, v): self.v = v
class Deque(collections.deque): pass
class Kind(enum.Flag): A, B = 1, 2
class Shown:
    value = property(math.sin)
    other = property(math.cos)
@dataclasses.dataclass
class Data: v: int
def marked(value):
    value.extra = 9
    return value
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Program, Any]]]:
    """Runs a script as Python does; returns the program of its `given`, and what calling that here gives."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["script.py"])
    monkeypatch.setattr("caviar.spec.same_function._MOST_LOOKS", 5_000)
    (tmp_path / "helper.py").write_text("VALUE = 1\ndef value(): return VALUE\n")

    def script(top: str, main: str = "pass") -> tuple[Program, Any]:
        found: list[Any] = []

        def check(given: Any) -> None:
            found.extend((Sweep(given, space={"x": [1, 2]}, metric="m").program, given({}, None)))

        main = textwrap.indent(textwrap.dedent(main) + "\ncheck(given)", "    ")
        path = tmp_path / "script.py"
        path.write_text(f"{HEAD}\n{textwrap.dedent(top)}\nif __name__ == '__main__':\n{main}\n")
        sys.modules.pop("helper", None)
        runpy.run_path(str(path), init_globals={"check": check}, run_name="__main__")
        return found[0], found[1]

    yield script
    sys.modules.pop("helper", None)


def in_a_worker(program: Program) -> Any:
    if program.functions:
        return program.functions["train"]({}, None)
    function: Any = import_apart(program)
    for part in program.train.split("."):
        function = getattr(function, part)
    return function({}, None)


@pytest.mark.parametrize("way", AT_HOME)
def test_what_the_file_gives_when_it_is_imported_travels_as_source(run: Any, way: str) -> None:
    program, here = run(AT_HOME[way])

    assert not program.functions
    assert in_a_worker(program) == here


@pytest.mark.parametrize("way", IN_MAIN)
def test_what_it_does_not_give_travels_itself_and_is_told(run: Any, way: str) -> None:
    program, here = run("", IN_MAIN[way])

    assert program.reason
    assert program.functions
    assert repr(in_a_worker(program)) == repr(here)


@pytest.mark.parametrize(
    ("top", "change"),
    [
        (
            "class Option(enum.Enum):\n    A = 1\nOption.A.extra = 1\ndef train(c, t): return Option.A.extra",
            "Option.A.extra = 5",
        ),
        (
            "class Meta(type):\n    k = 1\nclass Made(metaclass=Meta): pass\ndef train(c, t): return Made.k",
            "Meta.k = 5",
        ),
    ],
)
def test_what_hangs_on_a_member_or_a_metaclass_is_compared(run: Any, top: str, change: str) -> None:
    same, _ = run(f"import enum\n{top}", "given = train")
    assert not same.functions
    changed, here = run(f"import enum\n{top}", f"{change}; given = train")
    assert (changed.functions["train"]({}, None), here) == (5, 5)


def test_a_sweep_s_code_is_what_it_is_each_time_that_it_runs(run: Any) -> None:
    program, here = run(
        "",
        """
        sweep = Sweep(train, space=SPACE, metric="m")
        assert not sweep.program.functions
        FACTOR = 9
        assert sweep.program.functions["train"]({}, None)[1] == 9
        FACTOR = 1
        assert not sweep.program.functions
        FACTOR, given = 5, train
        """,
    )
    assert in_a_worker(program) == here


def test_what_main_makes_of_a_global_of_c_or_a_table_travels(run: Any) -> None:
    top = KINDS + "RANGE = range(1)\nACT = np.tanh\nFRAME = pd.DataFrame({'a': [1.0]})\n"
    top += "def special(config, trial): return RANGE, ACT(1.0), FRAME['a'].sum()\ngiven = special\n"
    same, _ = run(top)
    assert not same.functions
    for change in ("RANGE = range(9)", "ACT = np.exp", "FRAME = pd.DataFrame({'a': [9.0]})"):
        program, here = run(top, change)
        assert program.functions
        assert in_a_worker(program) == here


def test_a_deep_chain_and_a_ring_are_compared(run: Any) -> None:
    top = "CHAIN = []\nfor _ in range(1500): CHAIN = [CHAIN, 1]\nRING = [1]; RING.append(RING)\n"
    top += "def special(config, trial): return len(CHAIN), len(RING)\ngiven = special\n"

    assert not run(top)[0].functions
    assert run(top, "RING.append(3)")[0].functions


def test_a_script_without_a_guard_or_with_words_that_it_needs_travels_itself(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["script.py", "9"])
    program, here = run("""
        parser = argparse.ArgumentParser(); parser.add_argument("factor", type=int)
        OPTIONS = parser.parse_args()
        given = train
    """)

    assert "cannot be imported: SystemExit" in program.reason
    assert in_a_worker(program) == here


LOST = {  # set in another module, in whichever way the functions travel
    "by name": "given = train",
    "with another difference": "FACTOR = 9; given = train",
    "lambda": "given = lambda config, trial: helped()",
    "closure": "def given(config, trial): return helped()",
    "partial": "given = functools.partial(train, factor=3)",
    "method": "Model.fit = lambda self, config, trial: helper.value(); given = Model(1).fit",
    "in a container": "TABLES = {1: [helped]}; given = lambda config, trial: TABLES[1][0]()",
    "imported late": """
        def given(config, trial):
            import helper as other
            return other.value()
    """,
    "a part imported late": """
        def given(config, trial):
            from helper import value
            return value()
    """,
    "by getattr": "given = lambda config, trial: getattr(helper, 'VALUE')",
    "behind more than can be looked at": "MANY = [*map(Model, range(2000))]; given = lambda *_: (MANY, helped())",
    "where the file cannot be imported": "given = train",
    "another difference": "FACTOR = 9; given = train",
    "lambda, again": "given = lambda config, trial: train(config, trial)",
    "closure, again": "def wrap(f): return lambda config, trial: f(config, trial)\ngiven = wrap(train)",
    "partial, again": "given = functools.partial(lambda config, trial, f: f(config, trial), f=train)",
    "method, again": "class Own:\n    def fit(self, config, trial): return helped()\ngiven = Own().fit",
    "redefined": "def train(config, trial): return helped()\ngiven = train",
    "imported late, again": "def late(config, trial):\n    import helper\n    return helper.VALUE\ngiven = late",
    "in a list": "TODO = [helped]\ngiven = lambda config, trial: TODO[0]()",
}


@pytest.mark.parametrize("way", LOST)
def test_what_was_changed_in_another_module_is_refused_by_name(run: Any, way: str) -> None:
    top = "if __name__ != '__main__': raise OSError" if way == "where the file cannot be imported" else ""
    with pytest.raises(SpecError, match=r"helper\S* is not what it is .* train_args"):
        run(top, "helper.VALUE = 9\n" + textwrap.dedent(LOST[way]))


@pytest.mark.parametrize("way", LOST)
def test_what_is_the_same_in_another_module_is_not_refused(run: Any, way: str) -> None:
    top = "if __name__ != '__main__': raise OSError" if way == "where the file cannot be imported" else ""
    other = (
        ""
        if way in {"imported late", "imported late, again", "behind more than can be looked at"}
        else "helper.SEEN = {1: 2}\n"
    )
    run(top, other + textwrap.dedent(LOST[way].replace("getattr(helper, 'VALUE')", "helped()")))


@pytest.mark.parametrize("value", [1, 9])
def test_a_notebook_s_modules_are_looked_at_too(run: Any, tmp_path: Path, value: int) -> None:
    run("given = train", "import sys; sys.modules['helper'] = helper; given = train")
    import helper  # type: ignore[import-not-found]

    cell: dict[str, Any] = {"helper": helper, "__name__": "__main__"}
    exec("def train(config, trial): return helper.value()", cell)
    helper.VALUE = value
    sweep = Sweep(cell["train"], space={"x": [1, 2]}, metric="m")
    if value == 1:
        assert sweep.program.functions
    else:
        with pytest.raises(SpecError, match=r"helper.VALUE is not what it is"):
            _ = sweep.program


def test_the_modules_of_the_process_stay_what_they_are(run: Any) -> None:
    run("given = train")

    assert sys.modules["helper"].value() == 1
    assert not [name for name in sys.modules if name.startswith("_experiment_script")]


def test_a_function_that_takes_the_place_of_a_loaded_one_is_the_one_that_runs(tmp_path: Path) -> None:
    import dataclasses

    from caviar.cli.experiment_file import load

    path = tmp_path / "exp.py"
    path.write_text(
        "from caviar import Sweep\ndef train(config, trial): return 1\ndef other(config, trial): return 2\n"
        "sweep = Sweep(train, space={'x': [1, 2]}, metric='m')\n"
    )
    sweep = load(str(path))
    assert sweep.program.train == "train"
    other = vars(sys.modules[sweep.program.module])["other"]

    assert dataclasses.replace(sweep, train=other).program.train == "other"
    assert dataclasses.replace(sweep, train=lambda config, trial: 3).program.functions["train"]({}, None) == 3
