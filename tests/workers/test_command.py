"""A program as train function: its words, its reports, its end, and what it leaves behind."""

import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from caviar_workers.command import Command, in_a_word
from caviar_workers.lease import run_lease
from caviar_workers.messages import Program
from caviar_workers.states import Action
from caviar_workers.subprogram import MOST_LINE, CommandError
from caviar_workers.trial import Trial, TrialInterrupted

from ..leases import ended, make_lease, origin, rows_of

PYTHON = sys.executable


@pytest.fixture
def script(tmp_path):
    def write(source: str, name: str = "train.py") -> str:
        path = tmp_path / name
        path.write_text(textwrap.dedent(source), "utf-8")
        return str(path)

    return write


def make_trial(**given) -> Trial:
    return Trial(**{"sweep": "s", "number": 3, "attempt": 1, "seed": 7, "metric": "loss", **given})


def argv(words, config, parameters=()) -> list[str]:
    return Command(words).argv(config, {"seed": 7}, set(parameters))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int, within_s: float = 20.0) -> bool:
    deadline = time.monotonic() + within_s
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def number_in(path: Path) -> int:
    while not path.exists() or not path.read_text().endswith("\n"):
        time.sleep(0.02)
    return int(path.read_text())


# ---- words


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("p {args} -v", ["p", "--lr=0.001", "--opt=a b; rm -rf $HOME", "-v"]),
        ("p {overrides}", ["p", "lr=0.001", "opt=a b; rm -rf $HOME"]),
        ("p --rate={lr} {seed} '{opt}'", ["p", "--rate=0.001", "7", "a b; rm -rf $HOME"]),
        ("p '{{lr}}' '{\"a\": 1}' '{}'", ["p", "{lr}", '{"a": 1}', "{}"]),
        (["p", "a b", "x{lr}y"], ["p", "a b", "x0.001y"]),
        ("p --m={momentum} {args}x", ["p", "{args}x"]),
    ],
)
def test_each_word_stays_one(words, expected):
    assert argv(words, {"lr": 0.001, "opt": "a b; rm -rf $HOME"}, ["lr", "opt", "momentum"]) == expected


def test_what_is_put_in_is_not_looked_at_again():
    assert argv("p {a}", {"a": "{seed}", "seed2": 1}, ["a"]) == ["p", "{seed}"]


@pytest.mark.parametrize(
    ("value", "word"),
    [(0.1, "0.1"), (1e-5, "1e-05"), (True, "true"), (None, "null"), ("x y", "x y"), ((64, 32), "[64, 32]")],
)
def test_values_as_programs_read_them(value, word):
    assert in_a_word(value) == word


@pytest.mark.parametrize("words", ["", [], "python 'x", ["python", "a\0b"], [""]])
def test_what_is_no_command(words):
    with pytest.raises(ValueError, match=r"a command is|quotation"):
        Command(words)


# ---- reports


def test_lines_are_reports_and_output(script, capsys):
    path = script(
        """
        import json, os, sys
        config = json.load(open(sys.argv[1]))
        print("begin", os.environ["CAVIAR_SEED"], os.environ["CAVIAR_TRIAL"], os.environ["CAVIAR_SWEEP"])
        for epoch in range(3):
            print(json.dumps({"epoch": epoch, "loss": config["lr"] / (epoch + 1)}))
        print("a word on stderr", file=sys.stderr)
        print("loss=0.125", end="")
        """
    )
    trial = make_trial()
    Command([PYTHON, path, "{config}"])({"lr": 1.0}, trial)
    cells = trial.pop_rows()
    assert list(zip(cells[0::3], cells[2::3], strict=True)) == [
        (0, {"loss": 1.0}),
        (1, {"loss": 0.5}),
        (2, {"loss": 1 / 3}),
        (2, {"loss": 0.125}),
    ]
    out, err = capsys.readouterr()
    assert out.startswith("begin 7 3 s\n")
    assert err == "a word on stderr\n"


