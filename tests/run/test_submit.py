"""What is submitted to a cluster: how it is told from others, what its job runs, and what is refused beforehand."""

import json
import os
import re
import shlex
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from caviar.cli.experiment_file import load
from caviar.errors import CaviarError, ClusterError, SpecError
from caviar.run import submit
from caviar.run.executors.job_server import check_job_server
from caviar.run.resume_or_start import key_of
from caviar.run.submit import check_store, project_of, reached
from caviar.spec.provenance import SUBMITTED

from .conftest import Caviar

EXPERIMENT = """
from caviar import Float, Sweep
import helper

def train(config, trial, token=""): return helper.K

sweep = Sweep(train, {"lr": Float(0, 1)}, metric="value", trials=4)
"""
ADDRESS, STORE = "http://127.0.0.1:1", "/shared/store"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    for name, text in {
        "code/exp.py": EXPERIMENT,
        "code/helper.py": "K = 1\n",
        "data/a.csv": "1\n",
        ".env": "PLANTED=sesame-1\n",
        "id_rsa": "sesame-2",
        ".gitignore": "*.log\n",
        "run.log": "",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(root)
    return root


def shown(caviar: Caviar, *words: object, file: str = "code/exp.py", code: int = 0) -> dict:
    said = caviar("submit", file, "--address", ADDRESS, "--dry-run", "--json", *words, at=STORE)
    assert said.code == code, said.err
    return json.loads(said.out)


def test_what_travels_and_what_stays_is_shown_and_nothing_is_asked(caviar: Caviar, project: Path) -> None:
    said = shown(caviar)

    assert [one["name"] for one in said["files"]] == [".gitignore", "code/exp.py", "code/helper.py", "data/a.csv"]
    assert {one["name"]: one["why"] for one in said["left_out"]} == {
        ".env": "it may hold a secret",
        "id_rsa": "it may hold a secret",
        "run.log": ".gitignore: *.log",
    }
    assert said["outcome"] == "shown"
    assert "sesame" not in json.dumps(said)
    text = caviar("submit", "code/exp.py", "--address", ADDRESS, "--dry-run", at=STORE)
    assert "code/helper.py" in text.out
    assert "id_rsa  it may hold a secret" in text.out


def test_the_job_runs_what_was_typed(caviar: Caviar, project: Path) -> None:
    said = shown(
        caviar, "--trials", 9, "--set", "space.lr.high=0.5", "--time-limit", "1h", "--tag", "a", "--tag", "b c"
    )

    words = shlex.split(said["entrypoint"])
    head = ["caviar", "run", "code/exp.py", "--address", "auto", "--store", STORE, "--project", ".", "--files", "**"]
    assert words[: len(head)] == head
    assert words[len(head) : len(head) + 3] == ["--resume-or-start", "--as", said["key"]]
    tail = ["--set", "space.lr.high=0.5", "--trials", "9", "--time-limit", "3600.0", "--tag", "a", "--tag", "b c"]
    assert words[len(head) + 3 :] == tail


def test_packages_are_asked_for_where_the_job_runs(caviar: Caviar, project: Path) -> None:
    (project / "code" / "extras.txt").write_text("einops\n")
    words = shlex.split(shown(caviar, "--requirements", "code/extras.txt")["entrypoint"])
    assert words[words.index("--requirements") + 1] == "code/extras.txt"

    for name, text, why in (
        ("code/extras.txt", "ray\n", "the cluster runs it already"),
        ("extras.log", "einops\n", r"does not travel \(.gitignore: \*.log\)"),
        ("../extras.txt", "einops\n", "does not travel"),
    ):
        (project / name).write_text(text)
        said = caviar("submit", "code/exp.py", "--address", ADDRESS, "--requirements", name, at=STORE)
        assert said.code == 2
        assert re.search(why, said.err), said.err


def test_a_file_that_is_called_like_an_option_is_none(caviar: Caviar, project: Path) -> None:
    (project / "-x.py").write_text(EXPERIMENT.replace("import helper\n", "").replace("helper.K", "1"))

    assert shlex.split(shown(caviar, file="./-x.py")["entrypoint"])[:3] == ["caviar", "run", "./-x.py"]


def test_what_it_runs_there_is_the_sweep_that_was_submitted(
    caviar: Caviar, project: Path, inline: None, tmp_path: Path
) -> None:
    said = shown(caviar, "--trials", 3)
    words = shlex.split(said["entrypoint"])[1:]
    words[words.index(STORE)] = str(tmp_path / "store")
    words[words.index("auto")] = "127.0.0.1:1"

    assert caviar(*words, at=tmp_path / "store").code == 0

    sweep = load("code/exp.py").override({"trials": 3, "files": ["**"]})
    assert key_of(sweep.plan, replace(sweep, project=project).program) == said["key"]
    (made,) = submit.Store.open(tmp_path / "store").sweeps()
    assert made.key == said["key"]


def test_the_key_is_what_it_is(caviar: Caviar, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, again, other = shown(caviar), shown(caviar), shown(caviar, "--trials", 5)
    new, newer = shown(caviar, "--new"), shown(caviar, "--new")
    (project / "data" / "a.csv").write_text("2\n")
    changed = shown(caviar)
    project.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved")
    moved = shown(caviar)

    assert first["key"] == again["key"]
    assert changed["key"] == moved["key"]
    assert len({one["key"] for one in (first, other, new, newer, changed)}) == 5


def test_a_command_can_be_submitted(caviar: Caviar, project: Path) -> None:
    words = ["--metric", "loss", "--space", "lr=0.1..1", "--", "python", "code/exp.py", "{args}"]
    said = caviar("submit", "--address", ADDRESS, "--store", STORE, "--dry-run", "--json", *words)

    entrypoint = shlex.split(json.loads(said.out)["entrypoint"])
    assert entrypoint[entrypoint.index("--") :][:4] == ["--", "python", "code/exp.py", "{args}"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--address", "ray://head:10001"], "Ray Client address.*http://head:8265"),
        (["--address", "head:6379"], "machines of the cluster itself.*http://head:8265"),
        (["--address", "auto"], "machines of the cluster itself.*http://head:8265"),
        (["--address", "http://me:sesame@head:8265"], "holds no password"),
        (["--address", "http://[::1"], "is no http://HOST:PORT.*Invalid IPv6 URL"),
        (["--address", "http://head:99999"], "is no http://HOST:PORT.*Port out of range"),
        (["--files", "x"], "No such option"),
        (["--notify", "https://hook.example/sesame"], "env:NAME"),
        (["--env", "NOT_THERE"], "none of that name: export it"),
        (["--set", "train.token=hf_abcdefghijklmnop"], "secret"),
        (["--project", "data"], "does not lie in"),
        (["--project", "/"], "far more than one project"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    caviar: Caviar, project: Path, words: list[str], sentence: str
) -> None:
    said = caviar("submit", "code/exp.py", "--address", ADDRESS, *words, at=STORE)

    assert said.code in (2, 6)
    assert re.search(sentence, said.err), said.err
    assert "sesame" not in said.err.replace("http://me:sesame@head:8265", "")
    assert len(said.err.strip().splitlines()) == 1


@pytest.mark.parametrize("store", ["./st", "st", "../x"])
def test_a_store_beside_this_shell_is_none_of_the_cluster(store: str) -> None:
    with pytest.raises(SpecError, match="share"):
        check_store(store)
    check_store("/shared/st")
    check_store("s3://bucket/st")


def test_which_folder_travels(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = project / "code" / "exp.py"
    assert project_of(file, None) == project
    assert project_of(file, "code") == project / "code"
    assert project_of(None, None) == project
    (elsewhere := tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(elsewhere)
    assert project_of(file, None) == file.parent
    monkeypatch.setenv("HOME", str(project))
    monkeypatch.chdir(project)
    with pytest.raises(SpecError, match="home"):
        project_of(file, None)


def test_what_the_experiment_imports_must_travel(
    caviar: Caviar, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "code" / "credentials.py").write_text("K = 1\n")
    (project / "code" / "exp.py").write_text(EXPERIMENT.replace("import helper", "import credentials as helper"))
    said = caviar("submit", "code/exp.py", "--address", ADDRESS, at=STORE)
    assert said.code == 2
    assert "imports credentials from code/credentials.py, which never travels (it may hold a secret)" in said.err

    library = project.parent / "library"
    library.mkdir()
    (library / "faraway.py").write_text("K = 1\n")
    (project / "code" / "exp.py").write_text(EXPERIMENT.replace("import helper", "import faraway as helper"))
    monkeypatch.syspath_prepend(str(library))
    said = caviar("submit", "code/exp.py", "--address", ADDRESS, at=STORE)
    assert said.code == 2
    assert "imports faraway from" in said.err
    assert "--project DIR" in said.err


def test_who_submits_travels_and_no_secret(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHOSEN", "value")
    monkeypatch.setenv("OTHER", "sesame-3")
    sweep = replace(load("code/exp.py"), files=("**",), project=project)
    files = submit.travelling(project, STORE)

    made = submit.ready(sweep.plan, sweep.program, files, STORE, lambda key: [key], env=["CHOSEN"], new=False)

    assert made.env.keys() == {SUBMITTED, "CHOSEN"}
    said = json.loads(made.env[SUBMITTED])
    assert said["source"] == str(project / "code" / "exp.py")
    assert {"user", "host", "git_commit"} <= said.keys()
    assert b"sesame" not in made.program.archive
    assert "sesame" not in repr(made) + json.dumps(made.env)


@pytest.fixture(params=[401, 403, 200, 404])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[int, str]]:
    """A web server that is no job server, or wants another token."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(request.param)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield request.param, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_wrong_token_a_missing_one_and_another_server_are_told_apart(
    server: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "sesame-4")
    status, address = server
    sentence = {401: "asks for a token", 403: "does not take the token in RAY_AUTH_TOKEN"}

    with pytest.raises(ClusterError, match=sentence.get(status, "no job server")) as error:
        reached(check_job_server(f"{address}/"))
    assert "sesame" not in str(error.value)


@pytest.mark.skipif(find_spec("aiohttp") is not None, reason="Ray's client for job servers is here")
def test_what_is_missing_is_said_with_what_to_type() -> None:
    with pytest.raises(CaviarError, match=r"ray\[default\]"):
        submit.JobServer(ADDRESS, "")


def test_a_large_project_is_refused_before_it_is_read(caviar: Caviar, project: Path) -> None:
    with (project / "huge.bin").open("wb") as file:
        file.truncate(200_000_000)
    os.chmod(project / "huge.bin", 0)  # who reads it fails, unless it is root

    said = caviar("submit", "code/exp.py", "--address", ADDRESS, at=STORE)

    assert said.code == 2
    assert "huge.bin (200 MB)" in said.err


@pytest.mark.parametrize("why", ["silent", "broken", "not there"])
def test_a_store_that_only_the_cluster_sees_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, why: str
) -> None:
    ways = {"silent": lambda _: threading.Event().wait(20), "broken": lambda _: 1 / 0, "not there": submit.Store.open}
    asked: list[str] = []
    monkeypatch.setattr(submit, "_STORE_S", 0.1 if why == "silent" else 5.0)
    monkeypatch.setattr(submit.Store, "open", lambda path: asked.append(path) or ways[why](path))
    place = str(tmp_path / why)

    assert submit._asked(place, lambda _: "found") is None
    assert submit._asked(place, lambda _: "found") is None
    assert len(asked) == (1 if why == "silent" else 2)
