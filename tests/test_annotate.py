"""Annotation: truth where events tell everything, listening where they do not, the same bytes every time."""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
import structlog

from simulator.annotation.annotate import annotate, annotate_cached, annotate_many
from simulator.annotation.audible import FrameLevels
from simulator.annotation.detect import Track, detect
from simulator.engines import Recognizer
from simulator.engines.kinds import RecognizerSpec
from simulator.errors import ScenarioError
from simulator.session import Session, read_session
from simulator.sound import recordings
from simulator.speaking.voice import spoken
from simulator.speech import PartySpeech
from simulator.testing.take import RATE, Take, buzz


def spans(speech: PartySpeech) -> list[tuple[float, float]]:
    return [(segment.start / RATE, segment.end / RATE) for segment in speech.segments]


def stereo(path: Path, user: np.ndarray, agent: np.ndarray, rate: int = RATE) -> Session:
    length = max(len(user), len(agent))
    both = np.zeros((length, 2), np.float32)
    both[: len(user), 0], both[: len(agent), 1] = user, agent
    soundfile.write(path, both, rate)
    return Session.of_recording(path)


def voice(text: str = "Could you tell me when the next train leaves?", rate: int = RATE) -> np.ndarray:
    return np.pad(spoken(text, "en-gb-x-rp", rate).samples, (rate, rate))


def test_segments_are_truth_where_events_account_for_every_sound(tmp_path: Path) -> None:
    """First and last audible 10 ms frame of each utterance; its id and role come along."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 2.5, role="interruption")
    user = take.annotated().speech.user
    assert spans(user) == [(1.0, 2.5)]
    assert {(s.source, s.role, s.id) for s in user.segments} == {("truth", "interruption", "user-1")}
    assert [(u.start / RATE, u.end / RATE, u.text) for u in user.utterances] == [(1.0, 2.5, "some words")]


def test_silence_inside_an_utterance_splits_it_into_segments(tmp_path: Path) -> None:
    """A pause splits; a closure under 100 ms does not; the utterance stays one."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 4.0, pauses=((1.5, 2.2), (3.0, 3.08)))
    user = take.annotated().speech.user
    assert spans(user) == [(1.0, 1.5), (2.2, 4.0)]
    assert len(user.utterances) == 1


def test_silence_around_the_sound_of_an_utterance_is_not_speech(tmp_path: Path) -> None:
    """Planned samples that are silent do not move the edges outwards."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 3.0, pauses=((1.0, 1.4), (2.6, 3.0)))
    utterance = take.annotated().speech.user.utterances[0]
    assert (utterance.start, utterance.end) == (take.at(1.4), take.at(2.6))


def test_a_silent_party_needs_no_detector(tmp_path: Path) -> None:
    """Nothing told and nothing audible: no speech, by truth."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 2.0)
    speech = take.annotated().speech
    assert speech.agent == PartySpeech()
    assert speech.detector == ""


def test_words_are_those_that_were_begun(tmp_path: Path) -> None:
    """Onsets at or after the end are dropped, the word running at a cut is marked, ends stop at the sound's."""
    take = Take(tmp_path / "t")
    take.say(
        "agent",
        1.0,
        3.0,
        pauses=((1.5, 2.0),),
        cut=True,
        planned=5.0,
        words=[("one", 1.0), ("two", 2.0), ("three", 2.6), ("four", 3.0), ("five", 4.0)],
    )
    words = take.annotated().speech.agent.words
    assert [(w.text, w.start / RATE, w.end / RATE, w.cut) for w in words] == [
        ("one", 1.0, 1.5, False),
        ("two", 2.0, 2.6, False),
        ("three", 2.6, 3.0, True),
    ]
    assert {w.source for w in words} == {"truth"}


