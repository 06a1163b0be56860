"""What other tools keep trials in, read as data alone: storages of Optuna, and folders of Ray Tune.

Neither tool is needed. An SQLite file is opened to read, and asked of its plain tables; a journal and results of Ray
are JSON; the pickles that lie beside these are never opened.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from caviar.errors import SpecError, did_you_mean
from caviar.run.import_files import MOST_BYTES, check_size, column_of, flat, lines_of, read_as, read_table, too_large

MODE, RANGES = b"caviar.mode", b"caviar.ranges"
"""Notes of a table: what the tool says is good, and what its parameters were drawn from, as JSON."""
SQLITE = (".db", ".sqlite", ".sqlite3")
JOURNALS = (".log", ".journal")
MOST_TRIALS = 2**20


def read_source(path: Path, study: str | None = None) -> pa.Table:
    """The table in a file, of a storage's study, or of a folder of Ray Tune's results.

    Args:
        path: The file or folder.
        study: The name of the study, where an Optuna storage holds several.

    Raises:
        NotFoundError: There is no such file.
        SpecError: It cannot be understood, or is larger than the limits of `import_files`.
    """
    optuna = {**dict.fromkeys(SQLITE, _sqlite), **dict.fromkeys(JOURNALS, _journal)}.get(path.suffix.lower())
    if path.is_dir():
        found = read_as(path, "results of Ray Tune", _ray_tune)
    elif optuna is not None:
        found = read_as(path, "an Optuna storage", lambda it: _table(it, _chosen(it, optuna(it), study)))
    else:
        found = read_table(path)
    if study is not None and optuna is None:
        raise SpecError(f"--study names a study of an Optuna storage, and {path.name} is none: leave it out")
    return found


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex; of a folder, of those of the results of its trials, in their order."""
    files = sorted(path.glob("*/result.json")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for one in files:
        with one.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()


@dataclass(slots=True)
class _Trial:
    number: int
    state: str = "RUNNING"
    value: float | None = None
    params: dict[str, Any] = field(default_factory=dict)
    curve: dict[int, float | None] = field(default_factory=dict)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a report; the objective is the last one, where the curve does not end with it."""
        given = {f"params_{name}": value for name, value in self.params.items()}
        curve = sorted(self.curve.items())
        if self.value is not None and self.state == "COMPLETE" and (not curve or curve[-1][1] != self.value):
            curve.append((curve[-1][0] + 1 if curve else 0, self.value))
        for step, value in curve or [(0, None)]:
            yield {"number": self.number, "state": self.state, "intermediate_step": step, "value": value} | given


@dataclass(slots=True)
class _Study:
    name: str
    directions: list[str]
    trials: list[_Trial] = field(default_factory=list)
    distributions: dict[str, set[str]] = field(default_factory=dict)

    def param(self, trial: _Trial, name: str, value: float, distribution: str) -> None:
        """Enter a parameter, as the tool keeps it: a number, which counts the choices of a categorical one."""
        said = json.loads(distribution)
        self.distributions.setdefault(name, set()).add(distribution)
        if said["name"] == "CategoricalDistribution":
            trial.params[name] = said["attributes"]["choices"][int(value)]
        else:
            trial.params[name] = int(value) if said["name"].startswith("Int") else float(value)


def _chosen(path: Path, studies: list[_Study], name: str | None) -> _Study:
    names = [one.name for one in studies]
    found = [one for one in studies if name in (None, one.name)]
    if not found:
        raise SpecError(f"{path.name} has no study {name!r}{did_you_mean(name, names)}")
    if len(found) > 1:
        raise SpecError(f"{path.name} holds {len(found)} studies: say which by --study, one of {', '.join(names[:12])}")
    if len(found[0].directions) != 1:
        raise SpecError(
            f"the study {found[0].name!r} has {len(found[0].directions)} objectives, and a sweep has one metric: export"
            " trials_dataframe() as CSV, and name one by --metric"
        )
    return found[0]


def _table(path: Path, study: _Study) -> pa.Table:
    _check_cells(path, study.trials)
    rows = [row for trial in study.trials for row in trial.rows()]
    ranges = {name: text for name, said in study.distributions.items() if (text := _range(said))}
    notes = {MODE: "max" if study.directions[0] == "MAXIMIZE" else "min", RANGES: json.dumps(ranges)}
    return _columns(rows).replace_schema_metadata(notes)


def _range(said: set[str]) -> str:
    """A parameter's range or options in the words of `--space`; empty: it had several, or no words say it."""
    one = json.loads(next(iter(said)))
    options = one["attributes"].get("choices", [])
    if len(said) == 1 and len(options) > 1 and all(_plain_word(option) for option in options):
        return ",".join(map(str, options))
    low, high = one["attributes"].get("low"), one["attributes"].get("high")
    if len(said) > 1 or low is None or low == high:
        return ""
    return f"{'log:' if one['attributes'].get('log') else ''}{low!r}..{high!r}"


def _plain_word(option: object) -> bool:
    """Whether a list of options that is written with commas means this one."""
    return type(option) is int or (isinstance(option, str) and re.fullmatch(r"[A-Za-z_][\w-]*", option) is not None)


def _columns(rows: list[dict[str, Any]]) -> pa.Table:
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: column_of([row.get(name) for row in rows]) for name in names})


