"""Reports of Hugging Face's evaluations."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(("step", "expected"), [("epoch", [1, 2, 3]), ("global_step", [4, 8, 12])])
def test_each_evaluation_is_a_report(trained, step, expected):
    import torch
    import transformers

    from caviar.integrations.transformers import Report

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def forward(self, x, labels=None):
            out = self.layer(x)
            return {"loss": torch.nn.functional.mse_loss(out, labels), "logits": out}

    def function(config, trial):
        x = torch.randn(16, 2, generator=torch.Generator().manual_seed(0))
        rows = [{"x": row, "labels": row.sum().view(1)} for row in x]
        arguments = transformers.TrainingArguments(
            output_dir=str(trial.path),
            num_train_epochs=3,
            per_device_train_batch_size=4,
            eval_strategy="epoch",
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
        )
        trainer = transformers.Trainer(
            model=Model(), args=arguments, train_dataset=rows, eval_dataset=rows, callbacks=[Report(trial, step=step)]
        )
        trainer.train()

    found = trained(function, metric="eval_loss")
    assert found.steps == expected
    assert found.rows[-1]["eval_loss"] > 0
