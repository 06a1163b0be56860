import math

import numpy as np
import pytest

from caviar.display.numbers import age, config_text, counted, duration, number, value_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.07123456, "0.07123"),
        (1e-4, "1e-4"),
        (0.000123456, "1.235e-4"),
        (0.001, "0.001"),
        (12345.67, "12346"),
        (999999.7, "1e6"),
        (2.5e7, "2.5e7"),
        (-0.5, "-0.5"),
        (0.0, "0"),
        (100.0, "100"),
        (4294967295, "4294967295"),
        (np.float64(0.25), "0.25"),
        (np.int64(7), "7"),
        (True, "true"),
        (None, "-"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)
def test_number(value: object, text: str) -> None:
    assert text == number(value)


def test_a_momentum_close_to_one_does_not_read_as_one() -> None:
    assert number(0.9999512) == "0.999951"
    assert number(0.99954) == "0.99954"
    assert number(0.9987) == "0.9987"
    assert float(number(1 - 2**-53)) < 1


def test_numbers_keep_four_digits() -> None:
    for exponent in range(-300, 300, 7):
        for mantissa in (1.0, 1.2345678, 9.9999):
            value = mantissa * 10.0**exponent
            assert float(number(value)) == pytest.approx(value, rel=5.1e-4)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.84, "0.8s"),
        (9.96, "10s"),
        (52, "52s"),
        (59.6, "1m00s"),
        (200, "3m20s"),
        (7500, "2h05m"),
        (3600 * 76, "3d04h"),
        (-1, "0.0s"),
        (None, "?"),
        (math.inf, "?"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert text == duration(seconds)


def test_values_and_configs_fit_one_line() -> None:
    assert value_text("a\x1b[31m\nb") == "a b"
    assert value_text([64, 32]) == "[64, 32]"
    assert len(value_text("x" * 100)) == 40
    assert config_text({"lr": 1e-4, "act": "relu"}) == "lr=1e-4 act=relu"


def test_counted() -> None:
    assert [counted(n, "trial") for n in (0, 1, 2)] == ["0 trials", "1 trial", "2 trials"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "now"), (0, "now"), (59.9, "59s"), (119, "119s"), (120, "2m"), (7200, "2h"), (172800, "2d"), (5e6, "8w")],
)
def test_ages(seconds: float, text: str) -> None:
    assert age(seconds) == text