def test_a_cut_in_a_pause_cuts_no_word(tmp_path: Path) -> None:
    """The last word was said to its end: the speaker was stopped in silence."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 3.0, pauses=((2.0, 3.0),), cut=True, planned=5.0, words=[("one", 1.0), ("two", 4.0)])
    assert [(w.text, w.cut) for w in take.annotated().speech.agent.words] == [("one", False)]


def test_an_utterance_whose_end_was_never_told_lasts_to_the_end(tmp_path: Path) -> None:
    """A killed run: what was recorded of it counts, and it counts as cut."""
    take = Take(tmp_path / "t", duration=5)
    take.say("user", 3.0, 9.0, words=[("on", 3.0), ("and", 4.5), ("on", 6.0)])
    take.events = [event for event in take.events if event.type == "speech_start"]
    user = take.annotated().speech.user
    assert spans(user) == [(3.0, 5.0)]
    assert [(w.text, w.cut) for w in user.words] == [("on", False), ("and", True)]


def test_sound_outside_of_what_was_told_is_listened_to(tmp_path: Path) -> None:
    """A buzz nobody told of is no speech to a detector, but the utterances and words that were told stay known."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 2.0, role="backchannel")
    take.sound("user", 5.0, 6.0)
    speech = take.annotated().speech
    assert speech.detector != ""
    assert all(segment.source == "vad" for segment in speech.user.segments)
    assert [item.role for item in speech.user.utterances] == ["backchannel"]
    assert [word.source for word in speech.user.words] == ["truth", "truth"]


def test_a_recording_is_no_truth_about_speech(tmp_path: Path) -> None:
    """What is played as a recording is listened to, though its samples are all accounted for."""
    take = Take(tmp_path / "t", duration=6)
    take.add("user", 0, voice())
    take.note(0, "speech_start", "user", id="r", role="recording", text="", planned_samples=take.length, words=[])
    take.note(6, "speech_end", "user", id="r", said_samples=take.length, cut=False)
    user = take.annotated().speech.user
    assert user.utterances == ()
    assert {segment.source for segment in user.segments} == {"vad"}
    assert user.segments[0].start / RATE == pytest.approx(1.0, abs=0.02)


def test_an_utterance_of_unknown_text_is_known_by_its_edges_and_its_speech(tmp_path: Path) -> None:
    """A clip with noise before and after the speech: one turn, from first to last detected speech, cut or not."""
    take = Take(tmp_path / "t", duration=8)
    noise = np.random.default_rng(0).normal(0, 0.003, 6 * RATE).astype(np.float32)
    clip = noise[: len(voice()) + RATE]
    clip[: len(voice())] += voice()
    take.add("user", RATE, clip)
    take.note(1, "speech_start", "user", id="c", role="turn", text="", planned_samples=len(clip), words=[])
    take.note(1 + len(clip) / RATE, "speech_end", "user", id="c", said_samples=len(clip), cut=False)
    user = take.annotated().speech.user
    (utterance,) = user.utterances
    assert (utterance.role, utterance.source, utterance.id) == ("turn", "vad", "c")
    assert utterance.start / RATE == pytest.approx(2.0, abs=0.05)
    assert utterance.end < 1 * RATE + len(clip) - RATE


def test_known_text_over_noise_is_listened_to(tmp_path: Path) -> None:
    """Sound of seconds without one silent frame has noise under it: its energy does not say who speaks when."""
    take = Take(tmp_path / "t", duration=8)
    noise = np.random.default_rng(0).normal(0, 0.003, 6 * RATE).astype(np.float32)
    noise[: len(voice())] += voice()
    take.add("user", 0, noise)
    take.note(0, "speech_start", "user", id="c", role="turn", text="some text", planned_samples=6 * RATE, words=[])
    take.note(6, "speech_end", "user", id="c", said_samples=6 * RATE, cut=False)
    user = take.annotated().speech.user
    assert {segment.source for segment in user.segments} == {"vad"}
    assert user.utterances[0].start / RATE == pytest.approx(1.0, abs=0.05)


def test_quiet_speech_that_was_told_keeps_its_edges(tmp_path: Path) -> None:
    """An aside 40 dB down is not lost in the audibility bound."""
    take = Take(tmp_path / "t")
    take.note(
        1, "speech_start", "user", id="a", role="aside", text="psst", planned_samples=RATE, words=[["psst", take.at(1)]]
    )
    take.sound("user", 1.0, 2.0, level=4e-4)
    take.note(2, "speech_end", "user", id="a", said_samples=RATE, cut=False)
    assert spans(take.annotated().speech.user) == [(1.0, 2.0)]


