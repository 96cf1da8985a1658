"""Rules of injectors: whose mouth, when, and what the rest of the session knows of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from simulator.errors import ScenarioError
from simulator.session import Session
from simulator.testing import burst, play_session, scenario_of

RATE = 24_000
TICK = 480


def recording(folder: Path, name: str, length_s: float, *, seed: int = 0) -> str:
    """Write a burst of speech-like noise at the nominal level, and give its name."""
    soundfile.write(folder / name, burst(round(length_s * RATE), seed), RATE, subtype="PCM_16")
    return name


def played(folder: Path, *clips: tuple[float, float]) -> dict[str, Any]:
    """Make a player that speaks at (start, length) in seconds."""
    return {
        "kind": "player",
        "level": "keep",
        "ears": "level",
        "clips": [
            {"file": recording(folder, f"clip-{length}.wav", length), "at": f"{start}s"} for start, length in clips
        ],
    }


def injected(folder: Path, cue: dict[str, Any], length_s: float = 0.4, **fields: Any) -> dict[str, Any]:
    """Make an injector that plays a burst."""
    name = recording(folder, f"injected-{length_s}.wav", length_s, seed=1)
    return {"kind": "interruption", "cue": cue, "file": name, "level": "keep", **fields}


def starts(session: Session, role: str = "interruption") -> list[int]:
    """When speech of a role began, in samples."""
    return [event.at for event in session.by_type.get("speech_start", []) if event.role == role]


def test_an_injector_adds_its_samples_to_its_party_and_to_nobody_else(tmp_path: Path) -> None:
    """The party's said track is its own samples plus the injector's, sample for sample; the other's is untouched."""
    user = played(tmp_path, (0.0, 1.0))
    agent = played(tmp_path, (0.5, 2.0))
    injector = injected(tmp_path, {"at": "500ms", "over_self": True})
    plain = play_session({"name": "plain", "user": user, "agent": agent}, tmp_path)
    session = play_session({"name": "with", "user": user, "agent": agent, "injectors": [injector]}, tmp_path)
    extra = session.said("user").astype(np.float64) - plain.said("user")
    expected = np.zeros_like(extra)
    expected[12_000 : 12_000 + 9600] = burst(9600, 1)
    assert np.array_equal(extra, expected)
    assert np.array_equal(session.said("agent"), plain.said("agent"))
    assert np.array_equal(session.heard("agent"), session.said("user"))


def test_the_sum_is_clipped_to_full_scale(tmp_path: Path) -> None:
    """Nothing is ducked: two loud voices add up and clip."""
    loud = np.full(RATE, 0.9, np.float32)
    soundfile.write(tmp_path / "loud.wav", loud, RATE, subtype="PCM_16")
    user = {"kind": "player", "file": "loud.wav", "level": "keep"}
    injector = {"kind": "aside", "cue": {"at": "200ms", "over_self": True}, "file": "loud.wav", "level": "keep"}
    said = play_session({"user": user, "agent": "silent", "injectors": [injector]}, tmp_path).said("user")
    assert said.max() == pytest.approx(32767 / 32768)


def test_a_cue_sees_the_other_up_to_the_tick_before(tmp_path: Path) -> None:
    """`agent_speaking: d`: d of speech have been said before the tick in which the injection begins."""
    agent = played(tmp_path, (1.0, 2.0))
    session = play_session(
        {
            "user": "silent",
            "agent": agent,
            "duration": "4s",
            "injectors": [injected(tmp_path, {"agent_speaking": "600ms"})],
        },
        tmp_path,
    )
    assert starts(session) == [round(1.6 * RATE)]


def test_cues_are_judged_on_the_tracks_without_injections(tmp_path: Path) -> None:
    """What another injector says is no speech of its party to a cue: it is on the clean tracks that cues look."""
    first = injected(tmp_path, {"at": "500ms"}, party="agent", length_s=1.5)
    second = injected(tmp_path, {"agent_speaking": "200ms"}, party="user")
    session = play_session(
        {"user": "silent", "agent": "silent", "duration": "4s", "injectors": [first, second]}, tmp_path
    )
    assert [event.party for event in session.by_type["speech_start"]] == ["agent"]


def test_two_injectors_of_a_party_never_speak_at_once(tmp_path: Path) -> None:
    """A party whose injector speaks counts as speaking: the other one waits until it is over."""
    both = [injected(tmp_path, {"at": "500ms"}, length_s=length) for length in (1.0, 0.4)]
    session = play_session({"user": "silent", "agent": "silent", "duration": "3s", "injectors": both}, tmp_path)
    ends = [event.at for event in session.by_type["speech_end"]]
    assert starts(session)[0] == 12_000
    assert 0 <= starts(session)[1] - ends[0] < 2 * TICK


