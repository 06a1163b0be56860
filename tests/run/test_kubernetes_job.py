"""The RayJob of any experiment: Kubernetes and KubeRay take it, and it holds what is needed to run the sweep."""

import base64
import io
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from caviar.errors import SpecError
from caviar.run.kubernetes_job import MOST_BYTES, KubernetesJob, as_yaml, manifests, name_of

from ..docker.test_manifests import faults, pods
from .conftest import Caviar

JOB = KubernetesJob(
    name="digits",
    key="k1",
    image="r/c:1",
    ray="2.60.0",
    command=["caviar", "run", "a b.py", "--note", "it's $HOME"],
    archive=b"zip",
    variables={"WHO": '{"user": "o\'neill"}'},
    store="s3://bucket/st",
    cpus=1.0,
    gpus=0.0,
    workers=4,
)


@pytest.mark.parametrize(
    "job", [JOB, replace(JOB, store="/shared/st", gpus=0.5), replace(JOB, cpus=12.5, name="Große Suche: №1 " * 9)]
)
def test_kubernetes_and_kuberay_take_it(job: KubernetesJob) -> None:
    project, ray_job = yaml.safe_load_all(as_yaml(manifests(job)))
    assert faults(ray_job) == []
    for one in (project, *pods(ray_job)):
        kubernetes_validate.validate(one, "1.34", strict=True)
    name = ray_job["metadata"]["name"]
    assert project["metadata"]["name"] == name
    assert name.isascii()
    assert len(name) <= 40
    assert ray_job["spec"]["rayClusterSpec"]["authOptions"] == {"mode": "token"}


def test_a_pod_has_room_for_a_trial_and_a_store_that_is_a_folder_is_a_volume_of_all_pods() -> None:
    (_, ray_job) = manifests(replace(JOB, cpus=12.5, gpus=0.5, store="/shared/st"))
    head, worker = (pod["spec"]["containers"][0] for pod in pods(ray_job))
    assert worker["resources"]["limits"] == {"cpu": "13", "memory": "26Gi", "nvidia.com/gpu": "1"}
    for one in (head, worker):
        assert {"name": "store", "mountPath": "/shared/st"} in one["volumeMounts"]
    in_a_bucket = pods(manifests(JOB)[1])[1]["spec"]
    assert in_a_bucket["volumes"] == []


def test_names_differ_where_sweeps_do_and_are_names_of_kubernetes() -> None:
    assert name_of(JOB).startswith("digits-")
    assert name_of(JOB) != name_of(replace(JOB, key="k2"))
    assert name_of(replace(JOB, name="7 of — ")).startswith("s7-of-")
    assert name_of(replace(JOB, name="—")).startswith("sweep-")


def test_the_script_hands_on_each_word_as_it_was(tmp_path: Path) -> None:
    project = yaml.safe_load(as_yaml(manifests(JOB)[:1]))
    script = project["data"]["run.sh"].replace("exec caviar", "printf '<%s>' \"$WHO\"").replace("python -m", ": ")
    done = subprocess.run(
        ["sh", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"TMPDIR": str(tmp_path), "PATH": "/bin:/usr/bin"},
    )
    assert done.stdout == """<{"user": "o'neill"}><run><a b.py><--note><it's $HOME>"""


def test_a_project_that_no_manifest_holds_is_refused() -> None:
    with pytest.raises(SpecError, match=r"at most 0\.7 MB, as a zip, .* this one has 0\.8 MB"):
        manifests(replace(JOB, archive=bytes(MOST_BYTES + 10**5)))


EXPERIMENT = """
from caviar import Float, Sweep

def train(config, trial):
    return config["x"]

sweep = Sweep(train, space={"x": Float(0, 1)}, metric="value", trials=4, name="mine")
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "exp.py").write_text(EXPERIMENT)
    (root / ".env").write_text("PLANTED=sesame")
    monkeypatch.chdir(root)
    return root


def test_the_program_prints_it(caviar: Caviar, project: Path) -> None:
    said = caviar("submit", "exp.py", "--k8s", "--image", "r/c:1", "--trials", 9, "--workers", 2, at="s3://b/st")
    assert said.code == 0, said.err
    files, ray_job = yaml.safe_load_all(said.out)
    assert faults(ray_job) == []
    assert ray_job["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["maxReplicas"] == 2
    assert "caviar run exp.py --address auto --store s3://b/st " in files["data"]["run.sh"]
    assert files["data"]["run.sh"].rstrip().endswith("--trials 9")
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(files["binaryData"]["project.zip"]))) as kept:
        assert kept.namelist() == ["exp.py"]
        assert kept.read("exp.py").decode() == EXPERIMENT


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "--address http://HEAD:8265, or --k8s"),
        (["--k8s"], "--k8s needs --image"),
        (["--k8s", "--image", "x", "--address", "http://h:1"], "--address http://HEAD:8265, or --k8s"),
        (["--k8s", "--image", "x", "--env", "HOME"], "leave out --json, --env"),
        (["--k8s", "--image", "x", "--json"], "leave out --json, --env"),
    ],
)
def test_what_does_not_go_together_is_told(caviar: Caviar, project: Path, words: list[str], why: str) -> None:
    said = caviar("submit", "exp.py", *words, at="s3://b/st")
    assert (said.code, said.out) == (2, "")
    assert why in said.err
