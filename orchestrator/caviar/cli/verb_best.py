"""`caviar best`: the best trials and the winner's configuration."""

from typing import Any

import click

from caviar.cli.options import Ranking, Target, ranking_options, sweep_argument, target_options

EPILOG = """\b
Rules (which value of a curve counts):
  last      the last one, the default
  best      the best one; optimistic where curves are noisy
  smoothed  the last of a smoothed curve

\b
Expressions may have metrics, parameters, busy, step, arithmetic, comparisons,
AND, OR, NOT, CASE and functions such as log10 and greatest.

\b
Examples:
  caviar best
  caviar best 7f3a -k 20 --rule best
  caviar best --metric "val_error + 0.01*latency_ms" --where "params < 1e6"
  caviar best --pareto val_error:min,latency_ms:min
  caviar best --family
  caviar best --json | jq '.trials[0].config'
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option("-k", default=5, show_default=True, type=click.IntRange(min=1), help="How many trials.")
@click.option("--metric", metavar="EXPR", help="Rank by this metric or expression (default: the sweep's metric).")
@click.option("--mode", type=click.Choice(["min", "max"]), help="Which is better (default: as the sweep says).")
@click.option("--where", multiple=True, metavar="EXPR", help="Only trials of which this holds; repeatable.")
@click.option(
    "--pareto", multiple=True, metavar="EXPR:MODE,…", help="The trials that none beats in all of these; repeatable."
)
@click.option("--family", is_flag=True, help="Over SWEEP, what it was zoomed out of, and what came of it.")
@ranking_options
@target_options
def verb(  # noqa: PLR0913 — its options
    *,
    k: int,
    metric: str | None,
    mode: str | None,
    where: tuple[str, ...],
    pareto: tuple[str, ...],
    family: bool,
    ranking: Ranking,
    target: Target,
) -> None:
    """Show the best trials of SWEEP, then the winner's config at full precision, ready to copy.

    NaN and infinity never win. Trials that repeat a configuration with other seeds are one row, with their mean.
    """
    from caviar.cli.opened import opened, searched
    from caviar.cli.output import emit_json, say

    how: dict[str, Any] = {"k": k, "rule": ranking.rule, "at_step": ranking.at_step}
    how |= {"metric": metric, "mode": mode, "where": where}
    if pareto:
        _pareto(pareto, target, family=family, **how)
        return
    if family:
        from caviar.cli.best_page import print_family
        from caviar.results.family import family_document
        from caviar.store import Store

        store = Store.open(target.store)
        relatives = family_document(store, searched(store, target.sweep), say, **how)
        emit_json(relatives) if target.as_json else print_family(relatives)
        return
    from caviar.cli.best_page import print_winners, say_if_edited
    from caviar.results.best import best_document

    with opened(target, search=True) as sweep:
        document = best_document(sweep, **how)
        emit_json(document) if target.as_json else print_winners(sweep, document)
        say_if_edited(sweep, document)


def _pareto(objectives: tuple[str, ...], target: Target, **how: Any) -> None:
    from caviar.cli.best_page import print_pareto
    from caviar.cli.opened import opened
    from caviar.cli.output import emit_json
    from caviar.results.pareto import pareto_document

    odd = [name for name in ("family", "metric", "mode", "at_step") if how[name] is not None and how[name] is not False]
    if odd:
        option = f"--{odd[0].replace('_', '-')}"
        raise click.UsageError(f"--pareto compares the ends of one sweep's trials by what it lists: leave {option} out")
    found = [one for words in objectives for one in listed(words)]
    with opened(target, search=True) as sweep:
        document = pareto_document(sweep, found, rule=how["rule"], where=how["where"])
        emit_json(document) if target.as_json else print_pareto(document)


def listed(words: str) -> list[str]:
    """The parts between commas, but for those within brackets or quotes."""
    found, depth, quote = [""], 0, ""
    for character in words:
        if quote or character in "\"'":
            quote = "" if character == quote else quote or character
        depth += (character == "(") - (character == ")") if not quote else 0
        if character == "," and not depth and not quote:
            found.append("")
        else:
            found[-1] += character
    return [one.strip() for one in found if one.strip()]
