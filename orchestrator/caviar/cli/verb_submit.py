"""`caviar submit`: hand a sweep to a Ray cluster as a job, and walk away."""

import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from caviar.cli.command_sweep import Described, command_sweep, described_options
from caviar.cli.options import Target, requirements_option, setting_options, target_options
from caviar.cli.output import data_only, emit_json, say
from caviar.cli.verb_run import Run, changes_of, command_words

if TYPE_CHECKING:
    from caviar.run.executors.job_server import JobServer
    from caviar.run.submit import Submission, SubmissionDocument
    from caviar.sweep import Sweep

EPILOG = """\b
Examples:
  caviar submit exp.py --address http://head:8265 --store s3://bucket/st
  caviar submit exp.py --address http://head:8265 --store /shared/st --dry-run
  caviar submit exp.py --address http://head:8265 --store /shared/st --wait
  caviar submit exp.py --k8s --image me/img:1 --store s3://b/st > job.yaml
"""

NOT_HANDED_ON = (
    "file",
    "k8s",
    "image",
    "workers",
    "address",
    "project",
    "env",
    "requirements",
    "new",
    "wait",
    "dry_run",
    "quiet",
    "store",
    "as_json",
)
"""Parameters that are not handed on to `caviar run`."""


@click.command(cls=Run, epilog=EPILOG)
@click.argument("file", metavar="FILE[:NAME] | -- COMMAND…", required=False)
@click.option("--address", metavar="URL", help="The cluster's job server, such as http://head:8265.")
@click.option("--k8s", is_flag=True, help="Submit nothing; print a RayJob for kubectl apply, and KubeRay.")
@click.option("--image", metavar="IMAGE", help="For --k8s: the image with Caviar and what FILE imports.")
@click.option("--workers", type=click.IntRange(min=1), default=4, metavar="N", help="For --k8s: pods at most (4).")
@click.option("--project", metavar="DIR", help="The folder that travels (default: this one, if FILE is in it).")
@click.option("--env", multiple=True, metavar="NAME", help="Send a variable of this shell, for all to see; repeatable.")
@requirements_option
@click.option("--new", is_flag=True, help="Make another sweep, though there is one like it.")
@click.option("--wait", is_flag=True, help="Follow the job to its end.")
@click.option("--dry-run", is_flag=True, help="Show what would travel, and what not; submit nothing.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override what FILE declares; repeatable.")
@click.option("--fix", "fixed", multiple=True, metavar="NAME=VALUE", help="Hold a parameter at a value; repeatable.")
@setting_options
@described_options
@click.option("--notify", metavar="env:NAME", help="At the end tell who that variable of the cluster names.")
@target_options
def verb(file: str | None, described: Described, address: str | None, target: Target, **given: Any) -> None:
    """Run the sweep that FILE describes as a job of a Ray cluster.

    The folder travels with it, but for what is ignored and what may hold a secret. The same command line is the same
    sweep: typed again, it finds the job that runs, or goes on with what was interrupted.
    """
    from caviar.run.executors.job_server import check_job_server
    from caviar.run.submit import check_store, finished, packages_told, reached, submitted

    check_store(target.store)
    _check(given, address, as_json=target.as_json)
    if address is None:
        _print_ray_job(_submission(file, described, target.store, given), given)
        return
    address = check_job_server(address)
    submission = _submission(file, described, target.store, given)
    if given["dry_run"]:
        _show(submission.document("shown", address), target)
        say("nothing was submitted (--dry-run)")
        return
    if (sweep := finished(submission)) is not None:
        _show(submission.document("finished", address, sweep=sweep), target, brief=True)
        return
    server = reached(address)
    if given["env"]:
        say(f"who may look at the cluster's jobs, and Ray's logs, sees {', '.join(given['env'])}: better set it there")
    document = submitted(submission, server, address)
    _show(document, target, brief=not given["wait"])
    if given["requirements"] and document.outcome == "submitted" and not given["wait"]:
        say(f"the head tries {given['requirements']}; Ctrl-C leaves it to it")
        say(packages_told(server, str(document.job)))
    if given["wait"]:
        _follow(server, document)


verb.params = [one for one in verb.params if one.name != "files"]  # all that may travel does


