"""The pages without a browser: what they are made of, and which sessions get one."""

import re
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from simulator.cli import INCOMPLETE, OK, REFUSED, main
from simulator.errors import SessionError
from simulator.report import assets
from simulator.report.audio import CODECS, codec_for, compress
from simulator.report.marks.decisions import decisions
from simulator.report.marks.marks import marks_of
from simulator.report.marks.peaks import STEPS, peaks_of
from simulator.report.marks.timeline_data import page_data, understood
from simulator.report.numbers import clock_time, figure
from simulator.report.page import write_session_page
from simulator.report.score_list import flowing, score_list, verdict_list
from simulator.results.judged import read_judged
from simulator.results.run import SESSION_PAGE
from simulator.score import Score
from simulator.session import read_session
from tests.report_sessions import RATE, add_decisions, make_session

HTTP = re.compile(r"(?:src|href|url)\s*[=(]\s*[\"']?(?:https?:)?//", re.IGNORECASE)


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of 30 s over a noisy line."""
    folder = tmp_path_factory.mktemp("run") / "call-0"
    make_session(folder, duration_s=30, heard=True)
    return folder


def _marks(folder: Path, kind: str):
    session = read_session(folder)
    return [mark for mark in marks_of(session, read_judged(folder).scores) if mark.kind == kind]


def test_a_page_names_nothing_outside_itself(call):
    """report.html loads nothing: no address of another host, no file beside it but the link to the run."""
    write_session_page(call)
    page = (call / SESSION_PAGE).read_text(encoding="utf-8")
    assert not HTTP.search(page)
    assert '<link rel="stylesheet"' not in page
    assert re.search(r"<script[^>]+src=", page) is None


def test_a_page_without_sound_is_within_its_budget(tmp_path):
    """300 kB and 2 MB per hour hold everything but the sound, also with a line that changes what is heard."""
    make_session(tmp_path / "long", duration_s=600, heard=True)
    write_session_page(tmp_path / "long", "none")
    assert (tmp_path / "long" / SESSION_PAGE).stat().st_size < 300_000 + 2_000_000 / 6


def test_the_same_session_gives_the_same_page(call, tmp_path):
    """Pages hold no time of day: writing one twice gives the same bytes."""
    write_session_page(call)
    first = (call / SESSION_PAGE).read_bytes()
    write_session_page(call)
    assert (call / SESSION_PAGE).read_bytes() == first


def test_hostile_text_stays_text(tmp_path):
    """A scenario or an utterance cannot put elements into the page."""
    evil = "</script><script>alert(1)</script>"
    make_session(tmp_path / "evil", duration_s=3, scenario=evil)
    write_session_page(tmp_path / "evil")
    assert evil not in (tmp_path / "evil" / SESSION_PAGE).read_text(encoding="utf-8")


def test_a_session_that_was_cut_off_gets_a_page(tmp_path):
    """A killed session has a page that tells what is missing."""
    folder = tmp_path / "killed"
    make_session(folder, duration_s=10, bare=True)
    events = (folder / "events.jsonl").read_bytes()
    (folder / "events.jsonl").write_bytes(events[: len(events) // 2])
    sound = (folder / "conversation.wav").read_bytes()
    (folder / "conversation.wav").write_bytes(sound[: len(sound) // 2])
    write_session_page(folder)
    page = (folder / SESSION_PAGE).read_text(encoding="utf-8")
    assert "is not whole" in page
    assert "bytes of sound that its header promises" in page


def test_a_folder_that_is_no_session_gets_no_page(tmp_path):
    """Nothing is left behind where a page cannot be written."""
    with pytest.raises(SessionError, match="not a session folder"):
        write_session_page(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_session_gets_a_page(tmp_path):
    """A session that ended before its first sample still has a page."""
    make_session(tmp_path / "empty", duration_s=2, bare=True)
    soundfile.write(tmp_path / "empty" / "conversation.wav", np.zeros((0, 2), np.int16), RATE)
    write_session_page(tmp_path / "empty")
    assert (tmp_path / "empty" / SESSION_PAGE).is_file()


def test_peaks_are_heights_of_the_sound(call):
    """Peaks are 0 where nobody speaks and at full height somewhere, on one scale for both parties and both tracks."""
    session = read_session(call)
    peaks = peaks_of(session)
    assert set(peaks.lanes) == {"user said", "agent said", "user heard", "agent heard"}
    assert max(lane.max() for lane in peaks.lanes.values()) == STEPS
    assert len(peaks.lanes["user said"]) == round(session.duration / session.sample_rate * peaks.per_second)
    first_speech = session.speech.user.segments[0].start / session.sample_rate
    assert peaks.lanes["user said"][: int(first_speech * peaks.per_second) - 5].max() == 0
    assert peaks.lanes["user heard"][:50].max() > 0


def test_a_silent_session_looks_silent(tmp_path):
    """Faint noise is not blown up to full height."""
    make_session(tmp_path / "quiet", duration_s=2, bare=True)
    faint = np.full((2 * RATE, 2), 30, np.int16)
    soundfile.write(tmp_path / "quiet" / "conversation.wav", faint, RATE)
    assert peaks_of(read_session(tmp_path / "quiet")).lanes["user said"].max() <= STEPS / 50


@pytest.mark.parametrize(
    ("audio", "seconds", "mime"),
    [
        ("auto", 3600, "audio/flac"),
        ("auto", 3601, "audio/ogg; codecs=opus"),
        ("opus", 10, "audio/ogg; codecs=opus"),
        ("flac", 7200, "audio/flac"),
    ],
)
def test_sound_is_flac_up_to_an_hour(audio, seconds, mime):
    """FLAC up to 60 minutes, Opus above, unless the user says otherwise."""
    assert codec_for(audio, seconds).mime == mime


def test_no_sound_when_none_is_wanted():
    """`--page-audio none` leaves it out."""
    assert codec_for("none", 10) is None


def test_flac_is_exactly_what_was_said(call, tmp_path):
    """The sound of the page is the recording, sample for sample."""
    session = read_session(call)
    compress(session, "said", CODECS["flac"], tmp_path / "said")
    found, rate = soundfile.read(tmp_path / "said", dtype="int16")
    assert rate == session.sample_rate
    assert np.array_equal(found, soundfile.read(call / "conversation.wav", dtype="int16")[0])


def test_the_heard_track_keeps_the_sides(call, tmp_path):
    """Left stays the user's speech in what was heard, though heard.wav has what the user heard on the left."""
    compress(read_session(call), "heard", CODECS["flac"], tmp_path / "heard")
    found, _ = soundfile.read(tmp_path / "heard", dtype="int16")
    heard, _ = soundfile.read(call / "heard.wav", dtype="int16")
    assert np.array_equal(found, heard[:, ::-1])


