"""Which files of a project travel, and what is said of the others."""

import os
from pathlib import Path

import pytest

from caviar.errors import SpecError
from caviar.spec.project_archive import with_project, zipped
from caviar.spec.project_files import ProjectFiles, check_root, project_files
from caviar_workers.messages import Program


def lay(root: Path, *names: str) -> Path:
    """Files of these names, each with its name in it; `name=text` has that text."""
    for one in names:
        name, _, text = one.partition("=")
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text or name)
    return root


def told(found: ProjectFiles) -> dict[str, str]:
    return {one.name: one.why for one in found.left}


def kept(found: ProjectFiles) -> list[str]:
    return [one.name for one in found.kept]


SECRETS = [
    *(".env", ".env.local", ".ENV", "a/.env", "server.pem", "tls.KEY", "id_rsa", "id_ed25519.pub", ".netrc"),
    *(".aws/config", ".ssh/known_hosts", "credentials.json", "Credentials", "credentials", ".kube/config", ".pypirc"),
    *("prod.env", "secrets.yaml", ".streamlit/secrets.toml", "secrets/x", "service-account-1.json", ".s3cfg", "k.ppk"),
    *(".config/gcloud/application_default_credentials.json", "token.json", ".dockercfg", "main.tfstate"),
]


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("wanted", ["**", "NAME"])
def test_what_may_hold_a_secret_never_travels(tmp_path: Path, name: str, wanted: str) -> None:
    lay(tmp_path, "exp.py", name)
    if wanted == "NAME":
        with pytest.raises(SpecError, match="it may hold a secret"):
            project_files(tmp_path, [name])
        return

    found = project_files(tmp_path)

    assert kept(found) == ["exp.py"]
    assert list(told(found).values()) == ["it may hold a secret"]


@pytest.mark.parametrize(
    ("name", "left", "why"),
    [
        (".git/config", ".git/", "history"),
        ("venv/pyvenv.cfg", "venv/", "environment"),
        ("conda/conda-meta/x.json", "conda/", "environment"),
        ("__pycache__/exp.pyc", "__pycache__/", "cache"),
        ("node_modules/x/y.js", "node_modules/", "cache"),
        ('results/FORMAT={"format": 2}', "results/", "results store"),
        ("st/other.txt", "st/", "results store"),
        ("odd\\name", "odd\\name", "name"),
    ],
)
def test_environments_caches_and_stores_stay(tmp_path: Path, name: str, left: str, why: str) -> None:
    found = project_files(lay(tmp_path, "exp.py", name), store=tmp_path / "st")

    assert kept(found) == ["exp.py"]
    assert why in told(found)[left]


def test_what_is_ignored_stays_and_the_pattern_is_told(tmp_path: Path) -> None:
    lay(
        tmp_path,
        ".git/HEAD",
        ".gitignore=*.log\n/out/\nbig.*\n",
        *("a.log", "out/x", "deep/out/x", "deep/b.log", "big.csv", "deep/keep.log"),
        "deep/.gitignore=!keep.log\n*.tmp\n",
        "deep/c.tmp",
    )
    found = project_files(tmp_path / "deep")
    assert kept(found) == [".gitignore", "keep.log", "out/x"]
    assert told(found) == {"b.log": ".gitignore: *.log", "c.tmp": ".gitignore: *.tmp"}

    found = project_files(tmp_path)
    assert kept(found) == [".gitignore", "deep/.gitignore", "deep/keep.log", "deep/out/x"]
    assert told(found)["out/"] == ".gitignore: /out/"
    assert told(found)["big.csv"] == ".gitignore: big.*"


def test_caviarignore_goes_before_gitignore(tmp_path: Path) -> None:
    lay(tmp_path, ".gitignore=*.csv\n", ".caviarignore=!a.csv\n*.bin\n", "a.csv", "b.csv", "c.bin")

    found = project_files(tmp_path)

    assert kept(found) == [".caviarignore", ".gitignore", "a.csv"]
    assert told(found) == {"b.csv": ".gitignore: *.csv", "c.bin": ".caviarignore: *.bin"}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["data.csv"], ["data.csv"]),
        (["*.csv"], ["data.csv"]),
        (["**/*.csv"], ["data.csv", "sub/more.csv"]),
        (["sub"], ["sub/ig.dat", "sub/more.csv"]),
        (["sub/"], ["sub/ig.dat", "sub/more.csv"]),
        (["./sub/ig.dat"], ["sub/ig.dat"]),
        (["sub/**"], ["sub/more.csv"]),
        (["data.csv", "sub/m*"], ["data.csv", "sub/more.csv"]),
    ],
)
def test_names_and_globs(tmp_path: Path, wanted: list[str], names: list[str]) -> None:
    lay(tmp_path, ".gitignore=*.dat\n", "data.csv", "sub/more.csv", "sub/ig.dat", "exp.py")

    assert kept(project_files(tmp_path, wanted)) == names


