"""docs/howto.md is true: every block loads in a scenario, every command knows the options that are named."""

import argparse
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from simulator.cli import COMMANDS, MODULES
from simulator.scenario import load
from tests.source_tree import ROOT

PAGE = (ROOT / "docs" / "howto.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TYPED = re.findall(r"`simulate ([^`]+)`", PAGE)


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_loads_in_a_scenario(block: str, tmp_path: Path) -> None:
    """Put over a call of a scripted user."""
    call = {"name": "call", "duration": "30s", "user": {"kind": "scripted", "turns": ["Hello."]}, "agent": "silent"}
    (tmp_path / "call.yaml").write_text(yaml.safe_dump(call | yaml.safe_load(block)), encoding="utf-8")
    soundfile.write(tmp_path / "question.wav", np.zeros(24_000), 24_000)
    assert load(tmp_path / "call.yaml").name == "call"


@pytest.mark.parametrize("words", TYPED)
def test_a_command_has_the_options_that_are_named(words: str) -> None:
    """Parsed as the command line parses it."""
    first, *rest = words.split()
    name, arguments = (first, rest) if first in COMMANDS else ("run", [first, *rest])
    parser = argparse.ArgumentParser(allow_abbrev=False)
    import_module(f"simulator.cli.{MODULES.get(name, name)}").add_arguments(parser)
    parser.parse_args(arguments)