def test_opus_takes_any_rate(tmp_path):
    """A rate that Opus does not know is resampled; the length stays."""
    make_session(tmp_path / "odd", duration_s=4, rate=22_050, bare=True)
    compress(read_session(tmp_path / "odd"), "said", CODECS["opus"], tmp_path / "said")
    info = soundfile.info(tmp_path / "said")
    assert info.samplerate == 24_000
    assert info.frames / 24_000 == pytest.approx(4, abs=0.02)


def test_transfers_agree_with_the_score(call):
    """The FTOs between the lanes are those that the score rests on."""
    score = next(score for score in read_judged(call).scores if score.id == "turns.fto_p50_s")
    assert [mark.ms for mark in _marks(call, "transfer")] == pytest.approx(
        [item.value * 1000 for item in score.evidence], abs=0.1
    )


def test_transfers_without_scores_come_from_the_speech(tmp_path):
    """An unscored session shows its floor transfers too: gap positive, overlap negative, speech inside speech none."""
    make_session(tmp_path / "scored", duration_s=30)
    expected = [mark.ms for mark in _marks(tmp_path / "scored", "transfer") if abs(mark.ms) > 60]
    (tmp_path / "scored" / "scores.json").unlink()
    found = [mark.ms for mark in _marks(tmp_path / "scored", "transfer")]
    assert len(found) >= len(expected) > 3
    assert any(abs(ms - expected[0]) < 15 for ms in found)


