"""What looks like a secret: by its name or by its own shape. Nothing that does is stored, or written anywhere.

The rule, stated once and used for all that a sweep keeps (`sweep.json`, the command line):

* a name is cut into words (`dbPassword`, `DB_PASSWORD`, `db-password` → db, password). Words such as `password` make
  any value a secret; words such as `token`, at the name's end, make text one;
* a value is one, under any name and within longer text, when it has a shape that only secrets have: a URL with a
  password in it, the beginnings that services give their keys, `Bearer …`, `password=…`, `--password …`;
* text is text in whichever type it comes, as bytes, as a path, as a member of a set or a key of a dict;
* what looks as if drawn by lot is in doubt: it is kept, and a line says so.

`env:NAME` stands for a secret: what is stored is the reference, and each process that runs the sweep looks it up.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import PurePath
from typing import Any, Literal

from caviar.errors import SpecError

Verdict = Literal["secret", "doubt"]
HIDDEN = "***"
_SECRET_OPTIONS = {"--notify"}
"""Options of ours whose values are secrets, whatever they look like: who knows a webhook's address can write to it."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_STRONG = _set(
    """
    password passwords passwd passphrase passcode pwd passwort secret secrets credential credentials creds
    """
)
"""Words that make any value a secret, wherever they are in a name."""
_GLUED = re.compile(
    r"(password|passwd|passphrase|pwd|secret|credential|apikey|secretkey|accesskey|privatekey|signingkey|authkey"
    r"|(auth|access|api|bearer|refresh|secret)token)s?$"
)
"""Ends of names that are written without a seam."""
_KEYED = _set(
    """
    api access private secret auth signing encryption ssh master account shared service client license storage
    deploy subscription admin root aws azure gcp openai anthropic wandb hf huggingface github comet neptune
    mlflow
    """
)
"""Words before `key` that make it one that opens something."""
_WEAK = _set(
    """
    token auth authorization authentication jwt bearer cookie pass pw otp
    """
)
"""Words at a name's end that make text a secret; a number under such a name is a number."""
_MEASURES = _set(
    """
    size length len count num number dim dims ratio rate limit max min mean type mode kind name id policy file
    path
    """
)
"""Words at a name's end that make it a word about secrets: `password_length`."""
_ORDINARY_TOKENS = _set(
    """
    pad eos bos unk mask sep cls stop start end begin special image prefix suffix class register pool query
    decoder encoder task audio video text separator newline padding per new first last
    """
)
"""Words before `token` that make it one of a language model's."""
_ORDINARY_TEXT = re.compile(
    r"|none|null|true|false|yes|no|auto|basic|digest|oauth2?|bearer|ntlm|kerberos|anonymous|<[^<>]*>|\[[A-Z]+\]", re.I
)
_DIGESTS = _set(
    """
    revision rev commit sha sha1 sha256 md5 hash digest checksum version uuid id fingerprint
    """
)

_SHAPES = re.compile(
    r"(?P<url>(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://[^\s/?#@:]{0,200}:(?!\d{1,5}(?:[/?#]|$))[^\s@]{1,400}@"
    r"|https?://[^\s/?#@:]{1,200}@)"
    r"|(?<![A-Za-z0-9])(?P<key>"
    r"hf_[A-Za-z0-9]{8,}|gh[pousr]_[A-Za-z0-9]{8,}|github_pat_\w{8,}|glpat-[\w-]{8,}|xox[abeprs]-[\w-]{8,}"
    r"|sk-(?:ant-|proj-|or-|svcacct-|live-|test-)[\w-]{8,}|sk-[A-Za-z0-9]{16,}|[spr]k_(?:live|test)_\w{8,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{12,}|AIza[\w-]{20,}|ya29\.[\w-]{8,}|SG\.[\w-]{16,}|npm_[A-Za-z0-9]{16,}|pypi-[\w-]{16,}"
    r"|nvapi-[\w-]{8,}|gsk_[A-Za-z0-9]{16,}|r8_[A-Za-z0-9]{16,}|hvs\.[\w-]{8,}|dckr_pat_[\w-]{8,}|dop_v1_\w{8,}"
    r"|wandb_v1_\w{8,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
    r"|(?P<pem>-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*)"
    r"|\b(?P<bearer>(?:Bearer|Basic|Token)\s+(?=[\w.~+/=-]*\d)[\w.~+/=-]{8,})"
    r"|\b(?P<azure>(?:AccountKey|SharedAccessKey|SharedAccessSignature|sig)=[\w%+/=-]{8,})"
)
_PAIR = re.compile(r"""(?<![\w.-])([\w.-]+)["']?\s*([=:])\s*(?=("[^"]{0,200}"|'[^']{0,200}'|[^\s;,&"'})\]]{1,200}))""")
_OPTION = re.compile(r"""(?<!\S)--?([A-Za-z][\w.-]*)([ \t]+)(?=("[^"]{0,200}"|'[^']{0,200}'|[^\s"'-]\S{0,200}))""")
_REST = re.compile(r"""[^\s;,&"'})\]]*""")
_REFERENCE = re.compile(r"env:([A-Z_][A-Z0-9_]*)")
_RUN = re.compile(r"[A-Za-z0-9]{20,}|(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])")
_SEAMS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def verdict(name: str, value: object) -> Verdict | None:
    """Return what a value under a name is; None: nothing special. A value that holds others is what the worst of them
    is.
    """
    found = {one for _, one in suspects(name, value)}
    return "secret" if "secret" in found else "doubt" if found else None


