"""The pages over runs: rows, which sessions get a page, the index, the comparison."""

from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.cli import OK, REFUSED, main
from simulator.errors import SessionError
from simulator.reading.expect import Expectation, Verdict
from simulator.report.compare import write_compare_page
from simulator.report.index import index_html, write_index_page
from simulator.report.index_scores import plots
from simulator.report.plots import fto_histogram, strip
from simulator.results.pairs import difference_of, differences, pairs_of
from simulator.results.policy import SMALL_RUN, WORST, mean_ranks, sessions_to_show, worst_first
from simulator.results.pooling import violates
from simulator.results.row import Row, RowScore
from simulator.results.run import RUN_PAGE, Run, load_run
from simulator.score import Definition
from simulator.scoring.scorer import all_definitions
from simulator.sweep.sweep import Point
from tests.report_sessions import make_run, make_session, write_run

LATENCY = "latency.response_p50_s"
YIELD = "barge_in.yield_rate"


def _row(index: int, *, value: float | None = 1.0, scenario: str = "a", **more) -> Row:
    score = RowScore(value=value, unit="s", n=1, parts={"values": [] if value is None else [value]})
    return Row(
        id=f"s{index}",
        scenario=scenario,
        trial=index,
        scores={LATENCY: score},
        **{"duration_s": 30.0, **more},
    )


def _run(rows, *expected: str) -> Run:
    return Run(Path("nowhere"), rows, expected={"a": list(map(Expectation, expected))} if expected else {})


