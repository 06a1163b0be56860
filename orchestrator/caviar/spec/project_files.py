"""Which files of a project travel, and why the others do not.

What `.gitignore` and `.caviarignore` leave out stays behind, unless it is named in full. What may hold a secret,
environments, caches and results stores always do.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from pathspec import GitIgnoreSpec

from caviar.errors import SpecError
from caviar_workers.project import MOST, MOST_FILES, is_plain_name

SECRET = (
    *(".env*", "*.pem", "*.key", "id_*", ".netrc", "_netrc", ".aws", ".ssh", "credentials*", ".git-credentials"),
    *(".pgpass", ".pypirc", ".npmrc", ".kube", ".docker", ".azure", ".gnupg", "*.p12", "*.pfx", "*.jks", ".htpasswd"),
    *("*.env", "secrets", "secrets.*", "service-account*", "service_account*", "application_default_credentials*"),
    *(".dockercfg", ".s3cfg", ".boto", ".databrickscfg", ".vault-token", "kaggle.json", "token.json", "*.ppk"),
    *("*.kdbx", "*.keytab", "*.tfstate"),
)
"""Names of what may hold a secret, whatever is in it; small and capital letters are the same."""
_HISTORY = (".git", ".hg", ".svn")
_CACHES = (
    *("__pycache__", "*.pyc", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints", ".hypothesis"),
    *(".tox", ".nox", "node_modules", ".DS_Store", ".caviar-uv"),
)
_IGNORING = (".caviarignore", ".gitignore")
"""Files of patterns; what the first one says, such as `!data/`, goes before what the other one does."""
EVERYTHING = ("**",)
_WILD = set("*?[")
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile:
    """One file that travels."""

    name: str
    """Its path within the project, with slashes."""
    path: Path
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A file, or a folder with all that it holds, that does not."""

    name: str
    """As of a `ProjectFile`; a folder's ends with a slash."""
    why: str


@dataclass(frozen=True, kw_only=True)
class ProjectFiles:
    """What travels of a project, and what does not; both in the order of their names."""

    root: Path
    kept: tuple[ProjectFile, ...]
    left: tuple[LeftOut, ...]

    @property
    def size(self) -> int:
        """The bytes of all files that travel."""
        return sum(file.size for file in self.kept)

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the files that travel."""
        return frozenset(file.name for file in self.kept)

    def check_size(self) -> None:
        """See that it is not too large.

        Raises:
            SpecError: It is; the sentence names the five largest files.
        """
        if self.size > MOST:
            largest = sorted(self.kept, key=lambda file: -file.size)[:_NAMED]
            named = ", ".join(f"{file.name} ({file.size / 1e6:,.3g} MB)" for file in largest)
            raise SpecError(
                f"a project of at most {MOST / 1e6:,.0f} MB travels, and {self.root} has {self.size / 1e6:,.0f} MB; "
                f"the largest files are {named}: name what is not needed in .caviarignore, and let train read large "
                "data from where all machines see it"
            )
        if len(self.kept) > MOST_FILES:
            raise SpecError(
                f"a project of at most {MOST_FILES:,} files travels, and {self.root} has {len(self.kept):,}: name what "
                "is not needed in .caviarignore"
            )


def check_root(root: Path) -> Path:
    """A project's folder, as an absolute path.

    Raises:
        SpecError: It is none, or so much lies in it that it cannot be meant.
    """
    found = Path(os.path.abspath(root))
    if not found.is_dir():
        raise SpecError(f"a project is a folder, and there is none at {found}: name it with --project DIR")
    home = Path.home()
    if found.resolve() in {Path("/"), home.resolve(), *home.resolve().parents, *found.resolve().anchor}:
        raise SpecError(
            f"{found} holds far more than one project (it is your home folder, or above it): put the experiment into a "
            "folder of its own, or name one with --project DIR"
        )
    return found


def project_files(
    root: Path, wanted: Sequence[str] = EVERYTHING, *, also: Sequence[str] = (), store: Path | None = None
) -> ProjectFiles:
    """What of a folder travels.

    Args:
        root: The project's folder.
        wanted: Names of files and folders in it, or globs of them such as `data/*.csv`.
        also: Names of files that are wanted, too, if they may travel.
        store: Where results go, which stays where it is.

    Raises:
        SpecError: Something that was named is not there, or never travels; or the folder cannot be a project's.
    """
    walk = _Walk(root=check_root(root), wanted=tuple(wanted), also=tuple(also), store=store)
    found = list(walk.folder("", walk.ignoring_above(), ""))
    kept = sorted((one for one in found if isinstance(one, ProjectFile)), key=lambda one: one.name)
    left = sorted((one for one in found if isinstance(one, LeftOut)), key=lambda one: one.name)
    files = ProjectFiles(root=walk.root, kept=tuple(kept), left=tuple(left))
    for pattern in wanted:
        walk.check_wanted(pattern, files)
    return files


def _spec(pattern: str) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines([f"/{pattern.removeprefix('./').lstrip('/')}"])


@dataclass(frozen=True, kw_only=True)
class _Rules:
    """The patterns of one file that says what to ignore."""

    file: str
    """Its name."""
    base: str
    """Path of its folder from the project's root: `` or `data/`; of one above, what leads from there to the root."""
    above: bool
    spec: GitIgnoreSpec

    def says(self, name: str) -> tuple[bool, str] | None:
        """Whether it leaves a path out, and by which pattern; None: it says nothing of it."""
        inner = self.base + name if self.above else name.removeprefix(self.base)
        found = self.spec.check_file(inner)
        if found.include is None or found.index is None:
            return None
        return found.include, f"{self.file}: {getattr(list(self.spec.patterns)[found.index], 'pattern', inner)}"


