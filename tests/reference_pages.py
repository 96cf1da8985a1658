"""Writes docs/reference/ from the code: `python -m tests.reference_pages`.

Kinds with their keys, metrics with their cards, commands and exit codes, the files of a run, the Python interface.
"""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from agents.caller.endpoint_mind import EndpointMindSpec
from agents.caller.rules_mind import RulesMindSpec
from simulator import cli, results, testing
from simulator.plugins import installed, load
from simulator.reading.key_types import inner_structs, keys_of
from simulator.reading.length import AfterParty, Answered
from simulator.reading.outcomes import OUTCOMES
from simulator.recipe import Recipe
from simulator.scenario import Scenario
from simulator.scoring.scorer import definitions_by_kind
from simulator.speaking.cues import CueKeys
from simulator.sweep.design import ListDesign, RandomDesign, StaircaseDesign
from simulator.sweep.dimension import Dimension
from simulator.sweep.sweep import SweepKeys
from tests.reference_files import FILES, Told
from tests.source_tree import ROOT

FOLDER = ROOT / "docs" / "reference"
OURS = ("simulator", "agents", "channels", "metrics")

KIND_PAGES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "actors": ("Actors", "What plays a party: `user:` and `agent:` of a scenario.", ("actors",)),
    "injectors": ("Injectors", "What is added to a party's mouth: `injectors:` of a scenario.", ("injectors",)),
    "channels": ("Channels", "What a line does to sound: `lines:` ([lines](../lines.md)).", ("channels",)),
    "scorers": ("Scorers", "What is measured: `scorers:`, `score --as` ([metrics](metrics.md)).", ("scorers",)),
    "datasets": ("Data sets", "One session per sample: `dataset:` of a scenario.", ("datasets",)),
    "voices": (
        "Voices and ears",
        "What speaks, understands and hears, and what decides that a turn is over ([voices](../voices.md)).",
        ("synthesizers", "recognizers", "ears", "endpointing", "engines"),
    ),
    "answers": (
        "Answers, models, worlds",
        "What makes an answer of a turn, models that run in this process, and what parties call.",
        ("responders", "models", "worlds"),
    ),
    "servers": ("Servers", "What `simulate serve ACTOR --protocol NAME` speaks.", ("servers",)),
}  # fmt: skip
"""File name, title, first sentence, groups of plugins."""

PARTS: Mapping[str, tuple[type[Any], ...]] = {
    "duration": (AfterParty, Answered),
    "expect": tuple(OUTCOMES.values()),
    "sweep": (SweepKeys, Dimension, ListDesign, RandomDesign, StaircaseDesign),
    "Cues": (CueKeys,),
    "Recipes": (Recipe,),
}
"""What a scenario's page tells of, beside the keys of the file."""

MINDS: tuple[type[Any], ...] = (RulesMindSpec, EndpointMindSpec)

WRITTEN = "This page is written from the code; a test holds it to it.\n"


def pages() -> dict[str, str]:
    """Give every page by its file's name."""
    texts = {f"{name}.md": _kinds(*told) for name, told in KIND_PAGES.items()}
    texts |= {
        "scenario.md": _scenario(),
        "metrics.md": _metrics(elsewhere=False),
        "metrics_elsewhere.md": _metrics(elsewhere=True),
        "commands.md": _commands(),
        "files.md": _files(),
        "python.md": _python(),
    }
    return {name: "\n".join(text).rstrip() + "\n" for name, text in texts.items()}


def _kinds(title: str, about: str, groups: tuple[str, ...]) -> Iterator[str]:
    yield f"# {title}\n\n{about} `simulate list {groups[0]} KIND` prints the same. {WRITTEN}"
    structs = []
    for group in groups:
        if len(groups) > 1:
            yield f"## {group.capitalize()}\n"
        for kind in (kind for kind, point in installed(group).items() if point.value.split(".")[0] in OURS):
            structs.append(load(group, kind))
            yield f"{'###' if len(groups) > 1 else '##'} {kind}\n"
            yield from _struct(structs[-1])
    if "actors" in groups:
        yield "## llm of a caller\n"
        structs += MINDS
        for mind in MINDS:
            yield from _struct(mind)
    yield from _inside(structs)


def _struct(struct: type[Any]) -> Iterator[str]:
    """A kind's first paragraph, and the table of its keys."""
    yield " ".join((inspect.getdoc(struct) or "").split("\n\n")[0].split()) + "\n"
    yield from _keys(struct)


def _inside(structs: Iterable[type[Any]]) -> Iterator[str]:
    """The mappings inside of keys, each once."""
    seen: set[type[Any]] = set()
    inner = [found for struct in structs for found in inner_structs(struct, seen)]
    if inner:
        yield "## Mappings inside of keys\n"
    for title, struct in inner:
        yield f"### `{title}`\n"
        yield from _struct(struct)


def _keys(struct: type[Any]) -> Iterator[str]:
    rows = [(f"`{key.name}`", _type(key.type), key.unit, _code(key.default), key.text) for key in keys_of(struct)]
    if rows:
        yield from _table(("key", "type", "unit", "default", "what it is"), rows)


def _scenario() -> Iterator[str]:
    yield f"# Scenario\n\nThe keys of a scenario's file; [scenarios](../scenarios.md) explains them. {WRITTEN}"
    yield from _keys(Scenario)
    for title, structs in PARTS.items():
        yield f"## {title}\n"
        for struct in structs:
            yield from _struct(struct)
    yield from _inside([Scenario])


