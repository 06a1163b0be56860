import os
from pathlib import Path

import pytest

from caviar.run.executors.cluster_room import lack, most_of_this_machine, slots_of


@pytest.mark.parametrize(
    ("resources", "demand", "slots"),
    [
        ({"CPU": 8.0}, {"CPU": 1.0, "GPU": 0.0}, 8),
        ({"CPU": 8.0, "GPU": 2.0}, {"CPU": 1.0, "GPU": 0.25}, 8),
        ({"CPU": 64.0, "GPU": 2.0}, {"CPU": 1.0, "GPU": 0.25}, 8),
        ({"CPU": 1.0}, {"CPU": 0.1, "GPU": 0.0}, 10),
        ({"CPU": 8.0}, {"CPU": 1.0, "GPU": 1.0}, 0),
        ({"CPU": 2.0}, {"CPU": 3.0}, 0),
    ],
)
def test_slots_are_what_the_scarcest_resource_allows(
    resources: dict[str, float], demand: dict[str, float], slots: int
) -> None:
    assert slots_of(resources, demand) == slots


def test_what_this_machine_has_at_most_is_known_without_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    most = most_of_this_machine(tmp_path)
    assert most == {"CPU": os.cpu_count(), "GPU": 0.0}
    (tmp_path / "nvidia0").touch()
    monkeypatch.setattr("sys.platform", "linux")
    assert slots_of(most_of_this_machine(tmp_path), {"CPU": 0, "GPU": 64.0}) > 0, "how many there are is Ray's to say"
    monkeypatch.setattr("sys.platform", "darwin")
    assert most_of_this_machine(tmp_path)["GPU"] == 0.0


@pytest.mark.parametrize(
    ("demand", "machines", "said"),
    [
        ({"CPU": 1.0, "GPU": 0.0}, [{"CPU": 2.0}], ""),
        ({"CPU": 8.0, "GPU": 0.0}, [{"CPU": 2.0}], "a trial needs 8 CPU, but this cluster has 2 CPU"),
        (
            {"CPU": 1.0, "GPU": 1.0},
            [{"CPU": 2.0}],
            "a trial needs 1 CPU and 1 GPU, but this cluster has 2 CPU and 0 GPU",
        ),
        (
            {"CPU": 2.0, "GPU": 0.0},  # three CPUs, but no two of them together
            [{"CPU": 1.0}, {}, {"CPU": 1.0}, {"CPU": 1.0}],
            "a trial needs 2 CPU, but the machines of this cluster have 1 CPU, or 0 CPU each",
        ),
        ({"CPU": 2.0}, [], "a trial needs 2 CPU, but this cluster has no machine"),
    ],
)
def test_what_no_machine_has_room_for_is_said_with_what_there_is(
    demand: dict[str, float], machines: list[dict[str, float]], said: str
) -> None:
    assert lack(demand, machines, "cluster") == said
