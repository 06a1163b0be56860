"""The verbs: each is a file `verb_<name>.py` that holds a command called `verb`, and a line in
`caviar.display.verb_names`.
"""

import difflib
import importlib

import click

from caviar.cli.options import OptionsLast
from caviar.display.verb_names import VERBS

OF_THE_SCRIPT = {
    "add": "only the script ./caviar of a checkout adds packages; elsewhere pip does, as pip install torch.",
    "test": "only the script ./caviar of a checkout runs the tests.",
}
"""Verbs that the checkout's script has and the installed program has not."""


OF_OTHERS = {
    "importance": "understand",
    "importances": "understand",
    "optimize": "run",
    "tune": "run",
    "agent": "run",
    "dashboard": "board",
    "ui": "board",
}
"""What other tools call a verb → ours."""


class Verbs(OptionsLast):
    """A group whose commands are imported when they are asked for."""

    usual = "ls"

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in their order."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb; None when there is none of that name."""
        if cmd_name not in VERBS:
            return None
        verb: click.Command = importlib.import_module(f"caviar.cli.verb_{cmd_name}").verb
        verb.short_help = VERBS[cmd_name][1]
        return verb

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the verbs do, group by group, without importing one."""
        for group in dict.fromkeys(group for group, _ in VERBS.values()):
            with formatter.section(group):
                formatter.write_dl([(name, does) for name, (its, does) in VERBS.items() if its == group])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that the command line names; the error for a misspelt one suggests the right one."""
        name = args[0]
        if name not in VERBS and not name.startswith("-"):
            close = difflib.get_close_matches(name, VERBS, n=2)
            near = " or ".join(repr(verb) for verb in VERBS if verb in close)  # what newcomers need, first
            near = repr(OF_OTHERS[name]) if name in OF_OTHERS else near
            hint = f"did you mean {near}?" if near else f"the verbs are {', '.join(VERBS)}."
            raise click.UsageError(f"There is no verb {name!r}; {OF_THE_SCRIPT.get(name, hint)}", ctx)
        return super().resolve_command(ctx, args)
