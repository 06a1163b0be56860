"""Where the kernel's count of those that it killed for memory is found."""

import sys
from pathlib import Path

import pytest

from caviar_workers import oom_count as module
from caviar_workers.oom_count import OomCount, killed, oom_count


@pytest.mark.parametrize(
    ("cgroup", "file"),
    [
        ("0::/user.slice/session-3.scope\n", "user.slice/session-3.scope/memory.events"),
        ("0::/\n", "memory.events"),
        ("9:name=systemd:/\n4:memory:/docker/ab\n0::/\n", "memory/docker/ab/memory.oom_control"),
        ("4:cpu,memory:/docker/ab\n", "memory/memory.oom_control"),
    ],
)
def test_the_nearest_count_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cgroup: str, file: str) -> None:
    own = tmp_path / "cgroup"
    own.write_text(cgroup)
    monkeypatch.setattr(module, "_OWN", own)
    monkeypatch.setattr(module, "_CGROUPS", tmp_path / "fs")
    counts = tmp_path / "fs" / file
    counts.parent.mkdir(parents=True)
    counts.write_text("low 0\noom 5\noom_kill_disable 0\noom_kill 3\noom_group_kill 1\n")

    assert oom_count("a") == OomCount(node="a", file=str(counts), count=3)


def test_a_file_without_the_count_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("oom_kill_disable 0\n")
    with pytest.raises(ValueError, match="does not count"):
        killed(str(tmp_path / "events"))
    with pytest.raises(OSError, match="no-such-file"):
        killed(str(tmp_path / "no-such-file"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts")
def test_this_machine_has_a_count() -> None:
    found = oom_count("a")
    assert found.file
    assert killed(found.file) >= found.count >= 0


def test_elsewhere_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OWN", tmp_path / "cgroup")
    monkeypatch.setattr(module, "_CGROUPS", tmp_path / "fs")
    monkeypatch.setattr(module, "_MACHINE", tmp_path / "vmstat")
    assert oom_count("a") == OomCount(node="a", file="", count=0)
