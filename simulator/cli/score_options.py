"""`--set KEY=VALUE` of `simulate score` and `simulate judge`: texts become the fields of the scorers' specs."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_origin

import msgspec

from simulator.errors import ScenarioError
from simulator.plugins import Kind, load
from simulator.reading.yaml_file import parse_yaml
from simulator.scoring.corpus import CorpusScorer
from simulator.spec import decode

READING = ("user_channel", "agent_channel", "force", "recognizer")
"""Options of how recordings are read and heard, where a scorer does not do that itself."""


def add_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare `--set`, whose texts `read_options` reads. what: the help."""
    parser.add_argument("--set", dest="options", action="append", default=[], metavar="KEY=VALUE", help=what)


def read_options(texts: Sequence[str]) -> dict[str, str]:
    """Read KEY=VALUE texts; ScenarioError when one has no key or no equals sign."""
    options: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise ScenarioError(f"--set {text}: write it like --set mode=compat")
        options[key.strip()] = value.strip()
    return options


def make_specs(names: Sequence[str], options: Mapping[str, str]) -> dict[str, Any]:
    """Make the specs of installed scorers; an option goes to every scorer that has it.

    Beside our own scorers, which open no files, the options of reading are known too and left to the caller.

    ScenarioError: an unknown scorer, an option that none of them has, a value that is not allowed.
    """
    kinds = {name: load("scorers", name) for name in dict.fromkeys(names)}
    fields = {name: {field.name for field in msgspec.structs.fields(kind)} for name, kind in kinds.items()}
    known = set[str]().union(*fields.values())
    if not all(issubclass(kind, CorpusScorer) for kind in kinds.values()):
        known |= set(READING)
    for key in options:
        if key not in known:
            whose = ", ".join(kinds)
            allowed = f"choose one of {', '.join(sorted(known))}" if known else "there are none"
            raise ScenarioError(f"--set {key}: {whose} has no such option; {allowed}")
    return {
        name: convert(kind, {key: text for key, text in options.items() if key in fields[name]}, kind=name)
        for name, kind in kinds.items()
    }


def convert(into: type, options: Mapping[str, str], **more: Any) -> Any:
    """Make a struct from options as text, and other fields as they are; ScenarioError names the option."""
    types = {field.name: field.type for field in msgspec.structs.fields(into)}
    data = {key: _plain(text, types[key]) for key, text in options.items()}
    try:
        return decode({**more, **data}, into, source="--set", folder=Path.cwd(), where="")
    except ScenarioError as error:
        raise ScenarioError(str(error).replace("--set: .", "--set ", 1).replace("--set: : ", "--set: ", 1)) from error


def _plain(text: str, kind: Any) -> Any:
    """Turn an option's text into the plain value its type is decoded from; text stays where text is meant."""
    kinds = set(getattr(kind, "__args__", ())) | {kind}
    if any(isinstance(part, type) and issubclass(part, Kind) for part in kinds):
        return parse_yaml(text, source=f"--set {text}")
    if get_origin(kind) is not dict and any(isinstance(part, type) and _is_text(part) for part in kinds):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _is_text(kind: type) -> bool:
    return issubclass(kind, str | Path) or hasattr(kind, "__decode__")
