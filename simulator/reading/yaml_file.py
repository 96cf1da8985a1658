"""YAML in: one mapping of plain values, every key once, and never more of it than a file of its size may mean.

What PyYAML or one of its converters makes of a text is taken, or refused in a sentence: an alias inside what it names,
aliases that stand for far more than is written, dates, sets, bytes, numbers that no program could count.
"""

from pathlib import Path
from typing import Any

import yaml

from simulator.errors import ScenarioError

DEEPEST = 100
"""Mappings and lists inside each other: what carries a scenario on may call itself a few times for each."""
MOST_EXPANDED = 2_000_000
"""Characters, about: what aliases stand for may be written out up to here; what is written itself is always read."""
_NODE_COSTS = 16
_LARGEST = 2**63

_FAULTS = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)
"""What the converters of YAML's tags raise, beside PyYAML's own errors."""


class _OnceLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that refuses a key given twice: YAML would drop the first one without a word.

    What `<<` merges is worked out here and not by PyYAML, whose releases differ in which of two values wins: a
    mapping's own key before a merged one, an earlier merged mapping before a later one (YAML 1.1's merge type).
    """

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._flat: set[int] = set()

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """Convert a node. yaml.YAMLError names the place, whatever its converter raises."""
        try:
            return super().construct_object(node, deep)
        except _FAULTS as error:
            found = f"{node.value!r} is no " if isinstance(node, yaml.ScalarNode) else "no "
            told = f" ({error})" if isinstance(error, ValueError) else ""
            problem = f"{found}{node.tag.rpartition(':')[2]}{told}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error

    def flatten_mapping(self, node: Any) -> None:
        """Put what a mapping merges into it, every key once. yaml.YAMLError names a key given twice."""
        if id(node) in self._flat:
            return
        self._flat.add(id(node))
        own: dict[object, Any] = {}
        merged: dict[object, Any] = {}
        pairs, node.value = node.value, []  # so that a mapping that merges itself ends here
        for key, value in pairs:
            if key.tag == "tag:yaml.org,2002:merge":
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    self._merge(source, merged)
            elif _identity(key) in own:
                problem = f"the key {key.value!r} is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            else:
                own[_identity(key)] = (key, value)
        node.value = list((merged | own).values())

    def _merge(self, source: Any, merged: dict[object, Any]) -> None:
        if not isinstance(source, yaml.MappingNode):
            raise yaml.constructor.ConstructorError(
                None, None, f"expected a mapping to merge, found a {source.id}", source.start_mark
            )
        self.flatten_mapping(source)
        for key, value in source.value:
            merged.setdefault(_identity(key), (key, value))


def _identity(key: Any) -> object:
    """What makes two keys of a mapping the same: a scalar's text, and any other node itself."""
    return key.value if isinstance(key, yaml.ScalarNode) else id(key)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping. ScenarioError when the file is missing, no YAML, or no mapping."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ScenarioError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from error
    data = parse_yaml(text, source=str(path))
    if not isinstance(data, dict):
        raise ScenarioError(f"{path}: expected a mapping with name, user and agent, found {type(data).__name__}")
    return data


def parse_yaml(text: str, *, source: str) -> Any:
    """Give what a YAML text holds: dicts, lists, texts, numbers, booleans and None. ScenarioError names the source."""
    try:
        _Extent().refuse_beyond(text)
        data = yaml.load(text, Loader=_OnceLoader)
    except (yaml.YAMLError, *_FAULTS) as error:
        # PyYAML names what it reads a string, whatever file that came from.
        told = str(error).replace('in "<unicode string>", ', "at ")
        raise ScenarioError(f"{source}: is no YAML: {' '.join(told.split())}") from error
    problem = _not_plain(data, {})
    if problem is not None:
        raise ScenarioError(f"{source}: {problem}")
    return data


class _Extent:
    """How far a text reaches, told from its events, before anything is built: how deep, and how large written out."""

    def __init__(self) -> None:
        self._open: list[tuple[str | None, int]] = []
        self._sizes: dict[str, int] = {}
        self._size = self._written = 0

    def refuse_beyond(self, text: str) -> None:
        """Refuse deep nesting, and aliases that stand for too much (one inside what it names counts nothing)."""
        for event in yaml.parse(text, Loader=_OnceLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                self._open.append((event.anchor, self._size))
                if len(self._open) > DEEPEST:
                    raise ValueError(f"{_place(event)}: is nested deeper than {DEEPEST} levels")
            elif isinstance(event, yaml.CollectionEndEvent):
                self._note(*self._open.pop())
            elif isinstance(event, yaml.ScalarEvent):
                before = self._size
                self._grow(_NODE_COSTS + len(event.value), written=True)
                self._note(event.anchor, before)
            elif isinstance(event, yaml.AliasEvent):
                self._expand(event)

    def _note(self, anchor: str | None, before: int) -> None:
        self._grow(_NODE_COSTS, written=True)
        if anchor is not None:
            self._sizes[anchor] = self._size - before

    def _expand(self, event: yaml.AliasEvent) -> None:
        self._grow(self._sizes.get(event.anchor or "", 0), written=False)
        if self._size > max(MOST_EXPANDED, self._written):
            raise ValueError(f"{_place(event)}: *{event.anchor}: its aliases stand for more than can be written out")

    def _grow(self, size: int, *, written: bool) -> None:
        self._size += size
        self._written += size if written else 0


def _place(event: yaml.Event) -> str:
    return f"line {event.start_mark.line + 1 if event.start_mark else '?'}"


def _not_plain(value: object, known: dict[int, bool], where: str = "$") -> str | None:
    """Say what of a value is no text, number, boolean, list or mapping with plain keys; None where all of it is.

    known: the mappings and lists met so far; True while their parts are being looked at.
    """
    if isinstance(value, dict | list):
        if id(value) in known:
            return f"{where}: holds itself" if known[id(value)] else None
        known[id(value)] = True
        inner: dict[str, object] = (
            {f".{name}": item for name, item in value.items()}
            if isinstance(value, dict)
            else {f"[{index}]": item for index, item in enumerate(value)}
        )
        problem = next(filter(None, (_not_plain(item, known, where + place) for place, item in inner.items())), None)
        if problem is None and isinstance(value, dict):
            problem = next(filter(None, (_not_plain(name, known, where) for name in value)), None)
        known[id(value)] = False
        return problem
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return f"{where}: is a number of more than 63 bits"
    if value is None or isinstance(value, str | int | float):
        return None
    return f"{where}: a {type(value).__name__} stands here; if it is meant as a text, put it in quotes"
