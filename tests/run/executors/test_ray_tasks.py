"""What only the Ray executor has to hold: processes that die, GPUs, threads, a closed network."""

import importlib
import os
import re
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pytest

from caviar.errors import ClusterError
from caviar.run.executors.executor import LeaseEnded, LeaseSpoke
from caviar.run.executors.ray_session import RaySession
from caviar_workers.messages import Demand, Message, Program
from caviar_workers.states import Action

from ...leases import make_lease

pytestmark = pytest.mark.ray


def run(
    train: Callable[..., Any],
    leases: int = 1,
    *,
    cpus: float = 1,
    gpus: float = 0,
    beside: Mapping[str, tuple[str, str]] | None = None,
) -> list[Any]:
    """Run leases of one trial; all events."""
    from caviar.run.executors.ray_tasks import RayExecutor

    digest = uuid.uuid4().hex  # a process opens functions once, and knows them by it
    program = Program(digest=digest, train="train", functions={"train": train}, files=beside or {})
    executor = RayExecutor(program, Demand(cpus=cpus, gpus=gpus))
    for number in range(leases):
        executor.submit(
            make_lease(
                [number],
                id=number,
                demand=Demand(cpus=cpus, gpus=gpus),
                flush_s=0.1,
            )
        )
    events: list[Any] = []
    deadline = time.monotonic() + 120
    while sum(isinstance(event, LeaseEnded) for event in events) < leases:
        assert time.monotonic() < deadline
        events += executor.poll(0.1)
    executor.close()
    return events


def rows(events: list[Any], table: str) -> list[dict[str, Any]]:
    data = [getattr(event.batch, table) for event in events if isinstance(event, LeaseSpoke)]
    return [row for part in data if part for row in pa.ipc.open_stream(part).read_all().to_pylist()]


def test_functions_share_arrays_know_objects_of_ray_and_import_what_was_beside_them(
    ray: RaySession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np
    import ray as library

    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "sent_beside.py").write_text(source := "def value(): return 7\n")
    value = importlib.import_module("sent_beside").value
    (tmp_path / "sent_beside.py").write_text("raise RuntimeError('edited')")
    table, known = np.arange(100_000.0), library.put("known")

    def train(config: dict[str, Any], trial: Any) -> None:
        print(value(), table.sum() == 4999950000.0, table.flags.owndata, table.flags.writeable, library.get(known))
        trial.report(0, loss=1.0)

    events = run(train, beside={"sent_beside": (str(tmp_path / "sent_beside.py"), source)})

    assert [row["text"] for row in rows(events, "logs")] == ["7 True False False known\n"]


def test_what_a_killed_process_had_reported_is_kept_and_its_lease_ends_as_lost(ray: RaySession) -> None:
    def train(config: dict[str, Any], trial: Any) -> None:
        import os
        import signal
        import time

        for step in range(5):
            trial.report(step, loss=1.0)
        time.sleep(2)
        os.kill(os.getpid(), signal.SIGKILL)

    events = run(train)

    assert [row["step"] for row in rows(events, "curves")] == list(range(5))
    assert events[-1].kind == "lost"
    assert "died" in events[-1].failure


def test_the_mailbox_is_there_before_the_first_message_where_the_lease_says_so(ray: RaySession) -> None:
    from ray.util import list_named_actors

    from caviar.run.executors.ray_tasks import RayExecutor

    program = Program(digest=uuid.uuid4().hex, train="train", functions={"train": lambda config, trial: 1.0})
    for has_mailbox in (False, True):
        before = len(list_named_actors(all_namespaces=True))
        executor = RayExecutor(program, Demand())
        try:
            executor.submit(make_lease([0], has_mailbox=has_mailbox))
            assert len(list_named_actors(all_namespaces=True)) - before == int(has_mailbox)
        finally:
            executor.close()


def test_messages_reach_their_leases_also_through_a_mailbox_that_died(ray: RaySession) -> None:
    import ray as library

    from caviar.run.executors.ray_mailbox import NAMESPACE
    from caviar.run.executors.ray_tasks import RayExecutor

    def train(config: dict[str, Any], trial: Any) -> None:
        import time

        for step in range(100_000):
            trial.report(step, loss=1.0)
            time.sleep(0.01)

    demand = Demand(cpus=0.5)
    executor = RayExecutor(Program(digest=uuid.uuid4().hex, train="train", functions={"train": train}), demand)
    events: list[Any] = []

    def wait_for(wanted: type, leases: set[int]) -> None:
        deadline = time.monotonic() + 120
        while not leases <= {event.lease for event in events if isinstance(event, wanted)}:
            assert time.monotonic() < deadline
            events.extend(executor.poll(0.1))

    def stop(lease: int) -> None:
        executor.tell(lease, Message(trial=lease, attempt=0, action=Action.STOP, decision=lease))
        wait_for(LeaseEnded, {lease})

    for number in range(3):
        executor.submit(make_lease([number], id=number, demand=demand, has_mailbox=True, flush_s=0.1))
    wait_for(LeaseSpoke, {0, 1})
    stop(0)
    wait_for(LeaseSpoke, {2})
    mailbox = library.get_actor(executor._mailbox.address, namespace=NAMESPACE)
    deadline = time.monotonic() + 60
    while 0 in library.get(mailbox.__ray_call__.remote(lambda box: list(box._questions))):
        assert time.monotonic() < deadline, "the mailbox keeps what a lease asked that has ended"
        executor.poll(0.1)
    process = psutil.Process(library.get(mailbox.__ray_call__.remote(lambda _: os.getpid())))
    process.kill()
    psutil.wait_procs([process], timeout=60)
    stop(1)
    stop(2)
    executor.close()

    assert [row["state"] for row in rows(events, "attempts") if row["state"] != "RUNNING"] == ["STOPPED"] * 3


