"""`caviar export`: a sweep for Optuna, TensorBoard, MLflow or Weights & Biases, or as a table."""

import click

from caviar.cli.options import Target, forced, output_options, sweep_argument, target_options

TOOLS = ("optuna", "tensorboard", "mlflow", "wandb", "csv", "latex", "markdown")
EPILOG = """\b
Where to, with -o:
  optuna       study.db (SQLite) or study.log (journal), for load_study
  tensorboard  a new folder, for tensorboard --logdir
  mlflow       mlflow.db (SQLite) or a tracking server, http://…
  wandb        a new folder of offline runs, for wandb sync
  csv, latex, markdown   a file

\b
Examples:
  caviar export --to optuna -o study.db
  caviar export digits --to tensorboard -o tb
  caviar export digits --to latex -o digits.tex
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option("--to", "to", required=True, type=click.Choice(TOOLS), help="The tool, or the form of the table.")
@output_options("The file or folder that is written.", metavar="WHERE")
@target_options
def verb(to: str, output: str, target: Target) -> None:
    """Write SWEEP for another tool, each trial with its configuration, its state and its whole curve."""
    from caviar.cli.opened import opened
    from caviar.cli.output import emit_json, say
    from caviar.display.numbers import counted
    from caviar.export.export import export

    with opened(target) as sweep:
        document = export(sweep, to, output, force=forced())
    if target.as_json:
        emit_json(document)
        return
    say(f"wrote {output}: {counted(document.trials, 'trial')} of {document.sweep} for {to}")
    if to == "optuna" and output.endswith(".db"):
        say(f"open it: optuna.load_study(study_name=None, storage='sqlite:///{output}')")
    if document.left_out:
        states = ", ".join(f"{number} {state.lower()}" for state, number in document.left_out.items())
        say(f"left out, for they have not ended: {states}")
    if document.edited:
        trials = counted(document.edited, "trial")
        say(f"{trials} edited while training, or forked: their configuration is the one that they began with")
