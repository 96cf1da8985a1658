"""Content: what the agent understood against what was said to it, and what it meant to say against its sound."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import msgspec

from metrics.content_cards import AGENT_WER, CARDS, PHANTOMS, UNHEARD, USER_WER
from metrics.wording import distances, normalised
from simulator.events import Event, Party
from simulator.floor.floor import Floor
from simulator.score import Definition, Evidence, Score, from_parts, share, undefined
from simulator.scoring.scorer import ScorerSpec
from simulator.session import Session
from simulator.speech import Segment, SpokenWord

NEAR_S = 0.5
"""How far outside a turn as the agent heard it a word may lie and still belong to it: detectors and lines are late."""

CENSORED_S = 3.0
"""Words said this close to the session's end may not have been understood yet."""


class ContentSpec(ScorerSpec, frozen=True, kw_only=True, tag="content"):
    """Compare texts: word error rates of the agent's understanding and of its speech."""

    cards: ClassVar[tuple[Definition, ...]] = CARDS
    needs_words: ClassVar[bool] = True

    def build(self) -> "Content":
        """Make the scorer."""
        return Content()


class TextPair(msgspec.Struct, frozen=True, kw_only=True):
    """A reference text and what was made of it; [start, end) samples of the session."""

    start: int
    end: int
    reference: str
    found: str
    alternative: str | None = None
    """A second reference that counts as well: with the word that was cut short."""


class Content:
    """Compares what was said with what was understood, and what was meant with what can be heard."""

    def __init__(self) -> None:
        self.definitions = ContentSpec.definitions()

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        said = [word for word in session.speech.user.words if word.source in ("truth", "model")]
        if not said:
            reason = "what the user said is not known as text"
            return [*_undefined_user(reason), self._agent(session)]
        return [*self._user(session, said), self._agent(session)]

    def _user(self, session: Session, said: Sequence[SpokenWord]) -> list[Score]:
        heard = [event for event in session.by_type.get("recognised", []) if event.party == "agent"]
        heard = [event for event in heard if "heard_since" in event.data and "heard_until" in event.data]
        unknown = _untold(session, said)
        if unknown and not heard:
            return _undefined_user("part of what the user said is not known as text")
        if heard:
            heard = [event for event in heard if not _hears(event, unknown)]
            turns = _assigned(session, said, heard)
            understood = {id(word) for words in turns for word in words}
            pairs = [_understood(event, words) for event, words in zip(heard, turns, strict=True)]
            spoken = [pair for pair in pairs if pair.reference]
            return [
                _wer(USER_WER, spoken, "agent", reason="no word was said in what the agent heard"),
                _unheard(session, said, understood),
                _phantoms(session, [pair for pair in pairs if not pair.reference]),
            ]
        texts = _transcripts(session, of="user")
        if not texts:
            reason = "the agent told nothing of what it understood"
            return _undefined_user(reason)
        whole = TextPair(start=said[0].start, end=said[-1].end, reference=_text(said), found=" ".join(texts))
        return [
            _wer(USER_WER, [whole], "agent", reason="no word was said"),
            undefined(UNHEARD, "the agent told no times of what it understood"),
            undefined(PHANTOMS, "the agent told no times of what it understood"),
        ]

    def _agent(self, session: Session) -> Score:
        speech = session.speech.agent
        if speech.recognised:
            words = _by_id(speech.words)
            pairs = [_meant(item, words.get(item.id, [])) for item in speech.recognised]
            return _wer(AGENT_WER, pairs, "agent", reason="the agent said no word to the end")
        texts = _transcripts(session, of="agent")
        heard = [word for word in speech.words if word.source == "asr"]
        if texts and heard:
            whole = TextPair(start=heard[0].start, end=heard[-1].end, reference=" ".join(texts), found=_text(heard))
            return _wer(AGENT_WER, [whole], "agent", reason="the agent said no word", cut=True)
        if not speech.utterances and not texts:
            return undefined(AGENT_WER, "what the agent meant to say is not known as text")
        return undefined(AGENT_WER, "the agent's speech was not recognised (no recogniser ran)")


def _undefined_user(reason: str) -> list[Score]:
    return [undefined(card, reason) for card in (USER_WER, UNHEARD, PHANTOMS)]


def _untold(session: Session, said: Sequence[SpokenWord]) -> list[Segment]:
    """Give the user's speech that was detected and whose words nobody knows: a person's, beside injected speech."""
    found = [segment for segment in session.speech.user.segments if segment.source != "truth"]
    return [segment for segment in found if not any(_meets(segment, word.start, word.end) for word in said)]


def _hears(event: Event, segments: Sequence[Segment]) -> bool:
    """Say whether a heard turn holds any of these segments."""
    since, until = int(event.data["heard_since"]), int(event.data["heard_until"])
    return any(_meets(segment, since, until) for segment in segments)