def test_gpus_are_handed_out_and_hidden_from_those_who_asked_for_none(ray: RaySession, tmp_path: Path) -> None:
    meeting = str(tmp_path)

    def meet(config: dict[str, Any], trial: Any) -> None:
        import os
        import time

        open(os.path.join(meeting, str(trial.number)), "w").close()
        deadline = time.monotonic() + 120
        while len(os.listdir(meeting)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)  # both at the same time, however long the second process takes to start
        trial.report(0, loss=0.0)

    def look(config: dict[str, Any], trial: Any) -> None:
        import os

        seen = os.environ.get("CUDA_VISIBLE_DEVICES", "unset")
        trial.report(0, loss=-1.0 if seen in {"", "NoDevFiles", "-1"} else -2.0)

    whole = rows(run(meet, 2, cpus=0.5, gpus=1), "attempts")
    none = rows(run(look, 1), "curves")

    assert {row["devices"] for row in whole} == {"0", "1"}
    assert none[0]["loss"] == -1.0


def test_half_a_gpu_is_shared(ray: RaySession) -> None:
    from caviar.run.executors.ray_tasks import RayExecutor

    executor = RayExecutor(Program(digest="shares", train="t", functions={"t": len}), Demand(cpus=0.25, gpus=0.5))

    assert executor.slots() == 4
    executor.close()


def test_a_trial_computes_on_the_threads_of_its_cpus(ray: RaySession) -> None:
    def train(config: dict[str, Any], trial: Any) -> None:
        import numpy  # noqa: F401
        from threadpoolctl import threadpool_info

        trial.report(0, loss=float(max((pool["num_threads"] for pool in threadpool_info()), default=1)))

    assert rows(run(train), "curves")[0]["loss"] == 1.0


def test_prints_from_c_and_from_children_are_captured_and_the_driver_stays_quiet(
    ray: RaySession, capfd: pytest.CaptureFixture[str]
) -> None:
    def train(config: dict[str, Any], trial: Any) -> None:
        import os
        import subprocess

        print("python")
        os.write(1, b"descriptor\n")
        subprocess.run(["/bin/sh", "-c", "echo child; echo wrong >&2"], check=True)
        trial.report(0, loss=1.0)

    events = run(train)

    out = "".join(row["text"] for row in rows(events, "logs") if row["stream"] == "out")
    assert out == "python\ndescriptor\nchild\n"
    assert [row["text"] for row in rows(events, "logs") if row["stream"] == "err"] == ["wrong\n"]
    assert capfd.readouterr() == ("", "")


def told_ports() -> dict[str, int]:
    """The processes that the docs say listen, and the ports of each."""
    docs = (Path(__file__).parents[3] / "docs" / "security.md").read_text("utf-8")
    return {who: int(ports) for who, ports in re.findall(r"^\| `(\w+)`(?:, each)? \| (\d+) \|", docs, re.MULTILINE)}


def as_told(process: psutil.Process) -> str:
    """What the docs call a process."""
    if process.pid == os.getpid():
        return "driver"
    return "worker" if process.cmdline()[0].startswith("ray::") else process.name()


def test_what_ray_starts_listens_on_this_machine_only_and_where_the_docs_say(ray: RaySession) -> None:
    def train(config: dict[str, Any], trial: Any) -> None:
        trial.report(0, loss=1.0)

    run(train)
    root = psutil.Process(os.getpid())
    ips: set[str] = set()
    listening: set[tuple[str, int]] = set()
    for process in [root, *root.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # a worker that has ended meanwhile
            if process != root and "ray" not in " ".join(process.cmdline()).lower():
                continue  # a server of other tests in this process
            found = [one for one in process.net_connections(kind="inet") if one.status == psutil.CONN_LISTEN]
            ips |= {one.laddr.ip.removeprefix("::ffff:") for one in found}
            listening |= {(as_told(process), len(found))} if found else set()

    assert ips <= {"127.0.0.1", "::1"}
    assert listening == set(told_ports().items())


def test_a_cluster_that_is_not_there_and_a_client_address_are_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="Ray Client address"):
        RaySession(address="ray://somewhere:10001")
    script = textwrap.dedent("""
        import os
        os.environ["RAY_gcs_rpc_server_reconnect_timeout_s"] = "1"
        from caviar.errors import ClusterError
        from caviar.run.executors.ray_session import RaySession
        try:
            RaySession(address="127.0.0.1:1").__enter__()
        except ClusterError as error:
            print(error)
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)

    assert done.stdout.startswith("cannot reach the Ray cluster at 127.0.0.1:1")
    assert done.stdout.count("\n") == 1
