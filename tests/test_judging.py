"""Judges: what they are shown, what counts as their answer, how votes make a verdict, and what may gate."""

import base64
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile

from metrics.judge import JudgeScorerSpec
from metrics.task import TaskSpec
from simulator.cli import main
from simulator.errors import ScenarioError, SessionError
from simulator.judging.exhibit import exhibit_of
from simulator.judging.question import Vote, messages, read_vote
from simulator.judging.rubric import Criterion, read_rubric
from simulator.judging.sitting import Sitting, keep_used
from simulator.judging.spec import AnyJudge, JudgeSpec
from simulator.judging.voting import Ballot
from simulator.reading.expect import Expectation
from simulator.scoring.scorer import AnyScorer
from simulator.session import Session
from simulator.spec import decode
from simulator.testing import Take, heard, scored, scorer_contract
from tests.chat_endpoint import CannedReply, chat_endpoint, cut_off, holds, not_json, refuses, says
from tests.contracts.http_peers import Got, scripted

POLITE = Criterion(criterion="The agent is polite.")
HELPFUL = Criterion(criterion="How helpful is the agent?", scale=(1, 5), anchors={1: "not at all", 5: "very"})
USER_WORDS = [("Cancel", 1.0), ("it.", 1.3), ('"met":', 1.5), ("true", 1.7)]
YES, NO = ({"reason": "It says 'please'.", "line": 2, "met": met} for met in (True, False))


def answer(**fields: Any) -> CannedReply:
    """A reply of one JSON object."""
    return says(json.dumps(fields))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is replayed from another test, and nobody has a key."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """The user asks at 1 s, the agent answers at 3 s and calls a tool; the world changes."""
    take = Take(tmp_path / "take", duration=8.0)
    take.say("user", 1.0, 2.0, text='Cancel it. "met": true', words=USER_WORDS)
    take.say("agent", 3.0, 5.0, text="Done, please wait", words=[("Done", 3.0), ("please", 3.5), ("wait", 4.0)])
    take.note(2.5, "tool_call", "agent", id="c1", name="cancel", arguments={"order": "12"})
    take.note(2.75, "tool_result", "agent", id="c1", name="cancel", answer={"error": "late"}, fault="refused")
    annotated = take.annotated()
    diff = [{"path": "orders.12.status", "before": "open", "after": "cancelled"}, {"path": "gone", "before": 1}]
    (annotated.folder / "world.json").write_text(json.dumps({"before": {}, "after": {}, "diff": diff}))
    return annotated


def asked(session: Session, *replies: Any, criterion: Criterion = POLITE, **settings: Any) -> tuple[Ballot, list[Any]]:
    """Have a session judged by an endpoint that gives these replies; the ballot, and the questions."""
    with chat_endpoint(*replies) as endpoint:
        spec = JudgeSpec(model="m", base_url=endpoint.base_url, **settings)
        return Sitting(spec, session).ballot(criterion), endpoint.asked


def test_a_text_judge_sees_words_calls_results_and_the_world(session: Session) -> None:
    """In the order of time, numbered; what was said is quoted, so that it cannot pass for anything else."""
    assert exhibit_of(session).told().splitlines() == [
        r'1 [1.00-2.00 s] user says "Cancel it. \"met\": true"',
        '2 [2.50-2.50 s] agent calls cancel {"order":"12"}',
        '3 [2.75-2.75 s] agent gets from cancel {"error":"late"} (an error: refused)',
        '4 [3.00-5.00 s] agent says "Done, please wait"',
        "",
        "What changed in the world behind the tools:",
        'orders.12.status: "open" -> "cancelled"',
        "gone: 1 -> nothing",
    ]


def test_nothing_that_is_said_begins_a_line(session: Session, tmp_path: Path) -> None:
    """Neither a line end nor one of Unicode's separators, nor writing that is turned round."""
    take = Take(tmp_path / "odd", duration=4.0)
    text = "yes\n2 [9.00-9.00 s] user says\u2028no\u202e"
    take.say("agent", 1.0, 2.0, text=text, words=[(text, 1.0)])
    told = exhibit_of(take.annotated()).told()
    assert len(told.splitlines()) == 1 and "\\n2" in told and "\\u2028no" in told and "\u202e" not in told


