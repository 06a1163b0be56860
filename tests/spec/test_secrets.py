"""What is taken for a secret: every telling name with every spelling and depth, every telling shape; what is not."""

from itertools import product
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

import pytest
from numpy import str_

from caviar.errors import SpecError
from caviar.space import Choice, Constant, Float
from caviar.spec.plan import doubtful
from caviar.spec.provenance import provenance
from caviar.spec.secrets import redact, referred, refuse_secrets, resolved, verdict
from caviar.sweep import Sweep

NAMES = (
    *("password", "db_password", "dbPassword", "DB-PASSWORD", "passwd", "pwd", "userpwd", "passphrase", "mysecret"),
    *("api_key", "apiKey", "API_KEY", "apikey", "wandb_key", "aws_secret_access_key", "private_key", "clientSecret"),
    *("auth", "token", "Authorization", "hf_token", "github.token", "credentials"),
)
WORDS = ("hunter2", "correct horse", "tr0ub4dor&3")
SHAPES = (
    "postgres://user:hunter2@host/db",
    "mysql+driver://root:hun/ter2@host",
    "https://hunter2@github.com/a/b.git",
    "https://host/x?a=1&token=hunter2",
    "host=h user=u password=hunter2 sslmode=require",
    "Server=s;Pwd=hunter2;",
    '{"db": {"password": "hunter2"}}',
    "tool --password hunter2 --verbose",
    "tool -x --api-key 'hunter2'",
    "tool --token hunter2",
    "hf_hunter2hunter2",
    "sk-ant-hunter2-hunter2",
    "ghp_hunter2hunter2",
    "AKIAHUNTER2HUNTER2X",
    "Bearer hunter2hunter2",
    "eyJhbGciOiJIUzI1NiJ9.eyJodW50ZXIyIjoxfQ.hunter2",
    "-----BEGIN RSA PRIVATE KEY-----\nhunter2",
)
ORDINARY: list[tuple[str, Any]] = [
    ("author", "Jo Doe"),
    ("tokens", 512),
    ("max_tokens", 128),
    ("token", 1),
    ("num_key_value_heads", 8),
    ("key_dim", 64),
    ("key", "val_loss"),
    ("sort_key", "loss"),
    ("rng_key", "threefry2x32"),
    ("keyboard", "qwerty"),
    ("monkey", "a"),
    ("secretary", "x"),
    ("bypass", True),
    ("use_auth", True),
    ("auth", "none"),
    ("pad_token", "<pad>"),
    ("mask_token", "[MASK]"),
    ("class_token", "cls"),
    ("tokenizer", "bert-base-uncased-finetuned-mrpc-2020-v12"),
    ("model", "meta-llama/Llama-3.1-8B-Instruct"),
    ("model", "vit_base_patch16_224_augreg2_in21k_ft_in1k"),
    ("layers", "conv3x3-bn-relu-conv3x3-bn-relu"),
    ("password_length", 12),
    ("url", "http://host:8080/path@v1"),
    ("url", "ssh://git@github.com/a/b"),
    ("data", "s3://bucket/prefix/x"),
    ("revision", "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"),
    ("run", "550e8400-e29b-41d4-a716-446655440000"),
    ("note", "at 12:30, with lr=0.1; the key: more data; token: 5"),
    ("argv", ["--tokens", "512", "--author", "Jo", "--auth", "none", "--token", "--verbose", "word2"]),
    ("argv", "--tokens 512 --author Jo --auth none --max-tokens 5 --token - word2"),
    ("data", Path("/data/tokens/v2")),
    ("magic", b"\x89PNG\r\n\x00\xff"),
    ("sizes", {1, 2}),
    ("password", None),
    ("password", ""),
]
DOUBTFUL = (
    "8f3kD92mXz01qPw7Lr5T",
    "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
)


def nested(name: str, word: str) -> list[tuple[str, Any]]:
    """The word under the name, in each type and at each depth that arguments may have it."""
    inside = ({"a": {"b": word}}, [word], (1, (word,)), {word}, frozenset({word}))
    typed = (word, word.encode(), bytearray(word.encode()), PurePosixPath(word), PureWindowsPath(word), str_(word))
    return [("a", {"b": [{name: word}]}), *((name, one) for one in (*inside, *typed))]


def argv(name: str, word: str) -> list[Any]:
    """The word where programs take their options."""
    option = f"--{name.replace('.', '-')}"
    return [[option, word], ("x", option, word), [b"run", option.encode(), word.encode()]]


@pytest.mark.parametrize("name", NAMES)
def test_a_telling_name_makes_text_a_secret_at_any_depth_and_in_any_spelling(name: str) -> None:
    for word in WORDS:
        for key, value in nested(name, word):
            assert verdict(key, value) == "secret", (key, value)
            with pytest.raises(SpecError, match="keeps no secrets") as error:
                refuse_secrets({key: value})
            assert word not in str(error.value)
        for value in argv(name, word):
            assert verdict("a", {"b": value}) == "secret", value
        for command in ([f"--set=train.{name}={word}"], ["--set", f"train.{name}={word}"], [f"--{name}", word]):
            assert word not in " ".join(redact(["run", *command, "x"])), command


