"""Turn structure: ipus, pauses, gaps, overlaps and floor transfers of conversations known to the sample."""

from pathlib import Path

import msgspec
import pytest

from metrics.turns import TurnsSpec
from simulator.errors import ScenarioError
from simulator.floor.floor import Floor
from simulator.testing.take import RATE, Take, heard, scored


def test_every_event_of_a_small_conversation_is_counted(tmp_path: Path) -> None:
    """Two ipus and a pause of the user, a gap, an overlap that passes the floor: each at its place and length."""
    take = Take(tmp_path / "t", duration=30)
    take.say("user", 1.0, 4.0, pauses=((2.0, 2.5),))
    take.say("agent", 4.5, 8.0)
    take.say("user", 7.6, 9.0)
    scores = scored(TurnsSpec(), take.annotated())
    values = {name: score.value for name, score in scores.items()}
    assert values["ipu_per_min"] == 8
    assert values["ipu_s_per_min"] == pytest.approx(2 * (2.5 + 3.5 + 1.4))
    assert (values["pause_per_min"], values["pause_s_per_min"]) == (2, pytest.approx(1.0))
    assert (values["gap_per_min"], values["gap_s_per_min"]) == (2, pytest.approx(1.0))
    assert (values["overlap_per_min"], values["overlap_s_per_min"]) == (2, pytest.approx(0.8))
    assert (values["overlap_change_per_min"], values["overlap_within_per_min"]) == (2, 0)
    assert [item.value for item in scores["fto_p50_s"].evidence] == pytest.approx([0.5, -0.4])
    assert values["fto_p50_s"] == pytest.approx(0.05)
    gap = scores["gap_per_min"].evidence[0]
    assert (gap.start, gap.end, gap.party) == (take.at(4.0), take.at(4.5), "agent")


def test_shares_add_up_to_the_session(tmp_path: Path) -> None:
    """silence + user + agent - talk-over is everything."""
    take = Take(tmp_path / "t", duration=10)
    take.say("user", 1.0, 4.0)
    take.say("agent", 3.0, 6.0)
    values = {name: score.value for name, score in scored(TurnsSpec(), take.annotated()).items()}
    assert values["silence_share"] == 0.5
    assert values["talk_over_share"] == pytest.approx(0.1)
    assert (values["user_share"], values["agent_share"]) == (pytest.approx(0.3), pytest.approx(0.3))


@pytest.mark.parametrize(("silence", "ipus"), [(0.19, 1), (0.2, 2)])
def test_200_ms_of_silence_part_two_ipus(tmp_path: Path, silence: float, ipus: int) -> None:
    """Less than 200 ms is inside an ipu, exactly 200 ms is not."""
    take = Take(tmp_path / "t", duration=60)
    take.say("user", 1.0, 3.0, pauses=((2.0, 2.0 + silence),))
    assert scored(TurnsSpec(), take.annotated())["ipu_per_min"].value == ipus


def test_silence_at_the_edges_is_neither_pause_nor_gap(tmp_path: Path) -> None:
    """What lies before the first and after the last speech is counted by silence_share only."""
    take = Take(tmp_path / "t", duration=60)
    take.say("user", 10.0, 20.0)
    values = {name: score.value for name, score in scored(TurnsSpec(), take.annotated()).items()}
    assert (values["pause_per_min"], values["gap_per_min"]) == (0, 0)


def test_an_ipu_inside_the_others_speech_takes_no_floor(tmp_path: Path) -> None:
    """The overlap is within a turn, and no floor transfer comes of it."""
    take = Take(tmp_path / "t", duration=60)
    take.say("agent", 1.0, 8.0)
    take.say("user", 3.0, 5.0)
    scores = scored(TurnsSpec(), take.annotated())
    assert (scores["overlap_within_per_min"].value, scores["overlap_change_per_min"].value) == (1, 0)
    assert (scores["fto_p50_s"].value, scores["fto_p50_s"].reason) == (None, "the floor never passed")


def test_a_backchannel_in_a_gap_takes_no_floor(tmp_path: Path) -> None:
    """Known backchannels and asides are skipped over: the floor passes from turn to turn."""
    take = Take(tmp_path / "t", duration=20)
    take.say("agent", 1.0, 4.0)
    take.say("user", 4.2, 4.5, role="backchannel")
    take.say("user", 5.0, 5.5, role="aside")
    take.say("user", 6.0, 8.0)
    assert [item.value for item in scored(TurnsSpec(), take.annotated())["fto_p50_s"].evidence] == [2.0]


def test_both_starting_at_once_is_one_overlap(tmp_path: Path) -> None:
    """Overlapping starts: who speaks on keeps the floor; there was none to take."""
    take = Take(tmp_path / "t", duration=60)
    take.say("user", 2.0, 4.0)
    take.say("agent", 2.0, 6.0)
    scores = scored(TurnsSpec(), take.annotated())
    assert scores["overlap_within_per_min"].value == 1
    assert [item.value for item in scores["fto_p50_s"].evidence] == [-2.0]


@pytest.mark.parametrize("party", ["user", "agent"])
def test_one_silent_party_leaves_no_gap_and_no_transfer(tmp_path: Path, party: str) -> None:
    """A monologue has ipus and pauses; what needs two parties is counted as none or undefined."""
    take = Take(tmp_path / "t", duration=60)
    take.say(party, 1.0, 9.0, pauses=((3.0, 4.0),))  # type: ignore[arg-type]
    scores = scored(TurnsSpec(), take.annotated())
    assert (scores["ipu_per_min"].value, scores["pause_per_min"].value, scores["gap_per_min"].value) == (
        2,
        1,
        0,
    )
    assert scores["fto_p50_s"].value is None


