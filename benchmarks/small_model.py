"""A real model that trains for milliseconds an epoch: a two-layer network on noisy one-dimensional signals, in numpy.

And a sweep of it on virtual workers, by the real engine: what trains is real, only the time is not.
"""

from __future__ import annotations

import math
import pickle
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import pyarrow as pa

from caviar.run.assembly import search_of
from caviar.run.engine.background import done
from caviar.run.engine.forks import Fork
from caviar.run.engine.ports import Ports, Unpublished
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.work import Kept, Pinned, Work
from caviar.run.executors.simulated import SimulatedExecutor, Stage
from caviar.search.samplers import make_sampler
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar.store.checkpoints import Cut, is_cut
from caviar_workers.checkpoint import Save
from caviar_workers.messages import Origin
from caviar_workers.trial import Trial

EPOCHS, CLASSES, LENGTH, WIDTH, BATCH = 40, 10, 40, 32, 40
SPACE = Space(
    {
        "lr": Float(1e-3, 3.0, scale="log", live=True),
        "momentum": Float(0.1, 0.99, scale="reverse_log", live=True),
        "l2": Float(1e-6, 1e-1, scale="log", live=True),
    }
)


def _signals(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Templates, moved, stretched and with noise, as in MNIST-1D; [count, LENGTH] and their classes."""
    templates = np.random.default_rng(7).normal(size=(CLASSES, 12))
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, CLASSES, count)
    found = np.zeros((count, LENGTH))
    for row, label in enumerate(labels):
        width = draws.integers(16, 26)
        signal = np.interp(np.linspace(0, 11, width), np.arange(12), templates[label])
        start = draws.integers(0, LENGTH - width)
        found[row, start : start + width] = signal * draws.uniform(0.6, 1.4)
    return found + 0.3 * draws.normal(size=found.shape), labels


TRAIN, VALID, TEST = _signals(1, 400), _signals(2, 400), _signals(3, 800)


class Net:
    """The network, and its momentum."""

    def __init__(self, seed: int) -> None:
        draws = np.random.default_rng(seed)
        shapes = ((LENGTH, WIDTH), (WIDTH,), (WIDTH, CLASSES), (CLASSES,))
        self.weights = [
            draws.normal(size=one) / math.sqrt(one[0]) if len(one) == 2 else np.zeros(one) for one in shapes
        ]
        self.speed = [np.zeros(one) for one in shapes]
        self.draws = draws

    def loss(self, data: tuple[np.ndarray, np.ndarray]) -> float:
        """The mean cross entropy; NaN or infinite where it has diverged."""
        with np.errstate(all="ignore"):
            _, logits = self._forward(data[0])
            logits -= logits.max(1, keepdims=True)
            found = np.log(np.exp(logits).sum(1)) - logits[np.arange(len(logits)), data[1]]
            return float(found.mean())

    def _forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        hidden = np.maximum(x @ self.weights[0] + self.weights[1], 0)
        return hidden, hidden @ self.weights[2] + self.weights[3]

    def epoch(self, lr: float, momentum: float, l2: float) -> None:
        """Train one epoch, by gradient descent with momentum."""
        order = self.draws.permutation(len(TRAIN[0]))
        with np.errstate(all="ignore"):
            for start in range(0, len(order), BATCH):
                rows = order[start : start + BATCH]
                x, y = TRAIN[0][rows], TRAIN[1][rows]
                hidden, logits = self._forward(x)
                logits -= logits.max(1, keepdims=True)
                error = np.exp(logits)
                error /= error.sum(1, keepdims=True)
                error[np.arange(len(y)), y] -= 1
                error /= len(y)
                back = (error @ self.weights[2].T) * (hidden > 0)
                grads = (x.T @ back, back.sum(0), hidden.T @ error, error.sum(0))
                for place, grad in enumerate(grads):
                    self.speed[place] = momentum * self.speed[place] - lr * (grad + l2 * self.weights[place])
                    self.weights[place] += self.speed[place]


def rate(lr: float, epoch: int, *, cosine: bool) -> float:
    """The learning rate of an epoch, constant or along a given cosine."""
    return lr * (0.5 * (1 + math.cos(math.pi * epoch / EPOCHS)) if cosine else 1.0)


def trained(schedule: Sequence[Mapping[str, float]], seed: int, *, cosine: bool) -> float:
    """The test loss of a net that is trained from the beginning with a configuration an epoch."""
    net = Net(seed)
    for epoch, config in enumerate(schedule):
        net.epoch(rate(config["lr"], epoch, cosine=cosine), config["momentum"], config["l2"])
    return net.loss(TEST)


class Rows(Unpublished):
    """A sink that keeps what was reported, and what was decided."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def add(self, table: str, data: pa.Table) -> None:
        """Keep rows."""
        self.tables[table] += data.to_pylist()


class InMemory:
    """A keeper of checkpoints, with all that rollbacks, guards and forks need; see `Checkpoints`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._saves: dict[int, list[Save]] = defaultdict(list)
        self._cuts: dict[int, Sequence[Cut]] = {}
        self._forks: dict[int, Fork] = {}

    def add_saves(self, saves: Sequence[Save]) -> None:
        """Keep them."""
        for save in saves:
            self._saves[save.trial].append(save)

    def forget(self, trials: Iterable[int]) -> None:
        """Take nothing away."""

    def process_died(self, lease: int) -> None:
        """Do nothing."""

    def cut(self, trial: int, cuts: Sequence[Cut]) -> None:
        """Note a rollback."""
        self._cuts[trial] = cuts

    def adopt(self, fork: Fork) -> None:
        """Note a fork."""
        self._forks[fork.trial] = fork

    def _living(self, trial: int) -> list[Save]:
        return [save for save in self._saves[trial] if not is_cut(save, self._cuts.get(trial, ()))]

    def pin(self, trial: int, attempt: int, step: int, *, living: bool) -> Future[Pinned | None]:
        """All stay."""
        config = next(row for row in self._rows.tables["configs"] if row["trial"] == trial)
        values = {name: (config[name],) for name in SPACE}
        newest = max(save.attempt for save in self._saves[trial])
        work = Work(trials=(trial,), attempts=(newest,), seeds=(config["seed"],), configs=values)
        return done(Pinned(work=work, state="RUNNING"))

    def find_back(self, trial: int, before: int) -> Future[tuple[Cut, Pinned] | None]:
        """The best living one before a step."""
        fit = [save for save in self._living(trial) if save.step < before and save.value == save.value]
        if not fit:
            return done(None)
        best = min(fit, key=lambda save: save.value)
        pinned = self.pin(trial, best.attempt, best.step, living=True).result()
        assert pinned is not None
        return done((Cut(best.attempt, best.step), pinned))

    def look_up(self, work: Work) -> Future[Kept]:
        """The newest living one, or that of the parent."""
        found: dict[int, tuple[Origin, ...]] = {}
        for trial, attempt in zip(work.trials, work.attempts, strict=True):
            if trial in self._forks:
                fork = self._forks[trial]
                save = next(s for s in self._saves[fork.parent] if (s.attempt, s.step) == (fork.attempt, fork.step))
                found[trial] = (Origin(save=save),)
            if attempt and (living := self._living(trial)):
                found[trial] = (Origin(save=living[-1]),)
        return done(Kept(restore=found))


def course(config: dict[str, Any], trial: Trial, *, cosine: bool, spoilt_from: int | None = None) -> Iterator[Stage]:
    """One virtual second an epoch; from `spoilt_from` on the rate is five times as large as it should be."""
    saved = trial.load()
    net: Net = Net(trial.seed) if saved is None else pickle.loads(saved.data)
    for epoch in range(0 if saved is None else saved.step + 1, EPOCHS):
        wrong = 5.0 if spoilt_from is not None and epoch >= spoilt_from else 1.0
        net.epoch(wrong * rate(config["lr"], epoch, cosine=cosine), config["momentum"], config["l2"])
        yield 1.0, epoch, {"loss": net.loss(VALID), "test": net.loss(TEST)} | {name: config[name] for name in SPACE}
        trial.save(epoch, pickle.dumps(net))


def swept(plan: Plan, *, cosine: bool, workers: int = 4, spoilt_from: int | None = None) -> Rows:
    """Run a sweep, and return what it has recorded."""
    rows = Rows()
    search = search_of(plan, make_sampler(plan.sampler, SPACE, plan.seed, plan.trials), None)
    executor = SimulatedExecutor(lambda c, t: course(c, t, cosine=cosine, spoilt_from=spoilt_from), workers=workers)
    ports = Ports(executor=executor, sink=rows, checkpoints=InMemory(rows), clock=executor.clock)
    Scheduler(plan, "s", search.source, ports, **search.judged, round_s=0.5).run()
    return rows
