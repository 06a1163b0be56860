"""The program's entry point: help, misspelt verbs, errors, exit codes."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from caviar.cli import main as program
from caviar.cli.main import cli, main
from caviar.display.verb_names import VERBS
from caviar.errors import CaviarError, ClusterError, NoResultError, NotFoundError, SpecError, StoreError

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


def run(monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(args)
    return int(exit_.value.code or 0)


def run_raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    @click.command()
    def verb() -> None:
        raise error

    monkeypatch.setattr(program.Verbs, "get_command", lambda *_: verb)
    return run(monkeypatch, "ls")


def test_every_verb_has_a_file_and_every_file_is_a_verb() -> None:
    files = {path.stem.removeprefix("verb_") for path in Path(program.__file__).parent.glob("verb_*.py")}
    assert files == set(VERBS)


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_and_option_has_help_and_is_documented(name: str) -> None:
    context = click.Context(cli)
    verb = cli.get_command(context, name)
    docs = DOCS.read_text()
    section = docs.partition(f"\n## caviar {name}\n")[2].partition("\n## ")[0]
    assert verb is not None
    assert verb.help
    assert verb.short_help
    assert "Examples:" in (verb.epilog or "")
    assert f"caviar {name}" in (verb.epilog or "")
    assert section, f"docs/cli.md has no section on {name}"
    for option in verb.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            shared = {"store", "as_json", "sweep"}
            where = docs if option.name in shared else section
            assert all(f"`{opt}" in where for opt in option.opts), f"docs/cli.md: {name} {option.opts}"


def test_documented_verbs_and_codes_exist() -> None:
    docs = DOCS.read_text()
    assert re.findall(r"^## caviar (\w+)$", docs, re.M) == list(VERBS)
    codes = re.findall(r"^\| (\d+) \|", docs, re.M)
    help_text = CliRunner().invoke(cli, ["--help"]).output
    assert codes == re.findall(r"^    (\d+)  ", help_text, re.M)
    errors = (CaviarError, SpecError, NoResultError, NotFoundError, StoreError, ClusterError)
    assert {str(error.exit_code) for error in errors} <= set(codes)


@pytest.mark.parametrize("args", [["--help"], ["-h"], []])
def test_help(args: list[str]) -> None:
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 0
    assert "Exit codes:" in result.output
    for group, does in VERBS.values():
        assert f"\n{group}:\n" in result.output
        assert does in result.output
    assert all(f"\n  {verb} " in result.output for verb in VERBS)


@pytest.mark.parametrize("name", VERBS)
def test_help_of_a_verb_is_laid_out(name: str) -> None:
    output = CliRunner().invoke(cli, [name, "--help"]).output
    assert "\n  Examples:\n    caviar" in output
    assert "\\b" not in output


def test_version() -> None:
    assert re.fullmatch(r"caviar \d+\.\d+\S*\n", CliRunner().invoke(cli, ["--version"]).output)


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["bset"], "did you mean 'best'?"),
        (["rum"], "did you mean 'run' or 'rm'?"),
        (["rn"], "did you mean 'run'?"),
        (["importance"], "did you mean 'understand'?"),
        (["optimize"], "did you mean 'run'?"),
        (["lst"], "'ls'"),
        (["xyzzy"], "the verbs are run, resume"),
        (["best", "--storr", "x"], "--store"),
        (["--versoin"], "--version"),
        (["best", "-k", "0"], "caviar best --help"),
        (["best", "--rule", "lsat"], "'last'"),
        (["show", "seven"], "A trial is a number from 0, such as 19 or t19, got 'seven'"),
        (["run"], "Name a FILE that holds a Sweep, or after -- a COMMAND that trains"),
        (["query", "select 1", "--format", "parquet"], "add -o FILE"),
        (["query", "select 1", "--format", "csv", "--json"], "contradict"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_with_a_hint(
    args: list[str], hint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("caviar: ")
    assert err.count("\n") == 1
    assert hint in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SpecError("rule, got 3"), 2),
        (NoResultError("none"), 3),
        (NotFoundError("no sweep"), 4),
        (StoreError("locked"), 5),
        (ClusterError("gone"), 6),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
    ],
)
def test_errors_become_exit_codes(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(program, "_drop_output", lambda: None)
    assert run_raising(monkeypatch, error) == code
    err = capsys.readouterr().err
    assert "Traceback" not in err
    if isinstance(error, CaviarError):
        assert err == f"caviar: {error}\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which Linux has")
def test_a_full_disk_behind_stdout_is_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "caviar.cli.main", "--help"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("caviar: cannot write the output: ")
    assert done.stderr.count("\n") == 1


def test_an_unexpected_error_shows_where_it_happened(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_raising(monkeypatch, RuntimeError("\x1b[2Jboom")) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("caviar: unexpected RuntimeError: boom")


@pytest.mark.parametrize("made_of_it", [None, ImportError, SystemError, SpecError, StoreError], ids=str)
def test_what_others_make_of_ctrl_c_is_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], made_of_it: type[Exception] | None
) -> None:
    """An extension that is being imported raises ImportError, and who imports it may take it for missing."""

    @click.command()
    def verb() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            if made_of_it is None:
                raise
            raise made_of_it("initialization failed") from None

    monkeypatch.setattr(program.Verbs, "get_command", lambda *_: verb)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs are born deaf to it
    try:
        assert run(monkeypatch, "ls") == 130
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == "caviar: interrupted\n"


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; sys.argv = ['caviar', '--help']\n" + (
        "from caviar.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'rich', 'duckdb', 'ray', 'numpy', 'pandas', 'pyarrow', 'scipy'} & set(sys.modules)\n"
        "heavy |= {name for name in sys.modules if name.startswith('caviar.cli.verb_')}\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    script = f"set -o pipefail; {shlex.quote(sys.executable)} -m caviar.cli.main --help | true; exit $?"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode in {0, 141}


@pytest.mark.parametrize(("verb", "words"), [("add", "pip install torch"), ("test", "of a checkout")])
def test_a_verb_of_the_checkout_s_script_is_known_as_such(caviar, verb, words):
    got = caviar(verb, "torch")
    assert (got.code, got.out) == (2, "")
    assert words in got.err


@pytest.mark.parametrize("words", [["ls"], ["best"], ["store", "check"]])
def test_a_working_folder_that_was_removed_is_one_sentence(tmp_path: Path, words: list[str]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    program = f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); from caviar.cli.main import main; main()"
    ran = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
    told = "caviar: the folder that you work in was removed: cd to another one and type the same again\n"
    assert (ran.returncode, ran.stderr) == (2, told)
