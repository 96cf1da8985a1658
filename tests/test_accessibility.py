"""Every page, light and dark, on a phone and a desk, as axe-core sees it: no finding that is serious or critical.

axe-core is Deque's; `.ci/full browser` installs it by npm beside the environment, and nothing of it is shipped.
"""

import sys
from pathlib import Path
from typing import Any

import pytest

from simulator.report.compare import write_compare_page
from simulator.report.index import write_index_page
from simulator.report.page import write_session_page
from simulator.results.run import SESSION_PAGE, load_run
from tests.live_browser import caller, chromium, join, seconds_talked, start, talk, wait_until
from tests.report_browser import browser, missing, resize, set_theme, wait_ready
from tests.report_sessions import make_run

AXE = Path(sys.prefix) / "axe" / "node_modules" / "axe-core" / "axe.min.js"
LACKS = missing() or (None if AXE.is_file() else "axe-core is not installed (npm install --prefix ENVIRONMENT/axe)")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(LACKS is not None, reason=LACKS or "")]

FOUND = """
const done = arguments[arguments.length - 1];
axe.run(document).then(
  found => done(found.violations.map(item => [item.impact, item.id, item.help, ...item.nodes.map(node => node.html)])),
  error => done([["critical", "axe", String(error)]]));
"""


def found(driver: Any) -> list[list[str]]:
    """What axe-core finds on the page as it is, at both widths and in both themes: impact, rule, help, elements."""
    driver.execute_script(AXE.read_text(encoding="utf-8"))
    findings: list[list[str]] = []
    for width in (380, 1280):
        for dark in (False, True):
            resize(driver, width, 900)
            set_theme(driver, dark=dark)
            findings += driver.execute_async_script(FOUND)
    return [finding for finding in findings if finding[0] in ("serious", "critical")]


def test_pages_of_sessions_runs_and_comparisons(tmp_path: Path) -> None:
    """As they are when they have been loaded."""
    for name, seed in (("first", 0), ("second", 40)):
        rows = make_run(tmp_path / name, sessions=2, duration_s=24, seed=seed)
        write_session_page(tmp_path / name / rows[0]["id"])
        write_index_page(load_run(tmp_path / name))
    write_compare_page([load_run(tmp_path / name) for name in ("first", "second")], tmp_path / "compare.html")
    pages = (
        tmp_path / "first" / rows[0]["id"] / SESSION_PAGE,
        tmp_path / "first" / "index.html",
        tmp_path / "compare.html",
    )
    with browser(1280, 900) as driver:
        for page in pages:
            driver.get(page.as_uri())
            wait_ready(driver)
            assert not found(driver), page


def test_a_live_talk(tmp_path: Path) -> None:
    """The lobby, the talk, what a spectator sees, and the scorecard."""
    caller(tmp_path / "caller.wav", 40, 24_000, first_s=10)
    with talk(tmp_path, "--no-open", "--set", "scorers=[latency]") as process, \
            chromium(tmp_path / "caller.wav") as page:  # fmt: skip
        page.get(process.address())
        assert not found(page)
        with browser(1280, 900) as watching:
            watching.get(process.address("watch"))
            join(page, "")
            start(page)
            wait_until(lambda: seconds_talked(page) >= 8, 60)
            assert not found(page)
            assert not found(watching)
        page.find_element("id", "hang_up").click()
        wait_until(page.find_element("id", "report").is_displayed, 120)
        assert not found(page)
