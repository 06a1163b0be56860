"""What may keep a sweep from running on a cluster: asked of its head, then of its nodes, with no word of Ray's own."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from caviar.errors import ClusterError
from caviar.run.executors.cluster_probe import check_address, knock
from caviar.run.executors.native_output import native_output_kept
from caviar.run.executors.ray_session import RaySession
from caviar.run.health import Check, Health

_TASK_S = 30.0
"""Seconds for a process to start on each node, and answer."""
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What a node says of itself.

    Attributes:
        host: its name.
        ray: version, as `python` and `caviar`; "": it is not installed.
        python: version.
        caviar: version.
        sees_store: whether the store's folder is there.
    """

    host: str
    ray: str
    python: str
    caviar: str
    sees_store: bool


def here() -> Node:
    """What this process says of itself."""
    return Node(
        host=platform.node(),
        ray=version("ray"),
        python=platform.python_version(),
        caviar=version("caviar-sweep"),
        sees_store=True,
    )


def cluster_checks(address: str, store: str | None) -> Iterator[Check]:
    """Look at a cluster as a driver that would join it.

    Args:
        address: `auto` or `host:port`.
        store: The store's folder; None: it is no folder.
    """
    import ray  # noqa: PLC0415

    try:
        check_address(address)
        address = knock(ray, address)
        with native_output_kept():
            metadata = _metadata(ray, address)
    except ClusterError as error:
        yield Check(name="cluster", health=Health.FAILED, found=str(error))
        return
    yield Check(name="cluster", found=f"it answers at {address}, lets this machine in, and has it as a node")
    versions = head_in_words(metadata, here())
    yield versions
    if versions.health == Health.OK:
        yield from _of_nodes(ray, address, store)


def _metadata(ray: Any, address: str) -> Mapping[str, Any]:
    """What the head was started with."""
    from ray._common.usage.usage_lib import get_cluster_metadata  # noqa: PLC0415

    try:
        return dict(get_cluster_metadata(ray._raylet.GcsClient(address=address)))
    except Exception as error:
        raise ClusterError(f"the Ray cluster at {address} does not say which versions it has: {error}") from error


def head_in_words(metadata: Mapping[str, Any], mine: Node) -> Check:
    """Compare versions with those of the cluster's head: Ray lets no driver join that has others."""
    theirs = f"Ray {metadata.get('ray_version')} and Python {metadata.get('python_version')}"
    ours = f"Ray {mine.ray} and Python {mine.python}"
    if theirs == ours:
        return Check(name="versions", found=f"the cluster has {theirs}, as this environment")
    return Check(
        name="versions",
        health=Health.FAILED,
        found=f"the cluster has {theirs}, this environment {ours}, and Ray wants them to be the same",
        advice="run caviar in the environment, or the image, with which the cluster was started",
    )


def _of_nodes(ray: Any, address: str, store: str | None) -> Iterator[Check]:
    """Join, and ask each node."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

    def ask(folder: str | None) -> tuple[str, str, str, str, bool]:
        import importlib.metadata as installed  # noqa: PLC0415
        import os  # noqa: PLC0415
        import platform  # noqa: PLC0415

        try:
            caviar = installed.version("caviar-sweep")
        except installed.PackageNotFoundError:
            caviar = ""
        return (
            platform.node(),
            installed.version("ray"),
            platform.python_version(),
            caviar,
            folder is None or os.path.isdir(folder),
        )

    try:
        with RaySession(address=address):
            alive = [one for one in ray.nodes() if one["Alive"]]
            task = ray.remote(num_cpus=0, max_retries=0)(ask)
            asked = [
                task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(one["NodeID"], soft=False)).remote(
                    store
                )
                for one in alive
            ]
            done, late = ray.wait(asked, num_returns=len(asked), timeout=_TASK_S)
            answers = [Node(**dict(zip(Node.__slots__, ray.get(one), strict=True))) for one in done]
    except Exception as error:
        why = f"the nodes of the Ray cluster at {address} cannot be asked: {error}"
        yield Check(name="nodes", health=Health.FAILED, found=why)
        return
    cpus = sum(one["Resources"].get("CPU", 0.0) for one in alive)
    yield from nodes_in_words(answers, here(), late=len(late), cpus=cpus, store=store)


def nodes_in_words(nodes: Sequence[Node], mine: Node, *, late: int, cpus: float, store: str | None) -> Iterator[Check]:
    """Say of which nodes something is to be told.

    Args:
        nodes: Those that answered.
        mine: This process.
        late: How many did not.
        cpus: Of all nodes.
        store: The store's folder; None: it is no folder.
    """
    other = {one.host: one.caviar or "none" for one in nodes if one.caviar != mine.caviar}
    if other:
        hosts = _named([f"{host} has {caviar}" for host, caviar in other.items()])
        yield Check(
            name="nodes",
            health=Health.FAILED,
            found=f"Caviar is {mine.caviar} here, but {hosts}",
            advice="install the same version in the environment of each node's Ray, or start all from one image",
        )
    elif late:
        yield Check(
            name="nodes",
            health=Health.WARNING,
            found=f"{late} of {len(nodes) + late} nodes started no process within {_TASK_S:g} s",
            advice="type ray status, and look at the load of these machines",
        )
    elif not cpus:
        yield Check(
            name="nodes",
            health=Health.WARNING,
            found="no node has a CPU for trials: they wait until the cluster grows",
            advice="start workers, if nothing adds them by itself",
        )
    else:
        yield Check(name="nodes", found=f"all {len(nodes)} have Caviar {mine.caviar}; {cpus:g} CPUs for trials")
    if blind := [one.host for one in nodes if not one.sees_store]:
        yield Check(
            name="shared store",
            health=Health.WARNING,
            found=f"{store} is not there on {_named(blind)}: trials cannot save checkpoints from there",
            advice="mount the same folder on every node, or take --store s3://bucket/prefix",
        )


def _named(words: Sequence[str]) -> str:
    more = f" and {len(words) - _MOST_NAMED} more" if len(words) > _MOST_NAMED else ""
    return ", ".join(words[:_MOST_NAMED]) + more
