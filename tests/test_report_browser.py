"""The pages in a real headless Chromium: they load, play, seek, walk, filter, and fit every screen."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from simulator.report.compare import write_compare_page
from simulator.report.index import write_index_page
from simulator.report.page import write_session_page
from simulator.results.run import SESSION_PAGE, load_run
from tests.report_browser import browser, errors, missing, resize, set_theme, wait_ready
from tests.report_sessions import add_decisions, make_run, make_session

pytestmark = [pytest.mark.browser, pytest.mark.skipif(missing() is not None, reason=missing() or "")]

TIME = "return document.querySelector('audio[data-track=said]').currentTime"
WIDTHS = (360, 1280, 3840)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs with all their pages."""
    home = tmp_path_factory.mktemp("pages")
    for name, seed in (("first", 0), ("second", 40)):
        rows = make_run(home / name, sessions=4, duration_s=24, seed=seed)
        for row in rows:
            write_session_page(home / name / row["id"])
        write_index_page(load_run(home / name))
    write_compare_page([load_run(home / name) for name in ("first", "second")], home / "compare.html")
    return home


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for all tests of this file."""
    with browser(1280, 900) as driver:
        yield driver


@pytest.fixture
def page(chromium: Any, home: Path) -> Any:
    """A session page over a noisy line, freshly loaded and ready to play; console errors fail the test."""
    _load(chromium, home / "first" / "noisy-phone-line-0" / SESSION_PAGE)
    yield chromium
    assert errors(chromium) == []


def _load(driver: Any, path: Path, moment: str = "") -> None:
    resize(driver, 1280, 900)
    set_theme(driver, dark=False)
    driver.get("about:blank")
    errors(driver)
    driver.get(path.resolve().as_uri() + moment)
    wait_ready(driver)


def _until(driver: Any, condition: str) -> Any:
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, 10, poll_frequency=0.02).until(lambda page: page.execute_script(condition))


def _press(driver: Any, *keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    for key in keys:
        ActionChains(driver).send_keys(key).perform()


def _cursor(driver: Any) -> float:
    return driver.execute_script(
        "return new DOMMatrix(getComputedStyle(document.getElementById('cursor')).transform).m41"
    )


def _ink(driver: Any, row: str = "lanes") -> int:
    """How many pixels of a canvas are painted."""
    return driver.execute_script(
        "const c = document.getElementById(arguments[0]);"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n;",
        row,
    )


def test_the_page_draws_both_lanes(page):
    """A page from disk draws its lanes and has no word for the console."""
    assert _ink(page) > 20_000
    assert _ink(page, "overview") > 1_000
    assert page.execute_script("return document.querySelectorAll('#conversation .turn').length") > 4


def test_space_plays_and_the_cursor_moves(page):
    """Space starts and stops the sound, and the cursor goes along."""
    before = _cursor(page)
    _press(page, " ")
    _until(page, "return document.querySelector('audio[data-track=said]').currentTime > 0.3")
    _until(page, "return document.getElementById('play').dataset.state === 'playing'")
    assert _cursor(page) > before
    _press(page, " ")
    _until(page, "return document.querySelector('audio[data-track=said]').paused")


def test_a_click_seeks_and_a_drag_zooms(page):
    """A click on the lanes goes to that moment; a drag makes the stretch fill the view."""
    from selenium.webdriver.common.action_chains import ActionChains

    lanes = page.find_element("id", "timeline")
    ActionChains(page).move_to_element_with_offset(lanes, 100, 0).click().perform()
    clicked = page.execute_script(TIME)
    assert clicked > 5
    painted = page.execute_script("return document.getElementById('lanes').toDataURL().length")
    ActionChains(page).move_to_element_with_offset(lanes, -100, 0).click_and_hold().move_by_offset(
        80, 0
    ).release().perform()
    _until(page, f"return document.getElementById('lanes').toDataURL().length !== {painted}")
    assert page.execute_script(TIME) == clicked


def test_arrows_move_by_a_second(page):
    """Left and right move by a second, with shift by a tenth; home and end go to the ends."""
    from selenium.webdriver.common.keys import Keys

    _press(page, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert page.execute_script(TIME) == pytest.approx(1, abs=0.01)
    _press(page, Keys.END)
    assert page.execute_script(TIME) == pytest.approx(24, abs=0.05)
    _press(page, Keys.HOME)
    assert page.execute_script(TIME) == 0


def test_brackets_walk_the_events(page):
    """`]` goes to the next event and says what it is; `[` goes back."""
    _press(page, "]", "]")
    second = page.execute_script(TIME)
    told = page.find_element("id", "told").text
    _press(page, "[")
    assert 0 < page.execute_script(TIME) < second
    assert "fto" in told or "both speak" in told or "barge" in told


def test_a_link_names_a_moment(chromium, home):
    """#t=12.3 opens the page there; seeking keeps the address."""
    _load(chromium, home / "first" / "book-a-table-0" / SESSION_PAGE, "#t=12.3")
    _until(chromium, "return document.querySelector('audio[data-track=said]').currentTime === 12.3")
    assert chromium.find_element("id", "now").text == "0:12.3"
    _press(chromium, "[")
    _until(chromium, "return location.hash !== '#t=12.3'")
    assert errors(chromium) == []


