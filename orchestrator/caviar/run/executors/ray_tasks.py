"""Runs leases as streaming Ray tasks, and drains them eagerly.

Ray loses the yields that nobody has read when a worker dies, so one thread takes every yield as it comes and does
nothing else. Ray's own retries are off: a retried streaming task would splice two attempts into one curve.

Messages to trials wait in an actor, which answers a lease when there is something for it. It is made with the first
lease where trials are judged or may be edited, or many run at a time, so that no message waits for its process; else
with the first message, and till then a lease looks for it, by name, once a second.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import NodeDiedError, OutOfMemoryError, RayError, RayTaskError, TaskCancelledError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from caviar.errors import ClusterError, SpecError
from caviar.run.executors.cluster_demand import ClusterDemand
from caviar.run.executors.cluster_room import lack, machines, slots_of
from caviar.run.executors.drain_interval import FEW, SHORT_S, DrainInterval, rest_after
from caviar.run.executors.executor import Event, LeaseEnded, LeaseFailure, LeaseSpoke
from caviar.run.executors.process_deaths import NODE_DIED, ProcessDeaths
from caviar.run.executors.ray_mailbox import NAMESPACE, RayMailbox
from caviar.run.executors.ray_session import has_joined
from caviar.run.executors.sent_program import Sent, sent
from caviar.run.executors.servers import fallen, has_died, watched
from caviar_workers.data import LoadedData, Loading, load_data_first
from caviar_workers.lease import run_lease
from caviar_workers.mailbox import MailReader
from caviar_workers.messages import Batch, Demand, Lease, Message, Program
from caviar_workers.oom_count import OomCount, killed, oom_count
from caviar_workers.process import WrongProcessError
from caviar_workers.project import in_place
from caviar_workers.stored_checkpoint import UnseenStoreError

_RECOUNT_S = 5.0
_LOOK_S = 1.0
"""Seconds between two looks whether Ray's servers live."""
MOST_HELD = 64 * 2**20
"""Bytes of batches that wait here for the scheduler; the drain reads no more beyond that, and then leases wait."""
MOST_UNREAD = 4
"""Batches of a lease that Ray keeps unread, before the lease waits. Those are lost if its process dies."""
_MANY_CALLS = 2**30  # leases after which a process ends: 0, never, would let none leave in good order


