"""The folder of an arena: its battles, its ratings as JSON, as Markdown and as a page."""

from pathlib import Path

from simulator.arena.page import arena_html
from simulator.arena.result import ArenaResult
from simulator.arena.tables import markdown
from simulator.files import write_json, write_whole

BATTLES = "battles.jsonl"
RATINGS = "ratings.json"
"""The numbers and nothing else, as `simulate arena rate --json` gives them."""
DETAILS = "arena.json"
TABLES = "arena.md"
PAGE = "index.html"


def write_result(folder: Path, result: ArenaResult, name: str) -> None:
    """Write the files of a result into a folder, which is made. OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / RATINGS, result.standings.as_json())
    write_json(folder / DETAILS, result.as_json())
    write_whole(folder / TABLES, markdown(result, name).encode())
    write_whole(folder / PAGE, arena_html(result, name).encode())
