"""A sweep as a job of a Ray cluster: what travels, how it is told from others, and what has become of it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shlex
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from caviar.errors import CaviarError, ClusterError, SpecError
from caviar.run.executors.job_server import ALIVE, Job, JobExistsError, JobServer
from caviar.run.extra_packages import TOLD
from caviar.run.health import Health
from caviar.run.job_server_checks import ask, in_words, shown_token
from caviar.run.resume_or_start import is_done, key_of
from caviar.spec.project_files import LeftOut, ProjectFiles, check_root, project_files
from caviar.spec.provenance import SUBMITTED, provenance
from caviar.spec.requirements import requirements_of
from caviar.store import Store

if TYPE_CHECKING:
    from caviar.spec.plan import Plan
    from caviar_workers.messages import Program

KEY, NAME = "caviar_key", "caviar_name"
"""What a job's metadata say."""
_TRIES = 5
_LOOK_S = 1.0
_STORE_S = 5.0
"""Seconds for a look into the store."""
Outcome = Literal["shown", "submitted", "attached", "finished"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Travelling:
    """A file that travels."""

    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionDocument:
    """What was submitted, or would be.

    Attributes:
        outcome: `shown` (a dry run), `submitted`, `attached` (it runs already) or `finished` (it has been run).
        key: What the sweep is told by, on the cluster and in the store.
        name: Of the sweep.
        address: The job server.
        store: Where results go.
        job: The job's id; None: there is none.
        sweep: The sweep's id, where it can be known here; None: it cannot.
        entrypoint: What the job runs.
        root: The folder that travels.
        bytes: Of all files that do.
        files: Those, with their sizes.
        left_out: What does not, and why.
    """

    outcome: Outcome
    key: str
    name: str
    address: str
    store: str
    job: str | None
    sweep: str | None
    entrypoint: str
    root: str
    bytes: int
    files: tuple[Travelling, ...]
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A sweep on its way to a cluster.

    Attributes:
        key: What it is told by.
        name: The sweep's.
        plan: What is to be run.
        store: Where results go.
        files: What travels.
        program: The code, with the zip of what travels.
        entrypoint: What the job runs.
        env: Its environment variables.
    """

    key: str
    name: str
    plan: Plan
    store: str
    files: ProjectFiles
    program: Program = field(repr=False)
    entrypoint: str
    env: Mapping[str, str] = field(repr=False)

    def document(
        self, outcome: Outcome, address: str, *, job: str | None = None, sweep: str | None = None
    ) -> SubmissionDocument:
        """What came of it."""
        return SubmissionDocument(
            outcome=outcome,
            key=self.key,
            name=self.name,
            address=address,
            store=self.store,
            job=job,
            sweep=sweep,
            entrypoint=self.entrypoint,
            root=str(self.files.root),
            bytes=self.files.size,
            files=tuple(Travelling(name=one.name, size=one.size) for one in self.files.kept),
            left_out=self.files.left,
        )


def check_store(store: str) -> None:
    """See that a store can mean the same on the cluster.

    Raises:
        SpecError: It is a path from this folder.
    """
    if "://" not in store and not os.path.isabs(store):
        raise SpecError(
            f"results go to {store}, which is a folder beside this shell: give --store s3://bucket/prefix, or the "
            "whole path of a folder that all machines of the cluster share"
        )


def project_of(file: Path | None, chosen: str | None) -> Path:
    """The folder that travels: the one that was chosen, else the working folder if the file is in it, else the file's.

    Raises:
        SpecError: It cannot be a project's, or the file does not lie in it.
    """
    here = Path.cwd()
    if file is None:
        return check_root(Path(chosen) if chosen else here)
    file = file.absolute()
    root = Path(chosen).absolute() if chosen else here if file.is_relative_to(here) else file.parent
    root = check_root(root)
    if not file.is_relative_to(root):
        raise SpecError(f"{file} does not lie in {root}, which travels: name a folder that holds it with --project DIR")
    return root


def travelling(root: Path, store: str) -> ProjectFiles:
    """What of a project travels; SpecError where it is too much."""
    files = project_files(root, store=None if "://" in store else Path(store))
    files.check_size()
    return files


def travels(requirements: str, files: ProjectFiles) -> str:
    """What a file of requirements is called among those that travel.

    Raises:
        SpecError: It does not travel, or asks for what a cluster cannot have.
    """
    path = Path(requirements).absolute()
    requirements_of(path)
    inner = os.path.relpath(path, files.root)
    if inner not in files.names:
        behind = next((one.why for one in files.left if f"{inner}/".startswith(one.name)), f"it is not in {files.root}")
        raise SpecError(f"{requirements} does not travel ({behind}): put it beside the experiment's file")
    return inner


def ready(
    plan: Plan,
    program: Program,
    files: ProjectFiles,
    store: str,
    words: Callable[[str], Sequence[str]],
    *,
    env: Sequence[str],
    new: bool,
) -> Submission:
    """A sweep ready to be submitted.

    Args:
        plan: What is to be run.
        program: Its code, with all that travels.
        files: What that is.
        store: Where results go.
        words: Gives the command line that runs it there, for its key.
        env: Names of this shell's variables that are sent along.
        new: It is to be another sweep, although there is one like it.

    Raises:
        SpecError: Something that is needed would not travel, or a variable is not there.
    """
    if program.functions:
        raise SpecError(
            f"the functions themselves would have to travel ({program.reason or 'they live in no file'}): put train "
            "into the file, so that importing it gives it again"
        )
    _check_modules(program, files)
    missing = [name for name in env if name not in os.environ]
    if missing:
        raise SpecError(f"--env {missing[0]} sends a variable of this shell, which has none of that name: export it")
    key = key_of(plan, program) + (f"-{secrets.token_hex(4)}" if new else "")
    own = {name: os.environ[name] for name in env}
    entrypoint = shlex.join(words(key))
    return Submission(
        key=key,
        name=plan.name,
        plan=plan,
        store=store,
        files=files,
        program=program,
        entrypoint=entrypoint,
        env={SUBMITTED: json.dumps(_submitter(program)), **own},
    )


def _check_modules(program: Program, files: ProjectFiles) -> None:
    """See that what the file imports will be found there."""
    for name, (path, text) in program.files.items():
        inner = os.path.relpath(path, files.root)
        if inner.startswith("../") and text:
            raise SpecError(
                f"the experiment imports {name} from {path}, which does not travel: name a folder that holds both with "
                "--project DIR, or install it on the cluster"
            )
        behind = next((one for one in files.left if f"{inner}/".startswith(one.name) or one.name == inner), None)
        if behind is not None and os.path.isfile(path) and behind.why == "it may hold a secret":
            raise SpecError(
                f"the experiment imports {name} from {inner}, which never travels ({behind.why}): rename it"
            )


def _submitter(program: Program) -> dict[str, str | bool | None]:
    """Who submits, from where, and what git says of the code; nothing of it is a secret."""
    said = provenance(Path(program.files[program.module][0]), command=())
    return {name: said[name] for name in ("user", "host", "git_commit", "git_dirty", "source")}


def reached(address: str) -> JobServer:
    """A job server that answers, and lets us in.

    Raises:
        ClusterError: It does not, or a package is missing here.
    """
    token, kept = shown_token()
    said = in_words(ask(f"{address}/api/version", token), address, kept, version("ray"))
    if said.health is Health.FAILED:
        raise ClusterError(f"{said.found}: {said.advice}")
    return JobServer(address, token)


def submitted(submission: Submission, server: JobServer, address: str) -> SubmissionDocument:
    """Hand the sweep over, unless it is there already.

    Raises:
        ClusterError: The job server refuses it, or does not answer.
    """
    for _ in range(_TRIES):
        known = [job for job in server.jobs() if job.metadata.get(KEY) == submission.key]
        alive = next((job for job in known if job.state in ALIVE), None)
        if alive is not None:
            return submission.document("attached", address, job=alive.id, sweep=sweep_of(submission))
        its = f"caviar-{hashlib.sha256(submission.key.encode()).hexdigest()[:12]}-{len(known) + 1}"
        with suppress(JobExistsError):  # another one was submitted in this moment: look again
            server.submit(
                its,
                submission.entrypoint,
                submission.program.archive,
                env=submission.env,
                metadata={KEY: submission.key, NAME: submission.name},
            )
            return submission.document("submitted", address, job=its, sweep=sweep_of(submission))
        time.sleep(_LOOK_S)
    raise CaviarError(f"others submit {submission.name} over and over in the same moment: type the same again")


def sweep_of(submission: Submission) -> str | None:
    """The id of the sweep; None: it is not there yet, or its store cannot be read from here."""

    def look(store: Store) -> str | None:
        found = store.of_key(submission.key)
        return None if found is None else found.id

    return _asked(submission.store, look)


def finished(submission: Submission) -> str | None:
    """The id of the sweep, if it and all that follow it are finished; None: not so, or nobody here can tell."""

    def look(store: Store) -> str | None:
        found = store.of_key(submission.key)
        return found.id if found is not None and is_done(store, found) else None

    return _asked(submission.store, look)


_mute: set[str] = set()
"""Stores that did not answer in time: only the cluster may see them."""


def _asked(store: str, look: Callable[[Store], str | None]) -> str | None:
    """What a look into a store gives; None where it cannot be read from here, or not soon."""
    said: list[str | None] = []

    def ask() -> None:
        with suppress(Exception):  # whatever it is, the job on the cluster meets it too, and says so
            said.append(look(Store.open(store)))

    if store in _mute:
        return None
    asking = threading.Thread(target=ask, name="caviar-look", daemon=True)  # a store that is not seen may take minutes
    asking.start()
    asking.join(_STORE_S)
    if asking.is_alive():
        _mute.add(store)
    return said[0] if said else None


def packages_told(server: JobServer, its: str) -> str:
    """Wait until a job has fetched its packages; returns what it says of them.

    Raises:
        CaviarError: The job ended over it.
    """
    while True:
        job, lines = server.job(its), server.logs(its).splitlines()
        if (told := next((line for line in lines if line.startswith(TOLD)), None)) is not None:
            return told
        if job.state not in ALIVE:
            last = next((line for line in reversed(lines) if line.strip()), job.message)
            raise CaviarError(f"job {its} ended before it had its packages: {last.removeprefix('caviar: '):.600}")
        time.sleep(_LOOK_S)


def followed(server: JobServer, its: str, tell: Callable[[str], None]) -> Job:
    """Wait for a job's end, and tell what it prints.

    Raises:
        ClusterError: The job server does not answer any more.
    """
    told = 0
    while True:
        job = server.job(its)
        said = server.logs(its)
        if len(said) > told:
            tell(said[told:])
            told = len(said)
        if job.state not in ALIVE:
            return job
        time.sleep(_LOOK_S)
