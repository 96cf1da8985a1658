"""Validity: what makes a session say nothing about the agent, and what is a result."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from metrics.validity import ValiditySpec
from simulator.call.recording import Recorder
from simulator.frame import Samples
from simulator.scoring.validity import INVALID, why_invalid
from simulator.session import Session, SessionMeta, read_session
from simulator.speech import PartySpeech, Segment, Speech, SpokenWord
from simulator.testing.take import RATE, Take

SENTENCE = "could you tell me when the kitchen closes on sunday evening"


def why(session: Session) -> str:
    scores = ValiditySpec().build().score(session)
    assert [score.id for score in scores] == [INVALID]
    reason = why_invalid(scores)
    assert scores[0].value == float(bool(reason))
    return reason


def interrupted(folder: Path, heard: Samples | None = None) -> Session:
    """10 s: an injector of the user speaks from 4 s to 5 s; the agent hears that, or what is given."""
    take = Take(folder, duration=10.0)
    take.say("user", 4.0, 5.0, role="interruption")
    for event in take.events:
        event.data["id"] = "user-injected0-1"
    session = take.session()
    if heard is None:
        return session
    import soundfile

    soundfile.write(folder / "heard.wav", np.stack([take.tracks["agent"], heard], axis=1), RATE, subtype="PCM_16")
    return read_session(folder)


def said(level: float = 0.1, delay_s: float = 0.0) -> Samples:
    """What the injector says, at a level (0.1: as it was said), so much later: float32 (10 s,)."""
    take = Take(Path("nowhere"), duration=10.0)
    take.sound("user", 4.0 + delay_s, 5.0 + delay_s, level)
    return take.tracks["user"]


def noise(level: float) -> Samples:
    """White noise of an RMS level: float32 (10 s,)."""
    return (level * np.random.default_rng(0).standard_normal(10 * RATE)).astype(np.float32)


def test_an_injected_sound_that_reaches_the_listener_is_audible(tmp_path: Path) -> None:
    """As it was said, delayed by a second, 20 dB quieter, or 10 dB under noise."""
    assert why(interrupted(tmp_path / "plain")) == ""
    for index, heard in enumerate((said(delay_s=1.0), said(0.01), said(0.03) + noise(0.1))):
        assert why(interrupted(tmp_path / str(index), heard)) == ""


def test_an_injected_sound_that_nobody_can_hear_makes_a_session_invalid(tmp_path: Path) -> None:
    """Lost on the line, 26 dB under the noise there, or under -60 dBFS."""
    for index, heard in enumerate((noise(0.1), said(0.005) + noise(0.1), said(0.0005), np.zeros(10 * RATE, "f4"))):
        reason = why(interrupted(tmp_path / str(index), heard))
        assert reason == "the user's interruption could not be heard by the other"


def test_what_a_script_says_itself_is_not_judged_by_the_line(tmp_path: Path) -> None:
    """Only what was added on purpose must arrive: a turn on a dead line is a scenario's own affair."""
    take = Take(tmp_path / "t", duration=10.0)
    take.say("user", 4.0, 5.0, role="interruption")
    assert why(take.session()) == ""


def recognised(folder: Path, *pairs: tuple[str, str], recognizer: str = "moonshine") -> Session:
    """A session whose user said texts, of which a recogniser heard others."""
    session = Take(folder).session()
    utterances, words, found = [], [], []
    for index, (text, heard) in enumerate(pairs):
        whole = Segment(start=index * RATE, end=(index + 1) * RATE, source="truth", id=f"user-{index}", role="turn")
        utterances.append(msgspec.structs.replace(whole, text=text))
        found.append(msgspec.structs.replace(whole, text=heard, source="asr"))
        words += [
            SpokenWord(text=w, start=whole.start, end=whole.end, source="truth", id=whole.id) for w in text.split()
        ]
    user = PartySpeech(utterances=tuple(utterances), words=tuple(words), recognised=tuple(found))
    return session.with_speech(Speech(user=user, recognizer=recognizer))


def test_speech_that_our_own_recogniser_understands_is_valid(tmp_path: Path) -> None:
    """A few wrong words are a recogniser's daily bread; so is a short sentence that it makes nothing of."""
    assert why(recognised(tmp_path / "whole", (SENTENCE, SENTENCE))) == ""
    assert why(recognised(tmp_path / "few", (SENTENCE, SENTENCE.replace("kitchen closes", "chicken goes")))) == ""
    assert why(recognised(tmp_path / "short", ("is there anybody", "it's a really boggy"))) == ""


