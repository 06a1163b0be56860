"""Wheels of small packages, as an index has them."""

import zipfile
from pathlib import Path


def wheel(folder: Path, name: str, number: str, files: dict[str, str], metadata: str = "") -> None:
    """A wheel, as an index has it."""
    with zipfile.ZipFile(folder / f"{name}-{number}-py3-none-any.whl", "w") as made:
        inner, shown = f"{name}-{number}.dist-info", name.replace("_", "-")
        files = files | {
            f"{inner}/METADATA": f"Metadata-Version: 2.1\nName: {shown}\nVersion: {number}\n{metadata}",
            f"{inner}/WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        for path, text in files.items():
            made.writestr(path, text)
        made.writestr(f"{inner}/RECORD", "".join(f"{path},,\n" for path in [*files, f"{inner}/RECORD"]))
