"""docs/reference/ is what the code says."""

import tomllib
from collections.abc import Iterator

import pytest

from simulator.reading.key_types import keys_of
from tests.command_line import simulate
from tests.reference_files import FILES
from tests.reference_pages import FOLDER, pages
from tests.source_tree import ROOT


def test_the_pages_are_what_the_code_says() -> None:
    """docs/reference/ is stale? `python -m tests.reference_pages` writes it."""
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == pages()


def test_every_field_of_a_file_has_a_text() -> None:
    """results.jsonl row by row, and the others."""
    structs = [struct for files in FILES.values() for told in files.values() for struct in told.structs]
    assert [f"{struct.__name__}.{key.name}" for struct in structs for key in keys_of(struct) if not key.text] == []


def test_every_page_is_in_the_sites_navigation() -> None:
    """A page that nothing leads to is not read."""
    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    pages_of_docs = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert pages_of_docs == set(_led_to(site["project"]["nav"]))


def _led_to(nav: object) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict):
        yield from (page for entry in nav.values() for page in _led_to(entry))
    elif isinstance(nav, list):
        yield from (page for entry in nav for page in _led_to(entry))


def test_a_run_leaves_no_file_that_the_page_does_not_tell_of(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    """A short call with a line and a world writes what the page has, and nothing else."""
    folder = tmp_path_factory.mktemp("call")
    (folder / "call.yaml").write_text(
        "{name: call, duration: 1s, user: silent, agent: silent, world: {state: {open: true}},"
        " lines: {user_to_agent: [{kind: gain, db: -6}]}}"
    )
    assert simulate(folder / "call.yaml", "--out", folder / "out") == 0
    run, session = (set(files) for files in FILES.values())
    left = {path.name for path in (folder / "out").iterdir() if path.is_file()}
    assert left == run
    inside = {path.name for path in (folder / "out" / "call-0").iterdir()}
    assert inside <= session
    assert session - inside <= {"trace.jsonl", "judge.jsonl"}