def test_a_foreign_recording_is_listened_to_and_its_words_are_recognised(tmp_path: Path) -> None:
    """Segments from activity with refined edges, words from recognition with times inside the segments."""
    session = stereo(tmp_path / "f.wav", voice(), np.zeros(RATE, np.float32))
    speech = annotate(session)
    user = speech.user
    assert user.segments[0].start / RATE == pytest.approx(1.0, abs=0.02)
    assert "train" in " ".join(word.text for word in user.words).lower()
    assert all(word.source == "asr" and word.start < word.end for word in user.words)
    timeline = user.timeline().bridge(RATE // 2)
    assert all(timeline.covered(word.start, word.end) > 0 for word in user.words)
    assert speech.agent == PartySpeech()
    assert (speech.detector, speech.recognizer) == ("silero+energy", "moonshine")


def test_text_without_word_onsets_is_aligned_and_cut_text_shortened(tmp_path: Path) -> None:
    """The words come from what the speaker tells, their times from the sound; a cut text by the share that was said."""
    take = Take(tmp_path / "t", duration=6)
    text = "Could you tell me when the next train leaves?"
    sound_of_it = spoken(text, "en-gb-x-rp", RATE).samples
    take.add("agent", RATE, sound_of_it)
    take.note(
        1,
        "speech_start",
        "agent",
        id="a",
        role="turn",
        text=text,
        planned_samples=2 * len(sound_of_it),
        words=[],
    )
    take.note(1 + len(sound_of_it) / RATE, "speech_end", "agent", id="a", said_samples=len(sound_of_it), cut=True)
    agent = annotate(take.session()).agent
    assert [word.text for word in agent.words] == ["Could", "you", "tell", "me"]
    assert {word.source for word in agent.words} == {"model"}
    assert agent.segments[0].source == "truth"
    assert "train" in agent.recognised[0].text


def test_annotating_twice_and_together_gives_the_same_bytes(tmp_path: Path) -> None:
    """Neither a second time nor other sessions beside it change an annotation."""
    noise = np.random.default_rng(0).normal(0, 0.003, 8 * RATE).astype(np.float32)
    one = stereo(tmp_path / "one.wav", voice() + noise[: len(voice())], voice("Yes, at nine.")[::1])
    two = stereo(tmp_path / "two.wav", voice("Hello there."), noise)
    alone = [msgspec.json.encode(annotate(session, words=False)) for session in (one, two)]
    together = [msgspec.json.encode(speech) for speech in annotate_many([two, one], words=False)]
    assert together == alone[::-1]
    assert msgspec.json.encode(annotate(one)) == msgspec.json.encode(annotate(one))


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 48000])
def test_any_rate_gives_the_same_speech(tmp_path: Path, rate: int) -> None:
    """Onsets do not move by more than a hop when the same speech comes at another rate."""
    session = stereo(tmp_path / "r.wav", voice(rate=rate), np.zeros(10, np.float32), rate)
    segments = annotate(session, words=False).user.segments
    assert segments[0].start / rate == pytest.approx(1.0, abs=0.02)


def test_tracks_of_unequal_length_are_heard_side_by_side(tmp_path: Path) -> None:
    """A short track beside a long one, and an empty one, give what they give alone."""
    empty = np.zeros(0, np.float32)
    sessions = [stereo(tmp_path / f"{i}.wav", user, user) for i, user in enumerate([voice(), voice("Yes.")])]
    sessions.append(stereo(tmp_path / "e.wav", empty, empty))
    tracks = [Track(session=session, party="user") for session in sessions]
    assert detect(tracks) == [detect([track])[0] for track in tracks]


def test_annotation_is_kept_in_the_users_cache_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time nothing is listened to; the folder of the recording stays as it was."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "in").mkdir()
    stereo(tmp_path / "in" / "f.wav", voice(), voice("Yes."))
    first = annotate_cached(Session.of_recording(tmp_path / "in" / "f.wav"), words=False)
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["f.wav"]
    kept = list((tmp_path / "cache").rglob("*.speech"))
    assert len(kept) == 1
    body = msgspec.json.encode(msgspec.structs.replace(first.speech, detector="from the cache"))
    kept[0].write_bytes(hashlib.sha256(body).digest() + body)
    again = annotate_cached(Session.of_recording(tmp_path / "in" / "f.wav"), words=False)
    assert again.speech.detector == "from the cache"
    swapped = Session.of_recording(tmp_path / "in" / "f.wav", user_channel=1, agent_channel=0)
    assert annotate_cached(swapped, words=False).speech.user.segments == first.speech.agent.segments
    kept[0].write_bytes(b"{half a")
    assert annotate_cached(Session.of_recording(tmp_path / "in" / "f.wav"), words=False).speech == first.speech


