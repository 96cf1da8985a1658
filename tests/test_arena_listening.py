"""People as judges of battles: what they are shown and shown again, the page that asks them, and who gets in."""

import json
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest

from simulator import clock
from simulator.arena.battle import Battle, Winner
from simulator.arena.desk import Desk, ListeningRules
from simulator.arena.listening import Door, listen
from simulator.arena.pairing import next_match
from simulator.arena.sources import ArenaField, read_field
from simulator.errors import ScenarioError
from tests.arena_folders import answers, sound
from tests.report_browser import browser, errors, missing

LENGTHS = {"alfa": 0.2, "bravo": 0.3, "charlie": 0.4}
CLIPS = [f"edu/q{number}" for number in range(8)]


@pytest.fixture
def field(tmp_path: Path) -> ArenaField:
    """Three systems, of different rates, that answered eight questions; one question has its sound and its words."""
    folders = [answers(tmp_path / name, dict.fromkeys(CLIPS, length), rate=8000 if name == "alfa" else 16_000)
               for name, length in LENGTHS.items()]  # fmt: skip
    sound(tmp_path / "input" / "edu" / "q0.wav", 0.2, words="What is new?")
    return read_field([str(folder) for folder in folders], tmp_path / "input")


def judged(desk: Desk, rater: str, times: int) -> list[Battle]:
    """Have a rater prefer the first of the alphabet so often, or as long as there is something."""
    found = []
    for _ in range(times):
        showing = desk.show(rater)
        if showing is None:
            break
        better = "model_a" if showing.match.first < showing.match.second else "model_b"
        found.append(desk.judge(rater, showing.id, better))
    return found


def test_the_pair_that_tells_most_comes_next(field: ArenaField) -> None:
    """Met the least first; of equals those whose outcome is open: after many clear wins the far ends meet no more."""
    rows = [Battle(model_a="alfa", model_b="bravo", winner="model_a", input=name, rater="x") for name in CLIPS[:2]]
    match = next_match(field, rows, "y", 0)
    assert match is not None
    assert {match.first, match.second} != {"alfa", "bravo"}
    outcomes: dict[tuple[str, str], tuple[Winner, Winner]] = {
        ("alfa", "bravo"): ("model_a", "model_b"), ("alfa", "charlie"): ("model_a", "model_a"),
        ("bravo", "charlie"): ("model_a", "model_a"),
    }  # fmt: skip
    even = [Battle(model_a=one, model_b=other, winner=winner, input=name, rater="x")
            for (one, other), winners in outcomes.items()
            for name, winner in zip(CLIPS, winners, strict=False)]  # fmt: skip
    match = next_match(field, even, "y", 0)
    assert match is not None
    assert {match.first, match.second} == {"alfa", "bravo"}


def test_sides_are_drawn_by_the_seed(field: ArenaField, tmp_path: Path) -> None:
    """The same seed shows the same pairs on the same sides, another one others; neither side is always the same."""
    shows = [[(row.model_a, row.model_b, row.input) for row in judged(Desk(field, ListeningRules(seed=seed, twice=0),
             tmp_path / f"{place}.jsonl"), "ann", 24)] for place, seed in enumerate((1, 1, 2))]  # fmt: skip
    assert shows[0] == shows[1] != shows[2]
    assert 4 < sum(first < second for first, second, _ in shows[0]) < 20


def test_a_share_is_judged_twice_with_sides_exchanged(field: ArenaField, tmp_path: Path) -> None:
    """A fifth of 20 fresh ones again, turned, not at once, as repeats; and what another rater judged, as fresh ones."""
    desk = Desk(field, ListeningRules(twice=0.2), tmp_path / "b.jsonl")
    rows = judged(desk, "ann", 24)
    again = [place for place, row in enumerate(rows) if row.repeat]
    assert len(again) == 4
    for place in again:
        first = next(number for number, row in enumerate(rows) if row.pair == rows[place].pair)
        assert place - first > 3
        assert (rows[first].model_a, rows[first].order) == (rows[place].model_b, "drawn")
        assert rows[place].order == "turned"
    ben = judged(desk, "ben", 24)
    assert sum(row.repeat for row in ben) < 4
    assert {row.pair for row in ben if not row.repeat} & {row.pair for row in rows}


def test_a_verdict_is_in_the_file_before_the_next_pair(field: ArenaField, tmp_path: Path) -> None:
    """Another sitting goes on with what is there; `most` counts it; a tie has to be allowed; seconds are told."""
    file, ticks = tmp_path / "b.jsonl", count(step=2.5)
    desk = Desk(field, ListeningRules(most=3, twice=0), file, now=lambda: float(next(ticks)))
    showing = desk.show("ann")
    assert showing is not None
    assert showing == desk.show("ann")
    for name, choice in (("9", "model_a"), (showing.id, "tie"), (showing.id, "alfa")):
        with pytest.raises(ValueError, match=r"not before you|is no verdict; allowed are model_a, model_b"):
            desk.judge("ann", name, choice)
    assert desk.judge("ann", showing.id, "model_a").seconds == 2.5
    assert json.loads(file.read_text())["rater"] == "ann"
    later = Desk(field, ListeningRules(most=3, ties=True), file)
    assert len(judged(later, "ann", 9)) == 2
    assert later.show("ann") is None
    assert len({battle.pair for battle in later.battles}) == 3


