"""`caviar doctor`: a line for each check, what to type below it, and an exit code."""

import json

import pytest

from caviar.run import machine_checks
from caviar.run.health import Check, Health

from .conftest import Caviar


@pytest.fixture(autouse=True)
def slow_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with something to tell; what this one has is no matter here."""
    told = Check(name="ray's start", health=Health.WARNING, found="slow", advice="uninstall \x1b[2Jit")
    monkeypatch.setattr(machine_checks, "start_check", lambda: told)


def test_a_line_for_each_and_what_to_type_below(caviar: Caviar, empty: str) -> None:
    got = caviar("doctor", "--store", empty)
    assert got.code == 0, "a warning is no failure"
    lines = got.out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("ray's start    warning  slow"))
    assert lines[at + 1].strip().startswith("→ uninstall")
    assert "\x1b" not in got.out
    assert any(line.startswith("store          ok       ") for line in lines)
    assert got.err == f"no cluster was looked at: caviar doctor --store {empty} --address auto, or http://host:8265\n"


def test_a_document(caviar: Caviar, empty: str) -> None:
    document = json.loads(caviar("doctor", "--store", empty, "--json").out)
    assert list(document) == ["store", "address", "checks"]
    assert {tuple(one) for one in document["checks"]} == {("name", "health", "found", "advice")}


@pytest.mark.parametrize(
    ("address", "name", "words"),
    [
        ("ray://h:10001", "cluster", "is a Ray Client address"),
        ("127.0.0.1:1", "cluster", "nothing listens there"),
        ("http://127.0.0.1:1", "job server", "no job server answers at http://127.0.0.1:1"),
    ],
)
def test_what_is_wrong_with_an_address(caviar: Caviar, empty: str, address: str, name: str, words: str) -> None:
    got = caviar("doctor", "--store", empty, "--address", address, "--json")
    last = json.loads(got.out)["checks"][-1]
    assert (got.code, last["name"], last["health"]) == (6, name, "failed")
    assert words in last["found"]
    assert got.err.startswith(f"caviar: sweeps would not run: {name} failed")


def test_a_store_at_fault_has_its_own_exit_code(caviar: Caviar, tmp_path) -> None:
    (tmp_path / "file").write_text("x")
    got = caviar("doctor", "--store", str(tmp_path / "file"))
    assert got.code == 5
    assert "is a file, and must be a folder" in got.out
