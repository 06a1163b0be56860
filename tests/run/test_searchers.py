"""A searcher that cannot be made is refused before anything starts; one that raises ends its sweep in good order."""

import json
import sys

import pytest

from caviar.errors import NoResultError, SpecError
from caviar.run.foreign_errors import named_errors, with_named_errors
from caviar.search.searchers import Searcher
from caviar.search.searchers.local import Local
from caviar.search.stopping import StopPolicy
from caviar.search.stopping.asha import ASHA
from caviar.store import Store

pytestmark = pytest.mark.usefixtures("inline")

EXPERIMENT = """
    import time

    from caviar import Float, Sweep


    def train(config, trial):
        time.sleep(0.05)
        trial.report(0, loss=config["x"])


    sweep = Sweep(train, {"x": Float(0.0, 1.0)}, "loss", trials=1000)
"""


@pytest.mark.parametrize(("sampler", "package"), [("gp", "torch"), ("cmaes", "cmaes")])
def test_without_its_package_no_sweep_is_made_and_none_resumed(caviar, write, store, monkeypatch, sampler, package):
    pytest.importorskip("optuna", reason="the extra `optuna` is not installed")
    words = ("run", write(EXPERIMENT), "-q", "--searcher", f"optuna:{sampler}")
    if sampler == "cmaes":
        pytest.importorskip("cmaes", reason="the extra `optuna` is not installed")
        assert caviar(*words, "--time-limit", "0.2").code == 0
    monkeypatch.setitem(sys.modules, package, None)
    calls = [words, (*words, "--dry-run")] + ([("resume", "-q")] if sampler == "cmaes" else [])
    for call in calls:
        got = caviar(*call)
        assert got.code == 2, got
        assert f"the searcher optuna:{sampler} needs {package} (" in got.err
        assert got.err.count("\n") == 1
    assert len(Store.open(store).sweeps() if store.exists() else []) == (sampler == "cmaes")


SMALL = """
    from caviar import Float, Sweep


    def train(config, trial):
        for step in range(4):
            trial.report(step, loss=config["x"] + 1 / (step + 1))


    sweep = Sweep(train, {"x": Float(0.0, 1.0)}, "loss", trials=12)
"""


class Faulty:
    """Somebody's code, one of whose methods raises, from its fourth call on."""

    def __init__(self, sound, method):
        self._sound, self._method, self._good = sound, method, 3

    def __getattr__(self, name):
        return self._break if name == self._method else getattr(self._sound, name)

    def _break(self, *args, **given):
        self._good -= 1
        if self._good < 0:
            raise KeyError("it is broken")
        return getattr(self._sound, self._method)(*args, **given)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("who", "words", "method"),
    [
        *(("the searcher local", ("--searcher", "local"), method) for method in ("ask", "tell", "end")),
        *(("the stop policy asha:eta=2", ("--stopping", "asha:eta=2"), method) for method in ("note", "end")),
    ],
)
def test_one_that_raises_ends_the_sweep_in_a_sentence_and_loses_nothing(caviar, write, monkeypatch, who, words, method):
    def rows(query):
        return json.loads(caviar("query", query, "--json").out)

    made, judged = Local, ASHA.policy
    with monkeypatch.context() as faulty:
        if "searcher" in who:
            faulty.setattr("caviar.search.searchers.local.Local", lambda **given: Faulty(made(**given), method))
        else:
            faulty.setattr(ASHA, "policy", lambda self, **given: Faulty(judged(self, **given), method))
        for got in (caviar("run", write(SMALL), "-q", *words), caviar("resume", "-q")):
            assert got.code == 2, got
            assert f"caviar: {who} raised KeyError: 'it is broken' ({__file__}, line " in got.err
            assert (got.err.count("\n"), got.out) == (1, "")
        assert json.loads(caviar("status", "--json").out)["state"] == "interrupted"
        reported = rows("SELECT trial, attempt, step, loss FROM curves ORDER BY ALL")
        assert reported

    assert caviar("resume", "-q").code == 0  # it was put right
    assert [one["state"] for one in rows("SELECT state FROM trials")] == ["COMPLETED"] * 12
    assert {tuple(row.values()) for row in reported} <= {
        tuple(row.values()) for row in rows("SELECT trial, attempt, step, loss FROM curves")
    }


@pytest.mark.parametrize(
    "method", [name for kind in (Searcher, StopPolicy) for name, one in vars(kind).items() if name[0] != "_" and one]
)
def test_whatever_they_are_asked_their_errors_name_them(method):
    class Sound:
        def __getattr__(self, name):
            return lambda *args, **given: (name, args, given)

    assert getattr(with_named_errors("it", Sound()), method)(1, key=2) == (method, (1,), {"key": 2})
    broken = with_named_errors("it", Faulty(Sound(), method))
    for _ in range(3):
        getattr(broken, method)()
    with pytest.raises(SpecError, match="it raised KeyError: 'it is broken' "):
        getattr(broken, method)()


def test_a_sentence_of_ours_stays_as_it_is():
    with pytest.raises(NoResultError, match="nothing"), named_errors("it"):
        raise NoResultError("nothing")
