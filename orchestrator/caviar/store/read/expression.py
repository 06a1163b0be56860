"""A user's expression over named values, such as `val_error + 0.01 * latency_ms`: one scalar expression of SQL.

DuckDB parses it; from the tree that it gives, the few kinds of nodes below are written down anew, and anything else is
refused. So no text of the user ever becomes SQL, and there is no way to say a subquery, a table, an aggregate, a window
or a function that is not listed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from caviar.errors import SpecError, did_you_mean
from caviar.store.read.sql import parser, text, told

_NUMERIC = "abs ceil exp floor greatest least ln log log10 log2 pow power round sign sqrt"
FUNCTIONS = frozenset(_NUMERIC.split())
"""Functions that an expression may call: each gives a number for numbers, in no time."""

LONGEST = 1000
"""Characters of an expression."""

_ARITHMETIC = frozenset(("+", "-", "*", "/", "//", "%", "**", "^"))
_COMPARED = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "<>",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
}
_JOINED = {"CONJUNCTION_AND": " AND ", "CONJUNCTION_OR": " OR "}
_REFUSED = {
    "SUBQUERY": "a subquery",
    "WINDOW": "a window function",
    "STAR": "a *",
    "LAMBDA": "a lambda",
    "PARAMETER": "a parameter such as ? or $1",
    "CAST": "a cast or a date",
    "COLLATE": "a collation",
}
_CLAUSES = ("where_clause", "group_expressions", "group_sets", "having", "qualify", "modifiers", "sample")
_PLAIN = {"alias": "", "filter": None, "distinct": False, "schema": "", "catalog": "", "export_state": False}
"""What a node has that is nothing but what it looks like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An expression that was found in order."""

    words: str
    """As it was written, on one line."""
    names: tuple[str, ...]
    """The names in it, each once."""
    tree: Mapping[str, Any]
    """As DuckDB parsed it."""

    def sql(self, columns: Mapping[str, str]) -> str:
        """The expression as SQL.

        Args:
            columns: Each of its names → the SQL of its value.
        """
        return _sql(self.tree, lambda name: columns[name])


def parsed(words: str, known: Mapping[str, str]) -> Expression:
    """Read an expression.

    Args:
        words: What the user wrote. A name that is no plain word stands in double quotes: "val/loss" < 0.1.
        known: Names that may stand in it → what each is, for the error where it is ambiguous; without regard to case.

    Raises:
        SpecError: It is no such expression, or a name is not known.
    """
    line = " ".join(words.split())
    if not line or len(line) > LONGEST:
        raise SpecError(f"an expression has 1 to {LONGEST} characters, but {line[:40]!r} has {len(line)}: shorten it")
    folded = {name.casefold(): name for name in known}
    found: dict[str, None] = {}

    def column(name: str) -> str:
        its = folded.get(name.casefold())
        if its is None:
            raise SpecError(
                f"the expression {line!r} has the unknown name {name!r}{did_you_mean(name, known)}; a text stands in "
                "single quotes, and a name that is no plain word in double ones"
            )
        found[its] = None
        return its

    try:
        tree = _tree(line)
        _sql(tree, lambda _: "NULL")
        tree = _named(tree, column)
    except _NotAllowedError as error:
        raise SpecError(
            f"the expression {line!r} has {error}: it may have numbers, names, arithmetic, comparisons, AND, OR, NOT, "
            f"CASE, and the functions {', '.join(sorted(FUNCTIONS))}"
        ) from None
    except RecursionError:
        raise SpecError(f"the expression {line[:40]!r} is nested too deep: simplify it") from None
    return Expression(words=line, names=tuple(found), tree=tree)


@contextmanager
def answering(words: str) -> Iterator[None]:
    """Within the block, what DuckDB says of a user's expressions becomes a sentence about them."""
    try:
        yield
    except (duckdb.BinderException, duckdb.ConversionException, duckdb.OutOfRangeException) as error:
        raise SpecError(f"the expression {words} cannot be computed: {told(error)}") from error


class _NotAllowedError(Exception):
    """Something is in an expression that may not be there; the text says what."""


def _tree(line: str) -> dict[str, Any]:
    """The expression's own node; of a statement that is more than one expression, none."""
    with parser().cursor() as cursor:
        row = cursor.execute("SELECT json_serialize_sql(?)", [f"SELECT {line}\n"]).fetchone()
    answer: Any = json.loads(row[0]) if row else {"error": True}
    if answer["error"]:
        said = str(answer.get("error_message", "it cannot be read")).partition("\n")[0]
        raise _NotAllowedError(f"an error ({said})")
    if len(answer["statements"]) != 1:
        raise _NotAllowedError("several statements")
    node: dict[str, Any] = answer["statements"][0]["node"]
    if node["type"] != "SELECT_NODE" or len(node["select_list"]) != 1:
        raise _NotAllowedError("more than one expression")
    if node["from_table"]["type"] != "EMPTY" or node["cte_map"]["map"] or any(node.get(one) for one in _CLAUSES):
        raise _NotAllowedError("clauses of a query")
    found: dict[str, Any] = node["select_list"][0]
    return found


