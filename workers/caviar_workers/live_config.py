"""A configuration of which some values change while a trial trains, and whether train has looked at them since."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


class LiveConfig(dict[str, Any]):
    """A dict that can be watched; until then it costs what a dict does."""

    __slots__ = ("unread",)
    unread: set[str]
    """Keys whose values changed and were not looked at since; set by `watch`."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle, or copy, what it holds: a dict."""
        return dict, (dict(self.items()),)


class WatchedConfig(LiveConfig):
    """A `LiveConfig` that notes who looks at what; when all was looked at, it is a `LiveConfig` again."""

    __slots__ = ()

    def __getitem__(self, key: str) -> Any:
        """Return a value, and note that it was looked at."""
        self._seen(key)
        return dict.__getitem__(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, and note that it was looked at."""
        self._seen(key)
        return dict.get(self, key, default)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys; for its sake `dict(config)` and `f(**config)` ask for each value."""
        return dict.__iter__(self)

    def items(self) -> Any:
        """Return keys and values, and note that all were looked at."""
        self._seen(*self.unread)
        return dict.items(self)

    def values(self) -> Any:
        """Return the values, and note that all were looked at."""
        self._seen(*self.unread)
        return dict.values(self)

    def copy(self) -> dict[str, Any]:
        """Return a copy, and note that all was looked at."""
        self._seen(*self.unread)
        return dict.copy(self)

    def _seen(self, *keys: str) -> None:
        self.unread.difference_update(keys)
        if not self.unread:
            self.__class__ = LiveConfig  # type: ignore[assignment]  # of the same layout


def watch(config: LiveConfig, key: str) -> None:
    """Watch whether a value is looked at."""
    unread = config.unread if isinstance(config, WatchedConfig) else set()
    config.unread = unread | {key}
    config.__class__ = WatchedConfig  # of the same layout


def is_unread(config: LiveConfig, key: str) -> bool:
    """Return whether nobody has looked at a value since it is watched."""
    return isinstance(config, WatchedConfig) and key in config.unread


def live(form: Callable[[Mapping[str, Any]], Any]) -> Callable[[Mapping[str, Any]], Any]:
    """The form in which train gets its configuration, with dicts that can be watched in the place of others."""
    return lambda config: _watchable(form(config), set(config))


def _watchable(config: Any, names: set[str], before: str = "") -> Any:
    """The same configuration; a dict that is a value itself, and no room of others, stays what it is."""
    if type(config) is not dict:
        return config
    found = LiveConfig()
    for key, value in config.items():
        name = f"{before}{key}"
        dict.__setitem__(found, key, value if name in names else _watchable(value, names, f"{name}."))
    return found
