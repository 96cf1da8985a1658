"""Who takes part in an arena: runs of ours, and other systems' output folders, each with names of its own."""

import json
from cProfile import Profile
from pathlib import Path
from pstats import Stats

import pytest

from simulator.arena.layouts import KnownQuestions, read_folder
from simulator.arena.sources import Source, read_field
from simulator.errors import ScenarioError
from tests.arena_folders import answers, sound
from tests.command_line import SHORT, simulate

IDS = ("edu/q1", "edu/q2", "edu/q10", "med/q1")


def asked(folder: Path, ids: tuple[str, ...] = IDS) -> KnownQuestions:
    """Questions in S2S-Arena's layout."""
    for name in ids:
        sound(folder / f"{name}.wav", words=f"the words of {name}")
    return KnownQuestions(sorted(ids), folder)


def found(folder: Path, questions: KnownQuestions) -> dict[str, str]:
    """By question, the file that answers it."""
    return {name: str(answer.sound.path.relative_to(folder)) for name, answer in
            read_folder(folder, "s", questions).answers.items()}  # fmt: skip


def test_most_systems_call_an_answer_as_its_question(tmp_path: Path) -> None:
    """TASK/CLIP; a clip alone is that of the only question that ends so, and else stands for itself."""
    questions = asked(tmp_path / "input")
    folder = answers(tmp_path / "s", {"edu/q1": 1, "med/q1": 1, "q2": 1, "q9": 1})
    assert found(folder, questions) == {
        "edu/q1": "edu/q1.wav",
        "med/q1": "med/q1.wav",
        "edu/q2": "q2.wav",
        "q9": "q9.wav",
    }


def test_gpt_4o_has_a_folder_for_every_question(tmp_path: Path) -> None:
    """TASK/CLIP/item_*.wav with its transcript beside it."""
    item = sound(tmp_path / "s" / "edu" / "q1" / "item_AbC.wav")
    item.with_name("item_AbC.audio_transcript.txt").write_text("Sure.\n")
    entrant = read_folder(tmp_path / "s", "s", asked(tmp_path / "input"))
    assert entrant.answers["edu/q1"].words() == "Sure."


def test_llama_omni_counts_through_its_list_of_questions(tmp_path: Path) -> None:
    """N_pred.wav is the Nth of question.json, from 1; CLIP_pred.wav is CLIP."""
    questions = asked(tmp_path / "input")
    rows = [{"id": "q10", "speech": "-"}, {"id": "q2", "speech": "-"}]
    (tmp_path / "input" / "edu" / "question.json").write_text(json.dumps(rows))
    answers(tmp_path / "s", {"edu/1_pred": 1, "edu/2_pred": 1, "med/q1_pred": 1})
    assert found(tmp_path / "s", questions) == {
        "edu/q10": "edu/1_pred.wav", "edu/q2": "edu/2_pred.wav", "med/q1": "med/q1_pred.wav",
    }  # fmt: skip


def test_mini_omni_counts_from_zero_in_the_order_of_first_numbers(tmp_path: Path) -> None:
    """q1, q2, q10 are 00, 01, 02; a task with an answer less than questions is left out whole, and told."""
    questions = asked(tmp_path / "input")
    folder = answers(tmp_path / "s", {"edu/A1-A2/00": 1, "edu/A1-A2/01": 1, "edu/A1-A2/02": 1})
    assert found(folder, questions) == {
        "edu/q1": "edu/A1-A2/00.wav", "edu/q2": "edu/A1-A2/01.wav", "edu/q10": "edu/A1-A2/02.wav",
    }  # fmt: skip
    (folder / "edu" / "A1-A2" / "02.wav").unlink()
    entrant = read_folder(folder, "s", questions)
    assert entrant.answers == {}
    assert "2 answers, 3 known questions: nobody can tell whose they are" in entrant.notes[0]


def test_mini_omni_is_left_out_where_first_numbers_are_alike(tmp_path: Path) -> None:
    """v2_0 and v2_1 both begin with 2: the file system decided who came first."""
    questions = asked(tmp_path / "input", ("edu/v2_0", "edu/v2_1"))
    folder = answers(tmp_path / "s", {"edu/A1-A2/00": 1, "edu/A1-A2/01": 1})
    assert read_folder(folder, "s", questions).answers == {}


