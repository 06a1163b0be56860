"""By night: sweeps that were submitted from a laptop, while node, driver and head die; and on to another cluster."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..job_server import with_job_server
from ..network import ON_A_NETWORK
from .conftest import STORE, Hosts, end, wait_until

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.ray,
    pytest.mark.timeout(1800),
    ON_A_NETWORK,
]
HERE = Path(__file__).parents[1]
EXPERIMENT = """
import os
import time
from pathlib import Path

import helper
from caviar import Float, Sweep

ROWS = [float(one) for one in (Path(__file__).parent / "rows.csv").read_text().split()]


def train(config, trial):
    for step in range(4):
        trial.report(step, loss=config["lr"] * sum(ROWS) + step + helper.OFFSET)
        if "HURRY" not in os.environ:
            time.sleep(0.2)
    while trial.number >= TRIALS // 2 and Path("WAIT").exists():
        time.sleep(0.1)


sweep = Sweep(train, {"lr": Float(0.1, 1.0)}, metric="loss", name="NAME", trials=TRIALS, seed=5, max_attempts=1, MORE)
"""
USERS = {"alice": (48, 7.0, "concurrency=3"), "bob": (16, 11.0, "concurrency=1")}
"""A user → the trials of her sweep, what her module `helper` says, and what else the sweep is given: together no more
slots than a node has, or those that wait of one sweep would leave none to the other."""
WAIT = "wait"
"""While a file of this name is there, the second half of each sweep does not end, however busy this machine is."""
WATCH = """
import json, sys, time
import caviar
from caviar.errors import CaviarError
while True:
    try:
        rows = caviar.Store(sys.argv[1]).sql("SELECT name, sweep, completed, planned, state FROM sweeps").fetchall()
    except CaviarError as error:
        rows = []
    print(json.dumps({row[0]: row[1:] for row in rows}), flush=True)
    time.sleep(1)
"""


class Watch:
    """What the laptop sees of the store, which it alone reads."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._process = hosts.popen("laptop", "python", "-c", WATCH, STORE)

    def see(self) -> dict[str, tuple[str, int, int, str]]:
        """Name → the sweep's id, its completed trials, all of them, and its state; the newest sight."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate()
        return json.loads(line)

    def until(self, name: str, trials: int, state: str = "running") -> None:
        """Wait until that many trials of a sweep are completed."""
        deadline = time.monotonic() + 300
        while True:
            seen = self.see().get(name)
            if seen and seen[1] >= trials and seen[3] == state:
                return
            assert time.monotonic() < deadline, (seen, self._lost(name))

    def _lost(self, name: str) -> str:
        query = "SELECT * FROM attempts WHERE state IN ('LOST', 'FAILED')"
        return self._hosts.run("laptop", "caviar", "query", query, "--sweep", name, "--store", STORE, "--json").stdout

    def close(self) -> None:
        end(self._process)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    folder = tmp_path_factory.mktemp("hosts")
    with Hosts(with_job_server(folder / "env"), folder) as hosts:
        hosts.bucket()
        yield hosts


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    (tmp_path / WAIT).touch()
    for name, (trials, offset, more) in USERS.items():
        (folder := tmp_path / name).mkdir()
        filled = {"NAME": name, "TRIALS": str(trials), "WAIT": str(tmp_path / WAIT), "MORE": more}
        text = EXPERIMENT
        for word, value in filled.items():
            text = text.replace(word, value)
        (folder / "exp.py").write_text(text)
        (folder / "helper.py").write_text(f"OFFSET = {offset}\n")
        (folder / "rows.csv").write_text(f"1\n2\n{offset}\n")
    return tmp_path


def submit(hosts: Hosts, projects: Path, name: str, head: str) -> dict[str, str]:
    words = ["caviar", "submit", "exp.py", "--address", f"http://{head}:8265", "--store", STORE, "--json"]
    done = hosts.run("laptop", "sh", "-c", f'cd {projects / name} && exec "$@"', "there", *words)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def uninterrupted(folder: Path, name: str) -> dict[str, list[dict[str, object]]]:
    """What the same sweep leaves that runs in one process, to its end."""
    store = folder / "whole"
    inline = f"import sys; sys.path.insert(0, {str(HERE / 'run')!r}); from inline_driver import inline; inline()"
    main = "from caviar.cli.main import main; main()"
    command = [sys.executable, "-c", f"{inline}; {main}", "run", "exp.py", "-q", "--store", str(store)]
    subprocess.run(command, check=True, cwd=folder / name, env=os.environ | {"HURRY": "1"}, capture_output=True)
    return {query: asked([*command[:3]], query, name, str(store)) for query in QUERIES}


QUERIES = (
    "SELECT trial, step, loss FROM curves ORDER BY trial, step",
    "SELECT trial, seed, lr, state FROM trials ORDER BY trial",
)


def asked(program: list[str], query: str, name: str, store: str) -> list[dict[str, object]]:
    words = [*program, "query", query, "--sweep", name, "--store", store, "--json"]
    found: list[dict[str, object]] = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    return found


def drivers(hosts: Hosts, name: str) -> list[dict[str, Any]]:
    """What the processes that ran a sweep said, as the store has it."""
    said = hosts.run("laptop", "caviar", "logs", name, "--driver", "--store", STORE, "--json").stdout
    found: list[dict[str, Any]] = json.loads(said)["drivers"]
    return found


def test_two_sweeps_outlive_a_node_their_driver_and_their_cluster(hosts: Hosts, projects: Path) -> None:
    hosts.cluster("head", "one", "two", cpus=4)
    first = {name: submit(hosts, projects, name, "head") for name in USERS}
    assert {one["outcome"] for one in first.values()} == {"submitted"}
    watch = Watch(hosts)

    watch.until("alice", 4)
    hosts.machines["one"].cut_power()
    watch.until("alice", 8)
    watch.until("bob", 2)

    (driver,) = hosts.drivers("head", first["alice"]["key"])
    driver.kill()
    again: list[dict[str, str]] = []
    wait_until(lambda: again.append(submit(hosts, projects, "alice", "head")) or again[-1]["outcome"] != "attached")
    assert again[-1]["outcome"] == "submitted"
    assert again[-1]["key"] == first["alice"]["key"]
    wait_until(lambda: len(drivers(hosts, "alice")) > 1)  # on a busy machine the first one was through with fourteen
    watch.until("alice", 14)

    for host in ("head", "two"):
        hosts.machines[host].cut_power()
    (projects / WAIT).unlink()
    hosts.cluster("new-head", "new-one", "new-two", cpus=4)
    moved = [submit(hosts, projects, name, "new-head") for name in USERS]
    assert {one["outcome"] for one in moved} == {"submitted"}
    for name, (trials, *_) in USERS.items():
        watch.until(name, trials, "finished")
    seen = watch.see()
    watch.close()

    assert len(seen) == len(USERS), "each was submitted again and again, and is one sweep"
    for name in USERS:
        for query, rows in uninterrupted(projects, name).items():
            words = ["caviar", "query", query, "--sweep", name, "--store", STORE, "--json"]
            done = hosts.run("laptop", *words)
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout) == rows
        told = drivers(hosts, name)
        assert [one["driver"] for one in told] == ([1, 2, 3] if name == "alice" else [1, 2])
        assert "on head" in told[0]["lines"][0]
        assert "on new-head" in told[-1]["lines"][0]
