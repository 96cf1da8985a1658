"""Validity: whether a session says anything about the agent, or the tester was at fault.

What an injector said must be audible: found in what reached the other, after the line.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from metrics.caller import caller_faults
from metrics.card import card, rate
from metrics.error_rates import deaf_to
from metrics.language import spoken_language
from metrics.spelling import normalised, orthography_of
from metrics.texts import TextPair, by_utterance, meant_pair, text_of
from metrics.wording import distances
from simulator.annotation.audible import AUDIBLE
from simulator.annotation.truth import told
from simulator.events import PARTIES, Party, other_party
from simulator.floor.contributions import INJECTED_ROLES
from simulator.score import Definition, Evidence, Score, share
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.scoring.validity import INVALID
from simulator.session import Session

LETTERS = 30
"""Of a text of fewer letters a recogniser's opinion says little: a voice's `Is there anybody?` is often lost on it."""

LONG_LETTERS = 45
"""An utterance of so many letters is judged by itself, too."""

WRONG = 0.6
"""Share of wrong letters from which a text was not understood: two English sentences that have nothing in common
differ in 62 % of their letters and more, the worst that was heard of a default voice at 300 words a minute in 54 %."""

UNDERRUN_S = 0.5
"""Sound of the user that may be missing altogether because it did not come in time (wall clock)."""

INJECTED = "-injected"
"""In the id of every utterance that an injector said."""

CARD = rate(
    INVALID,
    "Invalid sessions",
    "lower",
    card(
        """The share of sessions that say nothing about the agent because the tester was at fault. An invalid session
            is listed with its reason and stays out of every other pooled value (--keep-invalid takes it in).""",
        """Inaudible: something that an injector said has no copy in what the listener heard within 2 s that reaches
            -60 dBFS and stands less than 14 dB under the rest. Talkers and bursts of a line have no clean track and
            are not judged.""",
        """Not understood: what our own recogniser makes of the user's utterances on the clean said track differs from
            their text in 60 % of the letters (case, punctuation, spelling of numbers and spaces aside), over all of
            them where they have 30 letters or more, or over one of 45 and more. Recognition is what costs: this uses
            what another scorer of the session (content) has asked for, and never asks itself; without it, without
            texts, or in a language that the recogniser does not hear, this is not judged.""",
        """Never said: an injector's cue was for a time that the session did not reach (`cue_unfired`, unless the
            agent hung up), or fell due and was missed because its own party went on speaking (`cue_missed`), and
            nothing was said in that role. A cue about an agent that never spoke is no fault of the tester's.""",
        """Not sent: on the wall clock, more than 0.5 s of a user that is no human was not there in time (`underrun`). A
            session that a simulator error ended has no scores at all: it is listed and counted among the invalid
            ones of a run, and enters no value.""",
        """Not in its role: a caller (kind caller, or a remote model with a persona) spoke as an assistant, swapped the
            roles, leaked its instructions, restated a question, told facts unasked or contradicted them, repeated
            itself, or went on after its goodbye. The rules are on the cards of the scorer caller; what was reached is
            never looked at.""",
        """What the agent caused (it never spoke, it left the script waiting) is a result; no number of turns is asked
            for. Undefined when the session is a recording, which has no tester, or has no length. Pooled: invalid
            sessions over completed ones. Others: EVA has a judge listen to its simulated users and plays invalid
            conversations again; most count whatever was played.""",
    ),
    "this project; EVA validates its simulated users",
)


class ValiditySpec(ScorerSpec, frozen=True, kw_only=True, tag="validity"):
    """Say whether the tester was at fault."""

    cards: ClassVar[tuple[Definition, ...]] = (CARD,)

    def build(self) -> "Validity":
        """Make the scorer."""
        return Validity()


class Validity:
    """Looks for faults of the tester."""

    def __init__(self) -> None:
        self.definitions = by_id((CARD,))

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        if "agent" not in session.meta.parties:
            return [share(CARD, 0, 0, reason="a recording has no tester")]
        faults = [*_inaudible(session), *_not_understood(session), *_never_said(session), *_not_sent(session)]
        faults += caller_faults(session)
        return [share(CARD, int(bool(faults)), int(session.duration > 0), faults, reason="the session has no length")]


def _inaudible(session: Session) -> Iterable[Evidence]:
    for party in PARTIES:
        for item in told(session, party):
            # What the end of the session cuts off may not have had the time to arrive.
            injected = item.role in INJECTED_ROLES and INJECTED in item.id
            if injected and item.end < session.duration and not is_audible(session, party, item.start, item.end):
                label = f"the {party}'s {item.role} could not be heard by the other"
                yield Evidence(start=item.start, end=item.end, party=party, label=label)


