"""How leases are made: how many trials one carries (`pack_size`), what it asks of its node, and what is sent.

A lease carries about ten seconds of work, however short the trials are.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from caviar.run.engine.work import Kept, Work
from caviar.space import live_range
from caviar.spec.plan import Plan
from caviar_workers.messages import Demand, Lease, Program
from caviar_workers.surroundings import working_folder

TARGET_S = 10.0
"""Seconds of work in a lease: long against the 8 ms that a slot waits for another and what its messages cost (together
1.6 % of a second), short against a user's patience.

In simulated sweeps (64 to 600 trials, 2 and 8 slots, lognormal durations, σ .3 to 1.5, means .1 to 2 s), with 3 shares,
sweeps of a few seconds take up to 1 % longer than with 1 s and 2 shares, and those of minutes .4 to .6 % less. The more
shares, the less trials wait behind a long one.
"""
LEAST_S = 0.05
"""Seconds of work in a lease near the end: less would cost more in leases than an idle slot at the end does."""
SHARES = 3
"""Leases a slot into which the rest is cut: the last ones are small, so that all slots finish together."""
GROWTH = 8
"""A lease carries at most this many times what the longest one before it did: one quick trial proves little."""
MOST = 20_000
"""Trials in a lease; bounds what is tried again when its process dies."""


MANY = 64
"""Slots from which on a sweep has a mailbox from the beginning, even if nobody judges or edits its trials: one process
more costs it less than so many leases that look for one each second."""
FLUSH_S = 0.5
"""Seconds for which a lease gathers what its trials report …"""
FLUSHES = 1000
"""… of up to 500 leases; of more, so many send something in a second."""


def lease_of(
    plan: Plan,
    sweep: str,
    number: int,
    work: Work,
    kept: Kept,
    demand: Demand,
    slots: int = 1,
) -> Lease:
    """The lease that carries some trials of a sweep.

    Args:
        plan: The sweep's.
        sweep: Its id.
        number: Counts the driver's leases from 0.
        work: The trials.
        kept: What is kept of those that were tried before.
        demand: What it asks of its node.
        slots: Leases that run at the same time.
    """
    live = frozenset(name for name, one in plan.space.items() if live_range(one) is not None)
    return Lease(
        checkpoints=kept.folders[0],
        build=kept.folders[1],
        restore=kept.restore,
        causes=work.causes,
        live=live,
        changes=work.changes,
        branches=work.branches,
        halts=work.halts,
        has_mailbox=bool(live or plan.stopping or slots >= MANY),
        flush_s=max(FLUSH_S, slots / FLUSHES),
        final=work.final,
        id=number,
        sweep=sweep,
        metric="" if work.final else plan.metric,  # a final test need not report it
        trials=work.trials,
        attempts=work.attempts,
        seeds=work.seeds,
        configs=work.configs,
        train_args=plan.arguments(),
        hidden=plan.hidden,
        demand=demand,
    )


def surrounded(program: Program, plan: Plan) -> Program:
    """The program as it travels: with the variables and the folder of its trials.

    It is another one than without: what importing the file gives may depend on them.
    """
    env = plan.environment()
    said = json.dumps([env, plan.workdir], sort_keys=True)
    digest = hashlib.sha256(f"{program.digest}:{said}".encode()).hexdigest() if env or plan.workdir else program.digest
    return replace(program, digest=digest, env=env, workdir=plan.workdir, here=working_folder())


def demand_of(plan: Plan, *, whole_gpu: bool = False) -> Demand:
    """Return what a lease of a sweep asks of its node.

    Args:
        plan: The sweep's.
        whole_gpu: Nobody else gets a share of its GPU: what it lacks is then its own affair.
    """
    gpus = float(math.ceil(plan.gpus)) if whole_gpu else plan.gpus
    return Demand(cpus=plan.cpus, gpus=gpus, fresh=plan.process == "fresh", forked=may_be_forked(plan))


def may_be_forked(plan: Plan) -> bool:
    """Whether trials may run in processes that are forked from one.

    That one has loaded its libraries for one core, and without the variables of the sweep's own; and a GPU that was
    looked at before a fork is lost after it.
    """
    return wants_forks(plan.process) and plan.cpus < 2 and not plan.gpus and not plan.environment()


def wants_forks(process: str) -> bool:
    """Whether processes are to be forked where they may be, by a sweep's setting, or by `CAVIAR_FORK=1`."""
    return process == "forked" or (process == "warm" and os.environ.get("CAVIAR_FORK") == "1")


@dataclass(frozen=True, slots=True)
class Pace:
    """The time that trials take, as far as it is known."""

    trial_s: float | None = None
    """Running mean of the seconds that one trial takes; None: none has ended yet."""
    carried: int = 1
    """Trials in the largest lease that ended."""

    def after(self, durations: Sequence[float], carried: int) -> Pace:
        """The pace after some more trials ended in a lease of `carried` trials."""
        if not durations:
            return self
        mean = sum(durations) / len(durations)
        trial_s = mean if self.trial_s is None else 0.5 * (self.trial_s + mean)
        return Pace(trial_s, max(self.carried, carried))


AHEAD = 64
"""Leases that wait in front of as many slots, or more, up to 512."""
MOST_WANTED = 1000
"""Leases at a time that a cluster is asked for, at most."""


def window_of(slots: int, *, ahead: bool) -> int:
    """Leases that are handed out for so many slots.

    Args:
        slots: Leases that can run at the same time, ≥ 1.
        ahead: Whether some wait in front of the slots, so that none waits for the driver: as many again, or an eighth
            of many, for each is looked at again and again.
    """
    return slots + (min(slots, max(AHEAD, slots // 8)) if ahead else 0)


def leases_left(pace: Pace, *, waiting: int, alone: bool) -> int:
    """Leases that the trials would fill which are in none, as far as it is known how long they take.

    Args:
        pace: What is known so far.
        waiting: Trials that are in no lease yet.
        alone: Whether each has a lease of its own.
    """
    if alone or pace.trial_s is None:
        return waiting
    return math.ceil(waiting * min(1.0, pace.trial_s / TARGET_S))


def pack_size(pace: Pace, *, waiting: int, slots: int) -> int:
    """Trials for the next lease.

    Args:
        pace: What is known so far.
        waiting: Trials that are in no lease yet, ≥ 1.
        slots: Leases that run at the same time, ≥ 1.

    Returns:
        1 … `MOST`; so few near the end that all slots finish together (guided self-scheduling: Polychronopoulos & Kuck,
        IEEE Transactions on Computers C-36(12), 1987, with a third of a share, as leases wait in front of busy slots).
    """
    if pace.trial_s is None:
        return 1
    trial_s = max(pace.trial_s, 1e-9)
    share = max(waiting / (SHARES * slots), LEAST_S / trial_s)
    return int(max(1, min(TARGET_S / trial_s, share, pace.carried * GROWTH, MOST)))
