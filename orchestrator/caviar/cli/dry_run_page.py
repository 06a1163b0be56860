"""`run --dry-run` for a person: what would be run."""

from typing import TYPE_CHECKING, Any

from caviar.cli.output import emit

if TYPE_CHECKING:
    from caviar.run.dry_run import DryRunDocument
    from caviar.spec.plan import Plan


def print_dry_run(plan: "Plan", document: "DryRunDocument") -> None:
    """Write it for a person, to stdout."""
    from caviar.display.numbers import config_text, counted, number
    from caviar.display.sanitize import plain
    from caviar.display.wrap import column_width, padded
    from caviar.spec.settings import SETTINGS

    described = document.plan
    parameters = described["space"]["parameters"]
    width = column_width(map(plain, parameters))
    emit(f"{plan.name}: {plan.metric}, {plan.mode}, rule {plan.rule}", hang=2)
    emit()
    emit("space")
    for name, parameter in parameters.items():
        held = _held(described["held"].get(name))
        emit(f"  {padded(plain(name), width)}  {parameter_text(parameter)}{held}", hang=6)
    emit()
    slots = plan.concurrency
    at_once = "as many at a time as there is room for" if slots is None else f"at most {slots} at a time"
    chosen = f"searcher {plan.searcher}" if plan.searcher else _sampler(described["sampler"])
    emit(f"plan   {counted(plan.trials, 'trial')}, {chosen}, seed {plan.seed}, {at_once}", hang=7)
    emit(f"       each {number(plan.cpus)} CPU, {number(plan.gpus)} GPU", hang=7)
    for one in SETTINGS.values():
        if one.line is not None and getattr(plan, one.name):
            emit(f"       {one.line(plan)}", hang=7)
    if described["held"]:
        emit(f"       {_tiers(described['held'])}", hang=7)
    if document.constraint:
        emit(f"       {document.constraint}", hang=7)
    if plan.train_args:
        emit(f"       train({', '.join(f'{name}={value!r:.60}' for name, value in plan.train_args.items())})", hang=7)
    emit(f"store  {document.store}", hang=7)
    emit()
    emit(f"first {counted(len(document.configs), 'config')}")
    for config in document.configs:
        emit(f"  {config_text(config)}", hang=4)


def parameter_text(parameter: dict[str, Any]) -> str:
    """`float log  1e-4 to 1`, `int  50 to 100 by 8`, `choice  relu, tanh`, `constant  0.9`, and what goes with it."""
    from caviar.display.numbers import number, option_text
    from caviar.space.option import option_from_json

    if parameter["type"] == "constant":
        values = option_text(option_from_json(parameter["value"]))
    elif parameter["type"] == "choice":
        values = ", ".join(option_text(option_from_json(one)) for one in parameter["options"])
    else:
        step = f" by {number(parameter['step'])}" if "step" in parameter else ""
        values = f"{number(parameter['low'])} to {number(parameter['high'])}{step}"
    scale = "" if parameter.get("scale", "linear") == "linear" else f" {parameter['scale']}"
    ordered = " ordered" if parameter.get("ordered") else ""
    return f"{parameter['type']}{scale}{ordered}  {values}{_terms(parameter)}"


def _terms(parameter: dict[str, Any]) -> str:
    """`, when optimizer is sgd, prior 0.01 (0.5)`."""
    from caviar.display.numbers import value_text

    words = ""
    for name, wanted in parameter.get("when", {}).items():
        words += f", when {name} is {' or '.join(value_text(one) for one in wanted)}"
    if "prior" in parameter:
        prior = parameter["prior"]
        words += f", prior {value_text(prior['center'])} ({value_text(prior['confidence'])})"
    return words


def _held(declared: dict[str, Any] | None) -> str:
    return "" if declared is None else f"  (its default; tier {declared['tier']} of {parameter_text(declared)})"


def _tiers(held: dict[str, dict[str, Any]]) -> str:
    """`at their defaults, for want of trials: beta2 (tier 3, from 25 trials); --all tunes them`."""
    from caviar.space.tiers import ENOUGH

    named = (f"{name} (tier {one['tier']}, from {ENOUGH[one['tier']]} trials)" for name, one in held.items())
    return f"at their defaults for want of trials: {', '.join(named)}; --all tunes them"


def _sampler(sampler: Any) -> str:
    """`sobol`, `grid`, `2 of your own and then sobol`."""
    if isinstance(sampler, str):
        return sampler
    if sampler["name"] != "list":
        return str(sampler["name"])
    after = "" if sampler["then"] is None else f" and then {_sampler(sampler['then'])}"
    return f"{len(sampler['configs'])} of your own{after}"