def test_evidence_moves_the_cursor(page):
    """A click on a score goes to its first evidence, the next click to the second; escape leaves."""
    score = page.find_element("css selector", ".score[data-metric='turns.fto_p50_s']")
    score.click()
    first = page.execute_script(TIME)
    assert page.find_element("id", "walked").text.startswith("1 of ")
    score.click()
    assert page.execute_script(TIME) > first > 0
    _press(page, ",")
    assert page.execute_script(TIME) == first
    _press(page, "\ue00c")
    assert not page.find_element("id", "walk").is_displayed()


def test_evidence_is_brought_into_sight_from_the_last_score(page):
    """However far below the lanes a score stands, a click on it shows the lanes and the way on."""
    score = page.find_elements("css selector", ".score:not(.bare)")[-1]
    page.execute_script(
        "arguments[0].closest('details')?.setAttribute('open', ''); arguments[0].scrollIntoView()", score
    )
    page.execute_script("arguments[0].click()", score)
    box = "const box = document.getElementById('{}').getBoundingClientRect(); "
    seen = "return box.top > -2 && box.top < innerHeight && box.bottom > 0"
    for name in ("timeline", "walk"):
        _until(page, box.format(name) + seen)
    _press(page, "\ue00c")


def test_a_verdict_walks_its_evidence_too(page):
    """An expectation is a way to what it rests on."""
    page.find_element("css selector", ".verdict[data-metric='barge_in.yield_rate']").click()
    assert page.execute_script(TIME) > 5


def test_one_side_alone_is_heard_on_both_ears(page):
    """`u`, `a` and `b` choose the side; playing goes on."""
    _press(page, " ")
    _until(page, "return document.querySelector('audio[data-track=said]').currentTime > 0.2")
    _press(page, "a")
    assert page.execute_script("return document.querySelector('input[value=agent]').checked")
    now = page.execute_script(TIME)
    _until(page, f"return document.querySelector('audio[data-track=said]').currentTime > {now + 0.2}")
    _press(page, "b", " ")


def test_said_and_heard_are_switched(page):
    """`h` shows and plays what arrived; the moment stays."""
    page.execute_script("location.hash = '#t=4'")
    _until(page, "return document.querySelector('audio[data-track=said]').currentTime === 4")
    said = page.execute_script("return document.getElementById('lanes').toDataURL()")
    _press(page, "h")
    _until(page, "return document.querySelector('audio[data-track=heard]').currentTime === 4")
    _until(
        page,
        "return document.getElementById('lanes').toDataURL() !== arguments[0]".replace("arguments[0]", repr(said)),
    )


def test_a_session_without_line_has_no_switch(chromium, home):
    """Where nothing changed what was said there is nothing to switch."""
    _load(chromium, home / "first" / "book-a-table-0" / SESSION_PAGE)
    assert not chromium.find_element("id", "tracks").is_displayed()
    assert chromium.execute_script("return document.querySelectorAll('audio').length") == 1


