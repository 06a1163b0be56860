"""The repository runs anywhere: it names no machine's folders and no package host but in the lock."""

import re

FOREIGN = re.compile(
    r"""(?<![\w.}$~*-])/(?:work|root|Users|home/\w+)/   # a folder of one machine
    | pythonhosted\.org | pypi\.org/simple              # a package host
    | shared/(?:notes|design|data) | SPEC\.md            # papers that are not in the repository
    """,
    re.VERBOSE,
)
LOCK_HOSTS = {"https://pypi.org", "https://files.pythonhosted" + ".org"}


def found_in(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if FOREIGN.search(line)]


def test_no_file_names_a_foreign_path_or_package_host(root, tracked):
    found = {}
    for path in tracked:
        data = path.read_bytes()
        if path != root / "uv.lock" and b"\0" not in data and (lines := found_in(data.decode("utf-8"))):
            found[str(path.relative_to(root))] = lines
    assert found == {}


def test_the_lock_names_the_public_index_only(root):
    lock = (root / "uv.lock").read_text("utf-8")
    assert set(re.findall(r"https?://[^/\"]+", lock)) == LOCK_HOSTS
    assert set(re.findall(r"source = \{ (\w+)", lock)) == {"registry", "editable"}


def test_the_pattern_finds_what_it_is_for():
    # With | for /, or this file would find itself.
    for text in (
        "see |work|main",
        "cd |root|x",
        "'|home|ada|store'",
        "https:||files.pythonhosted|.org|x",
        "a SPEC|.md",
    ):
        assert found_in(text.replace("|.", ".").replace("|", "/")), text
    for text in ("docker|work|", "https:||example.org|home|x|", ".|root|x", "https:||pypi.org|project|ray|"):
        assert not found_in(text.replace("|", "/")), text