def test_every_interruption_is_a_barge_in_with_its_time(call):
    """A barge-in tells from when to when, and how it ended."""
    marks = _marks(call, "barge_in")
    assert [mark.label for mark in marks] == ["yielded after 420 ms"]
    assert marks[0].party == "user"


def test_what_is_injected_is_marked(call):
    """Injected speech is truth and says its role."""
    assert [mark.label for mark in _marks(call, "injected")] == ["interruption", "backchannel"]


def test_an_unknown_event_is_shown_with_its_fields(call):
    """A reader meets every event, also of types that nobody foresaw."""
    unknown = [mark for mark in _marks(call, "line") if mark.label == "warp_core_breach"]
    assert unknown
    assert "loss 0.25" in unknown[0].detail


def test_an_underrun_covers_what_was_missed(call):
    """A trouble lies where the sound was missing, as long as it was."""
    trouble = _marks(call, "trouble")[0]
    assert (trouble.end - trouble.start, trouble.ms) == (RATE * 6 // 100, 60)


def test_marks_are_in_time_order(call):
    """`[` and `]` walk from left to right."""
    session = read_session(call)
    data = page_data(session, read_judged(call), peaks_of(session))
    starts = [min(mark[1], mark[2]) for mark in data["marks"]]
    assert starts == sorted(starts)


def test_words_never_reached_are_left_out(tmp_path):
    """Of a turn that was cut, an unannotated session shows the words that were begun, the last one cut."""
    make_session(tmp_path / "bare", duration_s=30, bare=True)
    session = read_session(tmp_path / "bare")
    words = page_data(session, read_judged(tmp_path / "bare"), peaks_of(session))["lanes"]["agent"]["words"]
    cut = [word for word in words if word[4]]
    assert [word[0] for word in cut] == ["what"]
    assert all(start < end for _, start, end, _, _ in words)


def test_what_was_understood_lies_over_what_was_said(call):
    """What the agent took the user for is shown on the user's side, once per turn."""
    heard = understood(read_session(call))
    assert {item.party for item in heard} == {"user"}
    assert len({item.start for item in heard}) == len(heard)


def test_what_a_caller_decided_is_told_with_its_reason(tmp_path):
    """A decision lies at what was said of it, one to wait at no utterance; both are marks."""
    make_session(tmp_path / "call", duration_s=30)
    add_decisions(tmp_path / "call")
    session = read_session(tmp_path / "call")
    waits, hangs_up = decisions(session)
    assert (waits.at, waits.start, waits.text) == (3 * RATE, None, "wait — the other's sentence is not finished")
    assert hangs_up.start == session.speech.user.utterances[1].start
    assert hangs_up.text == "hang up — has it all"
    assert [mark.detail for mark in _marks(tmp_path / "call", "decided")] == [
        "user decided: wait — the other's sentence is not finished",
        "user decided: hang up — has it all",
    ]


def test_unmet_expectations_come_first(call):
    """Who opens a failed session sees first what failed, and what was found."""
    html = verdict_list(read_judged(call).expectations)
    assert html.index("not met") < html.index("latency.response_p50_s")
    assert "1 of 3 expectations not met" in html


def test_an_undefined_score_shows_its_reason_and_no_number(call):
    """A value that is undefined is never a number."""
    html = score_list([Score(id="x.y", value=None, unit="s", n=0, reason="nobody spoke")])
    assert "nobody spoke" in html
    assert "undefined" in html


def test_scripts_join_without_imports():
    """Every page's script is one classic script: modules in order, no import or export left, none twice."""
    for entry in ("session", "index", "compare"):
        joined = assets.script(entry)
        assert not re.search(r"^\s*(import|export)\b", joined, re.MULTILINE)
        assert "</script" not in joined
        names = re.findall(r"^(?:async )?(?:function\*?|class|const) (\w+)", joined, re.MULTILINE)
        assert len(names) == len(set(names))


@given(st.floats(-1e6, 1e6))
def test_figures_have_no_exponent(value):
    """Numbers are written to be read; three figures are kept."""
    text = figure(value)
    assert "e" not in text
    assert float(text) == pytest.approx(value, rel=0.006, abs=0.0005)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00.0"), (59.97, "1:00.0"), (725.5, "12:05.5"), (3600, "1:00:00.0")]
)
def test_lengths_read_like_a_clock(seconds, text):
    """Minutes and seconds, hours only where there are any."""
    assert clock_time(seconds) == text