def _check(given: dict[str, Any], address: str | None, *, as_json: bool) -> None:
    if (address is None) != given["k8s"]:
        raise click.UsageError("Where to? Give --address http://HEAD:8265, or --k8s and --image IMAGE")
    if given["k8s"] and not given["image"]:
        raise click.UsageError(
            "--k8s needs --image IMAGE, as the cluster pulls it; docs/kubernetes.md says how it is made"
        )
    if given["k8s"] and (as_json or given["env"] or given["wait"] or given["dry_run"]):
        raise click.UsageError("--k8s prints YAML and submits nothing: leave out --json, --env, --wait and --dry-run")
    if given["notify"] and not given["notify"].startswith("env:"):
        raise click.UsageError(
            "--notify of a job is seen by all who may look at it: give env:NAME, and set the variable on the cluster"
        )


def _submission(file: str | None, described: Described, store: str, given: dict[str, Any]) -> "Submission":
    """The sweep, ready to be submitted."""
    from caviar.cli.experiment_file import load, split
    from caviar.run import submit
    from caviar.spec.project_files import EVERYTHING

    command = command_words(file, described)
    root = submit.project_of(None if file is None else split(file)[0], given["project"])
    files = submit.travelling(root, store)
    packages = () if given["requirements"] is None else ("--requirements", submit.travels(given["requirements"], files))
    with data_only():
        sweep: Sweep
        if file is None:
            sweep = command_sweep(command, described, here=False)
        else:
            sweep = load(file, described.metric).override(described.overriding)
        sweep = replace(sweep.override(changes_of(given | {"files": ()})), files=EVERYTHING, project=root)

        def words(key: str) -> list[str]:
            named = [] if file is None else [_inner(file, root)]
            fixed = ["--address", "auto", "--store", store, "--project", ".", "--files", "**", *packages]
            again = ["--resume-or-start", "--as", key]
            tail = ["--", *command] if command else []
            return ["caviar", "run", *named, *fixed, *again, *_handed_on(), *tail]

        return submit.ready(sweep.plan, sweep.program, files, store, words, env=given["env"], new=given["new"])


def _print_ray_job(submission: "Submission", given: dict[str, Any]) -> None:
    from importlib.metadata import version

    from caviar.run.kubernetes_job import KubernetesJob, as_yaml, manifests

    job = KubernetesJob(
        name=submission.name,
        key=submission.key,
        image=given["image"],
        ray=version("ray"),
        command=shlex.split(submission.entrypoint),
        archive=submission.program.archive,
        variables=submission.env,
        store=submission.store,
        cpus=submission.plan.cpus,
        gpus=submission.plan.gpus,
        workers=given["workers"],
    )
    click.echo(as_yaml(manifests(job)), nl=False)
    say("nothing was submitted: write this into a file, and type kubectl apply -f FILE")


def _inner(file: str, root: Any) -> str:
    """FILE[:NAME] as it is called in the folder that travels."""
    from caviar.cli.experiment_file import split

    path, name = split(file)
    inner = path.absolute().relative_to(root).as_posix()
    inner = f"./{inner}" if inner.startswith("-") else inner  # which is no option
    return f"{inner}:{name}" if name else inner


def _handed_on() -> Iterator[str]:
    """The options that were typed, and that `caviar run` knows, as words."""
    context = click.get_current_context()
    for one in context.command.params:
        typed = one.name and context.get_parameter_source(one.name) is ParameterSource.COMMANDLINE
        if not typed or one.name in NOT_HANDED_ON or not isinstance(one, click.Option):
            continue
        value = context.params[one.name or ""]
        for each in value if isinstance(value, (tuple, list)) else (value,):
            yield from (one.opts[0],) if one.is_flag else (one.opts[0], str(each))


def _show(document: "SubmissionDocument", target: Target, *, brief: bool = False) -> None:
    from caviar.cli.submit_page import print_submission

    emit_json(document) if target.as_json else print_submission(document, files=not brief)


def _follow(server: "JobServer", document: "SubmissionDocument") -> None:
    """Show what the job says, to its end, which is this command's too; Ctrl-C leaves the job as it is."""
    from caviar.errors import CaviarError
    from caviar.run.submit import followed

    job = followed(server, str(document.job), lambda text: click.echo(text, err=True, nl=False))
    if job.state != "SUCCEEDED":
        say(f"job {job.id}: {job.state.lower()}")
        if job.exit_code:
            raise click.exceptions.Exit(job.exit_code)
        raise CaviarError(
            f"job {job.id} did not come to its end ({job.state.lower()}): {job.message or 'nobody says why'}"
        )
