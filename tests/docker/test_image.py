"""The image is really built, and its containers run sweeps as one cluster, by the commands of docker/compose.yaml."""

import base64
import json
import threading
import time

import pytest
import yaml

from .containers import Cluster, why_not

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "-"),
]
RUN = "caviar run experiments/quadratic.py --address auto -q"
SLOW = """
import time
from caviar import Float, Sweep

def train(config, trial):
    for step in range(10):
        time.sleep(0.1)
        trial.report(step, loss=config["x"] * step)

sweep = Sweep(train, name="slow", space={"x": Float(0, 1)}, metric="loss", mode="min", trials=60)
"""
SUBMITTING = "caviar doctor --store /store --address http://head:8265"
STATUS = """
import sys, urllib.error, urllib.request
asked = urllib.request.Request("http://head:8265/api/version")
if sys.argv[1:]:
    asked.add_header("Authorization", "Bearer " + sys.argv[1])
try:
    print(urllib.request.urlopen(asked, timeout=10).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


@pytest.fixture(scope="module")
def cluster(engine, tmp_path_factory):
    hosts = {"head": "head", "w1": "worker", "w2": "worker", "laptop": "worker"}
    with Cluster(engine, tmp_path_factory.mktemp("cluster"), hosts, idle=["laptop"]) as cluster:
        yield cluster


def test_the_image_is_compiled_and_nobodys_to_change(cluster):
    assert cluster.run("head", "id", "-u").stdout == "1000\n"
    modules, compiled = (
        cluster.run("head", "sh", "-c", f"find /opt/caviar/lib/*/site-packages/caviar* -name '*.{kind}' | wc -l").stdout
        for kind in ("py", "pyc")
    )
    assert 0 < int(modules) == int(compiled)
    assert cluster.run("head", "sh", "-c", "find /opt /usr -writable ! -type l | head -n 1").stdout == ""
    assert cluster.run("head", "sh", "-c", "command -v uv", check=False).returncode


def test_a_login_shell_finds_it_too(cluster):
    found = cluster.run("head", "bash", "-lc", "command -v ray caviar").stdout
    assert found.split() == ["/opt/caviar/bin/ray", "/opt/caviar/bin/caviar"]


def test_one_container_alone_runs_the_example_of_the_page(cluster):
    alone = cluster.run(
        "laptop", "sh", "-c", "caviar run experiments/digits.py -q --trials 4 --store /store/alone"
    ).stdout
    assert "best by last val_error, 4 completed trials" in alone
    assert "measured once on" in alone


def test_the_workers_run_a_sweep_together(cluster):
    cluster.run("head", "sh", "-c", f"{RUN} --trials 40 --name all")
    asked = ("caviar", "query", "--json", "SELECT host, state FROM trials")
    found = json.loads(cluster.run("head", *asked).stdout)
    assert len(found) == 40
    assert {trial["state"] for trial in found} <= {"COMPLETED", "STOPPED"}
    assert {trial["host"] for trial in found} == {"w1", "w2"}


def test_who_has_not_the_token_gets_no_answer(cluster):
    token = (cluster.folder / "ray_token").read_text()
    got = [cluster.run("w1", "python", "-c", STATUS, *given).stdout.strip() for given in ((), ("x" * 64,), (token,))]
    assert got == ["401", "403", "200"]
    asked = cluster.run("laptop", "sh", "-c", f"RAY_AUTH_TOKEN={'x' * 64} {SUBMITTING}", check=False).stdout
    assert "http://head:8265 does not take the token in RAY_AUTH_TOKEN" in asked
    wrong = cluster.run("head", "sh", "-c", f"RAY_AUTH_TOKEN={'x' * 64} {RUN}", check=False)
    assert wrong.returncode == 6
    assert "does not take the token in RAY_AUTH_TOKEN" in wrong.stderr


def test_the_doctor_knows_who_is_a_node_and_what_listens_where(cluster):
    joining = "caviar doctor --store /store --address"
    assert "all 3 have Caviar" in cluster.run("head", "sh", "-c", f"{joining} auto").stdout
    assert "http://head:8265 answers with Ray" in cluster.run("laptop", "sh", "-c", SUBMITTING).stdout
    for address, words in {
        "http://head:6379": "what listens at http://head:6379 is no web server",
        "head:8265": "a web server listens at head:8265",
        "head:6379": "this machine is no node of the Ray cluster at head:6379",
        "head:1": "nothing listens there",
    }.items():
        asked = cluster.run("laptop", "sh", "-c", f"{joining} {address}", check=False)
        assert words in asked.stdout
    refused = cluster.run("laptop", "sh", "-c", f"{RUN.replace('auto', 'head:6379')} --trials 2", check=False)
    assert refused.returncode == 6
    said = [line for line in refused.stderr.splitlines() if line and not line.startswith(("subprocess", "Error: exit"))]
    assert len(said) == 1, "no word of C++"


def test_the_job_of_a_manifest_runs_and_runs_again_as_one_sweep(cluster):
    (cluster.store / "project").mkdir()
    (cluster.store / "project" / "slow.py").write_text(SLOW)
    words = "cd /store/project && caviar submit slow.py --k8s --image x --store /store/k8s --trials 8"
    (files, ray_job) = yaml.safe_load_all(cluster.run("head", "sh", "-c", words).stdout)
    (cluster.folder / "sweep" / "run.sh").write_text(files["data"]["run.sh"])
    (cluster.folder / "sweep" / "project.zip").write_bytes(base64.b64decode(files["binaryData"]["project.zip"]))

    job = f"ray job submit --address http://head:8265 -- {ray_job['spec']['entrypoint']}"
    first, again = (cluster.run("head", "sh", "-c", job).stdout for _ in range(2))
    assert "best by last loss, 8 completed trials" in first
    assert "best by last loss, 8 completed trials" in again
    assert len(list((cluster.store / "k8s").glob("sweep=*"))) == 1


def test_a_sweep_that_was_submitted_outlives_a_worker(cluster):
    (cluster.store / "slow.py").write_text(SLOW)
    command = (
        "ray job submit --address http://head:8265 -- caviar run /store/slow.py --address auto --store /store/two -q"
    )
    job = threading.Thread(target=cluster.run, args=("head", "sh", "-c", command))
    job.start()
    until = time.monotonic() + 120
    while not list((cluster.store / "two").glob("sweep=*/_hot/*attempts*")):
        assert time.monotonic() < until
        time.sleep(0.2)
    cluster.end("w2")
    job.join()

    asked = ("caviar", "query", "--json", "--store", "/store/two", "SELECT state, count(*) AS n FROM trials GROUP BY 1")
    assert json.loads(cluster.run("head", *asked).stdout) == [{"state": "COMPLETED", "n": 60}]
    lost = "SELECT count(*) AS n FROM attempts WHERE state <> 'COMPLETED'"
    assert json.loads(cluster.run("head", *asked[:-1], lost).stdout)[0]["n"] > 0
