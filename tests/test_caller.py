"""Callers: what they know and how they talk, minds of patterns, when they speak, and calls that they finish."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.caller.brief import GoalStage, make_brief
from agents.caller.manner import PRESETS, MannerKeys, manner_of
from agents.caller.rules_mind import RulesMindSpec
from agents.caller.timing import GAP_RANGE_S, HumanTiming
from agents.caller.watching import Planner, Watching
from agents.caller.wording import worded
from simulator.errors import ScenarioError
from simulator.session import Session
from simulator.speaking.ears import Activity
from simulator.speaking.hearing import HeardSound, likeness
from simulator.speaking.voice import Pause
from simulator.testing import bytes_of, play_session, scenario_of
from tests.callers import AGENT, CALL, CALLER, Asked

FACTS = {"booking number": "A 73 19", "name": "Ann Miller", "dog's name": "Rex"}
PRICE = RulesMindSpec(gets={"new price": r"\d+ dollars"})


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"facts": {"the": "Ann"}}, "can never be asked for"),
        ({"facts": {"name": " "}}, "can never be told"),
        ({"facts": {"name": "Ann", "my name": "Miller"}}, "cannot be told apart"),
        ({"goal": "..."}, "says nothing"),
        ({"persona": "Ann", "who": "Ben"}, "another word for `persona`"),
        ({"stages": [{"goal": "menu", "reached": "("}]}, "is no regular expression"),
        ({"llm": {"kind": "rules", "asked": {"date of birth": "born"}}}, "there is no fact 'date of birth'"),
        ({"llm": {"kind": "rules", "gets": {"price": ""}}}, "would be found in everything"),
        ({"llm": {"kind": "dice"}}, "is no kind of llm; choose one of rules, chat"),
        ({"llm": 3}, "expected a mapping such as"),
        ({"llm": {"base_url": "localhost", "model": "m"}}, "is no http or https URL"),
        ({"llm": {"base_url": "http://127.0.0.1:1", "model": "m", "api_key": "sk-1"}}, "write it as ${NAME}"),
        ({"manner": "rude"}, "rude"),
        ({"manner": {"backchannels": "often"}}, "write it like 6/min"),
        ({"manner": {"interrupts": 2}}, "<= 1"),
        ({"voice": "nobody"}, "nobody"),
        ({"recognizer": "espeak"}, "choose one of moonshine"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_starts(keys: dict[str, Any], wrong: str, tmp_path: Path) -> None:
    """Facts that nobody can ask for, goals that say nothing, patterns that are none, a mind that there is not."""
    with pytest.raises(ScenarioError) as caught:
        scenario_of({"user": {**CALLER, **keys}, "agent": "silent"}, tmp_path)
    assert wrong in str(caught.value)


def test_a_manner_is_a_preset_and_what_is_different() -> None:
    """`{preset: elderly, interrupts: 0.1}` differs from `elderly` in that alone."""
    elderly = PRESETS["elderly"]
    own = manner_of(MannerKeys(preset="elderly", interrupts=0.1))
    assert (own.patience, own.pauses, own.interrupts) == (elderly.patience, elderly.pauses, 0.1)


def test_who_is_another_word_for_persona(tmp_path: Path) -> None:
    """Both come to the same brief; stages may be a mapping."""
    one, other = (
        make_brief(goal="x", facts={}, persona=persona, who=who, stages=stages)
        for persona, who, stages in (("Ann", "", {"T1": "a", "T2": "b"}), ("", "Ann", ["a", "b"]))
    )
    assert one == other


def test_a_caller_of_patterns_says_its_wish_tells_what_it_is_asked_and_leaves_with_what_it_wanted() -> None:
    """Each fact in answer to its own question and no other; the price is asked for until it is heard."""
    asked = Asked(PRICE, facts=FACTS)
    assert "change the booking of tonight" in asked("How can I help you?").say
    assert asked("What is your booking number, please?").say == "My booking number is A 73 19."
    assert asked("And your dog's name?").say == "My dog's name is Rex."
    assert asked("Whose name is it?").say == "My name is Ann Miller."
    assert asked("I have changed it.").say == "What is the new price, please?"
    assert asked("It is 90 dollars.").choice == "hang_up"


def test_it_tells_no_fact_that_is_not_asked_for() -> None:
    """A remark that holds the words of a fact is no question for it."""
    asked = Asked(PRICE, facts=FACTS)
    asked("Hello.")
    assert "A 73 19" not in asked("I see the booking number on my screen.").say


@pytest.mark.parametrize(
    ("heard", "choice"),
    [
        ("Let me check that for you.", "wait"),
        ("One moment.", "wait"),
        ("Let me check. What is your name?", "say"),
        ("It is changed and", "wait"),
        ("Goodbye.", "hang_up"),
    ],
)
def test_it_waits_when_it_is_asked_to_and_goes_when_the_other_does(heard: str, choice: str) -> None:
    """ "Let me check" is no answer, unless something comes behind it."""
    asked = Asked(PRICE, facts=FACTS)
    asked("Hello.")
    assert asked(heard).choice == choice


def test_a_refusal_is_pressed_against_by_those_who_do() -> None:
    """An adversarial caller three times, others once; then they give up."""
    for manner, times in (("adversarial", 3), ("cooperative", 1)):
        asked = Asked(RulesMindSpec(), manner=manner)  # type: ignore[arg-type]  # both are presets
        asked("Hello.")
        choices = [asked("I am afraid that is not possible.").choice for _ in range(times + 1)]
        assert choices == ["say"] * times + ["hang_up"]


def test_stages_are_revealed_one_after_the_other() -> None:
    """Each when the other has answered to the one before; the last words are not said until all were."""
    asked = Asked(PRICE, stages=["The menu.", GoalStage(goal="a table", say="And a table for two.")])
    asked("Hello.")
    assert [asked("All right.").say for _ in range(2)] == [
        "I would like the menu.",
        "And a table for two.",
    ]


def test_a_stage_is_reached_when_its_pattern_is_heard() -> None:
    """Before that the next one is kept back, and the call is not over; after the last one it is."""
    stages = [GoalStage(goal="the menu", reached="soup"), GoalStage(goal="a table for two")]
    asked = Asked(RulesMindSpec(), stages=stages)
    asked("Hello.")
    assert asked("All right.").say == "I would like the menu."
    assert "table for two" not in asked("I see.").say
    assert asked("We have soup.").say == "I would like a table for two."
    assert asked("Certainly.").choice == "hang_up"


def test_silence_is_asked_into_and_then_left() -> None:
    """Once; the second silence in a row ends the call, unless it may not hang up."""
    asked = Asked(PRICE)
    asked("Hello.")
    assert asked("", "silence", 1).choice == "say"
    assert asked("", "silence", 2).choice == "hang_up"
    patient = Asked(PRICE, manner=MannerKeys(hang_up=False))
    patient("Hello.")
    assert patient("", "silence", 2).choice == "say"


def test_a_misheard_question_is_answered_by_the_fact_it_sounds_like() -> None:
    """Recognisers write "working armor" for a booking number; a soup sounds like none."""
    asked = Asked(PRICE, facts={"booking number": "A 73 19"})
    asked("Hello.")
    assert asked("What is your working armor?").say == "My booking number is A 73 19."
    assert "do not know" in asked("What is your shoe size?").say


def test_times_are_drawn_from_what_was_measured_of_people() -> None:
    """Over many sessions the median gap is CANDOR's 0.38 s; within one, the bias moves all of them the same way."""
    rngs = [np.random.default_rng(seed) for seed in range(400)]
    timings = [HumanTiming(PRESETS["cooperative"], rng) for rng in rngs]
    gaps = np.array([[timing.gap() for _ in range(25)] for timing in timings])
    assert abs(np.median(gaps) - 0.38) < 0.02
    assert gaps.min() >= GAP_RANGE_S[0] and gaps.max() <= GAP_RANGE_S[1]
    slow = np.array([timing.bias for timing in timings]) > 1.2
    assert np.median(gaps[slow]) > 1.2 * np.median(gaps[~slow])


