"""The repository runs anywhere: it names no machine's folders and no package host but in the lock."""

import re

FOREIGN = re.compile(
    r"""(?<![\w.}$~*-])/(?:work|root|Users|home/\w+)/   # a folder of one machine
    | pythonhosted\.org | pypi\.org/simple              # a package host
    | shared/(?:notes|design|data) | SPEC\.md            # papers that are not in the repository
    """,
    re.VERBOSE,
)
IN_A_CONTAINER = re.compile(r"(?<![\w.}$~*-])/(?:home/ray|root)/")
"""Folders that an image has wherever it runs; files in docker/ may name them."""
LOCK_HOSTS = {"https://pypi.org", "https://files.pythonhosted" + ".org"}


def found_in(text: str, *, container: bool = False) -> list[str]:
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if FOREIGN.search(IN_A_CONTAINER.sub("", line) if container else line)]


def test_no_file_names_a_foreign_path_or_package_host(root, tracked):
    found = {}
    for path in tracked:
        data, name = path.read_bytes(), path.relative_to(root)
        if path == root / "uv.lock" or b"\0" in data:
            continue
        if lines := found_in(data.decode("utf-8"), container=name.parts[0] == "docker"):
            found[str(name)] = lines
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


def test_a_container_has_folders_of_its_own():
    for text in ("HOME=|home|ray|x", "COPY x |root|x"):
        assert not found_in(text.replace("|", "/"), container=True), text
    for text in ("COPY |home|ada|x .", "|home|ray|x from |work|main"):
        assert found_in(text.replace("|", "/"), container=True), text
