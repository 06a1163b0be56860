"""The best trial of a `Result`, which can be asked for its model."""

from __future__ import annotations

import os
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Protocol

from caviar.results.selector import Candidate

if TYPE_CHECKING:
    from typing import Self

    from caviar_workers.checkpoint import Checkpoint


class HasCheckpoints(Protocol):
    """A `Result`, as far as checkpoints are concerned."""

    def checkpoint(self, trial: int | None = None, *, step: int | None = None, best: bool = False) -> Checkpoint:
        """One of a trial."""
        ...


class BestTrial(Candidate):
    """A `Candidate`, equal to any other one of the same facts."""

    __slots__ = ("_result",)
    _result: HasCheckpoints

    @classmethod
    def of(cls, found: Candidate, result: HasCheckpoints) -> Self:
        """The same trial, with the result that it is of."""
        made = cls(**{one.name: getattr(found, one.name) for one in fields(found)})
        object.__setattr__(made, "_result", result)
        return made

    def checkpoint(
        self, path: str | os.PathLike[str] | None = None, *, step: int | None = None, best: bool = False
    ) -> Checkpoint:
        """Its checkpoint, which is written to a path where one is given: `result.best.checkpoint("best.pt")`.

        Args:
            path: The file, or the folder, where that is what was saved; None: nothing is written.
            step: The last step that is in it; None: the newest.
            best: Take the one that was saved with the best value of the metric.

        Raises:
            NotFoundError: There is no such checkpoint.
            StoreError: It is damaged or gone.
            OSError: It cannot be written.
        """
        found = self._result.checkpoint(self.trial, step=step, best=best)
        if path is not None:
            found.write(path)
        return found

    def __eq__(self, other: object) -> bool:
        """Whether the facts are the same."""
        return isinstance(other, Candidate) and asdict(self) == asdict(other)

    __hash__ = None  # type: ignore[assignment]  # a configuration is a dict
