"""Which source files make up an experiment, and the names in them by which a worker finds the functions again.

Found by reading import statements, not by running them, so that an import inside a function counts too. The modules lie
beside the file, or in other folders of the user's. Of a package all modules are part of it, for which of them are
imported may be decided by a name that is made up as the code runs. Installed packages are not: sweep.json records their
versions.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import io
import re
import sys
import textwrap
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from types import CodeType
from typing import Any

from caviar.errors import SpecError
from caviar.spec.user_modules import OURS, folder_elsewhere, modules_within
from caviar_workers.messages import Program

ROLES = ("train", "final", "constraint", "data")
"""The user's functions, by the names of the Sweep's fields."""


def entry_of(namespace: Mapping[str, Any], function: Callable[..., Any]) -> str | None:
    """A dotted name that leads from the module's namespace to the function; None: there is none.

    A plain function is found by its own name; a lambda, a partial or a function from elsewhere by a variable that
    holds it, or by the attribute (`train`, `final`, …) of a variable that has it, such as the Sweep itself.
    """
    qualified = getattr(function, "__qualname__", "")
    if _resolve(namespace, qualified) is function:
        return str(qualified)
    for name, value in namespace.items():
        if value is function:
            return name
    for name, value in namespace.items():
        for attribute in ROLES:
            if attribute in getattr(type(value), "__dataclass_fields__", {}) and getattr(value, attribute) is function:
                return f"{name}.{attribute}"
    return None


def _resolve(namespace: Mapping[str, Any], qualified: str) -> Any:
    first, *rest = qualified.split(".")
    value = namespace.get(first)
    for part in rest:
        value = getattr(value, part, None)
    return value


MOST_SOURCE = 16 * 1024 * 1024
"""Bytes of source that a snapshot may hold."""


def program_of_file(path: Path, *, train: str = "", final: str = "", package: str = "") -> Program:
    """Snapshot an experiment's file and the modules beside it.

    Args:
        path: The file.
        train: Name of the train function in it.
        final: Name of the function for the winner in it; empty: none.
        package: The package that the file is a module of, so that its relative imports hold; empty: it is none's.

    Raises:
        SpecError: The file, or a module beside it, is missing, is not Python, or is too large.
    """
    path = path.resolve()
    if package:
        name = package if path.name == "__init__.py" else f"{package}.{path.stem}"
        root = path.parents[package.count(".") + 1]
        program = _program(name, root, list(_beside(root, iter([name]))))
    else:
        name = module_name(path)
        program = _program(name, path.parent, [(name, path, "")])
    return replace(program, train=train, final=final)


def package_of(path: Path) -> str:
    """The package that a file must be a module of, for it imports relatively; empty: it runs as a file by itself.

    Where it would go on without such an import, as in a `try`, it is a file.

    Raises:
        SpecError: It cannot be read, or is not Python.
    """
    path = path.resolve()
    return _package_round(path) if _imports_relatively(read_source(path)) else ""


def _package_round(path: Path) -> str:
    """The dotted name of the folders round a file that have an `__init__.py`."""
    names: list[str] = []
    folder = path.parent
    while folder.name.isidentifier() and (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    return "" if names[:1] and names[0] in OURS else ".".join(names)


def _imports_relatively(source: str) -> bool:
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ImportFrom) and node.level:
            return True
        if not isinstance(node, (ast.Try, ast.TryStar, ast.If)):
            waiting.extend(ast.iter_child_nodes(node))
    return False


def program_of_module(name: str, root: Path) -> Program:
    """Snapshot a module under its own name, with the modules beside it.

    Args:
        name: Its full name.
        root: The folder that it, or its outermost package, lies in.

    Raises:
        SpecError: As in `program_of_file`.
    """
    return _program(name, root, list(_beside(root, iter([name]))))


def program_of_modules(names: Mapping[Path, Iterable[str]]) -> Program:
    """Snapshot modules that no file of the experiment's leads to, as those beside a notebook.

    Args:
        names: Folder → modules that lie in it; names of others are left out.

    Raises:
        SpecError: As in `program_of_file`.
    """
    files: dict[str, tuple[str, str]] = {}
    packages: frozenset[str] = frozenset()
    for root, there in names.items():
        taken = sum(len(source) for _, source in files.values())
        found = _program("", root, list(_beside(root, iter(sorted(there)))), taken)
        files = {**found.files, **files}
        packages |= found.packages
    return Program(digest=digest_of(files), train="", files=files, packages=packages)


def _program(name: str, root: Path, queue: list[tuple[str, Path, str]], taken: int = 0) -> Program:
    """The program of a module, from what is known of it: (module, file, package it lies in).

    Args:
        name: Of the module; empty: there are several.
        root: The folder that they lie in.
        queue: What is known of them.
        taken: Characters of source that are in the same snapshot already.
    """
    sources: dict[str, tuple[str, str]] = {}
    packages: set[str] = set()
    elsewhere: dict[str, Path | None] = {}
    path, size = root if not queue else queue[-1][1], taken
    while queue:
        module, file, package = queue.pop()
        if module in sources:
            continue
        bare = file.name == "__init__.py" and not file.is_file()
        source = "" if bare else read_source(file)
        sources[module] = (str(file), source)
        size += len(source)
        if file.name == "__init__.py":
            packages.add(module)
            if not bare:
                queue.extend(_within(module, file.parent))
        if size > MOST_SOURCE:
            raise SpecError(
                f"an experiment's own source is at most 16 MiB, but {path} imports more: install it as a package"
            )
        queue.extend(_reached(root, _imports(source, package), elsewhere))
    return Program(
        digest=digest_of(sources),
        train="",
        module=name,
        files=dict(sorted(sources.items())),
        packages=frozenset(packages),
    )


def program_of_functions(given: Mapping[str, Callable[..., Any] | None], beside: Program) -> Program:
    """The program of functions that live in no file, as in a notebook; workers get the functions themselves.

    Args:
        given: Role (`train`, `final`, …) → function, or None.
        beside: The snapshot of the modules that they may import.
    """
    functions = {role: function for role, function in given.items() if function is not None}
    files = {f"_notebook_{role}": (f"<{role}>", _source(function)) for role, function in functions.items()}
    files = {**beside.files, **files}
    program = Program(
        digest=digest_of(files), train="train", files=files, packages=beside.packages, functions=functions
    )
    return replace(program, **{role: role for role in functions})  # type: ignore[arg-type]  # mypy takes them for any


def module_name(path: Path) -> str:
    """The name under which an experiment is imported: never that of an installed module (`random.py` is fine)."""
    return "_experiment_" + re.sub(r"\W", "_", path.stem)


def read_source(file: Path) -> str:
    """The text of a file of Python.

    Raises:
        SpecError: It cannot be read, or is none.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(MOST_SOURCE + 1)
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        source = data.decode(encoding)
        _check_syntax(source, str(file))
    except OSError as error:
        raise SpecError(f"cannot read the experiment {file}: {error.strerror or error}") from error
    except (SyntaxError, ValueError, LookupError) as error:  # the last of a codec that is none of texts
        where = f" (line {error.lineno})" if isinstance(error, SyntaxError) and error.lineno else ""
        raise SpecError(f"{file} is not valid Python{where}: {getattr(error, 'msg', error)}") from error
    return source


