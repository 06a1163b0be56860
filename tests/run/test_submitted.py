"""By night: sweeps submitted to a real Ray with a job server and a token, which is killed, and stays away."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from caviar import Result
from caviar.store import Store

from ..job_server import with_job_server
from ..wheels import wheel
from .conftest import curves, table

pytestmark = [pytest.mark.nightly, pytest.mark.ray, pytest.mark.timeout(900)]

TOKEN = "0123456789abcdef" * 4
PLANTED = "sesame-7c1e5b"
EXPERIMENT = """
from pathlib import Path

import helper
from caviar import Float, Sweep

ROWS = [float(one) for one in (Path(__file__).parent / "data" / "rows.csv").read_text().split()]


def train(config, trial):
    import time

    for step in range(3):
        trial.report(step, loss=config["lr"] * sum(ROWS) + step + helper.OFFSET)
        while trial.number >= 4 and Path("SLOW").exists():
            time.sleep(0.05)


sweep = Sweep(train, {"lr": Float(0.1, 1.0)}, metric="loss", trials=8, seed=5)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_job_server(tmp_path_factory.mktemp("cluster") / "env")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Head:
    """A Ray of one node with a job server."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": TOKEN,
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # what binds Ray's servers to 127.0.0.1
        }
        ports = ["--port", str(free_port()), "--ray-client-server-port", str(free_port())]
        words = ["--node-ip-address", "127.0.0.1", "--temp-dir", str(folder), "--num-cpus", "2", *ports]
        words += ["--dashboard-host", "127.0.0.1", "--dashboard-port", str(self.port), "--disable-usage-stats"]
        words += ["--min-worker-port", "0", "--max-worker-port", "0"]
        self.process = subprocess.Popen(
            [programs / "ray", "start", "--head", "--block", *words],
            env=self.variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 120
        while not self._answers():
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.5)

    def _answers(self) -> bool:
        try:
            return b"ray_version" in self.ask("/api/version")
        except OSError:
            return False

    def ask(self, path: str) -> bytes:
        request = urllib.request.Request(f"{self.address}{path}", headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return bytes(reply.read())

    def drivers(self) -> list[psutil.Process]:
        """The processes of `caviar run` that it started."""
        found = []
        for one in psutil.Process(self.process.pid).children(recursive=True):
            try:
                words = one.cmdline()
            except psutil.Error:
                continue
            if "run" in words and any(word.endswith("/caviar") for word in words):
                found.append(one)
        return found

    def kill(self) -> None:
        """All of it, at once, as by a power cut."""
        every = [*psutil.Process(self.process.pid).children(recursive=True), psutil.Process(self.process.pid)]
        for one in every:
            try:
                one.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(every, timeout=20)
        self.process.wait(timeout=20)


@pytest.fixture
def start(environment: Path) -> Iterator[Callable[[], Head]]:
    heads: list[Head] = []
    folders: list[Path] = []

    def call() -> Head:
        folders.append(Path(f"/tmp/caviar-head-{os.getpid()}-{len(folders)}"))  # sockets have short paths
        heads.append(Head(environment, folders[-1]))
        return heads[-1]

    yield call
    for head in heads:
        if head.process.poll() is None:
            head.kill()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    (root / "exp.py").write_text(EXPERIMENT.replace("SLOW", str(tmp_path / "slow")))
    (root / "helper.py").write_text("OFFSET = 7.0\n")
    (root / "data" / "rows.csv").write_text("1\n2\n3\n")
    (root / ".env").write_text(f"KEY={PLANTED}\n")
    return root


def submit(head: Head, project: Path, store: Path, *words: str) -> subprocess.Popen[str]:
    command = ["caviar", "submit", "exp.py", "--address", head.address, "--store", str(store), "--json", *words]
    return subprocess.Popen(
        command, cwd=project, env=head.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def said(process: subprocess.Popen[str]) -> dict[str, str]:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    found: dict[str, str] = json.loads(out)
    return found


def completed(store: Path) -> int:
    if not list(store.glob("sweep=*")):
        return 0
    return int(Result(store).sql("SELECT count(*) FROM trials WHERE state = 'COMPLETED'").fetchall()[0][0])


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def submitted_once_more(head: Head, project: Path, store: Path) -> dict[str, str]:
    """Submit until Ray has seen that the driver is dead."""
    found: list[dict[str, str]] = []
    until(lambda: found.append(said(submit(head, project, store))) or found[-1]["outcome"] != "attached")
    return found[-1]


def run(programs: Path, head: Head, folder: Path, *words: object) -> None:
    """Run the program in a folder."""
    done = subprocess.run(
        [programs / "caviar", *map(str, words)],
        cwd=folder,
        env=head.variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_submitted_again_and_again_killed_and_moved_it_is_one_sweep(
    start: Callable[[], Head], project: Path, tmp_path: Path, environment: Path
) -> None:
    store, whole, slow = tmp_path / "store", tmp_path / "whole", tmp_path / "slow"
    shutil.copytree(project, copy := tmp_path / "copy")
    slow.touch()
    head = start()
    two = [said(one) for one in [submit(head, project, store) for _ in range(2)]]
    assert sorted(one["outcome"] for one in two) == ["attached", "submitted"]
    assert two[0]["job"] == two[1]["job"]
    until(lambda: completed(store) >= 4)

    for driver in head.drivers():
        driver.kill()
    again = submitted_once_more(head, project, store)
    assert again["outcome"] == "submitted"
    assert again["job"] != two[0]["job"]
    until(lambda: len(list(next(store.glob("sweep=*")).glob("_owner/*"))) >= 2)
    told = head.ask("/api/jobs/") + head.ask(f"/api/jobs/{again['job']}/logs")
    head.kill()  # and all that it had
    slow.unlink()
    shutil.rmtree(project)
    shutil.rmtree(Path(f"/tmp/caviar-code-{os.getuid()}"), ignore_errors=True)
    (elsewhere := tmp_path / "elsewhere").mkdir()
    run(environment, head, elsewhere, "resume", "--wait", "--store", store)

    run(environment, head, copy, "run", "exp.py", "-q", "--store", whole)
    assert curves(Result(store)) == curves(Result(whole))
    assert table(Result(store)) == table(Result(whole))
    (sweep,) = Store.open(store).sweeps()
    assert sweep.key == two[0]["key"]
    assert sweep.description()["provenance"]["submitted"]["source"] == str(project / "exp.py")
    kept = b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())
    assert not [secret for secret in (PLANTED, TOKEN) if secret.encode() in told + kept]


def test_it_is_followed_to_its_end_and_then_is_finished(
    start: Callable[[], Head], project: Path, tmp_path: Path
) -> None:
    head, store = start(), tmp_path / "store"

    followed = submit(head, project, store, "--wait")
    out, err = followed.communicate(timeout=240)

    assert followed.returncode == 0, err
    assert json.loads(out)["outcome"] == "submitted"
    assert "8/8 done" in err
    assert said(submit(head, project, store))["outcome"] == "finished"
    assert said(submit(head, project, store, "--new"))["outcome"] == "submitted"
    assert said(submit(head, project, store, "--trials", "3"))["outcome"] == "submitted"

    head.variables["RAY_AUTH_TOKEN"] = "f" * 64
    began = time.monotonic()
    out, err = submit(head, project, store, "--new").communicate(timeout=120)
    assert "does not take the token" in err
    assert len(err.strip().splitlines()) == 1
    del head.variables["RAY_AUTH_TOKEN"]
    head.variables["HOME"] = str(tmp_path)
    out, err = submit(head, project, store, "--new").communicate(timeout=120)
    assert "asks for a token" in err
    print(f"two refusals in {time.monotonic() - began:.1f} s")


def test_packages_are_tried_on_the_head_and_travel(
    start: Callable[[], Head], project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (index := tmp_path / "index").mkdir()
    wheel(index, "extra_cub", "1.0", {"extra_cub/__init__.py": "GRAMS = 30.0\n"})
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (project / "beside").mkdir()
    (project / "beside" / "__init__.py").write_text("import extra_cub\nGRAMS = extra_cub.GRAMS\n")
    text = (project / "exp.py").read_text()
    (project / "exp.py").write_text(
        text.replace("    import time\n", "    import time\n    from beside import GRAMS\n")
    )
    (project / "extras.txt").write_text("extra-cub\nnumpy\n")
    head, store = start(), tmp_path / "store"

    out, err = submit(head, project, store, "--requirements", "extras.txt").communicate(timeout=240)

    assert out, err
    assert json.loads(out)["outcome"] == "submitted"
    told = next(line for line in err.splitlines() if line.startswith("extra packages"))
    assert "extras.txt: extra-cub 1.0, 0.0 MB to travel, tried on" in told
    print(told)
    until(lambda: completed(store) == 8)
    assert said(submit(head, project, store, "--requirements", "extras.txt"))["outcome"] == "finished"

    (project / "extras.txt").write_text("extra-cab\n")
    refused = submit(head, project, store, "--requirements", "extras.txt", "--seed", "6")
    out, err = refused.communicate(timeout=240)
    assert refused.returncode != 0
    assert "the index knows no extra-cab for Python" in err.splitlines()[-1]
    assert "Traceback" not in err
