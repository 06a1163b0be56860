"""Guards: rules that nurse a trial as a person would who sits up all night, and write down what they did.

A guard waits first, for some spikes heal; then it sends the trial back to its best checkpoint, or lets it go on, and
always changes something, since a deterministic train would repeat itself. When the same comes again before the
trial has got well past it, the trial goes back further. What a guard knows is a fold of the living rows and of its own
acts, so that a driver that resumes a sweep goes on as the first one would have.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from caviar.errors import SpecError
from caviar.search.stopping.policy import check_whole, number, score
from caviar.space.call_hints import called_as

_BOUND = re.compile(r"\s*(?P<metric>[^<>]+?)\s*(?P<sign>[<>])\s*(?P<bound>[-+0-9.eE]+)\s*")
_PLATEAU = re.compile(r"plateau:steps=0*([1-9][0-9]{0,17})")


@called_as("Guard(on='diverged', set={'lr': '*0.5'})")
@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What to do where a trial goes wrong while it trains.

    Args:
        on: `diverged`: the metric is NaN or infinite. `plateau:steps=500`: it has not improved for so many steps.
            `grad_norm > 100`: a metric is above a bound, or below one.
        set: Parameter → what becomes of it, such as `{"lr": "*0.5"}`; never empty. A value beyond the parameter's
            bounds is the bound.
        back: `best`: go back to the best checkpoint before it. Empty: go on, with other values of live parameters.
        at_most: Acts for one trial, ≥ 1.
        wait: Reports that the trial gets to heal by itself, ≥ 0; on a plateau, where it has had its time, none, and
            none where train returns or raises as it has diverged.

    Raises:
        SpecError: An argument breaks its rule.
    """

    on: str
    set: Mapping[str, Any]
    back: str = "best"
    at_most: int = 3
    wait: int = 2

    def __post_init__(self) -> None:
        on: object = self.on
        if not isinstance(on, str) or (on != "diverged" and not _PLATEAU.fullmatch(on) and _bound(on) is None):
            raise SpecError(
                f"a guard is on 'diverged', 'plateau:steps=500' or 'grad_norm > 100', but got {self.on!r:.60}"
            )
        given: object = self.set
        if not isinstance(given, Mapping) or not given or not all(isinstance(key, str) for key in given):
            raise SpecError(f"a guard always changes something: set={{'lr': '*0.5'}}, but got {self.set!r:.60}")
        if self.back not in ("best", ""):
            raise SpecError(f"a guard goes back to 'best', or nowhere (''), but got {self.back!r:.60}")
        check_whole("at_most", self.at_most)
        check_whole("wait", self.wait, 0)

    @property
    def name(self) -> str:
        """What it is called in the store."""
        return f"guard:{self.on}"

    def metric(self, objective: str) -> str:
        """The metric that it looks at, where the sweep's is `objective`."""
        bound = _bound(self.on)
        return objective if bound is None else bound[0]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, from which `guard_from_json` makes an equal guard."""
        return {
            "on": self.on, "set": dict(self.set), "back": self.back, "at_most": self.at_most, "wait": self.wait,
        }  # fmt: skip


def guard_from_json(data: Any) -> Guard:
    """Read what `to_json` wrote; SpecError where it is none."""
    if not isinstance(data, Mapping):
        raise SpecError(f"a guard is Guard(on='diverged', set={{'lr': '*0.5'}}), but got {data!r:.60}")
    try:
        return Guard(**data)
    except TypeError:
        raise SpecError(f"a guard has on, set, back, at_most and wait, but got {sorted(map(str, data))}") from None


def _bound(on: str) -> tuple[str, str, float] | None:
    found = _BOUND.fullmatch(on)
    try:
        bound = math.nan if found is None else float(found["bound"])
    except ValueError:
        return None
    return (found["metric"], found["sign"], bound) if found is not None and math.isfinite(bound) else None


@dataclass(slots=True)
class _Watched:
    """One trial."""

    attempt: int = 0
    bad: int = 0
    """Reports one after the other in which it went wrong."""
    since: int = 0
    """The step of the first of them."""
    step: int = -1
    value: float = math.nan
    better: list[tuple[int, float]] = field(default_factory=list)
    """Step and score of each improvement."""
    acts: list[tuple[int | None, int]] = field(default_factory=list)
    """Of each act: the step to which the trial went back, or none, and the one at which it had gone wrong."""
    over: bool = False
    ended: bool = False
    """Train has returned, or raised: it heals no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A trial went wrong, and did not heal."""

    trial: int
    step: int
    """Of its newest report."""
    before: int
    """Go back to a checkpoint before this step."""
    value: float
    why: str
    enough: bool
    """The guard has acted as often as it may."""
    ended: bool = False
    """The trial came to its end with it."""


class GuardWatch:
    """One guard over all trials of a sweep.

    Args:
        guard: The rule.
        mode: The sweep's, `min` or `max`.
    """

    def __init__(self, guard: Guard, mode: str) -> None:
        self.guard = guard
        self._mode = mode
        self._trials: dict[int, _Watched] = {}
        self._wrong_now: set[int] = set()
        found = _PLATEAU.fullmatch(guard.on)
        self._plateau = int(found[1]) if found else None
        self._bound = None if found else _bound(guard.on)

    def note(self, trial: int, attempt: int, start: int, step: int, value: float) -> None:
        """A row of a trial came that counts; another attempt goes on where it starts."""
        known = self._trials.setdefault(trial, _Watched())
        if attempt != known.attempt:
            known.attempt, known.bad, known.ended = attempt, 0, False
            known.better = [one for one in known.better if one[0] < start]
        known.step, known.value = step, value
        found = score(value, self._mode)
        if not known.better or found < known.better[-1][1]:
            known.better.append((step, found))
        if self._wrong(known):
            known.since = known.since if known.bad else step
            known.bad += 1
            self._wrong_now.add(trial)
        else:
            known.bad = 0
            self._wrong_now.discard(trial)

    def alarms(self) -> list[Alarm]:
        """All trials on which it is time to act."""
        found = (self.alarm(trial) for trial in sorted(self._wrong_now))
        return [one for one in found if one is not None]

    def alarm(self, trial: int) -> Alarm | None:
        """Whether it is time to act on a trial, after its newest row."""
        known = self._trials.get(trial)
        if known is None or known.over or (known.ended and (self._plateau or not self.guard.back)):
            return None  # who ends on a plateau has had its time
        heals = not (self._plateau or (known.ended and self.guard.on == "diverged"))
        if known.bad <= (self.guard.wait if heals else 0):
            return None
        before = known.since
        if self._plateau is not None:
            before = known.step + 1
        elif known.acts and known.acts[-1][0] is not None:
            target, wrong = known.acts[-1]
            if target is not None and known.since <= wrong + (wrong - target):  # it comes again
                before = min(before, target)
        seen = f"{self.guard.metric('the metric')} was {number(known.value)} at step {known.step}"
        why = f"no better for {self._plateau} steps" if self._plateau else f"{seen}, {known.bad} reports long"
        enough = len(known.acts) >= self.guard.at_most
        return Alarm(
            trial=trial, step=known.step, before=before, value=known.value, why=why, enough=enough, ended=known.ended
        )

    def end(self, trial: int) -> None:
        """Train has returned, or raised; where it went wrong just before, it is not waited for."""
        if (known := self._trials.get(trial)) is not None:
            known.ended = True

    def acted(self, trial: int, target: int | None, wrong: int) -> None:
        """The guard has acted: it is quiet until something new comes."""
        known = self._trials.setdefault(trial, _Watched())
        known.acts.append((target, wrong))
        known.bad = 0

    def give_up(self, trial: int) -> None:
        """The guard does nothing more for a trial."""
        self._trials.setdefault(trial, _Watched()).over = True

    def _wrong(self, known: _Watched) -> bool:
        if self._plateau is not None:
            last = max([known.better[-1][0], *(wrong for _, wrong in known.acts)])
            return known.step - last >= self._plateau
        if self._bound is not None:
            _, sign, bound = self._bound
            return not (known.value <= bound if sign == ">" else known.value >= bound)
        return not math.isfinite(known.value)
