"""A Ray of our own runs two servers where that was tried, all of them elsewhere, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from caviar.run.executors import private_ray

DRIVER = """
import logging, os, signal, sys
logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s %(message)s")
from caviar.run.executors.ray_session import RaySession
if __name__ == "__main__":
    with RaySession(cpus=1):
        import ray
        assert ray.get(ray.remote(lambda: 7).remote()) == 7
        print("up", flush=True)
        sys.stdin.read()
"""
SERVERS = "dashboard.py", "monitor.py", "log_monitor.py", "DashboardAgent", "RuntimeEnvAgent"


class Started:
    """A Ray that a process of its own started, with the environment given."""

    def __init__(self, **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in {"RAY_ADDRESS", "CAVIAR_RAY"}}
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=kept | environment,
        )
        assert self.process.stdout is not None
        self.up = self.process.stdout.readline() == "up\n"
        self.family = psutil.Process(self.process.pid).children(recursive=True) if self.up else []
        self.commands = [" ".join(child.cmdline()) for child in self.family]

    def servers(self) -> set[str]:
        """Those of the servers we can do without that run."""
        return {name for name in SERVERS for command in self.commands if name in command}

    def left_when_killed(self) -> list[list[str]]:
        """Kill it; returns what of its family still runs after five seconds."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()
        _, alive = psutil.wait_procs(self.family, timeout=5)
        return [one.cmdline() for one in alive if one.status() != psutil.STATUS_ZOMBIE]

    def end(self) -> str:
        """Let it end in good order; returns what it wrote to stderr."""
        return self.process.communicate("")[1]


@pytest.mark.ray
def test_two_servers_run_and_a_killed_driver_leaves_none():
    started = Started()
    assert started.up, started.end()
    assert started.servers() == set()
    assert sum("gcs_server" in command or "/raylet " in command for command in started.commands) == 2

    assert started.left_when_killed() == []


@pytest.mark.ray
@pytest.mark.nightly
@pytest.mark.timeout(300)
def test_all_servers_run_when_the_user_says_so():
    started = Started(CAVIAR_RAY="full")
    assert started.up, started.end()
    assert started.servers() == set(SERVERS)
    assert "all its servers: CAVIAR_RAY=full" in started.end()

    started = Started(CAVIAR_RAY="full")
    assert started.up, started.end()
    assert started.left_when_killed() == []  # its agents would want to tell a server that is gone, for a minute


def likeness(version: str = "2.60.0", **missing: None) -> SimpleNamespace:
    """What this Ray looks like, but for its version and what it lacks."""
    import ray

    node, services, raylet = ray._private.node, ray._private.services, ray._raylet

    def without(module: object) -> SimpleNamespace:
        return SimpleNamespace(**{name: value for name, value in vars(module).items() if name not in missing})

    private = SimpleNamespace(node=without(node), services=without(services))
    return SimpleNamespace(__version__=version, _private=private, _raylet=without(raylet))


@pytest.mark.parametrize(
    ("version", "tried"),
    [("2.54.9", False), ("2.55.0", True), ("2.60.3", True), ("2.61.0", False), ("3.0.0.dev0", False), ("odd", False)],
)
def test_it_is_done_for_the_versions_on_which_it_was_tried(version, tried, monkeypatch):
    monkeypatch.delenv("CAVIAR_RAY", raising=False)
    assert (private_ray._why_not(likeness(version)) == "") is tried


@pytest.mark.parametrize("name", ["persist_port", "METRICS_AGENT_PORT_NAME", "start_ray_process"])
def test_a_ray_that_looks_different_starts_as_ever(name, monkeypatch, caplog):
    monkeypatch.delenv("CAVIAR_RAY", raising=False)
    other = likeness(**{name: None})
    with caplog.at_level("INFO"):
        first, then = private_ray.ways_to_start(other)
    with first(other) as options:
        assert options == {}
    assert first is then
    assert f"this Ray has no {name}" in caplog.text


def test_rays_class_of_nodes_is_given_back(monkeypatch):
    import ray

    monkeypatch.delenv("CAVIAR_RAY", raising=False)
    before = ray._private.node.Node
    with private_ray.two_servers(ray):
        assert ray._private.node.Node is not before
    assert ray._private.node.Node is before


def test_only_the_agents_of_a_raylet_are_replaced():
    command = ["raylet", "--dashboard_agent_command=python agent.py", "--head", "--runtime_env_agent_command=python x"]
    assert private_ray._idle_agents(command) == [
        "raylet",
        "--dashboard_agent_command=/bin/cat",
        "--head",
        "--runtime_env_agent_command=/bin/cat",
    ]
