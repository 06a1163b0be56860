import numpy as np

from caviar_workers.row_columns import Rows, extremes, to_columns


def test_rows_of_one_shape_become_dense_columns() -> None:
    found = to_columns(Rows([0, 1.5, {"a": 1.0, "b": 2.0}, 1, 2.5, {"a": 3.0, "b": 4.0}]))

    assert found.steps.tolist() == [0, 1]
    assert found.times_ms.tolist() == [1500, 2500]
    assert found.metrics["a"][0].tolist() == [1.0, 3.0]
    assert found.metrics["b"][0].tolist() == [2.0, 4.0]
    assert found.metrics["a"][1] is None


def test_a_metric_that_a_row_lacks_is_missing_not_nan() -> None:
    found = to_columns(Rows([0, 0.0, {"a": 1.0}, 1, 0.0, {"b": float("nan")}]))

    assert found.metrics["a"][1] is not None
    assert found.metrics["a"][1].tolist() == [True, False]
    assert found.metrics["b"][1] is not None
    assert found.metrics["b"][1].tolist() == [False, True]
    assert np.isnan(found.metrics["b"][0][1])


def test_the_same_names_in_another_order_keep_their_values() -> None:
    found = to_columns(Rows([0, 0.0, {"a": 1.0, "b": 2.0}, 1, 0.0, {"b": 4.0, "a": 3.0}]))

    assert found.metrics["a"][0].tolist() == [1.0, 3.0]
    assert found.metrics["b"][0].tolist() == [2.0, 4.0]


def test_extremes_look_at_each_run_of_rows_alone_and_at_finite_values_only() -> None:
    values = np.array([3.0, 1.0, 2.0, np.nan, np.inf, -1.0])

    found = extremes(values, None, np.array([0, 3]))

    assert found.last.tolist() == [2.0, -1.0]
    assert found.low.tolist() == [1.0, -1.0]
    assert found.high.tolist() == [3.0, -1.0]
    assert found.all_finite.tolist() == [True, False]


def test_extremes_skip_what_was_not_reported() -> None:
    values = np.array([1.0, 9.0, 8.0])
    present = np.array([True, False, False])

    found = extremes(values, present, np.array([0, 2]))

    assert found.last[0] == 1.0
    assert found.has_last.tolist() == [True, False]
    assert found.has_finite.tolist() == [True, False]
    assert found.all_finite.tolist() == [True, True]


def test_rows_without_a_metric_are_rows() -> None:
    found = to_columns(Rows([0, 0.0, {}, 1, 0.0, {}]))

    assert found.steps.tolist() == [0, 1]
    assert found.metrics == {}