def test_kinds_of_events_can_be_hidden(page):
    """The legend switches a kind off, for the eye and for `]`."""
    button = page.find_element("css selector", "#kinds [data-kind=transfer]")
    before = page.execute_script("return document.getElementById('lanes').toDataURL()")
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    _until(page, f"return document.getElementById('lanes').toDataURL() !== {before!r}")


def test_a_definition_is_shown_on_focus(page):
    """Keyboard readers get the definition card too."""
    page.execute_script("document.querySelector('.score').focus()")
    _press(page, "\ue004", "\ue008\ue004")
    _until(
        page,
        "return [...document.querySelectorAll('.card')].some(card => getComputedStyle(card).opacity === '1')",
    )


def test_a_page_without_sound_says_so(chromium, tmp_path):
    """`--page-audio none`: lanes, a sentence, no play button; the cursor still goes where it is put."""
    make_session(tmp_path / "mute", duration_s=6)
    write_session_page(tmp_path / "mute", "none")
    _load(chromium, tmp_path / "mute" / SESSION_PAGE)
    assert "without sound" in chromium.find_element("id", "told").text
    assert not chromium.find_element("id", "play").is_enabled()
    _press(chromium, "\ue014", "\ue014")
    assert chromium.find_element("id", "now").text == "0:02.0"
    assert errors(chromium) == []


def test_sound_that_cannot_be_played_is_told(chromium, tmp_path):
    """A browser that cannot play the sound says so and shows the lanes."""
    make_session(tmp_path / "broken", duration_s=6)
    path = tmp_path / "broken" / SESSION_PAGE
    write_session_page(tmp_path / "broken")
    text = path.read_text(encoding="utf-8")
    head, mark, rest = text.partition('data-audio="said">')
    path.write_text(head + mark + "AAAA" * 50 + "</script>" + rest.partition("</script>")[2], encoding="utf-8")
    _load(chromium, path)
    _until(chromium, "return document.getElementById('told').textContent.includes('cannot play')")
    assert _ink(chromium) > 5_000
    errors(chromium)


def test_opus_plays(chromium, tmp_path):
    """Opus pages play and seek like FLAC ones."""
    make_session(tmp_path / "opus", duration_s=8)
    write_session_page(tmp_path / "opus", "opus")
    _load(chromium, tmp_path / "opus" / SESSION_PAGE, "#t=5")
    _until(chromium, "return Math.abs(document.querySelector('audio').currentTime - 5) < 0.01")
    assert errors(chromium) == []


def test_an_unscored_session_has_a_page(chromium, tmp_path):
    """Without annotation and scores the lanes, the words of the script and the events are there."""
    make_session(tmp_path / "bare", duration_s=12, bare=True)
    write_session_page(tmp_path / "bare")
    _load(chromium, tmp_path / "bare" / SESSION_PAGE)
    assert chromium.execute_script("return document.querySelectorAll('#conversation .turn').length") >= 3
    assert "no scores" in chromium.find_element("id", "scores").text
    assert errors(chromium) == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_every_screen(chromium, home, width, dark):
    """No page is wider than its screen, from a phone to 4k, light and dark."""
    for path in (
        home / "first" / "noisy-phone-line-0" / SESSION_PAGE,
        home / "first" / "index.html",
        home / "compare.html",
    ):
        _load(chromium, path)
        resize(chromium, width, 900)
        set_theme(chromium, dark=dark)
        _until(chromium, f"return innerWidth === {width}")
        assert chromium.execute_script("return document.documentElement.scrollWidth") <= width
        paper = chromium.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, paper[4:-1].split(","))) < 200) == dark
        assert errors(chromium) == []


def test_paper_gets_staves(page):
    """Printing lays the session out in rows of a light sheet and leaves the controls away."""
    page.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert page.execute_script("return document.querySelectorAll('#sheet img').length") == 2
    assert len(page.print_page()) > 20_000