class RayExecutor:
    """Leases as Ray tasks in the present Ray session.

    Args:
        program: The user's code; it is put into Ray's object store once.
        demand: What a lease asks for, unless it says otherwise.

    Raises:
        SpecError: The program cannot be pickled.
    """

    def __init__(self, program: Program, demand: Demand) -> None:
        self._program = sent(program)
        self._demand = demand
        calls = 1 if demand.fresh else _MANY_CALLS
        options: dict[str, Any] = {"num_cpus": demand.cpus, "max_retries": 0, "max_calls": calls}
        options["_generator_backpressure_num_objects"] = MOST_UNREAD
        if demand.gpus:
            options["num_gpus"] = demand.gpus  # in the decorator: .options() would not set the reuse of processes
        self._mailbox = RayMailbox()
        self._task = ray.remote(**options)(_lease_task(self._mailbox.address, calls))
        self._data: list[Any] = []
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._put = self._got = 0
        """Bytes of batches that were ever put into the queue, by the drain, and taken from it, by the scheduler."""
        self._lock = threading.Lock()
        self._streams: dict[Any, int] = {}
        self._deaths = ProcessDeaths(_count_again, _living)
        self._open = True
        self._broken: Exception | None = None
        self._fallen, self._next_look = "", 0.0
        """The server of our own Ray that has died, and when to look again."""
        self._interval = DrainInterval()
        self._counted = (-_RECOUNT_S, 0)
        self._needs = {"CPU": demand.cpus, "GPU": demand.gpus}
        self._cluster = ClusterDemand(self._needs) if has_joined() else None
        self._machines: list[Mapping[str, float]] = []
        self._nodes: frozenset[str] = frozenset()
        self._strategy = "SPREAD"
        self._thread = threading.Thread(target=self._drain, name="caviar-drain", daemon=True)
        self._thread.start()

    def load(self, arguments: Mapping[str, Any], hidden: Iterable[str], tell: Callable[[str], None]) -> Loading:
        """Call the program's `data` function in the cluster, and wait; its result is copied once to each node.

        Args:
            arguments: Of train; the function gets those that it takes.
            hidden: Secrets among them.
            tell: Gets a word when no machine has room for a trial's CPUs, and "" when one has again.

        Returns:
            What it had to say; perhaps it raised.

        Raises:
            SpecError: What it returned cannot be sent.
            ClusterError: Its process died again and again, or Ray is gone.
        """

        def loading(sent: Sent) -> tuple[Loading, LoadedData | None]:
            program = in_place(sent[0], lambda: ray.get(sent[1][0]))
            return load_data_first(program, arguments, hidden=hidden)

        # Two results: one to wait for, and the data, which the driver itself does not need.
        done, data = ray.remote(num_cpus=self._demand.cpus, num_returns=2)(loading).remote(self._program)
        self._wait_for_room(done, tell)
        try:
            said: Loading = ray.get(done)
        except RayTaskError as error:
            with suppress(RayError):
                ray.get(data)  # of an error that nobody fetched, Ray tells on the terminal
            raise SpecError(
                f"what the sweep's data function returned cannot be sent to trials: {type(error.cause).__name__}: "
                f"{error.cause}"
            ) from error
        except RayError as error:
            raise ClusterError(f"the sweep's data cannot be loaded: {_sentence(error)}") from error
        self._data = [data]
        return said

    def _wait_for_room(self, done: Any, tell: Callable[[str], None]) -> None:
        told = ""
        while not ray.wait([done], timeout=_LOOK_S, fetch_local=False)[0]:
            self._look_at_servers()
            word = lack({"CPU": self._demand.cpus}, machines(), "cluster")
            if word != told:
                tell(word)
            told = word

    def slots(self) -> int:
        """Leases that the cluster's resources allow at the same time; counted every few seconds."""
        self._look_at_servers()  # or Ray would wait for them
        counted, slots = self._counted
        if time.monotonic() - counted >= _RECOUNT_S:
            self._machines, self._nodes = machines(), _living()
            slots = sum(slots_of(one, self._needs) for one in self._machines)
            self._counted = time.monotonic(), slots
            # By default Ray fills one node, or the one that has the data, first; but on one node that is a millisecond
            # quicker a lease, for it goes on with the process that has just become free.
            self._strategy = "SPREAD" if len(self._machines) > 1 else "DEFAULT"
        return slots

    def lack(self) -> str:
        """Say what a trial needs and what the machines have, as they were counted last."""
        return lack(self._needs, self._machines, "cluster")

    def want(self, leases: int) -> None:
        """Ask a cluster that was joined to grow, where there is too little room."""
        if self._cluster is not None:
            self._cluster.want(leases, self._counted[1])

    def submit(self, lease: Lease) -> None:
        """Hand the lease to Ray, which starts it when its resources are free."""
        options: dict[str, Any] = {"name": f"{lease.sweep}/{lease.trials[0]}", "scheduling_strategy": self._strategy}
        if lease.demand.gpus != self._demand.gpus:
            options["num_gpus"] = lease.demand.gpus
        if lease.has_mailbox:
            self._mailbox.make()
        stream = self._task.options(**options).remote(self._program, lease, self._data)
        with self._lock:
            self._streams[stream] = lease.id
        self._interval.hasten()

    def poll(self, timeout: float) -> list[Event]:
        """Wait for the first event, then take all there are.

        Raises:
            ClusterError: Ray is gone.
        """
        self._look_at_servers()
        events: list[Event] = []
        try:
            events.append(self._events.get(timeout=timeout))
            while True:
                events.append(self._events.get_nowait())
        except queue.Empty:
            self._got += sum(event.batch.size for event in events if isinstance(event, LeaseSpoke))
            if self._broken is not None and not events:
                raise ClusterError(f"the connection to Ray broke: {self._broken}") from self._broken
            return events

    def _look_at_servers(self) -> None:
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LOOK_S
            self._fallen = fallen()
        if self._fallen:
            raise has_died(self._fallen)

    def tell(self, lease: int, message: Message) -> None:
        """Leave the message in the mailbox, which is made for the first one."""
        self._mailbox.put(lease, message)

    def kill(self, lease: int | None = None) -> None:
        """Kill the process of a lease, or those of all."""
        if self._fallen:
            return  # they end with it
        with self._lock:
            doomed = [item for item in self._streams.items() if lease in (None, item[1])]
        for stream, number in doomed:
            self._deaths.forgo(number)
            ray.cancel(stream, force=True)

    def close(self) -> None:
        """Kill what runs, and end the drain thread."""
        if self._open:
            self.kill()
            self._open = False
            self._interval.hasten()
            if self._fallen:
                return  # the thread waits for what does not come
            self._thread.join(timeout=10)
            if self._cluster is not None:
                self._cluster.close()
            self._mailbox.close()

    def _drain(self) -> None:
        try:
            self._read_all()
        except Exception as error:  # nobody would read any more, and the scheduler would wait for ever
            self._broken = error

    def _read_all(self) -> None:
        while self._open:
            for ended in self._deaths.unheard():
                self._events.put(ended)
            self._mailbox.tell_ended()
            with self._lock:
                streams = [*self._streams, *self._deaths.answers]
            if not streams:
                self._interval.idle()
                continue
            if self._put - self._got > MOST_HELD:  # the store is slow
                time.sleep(SHORT_S)
                continue
            ready, rest = self._ready(streams)
            for stream in ready:
                if stream in self._streams:
                    self._read(stream)
            for answer in self._deaths.due(ready):
                self._events.put(self._deaths.conclude(answer, _answered(answer)))
            if ready and rest:
                time.sleep(rest)

    def _ready(self, streams: list[Any]) -> tuple[list[Any], float]:
        """The streams that have something, and how long to leave them alone then."""
        rest = 0.0
        if len(streams) > FEW:  # fewer come one by one: each look costs a little
            began = time.thread_time()
            ready, _ = ray.wait(streams, num_returns=len(streams), timeout=0, fetch_local=False)
            rest = rest_after(time.thread_time() - began)
            if ready:
                return ready, rest
        # One ready stream is enough to go on; the time-out lets new leases join the list.
        return ray.wait(streams, num_returns=1, timeout=self._interval.next(), fetch_local=False)[0], rest

    def _read(self, stream: Any) -> None:
        """Take what one stream has ready."""
        lease, crashed = self._streams[stream], False
        try:
            while stream.next_ready():
                said = ray.get(next(stream))
                if isinstance(said, OomCount):
                    self._deaths.begin(lease, said)
                else:
                    self._put += said.size
                    self._events.put(LeaseSpoke(lease=lease, batch=said))
            if not stream.is_finished():
                return
            ended = LeaseEnded(lease=lease)
        except StopIteration:
            ended = LeaseEnded(lease=lease)
        except RayError as error:
            ended = LeaseEnded(lease=lease, failure=_sentence(error), kind=_kind(error))
            crashed = ended.kind == LeaseFailure.LOST and not isinstance(error, TaskCancelledError)
        with self._lock:
            del self._streams[stream]
        self._mailbox.ended(lease)
        self._interval.hasten()
        if not self._deaths.end(ended, crashed=crashed, nodes=self._nodes):
            self._events.put(ended)


