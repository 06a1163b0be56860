"""What `final` functions measured, over all sweeps that come from each other: each is a look at the test set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.results.family import kin
from caviar.store.final_tests import final_results

if TYPE_CHECKING:
    from caviar.store import Store, SweepDir


def finals_of_kin(store: Store, sweep: SweepDir) -> list[dict[str, Any]]:
    """All findings, oldest first, each with the `sweep` and `trial` of the winner that was measured.

    Raises:
        StoreError: They cannot be read.
    """
    found = [{"sweep": one.id, **final} for one in kin(store, sweep) for final in final_results(one)]
    return sorted(found, key=lambda one: str(one.get("when", "")))