def _meets(segment: Segment, start: int, end: int) -> bool:
    return segment.start < end and start < segment.end


def _assigned(session: Session, said: Sequence[SpokenWord], heard: Sequence[Event]) -> list[list[SpokenWord]]:
    """Give each heard turn the words that were said in it: a word belongs to the turn nearest to its middle."""
    near = round(NEAR_S * session.sample_rate)
    turns: list[list[SpokenWord]] = [[] for _ in heard]
    first = 0
    for word in said:
        middle = (word.start + word.end) // 2
        while first + 1 < len(heard) and _away(heard[first + 1], middle) <= _away(heard[first], middle):
            first += 1
        if heard and _away(heard[first], middle) <= near:
            turns[first].append(word)
    return turns


def _away(event: Event, at: int) -> int:
    since, until = int(event.data["heard_since"]), int(event.data["heard_until"])
    return max(since - at, at - until, 0)


def _understood(event: Event, words: Sequence[SpokenWord]) -> TextPair:
    return TextPair(
        start=int(event.data["heard_since"]),
        end=int(event.data["heard_until"]),
        reference=_text(words),
        found=str(event.data.get("text", "")),
    )


def _unheard(session: Session, said: Sequence[SpokenWord], understood: set[int]) -> Score:
    """Count the words of turns and interruptions that no heard turn holds; asides and backchannels may go unheard."""
    floor = Floor(session)
    roles = {item.id: item.claims_floor for item in floor.user.said}
    last = session.duration - floor.samples(CENSORED_S)
    meant = [word for word in said if roles.get(word.id, True) and word.end <= last]
    missed = [word for word in meant if id(word) not in understood]
    evidence = [Evidence(start=word.start, end=word.end, party="user", label=word.text) for word in missed]
    return share(UNHEARD, len(missed), len(meant), evidence, reason="the user said no word to the agent")


def _phantoms(session: Session, pairs: Sequence[TextPair]) -> Score:
    """Count the words of heard turns in which the user said nothing: noise, echo, somebody else."""
    words = [len(text.split()) for text in normalised([pair.found for pair in pairs])]
    evidence = [
        Evidence(start=pair.start, end=pair.end, party="agent", label=pair.found, value=float(count))
        for pair, count in zip(pairs, words, strict=True)
        if count
    ]
    parts = {"count": sum(words), "of": session.seconds(session.duration) / 60, "n": sum(words)}
    return from_parts(PHANTOMS, parts, evidence, reason="the session has no length")


def _meant(item: Segment, words: Sequence[SpokenWord]) -> TextPair:
    whole = [word for word in words if not word.cut]
    alternative = _text(words) if len(whole) < len(words) else None
    return TextPair(start=item.start, end=item.end, reference=_text(whole), found=item.text, alternative=alternative)


def _wer(definition: Definition, pairs: Sequence[TextPair], party: Party, *, reason: str, cut: bool = False) -> Score:
    """Make the score of pairs. cut: words missing at the end of a reference were never said and do not count."""
    plain = distances([pair.reference for pair in pairs], [pair.found for pair in pairs])
    with_cut = [pair for pair in pairs if pair.alternative is not None]
    other = dict(
        zip(
            map(id, with_cut),
            distances([pair.alternative or "" for pair in with_cut], [pair.found for pair in with_cut]),
            strict=True,
        )
    )
    best = [
        min((distance, other.get(id(pair), distance)), key=lambda item: (item.errors, -item.words))
        for pair, distance in zip(pairs, plain, strict=True)
    ]
    evidence = [
        Evidence(
            start=pair.start,
            end=pair.end,
            party=party,
            label=f"{pair.reference} -> {pair.found}",
            value=distance.errors / distance.words if distance.words else None,
        )
        for pair, distance in zip(pairs, best, strict=True)
    ]
    missing = sum(distance.missing_at_end for distance in best) if cut else 0
    parts: dict[str, Any] = {
        "count": sum(distance.errors for distance in best) - missing,
        "of": sum(distance.words for distance in best) - missing,
    }
    return from_parts(definition, parts, evidence, reason=reason)


def _transcripts(session: Session, *, of: Party) -> list[str]:
    """Give the texts a remote system told of a party's speech; fragments are joined as they are."""
    texts: list[str] = []
    joins = False
    for event in session.by_type.get("transcript", []):
        if event.data.get("of") != of:
            continue
        text = str(event.data.get("text", ""))
        fragment = bool(event.data.get("fragment"))
        if fragment and joins:
            texts[-1] += text
        else:
            texts.append(text)
        joins = fragment
    return [text for text in texts if text.strip()]


def _by_id(words: Iterable[SpokenWord]) -> dict[str, list[SpokenWord]]:
    found: dict[str, list[SpokenWord]] = {}
    for word in words:
        found.setdefault(word.id, []).append(word)
    return found


def _text(words: Iterable[SpokenWord]) -> str:
    return " ".join(word.text for word in words)
