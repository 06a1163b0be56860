"""The job server of a Ray cluster, by Ray's own client for it; whatever that raises becomes a sentence."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from caviar.errors import ClusterError, to_install

_OVERRIDING = ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS")
ALIVE = ("PENDING", "RUNNING")
"""States of jobs that have not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job on a cluster."""

    id: str
    state: str
    """In Ray's words."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    exit_code: int | None = None
    """Of its driver; None: it has not ended, or nobody knows."""
    message: str = ""
    """What Ray says of its state."""


class JobExistsError(Exception):
    """There is a job of that id."""


def check_job_server(address: str) -> str:
    """The address of a job server, without a slash at its end.

    Raises:
        ClusterError: It is another one of the cluster's.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        raise ClusterError(
            f"the address of the job server is no http://HOST:PORT ({error}): give --address http://head:8265, where "
            "the cluster's dashboard answers"
        ) from error
    host = parts.hostname or address.partition("://")[2].partition(":")[0] or address.partition(":")[0] or "head"
    host = "head" if host == "auto" else host
    right = f"give --address http://{host}:8265, where the cluster's dashboard answers"
    if parts.scheme == "ray":
        raise ClusterError(f"{address} is a Ray Client address, whose job ends when the connection drops: {right}")
    if parts.scheme not in ("http", "https"):
        raise ClusterError(
            f"{address} is for machines of the cluster itself, which caviar run --address joins; a job is handed over "
            f"to its job server: {right}"
        )
    if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
        raise ClusterError(f"a job server's address is http://HOST:PORT, and holds no password: {right}")
    return address.rstrip("/")


class JobServer:
    """A cluster's job server.

    Args:
        address: As `check_job_server` gives it, of one that answers: Ray's client would wait as long as it takes.
        token: What lets us in; empty: nothing needs to.

    Raises:
        ClusterError: A package is missing here, or Ray's client does not like it.
    """

    def __init__(self, address: str, token: str) -> None:
        if find_spec("aiohttp") is None:
            raise ClusterError(f"to hand a job to a cluster takes Ray's client for it: {to_install('ray[default]')}")
        self._address = address
        from ray.job_submission import JobSubmissionClient  # noqa: PLC0415 — it takes a second

        for name in ("dashboard_sdk", "job.sdk"):
            logging.getLogger(f"ray.dashboard.modules.{name}").setLevel(logging.WARNING)
        with _as_typed(), self._told():
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            self._client: Any = JobSubmissionClient(address, headers=headers)

    def jobs(self) -> list[Job]:
        """All jobs that were handed to it, and that it still knows.

        Raises:
            ClusterError: It does not answer.
        """
        with self._told():
            return [_job(one) for one in self._client.list_jobs() if one.submission_id]

    def job(self, its: str) -> Job:
        """One of them; ClusterError when it does not answer."""
        with self._told():
            return _job(self._client.get_job_info(its))

    def logs(self, its: str) -> str:
        """All that a job has printed so far; ClusterError when it does not answer."""
        with self._told():
            return str(self._client.get_job_logs(its))

    def submit(
        self, its: str, entrypoint: str, archive: bytes, *, env: Mapping[str, str], metadata: Mapping[str, str]
    ) -> None:
        """Hand over a job.

        Args:
            its: Its id.
            entrypoint: What a shell runs on the head, in the folder with the files.
            archive: A zip of these.
            env: Its environment variables, which everybody sees who may look at jobs.
            metadata: What is to be known of it.

        Raises:
            JobExistsError: There is one of that id.
            ClusterError: It is refused, or nobody answers.
        """
        with tempfile.TemporaryDirectory(prefix="caviar-") as folder, _as_typed(), self._told():
            path = Path(folder) / "project.zip"
            path.write_bytes(archive)
            runtime_env = {"working_dir": str(path), "env_vars": dict(env)}
            try:
                self._client.submit_job(
                    entrypoint=entrypoint, submission_id=its, runtime_env=runtime_env, metadata=dict(metadata)
                )
            except RuntimeError as error:
                if "already exists" in str(error):
                    raise JobExistsError(its) from error
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what Ray's client raises into a sentence."""
        try:
            yield
        except (JobExistsError, ClusterError):
            raise
        except Exception as error:  # whatever it is, and a traceback of Ray's helps nobody
            raise ClusterError(f"the job server at {self._address} did not do it: {_why(error)}") from error


@contextmanager
def _as_typed() -> Iterator[None]:
    """Let Ray's client take the address that it is given, whatever the environment says."""
    kept = {name: os.environ.pop(name) for name in _OVERRIDING if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def _job(details: Any) -> Job:
    return Job(
        id=str(details.submission_id),
        state=str(getattr(details.status, "value", details.status)),
        metadata=dict(details.metadata or {}),
        exit_code=getattr(details, "driver_exit_code", None),
        message=str(details.message or ""),
    )


def _why(error: BaseException) -> str:
    """What was raised, in one line."""
    return f"{' '.join(str(error).split()):.300}".rstrip(".:") or type(error).__name__