def _below(bound: float) -> Verdict:
    return Verdict(text=f"{LATENCY} < {bound}", metric=LATENCY, op="<", bound=bound, found=1.0, passed=False)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs of four short sessions over two scenarios."""
    home = tmp_path_factory.mktemp("runs")
    make_run(home / "first", sessions=4, duration_s=8)
    make_run(home / "second", sessions=4, duration_s=8, seed=40)
    return home / "first", home / "second"


def test_a_small_run_shows_all_its_sessions():
    """Up to 50 sessions of up to 20 minutes each get their page."""
    run = _run([_row(index) for index in range(SMALL_RUN)])
    assert len(sessions_to_show(run, "all")) == SMALL_RUN


def test_a_large_run_shows_failures_and_the_worst():
    """Above 50 sessions: what was not completed, and the 20 worst of the others; slower is worse."""
    rows = [_row(index, value=index / 100) for index in range(90)]
    rows[3] = _row(3, value=0.03, status="failed")
    shown = sessions_to_show(_run(rows), "all")
    assert shown[0] == "s3"
    assert set(shown[1:]) == {f"s{index}" for index in range(90 - WORST, 90)}


def test_every_failure_is_shown_however_many():
    """All sessions of a large run that were not completed have pages, more than 20 where there are more."""
    rows = [_row(index, status="failed" if index % 2 else "completed") for index in range(100)]
    assert len(sessions_to_show(_run(rows), "failed")) == 50


def test_long_sessions_are_left_to_the_report_command():
    """A session above 20 minutes gets no page as part of the run, also when it failed."""
    assert sessions_to_show(_run([_row(0, duration_s=1201.0, status="failed"), _row(1)]), "all") == ["s1"]


def test_only_failures_when_asked_for():
    """`report: failed`: not completed, or missing an expectation that the scenario as a whole misses too."""
    rows = [_row(0), _row(1, value=9.0), _row(2, status="interrupted")]
    assert sessions_to_show(_run(rows, f"{LATENCY} < 0.5"), "failed") == ["s2", "s1", "s0"]
    assert sessions_to_show(_run(rows, f"{LATENCY} < 1.5"), "failed") == ["s2"]  # the median holds: s1 is an outlier
    assert sessions_to_show(_run(rows), "none") == []
    assert sessions_to_show(_run(rows), {"a": "none"}) == []


def test_worst_first_is_failed_then_missed_then_ranked():
    """What is to be looked at first stands first."""
    run = _run(
        [_row(0, value=0.1), _row(1, value=0.9), _row(2, value=3.0), _row(3, value=0.2, status="failed")],
        f"{LATENCY} < 1.0",
    )
    assert [row.id for row in worst_first(run)] == ["s3", "s2", "s1", "s0"]


@given(st.lists(st.floats(0, 10), min_size=2, max_size=12))
def test_ranks_lie_between_best_and_worst(values):
    """A rank is 0 to 1, ties share theirs, and the order is that of the values."""
    rows = [_row(index, value=value) for index, value in enumerate(values)]
    ranks = mean_ranks(rows, [LATENCY])
    assert all(0 <= rank <= 1 for rank in ranks.values())
    for left, right in pairwise(rows):
        if left.value(LATENCY) == right.value(LATENCY):
            assert ranks[left.id] == ranks[right.id]
        else:
            assert (left.value(LATENCY) < right.value(LATENCY)) == (ranks[left.id] < ranks[right.id])


def test_an_undefined_value_breaks_no_expectation_by_itself():
    """Only the pooled value is judged undefined; a single session without cases is no failure."""
    assert not violates(_below(1.0), None)
    assert violates(_below(1.0), 1.0)


def test_rows_are_read_as_far_as_they_go(tmp_path):
    """Half a line is left out and told; a session that was run again counts by its last row."""
    write_run(
        tmp_path,
        [msgspec.to_builtins(_row(0)), msgspec.to_builtins(_row(1)), msgspec.to_builtins(_row(0, value=2.0))],
    )
    with (tmp_path / "results.jsonl").open("ab") as file:
        file.write(b'{"id": "s9", "scen')
    run = load_run(tmp_path)
    assert {row.id: row.value(LATENCY) for row in run.rows} == {"s0": 2.0, "s1": 1.0}
    assert any("line 4 is not whole" in note for note in run.notes)


def test_a_run_without_results_is_read_from_its_sessions(tmp_path):
    """A killed run has an index too."""
    make_session(tmp_path / "call-0", duration_s=4)
    write_run(tmp_path, [])
    run = load_run(tmp_path)
    assert [row.id for row in run.rows] == ["call-0"]
    assert run.rows[0].scores


def test_a_folder_without_run_is_refused(tmp_path):
    """A folder that holds no run is named."""
    with pytest.raises(SessionError, match="not a run folder"):
        load_run(tmp_path)


def test_the_index_holds_every_session_and_plot(runs):
    """The page over a run says how many completed and draws every metric."""
    write_index_page(load_run(runs[0]))
    page = (runs[0] / RUN_PAGE).read_text(encoding="utf-8")
    assert "3 completed, 1 not" in page
    assert page.count('<figure class="metric"') == 8  # four metrics of two scenarios
    assert "Floor transfers" in page


def test_a_plot_of_one_value_is_drawn():
    """One session, no spread, no interval: still a dot."""
    assert strip([(0, 0.5)], 0.5, None).count("<circle") == 1


def test_many_sessions_are_drawn_as_bars():
    """Above 250 sessions the dots become bars, so that a plot stays small."""
    drawn = strip([(index, index / 1000) for index in range(1000)], 0.5, (0.4, 0.6))
    assert "<circle" not in drawn
    assert drawn.count("<rect") < 60


def test_of_many_scenarios_the_worst_are_drawn():
    """Thirty of them, so that the page of a large run opens at once; its table has all sessions."""
    rows = [msgspec.structs.replace(_row(index), scenario=f"call {index}") for index in range(40)]
    rows[35] = msgspec.structs.replace(rows[35], status="failed")
    html = plots(_run(rows), worst_first(_run(rows)))
    assert html.count("<h3>") == 30 and html.index("<h3>call 35</h3>") == html.index("<h3>")
    assert "the first 30 of 40" in html


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=50))
def test_the_histogram_leaves_nothing_out(values):
    """Every floor transfer is in a bin, the far ones in the outermost."""
    drawn = fto_histogram(values)
    counts = [int(part.partition("<")[0]) for part in drawn.split(" ms: ")[1:]]
    assert sum(counts) == len(values)


def test_pairs_are_by_scenario_and_trial():
    """The same scenario and trial are compared, whatever the sessions are called; the rest is left out."""
    first = _run([_row(0), _row(1), _row(2, scenario="b")])
    second = _run([_row(1, value=3.0), _row(2, scenario="b"), _row(7)])
    assert [(pair.first.id, pair.second.id) for pair in pairs_of(first, second)] == [
        ("s1", "s1"),
        ("s2", "s2"),
    ]


CARD = Definition(id=LATENCY, unit="s", statistic="mean", title="latency", card="", better="lower")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), min_size=3, max_size=6))
def test_a_difference_turns_with_its_sides(values):
    """Swapping the runs turns the sign of a difference and its interval; a run against itself differs by nothing."""
    first = _run([_row(index, value=left) for index, (left, _) in enumerate(values)])
    second = _run([_row(index, value=right) for index, (_, right) in enumerate(values)])
    there = difference_of(CARD, pairs_of(first, second))
    back = difference_of(CARD, pairs_of(second, first))
    assert there.value == pytest.approx(-back.value)
    assert (there.ci95 is None) == (back.ci95 is None)
    assert there.ci95 is None or there.ci95 == pytest.approx((-back.ci95[1], -back.ci95[0]), abs=1e-9)
    same = difference_of(CARD, pairs_of(first, first))
    assert (same.value, same.ci95, same.p, same.tone) == (0.0, None, 1.0, "unclear")


def test_a_clear_difference_says_which_way_is_good():
    """Slower by 1 s in all of six pairs is worse; of one pair, or of five coins that fall alike, nothing is clear."""
    first = _run([_row(index, value=0.5) for index in range(6)])
    second = _run([_row(index, value=1.5) for index in range(6)])
    assert difference_of(CARD, pairs_of(first, second)).tone == "worse"
    assert difference_of(CARD, pairs_of(second, first)).tone == "better"
    assert difference_of(CARD, pairs_of(first, second)[:5]).tone == "unclear"
    assert difference_of(CARD, pairs_of(first, second)[:1]).tone == "unclear"


def test_the_comparison_page_has_every_difference(runs, tmp_path):
    """Each metric that both runs have stands in the page, and pairs to listen to."""
    write_compare_page([load_run(path) for path in runs], tmp_path / "compare.html")
    page = (tmp_path / "compare.html").read_text(encoding="utf-8")
    found = differences(pairs_of(load_run(runs[0]), load_run(runs[1])))
    assert {item.metric for item in found} == {
        metric for metric in load_run(runs[0]).metrics if metric in all_definitions()
    }
    for item in found:
        assert all_definitions()[item.metric].title in page
    assert page.count('class="plain pair"') == 4


def test_runs_that_share_nothing_are_refused(runs, tmp_path, capsys):
    """Without a common scenario there is nothing to compare, and no page is left behind."""
    make_session(tmp_path / "other" / "x-0", duration_s=3, scenario="something else")
    write_run(tmp_path / "other", [])
    assert main(["compare", str(runs[0]), str(tmp_path / "other"), "--out", str(tmp_path / "page.html")]) == REFUSED
    assert "shares no scenario and trial" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_compare_prints_differences_and_writes_the_page(runs, capsys):
    """`simulate compare A B` writes the page beside the first run; --json is for machines."""
    assert main(["compare", *map(str, runs), "--json"]) == OK
    told = msgspec.json.decode(capsys.readouterr().out)
    assert Path(told["page"]).is_file()
    assert {item["metric"] for item in told["against"][str(runs[1])]} >= {LATENCY, YIELD}
    assert main(["compare", *map(str, runs), "--format", "markdown"]) == OK
    assert capsys.readouterr().out.startswith("### second minus first\n\n| metric | first | second | difference |")


def test_one_run_is_not_compared(runs, capsys):
    """A comparison takes two."""
    assert main(["compare", str(runs[0])]) == REFUSED
    assert "two runs or more" in capsys.readouterr().err


def test_report_command_makes_all_pages_of_a_run(runs, capsys):
    """`simulate report RUN` writes every session's page and the index, in worker processes."""
    assert main(["report", str(runs[1])]) == OK
    assert all((runs[1] / row.id / "report.html").is_file() for row in load_run(runs[1]).rows)
    assert str(runs[1] / RUN_PAGE) in capsys.readouterr().out


