"""The Ray that we start on this machine: two servers instead of seven.

`ray.init` starts the GCS, the raylet, and beside them an API server, an autoscaler's monitor, a monitor of log files
and two agents of the raylet: each a Python process that imports for seconds, on whose ports the raylet waits. They
serve the dashboard, `ray.util.state`, growing clusters, printing of workers' output, metrics and `runtime_env`; a sweep
uses none of these. So they are left out, and the raylet finds in place of the agents' ports what an agent writes that
has nothing to offer (-1), and in place of the agents a process that waits for its end.

This rests on private names of Ray. It is done for the versions on which it was tried, and where Ray looks as it did
then; otherwise, or with `CAVIAR_RAY=full`, Ray starts as ever. Clusters that are joined are never touched.
"""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

TRIED = (2, 55), (2, 60)
"""The oldest and the newest version on which the gate or the nightly tests have seen it hold."""
_AGENTS = "--dashboard_agent_command=", "--runtime_env_agent_command="
_IDLE = "/bin/cat"
"""It waits on its standard input, a pipe of the raylet's, and so ends with the raylet; an empty command is refused."""
_PORTS = (
    "METRICS_AGENT_PORT_NAME",
    "METRICS_EXPORT_PORT_NAME",
    "DASHBOARD_AGENT_LISTEN_PORT_NAME",
    "RUNTIME_ENV_AGENT_PORT_NAME",
)
_OPTIONS = {"_system_config": {"prestart_worker_first_driver": False}}
"""Workers are started when leases come: those that Ray starts beforehand would make the first lease wait for both."""

log = logging.getLogger(__name__)
Start = Callable[[Any], AbstractContextManager[dict[str, Any]]]


def ways_to_start(ray: Any) -> tuple[Start, Start]:
    """How to start Ray, and how to try again: its two servers only, where that can be, and then as ever.

    Each is a block that yields options for `ray.init`. Why it is to start as ever from the beginning is logged now:
    while Ray starts, what goes to stderr may be kept from it.
    """
    why_not = _why_not(ray)
    if not why_not:
        return two_servers, all_servers  # in case it is the two that cannot do without the others
    log.info("starting Ray with all its servers: %s", why_not)
    return all_servers, all_servers


@contextmanager
def two_servers(ray: Any) -> Iterator[dict[str, Any]]:
    """Let the Ray that starts in this block start its two servers only."""
    node = ray._private.node
    before = node.Node
    node.Node = _two_servers(ray)
    try:
        yield dict(_OPTIONS)
    finally:
        node.Node = before


@contextmanager
def all_servers(_ray: Any) -> Iterator[dict[str, Any]]:
    """Let the Ray that starts in this block start as ever."""
    yield {}


def _why_not(ray: Any) -> str:
    """Why Ray is to start as ever; empty: it need not."""
    if os.environ.get("CAVIAR_RAY") == "full":
        return "CAVIAR_RAY=full"
    version = ray.__version__.split(".")[:2]
    if not TRIED[0] <= tuple(int(part) if part.isdecimal() else 0 for part in version) <= TRIED[1]:
        return f"this was not tried with Ray {ray.__version__}"
    if not os.access(_IDLE, os.X_OK):
        return f"there is no {_IDLE}"
    return _difference(ray)


def _difference(ray: Any) -> str:
    """Return what of Ray's insides does not look as it did when this was tried; empty: nothing."""
    node, services, raylet = ray._private.node, ray._private.services, ray._raylet
    names = [(raylet, name) for name in (*_PORTS, "persist_port")]
    names += [(node.Node, name) for name in ("start_api_server", "start_monitor", "start_log_monitor", "start_raylet")]
    names += [(node.Node, "get_session_dir_path"), (services, "start_ray_process")]
    missing = [name for owner, name in names if not hasattr(owner, name)]
    if missing:
        return f"this Ray has no {missing[0]}"
    source = inspect.getsource(services.start_raylet)
    missing = [name for name in _AGENTS if name not in source]
    return f"its raylet takes no {missing[0]}" if missing else ""


def _two_servers(ray: Any) -> type:
    """A class of nodes without all that a sweep does not need."""
    raylet, services = ray._raylet, ray._private.services

    class TwoServers(ray._private.node.Node):  # type: ignore[misc]  # Ray's, of which nothing is known
        """A head node of a GCS and a raylet."""

        def start_api_server(self, **_: Any) -> None:
            self._webui_url = ""

        def start_monitor(self) -> None:
            pass

        def start_log_monitor(self) -> None:
            pass

        def start_raylet(self, *args: Any, **options: Any) -> None:
            for name in _PORTS:
                raylet.persist_port(self.get_session_dir_path(), self._node_id, getattr(raylet, name), -1)
            start = services.start_ray_process
            services.start_ray_process = lambda command, *more, **kept: start(_idle_agents(command), *more, **kept)
            try:
                super().start_raylet(*args, **options)
            finally:
                services.start_ray_process = start

    return TwoServers


def _idle_agents(command: list[str]) -> list[str]:
    """The raylet's command line, with a process that does nothing in place of each agent."""
    return [next((name + _IDLE for name in _AGENTS if word.startswith(name)), word) for word in command]