def _metrics(*, elsewhere: bool) -> Iterator[str]:
    title = "Metrics of others" if elsewhere else "Metrics"
    about = "What other projects define, reproduced with their quirks" if elsewhere else "What is defined here"
    yield f"# {title}\n\n{about}; `simulate explain METRIC` prints one. {WRITTEN}"
    for kind, family in definitions_by_kind().items():
        if load("scorers", kind).__module__.startswith("metrics.compat") is not elsewhere or not family:
            continue
        yield f"## {kind}\n"
        if elsewhere:
            yield _prose(load("scorers", kind).card)
        rows = ((f"`{name}`", card.unit, card.better, card.title) for name, card in family.items())
        yield from _table(("metric", "unit", "better", "what it is"), rows)
        for name, card in () if elsewhere else family.items():
            yield f"### {name}\n"
            yield _prose(card.card) + (f"Source: {card.source}\n" if card.source else "")


def _commands() -> Iterator[str]:
    yield f"# Commands and exit codes\n\n`simulate COMMAND --help` tells a command's options. {WRITTEN}"
    yield from _table(
        ("command", "what it does"), ((f"`simulate {name}`", text) for name, text in cli.COMMANDS.items())
    )
    yield "## Exit codes\n"
    told = re.search(r"Exit codes: (.*?)\. A command's", " ".join((cli.__doc__ or "").split()))
    assert told is not None
    rows = (tuple(part.split(" ", 1)) for part in told[1].split("; "))
    yield from _table(("code", "what it means"), ((f"`{code}`", meaning) for code, meaning in rows))


def _files() -> Iterator[str]:
    about = "A run folder holds a folder for each session, called by its id."
    yield f"# Files of a run and of a session\n\n{about} {WRITTEN}"
    for place, files in FILES.items():
        yield f"## {place}\n"
        yield from _table(("file", "what it holds"), ((f"`{name}`", told.text) for name, told in files.items()))
        for name, told in files.items():
            yield from _file(name, told)


def _file(name: str, told: Told) -> Iterator[str]:
    if told.structs:
        yield f"### {name}\n"
    for index, struct in enumerate(told.structs):
        if index:
            yield f"**{struct.__name__}**: {' '.join((inspect.getdoc(struct) or '').split(chr(10) * 2)[0].split())}\n"
        yield from _table(("key", "type", "what it is"), _fields(struct))


def _fields(struct: type[Any]) -> Iterator[tuple[str, str, str]]:
    return ((f"`{key.name}`", _type(key.type), key.text) for key in keys_of(struct))


def _python() -> Iterator[str]:
    yield f"# Python\n\nWhat is named here is stable; the modules behind it are not. {WRITTEN}"
    for module in (results, testing):
        yield f"## {module.__name__}\n"
        for name in module.__all__:
            found = getattr(module, name)
            yield f"### {name}\n"
            if inspect.isfunction(found):
                yield f"```python\n{name}{_signature(found)}\n```\n"
            if inspect.isclass(found) and issubclass(found, msgspec.Struct):
                yield _prose((inspect.getdoc(found) or "").split("\n\n")[0])
                yield from _table(("key", "type", "what it is"), _fields(found))
            else:
                yield _prose(inspect.getdoc(found) or "")
            if inspect.isclass(found):
                yield from _members(found)


def _signature(function: Any) -> str:
    """A signature without the modules of its types, and functions by their names."""
    told = re.sub(r"<function (\w+) at \w+>", r"\1", str(inspect.signature(function)))
    plain = re.sub(r"(?:\b[a-z_]\w*\.)+(?=\w)", "", told).replace("'", "")
    # What stands behind the alias NDArray is another thing in each release of numpy.
    return re.sub(r"ndarray\[(?:tuple\[Any, \.\.\.\]|Any), dtype\[(\w+)\]\]", r"NDArray[\1]", plain)


def _members(found: type[Any]) -> Iterator[str]:
    """A class's public methods and properties, with the first sentence of each."""
    rows = []
    for name, member in vars(found).items():
        of = member.func if hasattr(member, "func") else member.fget if isinstance(member, property) else member
        of = of.__func__ if isinstance(of, classmethod | staticmethod) else of
        if not name.startswith("_") and inspect.isfunction(of) and inspect.getdoc(of):
            call = "" if of is not member and not isinstance(member, classmethod | staticmethod) else "()"
            rows.append((f"`{name}{call}`", (inspect.getdoc(of) or "").split("\n\n")[0]))
    if rows:
        yield from _table(("member", "what it is"), rows)


def _prose(text: str) -> str:
    """A docstring or a card as a page has it; lines that are set in stay as they are, as code."""
    parts = []
    for part in inspect.cleandoc(text).split("\n\n"):
        lines = part.splitlines()
        if any(line.startswith("    ") for line in lines):
            parts.append("```\n" + inspect.cleandoc("\n" + part) + "\n```")
        else:
            parts.append(_plain(" ".join(lines)))
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """A text that has no marks of Markdown but its code and its links."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if index % 2 else re.sub(r"([<*])", r"\\\1", piece) for index, piece in enumerate(pieces))


def _type(text: str) -> str:
    """A type's words; braces as code, or they would be taken for attributes of the cell."""
    return re.sub(r"(\{[^}]*\})", r"`\1`", text)


def _code(text: str) -> str:
    return text if text in ("needed", "none") else f"`{text}`"


def _table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |\n|{'---|' * len(head)}"
    for row in rows:
        cells = (re.sub(r"\s+", " ", _plain(cell)).replace("|", "\\|") for cell in row)
        yield f"| {' | '.join(cells)} |"
    yield ""


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, page in pages().items():
        (FOLDER / file).write_text(page, encoding="utf-8")