def test_report_command_names_a_session_that_is_not_there(runs, capsys):
    """--only with an unknown id is refused."""
    assert main(["report", str(runs[1]), "--only", "nobody"]) == REFUSED
    assert "has no session 'nobody'" in capsys.readouterr().err


def _swept(metric: str = "takeover.in_pause_rate") -> list[Row]:
    """Two agents at five pauses and two levels of noise, four sessions each; the second takes the floor later."""
    return [
        Row(
            id=f"s-{agent}-{pause}-{snr}-{trial}", scenario=f"s-{agent}-{pause}-{snr}", trial=trial, agent=agent,
            sound=f"{agent}{pause}{snr}{trial}",
            point=Point(sweep="s", at={"pause": f"{pause}ms", "snr": snr, "agent": agent}),
            scores={metric: RowScore(value=float(yes), unit="ratio", n=1, parts={"count": int(yes), "of": 1})},
        )
        for agent, later in (("first <b>", 0), ("second", 200))
        for pause in (200, 400, 600, 800, 1000)
        for snr in (0, 10)
        for trial in range(8)
        if (yes := pause - later + 60 * (trial - 3.5) + 20 * snr > 600) is not None
    ]  # fmt: skip


def test_a_sweep_has_its_curves_and_heat_maps_on_the_page(tmp_path: Path):
    """A curve for each place with its threshold in words, a map of two dimensions per agent, a row per point."""
    html = index_html(Run(tmp_path, _swept()))
    section = html[html.index('<section class="sweep"') : html.index('<section class="sessions"')]
    assert section.count('<path class="fit"') == 4 and section.count('class="threshold"') == 4
    assert section.count("threshold 0.") == 4 and "goodness of fit p" in section
    assert section.count('<svg class="map"') == 2 and section.count('<rect class="heat"') == 20
    assert section.count("<tr>") == 21 and "first &lt;b&gt;" in section and "<b>" not in section
    assert "points of sweeps, each by itself" in html
    assert '<section class="sweep"' not in index_html(_run([_row(0)]))


def test_what_no_curve_goes_through_is_drawn_and_told(tmp_path: Path):
    """Times have points that are joined, on round values; a step is told as one; one level alone has no plot."""
    rows = [_row(place, value=0.3 * place, point=Point(sweep="s", at={"x": place // 2})) for place in range(8)]
    section = index_html(Run(tmp_path, rows))
    assert '<path class="joined"' in section and '<path class="fit"' not in section
    assert ">0.500</text>" in section and "no curve" not in section
    alone = [_row(place, point=Point(sweep="s", at={"x": "here"})) for place in range(3)]
    assert "<details open><summary>every point" in index_html(Run(tmp_path, alone))
