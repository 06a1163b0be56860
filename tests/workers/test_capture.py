"""What trials print: streams that are kept from one lease to the next, captures in threads, and what is too much."""

import html
import io
import json
import logging
import shlex
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caviar_workers.capture import Capture
from caviar_workers.hidden import without
from caviar_workers.transcript import BEGINNING, END, Transcript, folded
from caviar_workers.trial import Trial


def trial(number: int) -> Trial:
    return Trial(sweep="s", number=number, attempt=0, seed=0)


def printed(work: Callable[[], None], number: int = 0) -> dict[str, str]:
    """What a capture of its own catches of one trial, by stream; like a lease, the trial has a thread of its own."""
    with Capture(descriptors=False) as capture:

        def train() -> None:
            capture.begin(trial(number))
            work()
            capture.end()

        thread = threading.Thread(target=train)
        thread.start()
        thread.join()
        pieces = capture.pop_pieces()
    assert {piece.trial for piece in pieces} <= {number}
    return {name: "".join(piece.text for piece in pieces if piece.stream == name) for name in ("out", "err")}


Writer = Callable[[str], object]


def handler() -> Writer:
    kept = logging.StreamHandler(sys.stdout)
    return lambda text: kept.emit(logging.makeLogRecord({"msg": text.strip()}))


def printer() -> Writer:
    kept = sys.stdout
    return lambda text: print(text, end="", file=kept)


def encoder() -> Writer:
    kept = sys.stdout.buffer
    return lambda text: kept.write(text.encode())


KEEPERS: dict[str, Callable[[], Writer]] = {
    "method": lambda: sys.stdout.write,
    "stream": printer,
    "buffer": encoder,
    "handler": handler,
    "wrapper": lambda: io.TextIOWrapper(sys.stdout.buffer, "utf-8", write_through=True).write,
}
HARM: dict[str, Callable[[Any], object]] = {
    "nothing": lambda stream: None,
    "closed": lambda stream: stream.close(),
    "detached": lambda stream: stream.detach(),
    "buffer closed": lambda stream: stream.buffer.close(),
    "replaced": lambda stream: setattr(sys, "stdout", io.StringIO()),
    "reconfigured": lambda stream: stream.reconfigure(encoding="ascii", errors="strict"),
}


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("keeper", KEEPERS)
def test_who_keeps_a_stream_writes_to_the_trial_that_runs_whatever_a_trial_did_to_it(keeper: str, harm: str) -> None:
    writers: list[Writer] = []

    def first() -> None:
        writers.append(KEEPERS[keeper]())
        writers[0]("one\n")
        HARM[harm](sys.stdout)

    assert printed(first)["out"].startswith("one\n")

    def later() -> None:
        writers[0]("täg\n")
        print("new")

    for number in (1, 2):
        assert printed(later, number)["out"] == "täg\nnew\n"


def test_between_leases_a_kept_stream_writes_to_where_output_went_before(capsys: pytest.CaptureFixture[str]) -> None:
    kept: list[Any] = []
    printed(lambda: kept.append(sys.stdout))
    print("between", file=kept[0])

    assert capsys.readouterr().out == "between\n"
    assert sys.stdout is not kept[0]


def test_what_comes_between_two_trials_belongs_to_none() -> None:
    with Capture(descriptors=False) as capture:
        for number in (0, 1):
            capture.begin(trial(number))
            capture.end()
            print("between")
            time.sleep(0.002)  # of less, nobody may say in which of the two it came
        assert capture.pop_pieces() == []


OWN = """
    import faulthandler, logging, os, subprocess, sys
    from caviar_workers.capture import Capture
    from caviar_workers.trial import Trial
    kept = []
    for number in range(3):
        with Capture(descriptors=True) as capture:
            capture.begin(Trial(sweep="s", number=number, attempt=0, seed=0))
            if not kept:
                logging.basicConfig(stream=sys.stdout, format="%(message)s")
                kept += [sys.stdout, sys.stdout.fileno()]
            logging.warning("log")
            os.write(kept[1], b"number\\n")
            print("object", file=kept[0])
            subprocess.run(["/bin/echo", "child"], stdout=kept[0], check=True)
            capture.end()
            text = "".join(piece.text for piece in capture.pop_pieces())
        assert text == "log\\nnumber\\nobject\\nchild\\n", text
    print("after", file=kept[0], flush=True)
"""


def test_a_process_of_trials_keeps_its_streams_and_their_numbers() -> None:
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(OWN)], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("after\n", "")


LIVES_ON = """
    import os, subprocess, sys
    from caviar_workers.capture import Capture
    from caviar_workers.trial import Trial

    def said(word):
        child.stdin.write(b"%s\\n" % word)
        child.stdin.flush()
        assert os.read(reading, 9) == b"done\\n"

    reading, writing = os.pipe()
    script = f'while read word; do echo $word >&2; echo done >/dev/fd/{writing}; done'
    for number in range(4):
        with Capture(descriptors=True) as capture:
            for trial in (2 * number, 2 * number + 1):
                capture.begin(Trial(sweep="s", number=trial, attempt=0, seed=0))
                if trial == 0:
                    child = subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, pass_fds=[writing])
                    copy = os.dup(1)
                said(b"child %d" % trial)
                os.write(copy, b"copy %d\\n" % trial)
                print("print", trial)
                capture.end()
                found = {piece.stream: piece.text for piece in capture.pop_pieces()}
                assert found == {"out": f"copy {trial}\\nprint {trial}\\n", "err": f"child {trial}\\n"}, (trial, found)
        said(b"between")
    child.communicate()
"""
CLOSED = """
    import os, sys
    from caviar_workers.capture import Capture
    from caviar_workers.trial import Trial
    for number in range(3):
        with Capture(descriptors=True) as capture:
            capture.begin(Trial(sweep="s", number=number, attempt=0, seed=0))
            print("print", number)
            capture.end()
            assert [piece.text for piece in capture.pop_pieces()] == [f"print {number}\\n"]
        os.closerange(3, 256)
        taken = open(os.devnull)
"""


