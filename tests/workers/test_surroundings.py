"""What surrounds the trials of a process: the variables and the folder that their program brings."""

import os
from pathlib import Path

import pytest

from caviar_workers import surroundings
from caviar_workers.messages import Program
from caviar_workers.process import limit_threads
from caviar_workers.surroundings import NoFolderError, as_given, give_variables, where_import_leads


@pytest.fixture(autouse=True)
def a_new_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, new in (("_began", {}), ("_led", {}), ("_before", {}), ("_served", [""])):
        monkeypatch.setattr(surroundings, name, new)
    monkeypatch.setenv("P_KEPT", "mine")
    monkeypatch.delenv("P_NEW", raising=False)
    monkeypatch.chdir(tmp_path)


def program(digest: str, **fields) -> Program:
    return Program(digest=digest, train="train", **fields)


def test_variables_are_those_of_the_program_that_is_served() -> None:
    for _ in range(2):
        give_variables(program("one", env={"P_KEPT": "1", "P_NEW": "1"}))
        assert (os.environ["P_KEPT"], os.environ["P_NEW"]) == ("1", "1")
        give_variables(program("two", env={"P_KEPT": "2"}))
        assert (os.environ["P_KEPT"], os.environ.get("P_NEW")) == ("2", None)
        give_variables(program("three"))
        assert os.environ["P_KEPT"] == "mine"


def test_trials_begin_where_the_driver_is_or_else_where_this_process_began(tmp_path: Path) -> None:
    (tmp_path / "here" / "runs").mkdir(parents=True)
    here = str(tmp_path / "here")
    for given, begins in (
        ({"here": here}, here),
        ({"here": "/no/such/folder"}, str(tmp_path)),
        ({"here": here, "root": str(tmp_path)}, str(tmp_path)),
        ({"here": here, "workdir": "runs"}, here + "/runs"),
        ({"root": here, "workdir": "runs", "folder": "/"}, here + "/runs"),
        ({"module": "m", "files": {"m": (here + "/m.py", "")}, "workdir": "runs"}, here + "/runs"),
    ):
        with where_import_leads(program(str(given), **given)):
            assert os.getcwd() == begins or "folder" in given
            imported = os.getcwd()
        assert os.getcwd() == begins
        assert imported == begins


def test_where_the_import_leads_is_where_trials_begin_but_for_a_workdir(tmp_path: Path) -> None:
    for given, ends in (({"here": str(tmp_path)}, "/"), ({"workdir": str(tmp_path)}, str(tmp_path))):
        for _ in range(2):
            with where_import_leads(program(str(given), **given)):
                os.chdir("/")
            assert os.getcwd() == ends


def test_a_machine_without_the_folder_says_so() -> None:
    lost = where_import_leads(program("one", workdir="/no/such/folder"))
    with pytest.raises(NoFolderError, match=r"no folder /no/such/folder to begin in, on .+: No such file"), lost:
        pass


def test_a_process_that_does_other_things_gets_all_back(tmp_path: Path) -> None:
    with as_given(program("one", env={"P_KEPT": "1"}, workdir="/")):
        assert (os.environ["P_KEPT"], os.getcwd()) == ("1", "/")
    assert (os.environ["P_KEPT"], os.getcwd()) == ("mine", str(tmp_path))


def test_the_sweeps_own_number_of_threads_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr("caviar_workers.process._limited", {})
    monkeypatch.setattr("caviar_workers.process.threadpool_limits", lambda *, limits: given.append(limits))
    for wished, cpus in ((None, 0.5), ("4", 1), ("0", 2), ("many", 3)):
        limit_threads(cpus, wished)
    assert given == [1, 4, 2, 3]
