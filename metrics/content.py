"""Content: what the agent understood against what was said to it, and what it meant to say against its sound."""

from collections.abc import Sequence
from typing import ClassVar

from metrics.content_cards import (
    AGENT_BACKCHANNELS,
    AGENT_CER,
    AGENT_WER,
    CARDS,
    PHANTOMS,
    RECOGNISER_WER,
    SAID_HEARD_WER,
    UNHEARD,
    USER_BACKCHANNELS,
    USER_CER,
    USER_WER,
)
from metrics.error_rates import ErrorRates, deaf_to, error_rate
from metrics.language import spoken_language
from metrics.spelling import normalised, orthography_of, side_by_side
from metrics.texts import (
    TextPair,
    by_heard_turn,
    by_utterance,
    heard_pair,
    holds_any,
    meant_pair,
    text_of,
    untold_speech,
    whole_pair,
    with_words,
)
from simulator.annotation.answers import told_texts, transcripts
from simulator.engines.kinds import recognizer_of
from simulator.errors import ScenarioError
from simulator.events import Event, Party
from simulator.floor.floor import Floor
from simulator.score import Definition, Evidence, Score, from_parts, share, undefined
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.speech import SpokenWord

CENSORED_S = 3.0
"""Words said this close to the session's end may not have been understood yet."""

_TOLD_NOTHING = "the agent told nothing of what it understood"
_NO_RECOGNISER = "the {party}'s speech was not recognised (no recogniser ran)"


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
        return [*_understood(session), *_spoken(session), _recogniser(session), _said_and_heard(session)]


def _understanding(session: Session, text: str) -> ErrorRates:
    language = spoken_language(session, "user", text)
    agent = session.meta.parties.get("agent")
    # A cascade says which recogniser it hears with; what tells transcripts hears the language it was made for.
    recogniser = _named(agent.spec.get("recognizer")) if agent and session.by_type.get("recognised") else ""
    return ErrorRates(
        word=USER_WER,
        character=USER_CER,
        apart=USER_BACKCHANNELS,
        language=language,
        orthography=orthography_of(text, language.code),
        recogniser=recogniser,
    )


def _named(said: object) -> str:
    """Give the label of the recogniser that a spec names; empty where it names none that is known here."""
    try:
        return recognizer_of(said).label if said else ""
    except ScenarioError:
        return ""


def _understood(session: Session) -> list[Score]:
    """Give what the agent understood of the user: both error rates, unheard, phantoms, backchannels."""
    said = [word for word in session.speech.user.words if word.source in ("truth", "model")]
    rates = _understanding(session, text_of(said))
    heard = [event for event in session.by_type.get("recognised", []) if event.party == "agent"]
    heard = [event for event in heard if "heard_since" in event.data and "heard_until" in event.data]
    if not said:
        return _not_understood(rates, "what the user said is not known as text")
    if heard:
        return _understood_turns(session, said, heard, rates)
    if untold_speech(session, said):
        return _not_understood(rates, "part of what the user said is not known as text")
    texts = transcripts(session, of="user")
    if not texts:
        return _not_understood(rates, _TOLD_NOTHING)
    whole = whole_pair(said, side_by_side(texts), _backchannels(session, "user"))
    word, character, apart = rates.scores([whole], reason="no word was said")
    untimed = "the agent told no times of what it understood"
    return [word, character, undefined(UNHEARD, untimed), undefined(PHANTOMS, untimed), apart]


def _not_understood(rates: ErrorRates, reason: str) -> list[Score]:
    word, character, apart = rates.undefined(reason)
    return [word, character, undefined(UNHEARD, reason), undefined(PHANTOMS, reason), apart]


def _understood_turns(
    session: Session, said: Sequence[SpokenWord], heard: Sequence[Event], rates: ErrorRates
) -> list[Score]:
    """Score heard turns; one that holds speech whose words nobody knows tells nothing."""
    unknown, backchannels = untold_speech(session, said), _backchannels(session, "user")
    heard = [event for event in heard if not holds_any(event, unknown)]
    turns = by_heard_turn(session, said, heard)
    pairs = [heard_pair(event, words, backchannels) for event, words in zip(heard, turns, strict=True)]
    spoken = [pair for pair in pairs if pair.reference]
    word, character, apart = rates.scores(spoken, reason="no word was said in what the agent heard")
    unheard = _unheard(session, said, {id(word) for words in turns for word in words})
    return [word, character, unheard, _phantoms(session, [pair for pair in pairs if not pair.reference]), apart]


