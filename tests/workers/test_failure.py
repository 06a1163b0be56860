"""What kind of failure an error is, and which line tells; and a GPU that fails when train has returned."""

import argparse
import sys
from types import SimpleNamespace

import pyarrow as pa
import pytest
from tests.workers.test_lease import ended, run

from caviar_workers.failure import describe, headline, never_reported
from caviar_workers.lease import run_lease
from caviar_workers.messages import Demand, Lease, Program
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


def raised(error: Exception) -> str:
    with pytest.raises(type(error)) as caught:
        raise error
    return describe(caught.value)[0]


CUDA = """CUDA error: device-side assert triggered
Search for `cudaErrorAssert' in https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html for more.
CUDA kernel errors might be asynchronously reported at some other API call.
For debugging consider passing CUDA_LAUNCH_BLOCKING=1
Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.
"""


def test_the_line_that_tells_is_the_one_that_names_the_error() -> None:
    assert headline(raised(RuntimeError(CUDA))) == "RuntimeError: CUDA error: device-side assert triggered"
    assert headline(raised(KeyError("boom"))) == "KeyError: 'boom'"
    with pytest.raises(SyntaxError) as caught:
        compile("a b", "experiment.py", "exec")
    assert headline(describe(caught.value)[0]) == "SyntaxError: invalid syntax"
    first = ValueError("the cause")
    second = TypeError("what came of it")
    second.__cause__ = first
    assert headline(raised(second)) == "TypeError: what came of it"
    assert headline("the trial's process died (killed, crashed or lost with its node)").startswith("the trial's")
    assert headline(" \n") == ""


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
        id=0,
        sweep="s",
        metric="loss",
        trials=(0, 1),
        attempts=(0, 0),
        seeds=(0, 1),
        configs={"lr": (0, 1)},
        demand=Demand(gpus=1.0),
    )
    batches = list(run_lease(program, lease, own_process=False))

    attempts = [
        row for one in batches if one.attempts for row in pa.ipc.open_stream(one.attempts).read_all().to_pylist()
    ]
    first, second = [row for row in attempts if row["ended"] is not None]
    assert (first["state"], first["kind"], first["rows"]) == ("FAILED", "error", 1)
    assert "illegal memory access" in first["error"]
    assert "its own" in second["error"]


class Unnamed(type):
    def __getattribute__(cls, name: str) -> object:
        if name in {"__name__", "__qualname__"}:
            raise KeyError(name)
        return super().__getattribute__(name)


def broken(base: type, says: object, metaclass: type = type) -> BaseException:
    def words(self: object) -> object:
        if isinstance(says, BaseException):
            raise says
        return says

    error: BaseException = metaclass("Broken", (base,), {"__str__": words})("words")
    return error


def odd_syntax(**given: object) -> SyntaxError:
    error = SyntaxError("odd", ("file", 1, 1, "text"))
    for name, value in given.items():
        setattr(error, name, value)
    return error


@pytest.mark.parametrize(
    "error",
    [
        *(broken(base, says) for base in (RuntimeError, OSError, Exception, KeyError) for says in (None, 5, OSError())),
        *(broken(base, says) for base in (RuntimeError, Exception) for says in (SystemExit(1), RecursionError())),
        broken(RuntimeError, "words", Unnamed),
        odd_syntax(text=5),
        odd_syntax(offset="a", text="x"),
        odd_syntax(lineno="x"),
    ],
    ids=lambda error: type.__dict__["__name__"].__get__(type(error)),
)
def test_an_error_that_cannot_be_written_down_fails_its_trial_only(error: BaseException) -> None:
    def train(config: dict[str, object], trial: Trial) -> float:
        if trial.number == 0:
            raise error
        return 1.0

    first, second = ended(run(train, trials=2))
    assert first["state"] == "FAILED"
    assert "Traceback" in first["error"]
    assert headline(first["error"]).startswith(("tests.", "Broken", "SyntaxError", "  "))
    assert second["state"] == "COMPLETED"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda trial: trial.report(loss=1.0), "write trial.report(step, loss=…)"),
        (lambda trial: trial.report({"loss": 1.0}, 0), "write trial.report(step, loss=…)"),
        (lambda trial: trial.report(1.0, 3), "write trial.report(step, loss=…)"),
        (lambda trial: trial.save(b""), "write trial.save(step, data)"),
        (lambda trial: trial.suggest_float("x", 0, 1), "its values are in config, such as config['x']"),
        (lambda trial: trial.should_prune(), "by the sweep's stop policy, as it reports: leave should_prune out"),
        (lambda trial: trial.log(), "a trial has no 'log': it has attempt, "),
        (lambda trial: [].append(), "list.append() takes exactly one argument"),
    ],
)
def test_calls_as_other_libraries_want_them_are_told_what_to_write(call, said) -> None:
    with pytest.raises((TypeError, AttributeError)) as raised:
        call(Trial(sweep="of another library", number=0, attempt=0, seed=0))
    assert said in headline(describe(raised.value)[0])


def test_an_async_train_is_told_to_be_none() -> None:
    assert never_reported("loss", [], "coroutine").endswith("write def train, and asyncio.run(…) in it")
    assert "returned a generator" in never_reported("loss", [], "generator")


def test_argparse_in_train_is_told_what_it_read() -> None:
    def train() -> None:
        argparse.ArgumentParser().parse_args(["--no-such"])

    with pytest.raises(SystemExit) as caught:
        train()
    assert "argparse read the command line that Caviar was started with" in headline(describe(caught.value)[0])
    with pytest.raises(SystemExit) as caught:
        sys.exit(3)
    assert headline(describe(caught.value)[0]) == "SystemExit: 3"
