"""The licence table of docs/licences.md, from the metadata of what is installed.

python -m tests.licences > docs/licences.md
"""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "licences.md"
HEAD = """# Licences

What this program is installed with, by the packages' own metadata. Written by `python -m tests.licences`; a test
holds the table to what pyproject.toml names. The program itself is Apache-2.0. `espeakng-loader` brings the library
espeak-ng, which is GPL-3.0-or-later and is loaded when a voice speaks.

| package | needed by | licence |
|---|---|---|
"""
_NOT_SAID = {"espeakng-loader": "not told; the library inside: GPL-3.0-or-later", "sphn": "Apache-2.0"}
"""By the licence file or the repository, where the metadata says nothing."""
_LONGEST = 60


def direct() -> dict[str, list[str]]:
    """Give the packages that pyproject.toml names, with the extras that want them (`default` for the rest)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = {"default": project["dependencies"], **project["optional-dependencies"]}
    found: dict[str, list[str]] = {}
    for group, wanted in groups.items():
        for requirement in wanted:
            name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower()
            if name != project["name"] and group != "test":
                found.setdefault(name, []).append(group)
    return found


def licence_of(name: str) -> str | None:
    """Give the licence of an installed package by its metadata; None where it is not installed."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return None
    return _NOT_SAID.get(name) or next(_said(told), "not said")


def _said(told: PackageMetadata) -> Iterator[str]:
    """The expression first, then classifiers, then the free text if it is short enough to be a name."""
    if expression := told.get("License-Expression"):
        yield expression
    for classifier in told.get_all("Classifier") or []:
        parts = classifier.split(" :: ")
        if parts[0] == "License" and len(parts) > 2:
            yield parts[-1]
    free = (told.get("License") or "").strip()
    if free and len(free) <= _LONGEST:
        yield free


def table() -> str:
    """Give the page; a package that is not installed here keeps the line it has."""
    kept = dict(re.findall(r"^\| (\S+) \| [^|]* \| ([^|]*) \|$", PAGE.read_text(), re.M)) if PAGE.is_file() else {}
    lines = [
        f"| {name} | {', '.join(groups)} | {licence_of(name) or kept.get(name, 'not installed here')} |"
        for name, groups in sorted(direct().items())
    ]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
