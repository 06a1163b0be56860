"""What one call of the program wrote."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What one call of the program wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Lines of stdout without trailing blanks."""
        return [line.rstrip() for line in self.out.splitlines()]

    @property
    def told(self) -> list[str]:
        """The sentences of errors, as the program tells them."""
        return [line for line in self.err.splitlines() if line.startswith("caviar: ")]
