"""What a sweep tells its user to type works when it is typed just so, in a store of any name."""

import re
import shlex

import pytest

from caviar import Result
from caviar.cli.experiment_file import load
from caviar.cli.main import main
from caviar.errors import CaviarError

pytestmark = pytest.mark.usefixtures("inline")

EXPERIMENT = """
    import time

    from caviar import Float, Sweep


    def train(config, trial, fails=0):
        time.sleep(0.05)
        if fails:
            raise ValueError("no")
        trial.report(0, loss=config["x"])


    sweep = Sweep(train, space={"x": Float(0.0, 1.0)}, metric="loss", trials=1000)
"""


@pytest.fixture
def say(capsys, monkeypatch, tmp_path):
    """Runs the program in the test's folder; gives its exit code, and the commands that it told."""
    monkeypatch.chdir(tmp_path)
    for name in ("CAVIAR_STORE", "CAVIAR_CALLED"):
        monkeypatch.delenv(name, raising=False)

    def call(*words):
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return int(end.value.code or 0), commands(out + err)

    return call


def commands(text):
    return [shlex.split(one)[1:] for one in re.findall(r"caviar (?!run\b)[a-z][^`;\n]*--store[^`;\n]*", text)]


@pytest.mark.parametrize("quiet", [(), pytest.param(("-q",), marks=pytest.mark.nightly)])
def test_the_farewell_of_run_and_of_resume_can_be_typed(say, write, quiet):
    store = ("--store", "my store", "--time-limit", "0.2", *quiet)
    code, told = say("run", write(EXPERIMENT), *store)
    assert code == 0
    resume = next(one for one in told if one[0] == "resume")
    code, told = say(*resume, "--time-limit", "0.2", *quiet)
    assert (code, [one[0] for one in told].count("resume")) == (0, 1)
    assert all(say(*one)[0] == 0 for one in told if one[0] != "resume")


def test_what_python_is_told_can_be_typed(say, write, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    sweep = load(str(write(EXPERIMENT)))
    sweep.override({"time_limit": 0.2}).run("my store")
    found = commands(capsys.readouterr().err)
    assert [one[0] for one in found] == ["resume"]
    with pytest.raises(CaviarError) as error:
        sweep.override({"trials": 2, "train.fails": 1}).run("my store")
    with pytest.raises(CaviarError) as again:
        _ = Result("my store").best
    with pytest.raises(CaviarError) as missing:
        Result("my store", "none")
    found += [commands(str(one.value))[0] for one in (error, again, missing)]
    assert [one[0] for one in found] == ["resume", "show", "status", "ls"]
    assert all(say(*one)[0] == 0 for one in found[1:])
