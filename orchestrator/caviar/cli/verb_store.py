"""`caviar store`: the care of the store itself."""

import click

from caviar.cli.options_last import OptionsLast
from caviar.cli.store_check import check
from caviar.cli.store_compact import compact
from caviar.cli.store_info import info

EPILOG = """\b
Examples:
  caviar store info
  caviar store check
  caviar store compact digits
"""


@click.group(
    cls=OptionsLast,
    epilog=EPILOG,
    invoke_without_command=True,
    no_args_is_help=False,
    commands=[check, info, compact],
)
@click.pass_context
def verb(ctx: click.Context) -> None:
    """Check the store for damage, measure it, or compact interrupted sweeps."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
