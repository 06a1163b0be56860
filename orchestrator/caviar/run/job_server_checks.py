"""What may keep a sweep from being submitted to a cluster's job server: asked by HTTP, as any client would."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from caviar.run.health import Check, Health

_ANSWER_S = 4.0
_MOST_BYTES = 2**20
MISSING, WRONG = 401, 403
"""What Ray answers to who shows no token, and to who shows another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said to a question.

    Attributes:
        status: HTTP's; 0: it did not answer as a web server does.
        said: JSON, as an object; empty: it was none.
        why: in words, where the status is 0.
        listens: whether somebody is there all the same.
    """

    status: int
    said: dict[str, object]
    why: str = ""
    listens: bool = False


def job_server_checks(address: str, ray_version: str) -> Iterator[Check]:
    """Look at a job server as one who would submit a sweep.

    Args:
        address: http://host:port or https://…
        ray_version: Of this environment.
    """
    try:
        place = urlsplit(address)
        odd = place.hostname is None or place.port == 0 or place.path.strip("/") or place.query or place.username
    except ValueError:
        odd = True
    if odd:
        found = f"a job server's address is http://host:8265, but got {address}"
        yield Check(name="job server", health=Health.FAILED, found=found)
        return
    token, kept = shown_token()
    url = f"{place.scheme}://{place.netloc}/api/version"
    yield in_words(ask(url, token), address, kept, ray_version)


def shown_token() -> tuple[str, str]:
    """The token that Ray would show, and where it is kept; both are empty: there is none."""
    if token := os.environ.get("RAY_AUTH_TOKEN", ""):
        return token.strip(), "RAY_AUTH_TOKEN"
    named = os.environ.get("RAY_AUTH_TOKEN_PATH", "")
    file = Path(named) if named else Path.home() / ".ray" / "auth_token"
    try:
        return file.read_text("utf-8").strip(), "RAY_AUTH_TOKEN_PATH" if named else "~/.ray/auth_token"
    except (OSError, UnicodeDecodeError):
        return "", ""


def ask(url: str, token: str) -> Answer:
    """Ask a server for JSON, showing a token if there is one."""
    request = Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})  # http or https, see above
    try:
        with _OPENER.open(request, timeout=_ANSWER_S) as reply:
            return Answer(status=reply.status, said=_object(reply.read(_MOST_BYTES)))
    except HTTPError as error:
        return Answer(status=error.code, said={})
    except URLError as error:
        return Answer(status=0, said={}, why=_plainly(error.reason))
    except (http.client.HTTPException, OSError, ValueError) as error:
        return Answer(status=0, said={}, why=_plainly(error), listens=not isinstance(error, TimeoutError))


def _object(body: bytes) -> dict[str, object]:
    """The JSON object that a body is; empty: it is none, as a page is not."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class _NoRedirect(HTTPRedirectHandler):
    """A token is for the server that was named, and for no other that this one points at."""

    def redirect_request(self, *_: object) -> None:
        """Follow none: the answer is what it is."""


_OPENER = build_opener(_NoRedirect)


def _plainly(reason: object) -> str:
    return getattr(reason, "strerror", None) or " ".join(str(reason).split()) or type(reason).__name__


def in_words(answer: Answer, address: str, kept: str, ray_version: str) -> Check:
    """Judge what a job server said.

    Args:
        answer: To the question for its version.
        address: Of the server.
        kept: Where the token is that it was shown; empty: none was.
        ray_version: Of this environment.
    """
    found, advice = _fault(answer, address, kept)
    if found:
        return Check(name="job server", health=Health.FAILED, found=found, advice=advice)
    theirs = answer.said["ray_version"]
    if theirs != ray_version:
        return Check(
            name="job server",
            health=Health.WARNING,
            found=f"{address} has Ray {theirs:.40}, this environment {ray_version}",
            advice="what runs there has the cluster's version; install the same one here if a submission fails",
        )
    return Check(name="job server", found=f"{address} answers with Ray {theirs}, and takes this machine's token")


def _fault(answer: Answer, address: str, kept: str) -> tuple[str, str]:
    """What is wrong, and what to do; both empty: nothing."""
    host, port = urlsplit(address).hostname, urlsplit(address).port
    get = f"type export RAY_AUTH_TOKEN=TOKEN, with what ray get-auth-token prints on {host}"
    if answer.status == MISSING:
        return f"{address} asks for a token, and this machine has none", get
    if answer.status == WRONG:
        return f"{address} does not take the token in {kept}", get
    if answer.status == 0 and answer.listens:
        found = f"what listens at {address} is no web server, and so no job server"
        return found, f"give the dashboard's port (8265); to join a cluster there, --address {host}:{port}"
    if answer.status == 0:
        found = f"no job server answers at {address} ({answer.why})"
        return found, "see that the cluster runs, with ray[default], and that the port is its dashboard's (8265)"
    if not isinstance(answer.said.get("ray_version"), str):
        return (
            f"a web server answers at {address}, but it is no job server of Ray's",
            "give the dashboard's port (8265)",
        )
    return "", ""
