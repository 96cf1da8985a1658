"""Content: what the agent understood against what was said to it, and what it meant to say against its sound."""

from collections.abc import Sequence
from typing import Any, ClassVar

from metrics.card import card, per_minute, rate
from metrics.texts import (
    TextPair,
    by_heard_turn,
    by_utterance,
    closest,
    heard_pair,
    holds_any,
    meant_pair,
    text_of,
    transcripts,
    untold_speech,
)
from metrics.wording import normalised
from simulator.events import Party
from simulator.floor.floor import Floor
from simulator.score import Definition, Evidence, Score, from_parts, share, undefined
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.speech import SpokenWord

_SOURCE = "word error rate after Whisper's English normaliser (Radford et al. 2022)"

_WER = """Errors: substitutions, deletions and insertions of the best alignment, after normalising both texts as
    Whisper's English evaluation does (case, punctuation, contractions, numbers; fillers such as "um" and "mm-hm"
    are dropped). Pooled: all errors over all words, so a long turn weighs more than a short one; may exceed 1."""

USER_WER = rate(
    "content.user_wer",
    "Word errors in what the agent understood",
    "lower",
    card(
        """What the agent understood (its `recognised` events, or the transcripts a remote system told) against
            the words that the user really said (truth, cut where the user was cut).""",
        """Each word belongs to the heard turn nearest to its middle, at most 0.5 s outside it; everything the user
            said there counts, backchannels and asides included. Words in no heard turn are unheard_rate's, heard
            turns in which the user said nothing are phantom_words_per_min's. Transcripts without times are
            compared as one text, where unheard words are deletions and phantom words insertions.""",
        _WER,
        "Undefined when the user's text is not known, or the agent tells nothing of what it understood.",
        "Others: EVA has the same for cascades (stt_wer); NeMo-Skills recognises the user's audio anew instead.",
    ),
    _SOURCE,
)
UNHEARD = rate(
    "content.unheard_rate",
    "Words the agent did not take in",
    "lower",
    card(
        """The share of the words of the user's turns and interruptions (not backchannels, not asides) that lie in
            no turn the agent says it heard (`recognised` events; 0.5 s outside still counts as inside).""",
        "Words of the last 3 s of the session are left out: there was no time to take them in.",
        """Undefined when the user's text is not known, or the agent tells no times of what it understood. Pooled:
            words over words.""",
        "Others: NeMo-Skills counts such words as deletions of its user WER.",
    ),
    "this project",
)
PHANTOMS = per_minute(
    "content.phantom_words_per_min",
    "Words understood where nobody spoke to the agent",
    "lower",
    card(
        """How many words the agent understood in turns in which the user said nothing: somebody in the background,
            its own echo, or noise that its recogniser put into words. Per minute of session, after normalising.""",
        """Undefined when the user's text is not known, or the agent tells no times of what it understood. Pooled:
            words over minutes.""",
        """Others: NeMo-Skills counts words out of bounds; most word error rates hide them among the insertions of
            the turns around.""",
    ),
    "this project",
)
AGENT_WER = rate(
    "content.agent_wer",
    "Word errors in the agent's speech",
    "lower",
    card(
        """What the agent's audio contains, by recognition (Moonshine tiny), against the text it meant to say,
            utterance by utterance. A cut utterance is held against the words begun before the cut; the word that
            was running then may be heard or not.""",
        """For a system that tells transcripts and no utterances both are compared as one text; words missing at
            its end count as never said.""",
        _WER,
        """It contains the recogniser's own errors: compare agents with it, not with zero. Undefined when the
            agent's text is not known, or no recogniser runs here.""",
        "Others: NeMo-Skills' agent WER and CER, EVA's tts_fidelity (by a judge).",
    ),
    _SOURCE,
)

CARDS = (USER_WER, UNHEARD, PHANTOMS, AGENT_WER)

CENSORED_S = 3.0
"""Words said this close to the session's end may not have been understood yet."""


class ContentSpec(ScorerSpec, frozen=True, kw_only=True, tag="content"):
    """Compare texts: word error rates of the agent's understanding and of its speech."""

    cards: ClassVar[tuple[Definition, ...]] = CARDS
    needs_words: ClassVar[bool] = True

    def build(self) -> "Content":
        """Make the scorer."""
        return Content()


class Content:
    """Compares what was said with what was understood, and what was meant with what can be heard."""

    def __init__(self) -> None:
        self.definitions = by_id(CARDS)

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
        unknown = untold_speech(session, said)
        if unknown and not heard:
            return _undefined_user("part of what the user said is not known as text")
        if heard:
            heard = [event for event in heard if not holds_any(event, unknown)]
            turns = by_heard_turn(session, said, heard)
            understood = {id(word) for words in turns for word in words}
            pairs = [heard_pair(event, words) for event, words in zip(heard, turns, strict=True)]
            spoken = [pair for pair in pairs if pair.reference]
            return [
                _wer(USER_WER, spoken, "agent", reason="no word was said in what the agent heard"),
                _unheard(session, said, understood),
                _phantoms(session, [pair for pair in pairs if not pair.reference]),
            ]
        texts = transcripts(session, of="user")
        if not texts:
            reason = "the agent told nothing of what it understood"
            return _undefined_user(reason)
        whole = TextPair(start=said[0].start, end=said[-1].end, reference=text_of(said), found=" ".join(texts))
        return [
            _wer(USER_WER, [whole], "agent", reason="no word was said"),
            undefined(UNHEARD, "the agent told no times of what it understood"),
            undefined(PHANTOMS, "the agent told no times of what it understood"),
        ]

    def _agent(self, session: Session) -> Score:
        speech = session.speech.agent
        if speech.recognised:
            words = by_utterance(speech.words)
            pairs = [meant_pair(item, words.get(item.id, [])) for item in speech.recognised]
            return _wer(AGENT_WER, pairs, "agent", reason="the agent said no word to the end")
        texts = transcripts(session, of="agent")
        heard = [word for word in speech.words if word.source == "asr"]
        if texts and heard:
            whole = TextPair(start=heard[0].start, end=heard[-1].end, reference=" ".join(texts), found=text_of(heard))
            return _wer(AGENT_WER, [whole], "agent", reason="the agent said no word", cut=True)
        if not speech.utterances and not texts:
            return undefined(AGENT_WER, "what the agent meant to say is not known as text")
        return undefined(AGENT_WER, "the agent's speech was not recognised (no recogniser ran)")


def _undefined_user(reason: str) -> list[Score]:
    return [undefined(card, reason) for card in (USER_WER, UNHEARD, PHANTOMS)]


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


def _wer(definition: Definition, pairs: Sequence[TextPair], party: Party, *, reason: str, cut: bool = False) -> Score:
    """Make the score of pairs. cut: words missing at the end of a reference were never said and do not count."""
    best = closest(pairs)
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
