"""TensorBoard's own reader finds the curves, the configurations and what became of each trial."""

import math
from pathlib import Path

import pytest

from caviar import Result

from ..small_stores import BEGAN, DIVERGED, FAILED, STEPS, value

pytest.importorskip("tensorboard")


def test_tensorboard_reads_the_curves(swept: Result, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
    from tensorboard.plugins.hparams import api_pb2, metadata

    made = swept.export("tensorboard", tmp_path / "tb")
    assert (made.trials, made.left_out) == (7, {"LOST": 1})
    runs = EventMultiplexer().AddRunsFromDirectory(str(tmp_path / "tb")).Reload()
    assert set(runs.Runs()) == {".", *(f"t{trial}" for trial in range(7))}
    seen = runs.Scalars("t2", "val_loss")
    assert [one.step for one in seen] == list(range(STEPS))
    assert [one.value for one in seen] == pytest.approx([value(2, step) for step in range(STEPS)], rel=1e-6)
    assert seen[3].wall_time == pytest.approx(BEGAN.timestamp() + 2.3)
    assert math.isnan(runs.Scalars(f"t{DIVERGED}", "val_loss")[-1].value)

    def told(run: str, tag: str) -> bytes:
        return runs.SummaryMetadata(run, tag).plugin_data.content

    start = metadata.parse_session_start_info_plugin_data(told("t2", metadata.SESSION_START_INFO_TAG))
    config = swept.best.config
    assert start.hparams["beta"].number_value == config["beta"]
    assert start.hparams["act"].string_value == config["act"]
    assert start.hparams["caviar.state"].string_value == "COMPLETED"
    end = metadata.parse_session_end_info_plugin_data(told(f"t{FAILED}", metadata.SESSION_END_INFO_TAG))
    assert end.status == api_pb2.Status.Value("STATUS_FAILURE")
    whole = metadata.parse_experiment_plugin_data(told(".", metadata.EXPERIMENT_TAG))
    assert [one.name for one in whole.hparam_infos][:4] == ["lr", "beta", "units", "act"]