def suspects(name: str, value: object) -> Iterator[tuple[str, Verdict]]:
    """Dotted name and verdict of each suspicious value, at any depth; below a telling name, of all."""
    yield from _suspects(name, value, ())


def _suspects(path: str, value: object, names: Sequence[str]) -> Iterator[tuple[str, Verdict]]:
    names = (*names, path.rpartition(".")[2])
    text = _said(value)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if any(found == "secret" for _, found in _suspects("", key, ())):
                yield f"{path}.{HIDDEN}", "secret"
            else:
                yield from _suspects(f"{path}.{str(key).replace('.', '_')}", inner, names)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for inner, option in zip(value, ("", *value), strict=False):  # each beside the one before it
            yield from _suspects(path, inner, (*names[:-1], *_option(option, inner)))
    elif isinstance(value, bool) or value is None:
        return
    elif text is not None:
        if (found := _text(text, names)) is not None:
            yield path, found
    elif any(_strength(one) == "any" for one in names):
        yield path, "secret"


def _said(value: object) -> str | None:
    """The text that a value is, in whichever type; None: it is none."""
    if isinstance(value, (bytes, bytearray)):
        return value.decode(errors="replace")
    return str(value) if isinstance(value, (str, PurePath)) else None


def _as(value: Any, text: str) -> Any:
    """Another text, of a value's type."""
    if isinstance(value, str):
        return text
    return type(value)(text.encode()) if isinstance(value, (bytes, bytearray)) else type(value)(text)


def _option(before: object, value: object) -> tuple[str, ...]:
    """The name that the word before a value gives it, as `--password` does; none, if it gives none."""
    option, word = _said(before), _said(value)
    return (option,) if option and word and option.startswith("-") and not word.startswith("-") else ()


def _text(value: str, names: Sequence[str]) -> Verdict | None:
    if _REFERENCE.fullmatch(value):
        return None
    if not _ORDINARY_TEXT.fullmatch(value) and any(_strength(one) for one in names):
        return "secret"
    if _SHAPES.search(value) or any(_telling(pair) for pair in _pairs(value)):
        return "secret"
    if names and _is_digest(names[-1]):
        return None
    return "doubt" if any(_random(run) for run in _RUN.findall(value)) else None


def _pairs(text: str) -> list[re.Match[str]]:
    """Each `name=value`, `name: value` and `--name value` of a text: name, sign, and value, which is only looked at."""
    return sorted([*_PAIR.finditer(text), *_OPTION.finditer(text)], key=lambda pair: pair.span(3))


def _telling(pair: re.Match[str]) -> bool:
    """Whether one of `_pairs` tells a secret."""
    name, sign, value = pair[1], pair[2], pair[3].strip("\"'")
    strength = _strength(name)
    if not value or not strength or _REFERENCE.fullmatch(value) or _ORDINARY_TEXT.fullmatch(value):
        return False
    if strength == "any" or pair.string[pair.start() - 1 : pair.start()] in ("?", "&"):
        return True
    if sign == ":" and pair[3][0] not in "\"'":  # prose
        return False
    return not _number(value) and (len(value) > 12 or any(one.isdigit() for one in value))


def _strength(name: str) -> str:
    """Return of which values the name makes secrets: `any`, of `text`, or "" of none."""
    words = _words(name)
    if not words or words[-1] in _MEASURES:
        return ""
    if _STRONG & set(words) or _GLUED.search("".join(words[-1:])):
        return "any"
    last = words[-1]
    before = words[-2] if len(words) > 1 else ""
    if last in ("key", "keys") and before in _KEYED:
        return "any" if before in ("api", "access", "private", "secret") else "text"
    if last in ("token", "tokens") and before in ("auth", "access", "api", "hf", "refresh", "bearer", "secret"):
        return "any"
    if last in _WEAK and not (last == "token" and before in _ORDINARY_TOKENS):
        return "text"
    return ""


