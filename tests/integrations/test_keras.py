"""Reports of Keras's epochs."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
pytest.importorskip("torch")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore")


def train(epochs=3):
    from caviar.integrations.keras import Report, saved_model

    def function(config, trial):
        x = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
        y = x.sum(1)
        model = saved_model(trial)
        if model is None:
            model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
            model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
        report = Report(trial, save=True)
        model.fit(x, y, epochs=epochs, initial_epoch=trial.start, validation_data=(x, y), verbose=0, callbacks=[report])

    return function


def test_each_epoch_is_a_report_and_another_attempt_goes_on(trained, again):
    found = trained(train(), metric="val_loss")
    assert found.steps == [0, 1, 2]
    assert found.rows[-1]["val_loss"] < found.rows[0]["val_loss"]
    assert again(trained(train(2), metric="val_loss"), train(4), metric="val_loss").steps == [2, 3]
