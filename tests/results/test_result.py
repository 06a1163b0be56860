"""What `Result` tells of a sweep, and what its answers look like."""

import re
from pathlib import Path

import numpy
import pytest

import caviar
from caviar import Result, errors
from caviar.errors import NotFoundError, SpecError
from caviar.store import Store
from caviar_workers.trial import Trial, TrialInterrupted

from ..small_stores import SPACE, add_digits


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    store = Store.open(tmp_path_factory.mktemp("result") / "store", create=True)
    add_digits(store)
    return Result(store.path)


def test_what_was_searched_and_for_what(result):
    assert (result.metric, result.mode) == ("val_loss", "min")
    assert result.space.to_json() == SPACE.to_json()
    assert (result.select(2).metric, len(result.select(2).rows), result.select(2).compared) == ("val_loss", 2, 6)


def test_an_answer_shows_itself_and_keeps_its_rows(result):
    answer = result.sql("SELECT trial, state FROM trials WHERE state = 'FAILED'")
    for shown in (repr(answer), str(answer)):
        assert "trial" in shown
        assert "FAILED" in shown
    assert answer.fetchone() == (3, "FAILED")
    repr(answer)
    assert answer.fetchall() == []
    assert [column[0] for column in answer.description] == ["trial", "state"]


@pytest.mark.parametrize(
    ("take", "count"),
    [
        ("fetchall", len),
        ("df", len),
        ("to_arrow_table", len),
        ("fetchmany", len),
    ],
)
def test_an_answer_can_be_taken_in_every_form(result, take, count):
    answer = result.sql("SELECT trial FROM trials WHERE trial = 1")
    repr(answer)
    assert count(getattr(answer, take)()) == 1
    with pytest.raises(AttributeError):
        answer.no_such_thing  # noqa: B018


def test_a_trial_completes_to_what_a_train_function_uses():
    trial = Trial(sweep="x", number=0, attempt=0, seed=1)
    words = "attempt branch changed config data devices interrupted keep load metric number path"
    words += " report save save_wanted seed skip start sweep"
    assert dir(trial) == words.split()
    assert all(hasattr(trial, name) for name in dir(trial))
    trial.leave()


def test_what_a_train_function_may_catch_is_exported():
    assert caviar.TrialInterrupted is TrialInterrupted
    assert all(hasattr(caviar, name) for name in caviar.__all__)


@pytest.mark.parametrize("trial", [8, 99, -1, 2**40])
def test_curves_of_a_trial_that_is_not_there_are_an_error_as_in_the_terminal(result, trial):
    with pytest.raises(NotFoundError, match=rf"^digits \({result.id}\) has no trial {trial}; its trials are 0 to 7$"):
        result.curves(trial)
    assert len(result.curves(7)) > 0


@pytest.mark.parametrize("k", [0, -1, 1.5, "3", None, True])
def test_the_best_of_none_is_an_error(result, k):
    with pytest.raises(SpecError, match="a whole number from 1"):
        result.select(k)
    assert result.select(numpy.int64(1)).compared == 6


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda _: Result(5), "a store is a folder or a URI, such as 'caviar-store', but got 5"),
        (lambda result: Result(result._store.path, 5), "a sweep is called by its id or its name, as text, but got 5"),
        (lambda result: result.curves("t1"), "a trial is a whole number from 0, such as 19, but got 't1'"),
        (lambda result: result.checkpoint("0"), "a trial is a whole number from 0, such as 19, but got '0'"),
        (lambda result: result.artifact("x", True), "a trial is a whole number from 0, such as 19, but got True"),
        (lambda result: result.diary(1.0), "a trial is a whole number from 0, such as 19, but got 1.0"),
        (lambda result: result.curves(1.5), "but got 1.5"),
        (lambda result: result.curves(True), "but got True"),
        (lambda result: result.sql('SELECT * FROM trials WHERE state = "COMPLETED"'), "single quotes: 'COMPLETED')"),
        (lambda result: result.sql("SELECT * FROM trials WHERE state = COMPLETED"), "single quotes: 'COMPLETED')"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(result, call, said):
    with pytest.raises(SpecError) as error:
        call(result)
    assert said in str(error.value)
    assert len(result.curves(numpy.int64(1))) > 0


def test_every_error_that_the_page_names_can_be_caught(result):
    page = (Path(__file__).parents[2] / "docs" / "python.md").read_text()
    named = [name for name in re.findall(r"`(\w+Error)`", page) if hasattr(errors, name)]
    assert "NoResultError" in named
    assert all(hasattr(caviar, name) for name in named)
    with pytest.raises(caviar.NotFoundError, match=r"did you mean 'digits'\?"):
        Result(result._store.path, "DIGITS")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("best_params", "write result.best.config"),
        ("trials_dataframe", "write result.trials()"),
        ("bset", "it has artifact, best, "),
        ("_nothing", "_nothing"),
    ],
)
def test_what_other_tools_results_have_is_told_as_ours(result, name, said):
    with pytest.raises(AttributeError, match=re.escape(said)):
        getattr(result, name)
    assert not hasattr(result, name)