def _backchannels(session: Session, party: Party) -> set[str]:
    return {item.id for item in session.speech.of(party).utterances if item.role == "backchannel"}


def _spoken(session: Session) -> list[Score]:
    """Give what can be heard of the agent's words: both error rates, backchannels."""
    speech = session.speech.agent
    texts = transcripts(session, of="agent")
    meant = side_by_side([text_of(word for word in speech.words if word.source != "asr"), *texts])
    language = spoken_language(session, "agent", meant)
    rates = ErrorRates(
        word=AGENT_WER,
        character=AGENT_CER,
        apart=AGENT_BACKCHANNELS,
        language=language,
        orthography=orthography_of(meant, language.code),
        recogniser=session.speech.recognizer,
    )
    pairs = _meant(session, "agent")
    heard = [word for word in speech.words if word.source == "asr"]
    if texts and heard and all(pair.backchannel for pair in pairs):
        whole = TextPair(start=heard[0].start, end=heard[-1].end, reference=side_by_side(texts), found=text_of(heard))
        return rates.scores([whole, *pairs], reason="the agent said no word", cut=True)
    if speech.recognised:
        return rates.scores(pairs, reason="the agent said no word to the end")
    if not speech.utterances and not texts:
        return rates.undefined("what the agent meant to say is not known as text")
    return rates.undefined(_NO_RECOGNISER.format(party="agent"))


def _said_and_heard(session: Session) -> Score:
    """Hold all that the agent told as text against all that was recognised of its audio."""
    speech = session.speech.agent
    told = side_by_side(told_texts(session))
    heard = [item.text for item in speech.recognised] or [word.text for word in speech.words if word.source == "asr"]
    language = spoken_language(session, "agent", told)
    orthography = orthography_of(told, language.code)
    if not told:
        return undefined(SAID_HEARD_WER, "the agent told no text of what it said")
    if not heard:
        return undefined(SAID_HEARD_WER, _NO_RECOGNISER.format(party="agent"))
    if deaf := deaf_to(session.speech.recognizer, language):
        return undefined(SAID_HEARD_WER, deaf)
    if orthography == "characters":
        return undefined(SAID_HEARD_WER, "the agent's text has no spaces between words")
    whole = TextPair(start=0, end=session.duration, reference=told, found=side_by_side(heard))
    return error_rate(
        SAID_HEARD_WER, [whole], orthography, "agent", reason="the agent told no word", language=language.code
    )


def _recogniser(session: Session) -> Score:
    """Give what our recogniser makes of the user's clean speech: the error that is nobody's but its own."""
    speech = session.speech.user
    text = text_of(word for word in speech.words if word.source != "asr")
    language = spoken_language(session, "user", text)
    if deaf := deaf_to(session.speech.recognizer, language):
        return undefined(RECOGNISER_WER, deaf)
    if not text:
        return undefined(RECOGNISER_WER, "what the user said is not known as text")
    if not speech.recognised:
        return undefined(RECOGNISER_WER, _NO_RECOGNISER.format(party="user"))
    orthography = orthography_of(text, language.code)
    if orthography == "characters":
        return undefined(RECOGNISER_WER, "the user's text has no spaces between words")
    worded, _ = with_words(_meant(session, "user"), orthography)
    return error_rate(
        RECOGNISER_WER, worded, orthography, "user", reason="the user said no word to the end", language=language.code
    )


def _meant(session: Session, party: Party) -> list[TextPair]:
    words = by_utterance(session.speech.of(party).words)
    return [meant_pair(item, words.get(item.id, [])) for item in session.speech.of(party).recognised]


def _unheard(session: Session, said: Sequence[SpokenWord], understood: set[int]) -> Score:
    """Count the words of turns and interruptions that no heard turn holds; asides and backchannels may go unheard."""
    floor = Floor(session)
    roles = {item.id: item.claims_floor for item in floor.user.said}
    last = session.duration - floor.samples(CENSORED_S)
    meant = [word for word in said if roles.get(word.id, True) and word.end <= last and not word.disfluency]
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