@asynccontextmanager
async def hosted(desk: Desk, *raters: str) -> AsyncIterator[dict[str, str]]:
    """Serve the pages while the block runs, which Ctrl-C ends; gives the address of every rater."""
    told: list[str] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen, desk, Door(raters=raters, open_page=False), told.append)
        with anyio.fail_after(10):
            while len(told) <= len(raters):
                await clock.sleep(0.01)
        yield {rater: told[place].rpartition(" ")[2] for place, rater in enumerate(raters)}
        os.kill(os.getpid(), signal.SIGINT)


Got = tuple[int, dict[str, str], bytes]


async def call(address: str, path: str = "", *, body: str | None = None, **headers: str) -> Got:
    """One request to a rater's page; headers with _ for -."""

    def go() -> Got:
        parts = urlsplit(address)
        connection = HTTPConnection(parts.netloc, timeout=10)
        where = parts.path + path + (f"?{parts.query}" if not path and parts.query else "")
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET" if body is None else "POST", where, body, sent)
        answer = connection.getresponse()
        read = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return read

    return await anyio.to_thread.run_sync(go)


def test_a_rater_gets_in_once_and_hears_nobodys_name(field: ArenaField, tmp_path: Path) -> None:
    """The address becomes a cookie; elsewhere's pages and other raters stay out; sounds have one rate, names nobody."""

    async def go() -> None:
        async with hosted(Desk(field, ListeningRules(most=1), tmp_path / "b.jsonl"), "ann", "ben") as addresses:
            ann, ben = addresses["ann"], addresses["ben"].partition("?")[0]
            plain = ann.partition("?")[0]
            assert [(await call(where))[0] for where in (plain, f"{plain}?pass=wrong", plain + "x")] == [401, 403, 404]
            status, headers, _ = await call(ann)
            assert status == 303
            cookie = headers["set-cookie"].partition(";")[0]
            assert (await call(ann))[0] == 403
            assert (await call(plain, cookie=cookie, origin="http://evil.example"))[0] == 403
            assert (await call(ben, "/pair", cookie=cookie))[0] == 401
            pair = (await call(plain, "/pair", cookie=cookie))[2].decode()
            page = (await call(plain, cookie=cookie))[2].decode()
            shown = json.loads(pair)
            sounds = [
                await call(plain, f"/sound/{shown['id']}/{which}", cookie=cookie) for which in ("first", "second")
            ]
            assert {int.from_bytes(content[24:28], "little") for _, _, content in sounds} == {24_000}
            for text in (pair, page, *(str(headers) for _, headers, _ in sounds)):
                assert not re.search("|".join(LENGTHS), text)
            assert (await call(plain, "/sound/99/first", cookie=cookie))[0] == 404
            for body in ("{", '{"id": "99", "choice": "model_a"}', '{"id": "1", "choice": "tie"}'):
                assert (await call(plain, "/verdict", body=body, cookie=cookie))[0] == 400
            answer = await call(
                plain, "/verdict", body=f'{{"id": "{shown["id"]}", "choice": "model_b"}}', cookie=cookie
            )
            assert json.loads(answer[2]) == {"judged": 1, "most": 1, "done": True}

    anyio.run(go)
    assert json.loads((tmp_path / "b.jsonl").read_text())["winner"] == "model_b"


@pytest.mark.parametrize("names", [("a b",), ("watch",), ("ann", "ann"), ("",)])
def test_names_of_raters_are_plain(names: tuple[str, ...]) -> None:
    """Letters, digits, _ and -, each once: they are part of addresses and cookies."""
    with pytest.raises(ScenarioError, match="--rater"):
        Door(raters=names).check()


@pytest.fixture
def chromium() -> Iterator[Any]:
    """A browser."""
    with browser(1000, 800) as driver:
        yield driver


@pytest.mark.browser
@pytest.mark.skipif(missing() is not None, reason=missing() or "")
def test_a_rater_listens_and_decides_by_keys(field: ArenaField, tmp_path: Path, chromium: Any) -> None:
    """1 does nothing before both were played; then it decides; three battles, a tie among them, and it is over."""
    state = "return document.documentElement.dataset.ready"
    desk = Desk(field, ListeningRules(most=3, ties=True, twice=0), tmp_path / "b.jsonl")

    def until(script: str, value: Any) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(chromium, 20, poll_frequency=0.02).until(lambda page: page.execute_script(script) == value)

    def rate(address: str) -> None:
        chromium.get(address)
        for number, key in enumerate("123", 1):
            until(state, str(number))
            body = chromium.find_element("tag name", "body")
            body.send_keys("1")
            assert len(desk.battles) == number - 1
            body.send_keys("a")
            body.send_keys("b")
            until("return document.querySelector('[data-key=\"1\"]').disabled", value=False)
            body.send_keys(key)
        until(state, "done")
        assert errors(chromium) == []

    async def go() -> None:
        async with hosted(desk, "ann") as addresses:
            await anyio.to_thread.run_sync(rate, addresses["ann"])

    anyio.run(go)
    assert [battle.winner for battle in desk.battles] == ["model_a", "model_b", "tie"]