def test_a_silent_session_has_rates_of_zero_and_no_offset(tmp_path: Path) -> None:
    """Nobody spoke for a minute: nothing per minute is a measurement, an offset is not."""
    scores = scored(TurnsSpec(), Take(tmp_path / "t", duration=60).annotated())
    assert scores["ipu_per_min"].value == 0
    assert scores["silence_share"].value == 1
    assert scores["fto_p50_s"].value is None


def test_a_session_without_length_is_undefined(tmp_path: Path) -> None:
    """No sample, no rate."""
    scores = scored(TurnsSpec(), Take(tmp_path / "t", duration=0).annotated())
    assert {score.value for score in scores.values()} == {None}


def test_speech_up_to_the_last_sample_is_counted(tmp_path: Path) -> None:
    """An ipu that the end of the session cuts off counts with what was recorded of it."""
    take = Take(tmp_path / "t", duration=10)
    take.say("user", 8.0, 12.0)
    assert scored(TurnsSpec(), take.annotated())["ipu_s_per_min"].value == pytest.approx(12.0)


def test_the_same_activity_scores_the_same_whoever_tells_it(tmp_path: Path) -> None:
    """Truth and a detector's segments with the same edges give the same turn structure."""
    take = Take(tmp_path / "t", duration=20)
    take.say("user", 1.0, 4.0)
    take.say("agent", 4.5, 8.0)
    session = take.annotated()
    other = heard(heard(session, "user", (1.0, 4.0)), "agent", (4.5, 8.0))
    told, untold = (scored(TurnsSpec(), which) for which in (session, other))
    assert {name: score.parts for name, score in told.items()} == {name: score.parts for name, score in untold.items()}


def test_a_reference_adds_distances_and_only_those_it_holds(tmp_path: Path) -> None:
    """The Wasserstein-1 distance of the gaps' lengths from the file's; without a reference there is no such metric."""
    take = Take(tmp_path / "t", duration=20)
    take.say("user", 1.0, 4.0)
    take.say("agent", 4.5, 8.0)
    session = take.annotated()
    file = tmp_path / "human.json"
    file.write_bytes(msgspec.json.encode({"gap": [0.2, 0.4], "pause": [0.5]}))
    scores = scored(TurnsSpec(reference=file), session)
    assert scores["gap_w1_s"].value == pytest.approx(0.2)
    assert scores["pause_w1_s"].value is None
    assert "ipu_w1_s" not in scores
    assert "gap_w1_s" not in scored(TurnsSpec(), session)


@pytest.mark.parametrize("content", [b"not json", b"[1, 2]", b'{"gaps": [1]}', b'{"gap": ["a"]}', b"{}", None])
def test_a_bad_reference_is_refused_before_anything_is_scored(tmp_path: Path, content: bytes | None) -> None:
    """A missing file, no JSON, unknown events, no numbers: one sentence that names the file."""
    file = tmp_path / "human.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ScenarioError, match="human"):
        TurnsSpec(reference=file).build()


@pytest.mark.parametrize(
    ("pause", "told", "count"), [(1.0 - 1 / RATE, 1, 1), (1.0, 1, 2), (1.5, 0, 1), (2.9, 0, 1), (3.1, 0, 2)]
)
def test_who_goes_on_after_a_silence_goes_on_with_a_turn(tmp_path: Path, pause: float, told: int, count: int) -> None:
    """Under 1 s in any case; under 3 s where nobody told of utterances, and nobody spoke meanwhile."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 3.0)
    take.say("user", 3.0 + pause, 8.0)
    session = take.annotated()
    if not told:
        session = heard(session, "user", (1.0, 3.0), (3.0 + pause, 8.0))
    assert len(Floor(session).side("user").turns) == count


def test_speech_of_the_other_in_the_silence_ends_an_untold_turn(tmp_path: Path) -> None:
    """1.5 s are waited out only where nobody at all spoke: a mm-hm of the agent is enough."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 3.0)
    take.say("agent", 3.5, 3.8, role="backchannel")
    take.say("user", 4.5, 8.0)
    session = heard(take.annotated(), "user", (1.0, 3.0), (4.5, 8.0))
    assert len(Floor(session).side("user").turns) == 2


def test_the_claim_before_a_sample_is_the_last_that_began_earlier(tmp_path: Path) -> None:
    """One that begins at the very sample is not before it."""
    take = Take(tmp_path / "t")
    for start in (1.0, 4.0, 7.0):
        take.say("user", start, start + 1)
    side = Floor(take.annotated()).side("user")
    starts = [claim and claim.start for at in (1.0, 1.5, 4.0, 7.5) if (claim := side.claim_before(take.at(at))) or True]
    assert starts == [None, take.at(1.0), take.at(1.0), take.at(7.0)]


@pytest.mark.parametrize(("start", "end", "turns"), [(1 + 1 / RATE, 3.2, 2), (1.0, 3.2, 1), (1.5, 3.0, 1)])
def test_the_floor_is_taken_by_who_begins_later_and_outlasts_the_turn(
    tmp_path: Path, start: float, end: float, turns: int
) -> None:
    """A sample later is later; who began at once with the turn, or ended with it, took nothing between its parts."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 3.0)
    take.say("agent", start, end)
    take.say("user", 3.5, 6.0)
    assert len(Floor(take.annotated()).side("user").turns) == turns
