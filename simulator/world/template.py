"""Templates: texts with places that the state and a call's arguments fill: `"{orders[order].status}"`.

    {order}                     an argument, else the state's own `order`
    {orders[order].status}      into the state: [order] by the value of an argument, .status by that name
    {orders.12345.items[0]}     a name or a number may stand for itself
    {{ and }}                   braces

A text that is one place alone gives what is there as it is: a number, a mapping. Nothing is called and no attribute is
read: a path goes through mappings and lists, whatever they are named.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from simulator.texts import quoted, written

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_STEP = re.compile(r"\.([\w-]+)|\[([\w-]+)\]")
_ROOT = re.compile(r"[\w-]+")


class PathStep(msgspec.Struct, frozen=True):
    """One step of a path: by a name as written, or by the value of the argument of that name (`given`)."""

    name: str
    given: bool = False


class PathIn(msgspec.Struct, frozen=True):
    """A place: where it starts, and the steps from there."""

    root: str
    steps: tuple[PathStep, ...]
    text: str


class UnfilledError(ValueError):
    """A place for which there is nothing; the message is what an API would answer."""


def places_of(text: str) -> list[PathIn]:
    """Give the places of a text. ValueError: a brace without its other, or what stands in them is no path."""
    return [place for place in _parts(text) if isinstance(place, PathIn)]


def texts_in(value: Any) -> Iterator[str]:
    """Give every text inside plain data, keys aside: each may be a template."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)


def filled(value: Any, state: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
    """Give plain data with every place filled. UnfilledError: nothing is there in the state, or no such argument."""
    if isinstance(value, str):
        return _filled_text(value, state, arguments)
    if isinstance(value, Mapping):
        return {name: filled(item, state, arguments) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [filled(item, state, arguments) for item in value]
    return value


def assign(state: Any, path: str, value: Any, arguments: Mapping[str, Any]) -> None:
    """Set what lies at a path (`orders.{order}.status`) in a state. UnfilledError where the way there leads nowhere."""
    *way, last = (str(_filled_text(part, state, arguments)) for part in split_path(path))
    holder = walked(state, way)
    if isinstance(holder, list) and last.isdigit() and int(last) < len(holder):
        holder[int(last)] = value
    elif isinstance(holder, dict):
        holder[last] = value
    else:
        raise UnfilledError(f"there is no {last!r} in {'.'.join(way) or 'the state'}")


def split_path(path: str) -> list[str]:
    """Give the parts of a path between its dots; a dot inside braces belongs to what stands there."""
    return re.findall(r"(?:\{[^{}]*\}|[^.{}])+", path)


def walked(state: Any, way: Sequence[str]) -> Any:
    """Give what lies at the end of a way of names and numbers. UnfilledError where it leads nowhere."""
    found = state
    for index, name in enumerate(way):
        found = _step(found, name, ".".join(way[:index]))
    return found


def _step(holder: Any, name: Any, way: str) -> Any:
    text = name if isinstance(name, str) else str(name)
    if isinstance(holder, dict) and text in holder:
        return holder[text]
    if isinstance(holder, list) and text.isdigit() and int(text) < len(holder):
        return holder[int(text)]
    raise UnfilledError(f"there is no {text!r} in {way or 'the state'}")


def _filled_text(text: str, state: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
    parts = [_found(part, state, arguments) if isinstance(part, PathIn) else part for part in _parts(text)]
    if len(parts) == 1:
        return parts[0]
    return "".join(map(written, parts))


def _found(place: PathIn, state: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
    if place.root in arguments:
        found, way = arguments[place.root], place.root
    else:
        found, way = _step(state, place.root, ""), place.root
    for step in place.steps:
        name = _by_argument(step, arguments) if step.given else step.name
        found = _step(found, name, way)
        way = f"{way}.{name}"
    return found


def _by_argument(step: PathStep, arguments: Mapping[str, Any]) -> Any:
    if step.name not in arguments:
        raise UnfilledError(f"{step.name} is not given")
    return arguments[step.name]


def _parts(text: str) -> Iterator[str | PathIn]:
    """The literal pieces and the places of a text, in order; no piece is empty, but for an empty text."""
    piece, end, found = "", 0, False
    for match in _PLACE.finditer(text):
        piece += text[end : match.start()]
        end = match.end()
        if match[0] in ("{{", "}}"):
            piece += match[0][0]
        elif match[1] is None:
            raise ValueError(f"{quoted(text)}: a brace without its other; write {{{{ for a brace")
        else:
            if piece:
                yield piece
            piece, found = "", True
            yield _path(match[1], text)
    piece += text[end:]
    if piece or not found:
        yield piece


def _path(written: str, text: str) -> PathIn:
    root = _ROOT.match(written)
    steps: list[PathStep] = []
    at = root.end() if root else 0
    while root and at < len(written):
        match = _STEP.match(written, at)
        if match is None:
            break
        # [0] counts in a list; [order] is an argument's value.
        steps.append(PathStep(match[1]) if match[1] else PathStep(match[2], given=not match[2].isdigit()))
        at = match.end()
    if root is None or at < len(written):
        raise ValueError(f"{quoted(text)}: {quoted(written)} is no path; write it like orders[order].status")
    return PathIn(root[0], tuple(steps), written)
