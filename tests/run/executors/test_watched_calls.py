"""Calls of Ray that are watched give what they give, and wait for no server that has died."""

import threading

import pytest

from caviar.errors import ClusterError
from caviar.run.executors import servers


def test_a_call_gives_what_it_gives() -> None:
    assert servers.watched(lambda: 7) == 7
    with pytest.raises(KeyError):
        servers.watched(lambda: {}["x"])
    with pytest.raises(TimeoutError, match="its own"):
        servers.watched(late)


def late() -> None:
    raise TimeoutError("its own")


def test_it_does_not_wait_for_a_server_that_has_died(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    monkeypatch.setattr(servers, "fallen", lambda: "gcs_server")
    with pytest.raises(ClusterError, match="gcs_server has died"):
        servers.watched(answer.wait)
    answer.set()
