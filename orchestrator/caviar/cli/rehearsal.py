"""`run --dry-run`: what would be run."""

from typing import TYPE_CHECKING, Any

from caviar.cli.output import emit

if TYPE_CHECKING:
    from caviar.plan import Plan

FIRST = 3


def rehearsal(plan: "Plan", store: str) -> dict[str, Any]:
    """The plan and its first configurations as JSON values."""
    from caviar.sampling import make_sampler

    sampler = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials)
    points = sampler.points(0, min(FIRST, plan.trials))
    columns = plan.space.columns(points)
    configs = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return {"store": store, "plan": plan.to_json(), "configs": configs}


def print_rehearsal(document: dict[str, Any]) -> None:
    """Write it for a person, to stdout."""
    from caviar.show.numbers import config_text, counted, number

    plan = document["plan"]
    parameters = plan["space"]["parameters"]
    width = max(map(len, parameters))
    emit(f"{plan['name']}: {plan['metric']}, {plan['mode']}, rule {plan['rule']}")
    emit()
    emit("space")
    for name, parameter in parameters.items():
        emit(f"  {name:<{width}}  {_parameter(parameter)}")
    emit()
    slots = plan["concurrency"]
    at_once = "as many at a time as there is room for" if slots is None else f"at most {slots} at a time"
    sampler = plan["sampler"] if isinstance(plan["sampler"], str) else next(iter(plan["sampler"]))
    emit(f"plan   {counted(plan['trials'], 'trial')}, {sampler}, seed {plan['seed']}, {at_once}")
    emit(f"       each {number(plan['cpus'])} CPU, {number(plan['gpus'])} GPU")
    if plan["train_args"]:
        emit(f"       train({config_text(plan['train_args']).replace(' ', ', ')})")
    emit(f"store  {document['store']}")
    emit()
    emit(f"first {counted(len(document['configs']), 'config')}")
    for config in document["configs"]:
        emit(f"  {config_text(config)}")


def _parameter(parameter: dict[str, Any]) -> str:
    """`float log  1e-4 to 1`, `int  50 to 100`, `choice  relu, tanh`."""
    from caviar.show.numbers import number, value_text

    if "options" in parameter:
        return "choice  " + ", ".join(value_text(option) for option in parameter["options"])
    scale = "" if parameter["scale"] == "linear" else f" {parameter['scale']}"
    return f"{parameter['type']}{scale}  {number(parameter['low'])} to {number(parameter['high'])}"
