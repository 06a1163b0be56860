import os
from pathlib import Path

import pytest

from caviar.run.executors.ray_session import most_of_this_machine, slots_of


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
