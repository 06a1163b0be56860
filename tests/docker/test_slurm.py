"""docker/slurm.sh on a real Slurm of one node: a job that is queued again goes on with the same sweep."""

import shutil
import subprocess

import pytest

from ..network import Network
from .containers import ROOT, why_not

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "-"),
]
INSTALL = """
apt-get update --quiet
DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends slurmctld slurmd slurm-client munge
"""
SLURM_CONF = """
ClusterName=test
SlurmctldHost=node
AuthType=auth/munge
SlurmUser=root
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
ReturnToService=2
NodeName=node CPUs=2 RealMemory=4000
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
SWEEP = """
import time
from caviar import Float, Sweep

def train(config, trial):
    for step in range(10):
        time.sleep(0.1)
        trial.report(step, loss=config["x"] * step)

sweep = Sweep(train, name="slow", space={"x": Float(0, 1)}, metric="loss", mode="min", trials=40)
"""
NODE = """
set -eu
mkdir -p /var/spool/slurmctld /var/spool/slurmd /run/munge /etc/slurm
cp /given/slurm.conf /etc/slurm
chown munge /run/munge
runuser -u munge -- munged --force
slurmctld
slurmd
exec runuser -u caviar -- env PATH="$PATH" sh /given/user.sh
"""
USER = """
set -eu
export HOME=/home/caviar CAVIAR_ENVIRONMENT=/opt/caviar CAVIAR_STORE=/tmp/store
cd /tmp
until sinfo --noheader --states=idle | grep -q node; do sleep 1; done
sbatch --nodes=1 --cpus-per-task=2 /given/slurm.sh /given/slow.py -q
until ls /tmp/store/sweep=*/_hot/*attempts* >/dev/null 2>&1; do sleep 1; done
sleep 3
scontrol requeue 1
until scontrol update jobid=1 starttime=now; do sleep 1; done
while [ -n "$(squeue --noheader)" ]; do sleep 1; done
caviar ls --json >&2
cat slurm-1.out
"""


def test_a_job_that_is_queued_again_goes_on_with_its_sweep(engine, tmp_path):
    given = {"slurm.conf": SLURM_CONF, "slow.py": SWEEP, "node.sh": NODE, "user.sh": USER}
    for name, text in given.items():
        (tmp_path / name).write_text(text)
    shutil.copy(ROOT / "docker" / "slurm.sh", tmp_path)
    tmp_path.chmod(0o755)
    container = engine.container("slurm")
    as_root = ["--user", "0:0", "--volume", f"{tmp_path}:/given:ro"]
    subprocess.run(engine.command(container, ["sh", "-euc", INSTALL], *as_root), check=True, capture_output=True)

    with Network(["node"]) as network:
        (tmp_path / "hosts").write_text(network.names())
        hosts = ["--hostname", "node", "--no-hosts", "--volume", f"{tmp_path / 'hosts'}:/etc/hosts:ro"]
        alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]  # ray looks for other Rays
        command = engine.command(container, ["sh", "/given/node.sh"], *as_root, *hosts)
        done = subprocess.run(
            [*network.at("node"), *alone, *command], capture_output=True, text=True, check=False, timeout=600
        )

    assert done.stdout.count("Running command on head node") == 2, done
    assert "best by last loss, 40 completed trials" in done.stdout
    assert done.stderr.count('"sweep": ') == 1, "one sweep"