def test_a_session_without_events_and_with_damage_is_still_annotated(tmp_path: Path) -> None:
    """A truncated conversation is read as far as it goes and annotated so far."""
    take = Take(tmp_path / "t", duration=6)
    take.add("user", 0, voice())
    folder = take.session().folder
    wav = (folder / "conversation.wav").read_bytes()
    (folder / "conversation.wav").write_bytes(wav[: len(wav) // 2])
    (folder / "events.jsonl").unlink()
    session = read_session(folder)
    speech = annotate(session, words=False)
    assert speech.user.segments[0].start / RATE == pytest.approx(1.0, abs=0.02)
    assert speech.user.segments[-1].end <= session.duration


def test_the_buzz_of_the_takes_is_audible_in_every_frame() -> None:
    """The tests' own tool: 10 ms of it are never silent."""
    frames = recordings.resample(buzz(RATE, RATE), RATE, RATE).reshape(-1, RATE // 100)
    assert np.square(frames).mean(axis=1).min() > 0.9


def test_a_word_lasts_a_sample_at_least(tmp_path: Path) -> None:
    """Of two words told with one onset the first has no time of its own."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 2.0, words=[("one", 1.0), ("two", 1.0)])
    first, second = take.annotated().speech.agent.words
    assert (first.start, first.end) == (RATE, RATE + 1)
    assert (second.start, second.end) == (RATE, 2 * RATE)


def test_quiet_speech_counts_down_to_35_db_below_its_own_level() -> None:
    """Of speech at -40 dBFS a frame at -74 dBFS is part, and one at -76 dBFS is none; a frame has 160 samples."""
    dbfs = np.array([-40.0] * 20 + [-74.0, -76.0, -74.0])
    levels = FrameLevels(frame=160, length=23 * 160, rms=(10 ** (dbfs / 20)).astype(np.float32))
    assert list(levels.audible(0, 23 * 160)) == [(0, 21 * 160), (22 * 160, 23 * 160)]


def test_words_that_are_not_meant_are_told_from_the_others(tmp_path: Path) -> None:
    """From the first of them to one before the last that is named: [0, 1) and [2, 4) of five words."""
    take = Take(tmp_path / "t")
    words = [[word, take.at(1 + 0.2 * number)] for number, word in enumerate(["Um,", "at", "I", "I", "noon."])]
    marks = [[0, 1, "filler"], [2, 4, "repeat"]]
    take.sound("user", 1.0, 2.0)
    said = {"role": "turn", "text": "Um, at I I noon.", "words": words, "disfluent": marks}
    take.note(1, "speech_start", "user", id="a", planned_samples=RATE, **said)
    take.note(2, "speech_end", "user", id="a", said_samples=RATE, cut=False)
    found = [word.disfluency for word in take.annotated().speech.user.words]
    assert found == ["filler", "", "repeat", "repeat", ""]


class AbsentSpec(RecognizerSpec, frozen=True, kw_only=True, tag="absent"):
    """A recogniser that does not run here."""

    def build(self) -> Recognizer:
        raise ScenarioError("the recogniser absent is not installed")


def test_a_recogniser_that_does_not_run_is_told_once_and_words_stay_missing(tmp_path: Path) -> None:
    """What is known without it is there all the same."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 2.0, text="good morning")
    session = take.session()
    with structlog.testing.capture_logs() as logs:
        annotate(session, recognizer=AbsentSpec())
        speech = annotate(session, recognizer=AbsentSpec())
    assert speech.recognizer == "" and len(speech.agent.segments) == 1
    assert [entry["why"] for entry in logs] == ["the recogniser absent is not installed"]
