"""By night: a cluster that has no node for trials grows as sweeps want it, by Ray's provider of pretended machines."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..network import ON_A_NETWORK
from .conftest import Hosts, end, wait_until

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.ray,
    pytest.mark.timeout(600),
    ON_A_NETWORK,
]
MOST_NODES = 3
EMPTY = ("initialization_commands", "setup_commands", "head_setup_commands", "worker_setup_commands")
EMPTY += ("head_start_ray_commands", "worker_start_ray_commands", "cluster_synced_files", "rsync_exclude")
CONFIG = {
    "cluster_name": "pretended",
    "max_workers": 8,
    "provider": {
        "type": "fake_multinode",
        "use_node_id_as_ip": True,
        "disable_node_updaters": True,
        "disable_launch_config_check": True,
    },
    "available_node_types": {
        "head": {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
        "worker": {
            "resources": {"CPU": 2, "object_store_memory": 10**8},
            "node_config": {},
            "min_workers": 0,
            "max_workers": MOST_NODES,
        },
    },
    "head_node_type": "head",
    "auth": {},
    "docker": {},
    "upscaling_speed": 100,
    "idle_timeout_minutes": 0.25,
    "file_mounts": {},
    "file_mounts_sync_continuously": False,
    "rsync_filter": [],
    **{name: [] for name in EMPTY},
}
EXPERIMENT = """
import time

from caviar import Float, Sweep


def train(config, trial, seconds=1.0):
    for step in range(4):
        trial.report(step, loss=config["lr"] * (step + 1))
        time.sleep(seconds / 4)


sweep = Sweep(train, {"lr": Float(0.1, 1.0)}, metric="loss", trials=60)
"""
Start = Callable[..., subprocess.Popen[str]]
STATUS = """
import ray
ray.init("auto", log_to_driver=False, logging_level="error")
import json
from ray.experimental.internal_kv import _internal_kv_get
asked = _internal_kv_get("__autoscaling_status") or b"{}"
print(json.dumps([sum(one["Resources"].get("CPU", 0) for one in ray.nodes() if one["Alive"]),
    sum(count for _, count in json.loads(asked).get("load_metrics_report", {}).get("request_demand") or [])]))
"""


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    folder = tmp_path_factory.mktemp("hosts")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    with Hosts(Path(sys.executable).parent, folder, RAY_FAKE_CLUSTER="1", AUTOSCALER_UPDATE_INTERVAL_S="1") as hosts:
        words = ["--head", "--num-cpus=0", f"--node-ip-address={hosts.network.hosts['head']}", "--temp-dir=/mnt/ray"]
        words += [f"--autoscaling-config={folder / 'config.json'}", "--object-store-memory=100000000", "--block"]
        hosts.start("head", "ray", "start", *words)
        wait_until(lambda: cpus(hosts) is not None)
        yield hosts


@pytest.fixture
def start(hosts: Hosts, tmp_path: Path) -> Iterator[Start]:
    """Starts drivers on the head."""
    (tmp_path / "exp.py").write_text(EXPERIMENT)
    started: list[subprocess.Popen[str]] = []

    def run(*words: str) -> subprocess.Popen[str]:
        command = ["caviar", "run", tmp_path / "exp.py", "--address", "auto", "--store", tmp_path / "store", *words]
        started.append(hosts.popen("head", *command))
        return started[-1]

    yield run
    for process in started:
        end(process)


def seen(hosts: Hosts) -> list[float] | None:
    """CPUs for trials, and bundles that are asked for."""
    said = hosts.run("head", "python", "-c", STATUS)
    found: list[float] | None = json.loads(said.stdout) if said.returncode == 0 else None
    return found


def cpus(hosts: Hosts) -> float | None:
    now = seen(hosts)
    return None if now is None else now[0]


def asked(hosts: Hosts) -> float:
    now = seen(hosts)
    assert now is not None
    return now[1]


def ended(process: subprocess.Popen[str]) -> None:
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, (out, err)


def test_from_no_node_to_all_in_one_round_and_back(hosts: Hosts, start: Start) -> None:
    assert cpus(hosts) == 0
    driver = start("--trials", "120", "--set", "train.seconds=2")
    wait_until(lambda: asked(hosts) > 2 * MOST_NODES)
    wait_until(lambda: cpus(hosts) == 2 * MOST_NODES)
    ended(driver)
    wait_until(lambda: asked(hosts) == 0)
    wait_until(lambda: cpus(hosts) == 0)


def test_two_sweeps_add_up_and_a_driver_that_was_killed_is_forgotten(hosts: Hosts, start: Start) -> None:
    slow = ("--set", "train.seconds=20", "--concurrency", "2")
    one, two = start(*slow), start(*slow, "--seed", "1")
    wait_until(lambda: asked(hosts) == 4)
    wait_until(lambda: cpus(hosts) == 4)
    for pid in hosts.network.pids("head"):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") if Path(f"/proc/{pid}").exists() else []
        if b"--seed" in words and b"run" in words:
            os.kill(pid, 9)
    wait_until(lambda: asked(hosts) == 2)
    assert two.wait(timeout=20) != 0
    end(one)
    wait_until(lambda: asked(hosts) == 0)


def test_a_sweep_that_runs_is_scaled(hosts: Hosts, start: Start, tmp_path: Path) -> None:
    driver = start("--concurrency", "1", "--trials", "40")
    scale = ["caviar", "scale", "--store", tmp_path / "store", "--max-slots"]
    wait_until(lambda: hosts.run("head", *scale, "6").returncode == 0)
    wait_until(lambda: cpus(hosts) == 2 * MOST_NODES)
    began = time.monotonic()
    ended(driver)
    assert time.monotonic() - began < 60
