"""What a Ray session changes in the environment, and gives back."""

import os

import pytest

from caviar.execute.ray_session import _seldom_looking_at_logs

INTERVAL, MANY = "LOG_NAME_UPDATE_INTERVAL_S", "RAY_LOG_MONITOR_MANY_FILES_THRESHOLD"


def test_the_log_monitor_is_told_to_look_seldom_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(INTERVAL, raising=False)
    monkeypatch.setenv(MANY, "7")
    with _seldom_looking_at_logs():
        assert (os.environ[INTERVAL], os.environ[MANY]) == ("60", "7")

    assert INTERVAL not in os.environ
    assert os.environ[MANY] == "7"