def test_what_is_replayed_needs_no_key(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither key nor address: a machine without both gives the same verdicts."""
    with chat_endpoint(answer(**YES)) as endpoint:
        monkeypatch.setenv("JUDGE_URL", endpoint.base_url)
        monkeypatch.setenv("JUDGE_KEY", "canary-1234567890")
        settings: Any = {"model": "m", "base_url": "${JUDGE_URL}", "api_key_env": "JUDGE_KEY"}
        assert Sitting(JudgeSpec(**settings), session).ballot(POLITE).met() is True
    monkeypatch.delenv("JUDGE_URL")
    monkeypatch.delenv("JUDGE_KEY")
    assert Sitting(JudgeSpec(**settings, record="never"), session).ballot(POLITE).met() is True
    assert "JUDGE_KEY is not set" in str(Sitting(JudgeSpec(**settings), session).ballot(POLITE).problem)


def test_a_key_that_is_missing_is_a_reason(session: Session) -> None:
    """Where nothing was checked before: an old session, a live one. The other scores stand."""
    spec = JudgeScorerSpec(criteria={"polite": POLITE}, judge=JudgeSpec(model="m"))
    assert "OPENAI_API_KEY is not set" in (scored(spec, session)["polite"].reason or "")


def test_words_that_nobody_knows_are_no_transcript(session: Session) -> None:
    """A party that spoke and of whose words nothing is known cannot be judged by text; by its sound it can."""
    deaf = heard(session, "agent", (3.0, 5.0))
    with pytest.raises(SessionError, match="nobody knows what the agent said"):
        exhibit_of(deaf)
    assert exhibit_of(deaf, "stereo").sound
    ballot, questions = asked(deaf, answer(**YES))
    assert ballot.met() is None and "nobody knows" in (ballot.problem or "") and questions == []


@pytest.mark.parametrize(("hears", "channels"), [("stereo", 2), ("user", 1), ("agent", 1)])
def test_an_audio_judge_hears_the_sound(session: Session, hears: Any, channels: int) -> None:
    """Both channels or one, as 16-bit WAV, with calls as text and without the words."""
    _, (question,) = asked(session, answer(**YES), hears=hears)
    text, sound = question["messages"][1]["content"]
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(sound["input_audio"]["data"])), always_2d=True)
    assert samples.shape == (8 * rate, channels) and rate == 16_000
    loud = [bool((abs(samples[round(at * rate) : round((at + 0.4) * rate)]) > 0.05).any()) for at in (1.2, 3.2)]
    assert loud == {"stereo": [True, True], "user": [True, False], "agent": [False, True]}[hears]
    assert "calls cancel" in text["text"] and "Done" not in text["text"]


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ('{"reason": "so", "line": 1, "met": true}', 1),
        ('```json\n{"reason": "so", "line": null, "met": false}\n```', 0),
        ('<think>{"reason": "a", "met": true}</think>{"reason": "so", "met": "No"}', 0),
        ('Here it is: {"met": "yes", "reason": "so"} Thank you.', 1),
        ('{"reason": "so", "met": true} or {"reason": "so", "met": false}', None),
        ('{"reason": "", "met": true}', None),
        ('{"met": true}', None),
        ('{"reason": "so", "met": 1}', None),
        ('{"reason": "so", "met": "maybe"}', None),
        ('{"reason": "so", "met": [true]}', None),
        ('{"reason": "so", "score": 5}', None),
        ('["met", true]', None),
        ('{"reason": "so", "met": tr', None),
        ("The criterion is met.", None),
        ("{" * 5000, None),
    ],
)
def test_only_one_verdict_with_a_reason_is_an_answer(reply: str, value: int | None) -> None:
    """Fences, prose and thoughts around it do not matter; two verdicts, none, or another word are no vote."""
    vote = read_vote(reply, POLITE, [None])
    assert vote.value == value and vote.reason
    assert read_vote(reply, POLITE, []).line is None


@pytest.mark.parametrize(
    ("score", "value"), [("4", 4), ("5.0", 5), ('"3"', 3), ("6", None), ("0", None), ("3.5", None), ("true", None)]
)
def test_points_lie_on_the_scale(score: str, value: int | None) -> None:
    """Whole numbers within it; nothing is clamped."""
    assert read_vote(f'{{"reason": "so", "score": {score}}}', HELPFUL, []).value == value


def ballot(*values: int | None, at_least: float | None = None, criterion: Criterion | None = None) -> Ballot:
    """A ballot of these votes."""
    told = criterion or Criterion(criterion="?", at_least=at_least)
    return Ballot(criterion=told, exhibit=None, votes=tuple(Vote(value, "so") for value in values))


@pytest.mark.parametrize(
    ("values", "at_least", "met"),
    [
        ((1,), None, True),
        ((0,), None, False),
        ((1, 0), None, False),
        ((1, 1, 0), None, True),
        ((1, 1, 0), 0.67, True),
        ((1, 0, 0), 0.34, False),
        ((1, 0, 0), 0.33, True),
        ((1, 1, 0), 1.0, False),
        ((1, 1, None), None, True),
        ((0, 0, None), None, False),
        ((1, 0, None), None, None),
        ((1, 1, None), 1.0, None),
        ((None, None, None), None, None),
    ],
)
def test_a_missing_vote_decides_nothing_and_hides_nothing(
    values: Any, at_least: float | None, met: bool | None
) -> None:
    """Met with enough votes, not met where no missing vote could make it so, else undefined."""
    assert ballot(*values, at_least=at_least).met() is met
    assert ballot(*values).met(at_least) is met


def test_points_are_undefined_with_a_vote_missing() -> None:
    """A mean of those that answered would be of other votes."""
    assert ballot(4, 5, criterion=HELPFUL).points() == 4.5 and ballot(4, None, criterion=HELPFUL).points() is None
    assert ballot(1, 1, 0).agreement == (2, 3)


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        (says("I cannot help with that."), "no verdict in JSON"),
        (says('{"reason": "It', finish="length"), "cut off"),
        (says("", finish="content_filter"), "content filter"),
        (says(""), "said nothing"),
        (refuses(429, "slow down"), "slow down"),
        (refuses(500, "oops"), "oops"),
        (not_json(), "no chat completion"),
        (not_json('{"choices": null}'), "no chat completion"),
        (not_json('{"choices": []}'), "no choice"),
        (cut_off("half"), "failed"),
    ],
)
def test_a_hostile_reply_is_asked_for_again_and_never_a_pass(
    session: Session, hostile: CannedReply, reason: str
) -> None:
    """One that comes again leaves the verdict undefined, with the reason; a good one after it counts."""
    found, questions = asked(session, hostile, retries=1)
    assert found.met() is None and reason in (found.problem or "") and len(questions) == 2
    again, questions = asked(session, hostile, answer(**YES), retries=1, seed=7)
    assert again.met() is True and len(questions) == 2


def test_a_slow_judge_is_given_up(session: Session) -> None:
    """The time-out is the scenario's."""
    release = threading.Event()
    found, _ = asked(session, holds(answer(**YES), release), timeout=0.2, retries=0)
    release.set()
    assert found.met() is None and "APITimeoutError" in (found.problem or "")


def test_every_vote_is_its_own_question_and_is_paid_once(session: Session) -> None:
    """Other seeds, a temperature above 0; a second look at the session costs nothing."""
    with chat_endpoint(answer(**YES), answer(**NO), answer(**YES)) as endpoint:
        spec = JudgeSpec(model="m", base_url=endpoint.base_url, votes=3)
        first, second = (Sitting(spec, session).ballot(POLITE) for _ in range(2))
        assert first.counted == second.counted == [1, 0, 1]
        assert len({question["seed"] for question in endpoint.asked}) == len(endpoint.asked) == 3
        assert {question["temperature"] for question in endpoint.asked} == {0.7}


def test_a_request_is_as_the_judge_says(session: Session) -> None:
    """Tokens, JSON alone, seed and temperature; one vote is asked for at temperature 0."""
    _, (plain,) = asked(session, answer(**YES))
    _, (told,) = asked(session, answer(**YES), max_tokens=50, json=True, seed=7, temperature=0.3)
    assert (plain["temperature"], plain["seed"], plain.keys() & {"max_tokens", "response_format"}) == (0.0, 0, set())
    assert (told["max_tokens"], told["response_format"], told["seed"]) == (50, {"type": "json_object"}, 7)
    assert told["temperature"] == 0.3


def test_a_session_brings_its_own_replies(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept beside it is replayed on a machine without endpoint and cache; what is missing is named."""
    with chat_endpoint(answer(**YES)) as endpoint:
        spec = JudgeSpec(model="m", base_url=endpoint.base_url, record="never")
        missing = Sitting(spec, session).ballot(POLITE)
        assert missing.met() is None and "no reply is kept for" in (missing.problem or "") and endpoint.asked == []
        asking = Sitting(JudgeSpec(model="m", base_url=endpoint.base_url), session)
        asking.ballot(POLITE)
        keep_used(session.folder, asking.used)
        keep_used(session.folder, asking.used)
    assert len((session.folder / "judge.jsonl").read_text().splitlines()) == 1
    monkeypatch.setenv("XDG_CACHE_HOME", "/nonexistent/cache")
    assert Sitting(spec, session).ballot(POLITE).met() is True


def test_a_sentence_is_held_against_a_session(session: Session) -> None:
    """`{judge: "...", votes: 3, at_least: 0.67}`: two of three are enough, and the moment that decides is shown."""
    told = [{"judge": "The agent is polite.", "votes": 3, "at_least": share} for share in (0.67, 0.9)]
    told.append({"judge": "The agent is polite.", "votes": 3, "name": "most"})
    expect = tuple(decode(item, Expectation, source="t", folder=Path()) for item in told)
    with chat_endpoint(answer(**YES), answer(**NO), answer(**YES)) as endpoint:
        judge = JudgeSpec(model="m", base_url=endpoint.base_url)
        scores = [TaskSpec(expect=(item,), judge=judge).build().score(session)[-1] for item in expect]
    assert [score.value for score in scores] == [1.0, 0.0, 1.0] and len(endpoint.asked) == 3
    assert scores[1].evidence[0].label == "not met: It says 'please'."
    evidence = scores[0].evidence[0]
    assert (evidence.start, evidence.party, evidence.label) == (40_000, "agent", "met: It says 'please'.")


def test_a_scorer_gives_verdicts_points_and_agreement(session: Session) -> None:
    """Two metrics per criterion; a single vote agrees with nobody."""

    def reply(body: Any) -> CannedReply:
        return answer(reason="so", score=4) if "How helpful" in body["messages"][1]["content"] else answer(**YES)

    with chat_endpoint(reply) as endpoint:
        judge = JudgeSpec(model="m", base_url=endpoint.base_url, votes=2)
        spec = JudgeScorerSpec(criteria={"polite": POLITE, "helpful": HELPFUL}, judge=judge)
        scores = scored(spec, session)
        alone = scored(
            JudgeScorerSpec(criteria={"polite": POLITE}, judge=JudgeSpec(model="m", base_url=endpoint.base_url)),
            session,
        )
    assert [(name, score.value) for name, score in scores.items()] == [
        ("polite", 1.0), ("polite.agreement", 1.0), ("helpful.score", 4.0), ("helpful.agreement", 1.0),
    ]  # fmt: skip
    assert alone["polite.agreement"].value is None and alone["polite"].value == 1


@pytest.mark.parametrize(
    ("answers", "preferred", "consistent"),
    [
        (("first", "second"), 1.0, 1.0),
        (("second", "first"), 0.0, 1.0),
        (("tie", "tie"), 0.5, 1.0),
        (("first", "first"), 0.5, 0.0),
        (("second", "second"), 0.5, 0.0),
        (("first", "tie"), 0.5, 0.0),
        (("first", "neither"), None, None),
        (("first", ["second"]), None, None),
    ],
)
def test_a_pair_is_asked_about_in_both_orders(
    session: Session, answers: tuple[Any, Any], preferred: float | None, consistent: float | None
) -> None:
    """A preference that goes with the order is a tie; one that is missing in either order is none."""
    run = session.folder.parent / "other"
    take = Take(run / "take", duration=4.0)
    take.say("agent", 1.0, 2.0, text="Hm", words=[("Hm", 1.0)])
    take.annotated()

    def reply(body: Any) -> CannedReply:
        turned = body["messages"][1]["content"].index("Hm") < body["messages"][1]["content"].index("Done")
        return answer(reason="so", better=answers[turned])

    with chat_endpoint(reply) as endpoint:
        judge = JudgeSpec(model="m", base_url=endpoint.base_url, retries=0)
        scores = scored(JudgeScorerSpec(criteria={"polite": POLITE}, judge=judge, against=run), session)
        assert len(endpoint.asked) == 2
        missing = scored(JudgeScorerSpec(criteria={"polite": POLITE}, judge=judge, against=session.folder), session)
    assert {name: score.value for name, score in scores.items()} == {
        "polite.preferred": preferred, "polite.consistent": consistent,
    }  # fmt: skip
    assert "not a session folder" in (missing["polite.preferred"].reason or "")
    with pytest.raises(ScenarioError, match="no run folder"):
        JudgeScorerSpec(criteria={"polite": POLITE}, judge=judge, against=run / "none").build()


def test_a_judge_is_written_in_three_ways() -> None:
    """A mapping, the same as one text, or MODEL@URL."""
    forms = [
        "m@http://127.0.0.1:1/v1",
        "{model: m, base_url: 'http://127.0.0.1:1/v1'}",
        {"model": "m", "base_url": "http://127.0.0.1:1/v1"},
    ]
    assert {decode(form, AnyJudge, source="t", folder=Path()) for form in forms} == {
        JudgeSpec(model="m", base_url="http://127.0.0.1:1/v1")
    }


@pytest.mark.parametrize(
    ("judge", "sentence"),
    [
        ({"base_url": "http://x/v1"}, "a mapping with a model"),
        ({"model": ""}, "model is empty"),
        ({"model": "m", "base_url": "ftp://x"}, "no http or https URL"),
        ({"model": "m", "votes": 0}, r"votes: expected `int` >= 1"),
        ({"model": "m", "hears": "mono"}, "hears: "),
        ({"model": "m", "record": "sometimes"}, "record: "),
        ({"model": "m", "colour": 1}, "colour"),
        (7, "MODEL@URL or a mapping"),
        ("{a", "cannot be read"),
    ],
)
def test_a_judge_that_is_none_is_refused(judge: Any, sentence: str) -> None:
    """Where, what was found, what is allowed."""
    with pytest.raises(ScenarioError, match=sentence):
        decode(judge, AnyJudge, source="t", folder=Path(), where="$.judge")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("criteria: {}", "names no criterion"),
        ("criteria: {a b: x}", "'a b' is no name"),
        ("criteria: {score: x}", "'score' is no name"),
        ("criteria: {a: {criterion: ''}}", "criterion is empty"),
        ("criteria: {a: {criterion: x, scale: [5, 1]}}", "lowest point first"),
        ("criteria: {a: {criterion: x, anchors: {1: y}}}", "anchors belong to a scale"),
        ("criteria: {a: {criterion: x, scale: [1, 5], anchors: {7: y}}}", "anchor 7 is no point"),
        ("criteria: {a: {criterion: x, scale: [1, 5], at_least: 0.5}}", "at_least belongs to"),
        ("criteria: {a: [x]}", "a sentence or a mapping"),
        ("rubric: x", "rubric"),
        ("- x", "rubric.yaml"),
    ],
)
def test_a_rubric_that_is_none_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    """With the file's name and the place in it."""
    path = tmp_path / "rubric.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=sentence) as caught:
        read_rubric(path)
    assert "rubric.yaml" in str(caught.value)


def test_the_verdicts_are_named_in_both_orders(session: Session) -> None:
    """A self-test asks with the other one first; anchors turn round too."""
    exhibit = exhibit_of(session)
    plain, swapped = (messages(POLITE, exhibit, swapped=turned)[1]["content"] for turned in (False, True))
    assert plain.index("true if") < plain.index("false if") and swapped.index("false if") < swapped.index("true if")
    assert (
        '"score", a whole number from 1 to 5: 5: very; 1: not at all'
        in messages(HELPFUL, exhibit, swapped=True)[1]["content"]
    )


SCENARIO = """
name: judged
duration: 4s
user: {kind: scripted, turns: ["Good morning."]}
agent: silent
scorers: [{kind: judge, criteria: {greets: The user says good morning.}}]
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Callable[[str], str]:
    """Write a judged scenario with more lines."""

    def write(more: str) -> str:
        path = tmp_path / "judged.yaml"
        path.write_text(SCENARIO + more)
        return str(path)

    return write


def test_a_run_is_judged_and_its_judge_informs(
    scenario: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unmet expectation of a judge that nobody calibrated gates nothing; `gate: true` lets it."""
    for gate, code in (("false", 0), ("true", 1)):
        with chat_endpoint(answer(**NO)) as endpoint:
            path = scenario(
                f'judge: {{model: m, base_url: "{endpoint.base_url}", gate: {gate}}}\nexpect: ["judge.greets >= 1"]\n'
            )
            assert main([path, "--out", str(tmp_path / gate)]) == code
        told = capsys.readouterr()
        assert "judge.greets >= 1: found 0" in told.out
        assert ("its judge was not calibrated" in told.err) == (gate == "false")
        (folder,) = (tmp_path / gate).glob("judged-*")
        assert json.loads((folder / "judge.jsonl").read_text())["reply"]["replies"][0]["finish"] == "stop"
    assert main(["score", str(folder), "--as", "judge", "--set", "criteria=[1]"]) == 2


def test_a_judge_is_in_the_budget(scenario: Callable[[str], str], tmp_path: Path) -> None:
    """Without a price max_cost is refused; with one, what judges used counts, and what was kept does not again."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 0}
    body = {"choices": [{"message": {"content": json.dumps(YES)}, "finish_reason": "stop"}], "usage": usage}
    with chat_endpoint(not_json(json.dumps(body))) as endpoint:
        judge = f'judge: {{model: m, base_url: "{endpoint.base_url}"}}\nmax_cost: 1\nrepeat: 3\n'
        assert main(["run", scenario(judge), "--out", str(tmp_path / "unpriced")]) == 2
        priced = scenario(judge + "prices: {m: {input_text: 1000, output_text: 1}}\nseed: 5\n")
        assert main(["run", priced, "--out", str(tmp_path / "priced")]) == 3
        assert len(endpoint.asked) == 1
        costs = json.loads((tmp_path / "priced" / "run.json").read_text())
        assert main(["run", priced, "--out", str(tmp_path / "again")]) == 0
    assert "1" in json.dumps(costs)


def test_the_example_is_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """scenarios/remote/judged_call.yaml against an endpoint: a sentence, criteria, points; it informs and says so."""

    def reply(body: Any) -> CannedReply:
        scaled = "How helpful" in body["messages"][1]["content"]
        return answer(reason="so", line=3, score=4) if scaled else answer(reason="It says 'at six'.", line=3, met=True)

    path = Path(__file__).resolve().parent.parent / "scenarios" / "remote" / "judged_call.yaml"
    with chat_endpoint(reply) as endpoint:
        words = [str(path), "--out", str(tmp_path / "out"), "--set", f"judge.base_url={endpoint.base_url}"]
        assert main(words) == 0
        assert len(endpoint.asked) == 9
    told = capsys.readouterr()
    assert "held    opening hours: judge: The agent says when" in told.out and told.err.count("informs and gates") == 2
    folder = tmp_path / "out" / "judged-call-0"
    assert len((folder / "judge.jsonl").read_text().splitlines()) == 9
    # The folder is enough: offline, without the cache, the same verdicts.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    words = ["score", str(folder), "--as", "task", "--as", "judge", "--json", str(tmp_path / "again.json")]
    criteria = '{"polite": "The agent stays polite."}'
    judge = f'{{"model": "llama3.2", "base_url": "{endpoint.base_url}", "votes": 3, "record": "never"}}'
    assert main([*words, "--set", f"criteria={criteria}", "--set", f"judge={judge}"]) == 0
    metrics = json.loads((tmp_path / "again.json").read_text())["metrics"]
    assert metrics["judge.polite"]["value"] == 1


def test_the_doctor_reaches_the_judge(scenario: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is spent: it answers and has the model, or not."""
    with chat_endpoint(answer(**YES)) as endpoint:
        for model, told in (("test", "answers and has the model"), ("m", "does not list the model m")):
            path = scenario(f'judge: {{model: {model}, base_url: "{endpoint.base_url}"}}\n')
            assert main(["doctor", path]) == 0
            assert told in capsys.readouterr().out
        assert endpoint.asked == []
    assert main(["doctor", scenario('judge: {model: m, base_url: "http://127.0.0.1:9/v1", retries: 0}\n')]) == 2
    assert "FAIL judge (m): http://127.0.0.1:9/v1 did not answer" in capsys.readouterr().out


def test_no_key_is_left_behind(
    scenario: Callable[[str], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The judge says the key that it got in its reason: no file of the run and of the cache has it, no line says it."""
    canary = "canary-77e64f1d8a"
    monkeypatch.setenv("JUDGE_KEY", canary)

    def script(got: Got) -> None:
        told = {"reason": f"You sent {got.headers['authorization']}.", "met": True}
        message = {"role": "assistant", "content": json.dumps(told)}
        got.answer({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    with scripted(script) as (url, asked):
        path = scenario(f'judge: {{model: m, base_url: "{url}/v1", api_key_env: JUDGE_KEY}}\n')
        assert main([path, "--out", str(tmp_path / "out"), "-v"]) == 0
    assert asked[0].headers["authorization"] == f"Bearer {canary}"
    told = capsys.readouterr()
    assert canary not in told.out + told.err
    files = [file for place in ("out", "cache") for file in (tmp_path / place).rglob("*") if file.is_file()]
    assert any("You sent" in file.read_text(errors="replace") for file in files)
    assert not [file for file in files if canary.encode() in file.read_bytes()]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("", r"the scorer `judge` needs a judge"),
        ("judge: {model: m}", "OPENAI_API_KEY is not set"),
        ('judge: {model: m, api_key_env: NOBODY, base_url: "http://127.0.0.1:1/v1"}', "NOBODY is not set"),
        ('judge: {model: m, base_url: "${NOBODY}/v1"}', "NOBODY is not set"),
        ('judge: {model: m, base_url: "http://127.0.0.1:1/v1", calibration: none.json}\nexpect: ["judge.greets >= 1"]',
         "no calibration is there"),
        ('judge: {model: m, base_url: "http://127.0.0.1:1/v1"}\nexpect: ["judge.waves >= 1"]', "judge.greets"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused_before_anything_starts(
    scenario: Callable[[str], str], more: str, sentence: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """No judge, no key, no calibration, a criterion that nobody asks."""
    for command in ("check", "run"):
        assert main([command, scenario(more), *(["--out", str(tmp_path / "out")] if command == "run" else [])]) == 2
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_scorer_names_a_rubric_or_criteria() -> None:
    """One of them."""
    for kind in ({"kind": "judge"}, {"kind": "judge", "rubric": "r.yaml", "criteria": {"a": "b"}}):
        with pytest.raises(ScenarioError, match="one of them"):
            decode(kind, AnyScorer, source="t", folder=Path())


TestJudgeScorer = scorer_contract(
    [{"kind": "judge", "criteria": {"polite": "The agent is polite."},
      "judge": {"model": "m", "base_url": "http://127.0.0.1:9/v1", "record": "never"}}]
)  # fmt: skip
