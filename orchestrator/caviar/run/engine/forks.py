"""Trials that begin from a checkpoint of another one: who was born of whom, as the decisions tell.

The decision is all there is to know of a fork; its row of `configs` follows from it, so that a driver that dies between
the two leaves nothing half done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from caviar.errors import SpecError, StoreError
from caviar.run.engine.work import Work
from caviar.space import Constant, live_range
from caviar.space.option import option_from_json, option_text
from caviar_workers.states import Action, Cause
from caviar_workers.tables import CONFIGS, FORKED

if TYPE_CHECKING:
    from caviar.space import Space
    from caviar.space.scale import FloatArray

_TYPES = {"float": pa.float64(), "int": pa.int64(), "bool": pa.bool_(), "text": pa.string()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """A trial that was forked from another one."""

    trial: int
    parent: int
    attempt: int
    """Of the parent: it saved the checkpoint."""
    step: int
    """The last one in it."""
    config: Mapping[str, Any]
    """With which the trial goes on from there, as train gets it."""
    seed: int
    """The parent's."""
    by: str
    """Who decided it."""

    def work(self, attempt: int = 0, cause: Cause = Cause.FORK) -> Work:
        """The trial, about to be executed."""
        configs = {name: (value,) for name, value in self.config.items()}
        work = Work(trials=(self.trial,), attempts=(attempt,), seeds=(self.seed,), configs=configs)
        return work.because(cause)


def forks_of(decisions: Iterable[Mapping[str, Any]]) -> dict[int, Fork]:
    """Trial → how it was forked; what is not of its form, in the store of a stranger, tells of none.

    Args:
        decisions: Rows of the table `decisions`, with `numbers` as a mapping.
    """
    found = (_fork(one) for one in decisions if one["action"] == Action.FORK)
    return {fork.trial: fork for fork in found if fork is not None}


def _fork(row: Mapping[str, Any]) -> Fork | None:
    numbers, trial = row["numbers"], row["trial"]
    to, config = numbers.get("to"), numbers.get("config")
    parent, seed = numbers.get("parent"), numbers.get("seed")
    if not isinstance(to, dict) or not isinstance(config, dict):
        return None
    whole = trial, parent, seed, to.get("attempt"), to.get("step")
    if any(type(one) is not int or not 0 <= one < 2**63 for one in whole) or trial < FORKED:
        return None
    return Fork(
        trial=trial,
        parent=parent,
        attempt=to["attempt"],
        step=to["step"],
        config={name: option_from_json(value) for name, value in config.items()},
        seed=seed,
        by=row["decided_by"],
    )


def point_of(space: Space, config: Mapping[str, Any]) -> FloatArray:
    """The unit point of a configuration, [d]; a constant that was changed has the coordinate of the others.

    Raises:
        SpecError: It is none of the space's.
    """
    return space.unit({name: value for name, value in config.items() if not isinstance(space[name], Constant)})


def why_unfit(space: Space, config: Mapping[str, Any]) -> str:
    """Why a configuration, perhaps a stranger's, is none of a space; empty: it is."""
    try:
        point_of(space, config)
        for name, value in config.items():
            if isinstance(one := space[name], Constant) and value != one.value:
                (live_range(one) or one).plain(value)
    except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError, SpecError) as error:
        return str(error.args[0] if isinstance(error, KeyError) else error)
    return ""


def configs_row(space: Space, fork: Fork) -> pa.Table:
    """The row of the table `configs` of a trial that was forked.

    Raises:
        StoreError: Its configuration is none of the space's, in the store of a stranger.
    """
    if why := why_unfit(space, fork.config):
        raise StoreError(
            f"trial {fork.trial} was forked with a configuration that is none of its sweep's: {why:.200}; ask for "
            "another copy of the sweep, or run it anew"
        )
    arrays = [
        pa.array([fork.trial], pa.int64()),
        pa.array([fork.seed], pa.int64()),
        pa.array([None], pa.int64()),
        pa.array([np.asarray(point_of(space, fork.config)).tolist()], pa.list_(pa.float64())),
    ]
    fields = list(CONFIGS)
    own = {name: value for name, value in fork.config.items() if not isinstance(space[name], Constant)}
    columns = space.arrays(point_of(space, fork.config)[np.newaxis], {0: own})
    for name, parameter in space.items():
        kind = _TYPES[parameter.kind]
        if isinstance(parameter, Constant) and name in fork.config:
            value = fork.config[name]
            column = [option_text(value) if parameter.kind == "text" and not isinstance(value, str) else value]
        else:
            column = columns[name].tolist()
        arrays.append(pa.array(column, kind))
        fields.append(pa.field(name, kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
