"""Where a sweep comes from: what is kept of it, and what must not be."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from caviar.errors import SpecError
from caviar.spec.provenance import SUBMITTED, provenance
from caviar.spec.secrets import redact, refuse_secrets


def git(folder: Path, *words: str) -> str:
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *settings, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An experiment in a repository of its own, committed."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "repository"
    folder.mkdir()
    path = folder / "experiment.py"
    path.write_text("one\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "One")
    return path


def test_the_commit_of_the_experiment_s_repository(source: Path) -> None:
    found = provenance(source)

    assert found["git_commit"] == git(source.parent, "rev-parse", "HEAD")
    assert found["git_dirty"] is False
    assert found["source"] == str(source)


def test_changed_files_make_it_dirty_and_new_ones_do_not(source: Path) -> None:
    source.with_name("notes.txt").write_text("new\n")
    assert provenance(source)["git_dirty"] is False

    source.write_text("two\n")
    assert provenance(source)["git_dirty"] is True


def test_no_repository_no_source_no_git(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def commit(path: Path | None) -> tuple[Any, Any]:
        found = provenance(path)
        return found["git_commit"], found["git_dirty"]

    assert commit(tmp_path / "x.py") == (None, None)
    assert commit(None) == (None, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit(source) == (None, None)


def test_it_is_json_and_holds_nothing_of_the_environment(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "hidden-in-the-environment")

    text = json.dumps(provenance(source, ["caviar", "run", "--set", "train.api_key=hidden-in-the-command"]))

    assert "hidden" not in text
    assert {"numpy", "ray", "caviar-sweep"} <= set(json.loads(text)["versions"])


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["run", "x.py", "--trials", "8"], ["run", "x.py", "--trials", "8"]),
        (["--set", "train.api_key=abc=d"], ["--set", "train.api_key=***"]),
        (["--password", "abc", "x"], ["--password", "***", "x"]),
        (["--auth-token=abc"], ["--auth-token=***"]),
        (["--set", "train.tokens=7", "--keyword", "x"], ["--set", "train.tokens=7", "--keyword", "x"]),
        (["DB_PASSWD=abc"], ["DB_PASSWD=***"]),
    ],
)
def test_key_like_values_are_blotted_out(command: list[str], shown: list[str]) -> None:
    assert redact(command) == shown


@pytest.mark.parametrize(
    "name", ["password", "db_password", "API_KEY", "apikey", "aws_secret", "access_token", "hf_token", "credentials"]
)
def test_secret_arguments_are_refused(name: str) -> None:
    with pytest.raises(SpecError, match=f"no secrets, but train.{name} looks like one"):
        refuse_secrets({name: "x"})


@pytest.mark.parametrize("name", ["tokens", "token_count", "keys", "secretary", "keyword", "max_tokens", "token"])
def test_other_arguments_are_not(name: str) -> None:
    refuse_secrets({name: 1})


SENT = {"user": "ada", "host": "laptop", "git_commit": "c0ffee", "git_dirty": True, "source": "/srv/exp.py"}


def test_a_job_is_told_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SUBMITTED, json.dumps(SENT | {"more": 1, "host": 3}))

    found = provenance(tmp_path / "exp.py")

    assert found["submitted"] == {name: value for name, value in SENT.items() if name != "host"}
    assert (found["git_commit"], found["git_dirty"], found["source"]) == ("c0ffee", True, "/srv/exp.py")


@pytest.mark.parametrize("said", ["", "{", "[]", "3", '"x"', "{}", '{"user": 3}', json.dumps({"user": "x" * 5000})])
def test_what_a_job_is_told_otherwise_is_nothing(said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SUBMITTED, said)

    found = provenance(tmp_path / "exp.py")

    assert "submitted" not in found
    assert found["source"] == str(tmp_path / "exp.py")
