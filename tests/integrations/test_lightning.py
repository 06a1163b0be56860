"""Reports of PyTorch Lightning's epochs."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.filterwarnings("ignore")


def train(epochs=3, *, validate=True):
    import lightning
    import torch

    from caviar.integrations.lightning import Report, resume_path

    class Model(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def training_step(self, batch, _):
            loss = torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch, _):
            self.log("val_loss", torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1]))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    def function(config, trial):
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(64, 2, generator=generator)
        data = torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True))
        loaders = [torch.utils.data.DataLoader(data, 16)] * (2 if validate else 1)
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "accelerator": "cpu"}
        trainer = lightning.Trainer(
            max_epochs=epochs, callbacks=[Report(trial, save=True)], enable_model_summary=False, **quiet
        )
        trainer.fit(Model(), *loaders, ckpt_path=resume_path(trial))

    return function


def test_each_epoch_is_a_report(trained):
    found = trained(train(), metric="train_loss")
    assert found.steps == [0, 1, 2], "the check before the training is none"
    assert found.rows[-1]["val_loss"] < found.rows[0]["val_loss"]
    assert [save.step for save in found.saves] == [0, 1, 2]


def test_without_validation_the_training_is_reported(trained):
    found = trained(train(validate=False), metric="train_loss")
    assert found.steps == [0, 1, 2]
    assert "train_loss" in found.rows[0]


def test_another_attempt_goes_on_with_its_epochs(trained, again):
    assert again(trained(train(2), metric="train_loss"), train(4), metric="train_loss").steps == [2, 3]
