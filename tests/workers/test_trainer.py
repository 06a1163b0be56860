"""All trials of a process find what the top of the file has set, and not what a trial before them did."""

import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.workers.test_lease import ended, run

from caviar_workers.lease import run_lease
from caviar_workers.messages import Lease, Program
from caviar_workers.trial import Trial

SET = {
    "np.seterr(over='raise')": "np.geterr()['over'] == 'raise'",
    "np.set_printoptions(precision=3)": "np.get_printoptions()['precision'] == 3",
    "decimal.getcontext().prec = 50": "decimal.getcontext().prec == 50",
    "LOCAL = threading.local(); LOCAL.scale = 3": "getattr(LOCAL, 'scale', 0) == 3",
    "MODE = contextvars.ContextVar('MODE', default=0); MODE.set(1)": "MODE.get() == 1",
    "asyncio.set_event_loop(asyncio.new_event_loop())": "asyncio.get_event_loop() is not None",
    "TABLE = sqlite3.connect(':memory:')": "TABLE.execute('SELECT 1').fetchone() == (1,)",
    "signal.signal(signal.SIGUSR1, print)": "signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL",
    "from signal import signal as install; install(signal.SIGUSR2, print)": "callable(install)",
    "os.chdir('..')": "os.getcwd() == TOP + '/a'",
    "os.environ['SET'] = 'é'; os.environ.pop('GONE', 0)": "os.environ['SET'] == 'é' and 'GONE' not in os.environ",
    "os.umask(0o27)": "os.umask(0o27) == 0o27",
}
"""What the top of a file does → what holds then."""
OTHER = {
    "pass": "np.geterr()['over'] == 'warn' and decimal.getcontext().prec == 28 and os.getcwd() == TOP + '/a/b'",
}
DONE = [
    "np.seterr(over='ignore')",
    "np.set_printoptions(precision=5)",
    "os.chdir('/')",
    "os.environ['SET'] = 'other'",
    "os.environ['NEW'] = os.environ['GONE'] = 'there'",
    "os.umask(0o77)",
]
"""What a trial does, and no other one is to see."""
DRIVER = """
    import json, os, sys
    from dataclasses import replace
    from pathlib import Path
    import pyarrow as pa
    from caviar.spec.code_snapshot import program_of_file
    from caviar_workers.data import load_data_first
    from caviar_workers.lease import run_lease
    from caviar_workers.messages import Lease

    os.environ["GONE"] = "here"
    found = []
    for path in sys.argv[1:]:
        program = replace(program_of_file(Path(path), train="train"), data="data")
        load_data_first(program, {})
        for number in range(2):
            lease = Lease(id=0, sweep="s", metric="loss", trials=(0, 1), attempts=(0, 0), seeds=(0, 0), configs={})
            for batch in run_lease(program, lease):
                ended = pa.ipc.open_stream(batch.attempts).read_all().to_pylist()
                found += [one["error"] for one in ended if one["ended"]]
    print(json.dumps(found))
"""


def write(file: Path, top: str, sets: dict[str, str], does: Iterable[str]) -> None:
    lines = [
        "import asyncio, contextvars, decimal, os, signal, sqlite3, threading",
        "import numpy as np",
        f"TOP = {top!r}",
        *sets,
        "def data(): os.chdir('/')",
        "def train(config, trial):",
        *(f"    assert {holds}" for holds in sets.values()),
        "    assert 'NEW' not in os.environ",
        *(f"    {line}" for line in does),
        "    trial.report(0, loss=1.0)",
    ]
    file.write_text("\n".join(lines), encoding="utf-8")


def test_what_the_top_of_a_file_sets_holds_for_all_trials_of_its_process(tmp_path: Path) -> None:
    """Two leases of a file, two of another one that sets nothing, and two of the first again; each after its data."""
    one, other, begins = tmp_path / "one.py", tmp_path / "other.py", tmp_path / "a" / "b"
    begins.mkdir(parents=True)
    write(one, str(tmp_path), SET, DONE)
    write(other, str(tmp_path), OTHER, DONE)

    command = [sys.executable, "-c", textwrap.dedent(DRIVER), str(one), str(other), str(one)]
    done = subprocess.run(command, cwd=begins, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [None] * 12


def test_a_lease_does_not_wait_for_the_trial_of_one_that_nobody_listens_to_any_more() -> None:
    threads: list[threading.Thread] = []
    hang, go_on = threading.Event(), threading.Event()

    def train(config: dict[str, Any], trial: Trial) -> None:
        threads.append(threading.current_thread())
        trial.report(0, loss=1.0)
        if trial.number == 7:
            hang.set()
            go_on.wait(60)

    program = Program(digest="d", train="train", functions={"train": train})
    lease = Lease(id=0, sweep="s", metric="loss", trials=(7,), attempts=(0,), seeds=(0,), configs={}, flush_s=0.01)
    hung = run_lease(program, lease, own_process=False)
    next(hung)
    assert hang.wait(60)
    hung.close()  # type: ignore[attr-defined]

    for _ in range(2):
        assert ended(run(train))[0]["state"] == "COMPLETED"
    go_on.set()

    assert threads[0] is not threads[1]
    assert threads[1] is threads[2]
