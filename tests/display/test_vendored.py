"""What was taken from others is what they publish: compared with the npm packages, by npm itself."""

import json
import shutil
import subprocess
import tarfile

import pytest

from caviar.display.page import ECHARTS

HERE = ECHARTS.parent


def published(package, version, folder):
    """The files of a published package, unpacked."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not here, and only it knows where packages are published")
    packed = subprocess.run(
        [npm, "pack", f"{package}@{version}", "--silent"], cwd=folder, capture_output=True, text=True, check=True
    )
    with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
        archive.extractall(folder / package, filter="data")
    return folder / package / "package"


@pytest.mark.nightly
@pytest.mark.timeout(300)
def test_echarts_is_the_published_file_with_its_licences(tmp_path):
    record = json.loads((HERE / "VERSION.json").read_text("utf-8"))
    package = published(record["package"], record["version"], tmp_path)
    assert ECHARTS.read_bytes() == (package / record["file"]).read_bytes()
    for ours, theirs in (("LICENSE", "LICENSE"), ("NOTICE", "NOTICE"), ("LICENSE-d3", "licenses/LICENSE-d3")):
        assert (HERE / ours).read_bytes() == (package / theirs).read_bytes()
    needs = json.loads((package / "package.json").read_text("utf-8"))["dependencies"]
    zrender = published("zrender", needs["zrender"], tmp_path)
    assert (HERE / "LICENSE-zrender").read_bytes() == (zrender / "LICENSE").read_bytes()
