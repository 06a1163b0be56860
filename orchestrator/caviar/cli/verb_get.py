"""`caviar get`: a checkpoint, such as the winner's model, or a file that a trial kept, as a file."""

from dataclasses import replace

import click

from caviar.cli.options import Target, best_or_trial, output_options, target_options

EPILOG = """\b
Without TRIAL, it is that of the best trial; after a retest, of its winner.
Of a trial's checkpoints the last few stay in the store, and the best one.

\b
Examples:
  caviar get -o best.pt
  caviar get 42 -o t42.pt --best
  caviar get digits t42 --step 20 -o t42.pt
  caviar get 42 --artifact confusion.png -o confusion.png
"""


@click.command(epilog=EPILOG)
@best_or_trial
@output_options("Where to write it.")
@click.option("--best", is_flag=True, help="The one saved with the best value (default: the last).")
@click.option("--step", type=click.IntRange(min=0), metavar="N", help="The one of this step.")
@click.option("--artifact", metavar="NAME", help="A file that train gave to trial.keep(), in place of a checkpoint.")
@target_options
def verb(trial: int | None, output: str, best: bool, step: int | None, artifact: str | None, target: Target) -> None:
    """Write a checkpoint of one trial to FILE: what train gave to trial.save(), as it was.

    A folder is written as a folder, which must not be there yet, or with -o NAME.tar as an archive of it.
    """
    from caviar.cli.opened import opened
    from caviar.cli.output import emit_json, say
    from caviar.display.numbers import number, sized
    from caviar.display.whole_file import write_folder, write_whole
    from caviar.results.checkpoint import checkpoint_of
    from caviar_workers.checkpoint import Checkpoint
    from caviar_workers.trial_folder import is_folder

    if best and step is not None:
        raise click.UsageError("--best and --step name one checkpoint each: give one of them")
    if artifact is not None:
        if best or step is not None:
            raise click.UsageError("--best and --step are of checkpoints, and --artifact names a file: leave them out")
        _write_artifact(trial, artifact, output, target)
        return
    with opened(target, search=trial is None) as sweep:
        found, data = checkpoint_of(sweep, trial, step=step, best=best)
    if is_folder(data) and not output.endswith(".tar"):
        write_folder(output, lambda aside: Checkpoint(found.step, data).write(aside))
    else:
        write_whole(output, data)
    if target.as_json:
        emit_json(replace(found, file=output))
        return
    value = "" if found.value is None else f", {found.metric} {number(found.value)}"
    say(f"wrote {output}: t{found.trial} of {found.sweep} at step {found.step}{value}, {sized(found.bytes)}")


def _write_artifact(trial: int | None, name: str, output: str, target: Target) -> None:
    from caviar.cli.opened import opened
    from caviar.cli.output import emit_json, say
    from caviar.display.numbers import sized
    from caviar.display.whole_file import to_file
    from caviar.results.checkpoint import artifact_of

    with opened(target, search=trial is None) as sweep:
        found, write = artifact_of(sweep, trial, name)

        def fill(aside: str) -> None:
            with open(aside, "wb") as file:
                write(file)

        to_file(output, fill)
    if target.as_json:
        emit_json(replace(found, file=output))
    else:
        say(f"wrote {output}: {name} of t{found.trial} of {found.sweep}, {sized(found.bytes)}")