def test_the_index_sorts_and_filters(chromium, home):
    """A column's head sorts, the field filters, and the dots of what is filtered out step back."""
    _load(chromium, home / "first" / "index.html")
    names = "return [...document.querySelectorAll('#rows tr td:first-child a')].map(a => a.textContent)"
    assert len(chromium.execute_script(names)) == 4
    assert chromium.execute_script(names)[0] == "noisy-phone-line-1"
    chromium.find_element("css selector", "#head th button").click()
    assert chromium.execute_script(names) == sorted(chromium.execute_script(names))
    chromium.find_element("id", "filter").send_keys("table")
    assert set(chromium.execute_script(names)) == {"book-a-table-0", "book-a-table-1"}
    assert chromium.execute_script("return document.querySelectorAll('circle.away').length") > 0
    chromium.find_element("id", "filter").clear()
    chromium.find_element("id", "filter").send_keys("far end closed")
    assert chromium.execute_script(names) == ["noisy-phone-line-1"]
    assert errors(chromium) == []


def test_the_index_leads_to_the_sessions(chromium, home):
    """A session's name opens its page, and that leads back."""
    _load(chromium, home / "first" / "index.html")
    chromium.find_element("link text", "book-a-table-0").click()
    wait_ready(chromium)
    chromium.find_element("class name", "crumb").click()
    wait_ready(chromium)
    assert "index.html" in chromium.current_url


def test_two_runs_are_heard_side_by_side(chromium, home):
    """A pair opens with both time lines; switching the side keeps the moment and changes the sound."""
    _load(chromium, home / "compare.html")
    chromium.find_element("class name", "pair").click()
    _until(chromium, "return document.querySelectorAll('audio').length === 2")
    _until(chromium, "return [...document.querySelectorAll('audio')].every(audio => audio.readyState > 0)")
    assert chromium.execute_script("return document.querySelectorAll('.take canvas').length") == 2
    _press(chromium, "\ue014", "\ue014", "\ue014", "h")
    _until(chromium, "return document.querySelector('audio[data-track=\"1\"]').currentTime === 3")
    _press(chromium, " ")
    _until(chromium, "return document.querySelector('audio[data-track=\"1\"]').currentTime > 3.2")
    assert chromium.execute_script("return document.querySelector('audio[data-track=\"0\"]').paused")
    assert errors(chromium) == []


def _saved(driver: Any, button: str) -> bytes:
    """Press a button that saves a file, and give what was saved: the link's own blob, read back."""
    driver.execute_script(
        "window.saved = null; const create = URL.createObjectURL;"
        "URL.createObjectURL = blob => { window.saved = blob; return create.call(URL, blob); };"
    )
    driver.find_element("id", button).click()
    _until(driver, "return window.saved !== null")
    numbers = driver.execute_async_script(
        "const done = arguments[0]; window.saved.arrayBuffer().then(bytes => done([...new Uint8Array(bytes)]));"
    )
    return bytes(numbers)


