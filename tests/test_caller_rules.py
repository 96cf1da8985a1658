"""Rules for callers: what makes a session invalid by its caller's words, and what does not."""

from pathlib import Path

import pytest

from metrics.caller import CallerScorerSpec, caller_faults, callers_of
from metrics.caller_lines import CallerKnows, CallerLine
from metrics.caller_rules import RULES, faults_by
from metrics.validity import ValiditySpec
from simulator.cli import main
from simulator.scoring.validity import why_invalid
from simulator.session import Session
from simulator.testing import play_session
from tests.callers import CALL, CALLER, GOAL

KNOWS = CallerKnows(
    party="user",
    persona="A tired parent of two small children who lives by the sea and talks in half sentences.",
    open=GOAL,
    facts={"booking number": "A 73 19", "name": "Ann Miller"},
    asked={"name": "who am i speaking"},
)


def broken(*talk: tuple[str, str], knows: CallerKnows = KNOWS) -> set[str]:
    """The rules that a talk breaks: (what the other said, what the caller said) in turn."""
    lines = [
        CallerLine(start=1000 * index, end=1000 * index + 500, text=said, heard=heard)
        for index, (heard, said) in enumerate(talk)
    ]
    return {rule for rule in RULES if faults_by(rule, lines, knows)}


HELLO = ("Good evening, how can I help you?", "I would like to change my booking.")


def test_a_caller_that_keeps_to_its_part_breaks_no_rule() -> None:
    """It tells what it is asked, says it does not know, says things again when asked to, and says goodbye twice."""
    assert not broken(
        HELLO,
        ("What is your booking number?", "My booking number is A 73 19."),
        ("Sorry, could you say that again?", "My booking number is A 73 19."),
        ("I did not catch that.", "My booking number is A 73 19."),
        ("Who am I speaking to?", "My name is Ann Miller."),
        ("And your date of birth?", "I am sorry, I do not know that."),
        ("It is changed. Is there anything else I can do?", "No, thank you. Goodbye."),
        ("Have a nice evening.", "You too, bye."),
    )


def test_what_was_reached_is_never_looked_at() -> None:
    """A caller that is refused everything is a good caller."""
    assert not broken(HELLO, ("No.", "Is there really no way?"), ("No.", "I see. Goodbye."))


@pytest.mark.parametrize(
    ("rule", "heard", "said"),
    [
        ("assistant", "Hello?", "Hello! How can I help you today?"),
        ("assistant", "I am the restaurant.", "As an AI I cannot eat."),
        ("swapped", "Hello?", "Thank you for calling, this is the restaurant."),
        ("swapped", "Hello?", "May I have your booking number, please?"),
        ("swapped", "Hello?", "And what is your booking number?"),
        ("leaked", "Who are you?", "My instructions say that I am Ann."),
        ("leaked", "Who are you?", 'Certainly. {"action": "say"}'),
        ("leaked", "Who are you?", "A tired parent of two small children who lives somewhere."),
        ("restated", "Is it for three people?", "Is it for three people?"),
        ("unasked", "Good evening, how can I help you?", "I am Ann Miller and I want to change my booking."),
        ("unasked", "", "My booking number is A 73 19."),
        ("unasked", "How can I help?", "It is about A7319."),
        ("contradicted", "What is your booking number?", "My booking number is A 73 90."),
        ("contradicted", "What is your booking number?", "My booking number is seventy four nineteen."),
        ("contradicted", "What is your name?", "My name is Bob Smith."),
    ],
)
def test_a_turn_out_of_its_part_is_found(rule: str, heard: str, said: str) -> None:
    """Each by its own rule, and by no other."""
    assert broken((heard, said)) == {rule}


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("What is your booking number?", "It is A, seven three, one nine."),
        ("What is your name?", "My name is Miller."),
        ("What is your name?", "My name is not important."),
        ("What is your working armor?", "My booking number is A 73 19."),
        ("And for three people?", "For three people, yes, please."),
        ("How can I help you?", "Tonight, from two to three people."),
    ],
)
def test_what_only_looks_like_a_fault_is_none(heard: str, said: str) -> None:
    """Half a name, a misheard question, an answer that takes a word up, what the goal says anyway."""
    assert not broken((heard, said))


