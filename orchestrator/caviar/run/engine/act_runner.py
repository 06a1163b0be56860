"""Does what somebody asks of one trial while its sweep runs: edits, rollbacks, notes; or publishes why it is not done.

An act that refers to a checkpoint waits until that is pinned: it is not published before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from caviar.errors import SpecError
from caviar.run.engine.acts import Act, Acts, breaks_a_rule, refused
from caviar.run.engine.births import births, cannot_be_forked
from caviar.run.engine.breeding import explored
from caviar.run.engine.counters import Counters
from caviar.run.engine.decision_log import Decision
from caviar.run.engine.forks import Fork, configs_row
from caviar.run.engine.guard_runner import GuardRunner
from caviar.run.engine.look_ups import LookUps
from caviar.run.engine.messenger import Messenger
from caviar.run.engine.policy_runner import PolicyRunner
from caviar.run.engine.ports import Ports
from caviar.run.engine.trial_source import TrialSource
from caviar.run.engine.work import Pinned
from caviar.space.option import option_to_json
from caviar.spec.plan import Plan
from caviar_workers.states import CHANGING, USER, Action
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from caviar.run.engine.trial_table import TrialTable
    from caviar.search.stopping import Judgement

REFERRING = (Action.ROLLBACK, Action.FORK)
"""Acts that refer to a checkpoint."""
GONE = "the checkpoint that it refers to is gone, or another branch began before it"


class ActRunner:
    """Belongs to the scheduler's loop.

    Args:
        plan: The sweep.
        source: Its trials to come.
        ports: Who keeps checkpoints.
        trials: Where its trials are.
        look_ups: Who of them waits for the disk.
        acts: What was done so far.
        policies: Are to compare changed trials no more.
        counters: Counted those that run again after they had ended.
        messenger: Tells trials.
        decide: Publishes decisions, and does what they say.
    """

    def __init__(  # noqa: PLR0913, PLR0917 — an act concerns them all
        self,
        plan: Plan,
        source: TrialSource,
        ports: Ports,
        trials: TrialTable,
        look_ups: LookUps,
        acts: Acts,
        policies: PolicyRunner,
        counters: Counters,
        messenger: Messenger,
        decide: Callable[[Sequence[Decision]], None],
    ) -> None:
        self._plan = plan
        self._source = source
        self._ports = ports
        self._trials = trials
        self._look_ups = look_ups
        self._acts = acts
        self._policies = policies
        self._counters = counters
        self._messenger = messenger
        self._decide = decide
        self._pinning: deque[tuple[Act, Future[Pinned | None]]] = deque()

    @property
    def waiting(self) -> int:
        """Acts that wait for a checkpoint."""
        return len(self._pinning)

    def take_up(self) -> None:
        """Let those go on that were forked under earlier drivers; and, if nothing else is left, who is paused by hand.

        Raises:
            StoreError: It cannot be published.
        """
        rest = self._source.rest
        for trial, attempt in rest.forked.items():
            fork = self._acts.forks.get(trial)
            if fork is not None:
                if trial not in rest.recorded:
                    self._ports.sink.add("configs", configs_row(self._plan.space, fork))
                self._trials.again(fork.work(attempt, rest.cause(trial)))
        held = self._trials.held
        waits = [trial for trial in [*rest.attempts, *rest.forked] if self._trials.told_to(trial, Action.PAUSE)]
        if held and len({*held, *waits}) == self._source.waiting + self._trials.waiting:
            self._decide([Decision(action=Action.CONTINUE, by=USER, trial=trial) for trial in held])

    def begin(self, act: Act, *, ending: bool) -> None:
        """Do what is asked, or publish why it is not done; what refers to a checkpoint waits until that is pinned.

        Args:
            act: What is asked.
            ending: The sweep is about to end.

        Raises:
            StoreError: It cannot be published, and so nothing is done.
        """
        why, again = self._objection(act, ending=ending)
        if not why and act.decision.action in REFERRING:
            to = checkpoint_of(act.decision.numbers)
            trial = act.decision.trial
            if to is None or trial is None or self._ports.checkpoints is None:
                why = "it is none that this version knows"
            else:
                living = act.decision.action == Action.ROLLBACK
                self._pinning.append((act, self._ports.checkpoints.pin(trial, *to, living=living)))
                return
        if why:
            self._decide([refused(act, why, again=again)])
            return
        trial = act.decision.trial
        assert trial is not None
        wakes = act.decision.action in CHANGING and self._trials.told_to(trial, Action.PAUSE)
        promoted = [Decision(action=Action.PROMOTE, by=act.decision.by, trial=trial)] if wakes else []
        self._decide([act.decision, *promoted])

    def go_on(self, *, ending: bool) -> None:
        """Do what waited for a checkpoint that is pinned by now.

        Raises:
            StoreError: The store cannot be read, or it cannot be published.
        """
        while self._pinning and self._pinning[0][1].done():
            act, future = self._pinning.popleft()
            pinned = future.result()
            why, again = self._objection(act, ending=ending)
            if not why and pinned is None:
                why, again = GONE, True
            if why or pinned is None:
                self._decide([refused(act, why, again=again)])
            elif act.decision.action == Action.FORK:
                self._decide(births(act.decision, pinned.work.seeds[0], FORKED + len(self._acts.forks)))
            else:
                self._roll_back(act.decision, pinned)

    def act_as_guards(self, guards: GuardRunner) -> None:
        """Do what guards decide.

        Raises:
            StoreError: It cannot be published.
        """
        guards.act(self._ports.checkpoints, self._lives, self._decide, self._roll_back)

    def carry_out(self, trial: int, number: int, decision: Decision) -> None:
        """Do what was decided by hand of a trial, or note what became of it."""
        self._acts.enter(number, decision)
        if decision.action == Action.CONTINUE:
            self._trials.lets_go_on(trial)
            return
        if decision.action == Action.PAUSE:
            self._trials.hold(trial)
            self._messenger.tell(trial, Action.PAUSE, number)
            return
        if decision.action == Action.FORK and trial in self._acts.forks:
            self._bear(self._acts.forks[trial])
        if decision.action not in CHANGING:
            return
        self._policies.let_go(trial)
        if decision.action == Action.ROLLBACK:
            self._trials.sends_back(trial)
            if self._ports.checkpoints is not None:
                self._ports.checkpoints.cut(trial, self._acts.cuts(trial))
            self._look_ups.again(trial)
        self._messenger.tell(trial, Action(decision.action), number)

    def breed(self, found: Judgement, by: str, others: int) -> Decision:
        """The decision by which a trial is born in the place of another one.

        Args:
            found: What a policy decided.
            by: What that is called.
            others: Trials whose birth is decided, and not published yet.

        Raises:
            SpecError: The best one has saved nothing.
        """
        winner, child = int(found.numbers["winner"]), FORKED + len(self._acts.forks) + others
        work, saved = self._trials.work_of(winner), self._trials.record(winner).saved
        if work is None or saved is None:
            raise SpecError(
                f"trial {winner} has saved no checkpoint, and {by} goes on from these: let train call trial.save()"
            )
        before = work.config_of(winner)
        config = explored(self._plan.space, before, self._plan.seed, child)
        new = {name: value for name, value in config.items() if before.get(name) != value}
        numbers = {
            **found.numbers,
            "child": child,
            "parent": winner,
            "to": {"attempt": saved[0], "step": saved[1]},
            "seed": work.seeds[0],
            "config": {name: option_to_json(value) for name, value in config.items()},
            "set": {name: option_to_json(value) for name, value in new.items()},
            "old": {name: option_to_json(before.get(name)) for name in new},
        }
        facts = {"step": found.step, "value": found.value, "bar": found.bar}
        return Decision(action=Action.FORK, by=by, trial=child, numbers=numbers, **facts)  # type: ignore[arg-type]

    def _bear(self, fork: Fork) -> None:
        """Let a trial begin that was forked from another one."""
        if fork.by == USER:
            self._policies.let_go(fork.trial)
        if self._ports.checkpoints is not None:
            self._ports.checkpoints.adopt(fork)
        self._ports.sink.add("configs", configs_row(self._plan.space, fork))
        self._trials.again(fork.work())

    def _roll_back(self, decision: Decision, pinned: Pinned) -> None:
        """Send a trial back, wherever it is: its present attempt, if it has one, ends with its next report."""
        trial = pinned.work.trials[0]
        newest = max(self._trials.newest(trial), self._look_ups.newest(trial), pinned.work.attempts[0])
        self._decide([replace(decision, attempt=newest)])
        waits = self._trials.take_out_paused(trial)
        if waits is not None:
            self._trials.again(waits)
        elif not self._lives(trial):
            self._counters.takes_back(trial, pinned.state)
            self._trials.again(replace(pinned.work, attempts=(newest,)).again())

    def _lives(self, trial: int) -> bool:
        return self._trials.holds(trial) or self._source.holds(trial) or self._look_ups.holds(trial)

    def _objection(self, act: Act, *, ending: bool) -> tuple[str, bool]:
        """Why an act cannot be done, empty: it can; and whether it can be asked for once more."""
        trial, action = act.decision.trial, act.decision.action
        assert trial is not None
        if action not in (*CHANGING, Action.PAUSE, Action.CONTINUE, Action.FORK):
            return "", False
        over = {
            "it has ended": not self._acts.taken or not (action in REFERRING or self._lives(trial)),
            "its sweep is about to end": ending,
            "it was told to stop": action != Action.FORK and self._trials.told_to(trial, Action.STOP),
        }
        if why := next((why for why, holds in over.items() if holds), ""):
            return why, False
        if action in (Action.PAUSE, Action.CONTINUE):
            held = self._trials.record(trial).held
            same = "it is paused already" if held else "it is not paused"
            return "" if held == (action == Action.CONTINUE) else same, False
        if action == Action.FORK:
            return cannot_be_forked(self._plan.space, act.decision.numbers), False
        broken = breaks_a_rule(self._plan.space, act.decision.numbers, live=action == Action.EDIT)
        if broken:
            return broken, False
        return ("another change came first", True) if act.seen != self._acts.newest(trial) else ("", False)


def checkpoint_of(numbers: Any) -> tuple[int, int] | None:
    """Attempt and step of the checkpoint that an act refers to; None: it names none."""
    to = numbers.get("to")
    attempt, step = (to.get("attempt"), to.get("step")) if isinstance(to, dict) else (None, None)
    if type(attempt) is not int or type(step) is not int or min(attempt, step) < 0:
        return None
    return attempt, step
