"""Full-Duplex-Bench v2: what a judge said of multi-turn dialogues, read from its replies, in two tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from metrics.compat.as_scorer import AsScorer
from metrics.compat.fdb.live import LiveJudging
from metrics.compat.fdb.samples import read_json
from metrics.compat.fdb.v2_live import V2Judge, read_checkout
from metrics.compat.fdb.v2_reply import EVENTS_KEY, TASK_KEY, Event, ReplyReader, TimedReply, is_number
from metrics.compat.fdb.v2_tables import PROCESSED, StagedDialogue, bins, rated, write_tables
from metrics.compat.measured import Measured
from simulator.errors import SessionError
from simulator.judging.spec import AnyJudge, JudgeSpec
from simulator.score import Definition
from simulator.scoring.corpus import CorpusResult
from simulator.scoring.inputs import Input, InputKind
from simulator.session import Session

LOWEST, HIGHEST = 1, 5

CARD = """\
A judge rates every event of a dialogue twice from 1 to 5 (turn-taking fluency, instruction following)
and the dialogue once (task score). turn_taking and instruction_following: means over all events that
have both scores; task_score: mean over dialogues. bins_tt, bins_if: per 15 s from 0 to 120 s, scores
weighted by the seconds of the event in the bin (events with end > start).
Sessions: a judge is asked live: judge=MODEL@URL and checkout=FOLDER, a copy of the benchmark, whose
rubrics and goals it is told; task=ID unless the session's sample is a task. The user is channel A, the
agent B; words up to 120 s, at temperature 0.2. strict: it is told when channel A spoke, too.
Replies are read from raw text <Family>/<name>.json (strict JSON, fenced blocks, the requested colon
form, m:ss times), else from <name>_processed.json. Several intervals in one event get its scores each.
compat: scores are cut to whole numbers; [{8.1}, {29.7}], the template taken literally, and bare m:ss
give no events; files in sub-folders of a family get empty bins. write=DIR: both CSV tables, 3 decimals.
strict: those are read, decimals stay, scores outside 1 to 5 are left out, sub-folders are binned.
The fluency was judged without knowing when the examiner spoke. The paper's table is the mean over 0 to
75 s.
Undefined: no event with both scores; no task score.
Source: Full-Duplex-Bench v2."""


class V2Spec(AsScorer, frozen=True, kw_only=True, tag="fdb:v2"):
    """Turn-taking fluency, instruction following and task score.

    checkout: a copy of Full-Duplex-Bench, whose prompts are asked. judge: who is asked (default: the scenario's). task:
    its id, where the session's sample does not tell.
    """

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = (
        Definition(id="turn_taking", unit="1-5", title="turn-taking fluency", better="higher"),
        Definition(id="instruction_following", unit="1-5", title="instruction following", better="higher"),
        Definition(id="task_score", unit="1-5", title="task-specific score", better="higher"),
    )
    accepts: ClassVar[tuple[InputKind, ...]] = ("fdb_v2", "session")
    extras: ClassVar[tuple[str, ...]] = ("events", "bins_tt", "bins_if")

    checkout: Path | None = None
    judge: AnyJudge | None = None
    task: str = ""

    def with_judge(self, judge: JudgeSpec | None) -> "V2Spec":
        """Give the same with the scenario's judge, where it has none of its own."""
        return self if self.judge is not None else msgspec.structs.replace(self, judge=judge)

    def build(self) -> LiveJudging:  # type: ignore[override]
        """Make what scores sessions."""
        return LiveJudging(self)

    def prepare(self) -> V2Judge | None:
        """Open the judge; None where nobody named one. ScenarioError: a checkout or a key that is not there."""
        if self.checkout is None or self.judge is None:
            return None
        return V2Judge(read_checkout(self.checkout), self.judge, both_times=self.mode == "strict")

    def measure_session(self, session: Session, given: V2Judge | None) -> Measured:
        """Ask the judge about a session, and read its reply."""
        measured = Measured(sample_rate=session.sample_rate)
        try:
            if given is None:
                raise SessionError("sessions are judged live: judge=MODEL@URL and checkout=FOLDER say by whom and how")
            name = self.task or str(session.meta.sample.get("id", ""))
            text = given.reply(session, name)
        except SessionError as error:
            measured.notes.append(str(error))
            measured.undefined([column.id for column in self.table], str(error))
            return measured
        reply = self._counted(self._reader.read(text))
        measured.replies.append(text)
        family = name.partition(".")[0]
        dialogue = StagedDialogue(
            family=family, name=session.id, file=f"{family}/{session.id}", nested=False, reply=reply
        )
        for (start, end), fluency, following in rated(reply.events):
            for metric, score in (("turn_taking", fluency), ("instruction_following", following)):
                measured.place(metric, start, end, value=float(score or 0))
        return self._measured_reply(measured, dialogue)

    def measure(self, item: Input, _given: object) -> Measured:
        """Read one reply and compute its row."""
        reply = self._counted(_read(item.path, self._reader))
        return self._measured_reply(Measured(), _placed(item, reply))

    @property
    def _reader(self) -> ReplyReader:
        return ReplyReader(lenient=self.mode == "strict")

    def _counted(self, reply: TimedReply) -> TimedReply:
        """Give what counts of a reply: strict leaves out what is off the scale."""
        return _in_range(reply) if self.mode == "strict" else reply

    def _measured_reply(self, measured: Measured, dialogue: StagedDialogue) -> Measured:
        """Let what a reply says enter the metrics."""
        reply, measured.kept = dialogue.reply, dialogue
        for event in rated(reply.events):
            measured.add("turn_taking", float(event[1] or 0))
            measured.add("instruction_following", float(event[2] or 0))
        if is_number(reply.task_score):
            measured.add("task_score", float(reply.task_score))
        fluency, following = bins(() if dialogue.nested and self.mode == "compat" else reply.events)
        measured.shown = {"events": reply.events, "bins_tt": fluency, "bins_if": following}
        self._tell(measured, reply)
        return measured

    def _tell(self, measured: Measured, reply: TimedReply) -> None:
        if not reply.events:
            measured.notes.append("no event could be read from the reply")
        elif not rated(reply.events):
            measured.notes.append("no event has both scores")
        if not is_number(reply.task_score):
            measured.notes.append("no task score could be read from the reply")
        measured.undefined(["turn_taking", "instruction_following"], "no event has both scores")
        measured.undefined(["task_score"], "no task score")
        for (start, end), fluency, following in reply.events:
            measured.lines.append(f"event from {start:.2f} to {end:.2f} s: fluency {fluency}, following {following}")

    def finish(self, result: CorpusResult, measured: Sequence[tuple[str, Measured]], _given: object) -> CorpusResult:
        """Write the parsed replies and both tables where write=DIR asks for it."""
        dialogues = [sample.kept for _, sample in measured if sample.kept is not None]
        if self.write is not None and dialogues:
            write_tables(self.write, dialogues, deep=self.mode == "strict")
        return result


def _read(path: Path, reader: ReplyReader) -> TimedReply:
    if not path.name.endswith(PROCESSED):
        try:
            return reader.read(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise SessionError(f"{path.name}: cannot be read as text") from error
    found = read_json(path, dict[str, Any])
    events = found.get(EVENTS_KEY)
    ready = [event for event in map(_ready_event, events if isinstance(events, list) else []) if event is not None]
    return TimedReply(events=tuple(ready), task_score=found.get(TASK_KEY))


def _ready_event(item: Any) -> Event | None:
    try:
        span, fluency, following = item[:3]
        start, end = span[:2]
        return (float(start), float(end)), _number(fluency), _number(following)
    except (TypeError, ValueError, KeyError):
        return None


def _number(score: Any) -> float | None:
    return score if is_number(score) else None


def _in_range(reply: TimedReply) -> TimedReply:
    events = tuple((span, _ranged(fluency), _ranged(following)) for span, fluency, following in reply.events)
    return TimedReply(events=events, task_score=_ranged(reply.task_score))


def _ranged(score: Any) -> Any:
    return score if is_number(score) and LOWEST <= score <= HIGHEST else None


def _placed(item: Input, reply: TimedReply) -> StagedDialogue:
    """Say which family a reply belongs to: the folder under the PATH, or the PATH's own."""
    folders = item.path.relative_to(item.root).parts[:-1] if item.path != item.root else ()
    family = folders[0] if folders else item.path.resolve().parent.name
    name = item.path.name.removesuffix(".json").removesuffix("_processed")
    return StagedDialogue(
        family=family, name=name, file="/".join((*folders, name)), nested=len(folders) > 1, reply=reply
    )