def test_a_thing_may_be_said_twice_and_not_three_times() -> None:
    """Where the other spoke and did not ask for it; into silence it may be said again."""
    twice = [HELLO, ("Let me see.", "What is the new price?"), ("It is green.", "What is the new price?")]
    assert not broken(*twice)
    assert broken(*twice, ("It is a table.", "What is the new price?")) == {"repeated"}
    assert not broken(*twice, ("", "What is the new price?"))
    assert not broken(*twice, ("Could you repeat that?", "What is the new price?"))


def test_after_its_goodbye_a_caller_says_farewell_or_answers() -> None:
    """Anything else is a caller that does not know that it has gone."""
    leaving = (HELLO, ("It is done.", "Thank you, goodbye."))
    assert not broken(*leaving, ("One question: what is your name?", "My name is Ann Miller."))
    assert broken(*leaving, ("Goodbye.", "Also, I would like a table outside.")) == {"after_goodbye"}


def test_who_is_called_may_speak_for_the_house() -> None:
    """A caller on the agent's side answers the telephone."""
    agent = CallerKnows(party="agent", open="Sell a table.")
    assert not broken(("Hello?", "Thank you for calling. How can I help you?"), knows=agent)


@pytest.fixture(scope="module")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A caller that tells its name though it heard of the weather, and offers help."""
    user = {
        **CALLER,
        "facts": {"name": "Ann Miller", "month": "May"},
        "opening": "Hello, I need a table in May.",
        "llm": {"kind": "rules", "answers": [{"match": ".", "say": "I am Ann Miller. How can I help you?"}]},
    }
    agent = {"kind": "scripted", "turns": ["Hello.", {"after": "user_turn", "say": "It has been raining today."}]}
    scenario = {**CALL, "user": user, "agent": agent, "duration": "12s", "scorers": ["validity"]}
    return play_session(scenario, tmp_path_factory.mktemp("chatty"), annotate=True)


def test_a_session_is_judged_by_what_its_caller_told_and_heard(chatty: Session) -> None:
    """What its opening tells is open; the name came unasked."""
    ((lines, knows),) = callers_of(chatty)
    assert (knows.party, knows.facts["month"]) == ("user", "May")
    assert [line.text for line in lines] == ["Hello, I need a table in May.", "I am Ann Miller. How can I help you?"]
    assert "today" in lines[1].heard
    assert {item.label.split(":")[0] for item in caller_faults(chatty)} == {
        "the user told its name unasked",
        "the user spoke as an assistant",
    }


def test_an_invalid_caller_makes_an_invalid_session(chatty: Session) -> None:
    """`validity` names the turn, and the scorer `caller` counts it among the turns."""
    found = {score.id: score for score in CallerScorerSpec().build().score(chatty)}
    assert found["caller.assistant_rate"].value == 0.5
    assert found["caller.contradicted_rate"].value == 0
    (invalid,) = ValiditySpec().build().score(chatty)
    assert invalid.value == 1
    assert "the user told its name unasked" in why_invalid([invalid])


def test_old_sessions_can_be_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`simulate score SESSION --as caller`; a session without a caller has no such score, and a reason."""
    play_session({**CALL, "duration": "10s"}, tmp_path)
    play_session({"name": "none", "user": {"kind": "scripted", "turns": ["Hello."]}, "agent": "silent"}, tmp_path)
    assert main(["score", str(tmp_path / "changed-0"), "--as", "caller"]) == 0
    assert "caller.unasked_rate" in capsys.readouterr().out
    assert main(["score", str(tmp_path / "none-0"), "--as", "caller"]) == 0
    assert "no party is a caller" in capsys.readouterr().out