def test_how_often_things_happen_is_the_manners() -> None:
    """A share of the turns is cut into, backchannels come at their rate over the other's speech, pauses as often."""
    rng = np.random.default_rng(0)
    timing = HumanTiming(manner_of(MannerKeys(interrupts=0.3, backchannels=6, pauses=0.5, disfluent=0)), rng)  # type: ignore[arg-type]  # decoded to a PerMinute
    cuts = [timing.cut_in() for _ in range(2000)]
    assert abs(sum(cut is not None for cut in cuts) / 2000 - 0.3) < 0.04
    distances = [timing.backchannel() or 0.0 for _ in range(2000)]
    assert abs((np.mean(distances) - 1.0) / timing.bias - 10.0) < 0.8
    said = [worded("I would like a table for two people.", PRESETS["rambling"], timing) for _ in range(500)]
    paused = [one for one in said if isinstance(one, list) and any(isinstance(part, Pause) for part in one)]
    assert abs(len(paused) / 500 - PRESETS["rambling"].pauses) < 0.08


def test_a_short_answer_comes_out_in_one_breath() -> None:
    """Whatever the manner: "Yes, please." has no place for a pause."""
    timing = HumanTiming(PRESETS["rambling"], np.random.default_rng(0))
    assert {str(worded("Yes, please.", PRESETS["rambling"], timing)) for _ in range(50)} == {"Yes, please."}