def _not_understood(session: Session) -> Iterable[Evidence]:
    speech = session.speech.user
    meant = text_of(word for word in speech.words if word.source != "asr")
    language = spoken_language(session, "user", meant)
    if not speech.recognised or deaf_to(session.speech.recognizer, language):
        return
    words = by_utterance(speech.words)
    pairs = [meant_pair(item, words.get(item.id, [])) for item in speech.recognised if item.role != "backchannel"]
    lengths = _letters(pairs, language.code)
    for pair, (wrong, letters) in zip(pairs, lengths, strict=True):
        if letters >= LONG_LETTERS and wrong >= WRONG * letters:
            label = f"our own recogniser does not understand the user: {pair.reference!r} -> {pair.found!r}"
            yield Evidence(start=pair.start, end=pair.end, party="user", label=label)
            return
    wrong, letters = (sum(column) for column in zip(*lengths, strict=True)) if lengths else (0, 0)
    if letters >= LETTERS and wrong >= WRONG * letters:
        label = f"our own recogniser does not understand the user: {wrong / letters:.0%} of the letters are wrong"
        yield Evidence(start=pairs[0].start, end=pairs[-1].end, party="user", label=label)


def _letters(pairs: Sequence[TextPair], language: str) -> list[tuple[int, int]]:
    """Give the wrong letters of each pair, no more than it has, and how many it has."""
    orthography = orthography_of(" ".join(pair.reference for pair in pairs), language)
    plain = [normalised([pair.reference, pair.found], orthography, language) for pair in pairs]
    found = distances([reference for reference, _ in plain], [heard for _, heard in plain], "characters")
    return [(min(distance.errors, distance.words), distance.words) for distance in found]


def _never_said(session: Session) -> Iterable[Evidence]:
    said = {(event.party, event.data.get("role")) for event in session.by_type.get("speech_start", ())}
    ended_by_agent = any(event.party == "agent" for event in session.by_type.get("hung_up", ()))
    unfired = [] if ended_by_agent else session.by_type.get("cue_unfired", [])
    for event in [*session.by_type.get("cue_missed", []), *(one for one in unfired if one.data.get("cue") == "at")]:
        role = event.data.get("role")
        if role is not None and (event.party, role) not in said:
            label = f"the {event.party}'s {role} was never said: its cue could not be followed"
            yield Evidence(start=min(event.at, session.duration), end=session.duration, party=event.party, label=label)


def _not_sent(session: Session) -> Iterable[Evidence]:
    user = session.meta.parties.get("user")
    missing = [event for event in session.by_type.get("underrun", ()) if event.party == "user"]
    missing_s = sum(int(event.data.get("size", 0)) for event in missing) / session.sample_rate
    if user is not None and user.kind != "human" and missing_s > UNDERRUN_S:
        first, last = int(missing[0].data.get("since", missing[0].at)), missing[-1].at
        label = f"{missing_s:.1f} s of the user's sound was not there in time"
        yield Evidence(start=max(0, first), end=min(last, session.duration), party="user", label=label)


Floats = NDArray[np.float64]

LOWEST_SNR_DB = -14.0
"""What stands less above the rest is not told from it: noise without any speech gives up to -15 dB by chance, and
people hear no words there."""

LONGEST_DELAY_S = 2.0
"""How much later than it was said sound is looked for at the listener."""

_FAINTEST = 1e-20


def is_audible(session: Session, party: Party, start: int, end: int) -> bool:
    """Whether what a party said in [start, end) samples reached the other's ears, as far as can be told.

    Of what was heard in the time it may have taken, the part that is a copy of what was said: inaudible below -60 dBFS,
    or 14 dB under the rest. Where no line had channels only its own level counts.
    """
    said = session.said(party, start, end).astype(np.float64)
    energy = float(np.dot(said, said))
    if energy / max(1, len(said)) < AUDIBLE**2:
        return False
    if not session.has_heard:
        return True
    reach = round(LONGEST_DELAY_S * session.sample_rate)
    heard = session.heard(other_party(party), start, min(session.duration, end + reach)).astype(np.float64)
    match = _correlation(heard, said)
    place = int(np.argmax(np.abs(match)))
    arrived = heard[place : place + len(said)]
    copied = float(match[place]) ** 2 / energy
    rest = max(float(np.dot(arrived, arrived)) - copied, _FAINTEST)
    return copied / len(said) >= AUDIBLE**2 and 10 * np.log10(max(copied, _FAINTEST) / rest) >= LOWEST_SNR_DB


def _correlation(heard: Floats, said: Floats) -> Floats:
    """Correlate what was heard with what was said, at every delay at which all of it fits."""
    size = 1 << (len(heard) + len(said)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size))
    return np.fft.irfft(spectrum, size)[: max(1, len(heard) - len(said) + 1)]