def test_what_is_named_in_full_goes_though_its_folder_is_ignored(tmp_path: Path) -> None:
    lay(tmp_path, ".gitignore=data/\n", "data/a.csv", "data/b.csv", "exp.py")

    assert kept(project_files(tmp_path, ["data/a.csv"])) == ["data/a.csv"]


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("none.csv", "no file in .* is called none.csv"),
        ("*.dat", r"sub/ig.dat does not travel \(.gitignore: \*.dat\)|no file in"),
        ("sub/*.dat", r"sub/ig.dat does not travel \(.gitignore: \*.dat\)"),
        ("../up.csv", "from within .*--project DIR"),
        ("/etc/passwd", "from within .*--project DIR"),
    ],
)
def test_what_is_not_there_or_stays_is_refused_in_a_sentence(tmp_path: Path, wanted: str, sentence: str) -> None:
    lay(tmp_path / "p", ".gitignore=*.dat\n", "exp.py", "sub/ig.dat")

    with pytest.raises(SpecError, match=sentence):
        project_files(tmp_path / "p", [wanted])


def test_links_lead_nowhere_else(tmp_path: Path) -> None:
    root = lay(tmp_path / "p", "real.csv", ".env", "d/x")
    lay(tmp_path, "outside.csv")
    for name, target in [
        ("in.csv", "real.csv"),
        ("out.csv", tmp_path / "outside.csv"),
        ("hidden.txt", ".env"),
        ("folder", "d"),
        ("gone", "nowhere"),
        ("loop", "loop"),
    ]:
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe")

    found = project_files(root)

    assert kept(found) == ["d/x", "in.csv", "real.csv"]
    why = told(found)
    assert (why["out.csv"], why["hidden.txt"]) == ("it is a link that leads out of the project", "it may hold a secret")
    assert {"folder", "gone", "loop", "pipe"} <= why.keys()


def test_a_link_to_what_is_ignored_stays_unless_it_is_named(tmp_path: Path) -> None:
    lay(tmp_path, "private/notes.txt", "a.log", "a.csv")
    (tmp_path / ".gitignore").write_text("private/\n*.log\n")
    for name, target in [("notes.txt", "private/notes.txt"), ("log.txt", "a.log"), ("b.csv", "a.csv")]:
        (tmp_path / name).symlink_to(target)

    found = project_files(tmp_path)

    assert kept(found) == [".gitignore", "a.csv", "b.csv"]
    assert told(found)["notes.txt"] == "it is a link to private/, .gitignore: private/"
    assert kept(project_files(tmp_path, ["notes.txt"])) == ["notes.txt"]


def test_too_much_is_refused_by_naming_the_largest(tmp_path: Path) -> None:
    for number, size in enumerate([90, 8, 7, 6, 5, 4]):
        with (tmp_path / f"{number}.bin").open("wb") as file:
            file.truncate(size * 10**6)

    with pytest.raises(
        SpecError, match=r"at most 100 MB .* has 120 MB; .* are 0.bin \(90 MB\), 1.bin .*, 4.bin \(5 MB\):"
    ):
        project_files(tmp_path).check_size()


@pytest.mark.parametrize("root", ["/", "~", "~/..", "nowhere"])
def test_a_home_is_no_project(root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()

    with pytest.raises(SpecError, match="--project DIR"):
        check_root(Path(root).expanduser())


def test_the_same_files_are_the_same_bytes_wherever_they_lie(tmp_path: Path) -> None:
    first, second = (zipped(project_files(lay(tmp_path / at, "b/x=1", "a=2"))) for at in ("one", "two"))
    other, _ = zipped(project_files(lay(tmp_path / "three", "b/x=1", "a=3")))

    assert first == second
    assert other != first[0]


def test_what_the_code_does_depends_on_its_files(tmp_path: Path) -> None:
    lay(tmp_path, "exp.py", "a.csv=1")
    program = Program(digest="d", train="t", module="m", files={"m": (str(tmp_path / "exp.py"), "")})

    before = with_project(program, tmp_path, ["a.csv"])
    lay(tmp_path, "a.csv=2")
    after = with_project(program, tmp_path, ["a.csv"])

    assert len({program.digest, before.digest, after.digest}) == 3
    assert with_project(program, tmp_path, []) is program
