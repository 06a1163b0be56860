"""Options go after the verb: who types one before it is told the command line that was meant."""

import shlex

import click


class OptionsLast(click.Group):
    """A group with no options of its own but `--help` and the like."""

    usual = ""
    """The verb that is named as an example where none was typed; empty: there is none."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; an option of the verb that follows is an error with the right command line."""
        words = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            verbs = self.list_commands(ctx)
            at = next((at for at, word in enumerate(words) if at and word in verbs), len(words))
            verb, *after = words[at:] or [self.usual]
            if error.option_name not in _options(ctx, self.get_command(ctx, verb)):
                raise
            meant = f"{ctx.command_path} {shlex.join([verb, *after, *words[:at]])}"
            raise click.UsageError(
                f"Options go after the verb, and so does {error.option_name}: {meant}", ctx
            ) from error


def _options(ctx: click.Context, command: click.Command | None) -> set[str]:
    """The options of a verb, or of any of its own verbs."""
    group = command if isinstance(command, click.Group) else None
    inner = [] if group is None else [group.get_command(ctx, name) for name in group.list_commands(ctx)]
    return {
        option
        for one in (command, *inner)
        for parameter in (one.params if one is not None else ())
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
