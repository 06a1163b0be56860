"""The class that train declares for its configuration, against the space that is searched."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from caviar.errors import SpecError, did_you_mean
from caviar_workers.config_form import NOTHING, config_class, kept_name, leaves, own_name

if TYPE_CHECKING:
    from caviar.space import Space


def check_config_class(train: Callable[..., Any], space: Space) -> None:
    """See that an object of the class that train declares, if it does, can be made of each configuration.

    Raises:
        SpecError: The space has a parameter that is no field of it, or a field would be without a value.
    """
    declared = config_class(train)
    if declared is None:
        return
    known = {kept_name(name): usual for name, usual in leaves(declared)}
    for name in space:
        if name not in known and not any(one.startswith(f"{name}.") for one in known):
            raise SpecError(
                f"the space has {name!r}, but {declared.__name__}, which train declares, has no such field"
                f"{did_you_mean(name, known)}"
            )
    for name, usual in known.items():
        given = [one for one in space if one == name or name.startswith(f"{one}.")]
        if usual is NOTHING and (not given or space[given[0]].when is not None):
            why = "exists in some trials only" if given else "is not in the space"
            raise SpecError(f"{declared.__name__}.{name} has no default and {why}: give it a default, or put it there")


def field_default(train: Callable[..., Any], name: str) -> Any:
    """The default of a field of the class that train declares; `NOTHING`: there is none."""
    declared = config_class(train)
    return NOTHING if declared is None else dict(leaves(declared)).get(own_name(name), NOTHING)