def test_funaudio_counts_from_zero_in_the_order_of_names(tmp_path: Path) -> None:
    """audio_0 is q1, audio_1 is q10; where questions are called so themselves, they are meant."""
    folder = answers(tmp_path / "s", {"edu/audio_0": 1, "edu/audio_1": 1, "edu/audio_2": 1})
    assert found(folder, asked(tmp_path / "input"))["edu/q10"] == "edu/audio_1.wav"
    named = asked(tmp_path / "named", ("edu/audio_1", "edu/audio_2", "edu/audio_3"))
    assert found(folder, named)["edu/audio_1"] == "edu/audio_1.wav"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("llm_responses.json", '[{"filename": "q1.wav", "llm_response": "Good."}]', "Good."),
        ("x.json", '[{"filename": "q1.mp3", "llm_response": "生成风格: 快乐;播报内容: 你好"}]', "你好"),
        ("responses.json", '{"question": "in/q1.wav", "textAnswer": "A."}\n{"question": "in/q2.wav"}', "A."),
    ],
)
def test_words_are_read_where_a_system_leaves_them(tmp_path: Path, name: str, content: str, words: str) -> None:
    """Cascade's list, FunAudioLLM's without the style, SpeechGPT's JSON lines."""
    sound(tmp_path / "s" / "edu" / "q1.wav")
    (tmp_path / "s" / "edu" / name).write_text(content, encoding="utf-8")
    assert read_folder(tmp_path / "s", "s", KnownQuestions([])).answers["edu/q1"].words() == words


def test_questions_lie_beside_outputs(tmp_path: Path) -> None:
    """input/ beside output/SYSTEM tells transcript, target and domain."""
    asked(tmp_path / "input")
    (tmp_path / "input" / "edu" / "metadata.json").write_text('{"q1": {"target": "slow", "domain": "education"}}')
    for name in ("one", "two"):
        answers(tmp_path / "output" / name, {"edu/q1": 1, "edu/q2": 1})
    field = read_field([f"{tmp_path}/output/one:first", str(tmp_path / "output" / "two")])
    assert [entrant.system for entrant in field.entrants] == ["first", "two"]
    question = field.questions["edu/q1"]
    assert (question.domain, question.target, question.transcript) == ("education", "slow", "the words of edu/q1")
    assert field.questions["edu/q2"].domain == "edu"


def test_runs_of_ours_meet_by_scenario_with_the_call_before_the_answer_cut_off(tmp_path: Path) -> None:
    """Two runs of one scenario answer its question; the clip is the agent's side, from where it begins to speak."""
    scenario = tmp_path / "short.yaml"
    scenario.write_text(json.dumps(SHORT))
    for name in ("one", "two"):
        assert simulate(scenario, "--out", tmp_path / name) == 0
    field = read_field([str(tmp_path / "one"), f"{tmp_path}/two:other"])
    (question,) = field.common(*field.entrants)
    assert question == "short"
    assert field.questions[question].transcript == "Hello there."
    answer = field.answer("other", question)
    assert answer.words() == "Good evening."
    assert 0.3 < answer.sound.seconds() < 2.0


def test_what_takes_no_part_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """No folder, no name, no sound, one name twice, nothing in common: each says what was found."""
    one = answers(tmp_path / "one", {"edu/q1": 1})
    other = answers(tmp_path / "other", {"edu/q7": 1})
    (tmp_path / "empty").mkdir()
    for sources, said in (
        ([f"{tmp_path}/none:x"], "none is no folder"), ([f"{one}:"], "no name after the colon"),
        ([str(one), str(tmp_path / "empty")], "holds no session and no sound"),
        ([f"{one}:x", f"{other}:x"], "called 'x'"),
        ([str(one), str(other)], "no question was answered by two systems: one answers edu/q1; other answers edu/q7"),
    ):  # fmt: skip
        with pytest.raises(ScenarioError, match=said):
            read_field(sources)
    assert Source.of(str(one)).name == "one"


def test_many_answers_are_read_in_a_time_that_grows_with_their_number(tmp_path: Path) -> None:
    """Twice as many folders of an answer each compare no more than about twice as many names and paths."""
    sounds = [tmp_path / "s" / f"q{number}" / "item_1.wav" for number in range(400)]
    sound(sounds[0])
    for path in sounds[1:]:
        path.parent.mkdir()
        path.hardlink_to(sounds[0])

    def calls(count: int) -> int:
        profile = Profile()
        known = KnownQuestions([f"edu/q{number}" for number in range(count)])
        for extra in sounds[count:]:
            extra.unlink(missing_ok=True)
        profile.runcall(read_folder, tmp_path / "s", "s", known)
        return sum(int(entry[1]) for entry in Stats(profile).stats.values())  # type: ignore[attr-defined]

    whole, half = calls(400), calls(200)
    assert whole < 2.5 * half
