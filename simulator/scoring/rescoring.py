"""Scoring recorded sessions again with our own scorers, without writing into their folders."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from simulator import __version__
from simulator.annotation.annotate import annotate_many_cached
from simulator.annotation.transcribe import RECOGNIZER
from simulator.engines.kinds import AnyRecognizer
from simulator.errors import SessionError
from simulator.intervals.observations import Origin, told
from simulator.score import Definition, Score
from simulator.scoring.corpus import CorpusResult, Group, SampleResult
from simulator.scoring.inputs import Input, find_inputs, open_session
from simulator.scoring.pooling import pool
from simulator.scoring.scorer import Scorer, definitions_by
from simulator.scoring.trust import refuse_if_untrustworthy
from simulator.scoring.validity import counts, share_line, why_invalid
from simulator.session import Session
from simulator.sound.recordings import sha256_of_session

Tell = Callable[[str], None]
Found = tuple[Input, Session, list[Score]]
"""What was scored: where it lies, the session, its scores."""

SIDE_BY_SIDE = 8
"""Sessions annotated together: 16 tracks, beyond which the detector gains nothing."""


class Rescoring(msgspec.Struct, frozen=True, kw_only=True):
    """How recordings are scored again.

    user_channel, agent_channel: of a sound file, 0 and 1 unless named. force: also recordings whose sound makes scores
    meaningless (see trust.py; a session with speech.json was heard before). words: whether a scorer reads words;
    without one recognition is spared. recognizer: hears everything anew, whoever did before; None takes what was heard,
    and Moonshine where nobody listened. pool: sessions of one scenario with one agent (alike), or all. keep_invalid:
    whether sessions count that say nothing about the agent (simulator/scoring/validity.py).
    """

    user_channel: Annotated[int, msgspec.Meta(ge=0)] | None = None
    agent_channel: Annotated[int, msgspec.Meta(ge=0)] | None = None
    force: bool = False
    words: bool = True
    recognizer: AnyRecognizer | None = None
    pool: Literal["alike", "all"] = "alike"
    keep_invalid: bool = False

    def score(
        self, paths: Sequence[Path], scorers: Mapping[str, Scorer], tell: Tell = lambda _line: None
    ) -> CorpusResult:
        """Score sessions and stereo files; SessionError when none of them can be read."""
        inputs = find_inputs(paths, ("session", "wav"), scorer="simulate score without --as")
        found: list[Found] = []
        samples: list[SampleResult] = []
        definitions = definitions_by(scorers.values())
        for item, session in self._sessions(inputs):
            if isinstance(session, SessionError):
                samples.append(_skipped(item, definitions, str(session)))
                continue
            scores = [score for scorer in scorers.values() for score in scorer.score(session)]
            found.append((item, session, scores))
            samples.append(_sample(item, session, scores))
            for line in _lines(session, scores):
                tell(f"{item.id}: {line}")
        if not found:
            raise SessionError(samples[0].notes[0])
        groups = _grouped(found) if self.pool == "alike" else {"": found}
        pooled = {name: self._group(definitions, members) for name, members in groups.items()}
        alone = next(iter(pooled.values())) if len(pooled) == 1 else Group()
        return CorpusResult(
            scorer=",".join(scorers),
            mode="strict",
            n=len(found),
            unusable=len(samples) - len(found),
            metrics=alone.metrics,
            told=alone.told,
            groups=pooled if len(pooled) > 1 else {},
            samples=samples,
            versions={"duplex-simulator": __version__},
        )

    def _sessions(self, inputs: Sequence[Input]) -> Iterator[tuple[Input, Session | SessionError]]:
        """Give every input with its annotated session, several annotated at a time."""
        for first in range(0, len(inputs), SIDE_BY_SIDE):
            batch = inputs[first : first + SIDE_BY_SIDE]
            opened = [self._open(item) for item in batch]
            bare = [session for session in opened if isinstance(session, Session) and self._unheard(session)]
            annotated = iter(annotate_many_cached(bare, words=self.words, recognizer=self.recognizer or RECOGNIZER))
            for item, session in zip(batch, opened, strict=True):
                known = isinstance(session, SessionError) or not self._unheard(session)
                yield item, session if known else next(annotated)

    def _unheard(self, session: Session) -> bool:
        """Whether its speech is to be found: it has none, or another recogniser shall hear it."""
        return not session.annotated or (self.recognizer is not None and self.words)

    def _open(self, item: Input) -> Session | SessionError:
        try:
            session = open_session(item, self.user_channel, self.agent_channel)
            if not session.annotated:
                session.notes += tuple(refuse_if_untrustworthy(session, force=self.force))
            return session
        except SessionError as error:
            return error

    def _group(self, definitions: Mapping[str, Definition], found: Sequence[Found]) -> Group:
        """Pool what belongs together; invalid sessions aside, unless they are kept."""
        why = ["" if self.keep_invalid else why_invalid(scores) for _, _, scores in found]
        origins = [_origin(session) for _, session, _ in found]
        metrics: dict[str, Score] = {}
        for name, definition in definitions.items():
            mine = [
                (score, origin)
                for (_, _, scores), origin, invalid in zip(found, origins, why, strict=True)
                for score in scores
                if score.id == name and counts(name, invalid)
            ]
            metrics[name] = pool(definition, [score for score, _ in mine], [origin for _, origin in mine])
        left_out = [item.id for (item, _, _), invalid in zip(found, why, strict=True) if invalid]
        kept = [origin for origin, invalid in zip(origins, why, strict=True) if not invalid]
        lines = [*share_line(left_out, len(found)), *told(kept), *self._heard_by(found)]
        return Group(n=len(found), metrics=metrics, told=lines)

    def _heard_by(self, found: Sequence[Found]) -> list[str]:
        """Say who recognised the words that scores of content rest on."""
        names = dict.fromkeys(session.speech.recognizer for _, session, _ in found if session.speech.recognizer)
        return [f"content: words recognised by {', '.join(names)}"] if names and self.words else []


def _grouped(found: Sequence[Found]) -> dict[str, list[Found]]:
    """Sessions that may be pooled: of one scenario with one agent; recordings that belong to none."""
    kinds: dict[tuple[str, bytes], list[Found]] = {}
    for item in found:
        meta = item[1].meta
        agent = meta.parties.get("agent")
        key = (meta.scenario, msgspec.json.encode(agent, order="sorted")) if agent else ("", b"")
        kinds.setdefault(key, []).append(item)
    named: dict[str, list[Found]] = {}
    for (scenario, _), members in kinds.items():
        agent = members[0][1].meta.parties.get("agent")
        name = f"{scenario} · {agent.kind}" if agent else "recordings"
        number = sum(other.split(" #")[0] == name for other in named)
        named[f"{name} #{number + 1}" if number else name] = members
    return named


def _origin(session: Session) -> Origin:
    if "agent" not in session.meta.parties:
        return Origin("")
    sample = str(session.meta.sample.get("id", ""))
    return Origin(session.meta.scenario, sample, sha256_of_session(session.folder))


def _sample(item: Input, session: Session, scores: Sequence[Score]) -> SampleResult:
    reason = why_invalid(scores)
    notes = [*session.notes, *([f"invalid: {reason}"] if reason else [])]
    return SampleResult(id=item.id, metrics={score.id: score.value for score in scores}, notes=notes)


def _skipped(item: Input, definitions: Mapping[str, Definition], reason: str) -> SampleResult:
    return SampleResult(id=item.id, metrics=dict.fromkeys(definitions), notes=[reason])


def _lines(session: Session, scores: Sequence[Score]) -> Iterator[str]:
    for score in scores:
        for item in score.evidence:
            value = "" if item.value is None else f" {item.value:.3f} {score.unit}"
            label = f" {item.label}" if item.label else ""
            start, end = session.seconds(item.start), session.seconds(item.end)
            yield f"{score.id}: {item.party}{label} from {start:.3f} to {end:.3f} s{value}"