@pytest.mark.parametrize("shape", SHAPES)
def test_a_telling_shape_is_a_secret_under_any_name_and_within_longer_text(shape: str) -> None:
    for name, text in product(("url", "x", "note"), (shape, f"see {shape} there")):
        for key, value in [*nested(name, text), (name, {text: 1}), (name, {"a": {(1, text.encode()): 1}})]:
            if not isinstance(value, PurePath):  # which joins slashes
                assert verdict(key, value) == "secret", (key, value)
    for command in (["--set", f"train.url={shape}"], ["--note", shape], [shape], [f"--note=see {shape} there"]):
        shown = " ".join(redact(command))
        assert "hunter2" not in shown.lower(), command


@pytest.mark.parametrize(("name", "value"), ORDINARY)
def test_ordinary_settings_are_none(name: str, value: Any) -> None:
    assert verdict(name, value) is None
    command = ["run", "x.py", "--set", f"train.{name}={value}", "--trials", "8"]
    assert redact(command) == command


@pytest.mark.parametrize("value", DOUBTFUL)
def test_what_looks_drawn_by_lot_is_kept_with_a_word_and_shown_nowhere_else(value: str) -> None:
    assert verdict("x", value) == "doubt"
    assert value not in " ".join(redact(["--set", f"train.x={value}", value]))


def train(config: dict[str, Any], trial: Any, **settings: Any) -> None: ...


def make(**changes: Any) -> Sweep:
    return Sweep(**{"train": train, "space": {"lr": Float(0, 1)}, "metric": "loss", "name": "n"} | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"note": SHAPES[0]},
        {"tags": ["a", SHAPES[3]]},
        {"name": SHAPES[7]},
        {"space": {"password": Constant("hunter2")}},
        {"space": {"a": Choice(["x", SHAPES[8]])}},
        {"space": {"a": Choice(["x", "y", SHAPES[0]])}, "first": [{"a": SHAPES[0]}]},
        {"space": {"password": Choice(["hunter2", "hunter3"])}},
        {"space": {"a": Choice([{"password": "hunter2"}, {"password": "hunter3"}])}},
        {"space": {SHAPES[10]: Float(0, 1)}},
        {"space": {"lr": Float(0, 1), "token": Choice(["hunter2", "x"], default="x", tier=3)}, "trials": 1},
        {"metric": SHAPES[10]},
        {"train_args": {"db": {"auth": ["user", "hunter2"]}}},
    ],
)
def test_no_part_of_a_description_takes_a_secret(changes: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match="keeps no secrets"):
        make(**changes)


def test_numbers_are_searched_under_any_name() -> None:
    make(space={"secret_layers": Choice([1, 2]), "token": Float(0, 1)}, first=[{"secret_layers": 2, "token": 0.5}])


def test_a_doubtful_value_is_named() -> None:
    (line,) = doubtful(make(train_args={"x": {"y": DOUBTFUL[0]}}).plan)

    assert "train.x.y may be a secret" in line
    assert DOUBTFUL[0] not in line


def test_a_reference_is_kept_as_it_is_and_looked_up_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "hunter2")
    arguments = {"token": "env:MY_TOKEN", "db": {"password": ["env:MY_TOKEN"]}, "epochs": 3, "env": "env:CartPole-v1"}
    plan = make(train_args=arguments).plan

    assert plan.train_args == arguments
    assert resolved(plan.train_args) == arguments | {"token": "hunter2", "db": {"password": ["hunter2"]}}
    assert set(referred(plan.train_args)) == {"hunter2"}
    assert redact(["--set", "train.token=env:MY_TOKEN"]) == ["--set", "train.token=env:MY_TOKEN"]
    monkeypatch.delenv("MY_TOKEN")
    with pytest.raises(SpecError, match=r"train\.token is env:MY_TOKEN, .* type export MY_TOKEN="):
        resolved(plan.train_args)


def test_a_reference_stands_for_the_secret_in_any_type_and_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "hunter2")

    def arguments(word: str) -> dict[str, Any]:
        typed = (word, word.encode(), PurePosixPath(word), PureWindowsPath(word), Path(word))
        return {"a": {word}, "b": frozenset(typed), "c": {"d": [*typed]}, "e": {word: {(1, word): 2}}}

    plan = make(train_args=arguments("env:MY_TOKEN")).plan

    assert resolved(plan.train_args) == arguments("hunter2")
    for name, value in plan.train_args.items():
        assert set(referred({name: value})) == {"hunter2"}, name


def test_long_text_is_looked_at_in_no_time() -> None:
    for text in (
        "a" * 30_000,
        "a:" * 15_000,
        "a://" * 8_000,
        "eyJ" * 10_000,
        "a=" * 15_000,
        "-a " * 10_000,
        "-" * 30_000,
    ):
        assert verdict("x", text) is None


def test_the_command_in_the_provenance_is_blotted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sys.argv", ["caviar", "run", "x.py", "--set", "train.auth=hunter2", "--set", 'train.a={"pwd":"hunter2"}']
    )

    assert "hunter2" not in str(provenance(None))