def _is_digest(name: str) -> bool:
    """Whether it is the name of something that looks drawn by lot and tells nothing."""
    return bool(_DIGESTS.intersection(_words(name)[-1:]))


def _words(name: str) -> list[str]:
    return [word.lower() for word in _SEAMS.split(name) if word]


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _random(run: str) -> bool:
    """Whether letters and digits follow each other as if by lot: words and versions change kind seldom."""
    kinds = ["d" if one.isdigit() else "u" if one.isupper() else "l" for one in run if one.isalnum()]
    changes = sum(one != other for one, other in pairwise(kinds))
    return "d" in kinds and ("u" in kinds or "/" not in run) and changes >= len(kinds) // 5


def blotted(text: str) -> str:
    """A text with what looks like a secret in it replaced by stars."""
    text = _SHAPES.sub(_stars, text)
    ends = {pair.span(3) for pair in _pairs(text) if _telling(pair)}
    for start, end in sorted(ends, reverse=True):
        text = f"{text[:start]}{HIDDEN}{_REST.sub('', text[end:], count=1)}"
    return text


def _stars(found: re.Match[str]) -> str:
    url = found["url"]
    return HIDDEN if url is None else f"{url.partition('://')[0]}://{HIDDEN}@"


def redact(command: Sequence[str]) -> list[str]:
    """The command line with all that looks like a secret, or may be one, blotted out."""
    words = []
    hide = ""
    for word in command:
        if hide in _SECRET_OPTIONS:
            words.append(HIDDEN)
        elif word.partition("=")[0] in _SECRET_OPTIONS:
            words.append(f"{word.partition('=')[0]}={HIDDEN}" if "=" in word else word)
        elif _strength(hide) and not word.startswith("-") and _judged(hide, word):
            words.append(HIDDEN)
        else:
            words.append(_setting(word))
        hide = word if word.startswith("-") and "=" not in word else ""
    return words


def _setting(word: str) -> str:
    """One word: its values blotted out where the names before them, or the values themselves, tell."""
    name, equals, value = word.partition("=")
    while equals:
        if _judged(name, value):
            return f"{name}={HIDDEN}"
        more, equals, value = value.partition("=")
        name = f"{name}={more}"
    if _is_digest(word.rpartition("=")[0]):
        return blotted(word)
    return _RUN.sub(lambda run: HIDDEN if _random(run[0]) else run[0], blotted(word))


def _judged(name: str, text: str) -> Verdict | None:
    """The verdict on a value as it was typed: JSON, where it is that."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    name = name.rpartition("=")[2].rpartition(".")[2] or name
    if isinstance(value, (int, float)) and _strength(name) != "any":
        return None
    return verdict(name, value)


def refuse_secrets(arguments: Mapping[str, Any], room: str = "train") -> None:
    """Refuse values that would put a secret into the store.

    Args:
        arguments: Name → value.
        room: What they belong to, for the sentence.

    Raises:
        SpecError: One is a secret by its name or shape; the sentence does not repeat it.
    """
    for name, value in arguments.items():
        for path, found in suspects(name, value):
            if found == "secret":
                raise SpecError(
                    f"the store keeps no secrets, but {room}.{path} looks like one: put it into an environment "
                    f"variable, and {_instead(room, path)}"
                )


def _instead(room: str, path: str) -> str:
    if room == "env":
        return f"name it alone: env=['{path}'] in Python, --env {path} on the command line"
    if room != "train":
        return "let train read it from there"
    return f"write {room}.{path}=env:NAME, or let train read it from there"


def resolved(arguments: Mapping[str, Any], room: str = "train") -> dict[str, Any]:
    """The arguments with every `env:NAME` replaced by what that environment variable of this process holds.

    Raises:
        SpecError: There is no such variable.
    """
    return {name: _resolved(f"{room}.{name}", value) for name, value in arguments.items()}


def _resolved(path: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_resolved(path, key): _resolved(f"{path}.{key}", inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return type(value)(_resolved(path, inner) for inner in value)
    found = _REFERENCE.fullmatch(_said(value) or "")
    if found is None:
        return value
    try:
        return _as(value, os.environ[found[1]])
    except KeyError:
        raise SpecError(
            f"{path} is {found[0]}, but there is no environment variable {found[1]} here: type export {found[1]}=…"
        ) from None


def referred(arguments: object) -> list[str]:
    """Return what the references among some arguments stand for here, for code that must not write it down."""
    if isinstance(arguments, Mapping):
        return [one for pair in arguments.items() for one in referred(pair)]
    if isinstance(arguments, (list, tuple, set, frozenset)):
        return [one for inner in arguments for one in referred(inner)]
    found = _REFERENCE.fullmatch(_said(arguments) or "")
    return [os.environ[found[1]]] if found is not None and os.environ.get(found[1]) else []