@dataclass(frozen=True, kw_only=True)
class _Walk:
    root: Path
    wanted: tuple[str, ...]
    also: tuple[str, ...]
    store: Path | None

    @cached_property
    def explicit(self) -> tuple[str, ...]:
        """What was named in full: to name it is to want it, whatever is ignored."""
        plain = (one.removeprefix("./").strip("/") for one in self.wanted if not _WILD & set(one))
        return (*(one for one in plain if one), *self.also)

    @cached_property
    def _wished(self) -> GitIgnoreSpec:
        return GitIgnoreSpec.from_lines([f"/{one.removeprefix('./').lstrip('/')}" for one in self.wanted])

    def wishes(self, name: str) -> bool:
        """Whether a path is wanted."""
        return self.wanted == EVERYTHING or self._wished.match_file(name)

    def check_wanted(self, pattern: str, files: ProjectFiles) -> None:
        """See that what a user named is found, and travels."""
        if any(part == ".." for part in pattern.split("/")) or os.path.isabs(pattern):
            raise SpecError(
                f"files are kept from within {self.root}, but got {pattern!r}: name a folder that holds it, too, with "
                "--project DIR"
            )
        spec = _spec(pattern)
        if any(spec.match_file(name) for name in files.names):
            return
        name = pattern.removeprefix("./").rstrip("/")
        behind = next((one for one in files.left if spec.match_file(one.name) or f"{name}/".startswith(one.name)), None)
        if behind is not None:
            raise SpecError(
                f"{behind.name} does not travel ({behind.why}), and nothing else is called {pattern}: name a file in "
                "full that .gitignore leaves out, or put !PATTERN into .caviarignore; what may hold a secret never does"
            )
        if pattern not in EVERYTHING:
            raise SpecError(f"no file in {self.root} is called {pattern}: name one, or a glob such as 'data/*.csv'")

    def ignoring_above(self) -> list[_Rules]:
        """What the folders above the root say, up to the repository's."""
        found: list[_Rules] = []
        for folder in (self.root, *self.root.parents):
            if folder != self.root:
                inner = self.root.relative_to(folder).as_posix() + "/"
                found += _rules(folder, inner, above=True)
            if (folder / ".git").exists():
                return found
        return []

    def folder(self, base: str, outer: list[_Rules], behind: str) -> Iterator[ProjectFile | LeftOut]:
        """Yield what is in one folder and below it.

        Args:
            base: Its path from the root: `` or `data/`.
            outer: What the folders above it say, the innermost first.
            behind: Why it is left out but for what was named in full; empty: it is not.
        """
        rules = [*_rules(self.root / base, base, above=False), *outer]
        try:
            entries = sorted(os.scandir(self.root / base), key=lambda entry: entry.name)
        except OSError as error:
            yield LeftOut(name=base, why=f"it cannot be read: {error.strerror}")
            return
        for entry in entries:
            name = base + entry.name
            try:
                yield from self._entry(entry, name, rules, behind)
            except OSError as error:
                yield LeftOut(name=name, why=f"it cannot be read: {error.strerror}")

    def _entry(
        self, entry: os.DirEntry[str], name: str, rules: list[_Rules], behind: str
    ) -> Iterator[ProjectFile | LeftOut]:
        folder = entry.is_dir(follow_symlinks=False)
        shown = f"{name}/" if folder else name
        if why := self._never(entry, name):
            if not behind:
                yield LeftOut(name=shown, why=why)
            return
        why = behind or _ignored(shown, rules) or (self._behind_link(entry) if entry.is_symlink() else "")
        named = any(name == one or name.startswith(f"{one}/") for one in self.explicit)
        if folder:
            leads = any(one.startswith(shown) for one in self.explicit)
            if why and not named and not leads:
                if not behind:
                    yield LeftOut(name=shown, why=why)
                return
            yield from self.folder(shown, rules, "" if named else why)
        elif named or (not why and self.wishes(name)):
            status = os.stat(entry.path)
            if stat.S_ISREG(status.st_mode):
                yield ProjectFile(name=name, path=Path(entry.path), size=status.st_size)
            else:
                yield LeftOut(name=name, why="it is no file")
        elif why and not behind and self.wishes(name):
            yield LeftOut(name=name, why=why)

    def _never(self, entry: os.DirEntry[str], name: str) -> str:
        """Why something stays whoever wants it; empty: it need not."""
        if why := _by_name(entry.name):
            return why
        if not is_plain_name(name) or not _is_text(name):
            return "its name is not one that is the same everywhere"
        if entry.is_symlink():
            return self._link(entry)
        if entry.is_dir(follow_symlinks=False):
            return _by_content(Path(entry.path), self.store)
        return ""

    def _link(self, entry: os.DirEntry[str]) -> str:
        target = _target(entry.path, self.root)
        if target is None:
            return "it is a link that leads out of the project"
        if (self.root.resolve() / target).is_dir():
            return "it is a link to a folder"
        return next((why for part in target.parts if (why := _by_name(part))), "")

    def _behind_link(self, entry: os.DirEntry[str]) -> str:
        """Why what a link leads to is ignored; empty: it is not."""
        target, rules, base = _target(entry.path, self.root), self.ignoring_above(), ""
        for part in target.parts if target is not None else ():
            rules = [*_rules(self.root / base, base, above=False), *rules]
            folder = (self.root / base / part).is_dir()
            base += f"{part}/" if folder else part
            if why := _ignored(base, rules):
                return f"it is a link to {base}, {why}"
        return ""