def test_a_delay_counts_from_the_later_end_of_actor_and_injectors(tmp_path: Path) -> None:
    """`after: agent_turn, delay: 1s` waits a second after the party's other injector, too."""
    agent = played(tmp_path, (0.5, 1.0))
    talk = injected(tmp_path, {"at": "1.4s"}, length_s=1.01)
    late = injected(tmp_path, {"after": "agent_turn", "delay": "1s"})
    session = play_session({"user": "silent", "agent": agent, "duration": "5s", "injectors": [talk, late]}, tmp_path)
    talked, answered = starts(session)
    end = talked + round(1.01 * RATE)
    assert 0 <= answered - (end + RATE) < TICK


def test_a_script_waits_for_its_injector_and_its_delay_counts_from_that_end(tmp_path: Path) -> None:
    """A scripted turn does not begin under its party's injection, and its delay starts when that is over."""
    agent = played(tmp_path, (0.5, 1.0))
    name = recording(tmp_path, "turn.wav", 0.5)
    user = {"kind": "player", "level": "keep", "clips": [{"file": name, "after": "agent_turn", "text": "yes"}]}
    talk = injected(tmp_path, {"at": "1.4s"}, length_s=1.01)
    session = play_session({"user": user, "agent": agent, "duration": "5s", "injectors": [talk]}, tmp_path)
    end = starts(session)[0] + round(1.01 * RATE)
    turn = next(event.at for event in session.by_type["speech_start"] if event.id == "user-1")
    assert 0 <= turn - (end + RATE // 2) < TICK


def test_a_cue_that_waited_too_long_is_an_event(tmp_path: Path) -> None:
    """Its own party speaks on for longer than `within`: `cue_missed`, and nothing is said."""
    user = played(tmp_path, (0.0, 4.0))
    injector = injected(tmp_path, {"at": "500ms", "within": "1s"})
    session = play_session({"user": user, "agent": "silent", "duration": "5s", "injectors": [injector]}, tmp_path)
    assert starts(session) == []
    (missed,) = session.by_type["cue_missed"]
    assert 1.5 * RATE < missed.at <= 1.5 * RATE + TICK


def test_a_cue_that_never_fell_due_is_told_at_the_end(tmp_path: Path) -> None:
    """With its condition; one that was said is not told of."""
    late, said = injected(tmp_path, {"at": "9s"}), injected(tmp_path, {"at": "500ms"})
    session = play_session({"user": "silent", "agent": "silent", "duration": "3s", "injectors": [late, said]}, tmp_path)
    (unfired,) = session.by_type["cue_unfired"]
    assert (unfired.at, unfired.party, unfired.data) == (3 * RATE, "user", {"role": "interruption", "cue": "at"})


def test_a_time_with_every_is_periodic_from_the_first_sample_on(tmp_path: Path) -> None:
    """`at: 0s, every: 1s` says at 0, 1, 2 s: the firing at sample 0 counts like any other."""
    injector = injected(tmp_path, {"at": "0s", "every": "1s"}, length_s=0.2)
    session = play_session({"user": "silent", "agent": "silent", "duration": "3s", "injectors": [injector]}, tmp_path)
    assert starts(session) == [0, RATE, 2 * RATE]


def test_an_injector_of_the_agent_does_not_change_what_the_users_draws(tmp_path: Path) -> None:
    """Generators are spawned by party and position: whatever the other party has before it in the list."""
    names = [recording(tmp_path, f"{index}.wav", 0.1, seed=index) for index in range(2)]
    random = {"kind": "backchannel", "cue": {"random": {"per_minute": 60}}, "file": names[0], "level": "keep"}
    data = {"user": "silent", "agent": "silent", "duration": "20s", "seed": 7}
    alone = play_session({**data, "name": "alone", "injectors": [random]}, tmp_path)
    other = {**random, "party": "agent", "file": names[1]}
    beside = play_session({**data, "name": "beside", "injectors": [other, random]}, tmp_path)
    assert starts(alone, "backchannel")
    assert np.array_equal(alone.said("user"), beside.said("user"))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"say": "..."}, "nothing to say"),
        ({"say": "yes", "choose": ["no"]}, "exactly one of say, choose, file"),
        ({"say": "yes", "words_per_minute": 5}, r"words_per_minute: expected `int` >= 80"),
        ({"say": "yes", "level_db": float("nan")}, r"level_db: expected `float`"),
        ({"say": "yes", "voice": "nobody"}, r"\$\.injectors\[0\]\.voice: espeak has no voice"),
        ({"file": "missing.wav"}, r"\$\.injectors\[0\]\.file: .* does not exist"),
    ],
)
def test_what_cannot_be_injected_is_refused(tmp_path: Path, fields: dict[str, Any], sentence: str) -> None:
    """Bad injectors are refused before anything starts, with their place."""
    with pytest.raises(ScenarioError, match=sentence):
        scenario_of(
            {"user": "silent", "agent": "silent", "injectors": [{"kind": "aside", "cue": {"at": "1s"}, **fields}]},
            tmp_path,
        )
