"""Figures of runs: what is drawn of which values, in every format, the same bytes each time; refusals in a sentence."""

import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest

from simulator.cli import OK, REFUSED
from simulator.figures import style
from simulator.files import write_json
from simulator.results.row import Row, RowScore
from simulator.results.row_file import append_row
from simulator.sweep.sweep import Point
from simulator.testing import Take
from tests.command_line import simulate

FTO, LATENCY, YIELD = "turns.fto_p50_s", "latency.response_p50_s", "barge_in.yield_rate"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two agents, four sessions each, one with its folder, at four points of a sweep."""
    folder = tmp_path_factory.mktemp("figures") / "my_run"
    take = Take(folder / "s-0", duration=4.0)
    take.say("user", 0.5, 2.0)
    take.say("agent", 1.5, 3.0)
    session = take.annotated()
    write_json(session.folder / "speech.json", session.speech)
    for place in range(8):
        values = [0.2 + 0.1 * place, 0.3]
        times = RowScore(value=0.3, unit="s", n=2, parts={"values": values})
        share = RowScore(value=place / 8, unit="ratio", n=8, parts={"count": place, "of": 8})
        row = Row(id=f"s-{place}", scenario=f"s-{place % 4}", agent=("a", "b")[place // 4], sound=str(place),
                  scores={FTO: times, LATENCY: times, YIELD: share})  # fmt: skip
        append_row(folder, msgspec.structs.replace(row, point=Point(sweep="s", at={"snr": place % 4})))
    (folder / "run.json").write_text("{}")
    return folder


def texts(path: Path) -> str:
    """All that is written in an SVG."""
    return " ".join(ET.parse(path).getroot().itertext())


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("fto", ["floor transfer offset, s", "my_run · a (n 8)", "my_run · b (n 8)"]),
        ("latency", ["response latency, s", "share of answers", "my_run · a (n 8)"]),
        ("raster", ["user", "agent", "s, s-0 (hatched: both speak)"]),
        ("curve", [LATENCY, "snr", "(s)"]),
        ("forest", [YIELD, LATENCY, "ratio, with 95 % intervals", "s, with 95 % intervals", "my_run · b"]),
    ],
)
def test_a_figure_says_what_it_shows(run: Path, tmp_path: Path, kind: str, told: list[str]) -> None:
    """Axes with units, every model with its number of values; twice the same bytes."""
    pytest.importorskip("matplotlib")
    for name in ("a", "b"):
        assert simulate("export", run, "--to", "svg", "--figure", kind, "--out", tmp_path / name) == OK
    first, second = (tmp_path / name / f"{kind}.svg" for name in "ab")
    assert [text for text in told if text not in texts(first)] == []
    assert first.read_bytes() == second.read_bytes()


def test_a_raster_has_a_bar_per_stretch_of_speech(run: Path, tmp_path: Path) -> None:
    """Two stretches in two colours that differ in grey, and one overlap, hatched over both."""
    pytest.importorskip("matplotlib")
    assert simulate("export", run, "--to", "svg", "--figure", "raster", "--out", tmp_path / "r.svg") == OK
    text = (tmp_path / "r.svg").read_text().lower()
    assert text.count(f"fill: {style.COLOURS[0].lower()}") == text.count(f"fill: {style.COLOURS[1].lower()}") == 1
    assert text.count("fill: url(#") == 2


@pytest.mark.parametrize(("form", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_other_formats(run: Path, tmp_path: Path, form: str, magic: bytes) -> None:
    """Named by the kind where --out is a folder, as it is where it is a file."""
    pytest.importorskip("matplotlib")
    assert simulate("export", run, "--to", form, "--figure", "fto", "--out", tmp_path) == OK
    assert (tmp_path / f"fto.{form}").read_bytes().startswith(magic)
    assert simulate("export", run, "--to", form, "--figure", "fto", "--out", tmp_path) == REFUSED


def test_colours_differ_in_brightness() -> None:
    """Of the first four, which a plot rarely exceeds, no two are the same grey (Rec. 709), or their dashes differ."""
    greys = [sum(w * int(c[i : i + 2], 16) for w, i in ((0.2126, 1), (0.7152, 3), (0.0722, 5))) for c in style.COLOURS]
    looks = list(zip(greys, style.DASHES, style.MARKERS, strict=False))
    assert all(abs(a[0] - b[0]) > 20 or (a[1] != b[1] and a[2] != b[2]) for a in looks for b in looks if a != b)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--to", "svg"], "needs --figure; choose one of fto, latency, raster, curve, forest"),
        (["--to", "csv", "--figure", "fto"], "--figure: only with --to svg, png, pdf"),
        (["--to", "svg", "--figure", "fto", "--session", "s-0"], "--session: only with --figure raster"),
        (["--to", "svg", "--figure", "raster", "--session", "s-7"], "s-7: no such folder in the run; there are s-0"),
        (["--to", "svg", "--figure", "forest", "--metric", "a.b"], "no session has a value of a.b"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    """And no file is left."""
    assert simulate("export", run, *words, "--out", tmp_path / "out") == REFUSED
    assert told in capsys.readouterr().err and not (tmp_path / "out").exists()
