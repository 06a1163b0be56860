"""A display for tests."""

from caviar.display.plain import SilentProgress


class Told(SilentProgress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)