@lru_cache(4096)
def _check_syntax(source: str, file: str) -> None:
    """See that a source is Python; once a process, for a sweep takes the same modules several times."""
    compile(source, file, "exec", dont_inherit=True)


@lru_cache(4096)
def _imports(source: str, package: str) -> tuple[str, ...]:
    """Absolute dotted names of all that a module imports; of `from a import b`, both `a` and `a.b`."""
    return tuple(_imported(source, package))


def _imported(source: str, package: str) -> Iterator[str]:
    tree = ast.parse(source)
    calls = "import_module" in source or "__import__" in source
    for node in ast.walk(tree) if calls else _statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".") if package else []
            base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            if module:
                yield module
            yield from (f"{module}.{alias.name}" if module else alias.name for alias in node.names)
        elif isinstance(node, ast.Call) and _callee(node.func) in {"import_module", "__import__"} and node.args:
            name = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
            if isinstance(name, str) and name:
                yield importlib.util.resolve_name(name, package) if package or name[0] != "." else name.lstrip(".")


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All statements, without looking into expressions: a tenth of the nodes, and with them of the time."""
    queue = [tree]
    while queue:
        node = queue.pop()
        yield node
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, block, None)
            if isinstance(inner, list):  # of a lambda and a conditional expression it is one expression
                queue += inner


def _callee(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _within(package: str, folder: Path) -> Iterator[tuple[str, Path, str]]:
    """As `_beside`, the modules and packages in a package's folder that are Python."""
    for name, module in modules_within(folder):
        if _is_python(module):
            yield f"{package}.{name}", module, f"{package}.{name}" if module.name == "__init__.py" else package