def test_a_link_to_a_clip_shows_plays_and_saves_it(chromium, home):
    """`#t=4-4.5` plays half a second and stops there; the WAV file is that part of the recording, to the sample."""
    session = home / "first" / "noisy-phone-line-0"
    _load(chromium, session / SESSION_PAGE, "#t=4-4.5")
    assert chromium.find_element("id", "clipped-told").text == "clip 0:04.0 to 0:04.5"
    assert chromium.execute_script(TIME) == pytest.approx(4, abs=0.01)
    _press(chromium, " ")
    _until(chromium, "return document.querySelector('audio[data-track=said]').currentTime > 4.2")
    _until(chromium, "return document.querySelector('audio[data-track=said]').paused")
    assert chromium.execute_script(TIME) == pytest.approx(4.5, abs=0.05)
    samples, rate = soundfile.read(io.BytesIO(_saved(chromium, "clip-save")), dtype="float32")
    (recording,) = (session / name for name in ("conversation.wav", "conversation.flac") if (session / name).is_file())
    said, said_rate = soundfile.read(recording, dtype="float32")
    assert rate == said_rate
    assert np.abs(samples - said[4 * rate : 4 * rate + rate // 2]).max() < 2 / 32767
    chromium.find_element("id", "clip-leave").click()
    assert not chromium.find_element("id", "clipbar").is_displayed()
    assert errors(chromium) == []


def test_the_annotation_is_saved_in_seconds(page, home):
    """Who spoke when, as the page knows it."""
    told = json.loads(_saved(page, "annotation"))
    assert told["session"] == "noisy-phone-line-0"
    assert told["duration_s"] == pytest.approx(24, abs=0.1)
    assert told["user"]["segments"] and told["agent"]["segments"]
    assert all(0 <= item["start"] <= item["end"] <= 24 for item in told["user"]["segments"])


def test_words_are_found(page):
    """The turns without a word step back, enter goes to those that have it, escape shows all again."""
    from selenium.webdriver.common.keys import Keys

    words = page.execute_script(
        "return [...document.querySelectorAll('#conversation .turn .body p')].map(p => p.textContent)"
    )
    wanted = max(words[-1].split(), key=len).strip(".,?!")
    _press(page, "/", *wanted, Keys.ENTER)
    aside = page.execute_script("return document.querySelectorAll('#conversation .turn.aside').length")
    turns = page.execute_script("return document.querySelectorAll('#conversation .turn').length")
    assert 0 < turns - aside < turns
    assert page.find_element("id", "found").text == f"{turns - aside} of {turns}"
    assert page.execute_script(TIME) > 0
    _press(page, Keys.ESCAPE)
    assert page.execute_script("return document.querySelectorAll('#conversation .turn.aside').length") == 0


def test_troubles_that_come_again_are_one_line(chromium, tmp_path):
    """Two hundred lost frames are one row with their number and the worst, and a badge in the transcript."""
    make_session(tmp_path / "t", duration_s=24)
    events = tmp_path / "t" / "events.jsonl"
    lost = [
        {
            "at": 96_000 + 480 * n,
            "party": "user",
            "type": "unheard",
            "since": 96_000 + 480 * n,
            "size": 480 + 24 * (n == 9),
        }
        for n in range(200)
    ]
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    lines = sorted([line for line in lines if line["type"] != "unheard"] + lost, key=lambda line: line["at"])
    events.write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_session_page(tmp_path / "t")
    _load(chromium, tmp_path / "t" / SESSION_PAGE)
    chromium.find_element("css selector", "#log summary").click()
    _until(chromium, "return document.querySelectorAll('#log .entry').length > 0")
    rows = chromium.execute_script("return [...document.querySelectorAll('#log .entry')].map(row => row.textContent)")
    (row,) = (row for row in rows if "unheard" in row)
    assert "user: unheard, 200 times from 0:04.0 to 0:08.0, the worst 21 ms at 0:04.2" in row
    badges = chromium.execute_script("return [...document.querySelectorAll('.turn .trouble')].map(b => b.textContent)")
    assert {"150 troubles", "50 troubles"} <= set(badges), "each turn has those that came before it was over"


def test_what_a_caller_decided_stands_at_its_turn(chromium, tmp_path):
    """A decision is a line under what was said of it; one to wait stands alone at its time; both can be hidden."""
    make_session(tmp_path / "d", duration_s=24)
    add_decisions(tmp_path / "d")
    write_session_page(tmp_path / "d")
    _load(chromium, tmp_path / "d" / SESSION_PAGE)
    lines = chromium.execute_script(
        "return [...document.querySelectorAll('#conversation .decided')].map(line => "
        "{ const turn = line.closest('.turn'); "
        "return [line.textContent, turn.className, turn.querySelector('.moment').textContent]; })"
    )
    (waits, alone, moment), (hangs_up, turn, _) = lines
    assert (waits, alone, moment) == (
        "decided: wait — the other's sentence is not finished",
        "turn alone user",
        "0:03.0",
    )
    assert (hangs_up, turn) == ("decided: hang up — has it all", "turn user")
    assert chromium.find_element("css selector", "#kinds [data-kind=decided] .count").text == "2"
    assert errors(chromium) == []