def _target(link: str, root: Path) -> Path | None:
    """Where a link leads, from the project's root; None: out of it."""
    target, home = Path(os.path.realpath(link)), root.resolve()  # of a loop, the link itself
    return target.relative_to(home) if target.is_relative_to(home) else None


def _by_name(name: str) -> str:
    """Why what is called so stays; empty: it need not."""
    if _matcher(SECRET).fullmatch(folded := name.casefold()):
        return "it may hold a secret"
    if folded in _HISTORY:
        return "it is a repository's history"
    return "it is a cache" if _matcher(_CACHES).fullmatch(name) else ""


@cache
def _matcher(globs: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern for all: there may be a hundred thousand names."""
    return re.compile("|".join(map(fnmatch.translate, globs)))


def _by_content(folder: Path, store: Path | None) -> str:
    """Why a folder stays for what is in it; empty: it need not."""
    if (folder / "pyvenv.cfg").exists() or (folder / "conda-meta").is_dir():
        return "it is an environment"
    if (store is not None and folder.resolve() == store.resolve()) or _is_store(folder):
        return "it is a results store"
    return ""


def _is_store(folder: Path) -> bool:
    try:
        with (folder / "FORMAT").open("rb") as file:
            return file.read(10).startswith(b'{"format"')
    except OSError:
        return False


def _rules(folder: Path, base: str, *, above: bool) -> list[_Rules]:
    found = []
    for name in _IGNORING:
        try:
            text = (folder / name).read_text("utf-8", errors="replace")
        except OSError:
            continue
        spec = GitIgnoreSpec.from_lines(text.splitlines())
        found.append(_Rules(file=name, base=base, above=above, spec=spec))
    return found


def _ignored(name: str, rules: list[_Rules]) -> str:
    """Why a path is ignored; empty: it is not. The innermost file that says something of it decides."""
    said = next((said for one in rules if (said := one.says(name)) is not None), None)
    return said[1] if said is not None and said[0] else ""


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