def test_what_comes_first_is_taken_and_the_rest_is_forgotten() -> None:
    """Of an answer and a cut-in that wait at once, the one that falls due; a stretch that goes on counts from now."""
    rate, heard = 1000, Activity(1000)
    timing = HumanTiming(manner_of(MannerKeys(interrupts=1.0, backchannels=0)), np.random.default_rng(1))  # type: ignore[arg-type]
    heard.update(0, 5000, True)
    plan = Planner("user", timing, rate).next(heard)
    cut = plan["barge_in"].agent_speaking
    assert cut is not None and cut > 5.0
    watching = Watching(plan, 5000, heard, own="user", rate=rate, rng=np.random.default_rng(0))
    seen: list[tuple[int, str]] = []
    for now in range(5020, 12_000, 20):
        heard.update(now - 20, now, True)
        occasion = watching.look(now, heard, busy=False, free_since=0)
        seen += [(now, occasion)] if occasion else []
    assert [occasion for _, occasion in seen] == ["prepare", "barge_in"]
    assert cut * rate <= seen[1][0] < cut * rate + 20


def test_the_sound_of_the_others_turn_is_kept_from_a_little_before_it() -> None:
    """From 300 ms before the first stretch since what was forgotten, in whatever pieces it came."""
    heard = Activity(1000)
    kept = HeardSound(1000, heard)
    for start in range(0, 6000, 100):
        heard.update(start, start + 100, 3000 <= start < 4000 or 4500 <= start < 5000)
        kept.hear(start, np.full(100, start, np.float32))
    assert kept.since == 3000
    assert kept.sound()[0] == 2700 and kept.sound()[-1] == 5900
    kept.forget()
    assert len(kept.sound()) == 0


def test_likeness_is_shared_words_over_all_words() -> None:
    """Two of four: 0.5; order, case and punctuation do not matter."""
    assert likeness("The new price", "new PRICE, please!") == 0.5
    assert likeness("", "") == 1.0


def decisions(session: Session, party: str = "user") -> list[str]:
    """What a party decided, in order."""
    return [event.choice for event in session.by_type.get("decided", []) if event.party == party]


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A caller of patterns against the cascade."""
    return play_session(CALL, tmp_path_factory.mktemp("call"))


def test_a_caller_finishes_its_call_and_hangs_up(call: Session) -> None:
    """It said who it is when it was asked, asked for the price, and the session ends a second after it hung up."""
    said = [event.text for event in call.by_type["speech_start"] if event.party == "user"]
    assert "My name is Ann Miller." in said
    assert decisions(call)[-1] == "hang_up"
    (hung_up,) = call.by_type["hung_up"]
    assert 0 <= call.duration - hung_up.at - call.sample_rate < call.sample_rate // 50


def test_every_decision_says_why_and_what_was_heard(call: Session) -> None:
    """Whatever it says was decided at that sample, with the words it answers and the cue a script would need."""
    starts = {event.id: event.at for event in call.by_type["speech_start"] if event.party == "user"}
    told = {event.id: event for event in call.by_type["decided"] if "id" in event.data}
    assert starts.keys() == told.keys()
    for name, event in told.items():
        assert event.at == starts[name]
        assert event.reason and event.cue and event.say and event.heard


def last_sound(session: Session, until: int) -> int:
    """One past the agent's last 20 ms before `until` that reach -50 dBFS."""
    frame = session.sample_rate // 50
    frames = session.said("agent", 0, until).reshape(-1, frame)
    return (int(np.flatnonzero(np.sqrt((frames**2).mean(axis=1)) > 10 ** (-50 / 20))[-1]) + 1) * frame


