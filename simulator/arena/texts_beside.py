"""Texts that systems leave beside their sound: what was to be said, which is more than a recogniser hears of it."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

_FILES = ("{stem}.audio_transcript.txt", "{stem}.txt")
_SAID = ("llm_response", "textAnswer", "text")
_NAMED = ("filename", "question", "answer", "id", "question_id")
_STYLED = ("播报内容:", "播报内容：", "<endofprompt>")
"""What stands between the style of FunAudioLLM and its words."""
_LARGEST = 64 * 2**20


def text_beside(path: Path, name: str) -> str:
    """Give what was to be said in an answer, "" where no file says. name: of its question."""
    for pattern in _FILES:
        file = path.with_name(pattern.format(stem=path.stem))
        if file.is_file():
            return file.read_text(encoding="utf-8", errors="replace").strip()
    if path.name.startswith("item_"):
        found = list(path.parent.glob("*.audio_transcript.txt"))
        if len(found) == 1:
            return found[0].read_text(encoding="utf-8", errors="replace").strip()
    wanted = {path.stem, name.rpartition("/")[2]}
    for row in _rows(path.parent):
        names = {Path(str(row[key])).stem for key in _NAMED if isinstance(row.get(key), str)}
        said = next((row[key] for key in _SAID if isinstance(row.get(key), str)), None)
        if said and wanted & names:
            return _words(said)
    return ""


def _words(said: str) -> str:
    """Give a text without the style it is to be said in."""
    for mark in _STYLED:
        said = said.rpartition(mark)[2]
    return said.strip()


@lru_cache(maxsize=256)
def _rows(folder: Path) -> tuple[Mapping[str, Any], ...]:
    return tuple(row for file in sorted(folder.glob("*.json")) for row in _of(file))


def _of(file: Path) -> Iterator[Mapping[str, Any]]:
    """Give the rows of a JSON list, or of JSON lines, as SpeechGPT writes them; nothing of what is neither."""
    try:
        content = file.read_text(encoding="utf-8", errors="replace") if file.stat().st_size <= _LARGEST else ""
    except OSError:
        return
    try:
        found = json.loads(content)
        rows = found if isinstance(found, list) else [found]
    except (ValueError, RecursionError):
        rows = [row for line in content.splitlines() if (row := _line(line)) is not None]
    yield from (row for row in rows if isinstance(row, dict))


def _line(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