@pytest.mark.parametrize("script", [LIVES_ON, CLOSED])
def test_what_lives_on_over_leases_writes_to_the_trial_that_runs(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_captures_in_threads_catch_each_its_own_trial_and_the_driver_none(capsys: pytest.CaptureFixture[str]) -> None:
    before, both = sys.stdout, threading.Barrier(2)
    found: dict[int, str] = {}

    def sweep(number: int) -> None:
        def work() -> None:
            for _ in range(20):
                both.wait(10)
                print(number)

        found[number] = printed(work, number)["out"]
        print("driver", number, file=before)

    threads = [threading.Thread(target=sweep, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {0: "0\n" * 20, 1: "1\n" * 20}
    assert sys.stdout is before
    assert sorted(capsys.readouterr().out.splitlines()) == ["driver 0", "driver 1"]


def test_a_progress_bar_keeps_its_last_state_only_and_what_comes_after_it() -> None:
    def work() -> None:
        for i in range(40_000):
            sys.stderr.write(f"\rEpoch {i // 1000}:  {i % 1000 / 10:4.1f}%|#####     | {i}")
        print("WARNING: the learning rate was halved", file=sys.stderr)

    text = printed(work)["err"]

    assert text.endswith("Epoch 39:  99.9%|#####     | 39999WARNING: the learning rate was halved\n")
    assert len(text) < 1_000


def test_of_too_much_the_beginning_and_the_end_are_kept() -> None:
    def work() -> None:
        for number in range(60):
            print(f"{number:x<100000}")
        print("the last words")

    text = printed(work)["out"]

    assert len(text) < BEGINNING + END + 300
    assert text.startswith("0xxx")
    assert "but for its end]" in text
    assert "characters were dropped]" in text
    assert text.endswith("the last words\n")


@given(st.text("ab\r\n", max_size=30), st.booleans())
def test_folding_shows_what_a_terminal_would_of_bars_as_long_as_each_other(text: str, fresh: bool) -> None:
    shown = folded(text, fresh=fresh)

    assert [line.rstrip("\r").rpartition("\r")[2] for line in shown.split("\n")] == [
        line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")
    ]
    assert len(shown) <= len(text)
    assert folded(shown, fresh=fresh) == shown


@given(st.text(max_size=60), st.integers(1, 7))
def test_a_text_that_is_not_too_much_is_kept_whole_however_it_is_cut(text: str, size: int) -> None:
    text = text.replace("\r", "")
    data, transcript = text.encode("utf-8", "backslashreplace"), Transcript()

    kept = "".join(transcript.add(data[at : at + size]) for at in range(0, len(data), size))

    assert kept + transcript.close() == data.decode()


SECRETS = st.lists(st.text("ab'\\", min_size=1, max_size=6), min_size=1, max_size=3)


@given(st.text("ab'\\\n", max_size=60), SECRETS, st.integers(1, 7))
def test_a_secret_is_blotted_out_however_the_output_is_cut(text: str, hidden: list[str], size: int) -> None:
    data, transcript = text.encode(), Transcript(hidden)

    kept = "".join(transcript.add(data[at : at + size]) for at in range(0, len(data), size))

    assert kept + transcript.close() == without(text, hidden)


def test_a_secret_is_blotted_out_where_the_beginning_ends_and_where_the_end_begins() -> None:
    secret = "".join(chr(0x100 + number) for number in range(50))  # no letter of it is printed otherwise
    for shift in range(0, 92, 13):
        transcript = Transcript([secret])
        line = f"GET {secret} /{'x' * 37}\n"
        parts = [transcript.add((" " * shift + line * 24_000).encode())]
        transcript.skip(shift + 1)
        parts += [transcript.add((secret[shift % 50 :] + line * 2_000).encode()), transcript.close()]

        assert not set("".join(parts)) & set(secret), shift
        assert "***" in parts[0]
        assert "***" in parts[-1]


@pytest.mark.parametrize(
    "write",
    [
        str,
        repr,
        ascii,
        json.dumps,
        lambda text: json.dumps(json.dumps(text)),
        lambda text: json.dumps([text], ensure_ascii=False),
        lambda text: repr(text.encode()),
        lambda text: f"postgres://me:{quote(text, safe='')}@db/x",
        lambda text: f"https://host/{quote(text)}/x",
        lambda text: urlencode({"token": text}),
        html.escape,
        shlex.quote,
        lambda text: repr({"a": text}),
    ],
)
@given(secret=st.text(st.characters(codec="utf-8"), min_size=8, max_size=12))
def test_a_secret_is_blotted_out_however_programs_write_it(write: Callable[[str], str], secret: str) -> None:
    written = write(secret)
    kept = without(f"before {written} after", [secret])
    assert "***" in kept
    assert written not in kept


def test_a_secret_is_blotted_out_as_it_is_quoted() -> None:
    secret = '-----BEGIN\nit\'s \\ "x" ü\n'

    assert without(f"{secret} {secret!r} {{'a': {secret!r}}} {json.dumps([secret])}", [secret]) == (
        "*** '***' {'a': '***'} [\"***\"]"
    )