def test_a_report_comes_while_the_program_still_runs(script, tmp_path):
    go_on = tmp_path / "go"
    path = script(f"""
        import os, time
        print("loss=1")
        while not os.path.exists({str(go_on)!r}): time.sleep(0.02)
    """)
    trial = make_trial()
    thread = threading.Thread(target=Command([PYTHON, path, "{args}"]), args=({}, trial))
    thread.start()
    while not trial.reported:
        time.sleep(0.02)
    assert thread.is_alive()
    go_on.touch()
    thread.join()


def test_a_file_of_its_own_takes_the_reports(script):
    path = script(
        """
        import sys
        print("loss=9")
        with open(sys.argv[1], "a") as file:
            file.write('{"step": 0, "loss": 1}\\n{"step": 1, "loss"')
            file.flush()
            file.write(': 2}')
        """
    )
    trial = make_trial()
    Command([PYTHON, path, "{metrics}", "{lr}"])({"lr": 1}, trial)
    assert trial.pop_rows()[2::3] == [{"loss": 1.0}, {"loss": 2.0}]


def test_a_line_without_end_takes_no_memory(script, capsys):
    path = script("import sys\nsys.stdout.write('x' * 5_000_000 + '\\nloss=1\\n')")
    trial = make_trial()
    Command([PYTHON, path])({}, trial)
    assert trial.pop_rows()[2::3] == [{"loss": 1.0}]
    assert max(map(len, capsys.readouterr().out.splitlines())) <= MOST_LINE


# ---- ends


def test_a_failure_tells_the_last_words(script):
    path = script("import sys\nprint('loss=1')\nraise ValueError('no such layer')")
    with pytest.raises(CommandError, match=r"ended with exit code 1: ValueError: no such layer") as failed:
        Command([PYTHON, path])({}, make_trial())
    assert "Traceback" in str(failed.value)


def test_a_python_of_another_environment_is_named_where_modules_are_missing(script, tmp_path, monkeypatch):
    (tmp_path / "python").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    path = script("import no_such_module")
    for words in (["python", path], ["/usr/bin/env", "A=1", "python", path]):
        with pytest.raises(CommandError, match=f"No module named 'no_such_module' .python is {tmp_path}/python"):
            Command(words)({}, make_trial())
    with pytest.raises(CommandError) as failed:
        Command([PYTHON, path])({}, make_trial())
    assert "Caviar runs in" not in str(failed.value)


def test_a_signal_is_named():
    with pytest.raises(CommandError, match=r"sh ended with SIGKILL, without a word"):
        Command(["sh", "-c", "kill -9 $$"])({}, make_trial())


def test_memory_that_ran_out_in_a_program_is_that(script):
    path = script("raise RuntimeError('CUDA out of memory. Tried to allocate 2 GiB')")
    program = Program(digest="d", train="train", functions={"train": Command([PYTHON, path])})
    (row,) = ended(rows_of(run_lease(program, make_lease(), own_process=False)))
    assert (row["state"], row["kind"]) == ("FAILED", "oom")


def test_a_program_that_is_not_there():
    with pytest.raises(CommandError, match=r"cannot start pyhton: No such file"):
        Command("pyhton x")({}, make_trial())


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match=r"there is no folder .*gone to begin in"):
        Command("true", folder=str(tmp_path / "gone"))({}, make_trial())


def test_it_begins_in_its_folder(tmp_path, capsys):
    Command("pwd", folder=str(tmp_path))({}, make_trial())
    assert capsys.readouterr().out.strip() == str(tmp_path)


STUBBORN = """
    import os, signal, subprocess, sys, time
    child = subprocess.Popen(["sleep", "1000"])
    with open(sys.argv[1], "w") as file: print(child.pid, file=file)
    signal.signal(signal.SIGTERM, lambda *_: (print("saving", flush=True), sys.exit(0)))
    print("loss=1", flush=True)
    while True: time.sleep(0.05)
"""


def test_a_silent_program_hears_the_stop(script, tmp_path, capsys):
    path, note = script(STUBBORN), tmp_path / "pid"
    trial = make_trial()

    def tell() -> None:
        number_in(note)
        while not trial.reported:
            time.sleep(0.02)
        trial.interrupt(Action.STOP)

    threading.Thread(target=tell).start()
    with pytest.raises(TrialInterrupted):
        Command([PYTHON, path, str(note)])({}, trial)
    assert gone(number_in(note)), "what it started ends with it"
    assert "saving" in capsys.readouterr().out, "it is asked before it is killed, and its last words are kept"