def _sqlite(path: Path) -> list[_Study]:
    """Studies of Optuna's RDBStorage. What is no plain table is not asked: a view runs what it likes.

    Nor is a table with columns that are computed: each of a few bytes may become a gigabyte.
    """
    with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as database:
        database.execute("PRAGMA trusted_schema = OFF")
        made = dict(database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"))

        def rows(table: str, columns: str) -> Iterator[tuple[Any, ...]]:
            if not str(made.get(table, "")).upper().startswith("CREATE TABLE"):
                raise SpecError(f"{path.name} is no Optuna storage: it has no table {table}")
            if any(hidden for *_, hidden in database.execute(f"PRAGMA table_xinfo({table})")):
                raise SpecError(f"{path.name} is no Optuna storage: columns of its table {table} are computed")
            yield from database.execute(f"SELECT {columns} FROM {table} ORDER BY 1")

        studies = {key: _Study(name, []) for key, name in rows("studies", "study_id, study_name")}
        for key, _, direction in rows("study_directions", "study_id, objective, direction"):
            studies[key].directions.append(direction)
        trials, homes = {}, {}
        for key, study, number, state in rows("trials", "trial_id, study_id, number, state"):
            trials[key] = _Trial(int(number), str(state))
            homes[key] = studies[study]
            homes[key].trials.append(trials[key])
            _check_trials(path, len(trials))
        for key, name, value, distribution in rows(
            "trial_params", "trial_id, param_name, param_value, distribution_json"
        ):
            homes[key].param(trials[key], name, value, distribution)
        for key, value, kind in rows("trial_values", "trial_id, value, value_type"):
            trials[key].value = _float(value, kind)
        curves = "trial_id, step, intermediate_value, intermediate_value_type"
        for key, step, value, kind in rows("trial_intermediate_values", curves):
            trials[key].curve[int(step)] = _float(value, kind)
    return list(studies.values())


def _float(value: float | None, kind: str) -> float | None:
    """A value as Optuna keeps it, for databases have no infinities."""
    known = {"INF_POS": math.inf, "INF_NEG": -math.inf, "NAN": math.nan}
    return known[kind] if kind in known else None if value is None else float(value)


_STATES = ("RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING")


def _journal(path: Path) -> list[_Study]:
    """Studies of Optuna's JournalStorage: a line an event, whose kinds are counted."""
    studies: list[_Study] = []
    trials: list[tuple[_Study, _Trial]] = []
    with path.open("rb") as file:
        for line in lines_of(path, file):
            said = json.loads(line)
            kind = said["op_code"]
            if kind == 0:
                names = ["NOT_SET", "MINIMIZE", "MAXIMIZE"]
                studies.append(_Study(said["study_name"], [names[one] for one in said["directions"]]))
            elif kind == 1:
                studies[said["study_id"]].name = ""
            elif kind == 4:
                study = studies[said["study_id"]]
                trials.append((study, _begun(study, said)))
                _check_trials(path, len(trials))
            elif kind in (5, 6, 7):
                study, trial = trials[said["trial_id"]]
                _event(study, trial, said)
    return [study for study in studies if study.name]


def _begun(study: _Study, said: dict[str, Any]) -> _Trial:
    trial = _Trial(len(study.trials))
    study.trials.append(trial)
    for name, distribution in said.get("distributions", {}).items():  # one that was added as a whole
        study.param(trial, name, said["params"][name], distribution)
    trial.curve = {int(step): _plain(value) for step, value in said.get("intermediate_values", {}).items()}
    trial.value = _plain(said.get("value") if said.get("values") is None else said["values"][0])
    trial.state = _STATES[said.get("state", 0)]
    return trial


def _event(study: _Study, trial: _Trial, said: dict[str, Any]) -> None:
    if said["op_code"] == 5:
        study.param(trial, said["param_name"], said["param_value_internal"], said["distribution"])
    elif said["op_code"] == 6:
        trial.state = _STATES[said["state"]]
        trial.value = _plain(said["values"][0]) if said.get("values") else None
    else:
        trial.curve[int(said["step"])] = _plain(said["intermediate_value"])


def _plain(value: Any) -> float | None:
    return None if value is None else float(value)


def _check_cells(path: Path, trials: list[_Trial]) -> None:
    """See that one row a report, with all parameters, is not too large: a small file may name many of both."""
    names = len({name for trial in trials for name in trial.params}) + 4
    check_size(path, names, names * sum(len(trial.curve) + 1 for trial in trials))


def _check_trials(path: Path, count: int) -> None:
    if count > MOST_TRIALS:
        raise too_large(path, f"more than {MOST_TRIALS:,} trials")


def _ray_tune(folder: Path) -> pa.Table:
    """A run of Ray Tune: a folder a trial, with `result.json` and `params.json`, and `error.txt` where it failed."""
    rows: list[dict[str, Any]] = []
    size, names = 0, set[str]()
    for trial in sorted(folder.iterdir()):
        files = {name: trial / name for name in ("result.json", "params.json", "error.txt")}
        there = {name for name, file in files.items() if file.is_file() and not file.is_symlink()}
        if trial.is_symlink() or not there & {"result.json", "params.json"}:
            continue
        size += sum(files[name].stat().st_size for name in there)
        if size > MOST_BYTES:
            raise too_large(folder, f"more than {MOST_BYTES:,} bytes")
        found = list(_results(files["result.json"])) if "result.json" in there else []
        if not found:
            config = json.loads(files["params.json"].read_bytes()) if "params.json" in there else {}
            found = [{"training_iteration": 0, **dict(flat("", {"config": config}))}]
        status = "ERROR" if "error.txt" in there else "TERMINATED"
        rows += [{"trial_id": trial.name, **row, "status": status} for row in found]
        names.update(name for row in found for name in row)
        check_size(folder, len(names) + 2, len(rows) * (len(names) + 2))
    if not rows:
        raise SpecError(f"{folder} holds no trials of Ray Tune: name the folder that has a folder a trial")
    return _columns(rows)


def _results(file: Path) -> Iterable[dict[str, Any]]:
    with file.open("rb") as stream:
        for line in lines_of(file, stream):
            row = json.loads(line)
            if not isinstance(row, dict):
                raise SpecError(f"{file} has a line that is no object: import a folder that Ray Tune wrote")
            yield dict(flat("", row))
