import pytest

from caviar.execute.slots import slots_of


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
