"""What outcomes are found in: a session's calls, its world, its floor, its words, each read once; and what is found."""

from collections.abc import Sequence
from functools import cached_property

import msgspec

from metrics.outcomes.transcripts import Transcript, transcripts_of
from simulator.errors import SimulatorError
from simulator.events import Party
from simulator.floor.floor import Floor
from simulator.judging.sitting import Sitting
from simulator.reading.bounds import StartMoment
from simulator.reading.expect import Expectation, read_expectation
from simulator.reading.outcomes import TimedOutcome
from simulator.reading.yaml_file import read_yaml
from simulator.score import Evidence
from simulator.session import Session
from simulator.spec import Duration
from simulator.world.calls import SeenCall, calls_of
from simulator.world.record import WorldRecord, read_world


class OutcomeFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an outcome. met: None where nobody can tell; reason: why. evidence: the moments that decide."""

    met: bool | None
    evidence: list[Evidence] = []
    reason: str = ""


class Within(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch [start, end) of a session; missing: what it should begin after and never came, "" where it did."""

    start: int
    end: int
    missing: str = ""

    def holds(self, at: int) -> bool:
        """Whether a sample lies in it."""
        return self.start <= at < self.end


class Seen:
    """One session, as outcomes are held against it. sitting: the judge before it, where there is one."""

    def __init__(self, session: Session, sitting: Sitting | None = None) -> None:
        self.session = session
        self.sitting = sitting
        self.rate = session.sample_rate
        self._transcripts: dict[Party, list[Transcript]] = {}

    @cached_property
    def floor(self) -> Floor:
        """Who spoke when."""
        return Floor(self.session)

    @cached_property
    def world(self) -> WorldRecord | None:
        """What became of the world; None where the session had none. SessionError where world.json is damaged."""
        return read_world(self.session.folder) if self.session.folder.is_dir() else None

    @cached_property
    def calls(self) -> list[SeenCall]:
        """Every call, in the order in which they were made."""
        return calls_of(self.session)

    def transcripts(self, party: Party) -> list[Transcript]:
        """Give what is known of a party's words, by each source that knows any."""
        if party not in self._transcripts:
            self._transcripts[party] = transcripts_of(self.session, party)
        return self._transcripts[party]

    def seconds(self, samples: int) -> float:
        """Turn samples into seconds."""
        return samples / self.rate

    def window(self, outcome: TimedOutcome, turns_of: Party) -> Within:
        """Give the stretch that an outcome speaks of. turns_of: whose turns are counted."""
        start = self._start(outcome.after, turns_of)
        if isinstance(start, str):
            return Within(start=0, end=0, missing=start)
        end = self.session.duration + 1
        if outcome.within is not None:
            end = min(end, start + outcome.within.samples(self.rate))
        if outcome.before is not None:
            end = min(end, outcome.before.samples(self.rate))
        return Within(start=start, end=end)

    def _start(self, after: StartMoment | None, turns_of: Party) -> int | str:
        if after is None:
            return 0
        if after.kind == "time":
            return (after.time or Duration(0.0)).samples(self.rate)
        if after.kind == "call":
            made = [call.at for call in self.calls if call.name == after.name]
            return made[0] if made else f"{after.name} was never called"
        turns = self.floor.side(turns_of).turns
        if len(turns) < after.number:
            return f"the {turns_of} took {len(turns)} turn{'s' * (len(turns) != 1)}, not {after.number}"
        return turns[after.number - 1].end

    def whole(self, label: str) -> Evidence:
        """Give the evidence that is the session itself: for what did not happen."""
        return Evidence(start=0, end=self.session.duration, label=label)

    def at(self, call: SeenCall, label: str) -> Evidence:
        """Give a call as evidence."""
        start = min(call.at, self.session.duration)
        end = min(max(start, call.answered or start), self.session.duration)
        return Evidence(start=start, end=end, party=call.by, label=label)


def expected_of(session: Session) -> list[Expectation]:
    """Give what the session's own scenario expects; nothing where it is no session of ours."""
    path = session.folder / "scenario.yaml"
    try:
        told = read_yaml(path).get("expect") or [] if path.is_file() else []
        return [read_expectation(item, str(path)) for item in told]
    except SimulatorError:
        return []


def listed(items: Sequence[str]) -> str:
    """Give what was found as one text: the first few."""
    return "; ".join(items[:MOST_LISTED]) + ("; ..." if len(items) > MOST_LISTED else "")


MOST_LISTED = 4
