"""The bands of the tuning curve against those of `opda`, by the authors of the method, in an environment of its own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from caviar.results.statistics.tuning_curve import median_bounds

ORACLE = """
import json, sys
import numpy as np
from opda.nonparametric import EmpiricalDistribution
values, ks = json.load(sys.stdin)
bands = EmpiricalDistribution.confidence_bands(np.array(values), confidence=0.95, method="ld_equal_tailed")
worst, _, best = (one.quantile_tuning_curve(ks, q=0.5, minimize=True).tolist() for one in bands)
print(json.dumps([best, worst]))
"""


@pytest.fixture(scope="module")
def opda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("opda")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "opda>=0.7"], check=True)
    return python


@pytest.mark.nightly
@pytest.mark.timeout(600)
@pytest.mark.parametrize("n", [20, 48])
def test_the_bands_are_those_of_opda_to_one_value(opda: Path, n: int) -> None:
    """Ours hold for all quantiles up to the median, opda's for all: so they differ by one of the values at most."""
    ks = [1, 2, 3, 4, 8, 16, n]
    for seed in range(3):
        values = np.sort(np.random.default_rng(seed).lognormal(size=n))
        given = json.dumps([values.tolist(), ks])
        ran = subprocess.run([opda, "-c", ORACLE], input=given, capture_output=True, text=True, check=True)
        for mine, theirs in zip(median_bounds(values, np.array(ks)), json.loads(ran.stdout), strict=True):
            places = np.searchsorted(values, mine) - np.searchsorted(values, np.array(theirs, float))
            assert np.abs(places).max() <= 1, (mine, theirs)
