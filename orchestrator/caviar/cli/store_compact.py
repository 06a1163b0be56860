"""`caviar store compact`: final files for sweeps that have none."""

from contextlib import nullcontext

import click

from caviar.cli.options import Target, sweep_argument, take_over_option, target_options

EPILOG = """\b
Examples:
  caviar store compact
  caviar store compact digits
"""


@click.command("compact", epilog=EPILOG, short_help="Sort interrupted sweeps into few files.")
@sweep_argument
@take_over_option
@target_options
def compact(take_over: bool, target: Target) -> None:
    """Sort what SWEEP recorded into one file a table, so that any Parquet reader sees it right.

    Without SWEEP, do so for every sweep that needs it. A sweep that ends does this by itself; one that runs
    is left alone. `caviar resume` can still go on with it.
    """
    from caviar.cli.output import emit_json, say, say_foreign
    from caviar.errors import StoreError
    from caviar.store import Store
    from caviar.store.compact import compact as write_final_files
    from caviar.store.compact import needs_compacting

    store = Store.open(target.store)
    sweeps = []
    for sweep in store.sweeps() if target.sweep is None else [store.find(target.sweep)]:
        with store.apart(sweep) if target.sweep is None else nullcontext():
            if target.sweep is not None or needs_compacting(sweep):
                sweeps.append(sweep)
    say_foreign(sweeps)
    failed: list[StoreError] = []
    done = []
    for sweep in sweeps:
        try:
            write_final_files(sweep, take_over=take_over)
        except StoreError as error:  # the others can be compacted all the same
            failed.append(error)
            continue
        done.append(sweep.id)
        say(f"compacted {sweep.id}")
    if target.as_json:
        emit_json({"store": target.store, "compacted": done})
    elif not sweeps:
        say("nothing to compact")
    for other in failed[:-1]:
        say(str(other))
    if failed:
        raise failed[-1]
