"""`simulate list [actors|channels|scorers|voices ...]`: what is installed, a line each."""

import argparse
import inspect
from typing import Any

import msgspec

from simulator.cli import OK
from simulator.errors import ScenarioError
from simulator.plugins import GROUPS, installed, load
from simulator.reading.key_texts import key_texts
from simulator.spec import encode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("what", nargs="?", choices=(*GROUPS, "voices"), help="one group only")
    parser.add_argument("kind", nargs="?", help="one kind of it, with its keys and their defaults")


def run(args: argparse.Namespace) -> int:
    """Print the kinds of every group, or of one."""
    if args.what == "voices":
        return _print_voices()
    if args.kind is not None:
        return _print_keys(load(args.what, args.kind))
    for group in [args.what] if args.what else GROUPS:
        if not args.what:
            print(f"{group}:")
        for name in installed(group):
            print(f"  {name:<22} {_summary(group, name)}")
    return OK


def _print_keys(spec: Any) -> int:
    """Print what a kind is, and every key with its default and what it means."""
    print((inspect.getdoc(spec) or spec.__name__).split("\n\n")[0])
    texts = key_texts(spec)
    for field in msgspec.structs.fields(spec) if issubclass(spec, msgspec.Struct) else ():
        if field.default is not msgspec.NODEFAULT:
            told = f"default {encode(field.default)!r}"
        else:
            told = "needed" if field.required else f"default {encode(field.default_factory())!r}"
        text = texts.get(field.encode_name, "")
        print(f"  {field.encode_name:<20} {told}{f'; {text}' if text else ''}")
    return OK


def _summary(group: str, name: str) -> str:
    try:
        lines = (inspect.getdoc(load(group, name)) or "").splitlines()
    except ScenarioError as error:
        return f"not usable here: {error}"
    return lines[0] if lines else ""


def _print_voices() -> int:
    from simulator.engines.espeak import voices
    from simulator.engines.piper_files import installed_voices

    for voice in [*voices(), *installed_voices()]:
        print(voice)
    return OK
