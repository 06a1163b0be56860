"""A process whose trials leave files open is left before one of them fails for it."""

import subprocess
import sys
import textwrap

SCRIPT = """
    import os, resource
    import pyarrow as pa
    resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000))
    from caviar_workers.lease import run_lease
    from caviar_workers.messages import Lease, Program
    from caviar_workers.process import WrongProcessError

    def train(config, trial):
        for _ in range(config["leaves"]):
            os.pipe()
        trial.report(0, loss=1.0)

    program = Program(digest="d", train="train", functions={"train": train})
    def lease(leaves):
        n = len(leaves)
        return Lease(id=0, sweep="s", metric="loss", trials=tuple(range(n)), attempts=(0,) * n, seeds=(0,) * n,
                     configs={"leaves": leaves})

    def run(leaves):
        told, ended = [], []
        try:
            for batch in run_lease(program, lease(leaves)):
                if batch.logs:
                    told += pa.ipc.open_stream(batch.logs).read_all().select(["trial", "text"]).to_pylist()
                if batch.attempts:
                    ended += pa.ipc.open_stream(batch.attempts).read_all()["trial"].to_pylist()
        except WrongProcessError:
            ended.append("left")
        return sorted(set(map(str, ended))), [(one["trial"], "files open" in one["text"]) for one in told]

    found = [run((1, 2, 3)), run((200, 200, 200)), run((0,))]
    print(found)
"""


def test_it_is_told_by_the_trial_that_filled_it_and_the_rest_runs_elsewhere() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)], capture_output=True, text=True, timeout=120, check=False
    )

    assert done.stdout == "[(['0', '1', '2'], []), (['0', '1', 'left'], [(1, True)]), (['left'], [])]\n", done.stderr
