"""What differs between two fingerprints, in words. A difference is a reason to look, never a verdict."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from caviar_workers.messages import DataDigest, Machine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caviar_workers.messages import Fingerprint

_CALLED = {"python": "Python", "cpu": "CPU", "blas": "BLAS", "gpus": "GPU", "cuda": "CUDA", "cudnn": "cuDNN"}


def changes(then: Fingerprint, now: Fingerprint) -> tuple[str, ...]:
    """What has changed from one to the other, such as `numpy 2.1 → 2.2`. What one of them does not know has not.

    Where it ran is no change: a host's name says nothing of what it computes.
    """
    return (
        *_data(then.data, now.data),
        *_distributions(then.distributions, now.distributions),
        *_machine(then.machine, now.machine),
    )


def _data(then: DataDigest, now: DataDigest) -> tuple[str, ...]:
    return ("data",) if then.sha256 and now.sha256 and then.sha256 != now.sha256 else ()


def _distributions(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    if not then or not now:
        return []
    changed = [f"{name} {then[name]} → {now[name]}" for name in then if name in now and then[name] != now[name]]
    gone = [f"{name} {then[name]} is gone" for name in then if name not in now]
    return changed + gone + [f"{name} {now[name]} is new" for name in now if name not in then]


def _machine(then: Machine, now: Machine) -> list[str]:
    found = []
    for item in fields(Machine):
        before, after = (_text(getattr(one, item.name)) for one in (then, now))
        if before and after and before != after:
            found.append(f"{_CALLED.get(item.name, item.name)} {before} → {after}")
    return found


def _text(value: str | int | tuple[str, ...]) -> str:
    """Empty: not known."""
    return ", ".join(value) if isinstance(value, tuple) else str(value or "")
