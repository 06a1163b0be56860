"""Whether the function that a worker imports is the one that was given: the same code, the same values in its sight.

A worker imports the experiment's file under another name than `__main__`. What the script did after its imports, such
as `train = partial(train, …)`, or setting a global from the command line, has not happened there. What cannot be shown
to be the same counts as different: then the functions themselves are sent, with the values that they see. The other
modules of the experiment are not sent along, but imported by their names; so in these nothing may differ.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Collection
from operator import attrgetter
from typing import Any

from caviar.spec.code_names import imports_in, module_uses, of_attribute
from caviar.spec.object_parts import ABSENT, Pieces, home_of, long_and_plain, of_module, pieces, reaches_any_module

_MOST_LOOKS = 100_000
"""Objects that are looked at, where long tables of numbers and texts count as one; then no more can be shown."""
_Look = tuple[Any, Any, str, bool, Collection[str] | None]


class Comparison:
    """Compares what a process has with what an import of the same files gives.

    Args:
        here: Name of the experiment's module in this process, such as `__main__`.
        there: Its name where it was imported.
        beside: Names of the other modules of the experiment.
        fresh: Imports one of these anew; it may raise SpecError.
        sent: Those of `beside` that are sent too, if the functions are.
        rewritten: The code here is not what Python makes of the file: pytest's loader, say, changes it.

    Attributes:
        changed: The first difference in what is sent with the functions, as a dotted name; None: there is none.
        lost: The first one in another module, which would not be sent; None: there is none.
        imports: Names that the functions import as they run, of modules or of what these may hold.
        met: Names of other modules of the experiment that the functions lead to.
        exhausted: There was too much to look at; so something counts as changed, and something may be lost.
    """

    def __init__(
        self,
        here: str,
        there: str,
        beside: Collection[str],
        *,
        fresh: Callable[[str], types.ModuleType],
        sent: Collection[str] = (),
        rewritten: bool = False,
    ) -> None:
        self._here, self._there = here, there
        self._own = {here, there, *beside}
        self._beside = set(beside)
        self._fixed = self._beside - set(sent)
        self._fresh = functools.cache(fresh)  # one of each, or there would always be another one to look at
        self._rewritten = rewritten
        self._seen: dict[tuple[int, int, bool, bool], tuple[Any, Any]] = {}
        self._looks = 0
        self.changed: str | None = None
        self.lost: str | None = None
        self.imports: set[str] = set()
        self.met: set[str] = set()
        self.exhausted = False

    def look(self, one: Any, other: Any, where: str) -> None:
        """Look for differences in all that can be reached.

        Args:
            one: From this process.
            other: From the import; ABSENT: nothing there is called so.
            where: What to call them.
        """
        waiting: list[_Look] = [(one, other, where, False, None)]
        while waiting:
            self._looks += 1
            if self._looks > _MOST_LOOKS:
                self._note(waiting[-1][2], fixed=False)
                self.exhausted = True
                return
            waiting.extend(reversed(self._step(*waiting.pop())))
            if self.lost is not None:
                return

    def look_beside(self) -> None:
        """Look at the other modules, each as a whole."""
        for name in sorted(self._fixed):
            if name in sys.modules:
                self.look(sys.modules[name], ABSENT, name)
                self.lost = self.lost or (name if self.exhausted else None)

    def _note(self, where: str, *, fixed: bool) -> None:
        if fixed:
            self.lost = self.lost or where
        else:
            self.changed = self.changed or where

    def _step(self, one: Any, other: Any, where: str, fixed: bool, names: Collection[str] | None) -> list[_Look]:
        """Compare two objects; what they hold is still to be compared."""
        if one is other:
            return []
        if one is ABSENT:
            self._note(where, fixed=fixed)
            return []
        if (home := self._home(one)) is not None:
            self.met.add(one.__name__ if isinstance(one, types.ModuleType) else one.__module__)
            fixed, where = True, home if other is ABSENT else where
            other = self._counterpart(one, home) if other is ABSENT else other
        if names is None:
            key = id(one), id(other), fixed, other is ABSENT
            if key in self._seen:
                return []
            self._seen[key] = one, other  # which also keeps their ids from being used again
            if (plain := long_and_plain(one)) is not None and (other is ABSENT or plain == long_and_plain(other)):
                if other is ABSENT:
                    self._note(where, fixed=fixed)
                return []
        mine = self._pieces(one, names)
        theirs = None if other is ABSENT or not self._same_type(one, other) else self._pieces(other, names)
        if mine is None or theirs is None or not self._same_head(mine.head, theirs.head):
            self._note(where, fixed=fixed)
            theirs = None
        return [] if mine is None else self._parts(one, mine, theirs, where, fixed, names)

    def _parts(
        self, one: Any, mine: Pieces, theirs: Pieces | None, where: str, fixed: bool, names: Collection[str] | None
    ) -> list[_Look]:
        labels = [label for label, _ in mine.parts]
        if theirs is None:
            others = [ABSENT] * len(labels)
        elif labels == [label for label, _ in theirs.parts]:
            others = [part for _, part in theirs.parts]
        else:
            known = dict(theirs.parts)
            # A package has its modules' names once anybody imported them: that says nothing of what they are.
            free = {label for label, part in mine.parts if label not in known and self._is_part(one, label, part)}
            if [label for label in labels if label not in free] != self._labels(one, labels, theirs):
                odd = next((label for label in [*labels, *known] if label not in known or label not in labels), "")
                self._note(where if mine.ordered else self._called(one, where, odd), fixed=fixed)
            others = [known.get(label, ABSENT) for label in labels]
        found: list[_Look] = []
        uses = module_uses(one.__code__) if isinstance(one, types.FunctionType) else {}
        for (label, part), its in zip(mine.parts, others, strict=True):
            read: Collection[str] | None = None
            if isinstance(part, types.ModuleType):
                read = uses.get(label[1:]) if label[:1] == ":" else names and of_attribute(names, label[1:])
            found.append((part, its, self._called(one, where, label), fixed, read))
        if isinstance(one, types.FunctionType) and home_of(one) in self._own:
            found.extend(self._late(one))
        return found

    def _labels(self, one: Any, labels: list[str], theirs: Pieces) -> list[str]:
        """Return the names that are there; of a package without those of its modules that only that import has."""
        there = (label for label, part in theirs.parts if label in labels or not self._is_part(one, label, part))
        return list(there)

    def _is_part(self, one: Any, label: str, part: Any) -> bool:
        """Whether it is one of a package's own modules, which is compared with what its own import gives."""
        holder = one.__name__ if isinstance(one, types.ModuleType) else getattr(one, "__globals__", {}).get("__name__")
        if not isinstance(part, types.ModuleType) or label[:1] not in (".", ":"):
            return False
        return part.__name__ == f"{holder}.{label[1:]}" and part.__name__ in self._fixed

    def _late(self, function: types.FunctionType) -> list[_Look]:
        """Return what a function of ours imports when it runs; if nobody has imported that yet, as it will be."""
        package = function.__globals__.get("__package__") or ""
        names = imports_in(function.__code__, package)
        self.imports.update(names)
        if reaches_any_module(function):
            names = {**names, **dict.fromkeys(self._fixed)}
        loaded = {name: chosen for name, chosen in names.items() if name in self._fixed and name in sys.modules}
        return [(sys.modules[name], ABSENT, name, True, chosen) for name, chosen in loaded.items()]

    def _called(self, one: Any, where: str, label: str) -> str:
        if label[:1] == ":":  # a global
            return f"{home_of(one)}.{label[1:]}" if home_of(one) in self._beside else label[1:]
        return f"{where}{label}" if len(label) < 60 else where

    def _home(self, one: Any) -> str | None:
        """The name by which an object is imported rather than sent."""
        if isinstance(one, types.ModuleType):
            return one.__name__ if one.__name__ in self._fixed else None
        if not isinstance(one, (types.FunctionType, type)) or one.__module__ not in self._fixed:
            return None
        module = sys.modules.get(one.__module__)
        return f"{one.__module__}.{one.__qualname__}" if resolved(module, one.__qualname__) is one else None

    def _counterpart(self, one: Any, home: str) -> Any:
        if isinstance(one, types.ModuleType):
            return self._fresh(home)
        return resolved(self._fresh(one.__module__), one.__qualname__)

    def _pieces(self, value: Any, names: Collection[str] | None) -> Pieces | None:
        if names is not None and isinstance(value, types.ModuleType) and value.__name__ in self._own:
            return of_module(value, names, self._own)
        return pieces(value, self._own)

    def _same_type(self, one: Any, other: Any) -> bool:
        first, second = type(one), type(other)
        if isinstance(one, types.ModuleType) and self._mapped(one.__name__) != getattr(other, "__name__", None):
            return False
        if isinstance(one, type) and self._mapped(one.__module__) != getattr(other, "__module__", None):
            return False
        same = first.__qualname__ == second.__qualname__ and self._mapped(first.__module__) == second.__module__
        return first is second or same

    def _same_head(self, one: Any, other: Any) -> bool:
        if isinstance(one, types.CodeType) and isinstance(other, types.CodeType):
            return self._same_code(one, other)
        return bool(self._mapped(one) == other)

    def _same_code(self, one: types.CodeType, other: types.CodeType) -> bool:
        if self._rewritten:
            return (one.co_name, one.co_firstlineno) == (other.co_name, other.co_firstlineno)
        return bool(_code_key(one) == _code_key(other))

    def _mapped(self, text: Any) -> Any:
        """A text, with the experiment's module name at its beginning replaced by the one that an import gives it."""
        if isinstance(text, str) and (text == self._here or text.startswith(f"{self._here}.")):
            return self._there + text[len(self._here) :]
        return text


def rewrites(module: types.ModuleType) -> bool:
    """Whether the module's loader makes other code of a file than Python does."""
    loader = getattr(module, "__loader__", None)
    return loader is not None and type(loader).__module__.partition(".")[0] not in {
        "_frozen_importlib_external",
        "importlib",
        "caviar_workers",
    }


def resolved(module: types.ModuleType | None, name: str) -> Any:
    """Return what a dotted name leads to in a module; ABSENT: nothing."""
    try:
        return attrgetter(name)(module)
    except AttributeError:
        return ABSENT


def _code_key(code: types.CodeType) -> Any:
    """Return what a function does, whatever the lines that it stands in."""
    inner = [_code_key(one) for one in code.co_consts if isinstance(one, types.CodeType)]
    constants = [(type(one), repr(one)) for one in code.co_consts if not isinstance(one, types.CodeType)]
    arguments = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    return code.co_name, arguments, code.co_code, inner, constants, names