def test_what_a_program_leaves_running_ends_with_the_trial(script, tmp_path):
    note = tmp_path / "pid"
    path = script(f"""
        import subprocess
        child = subprocess.Popen(["sleep", "1000"])
        with open({str(note)!r}, "w") as file: print(child.pid, file=file)
        print("loss=1")
    """)
    trial = make_trial()
    Command([PYTHON, path])({}, trial)
    assert trial.reported
    assert gone(number_in(note))


def test_nothing_outlives_the_process_of_the_trials(script, tmp_path):
    """SIGKILL takes the process that trains; its program, and what that started, end by the reaper."""
    path, note = script(STUBBORN), tmp_path / "pid"
    worker = script(
        f"""
        from caviar_workers.command import Command
        from caviar_workers.trial import Trial
        trial = Trial(sweep="s", number=0, attempt=0, seed=1, metric="loss")
        Command([{PYTHON!r}, {path!r}, {str(note)!r}])({{}}, trial)
        """,
        "worker.py",
    )
    process = subprocess.Popen([PYTHON, worker], stdout=subprocess.DEVNULL)
    child = number_in(note)
    assert alive(child)
    process.kill()
    process.wait()
    assert gone(child)


# ---- checkpoints


SAVING = """
    import json, os
    path = os.environ["CAVIAR_CHECKPOINT"]
    start = int(open(path).read()) + 1 if os.path.exists(path) else 0
    for epoch in range(start, 4):
        print(json.dumps({"epoch": epoch, "loss": epoch}), flush=True)
        with open(f"{path}.{epoch}", "w") as file: file.write(str(epoch))
        print(json.dumps({"epoch": epoch, "checkpoint": f"{path}.{epoch}"}), flush=True)
        if epoch == 1 and start == 0: os._exit(3)
"""


def test_another_attempt_goes_on_from_the_checkpoint(script):
    path = script(SAVING)
    program = Program(digest="d", train="train", functions={"train": Command([PYTHON, path])})
    first = list(run_lease(program, make_lease(), own_process=False))
    assert ended(rows_of(first))[0]["state"] == "FAILED"
    saves = [save for batch in first for save in batch.saves]
    assert [(save.step, save.data) for save in saves] == [(0, b"0"), (1, b"1")]

    lease = make_lease(attempts=(1,), restore={0: origin(1, b"1")})
    again = rows_of(run_lease(program, lease, own_process=False))
    assert [row["step"] for row in again["curves"]] == [2, 3]
    assert ended(again)[0]["state"] == "COMPLETED"


def test_a_pause_waits_for_the_checkpoint(script):
    trial = make_trial()
    saved = []
    trial.connect(lambda one, step, data: saved.append((step, Path(data).read_bytes())))

    class Pausing(Command):
        @staticmethod
        def _report(one, reader, line):
            Command._report(one, reader, line)
            if saved and one.ending is None:
                one.interrupt(Action.PAUSE)

    with pytest.raises(TrialInterrupted):
        Pausing([PYTHON, script(SAVING.replace("os._exit(3)", "pass"))])({}, trial)
    assert [step for step, _ in saved] == [0, 1]
    assert trial.interrupted == Action.PAUSE


def test_the_environment_has_what_the_words_may_have(tmp_path, capsys):
    Command(["env"])({"lr": 1}, make_trial())
    found = dict(line.partition("=")[::2] for line in capsys.readouterr().out.splitlines())
    assert {name for name in found if name.startswith("CAVIAR_")} >= {
        f"CAVIAR_{name}" for name in ("SEED", "TRIAL", "ATTEMPT", "SWEEP", "CONFIG", "METRICS", "CHECKPOINT")
    }
    assert not os.path.exists(found["CAVIAR_CONFIG"]), "its files end with the trial"
    assert json.loads(json.dumps(found["CAVIAR_SEED"])) == "7"
