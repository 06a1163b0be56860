"""A sweep as TensorBoard's event files: a folder a trial, curves under Time Series, configurations under HParams."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from caviar.export.exported import Exported, ExportedTrial, simple
from caviar_workers.states import State


def write(sweep: Exported, folder: str) -> int:
    """Write the event files into a folder; return how many trials they show."""
    count = 0
    with _events(Path(folder)) as add:
        add(_plugin("EXPERIMENT_TAG", experiment=_experiment(sweep)), 0, 0.0)
    for trial in sweep.trials():
        with _events(Path(folder) / f"t{trial.number}") as add:
            _write_trial(add, trial, sweep)
        count += 1
    return count


def _write_trial(add: Any, trial: ExportedTrial, sweep: Exported) -> None:
    from tensorboard.compat.proto.summary_pb2 import Summary  # noqa: PLC0415 — no dependency of ours
    from tensorboard.plugins.hparams import plugin_data_pb2 as data  # noqa: PLC0415

    began, ended = trial.began or 0.0, trial.ended or 0.0
    start = data.SessionStartInfo(group_name=f"t{trial.number}", start_time_secs=began)
    for name, value in (trial.config | trial.notes).items():
        _set(start.hparams[name], simple(value))
    add(_plugin("SESSION_START_INFO_TAG", session_start_info=start), 0, began)
    for metric in sweep.metrics:
        for step, time, value in trial.curve.reported(metric):
            add(Summary(value=[Summary.Value(tag=metric, simple_value=_float32(value))]), step, time)
    status = "STATUS_FAILURE" if trial.state == State.FAILED else "STATUS_SUCCESS"
    end = data.SessionEndInfo(status=_api().Status.Value(status), end_time_secs=ended)
    add(_plugin("SESSION_END_INFO_TAG", session_end_info=end), 0, ended)


def _experiment(sweep: Exported) -> Any:
    api = _api()
    names = [*sweep.space.names, "caviar.trial", "caviar.state", "caviar.seed"]
    return api.Experiment(
        description=sweep.title,
        hparam_infos=[api.HParamInfo(name=name) for name in names],
        metric_infos=[api.MetricInfo(name=api.MetricName(tag=metric)) for metric in sweep.metrics],
    )


def _set(place: Any, value: bool | float | str) -> None:
    if isinstance(value, bool):
        place.bool_value = value
    elif isinstance(value, str):
        place.string_value = value
    else:
        place.number_value = value


def _float32(value: float) -> float:
    """The value, where the format's 32 bits can hold it; beyond, an infinity."""
    import numpy as np  # noqa: PLC0415

    with np.errstate(over="ignore"):
        return float(np.float32(value))


def _plugin(tag: str, **message: Any) -> Any:
    """A message for the HParams tab."""
    from tensorboard.compat.proto.summary_pb2 import Summary  # noqa: PLC0415
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2  # noqa: PLC0415

    about = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(**message))
    return Summary(value=[Summary.Value(tag=getattr(metadata, tag), metadata=about, tensor=metadata.NULL_TENSOR)])


def _api() -> Any:
    from tensorboard.plugins.hparams import api_pb2  # noqa: PLC0415

    return api_pb2


@contextmanager
def _events(folder: Path) -> Iterator[Any]:
    """An event file in a folder, as a function that adds a summary of a step and a time to it."""
    from tensorboard.compat.proto.event_pb2 import Event  # noqa: PLC0415
    from tensorboard.summary.writer.event_file_writer import EventFileWriter  # noqa: PLC0415

    writer = EventFileWriter(str(folder))

    def add(summary: Any, step: int, time: float) -> None:
        writer.add_event(Event(wall_time=time, step=step, summary=summary))

    try:
        yield add
    finally:
        writer.close()
