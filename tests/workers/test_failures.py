"""What kind of failure an error is; and a GPU that fails when train has returned."""

import sys
from types import SimpleNamespace

import pyarrow as pa
import pytest

from caviar_workers.lease import describe, run_lease
from caviar_workers.messages import Lease, Program
from caviar_workers.trial import Trial


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory."), "oom"),
        (RuntimeError("CUDA error: out of memory"), "oom"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "oom"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8 bytes."), "oom"),
        (OSError(12, "Cannot allocate memory"), "oom"),
        (ValueError("the picker ran out of memory cards"), "error"),
    ],
)
def test_out_of_memory_comes_in_many_guises(error: BaseException, kind: str) -> None:
    assert describe(error)[1] == kind


def test_a_gpu_that_fails_after_train_has_returned_fails_the_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    def synchronize() -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    def train(config: dict[str, float], trial: Trial) -> None:
        trial.report(0, loss=1.0)
        if trial.number == 1:
            raise KeyError("its own")

    cuda = SimpleNamespace(is_initialized=lambda: True, synchronize=synchronize, empty_cache=lambda: None)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda, manual_seed=lambda seed: None))
    program = Program(digest="d", train="train", functions={"train": train})
    lease = Lease(
        id=0, sweep="s", metric="loss", trials=(0, 1), attempts=(0, 0), seeds=(0, 1), configs={"lr": (0, 1)}, gpus=1.0
    )
    batches = list(run_lease(program, lease, own_process=False))

    attempts = [
        row for one in batches if one.attempts for row in pa.ipc.open_stream(one.attempts).read_all().to_pylist()
    ]
    first, second = [row for row in attempts if row["ended"] is not None]
    assert (first["state"], first["kind"], first["rows"]) == ("FAILED", "error", 1)
    assert "illegal memory access" in first["error"]
    assert "its own" in second["error"]