def test_it_answers_after_the_gap_that_was_drawn(call: Session) -> None:
    """Its words begin with the first frame in which the other has been silent for as long as its cue says."""
    frame = call.sample_rate // 50
    answers = [event for event in call.by_type["decided"] if "after" in event.cue]
    assert len(answers) > 2
    for event in answers:
        delay = round(float(event.cue["delay"].removesuffix("ms")) * call.sample_rate / 1000)
        assert delay <= event.at - last_sound(call, event.at) < delay + frame


def test_the_same_seed_is_the_same_call(call: Session, tmp_path: Path) -> None:
    """Every byte of sound and events."""
    assert bytes_of(play_session(CALL, tmp_path)) == bytes_of(call)


def test_a_caller_that_nobody_answers_leaves(tmp_path: Path) -> None:
    """It says its wish, asks whether anybody is there, and hangs up."""
    session = play_session({**CALL, "agent": "silent"}, tmp_path)
    assert decisions(session) == ["say", "say", "hang_up"]
    assert session.duration < 45 * session.sample_rate


def test_an_interruption_begins_while_the_other_speaks_with_words_prepared_before(tmp_path: Path) -> None:
    """The words were thought of earlier, from what was heard by then; the role is interruption."""
    long = "There is a large table in the garden behind the house with a view of the river and of the old town"
    manner = {"interrupts": 1.0, "backchannels": 0, "pauses": 0, "disfluent": 0}
    agent = {**AGENT, "replies": [{"match": "change", "say": long}, *AGENT["replies"][2:]]}
    session = play_session({**CALL, "agent": agent, "user": {**CALLER, "manner": manner}}, tmp_path)
    decided = session.by_type["decided"]
    prepared = next(event for event in decided if event.choice == "prepare")
    cut_in = next(event for event in decided if event.choice == "barge_in")
    assert (prepared.heard, prepared.reason) == (cut_in.heard, cut_in.reason)
    assert prepared.at < cut_in.at
    assert np.abs(session.said("agent", cut_in.at, cut_in.at + 480)).max() > 0.003
    (start,) = [event for event in session.by_type["speech_start"] if event.id == cut_in.id and event.party == "user"]
    assert (start.at, start.role) == (cut_in.at, "interruption")


STORY = (
    "This is a long story and I will tell you all of it from the beginning to the end with everything that happened on "
    "the way to the sea and back again"
)


def test_backchannels_fall_on_the_others_speech(tmp_path: Path) -> None:
    """They are said while the other speaks, and take no turn."""
    talker = {"kind": "scripted", "turns": ["Hello.", {"after": "user_turn", "say": STORY}]}
    user = {**CALLER, "manner": {"backchannels": "50/min"}}
    session = play_session({**CALL, "agent": talker, "user": user, "duration": "20s"}, tmp_path)
    said = [event for event in session.by_type["speech_start"] if event.party == "user" and event.role == "backchannel"]
    assert said
    assert all(np.abs(session.said("agent", event.at - 480, event.at)).max() > 0 for event in said)


def test_a_caller_stops_when_it_is_talked_over(tmp_path: Path) -> None:
    """After about a second of the other's speech in its own; what was left of its turn is not said."""
    turns = [{"at": "300ms", "say": "Hello."}, {"user_speaking": "1200ms", "say": STORY}]
    session = play_session({**CALL, "agent": {"kind": "scripted", "turns": turns}, "duration": "12s"}, tmp_path)
    first = next(event for event in session.by_type["speech_end"] if event.party == "user")
    assert first.cut
    assert next(event.party for event in session.by_type["yielded"]) == "user"
