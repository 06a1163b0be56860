"""Lines of a file of requirements: which can be followed on a cluster, and why not."""

from pathlib import Path

import pytest

from caviar.errors import SpecError
from caviar.spec.requirements import requirements_of


def of(folder: Path, text: str) -> list[str]:
    (file := folder / "extras.txt").write_text(text)
    return [str(one) for one in requirements_of(file)]


def test_names_versions_markers_and_hashes_are_understood(tmp_path: Path) -> None:
    text = """
    # a comment
    einops>=0.8   # why
    humanize==4.9 \\
        --hash=sha256:aaaa \\
        --hash=sha256:bbbb
    tomli>=2; python_version < "3.11"
    black[jupyter]
    """
    assert of(tmp_path, text) == ["einops>=0.8", "humanize==4.9", 'tomli>=2; python_version < "3.11"', "black[jupyter]"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ray==2.60.0", "ray cannot be another one there, the cluster runs it already"),
        ("Caviar_Sweep", "it runs the sweep already"),
        ("-e .", "lay the package beside"),
        ("--editable=../lib", "lay the package beside"),
        ("-r more.txt", "leads to another file"),
        ("--index-url https://me:sesame@host/simple", "PIP_INDEX_URL"),
        ("./wheels/a-1.0-py3-none-any.whl", "path of this machine"),
        ("a-1.0-py3-none-any.whl", "path of this machine"),
        ("libs/mine", "path of this machine"),
        ("mine @ git+https://me:sesame@host/mine", "is an address"),
        ("git+ssh://git@host/mine", "is an address"),
        ("mine @ file:///srv/mine", "is an address"),
        ("einops 0.8", "is no package such as"),
    ],
)
def test_what_cannot_be_had_on_a_cluster_is_refused_with_the_reason(tmp_path: Path, line: str, why: str) -> None:
    with pytest.raises(SpecError) as error:
        of(tmp_path, f"einops\n{line}\n")
    assert why in str(error.value)
    assert "extras.txt, line 2" in str(error.value)
    assert "sesame" not in str(error.value)


@pytest.mark.parametrize("text", ["", "# nothing\n\n"])
def test_a_file_without_packages_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SpecError, match="names no package"):
        of(tmp_path, text)


def test_what_is_no_text_and_what_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        requirements_of(tmp_path / "none.txt")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="cannot be read"):
        requirements_of(tmp_path / "b.txt")
