"""A sweep as a RayJob of KubeRay: a cluster of its own that grows from no worker, and one sweep after all retries."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from caviar.errors import SpecError

MOST_BYTES = 700_000
"""Of a project as a zip: Kubernetes keeps 1 MiB in a ConfigMap, in base 64 and with the rest of it."""
FOLDER, ARCHIVE, SCRIPT = "/sweep", "project.zip", "run.sh"
CLAIM = "caviar-store"
"""The volume of a store that is a folder, as docker/rayjob.yaml makes it."""
RETRIES = 5
_LONGEST = 30
"""Letters of a sweep's name in that of the job; KubeRay allows 47 with what is added."""
_POD_CPUS, _GB_A_CPU = 4, 2
_USER = {"runAsNonRoot": True, "runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000}
_CLOSED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesJob:
    """What is to run.

    Attributes:
        name: of the sweep; a name of Kubernetes is made of it.
        key: what the sweep is told by.
        image: with Caviar, and with the packages that the sweep imports.
        ray: the image's version of Ray.
        command: `caviar run …`, in the project's folder.
        archive: the project, as a zip.
        variables: environment variables of the command; none is a secret.
        store: a URI, or a folder, which is a volume then.
        cpus: of a trial.
        gpus: of a trial.
        workers: pods with trials, at most.
    """

    name: str
    key: str
    image: str
    ray: str
    command: Sequence[str]
    archive: bytes
    variables: Mapping[str, str]
    store: str
    cpus: float
    gpus: float
    workers: int


def manifests(job: KubernetesJob) -> tuple[dict[str, Any], dict[str, Any]]:
    """The project's ConfigMap, and the RayJob.

    Raises:
        SpecError: The project is too large for a ConfigMap.
    """
    if len(job.archive) > MOST_BYTES:
        raise SpecError(
            f"a project of at most {MOST_BYTES / 1e6:g} MB, as a zip, goes into a manifest, and this one has "
            f"{len(job.archive) / 1e6:.1f} MB: name what is not needed in .caviarignore, or let train read large data "
            "from where all nodes see it"
        )
    name = name_of(job)
    project = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {SCRIPT: _script(job)},
        "binaryData": {ARCHIVE: base64.b64encode(job.archive).decode()},
    }
    return project, _ray_job(job, name)


def name_of(job: KubernetesJob) -> str:
    """The name of both: the sweep's, as Kubernetes has names, and what tells it from others."""
    plain = re.sub(r"[^a-z0-9]+", "-", job.name.lower()).strip("-")[:_LONGEST].strip("-") or "sweep"
    plain = plain if plain[0].isalpha() else f"s{plain}"
    return f"{plain}-{hashlib.sha256(job.key.encode()).hexdigest()[:8]}"


def _script(job: KubernetesJob) -> str:
    """What the job runs; KubeRay and Ray would each take a command line apart by rules of their own."""
    lines = [
        "set -eu",
        'mkdir -p "${TMPDIR:-/tmp}/sweep"',
        'cd "${TMPDIR:-/tmp}/sweep"',
        f"python -m zipfile -e {FOLDER}/{ARCHIVE} .",
        *(f"export {name}={shlex.quote(value)}" for name, value in job.variables.items()),
        f"exec {shlex.join(job.command)}",
    ]
    return "\n".join(lines) + "\n"


def _ray_job(job: KubernetesJob, name: str) -> dict[str, Any]:
    head = _pod(job, "ray-head", requests={"cpu": "1", "memory": "4Gi"}, limits={"memory": "4Gi"})
    _mount(head, "project", FOLDER, {"configMap": {"name": name}})
    pod_cpus = max(_POD_CPUS, math.ceil(job.cpus))
    room = {"cpu": str(pod_cpus), "memory": f"{pod_cpus * _GB_A_CPU}Gi"}
    if job.gpus:
        room["nvidia.com/gpu"] = str(math.ceil(job.gpus))
    cluster = {
        "rayVersion": job.ray,
        "authOptions": {"mode": "token"},
        "enableInTreeAutoscaling": True,
        "autoscalerOptions": {"version": "v2", "idleTimeoutSeconds": 60},
        "headGroupSpec": {
            "rayStartParams": {"num-cpus": "0", "dashboard-host": "0.0.0.0"},
            "template": {"spec": head},
        },
        "workerGroupSpecs": [
            {
                "groupName": "trials",
                "minReplicas": 0,
                "replicas": 0,
                "maxReplicas": job.workers,
                "rayStartParams": {},
                "template": {"spec": _pod(job, "ray-worker", requests=room, limits=room)},
            }
        ],
    }
    spec = {
        "entrypoint": f"sh {FOLDER}/{SCRIPT}",
        "backoffLimit": RETRIES,
        "shutdownAfterJobFinishes": True,
        "ttlSecondsAfterFinished": 600,
        "rayClusterSpec": cluster,
    }
    return {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": name}, "spec": spec}


def _pod(job: KubernetesJob, container: str, **resources: Mapping[str, str]) -> dict[str, Any]:
    one = {
        "name": container,
        "image": job.image,
        "resources": {name: dict(amounts) for name, amounts in resources.items()},
        "securityContext": dict(_CLOSED),
        "volumeMounts": [],
    }
    pod = {"securityContext": dict(_USER), "containers": [one], "volumes": []}
    if "://" not in job.store:  # trials save their checkpoints from every node
        _mount(pod, "store", job.store, {"persistentVolumeClaim": {"claimName": CLAIM}})
    return pod


def _mount(pod: dict[str, Any], name: str, path: str, source: Mapping[str, Any]) -> None:
    pod["volumes"].append({"name": name, **source})
    pod["containers"][0]["volumeMounts"].append({"name": name, "mountPath": path})


def as_yaml(documents: Sequence[Mapping[str, Any]]) -> str:
    """The manifests as one text for `kubectl apply -f`; scripts stand in it line by line."""
    import yaml  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415 — Ray needs it, so it is there

    class Dumper(yaml.SafeDumper):  # type: ignore[misc,unused-ignore]
        """Writes each object where it stands."""

        def ignore_aliases(self, _data: object) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    written: str = yaml.dump_all(documents, Dumper=Dumper, sort_keys=False, explicit_start=True, width=10**9)
    return written
