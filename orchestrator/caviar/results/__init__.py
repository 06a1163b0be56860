"""What sweeps found: documents of it, made from the store alone. Whatever shows something shows one of them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from caviar.results.open_sweep import store_path
    from caviar.results.selector import Candidate, Selection, select

__all__ = ["Candidate", "Selection", "select", "store_path"]

_FILES = {
    "Candidate": "selector",
    "Selection": "selector",
    "select": "selector",
    "store_path": "open_sweep",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for: a verb that shows one thing pays for no other."""
    if name in _FILES:
        value = getattr(import_module(f"{__name__}.{_FILES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
