"""A file of packages that a sweep needs beside what the machines have: which of its lines can be followed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from caviar.errors import SpecError

OPTION = "--requirements"
_MOST = 2**20
_PART_OF_THE_CLUSTER = {
    "ray": "the cluster runs it already",
    "caviar-sweep": "it runs the sweep already",
    "caviar": "it runs the sweep already",
    "pip": "it is what fetches the packages",
}
"""Names that are refused, and why: the process that would need them runs before they are there."""
_PATH = re.compile(r"[^\s;\[]*([/\\]|\.(whl|zip|tar\.gz|tgz)\b)")
_HASH = re.compile(r"\s--hash=\S+")


def requirements_of(file: Path) -> list[Requirement]:
    """The packages that a file of pip's form asks for, one a line.

    Raises:
        SpecError: It cannot be read, asks for none, or for what cannot be had on a cluster; the sentence says why.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(_MOST + 1)
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{OPTION} names a file of packages, but {file} cannot be read: {error}") from error
    if len(data) > _MOST:
        raise SpecError(f"{OPTION} names a file of packages, and {file} is larger than any such")
    found = [_requirement(file, number, line) for number, line in _lines(text)]
    if not found:
        raise SpecError(f"{file} names no package: leave {OPTION} out")
    return found


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each line that says something; one that ends with a backslash goes on."""
    begun, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        first = first if begun else number
        begun += re.sub(r"(^|\s)#.*", "", line).rstrip()
        if begun.endswith("\\"):
            begun = begun[:-1] + " "
            continue
        if begun.strip():
            yield first, begun.strip()
        begun = ""
    if begun.strip():
        yield first, begun.strip()


def _requirement(file: Path, number: int, line: str) -> Requirement:
    where = f"{file.name}, line {number}"
    if why := _why_not(line):
        raise SpecError(f"{where}: {_shown(line)} {why}")
    try:
        found = Requirement(_HASH.sub("", line))
    except InvalidRequirement as error:
        raise SpecError(f"{where}: {_shown(line)} is no package such as 'einops>=0.8': {_first(error)}") from error
    if (taken := _PART_OF_THE_CLUSTER.get(canonicalize_name(found.name))) is not None:
        raise SpecError(f"{where}: {found.name} cannot be another one there, {taken}: change it in the image")
    return found


def _why_not(line: str) -> str:
    """Why a line cannot be followed on a cluster; empty: it is no such line."""
    word = line.split(maxsplit=1)[0].partition("=")[0]
    if word in ("-e", "--editable"):
        return "is a folder of this machine: lay the package beside the experiment's file, with which it travels"
    if word in ("-r", "--requirement", "-c", "--constraint"):
        return f"leads to another file: write what it says into the one that {OPTION} names"
    if line.startswith("-"):
        return (
            "is an option of pip's: set it where the cluster starts, such as PIP_INDEX_URL, and name a package a line"
        )
    if "://" in line or re.match(r"\w+\s*(\[[^]]*\])?\s*@", line):
        return "is an address, and may lead to what has to be built: name a package of an index, or use the image"
    if (
        line.startswith((".", "/", "~"))
        or re.search(r"\.(whl|zip|tar\.gz|tgz)\b", line)
        or re.match(r"[^\s;\[]*[/\\]", line)
    ):
        return "is a path of this machine: lay the package beside the experiment's file, with which it travels"
    return ""


def _shown(line: str) -> str:
    """A line as it may be told: an address may hold a password."""
    return f"{re.sub(r'://[^/@ ]*@', '://…@', line):.80}"


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
