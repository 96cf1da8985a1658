"""FD-Bench's analysis against a literal restatement of its steps, and the `fd_bench` scorer."""

import itertools
import json
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from metrics.compat.fd_bench.rounds import analyze, whole_ms
from metrics.compat.fd_bench.scorer import FdBenchSpec

Spans = list[tuple[int, int]]


def disjoint(cells: list[tuple[int, int]]) -> Spans:
    """Spans of 2000 samples' grid in time order, from (silence, length) pairs."""
    spans, now = [], 0
    for silence, length in cells:
        start = now + silence
        now = start + length
        spans.append((start * 2000, now * 2000))
    return spans


def sides() -> st.SearchStrategy[Spans]:
    """Up to six spans without overlap."""
    return st.lists(st.tuples(st.integers(0, 30), st.integers(1, 60)), max_size=6).map(disjoint)


def restated(user: Spans, agent: Spans) -> dict[str, Any]:
    """The steps of the definition, one after the other, as one loop."""
    n = len(user)
    count = dict.fromkeys(("interrupts", "success", "early", "responses", "answered", "noise"), 0)
    delay, lead, lead_int, resp, resp_int, leads = [0] * n, [0] * n, [0] * n, [0] * n, [0] * n, []
    for i, (us, ue) in enumerate(user):
        last, following = i == n - 1, user[i + 1][0] if i < n - 1 else 0
        cut = False
        for s, e in agent:
            if s < us < e:
                count["interrupts"] += 1
                cut = True
            if us < s < ue - 8000:
                count["early"] += 1
                leads.append(ue - s)
                if e < ue and delay[i] == 0:
                    count["interrupts"] += 1
                    count["success"] += 1
                    cut, delay[i] = True, e - s
                continue
            if us < s < ue:
                if not cut:
                    count["responses"] += 1
                    lead[i] = ue - s
                elif lead_int[i] == 0 and resp_int[i] == 0:
                    count["answered"] += 1
                    lead_int[i], cut = ue - s, False
                    if delay[i] == 0:
                        count["success"] += 1
                        delay[i] = e - us
                continue
            if s < us:
                if cut and us < e and (last or e <= ue) and delay[i] == 0:
                    count["success"] += 1
                    delay[i] = e - us
            elif ue < s and (last or s < following):
                if not cut and resp[i] == 0:
                    count["responses"] += 1
                    resp[i] = s - ue
                elif cut and lead_int[i] == 0 and resp_int[i] == 0:
                    count["answered"] += 1
                    resp_int[i], cut = s - ue, False
                    if delay[i] == 0:
                        count["success"] += 1
                        delay[i] = e - us
    for (_, ue), (following, _) in itertools.pairwise(user):
        count["noise"] += sum(ue < e < following and following - e >= 40000 and e - s < 88000 for s, e in agent)
    return count | {
        "delay": delay,
        "lead": lead,
        "lead_to_interruption": lead_int,
        "response": resp,
        "response_to_interruption": resp_int,
        "early_leads": leads,
    }


@given(sides(), sides())
def test_marks_agree_with_the_definition_restated(user: Spans, agent: Spans) -> None:
    """Every count and every time equals the restatement's."""
    marks = analyze(user, agent)
    assert {name: getattr(marks, name) for name in restated(user, agent)} == restated(user, agent)


def test_times_are_cut_to_whole_milliseconds() -> None:
    """int(samples / 16); 0 stands for none, a time under a millisecond stays as 0 ms."""
    assert whole_ms([0, 8, 16, 31, 32]) == [0, 1, 1, 2]


def scored(folder: Path, calls: dict[str, Any], **fields: Any) -> Any:
    """Score stereo files of 30 s with these segments (seconds)."""
    for name in calls:
        soundfile.write(folder / f"{name}.wav", np.zeros((240000, 2), np.float32), 8000)
    (folder / "segments.json").write_text(json.dumps(calls))
    return FdBenchSpec(segments=folder / "segments.json", **fields).score_corpus([folder])


def test_rates_from_summed_counts_and_medians_over_all(tmp_path: Path) -> None:
    """Two calls: an answer after 0.5 s; an interruption, yielded to after 0.3 s, answered 1 s later."""
    calls = {
        "a": {"user": [[1.0, 3.0]], "agent": [[3.5, 5.0]]},
        "b": {"user": [[1.0, 3.0], [5.0, 7.0]], "agent": [[3.2, 5.3], [8.0, 9.0]]},
    }
    result = scored(tmp_path, calls)
    values = {name: metric.value for name, metric in result.metrics.items()}
    assert values["SRR"] == 2 / 3
    assert values["SIR"] == 1.0
    assert values["SRIR"] == 1.0
    assert values["EIR"] == 0.0
    assert values["NIR"] == 0.0
    assert values["FSED"] == median([500, 200, 1000])
    assert values["IRD"] == 300
    assert result.samples[1].metrics["interrupts"] == 1


def test_an_empty_denominator_is_a_sentinel_or_null(tmp_path: Path) -> None:
    """Compat writes 0 and says so, strict null."""
    calls = {"a": {"user": [[1.0, 3.0]], "agent": []}}
    compat, strict = scored(tmp_path, calls), scored(tmp_path, calls, mode="strict")
    for name in ("SIR", "SRIR", "NIR", "FSED", "IRD"):
        assert (compat.metrics[name].value, compat.metrics[name].reason) == (0.0, "sentinel"), name
        assert strict.metrics[name].value is None, name
        assert strict.metrics[name].reason, name
    assert compat.metrics["SRR"].value == 0.0
    assert compat.metrics["SRR"].reason is None


def test_a_preamble_is_dropped(tmp_path: Path) -> None:
    """preamble=true leaves out the agent's first segment."""
    calls = {"a": {"user": [[1.0, 3.0]], "agent": [[3.5, 5.0]]}}
    assert scored(tmp_path, calls).metrics["SRR"].value == 1.0
    assert scored(tmp_path, calls, preamble=True).metrics["SRR"].value == 0.0


def test_pauses_up_to_a_second_and_a_half_vanish() -> None:
    """The detector's settings are those of the original."""
    assert FdBenchSpec.settings.min_silence_ms == 1500


def test_a_user_who_never_speaks_gives_nothing(tmp_path: Path) -> None:
    """No rounds, no rates: compat shows 0, strict null; told per sample, and the corpus leaves it out."""
    calls = {"a": {"user": [], "agent": [[1.0, 2.0]]}, "b": {"user": [[1.0, 3.0]], "agent": [[3.5, 5.0]]}}
    result = scored(tmp_path, calls)
    assert result.samples[0].metrics["SRR"] == result.samples[0].metrics["FSED"] == 0.0
    assert scored(tmp_path, calls, mode="strict").samples[0].metrics["SRR"] is None
    assert "user" in result.samples[0].notes[0]
    assert result.metrics["SRR"].value == pytest.approx(1.0)
    assert result.metrics["SRR"].n == 1
