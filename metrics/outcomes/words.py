"""Outcomes on words: what a party said, by what was told of its speech and by what was recognised in it.

A pattern is tried, in any case of letters, on the words as they stand and on the words with their numbers in digits: a
card number is found whether it was written 4929 or said as four nine two nine.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from metrics.outcomes.seen import OutcomeFinding, Seen, Within
from metrics.outcomes.transcripts import WORDLESS_S, Transcript
from simulator.events import Party, other_party
from simulator.reading.outcomes import NeverSaysOutcome, RecoversOutcome, SaysOutcome, Source
from simulator.score import Evidence
from simulator.speaking.numbers import Spelled, in_digits
from simulator.speech import SpokenWord
from simulator.timeline import Stretch


class Spot(NamedTuple):
    """Where a pattern was found."""

    start: int
    end: int
    text: str
    source: Source


def chosen(seen: Seen, party: Party, source: Source | None) -> list[Transcript]:
    """Give the transcripts that a source means; without one what was told, else what was recognised."""
    known = seen.transcripts(party)
    if source in (None, "both"):
        return known if source == "both" else known[:1]
    return [transcript for transcript in known if transcript.source == source]


def spots(transcripts: Sequence[Transcript], pattern: str, window: Within) -> list[Spot]:
    """Give where a pattern is found in words that begin in a window."""
    compiled = re.compile(pattern, re.IGNORECASE)
    found: list[Spot] = []
    for transcript in transcripts:
        words = [word for word in transcript.words if window.holds(word.start)]
        texts = [word.text for word in words]
        plain = [Spelled(text, place, place + 1) for place, text in enumerate(texts)]
        for pieces in (plain, in_digits(texts)):
            fresh = [_spot(words, pieces, match, transcript.source) for match in _all(compiled, pieces)]
            found += [spot for spot in fresh if not any(_meets(spot, known) for known in found)]
    return sorted(found)


Pieces = Sequence[Spelled]


def _all(pattern: "re.Pattern[str]", pieces: Pieces) -> list["re.Match[str]"]:
    return list(pattern.finditer(" ".join(text for text, _, _ in pieces)))


def _spot(words: Sequence[SpokenWord], pieces: Pieces, match: "re.Match[str]", source: Source) -> Spot:
    """The words under a match: a piece belongs to it where their letters overlap."""
    at = 0
    under: list[SpokenWord] = []
    for text, first, last in pieces:
        if at < match.end() and match.start() < at + len(text):
            under += words[first:last]
        at += len(text) + 1
    return Spot(under[0].start, under[-1].end, match[0], source)


def _meets(spot: Spot, other: Spot) -> bool:
    return spot.start < other.end and other.start < spot.end and spot.source == other.source


def says(outcome: SaysOutcome, seen: Seen) -> OutcomeFinding:
    """Whether a party said it. Undefined where some of its speech in the stretch has no words, and it was not found."""
    window = seen.window(outcome, other_party(outcome.says))
    if window.missing:
        return OutcomeFinding(met=False, evidence=[seen.whole(window.missing)])
    transcripts = chosen(seen, outcome.says, outcome.source)
    found = spots(transcripts, outcome.match, window)
    if found:
        return OutcomeFinding(met=True, evidence=shown_spots(outcome.says, found))
    unknown = unknown_speech(seen, outcome.says, transcripts, window)
    if unknown:
        return OutcomeFinding(met=None, reason=unknown)
    return OutcomeFinding(met=False, evidence=[_instead(seen, outcome.says, transcripts, window)])


def never_says(outcome: NeverSaysOutcome, seen: Seen) -> OutcomeFinding:
    """Whether a party never said it, by any of the sources. Undefined where some of its speech has no words in any."""
    window = seen.window(outcome, other_party(outcome.never_says))
    if window.missing:
        return OutcomeFinding(met=None, reason=window.missing)
    transcripts = chosen(seen, outcome.never_says, outcome.source or "both")
    found = spots(transcripts, outcome.match, window)
    if found:
        return OutcomeFinding(met=False, evidence=shown_spots(outcome.never_says, found))
    unknown = unknown_speech(seen, outcome.never_says, transcripts, window)
    return OutcomeFinding(met=None, reason=unknown) if unknown else OutcomeFinding(met=True)


def shown_spots(party: Party, found: Sequence[Spot]) -> list[Evidence]:
    return [Evidence(start=spot.start, end=spot.end, party=party, label=f"said {spot.text!r} ({spot.source})")
            for spot in found]  # fmt: skip


def unknown_speech(seen: Seen, party: Party, transcripts: Sequence[Transcript], window: Within) -> str:
    """Say which speech nobody knows the words of, as no source has any for it; "" where there is none."""
    if not transcripts:
        return f"nobody told what the {party} said, and nothing of it was recognised"
    gaps = [{gap for gap in transcript.wordless if _reaches(gap, window, seen.rate)} for transcript in transcripts]
    missing = set.intersection(*gaps)
    if not missing:
        return ""
    first = min(missing)
    length_s, at_s = seen.seconds(first.end - first.start), seen.seconds(first.start)
    return f"{length_s:.1f} s of the {party}'s speech at {at_s:.2f} s has no words"


def _reaches(gap: Stretch, window: Within, rate: int) -> bool:
    """Whether wordless speech begins in a window, or so much of it lies there that it may hold words."""
    inside = min(gap.end, window.end) - max(gap.start, window.start)
    return window.holds(gap.start) or inside >= WORDLESS_S * rate


def _instead(seen: Seen, party: Party, transcripts: Sequence[Transcript], window: Within) -> Evidence:
    """What was said in the stretch instead; where that is nothing, the other's turn that had no answer."""
    words = [word for word in transcripts[0].words if window.holds(word.start)]
    if not words:
        turns = [turn for turn in seen.floor.side(other_party(party)).turns if turn.start < window.end]
        before = [turn for turn in turns if turn.start <= window.start]
        start = next((turn.start for turn in (*before[-1:], *turns)), window.start)
        end = min(window.end, seen.session.duration)
        return Evidence(start=start, end=end, party=party, label=f"the {party} said nothing then")
    text = " ".join(word.text for word in words)
    return Evidence(start=words[0].start, end=words[-1].end, party=party, label=f"said instead: {_cut(text)!r}")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"...{text[-LONGEST_SHOWN:]}"


LONGEST_SHOWN = 160


def what_follows(outcome: RecoversOutcome, seen: Seen, stop: int, end: int) -> OutcomeFinding:
    """Whether what the agent says after a barge-in is about the new wish, and the old one is dropped.

    stop: where the agent fell silent, end: where the user did.
    """
    window = Within(start=stop, end=end + outcome.within.samples(seen.rate))
    transcripts = chosen(seen, "agent", outcome.source)
    right = spots(transcripts, outcome.answers, window)
    wrong = spots(transcripts, outcome.drops, window) if outcome.drops else []
    if wrong:
        return OutcomeFinding(met=False, evidence=shown_spots("agent", wrong))
    if right:
        return OutcomeFinding(met=True, evidence=shown_spots("agent", right))
    unknown = unknown_speech(seen, "agent", transcripts, window)
    if unknown:
        return OutcomeFinding(met=None, reason=unknown)
    return OutcomeFinding(met=False, evidence=[_instead(seen, "agent", transcripts, window)])
