"""The function that a worker runs is the one that was given, in whichever way; or the functions themselves travel."""

import runpy
import sqlite3
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from caviar.errors import SpecError
from caviar.program.sameness import Comparison
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
    return (factor, FACTOR, TABLE.tolist(), SETTINGS, OPTIONS.factor, Model(2).fit(0, 0), helped())

HELD = {3: 4}
A_TABLE = [i / 7 for i in range(100_001)]
def lookup(config, trial): return A_TABLE[3], HELD

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
    "attribute of the function": "train.rate = 9; given = train",
    "behind a long table": "HELD.clear(); given = lookup",
    "new global": "NEW = 9\ndef train(config, trial): return NEW\ngiven = train",
}


VALUES = {
    "range": ("range(1)", "range(9)"),
    "slice": ("slice(1)", "slice(9)"),
    "float": ("0.0", "-0.0"),
    "type of a number": ("1", "True"),
    "builtin function": ("math.sin", "math.cos"),
    "ufunc": ("np.tanh", "np.exp"),
    "bound method of a text": ("'a'.join", "'b'.join"),
    "slot of a number": ("(1).__add__", "(2).__add__"),
    "itemgetter": ("operator.itemgetter('a')", "operator.itemgetter('b')"),
    "partial of builtins": ("functools.partial(math.pow, 2)", "functools.partial(math.fmod, 2)"),
    "vectorized": ("np.vectorize(train)", "np.vectorize(helped)"),
    "Decimal": ("decimal.Decimal('0.1')", "decimal.Decimal('0.5')"),
    "Fraction": ("fractions.Fraction(1, 2)", "fractions.Fraction(1, 3)"),
    "date": ("datetime.date(2026, 1, 1)", "datetime.date(2027, 1, 1)"),
    "timedelta": ("datetime.timedelta(1)", "datetime.timedelta(2)"),
    "UUID": ("uuid.UUID(int=1)", "uuid.UUID(int=2)"),
    "pattern": ("re.compile('a')", "re.compile('b')"),
    "deque": ("collections.deque([1])", "collections.deque([2])"),
    "default factory": ("collections.defaultdict(int)", "collections.defaultdict(list)"),
    "counter": ("collections.Counter('aab')", "collections.Counter('abb')"),
    "view": ("{'a': 1}.values()", "{'a': 2}.values()"),
    "set of tuples": ("{(1, 2)}", "{(1, 3)}"),
    "set of kinds": ("{Kind.A, train}", "{Kind.B, train}"),
    "flags": ("Kind.A | Kind.B", "Kind.A"),
    "bytearray": ("bytearray(b'a')", "bytearray(b'b')"),
    "memoryview": ("memoryview(b'a')", "memoryview(b'b')"),
    "array of objects": ("np.array([1, None])", "np.array([2, None])"),
    "masked array": ("np.ma.array([1, 2], mask=[0, 1])", "np.ma.array([1, 2], mask=[1, 0])"),
    "generator of numpy": ("np.random.default_rng(1)", "np.random.default_rng(2)"),
    "random numbers": ("random.Random(1)", "random.Random(2)"),
    "DataFrame": ("pd.DataFrame({'a': [1.0]})", "pd.DataFrame({'a': [2.0]})"),
    "Series": ("pd.Series(['a'])", "pd.Series(['b'])"),
    "frozen distribution": ("stats.norm(0, 1)", "stats.norm(5, 1)"),
    "sparse matrix": ("sparse.csr_matrix([[1, 0]])", "sparse.csr_matrix([[2, 0]])"),
    "slots": ("Slotted(1)", "Slotted(2)"),
    "subclass of dict": ("Dict(1)", "Dict(2)"),
    "subclass of deque": ("Deque([1])", "Deque([2])"),
    "property": ("Shown.value", "Shown.other"),
    "holds a function of C": ("Model(math.sin)", "Model(math.cos)"),
    "attribute that is no field": ("Data(1)", "marked(Data(1))"),
    "exception": ("ValueError('a')", "ValueError('b')"),
    "file in memory": ("io.StringIO('a')", "io.StringIO('b')"),
    "generic alias": ("list[int]", "list[str]"),
    "deep": ("[[collections.deque([{1: Slotted(1)}])]]", "[[collections.deque([{1: Slotted(2)}])]]"),
}
"""What a global is after an import, and what main() makes of it."""

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


@pytest.mark.parametrize("kind", VALUES)
def test_a_global_of_any_kind_is_the_same_or_not(kind: str) -> None:
    space: dict[str, Any] = {}
    exec(HEAD.replace("import helper", "") + KINDS, space)
    given, other = VALUES[kind]

    def differences(one: str, other: str) -> list[str]:
        return list(Comparison("here", "there", {}).differences(eval(one, space), eval(other, space), "G"))

    assert differences(given, given) == []
    assert differences(given, other) != []
    assert differences(f"[{other}, Model({given})]", f"[{other}, Model({given})]") == []


def test_what_cannot_be_sent_is_believed() -> None:
    for make in (
        threading.Lock,
        lambda: ThreadPoolExecutor(1),
        lambda: iter(int, 1),
        lambda: sqlite3.connect(":memory:"),
    ):
        assert list(Comparison("here", "there", {}).differences({"x": make()}, {"x": make()}, "G")) == []


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
    top = "CHAIN = []\nfor _ in range(5000): CHAIN = [CHAIN, 1]\nRING = [1]; RING.append(RING)\n"
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


def test_what_was_changed_in_another_module_is_refused_by_name(run: Any) -> None:
    with pytest.raises(SpecError, match=r"helper\.VALUE is not what it is .* train_args"):
        run("", "helper.VALUE = 9; given = train")


LOST = {  # the functions themselves are sent, but not what they find in another module
    "another difference": "FACTOR = 9; given = train",
    "lambda": "given = lambda config, trial: train(config, trial)",
    "closure": "def wrap(f): return lambda config, trial: f(config, trial)\ngiven = wrap(train)",
    "partial": "given = functools.partial(lambda config, trial, f: f(config, trial), f=train)",
    "method": "class Own:\n    def fit(self, config, trial): return helped()\ngiven = Own().fit",
    "redefined": "def train(config, trial): return helped()\ngiven = train",
    "imported late": "def late(config, trial):\n    import helper\n    return helper.VALUE\ngiven = late",
    "in a list": "TODO = [helped]\ngiven = lambda config, trial: TODO[0]()",
}


@pytest.mark.parametrize("way", LOST)
def test_what_was_changed_in_another_module_is_refused_also_where_functions_are_sent(run: Any, way: str) -> None:
    run("", LOST[way])
    with pytest.raises(SpecError, match=r"helper\.VALUE is not what it is .* train_args"):
        run("", f"helper.VALUE = 9\n{LOST[way]}")


def test_what_is_changed_in_another_module_and_read_by_a_late_import_is_refused(run: Any) -> None:
    top = "def late(config, trial):\n    import helper\n    return helper.VALUE\ngiven = late\n"

    assert not run(top)[0].functions
    with pytest.raises(SpecError, match=r"helper\.VALUE is not what it is"):
        run(top, "helper.VALUE = 9")


def test_the_modules_of_the_process_stay_what_they_are(run: Any) -> None:
    run("given = train")

    assert sys.modules["helper"].value() == 1
    assert not [name for name in sys.modules if name.startswith("_experiment_script")]


def test_a_function_that_takes_the_place_of_a_loaded_one_is_the_one_that_runs(tmp_path: Path) -> None:
    import dataclasses

    from caviar.loading import load

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
