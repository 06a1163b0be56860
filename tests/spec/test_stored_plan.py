"""A stored plan that somebody has changed is refused in a sentence."""

from typing import Any

import pytest

from caviar import Float, Sweep
from caviar.errors import StoreError
from caviar.spec.plan import Plan


def train(config: dict[str, Any], trial: Any) -> None: ...


@pytest.mark.parametrize("name", ["name", "metric", "mode", "trials", "seed", "space", "sampler"])
def test_a_plan_that_lacks_something_names_it(name: str) -> None:
    plan = Sweep(train, {"x": Float(0.0, 1.0)}, "loss").plan
    data = plan.to_json()
    del data[name]
    with pytest.raises(StoreError, match=f"has no {name}: restore"):
        Plan.from_json(data)
    assert Plan.from_json({key: value for key, value in plan.to_json().items() if key != "tags"}) == plan
