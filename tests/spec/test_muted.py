"""While one thread imports a file to compare it, the others print, start sweeps, and compare theirs after it."""

import importlib.util
import io
import logging
import sys
import threading
import types
from pathlib import Path
from typing import Any

import pytest

from caviar.spec.code_source import muted
from caviar.sweep import Sweep
from caviar_workers.load import importing
from caviar_workers.messages import Program

FILE = """
import os, sys
import the_gate as gate
from caviar import Sweep

print("loud")
print("loud", file=sys.stderr)
assert not gate.armed or sys.argv == [__file__]
if gate.armed:
    os.chdir("..")
    gate.began.set()
    gate.goes.wait(60)

def train(config, trial): return 1
sweep = Sweep(train, space={"x": [1, 2]}, metric="m")
"""


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Any:
    found = types.ModuleType("the_gate")
    vars(found).update(armed=False, began=threading.Event(), goes=threading.Event())
    monkeypatch.setitem(sys.modules, "the_gate", found)
    return found


def test_threads_do_not_get_into_each_other_s_way(
    gate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sweeps: list[Sweep] = []
    for name in ("one_of_two", "two_of_two"):
        (tmp_path / f"{name}.py").write_text(FILE)
        spec = importlib.util.spec_from_file_location(name, tmp_path / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        sweeps.append(module.sweep)
    capsys.readouterr()
    gate.armed = True
    programs: list[Program] = []
    threads = [threading.Thread(target=lambda one=one: programs.append(one.program)) for one in sweeps]
    streams, here = (sys.stdout, sys.stderr), Path.cwd()
    threads[0].start()
    assert gate.began.wait(60)
    threads[1].start()
    print("tick")
    sys.stderr.write("tock\n")
    assert not importing()
    gate.goes.set()
    for thread in threads:
        thread.join(60)

    assert [(one.functions, one.folder) for one in programs] == [({}, str(here))] * 2
    assert Path.cwd() == here
    assert capsys.readouterr() == ("tick\n", "tock\n")
    assert (sys.stdout, sys.stderr) == streams


def test_all_ways_to_print_are_muted_and_the_stream_is_what_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    with muted():
        assert sys.stdout is not before
        print("a", flush=True)
        sys.stdout.writelines(["b", "c"])
        sys.stdout.buffer.write(b"d")
        sys.stderr.write("e")
        assert (sys.stdout.encoding, sys.stdout.isatty()) == (before.encoding, before.isatty())
        assert sys.stdout.fileno() == before.fileno()
        handler = logging.StreamHandler(sys.stdout)
        other = threading.Thread(target=print, args=("another's",))
        other.start()
        other.join()
    handler.handle(logging.makeLogRecord({"msg": "f"}))  # which would say all that the file's own says twice
    print("end")

    assert capfd.readouterr() == ("another's\nend\n", "")


def test_a_stream_that_was_put_there_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    another = io.StringIO()
    with muted():
        sys.stdout = another
    assert sys.stdout is another
