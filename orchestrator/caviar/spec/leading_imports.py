"""What a file imports before it does anything else: libraries that another process may import ahead of it.

Only what is installed counts, and only up to the first statement that could change how a later import goes, such as one
that sets an environment variable, or that imports a module of the user's own. So to import these first, and the file
later, is what the file itself does.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from caviar.spec.user_modules import OURS, installed

_LATER = ("ray",)
"""Who imports it decides when: it reads its environment as it is imported."""


def leading_imports(source: str, folder: Path, path: Sequence[str]) -> list[str]:
    """The import statements at a file's top, as text, one each; none where it is not valid Python.

    Args:
        source: The file's text.
        folder: Where it lies: a module of such a name there goes before an installed one.
        path: Where Python looks for modules.
    """
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return []
    found = []
    for statement in body:
        if _is_text(statement):
            continue
        if not isinstance(statement, ast.Import | ast.ImportFrom) or not _all_installed(statement, folder, path):
            break
        found.append(ast.unparse(statement))
    return found


def _is_text(statement: ast.stmt) -> bool:
    """Whether it is a docstring, or like one."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _all_installed(statement: ast.Import | ast.ImportFrom, folder: Path, path: Sequence[str]) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return not statement.level and _installed(str(statement.module), folder, path)
    return all(_installed(alias.name, folder, path) for alias in statement.names)


def _installed(module: str, folder: Path, path: Sequence[str]) -> bool:
    top = module.partition(".")[0]
    if top in _LATER or (folder / f"{top}.py").exists() or (folder / top).exists():
        return False
    if top in OURS or top in sys.stdlib_module_names:
        return True
    spec = PathFinder.find_spec(top, list(path))
    return spec is not None and spec.origin is not None and installed(Path(spec.origin))