def test_speech_that_our_own_recogniser_does_not_understand_is_not(tmp_path: Path) -> None:
    """One long sentence lost among others, or all short ones together."""
    lost = "all the birds had flown away by then"
    assert "does not understand the user" in why(recognised(tmp_path / "a", (SENTENCE, lost), (SENTENCE, SENTENCE)))
    short = [("is there anybody", "lovely"), ("please hurry up now", ""), ("good day", "no")]
    assert "of the letters are wrong" in why(recognised(tmp_path / "b", *short))


@pytest.mark.parametrize(("digits", "understood"), [("254 738 91", True), ("601", True), ("", False)])
def test_numbers_that_the_recogniser_writes_in_digits_are_understood(
    tmp_path: Path, digits: str, understood: bool
) -> None:
    """In the user's language: most letters of the text are of its numbers, and most of the words are heard."""
    begun = "Guten Tag, ich hätte gern die Bestellung Nummer"
    said = f"{begun} zweihundertvierundfünfzig siebenhundertachtunddreißig einundneunzig"
    heard = f"{begun} {digits}" if digits else "Gute Nacht"
    session = recognised(tmp_path / "t", (said, heard), recognizer="whisper small")
    session.meta.parties["user"].spec["language"] = "de"
    assert (why(session) == "") == understood


def test_a_language_that_the_recogniser_does_not_hear_is_not_judged(tmp_path: Path) -> None:
    """Nobody here understands it, and the agent may."""
    session = recognised(tmp_path / "t", ("сколько стоит билет до конца линии сегодня вечером", "school go stoic"))
    assert why(session) == ""


def event(folder: Path, type_: str, party: str, *more: tuple[str, str], said: bool = False, **data: Any) -> str:
    take = Take(folder)
    if said:
        take.say("user", 3.0, 4.0, role="interruption")
    for other, whose in more:
        take.note(19.0, other, whose)
    take.note(20.0, type_, party, **data)
    return why(take.session())


def test_a_cue_of_ours_that_could_not_be_followed_makes_a_session_invalid(tmp_path: Path) -> None:
    """Its time never came, or its own party talked over it; unless it was said another time."""
    unsaid = "the user's interruption was never said: its cue could not be followed"
    assert event(tmp_path / "a", "cue_unfired", "user", role="interruption", cue="at") == unsaid
    assert event(tmp_path / "b", "cue_missed", "user", role="interruption") == unsaid
    assert event(tmp_path / "c", "cue_missed", "user", role="interruption", said=True) == ""


def test_what_the_agent_caused_is_a_result(tmp_path: Path) -> None:
    """It never spoke, so nobody could interrupt it; it hung up before the time of a cue; it left the script waiting."""
    assert event(tmp_path / "a", "cue_unfired", "user", role="interruption", cue="agent_speaking") == ""
    hung_up = ("hung_up", "agent")
    assert event(tmp_path / "b", "cue_unfired", "user", hung_up, role="interruption", cue="at") == ""
    assert why(Take(tmp_path / "c").session()) == ""


@pytest.mark.parametrize(
    ("kind", "size_s", "valid"), [("scripted", 0.4, True), ("scripted", 0.6, False), ("human", 9.0, True)]
)
def test_sound_of_the_user_that_was_not_there_in_time(tmp_path: Path, kind: str, size_s: float, valid: bool) -> None:
    """More than half a second of it, and not of a person, whose network is part of the call."""
    take = Take(tmp_path / "t")
    take.note(5.0, "underrun", "user", since=take.at(4.0), size=take.at(size_s))
    session = take.session()
    parties = {**session.meta.parties, "user": msgspec.structs.replace(session.meta.parties["user"], kind=kind)}
    session.meta = msgspec.structs.replace(session.meta, parties=parties)
    assert (why(session) == "") is valid


def test_a_recording_has_no_tester(tmp_path: Path) -> None:
    """Nobody planned anything in it: undefined, and it counts."""
    take = Take(tmp_path / "t")
    meta = SessionMeta(format=1, id="any", scenario="any", sample_rate=RATE, frame_ms=20)
    recorder = Recorder(tmp_path / "foreign", meta, "name: any\n", heard=False)
    recorder.add(take.tracks["user"], take.tracks["agent"], take.tracks["user"], take.tracks["agent"])
    recorder.close("completed")
    (score,) = ValiditySpec().build().score(read_session(tmp_path / "foreign"))
    assert (score.value, score.reason, why_invalid([score])) == (None, "a recording has no tester", "")