def _is_python(file: Path) -> bool:
    try:
        read_source(file)
    except SpecError:
        return False
    return True


def _reached(root: Path, names: Iterable[str], elsewhere: dict[str, Path | None]) -> Iterator[tuple[str, Path, str]]:
    """As `_beside`, and of what is not below `root` those modules that are the user's all the same.

    Args:
        root: The experiment's folder.
        names: Of modules.
        elsewhere: Top-level name → the folder that it was found in before; grows.
    """
    for name in names:
        top = name.partition(".")[0]
        if found := list(_beside(root, iter([name]))):
            yield from found
            continue
        if top not in elsewhere:
            elsewhere[top] = folder_elsewhere(top)
        folder = elsewhere[top]
        if folder is not None and folder != root:
            yield from _beside(folder, iter([name]))


def _beside(root: Path, names: Iterator[str]) -> Iterator[tuple[str, Path, str]]:
    """(module, file, package it lies in) of those names, and of their parents, that are files below `root`.

    A folder without `__init__.py` is a package where it leads to a module; the file it lacks is named all the same.
    """
    for name in names:
        parts = name.split(".")
        if parts[0] in OURS:
            continue
        bare: list[tuple[str, Path, str]] = []
        for depth in range(1, len(parts) + 1):
            stem = root.joinpath(*parts[:depth])
            module = ".".join(parts[:depth])
            found = module, stem / "__init__.py", module
            if not found[1].is_file():
                file = stem.with_name(stem.name + ".py")
                if not file.is_file():
                    if not stem.is_dir() or (depth == 1 and _is_installed(module, root)):
                        break
                    bare.append(found)
                    continue
                found = module, file, ".".join(parts[: depth - 1])
            yield from bare
            bare.clear()
            yield found


def _is_installed(name: str, root: Path) -> bool:
    """Whether a real module or package of this name lies elsewhere: a folder without `__init__.py` hides none."""
    if name in sys.stdlib_module_names:
        return True
    elsewhere = [path for path in sys.path if Path(path or ".").resolve() != root]
    spec = PathFinder.find_spec(name, elsewhere)
    return spec is not None and spec.loader is not None and spec.origin is not None


def digest_of(sources: Mapping[str, tuple[str, str]]) -> str:
    """The SHA-256 of sources, by their names; in hex digits."""
    sha = hashlib.sha256()
    for name, (_, text) in sorted(sources.items()):
        for part in (name, text):
            data = part.encode()
            sha.update(len(data).to_bytes(8, "big") + data)
    return sha.hexdigest()


def _source(function: Callable[..., Any]) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        return f"# source not at hand, Python {sys.version_info[:2]}\n# {_compiled(code)!a}\n"


def _compiled(code: Any) -> Any:
    """What a code object does, without where it stood."""
    if not isinstance(code, CodeType):
        return repr(code) if isinstance(code, (int, float, complex, str, bytes, type(None))) else type(code).__name__
    return code.co_code.hex(), code.co_names, [_compiled(one) for one in code.co_consts]