def _count_again(before: OomCount) -> Any:
    """Ask the node for its kernel's count; returns at once."""
    there = NodeAffinitySchedulingStrategy(before.node, soft=False)
    return ray.remote(num_cpus=0, max_retries=0)(killed).options(scheduling_strategy=there).remote(before.file)


def _living() -> frozenset[str]:
    return frozenset(one["NodeID"] for one in watched(ray.nodes) if one["Alive"])


def _answered(answer: Any) -> Any:
    """The count; None: it has not come, the node is gone, or the file."""
    with suppress(RayError):
        return ray.get(answer, timeout=0)
    return None


def _lease_task(address: str, calls: int) -> Callable[[Sent, Lease, Sequence[Any]], Iterator[Batch | OomCount]]:
    """Return the function that Ray runs, with the mailbox's name and the number of leases after which the process ends.

    A function within a function travels by value, so that no worker has to import this file.
    """
    kept: list[LoadedData] = []  # this process's copy of the data
    reader = MailReader(lambda: ray.get_actor(address, namespace=NAMESPACE), (ValueError, RayError))

    def lease_task(sent: Sent, lease: Lease, data: Sequence[Any]) -> Iterator[Batch | OomCount]:
        def fetch() -> LoadedData:
            if not kept:
                kept.append(ray.get(data[0]))
            return kept[0]

        yield oom_count(ray.get_runtime_context().get_node_id())
        try:
            program = in_place(sent[0], lambda: ray.get(sent[1][0]))
            yield from run_lease(program, lease, mail=reader.of(lease), data=fetch)
        except WrongProcessError:
            # Ray ends a process after its last call, when the answer is on its way; let this be the last one. To exit
            # here, or soon, would take along the lease that Ray has sent after this one.
            counts = ray._private.worker.global_worker.function_actor_manager._num_task_executions
            counts.update(dict.fromkeys(counts, calls - 1))
            raise

    return lease_task


def _kind(error: RayError) -> LeaseFailure:
    if isinstance(error, WrongProcessError):  # Ray's error is an instance of its cause, too
        return LeaseFailure.REFUSED
    if isinstance(error, UnseenStoreError):
        return LeaseFailure.UNSEEN
    if isinstance(error, OutOfMemoryError):
        return LeaseFailure.OOM
    if isinstance(error, NodeDiedError):
        return LeaseFailure.NODE
    return LeaseFailure.ERROR if isinstance(error, RayTaskError) else LeaseFailure.LOST


def _sentence(error: RayError) -> str:
    if isinstance(error, OutOfMemoryError):
        return "the machine ran out of memory and Ray ended the trial's process"
    if isinstance(error, NodeDiedError):
        return NODE_DIED
    if isinstance(error, RayTaskError):
        return f"the worker failed before the trial: {str(error).strip().splitlines()[-1]}"
    if isinstance(error, TaskCancelledError):
        return "the lease was ended on request"
    return "the trial's process died (it was killed, or it crashed)"