def _named(node: Any, column: Callable[[str], str]) -> Any:
    """The tree with each column under its known name."""
    if isinstance(node, list):
        return [_named(one, column) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("class") == "COLUMN_REF":
        return {**node, "column_names": [column(".".join(node["column_names"]))]}
    return {key: _named(one, column) for key, one in node.items()}


def _sql(node: Mapping[str, Any], column: Callable[[str], str]) -> str:
    """The node as SQL, in brackets where it needs some."""
    for key, plain in _PLAIN.items():
        if node.get(key, plain) != plain:
            raise _NotAllowedError(f"an {key}" if key == "alias" else f"a {key.replace('_', ' ')}")
    kind = node.get("class")
    write = _WRITERS.get(str(kind))
    if write is None:
        raise _NotAllowedError(_REFUSED.get(str(kind), f"a {str(kind).lower()}"))
    return write(node, column)


def _column(node: Mapping[str, Any], column: Callable[[str], str]) -> str:
    return f"({column(node['column_names'][0])})"


def _constant(node: Mapping[str, Any], _: Callable[[str], str]) -> str:
    literal = node["literal"]
    if literal["kind"] == "STRING":
        return text(literal["text"])
    if literal["kind"] == "NULL_LITERAL":
        return "NULL"
    if literal["kind"] == "BOOLEAN":
        return "TRUE" if literal["text"] == "true" else "FALSE"
    number = float(literal["text"])
    if not math.isfinite(number):
        raise _NotAllowedError("a number that is too large")
    return f"({number!r}::DOUBLE)"


def _function(node: Mapping[str, Any], column: Callable[[str], str]) -> str:
    name = node["function_name"].lower()
    if node["order_bys"]["orders"] or any(one["name"] for one in node["arguments"]):
        raise _NotAllowedError(f"the function {name}() with clauses")
    arguments = [_sql(one["expression"], column) for one in node["arguments"]]
    if node["is_operator"]:
        if name not in _ARITHMETIC:
            raise _NotAllowedError(f"the operator {name}")
        return f"({name}{arguments[0]})" if len(arguments) == 1 else f"({f' {name} '.join(arguments)})"
    if name not in FUNCTIONS:
        raise _NotAllowedError(f"the function {name}()")
    return f"{name}({', '.join(arguments)})"


def _comparison(node: Mapping[str, Any], column: Callable[[str], str]) -> str:
    sign = _COMPARED.get(node["type"])
    if sign is None:
        raise _NotAllowedError("a comparison other than =, <>, <, <=, > and >=")
    return f"({_sql(node['left'], column)} {sign} {_sql(node['right'], column)})"


def _conjunction(node: Mapping[str, Any], column: Callable[[str], str]) -> str:
    return f"({_JOINED[node['type']].join(_sql(one, column) for one in node['children'])})"


def _operator(node: Mapping[str, Any], column: Callable[[str], str]) -> str:
    first, *others = [_sql(one, column) for one in node["children"]]
    forms = {
        "OPERATOR_NOT": f"(NOT {first})",
        "OPERATOR_IS_NULL": f"({first} IS NULL)",
        "OPERATOR_IS_NOT_NULL": f"({first} IS NOT NULL)",
        "OPERATOR_COALESCE": f"coalesce({', '.join([first, *others])})",
        "COMPARE_IN": f"({first} IN ({', '.join(others)}))",
        "COMPARE_NOT_IN": f"({first} NOT IN ({', '.join(others)}))",
    }
    if node["type"] not in forms:
        raise _NotAllowedError(f"the operator {node['type'].lower()}")
    return forms[node["type"]]


def _between(node: Mapping[str, Any], column: Callable[[str], str]) -> str:
    return f"({_sql(node['input'], column)} BETWEEN {_sql(node['lower'], column)} AND {_sql(node['upper'], column)})"


def _case(node: Mapping[str, Any], column: Callable[[str], str]) -> str:
    checks = node["case_checks"]
    whens = [f"WHEN {_sql(one['when_expr'], column)} THEN {_sql(one['then_expr'], column)}" for one in checks]
    return f"(CASE {' '.join(whens)} ELSE {_sql(node['else_expr'], column)} END)"


_WRITERS: dict[str, Callable[[Mapping[str, Any], Callable[[str], str]], str]] = {
    "COLUMN_REF": _column,
    "CONSTANT": _constant,
    "FUNCTION": _function,
    "COMPARISON": _comparison,
    "CONJUNCTION": _conjunction,
    "OPERATOR": _operator,
    "BETWEEN": _between,
    "CASE": _case,
}
