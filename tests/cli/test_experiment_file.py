"""Which sweep of a file is meant."""

import pytest

from caviar.cli.experiment_file import load
from caviar.errors import SpecError

SWEEP = """
from caviar import Float, Sweep

def train(config, trial):
    return config["x"]

{name} = Sweep(train, space={{"x": Float(0, 1)}}, metric="loss", trials=2, name="{name}")
"""


@pytest.mark.parametrize(
    ("imports", "body", "found"),
    [
        ("from {m} import one", SWEEP.format(name="own"), "own"),
        ("import {m}\nfrom {m} import one, two", SWEEP.format(name="own"), "own"),
        ("from {m} import one", "sweep = one.override({'trials': 3})", "one"),
        ("from {m} import one", "", "one"),
        ("", SWEEP.format(name="own") + "\nagain = own", "own"),
    ],
)
def test_a_sweep_that_was_imported_is_not_one_of_the_file(tmp_path, request, imports, body, found):
    module = f"base_{abs(hash(request.node.name))}"
    (tmp_path / f"{module}.py").write_text(SWEEP.format(name="one") + SWEEP.format(name="two"))
    file = tmp_path / "exp.py"
    file.write_text(f"{imports.format(m=module)}\n{body}\n")
    assert load(str(file)).name == found
    if "override" in body:
        assert load(str(file)).trials == 3
    if imports:
        assert load(f"{file}:one").name == "one"


@pytest.mark.parametrize("imports", ["", "from {m} import one"])
def test_two_that_are_meant_are_refused(tmp_path, request, imports):
    module = f"base_{abs(hash(request.node.name))}"
    (tmp_path / f"{module}.py").write_text(SWEEP.format(name="one"))
    file = tmp_path / "exp.py"
    file.write_text(imports.format(m=module) + SWEEP.format(name="a") + SWEEP.format(name="b"))
    with pytest.raises(SpecError, match=r"holds 2 sweeps \(a, b\): say which"):
        load(str(file))


def test_an_error_in_a_module_beside_the_file_is_told_with_its_line(tmp_path):
    (tmp_path / "ranges_beside.py").write_text("from caviar import Float\n\nLR = Float(1, 0)\n")
    file = tmp_path / "e.py"
    file.write_text("import ranges_beside\n")
    with pytest.raises(SpecError, match=rf"^{file} \(line 3 of ranges_beside.py\): Float needs low < high"):
        load(str(file))
    (tmp_path / "ranges_beside.py").write_text("\n1 / 0\n")
    with pytest.raises(SpecError, match=r"raised ZeroDivisionError at import \(line 2 of ranges_beside.py\)"):
        load(str(file))
