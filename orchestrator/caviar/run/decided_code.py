"""Other code for a sweep whose trial is rolled back: kept before that is decided, and the sweep's own from then on.

The decision names the code. So whoever dies before it has changed nothing; and who dies after it, before the sweep's
description says so too, leaves that to the next owner.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.spec.code_archive import pack, unpack
from caviar.store import Views
from caviar.store.untrusted_json import numbers_of
from caviar_workers.states import Action

if TYPE_CHECKING:
    from caviar.store import Store, SweepDir
    from caviar.store.ownership import Ownership
    from caviar_workers.messages import Program


def is_other(sweep: SweepDir, code: Program | None) -> bool:
    """Whether a sweep has had other code so far."""
    return code is not None and code.digest != sweep.description()["program"]["digest"]


def need_silence(sweep: SweepDir) -> None:
    """See that nobody runs a sweep, which would go on with the code that it has; StoreError where somebody does."""
    if sweep.owner().runs:
        raise StoreError(
            f"sweep {sweep.id} runs with its code: type caviar stop {sweep.id}, and roll back with other code then; "
            "nothing was changed"
        )


def keep_code(held: Ownership, code: Program) -> None:
    """Keep code that may be decided for; it counts for nobody so far."""
    held.sweep.keep_code((code.digest, pack(code)), (code.project, code.archive) if code.project else None)


def take_up_code(store: Store, held: Ownership) -> None:
    """Let a sweep that is ours have the code that was decided last, if its description does not say so yet.

    Raises:
        StoreError: It is gone.
    """
    with Views(store, [held.sweep]) as views:
        sql = f"SELECT numbers FROM decisions WHERE action = '{Action.ROLLBACK}' ORDER BY n"
        decided = [numbers_of(numbers).get("program") for (numbers,) in views.execute(sql).fetchall()]
    digests = [one for one in decided if isinstance(one, str)]
    if not digests or Counter(held.sweep.codes())[digests[-1]] >= Counter(digests)[digests[-1]]:
        return  # each of these decisions is one change of its code
    kept = held.sweep.kept_code(digests[-1])
    project = unpack(kept).project
    files = (project, held.sweep.kept_code(project)) if project else None
    held.sweep.amend(code=(digests[-1], kept), project=files)
    held.sweep = held.sweep.again()
