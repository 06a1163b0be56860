"""A Ray cluster of several nodes on this machine, in a process of its own; as a script, that process.

Its orders come on stdin, one a line, and each is answered with a line: `add CPUS` (the new node's number, and Ray's
name of it), `kill N` (the raylet of node N, with SIGKILL), `head` (the same to the head's raylet). When
stdin ends, all of it is taken down. Everything listens on 127.0.0.1 only.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

TOKEN = {"RAY_AUTH_MODE": "token"}
"""What a driver needs in its environment to be let in."""
SETTINGS = TOKEN | {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # what binds Ray's servers to 127.0.0.1; see ray_session.py
    "RAY_health_check_period_ms": "500",  # a dead node is to be noticed within seconds
    "RAY_health_check_initial_delay_ms": "500",
    "RAY_health_check_failure_threshold": "4",
}

_HIDE = 'mount --make-rprivate / && mount -t tmpfs tmpfs "$0" && exec "$@"'


class Raylets:
    """The cluster, for the length of a `with` block: a head without CPUs, and nodes of one CPU each.

    Args:
        nodes: How many to begin with.
        hidden: A folder that none of them sees; None: all see what we do. Root may do that.
    """

    def __init__(self, nodes: int, hidden: Path | None = None) -> None:
        self._first = nodes
        self._around = [] if hidden is None else ["unshare", "--mount", "sh", "-c", _HIDE, str(hidden)]
        self.address = ""
        self.nodes: list[int] = []
        """Numbers of the nodes that live."""
        self._numbers: dict[str, int] = {}
        """Ray's name of a node → its number."""

    def __enter__(self) -> Raylets:
        self._process = subprocess.Popen(
            [*self._around, sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # Ray tells at length of every raylet that dies
            text=True,
            env=os.environ | SETTINGS,
            start_new_session=True,
        )
        self.address = self._answer()
        for _ in range(self._first):
            self.add()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        root = psutil.Process(self._process.pid)
        processes = root.children(recursive=True)
        self._process.communicate(timeout=30)
        for process in psutil.wait_procs(processes, timeout=0)[1]:
            process.kill()

    def add(self, cpus: int = 1) -> int:
        """Let a node join; returns its number."""
        number, name = self._order(f"add {cpus}").split()
        self.nodes.append(int(number))
        self._numbers[name] = int(number)
        return int(number)

    def kill(self, node: int) -> None:
        """Kill the raylet of a node; its workers die of it."""
        self._order(f"kill {node}")
        self.nodes.remove(node)

    def kill_named(self, node: str) -> None:
        """Kill the node that Ray calls so."""
        self.kill(self._numbers[node])

    def kill_head(self) -> None:
        """Kill the head's raylet: with it, Ray ends every driver that is connected there."""
        self._order("head")

    def workers(self) -> list[psutil.Process]:
        """The processes that run leases just now."""
        found = []
        for process in psutil.Process(self._process.pid).children(recursive=True):
            try:
                if re.match(r"ray::\S+/\d+$", process.cmdline()[0]):  # named after a sweep and its first trial
                    found.append(process)
            except (psutil.Error, IndexError):
                continue
        return found

    def _order(self, words: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{words}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the cluster ended"
        return line


@contextmanager
def forked_workers() -> Iterator[None]:
    """Let the node that starts in this block fork its workers, those of its first driver, from a process of its own."""
    import ray

    from caviar.run.executors import forked_workers
    from caviar.run.executors.private_ray import two_servers

    forked_workers.begin(("", ""))
    with forked_workers.asked_for_workers(ray, two_servers):
        yield
    servers.append(forked_workers._servers.pop())


servers: list[Any] = []


def serve() -> None:
    """Be the process: start a head, then do what stdin says."""
    import ray
    from ray._private.node import Node
    from ray._private.parameter import RayParams

    answers, sys.stdout = sys.stdout, sys.stderr  # Ray prints as it pleases
    ray.init(address="local", num_cpus=0, num_gpus=0, include_dashboard=False, log_to_driver=False, logging_level=50)
    head: Any = ray._private.worker._global_node
    nodes: list[Any] = []
    print(head.gcs_address, file=answers, flush=True)
    for line in sys.stdin:
        order, *words = line.split()
        if order == "add":
            params = RayParams(
                gcs_address=head.gcs_address,
                num_cpus=int(words[0]),
                num_gpus=0,
                object_store_memory=100 * 2**20,
                min_worker_port=0,
                max_worker_port=0,
                node_manager_port=0,
                include_log_monitor=False,
            )
            params.dashboard_agent_listen_port = None
            with forked_workers() if os.environ.get("CAVIAR_FORK") == "1" else nullcontext():
                nodes.append(Node(params, head=False, shutdown_at_exit=True, spawn_reaper=True))
            print(len(nodes) - 1, nodes[-1].node_id, file=answers, flush=True)
        else:
            node = head if order == "head" else nodes[int(words[0])]
            raylet = node.all_processes["raylet"][0].process
            os.kill(raylet.pid, signal.SIGKILL)
            raylet.wait()  # a worker takes a zombie for a raylet that lives
            print("killed", file=answers, flush=True)
    for node in nodes:
        node.kill_all_processes(check_alive=False, allow_graceful=False, wait=True)
    ray.shutdown()
    for server in servers:
        server.end()


if __name__ == "__main__":
    serve()
