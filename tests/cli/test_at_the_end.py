"""`--report` of `run` and `resume`: a report at the end, however that comes, which never changes it."""

import pytest

from caviar.cli.at_the_end import at_the_end
from caviar.cli.options import Target
from caviar.display.typed_commands import told_for
from caviar.errors import NoResultError, SpecError, SweepInterrupted

from .test_verb_report import heads


@pytest.fixture(autouse=True)
def told_plainly():
    """Commands are told without a store, whatever verb another test of this process has called."""
    with told_for(None):
        yield


@pytest.fixture
def target(filled):
    return Target(store=filled.path, sweep=None, as_json=False)


def test_the_sweep_that_was_named_is_in_the_file(filled, target, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with at_the_end(target, report="", notify=None) as told:
        told(filled.digits)
    file = tmp_path / f"report-{filled.digits}.html"
    assert capsys.readouterr().err == f"report: {file}\n"
    assert [one["sweep"] for one in heads(file)] == [filled.digits]


def test_without_the_option_nothing_is_written(filled, target, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with at_the_end(target, report=None, notify=None) as told:
        told(filled.digits)
    assert (list(tmp_path.iterdir()), capsys.readouterr().err) == ([], "")


@pytest.mark.parametrize("end", [SweepInterrupted("stopped", 130, "?"), NoResultError("none")])
def test_an_end_that_is_no_good_one_has_a_report_and_stays_as_it_is(filled, target, tmp_path, end):
    file = tmp_path / "a.html"

    def ended():
        with at_the_end(target, report=str(file), notify=None) as told:
            if isinstance(end, SweepInterrupted):
                end.sweep = filled.later
            else:
                told(filled.later)
            raise end

    with pytest.raises(type(end)) as seen:
        ended()
    assert seen.value is end
    assert [one["sweep"] for one in heads(file)] == [filled.later]


def test_a_report_that_cannot_be_written_is_said_and_no_more(filled, target, tmp_path, capsys):
    with at_the_end(target, report=str(tmp_path / "nowhere" / "a.html"), notify=None) as told:
        told(filled.digits)
    said = capsys.readouterr().err
    assert said.startswith("there is no report (cannot write ")
    assert said.endswith(f"caviar report {filled.digits} writes one\n")


def test_another_file_is_refused_before_anything_begins(target, tmp_path):
    file = tmp_path / "mine.html"
    file.write_text("mine")
    began = []
    with pytest.raises(SpecError, match="is there already"), at_the_end(target, report=str(file), notify=None):
        began.append(1)
    assert began == []


def test_an_end_before_there_is_a_sweep_has_no_report(target, tmp_path):
    file = tmp_path / "a.html"
    with pytest.raises(KeyboardInterrupt), at_the_end(target, report=str(file), notify=None):
        raise SweepInterrupted("nothing was begun", 130)
    assert not file.exists()