def test_a_card_flows_where_it_was_broken_for_width():
    """Lines that were full go on; short lines stay lines."""
    full = "x" * 100
    assert flowing(f"{full}\nend of it\nUndefined without turns.") == f"{full} end of it\nUndefined without turns."


def test_report_command_writes_the_page(call, capsys):
    """`simulate report SESSION` makes report.html again and says where."""
    (call / SESSION_PAGE).unlink(missing_ok=True)
    assert main(["report", str(call)]) == OK
    assert capsys.readouterr().out.strip() == str(call / SESSION_PAGE)
    assert (call / SESSION_PAGE).is_file()


def test_report_command_refuses_what_is_neither(tmp_path, capsys):
    """A folder that holds neither a session nor a run is refused in one sentence."""
    assert main(["report", str(tmp_path)]) == REFUSED
    assert "neither a session folder nor a run folder" in capsys.readouterr().err


def test_damaged_scores_are_named(call, tmp_path):
    """A scores.json that cannot be read is an error that names the file, not a page without scores."""
    shutil.copytree(call, tmp_path / "bad")
    (tmp_path / "bad" / "scores.json").write_text("{", encoding="utf-8")
    with pytest.raises(SessionError, match=r"scores\.json"):
        write_session_page(tmp_path / "bad")
    assert main(["report", str(tmp_path / "bad")]) in (REFUSED, INCOMPLETE)


def test_scores_are_read_as_they_were_written(call):
    """scores.json round-trips: scores with their evidence, and the verdicts."""
    judged = read_judged(call)
    assert msgspec.json.decode(msgspec.json.encode(judged), type=type(judged)) == judged
    assert len(judged.expectations) == 3


def test_speech_that_was_deleted_is_made_again(tmp_path, capsys):
    """`simulate report` annotates a completed session that has no speech.json, and says so."""
    make_session(tmp_path / "call", duration_s=5, bare=True)
    assert main(["report", str(tmp_path / "call")]) == OK
    assert "made again" in capsys.readouterr().err
    assert read_session(tmp_path / "call").speech.user.words


def test_what_a_line_does_lies_on_its_line(call):
    """A background talker is a mark of the line it comes over, as long as it talks."""
    talker = next(mark for mark in _marks(call, "line") if mark.label == "talker")
    assert (talker.party, talker.end - talker.start) == ("user_to_agent", RATE)


def _luminance(colour: str) -> float:
    parts = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", ["ink", "quiet", "user", "agent", "both", "good", "bad"])
def test_text_can_be_read_in_both_themes(name):
    """Every colour of text stands out from paper and card by 4.5 to 1 (WCAG AA), light and dark."""
    style = assets.text("base.css")
    pairs = dict(re.findall(r"--(\w+): light-dark\((#\w{6}, #\w{6})\)", style))
    for theme in (0, 1):
        text = _luminance(pairs[name].split(", ")[theme])
        for ground in ("paper", "card"):
            light, dark = sorted((text, _luminance(pairs[ground].split(", ")[theme])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5
