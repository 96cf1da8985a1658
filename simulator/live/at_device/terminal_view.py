"""The terminal's view of a live session: two lanes that move, marks between them, words, levels and figures."""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from simulator.live.room import Message, Room
from simulator.texts import shown

if TYPE_CHECKING:
    from rich.console import RenderableType

BARS = " ▁▂▃▄▅▆▇█"
COLUMNS_PER_S = 10
LINES = 8
MARKS = 50
"""Marks that are kept: more than a screen is wide for."""
CUES = {
    "lobby": "the line is being tried", "loading": "getting ready …", "talking": "SPEAK NOW", "scoring": "scoring …",
    "over": "over",
}  # fmt: skip


class TerminalView:
    """Listens to a room and draws it at any width."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._lanes: dict[str, deque[tuple[float, bool]]] = {party: deque(maxlen=400) for party in ("user", "agent")}
        self._marks: dict[str, tuple[int, str]] = {}
        self._words: deque[tuple[float, str, str, str]] = deque(maxlen=LINES)
        self._column = 0
        self._latency: Message = {}
        self._delay: Message = {}
        self._state = "lobby"
        self.note = ""
        room.listen(self.take)

    def take(self, message: Message) -> None:
        """Take a message of the room."""
        match message["type"]:
            case "lanes":
                self._column += 1
                for party, lane in self._lanes.items():
                    lane.append((max(message[party]) / 100, message["speaking"][party]))
            case "mark":
                self._mark(message)
            case "words" if message["text"]:
                self._words.append((message["at"], message["party"], message["text"], message["source"]))
            case "latency":
                self._latency = message
            case "state":
                self._state = message["state"]
            case "trouble":
                self.note = f"{message['what']} of the {message['party']}: {message['ms']} ms"
            case kind if kind.startswith("delay_"):
                self._delay = message

    def _mark(self, mark: Message) -> None:
        """Keep the latest marks where they were first noticed, corrected; a withdrawn one was none."""
        column, _ = self._marks.get(mark["id"], (self._column, ""))
        self._marks[mark["id"]] = column, _told(mark)
        if mark["withdrawn"]:
            del self._marks[mark["id"]]
        while len(self._marks) > MARKS:
            del self._marks[next(iter(self._marks))]

    def __rich__(self) -> "RenderableType":
        """Give the view as it is now."""
        from rich.console import Group
        from rich.panel import Panel
        from rich.text import Text

        body = [
            Text(self._figures(), style="dim"), _Lane(self._lanes["user"], "user", "blue"),
            _Marks(list(self._marks.values()), self._column), _Lane(self._lanes["agent"], "agent", "yellow"),
            Text(), *map(_line, self._words), Text(),
            Text(self._levels()), *map(_dim, self._keys()),
        ]  # fmt: skip
        title = f"{self._room.scenario.name} · {CUES[self._state]}"
        return Panel(Group(*body), title=title, subtitle=self.note or None, padding=(0, 1))

    def _figures(self) -> str:
        latency = self._latency
        answered = "no answer yet"
        if latency and latency["last_ms"] is not None:
            answered = f"answered after {latency['last_ms']} ms (median {latency['p50_ms']})"
        measured = self._delay.get("measured")
        total = measured if measured is not None else self._delay.get("to_session", 0) + self._delay.get("to_ear", 0)
        how = "measured" if measured is not None else "by its parts"
        return f"{answered} · mouth to ear, both ways: {total:.0f} ms ({how})" if self._delay else answered

    def _levels(self) -> str:
        return "   ".join(
            f"microphone ({party}) {_bar(handset.level)}" for party, handset in self._room.handsets.items()
        )

    def _keys(self) -> list[str]:
        if self._state == "lobby":
            return ["enter: start · e: test for echo · q: leave"]
        lines = []
        for party in ("user", "agent"):
            own = " · ".join(f"{one.key} {one.label}" for one in self._room.buttons if one.party == party)
            lines += [f"{party}: {own}"] if own else []
        return [*lines, "q: hang up"]


class _Lane:
    """One lane, a column per 100 ms, the latest at the right."""

    def __init__(self, lane: deque[tuple[float, bool]], name: str, colour: str) -> None:
        self._lane, self._name, self._colour = lane, name, colour

    def __rich_console__(self, _console: Any, options: Any) -> Any:
        from rich.text import Text

        room = max(10, options.max_width - 7)
        text = Text(f"{self._name:<6} ", style=f"bold {self._colour}")
        columns = list(self._lane)[-room:]
        text.append(" " * (room - len(columns)))
        for level, speaking in columns:
            text.append(BARS[min(8, round(8 * level**0.5))], style=self._colour if speaking else "dim")
        yield text


class _Marks:
    """The marks, each ending under the column it was noticed in; one without room stands behind the one before it."""

    def __init__(self, marks: Sequence[tuple[int, str]], column: int) -> None:
        self._marks, self._column = marks, column

    def __rich_console__(self, _console: Any, options: Any) -> Any:
        from rich.text import Text

        room = max(10, options.max_width - 7)
        line = ""
        for column, label in self._marks:
            place = room - (self._column - column) - len(label)
            if place >= 0:
                # An overlap and the barge-in that comes of it are half a second apart: both must be readable.
                line = line.ljust(max(place, len(line) + 1) if line else place) + label
        yield Text(" " * 7 + line[:room], style="magenta")


def _told(mark: Message) -> str:
    match mark["kind"]:
        case "transfer":
            return f"{mark['ms']:+d} ms"
        case "barge_in":
            after = f" in {mark['ms']} ms" if mark["outcome"] == "yielded" else ""
            return f"barge-in, {mark['outcome']}{after}"
        case kind:
            return str(kind)


def _line(words: tuple[float, str, str, str]) -> Any:
    from rich.text import Text

    at, party, text, source = words
    line = Text(f"{at:6.1f} s  ", style="dim", no_wrap=True, overflow="ellipsis")
    line.append(f"{party:<6} ", style="blue" if party == "user" else "yellow")
    line.append(shown(text), style="" if source == "truth" else "italic")
    return line


def _dim(line: str) -> Any:
    from rich.text import Text

    return Text(line, style="dim", no_wrap=True, overflow="ellipsis")


def _bar(level: float) -> str:
    filled = min(20, round(20 * level**0.5))
    return f"[{'#' * filled}{'·' * (20 - filled)}]"
