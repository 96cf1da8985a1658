"""The parts of a page: templates, styles and scripts of the `assets` folder, put together at write time.

Scripts are plain ES modules, one thought each, and need no build step: `script` follows the imports of an
entry module and joins them into one classic script, which also runs from disk, where browsers refuse to load
modules.
"""

import base64
import gzip
import html
import re
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import msgspec

from simulator.files import write_whole

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(async )?(function|class|const)\b)", re.MULTILINE)

ICON = (  # two lanes, as an SVG
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath d='M2 6V4M5 7V3M8 8V2M11 6V4' stroke='%230b6aa8' stroke-width='2' stroke-linecap='round'/%3E"
    "%3Cpath d='M5 12v-1M8 14V9M11 13v-3M14 12v-1' stroke='%23c05a12' stroke-width='2' stroke-linecap='round'/%3E"
    "%3C/svg%3E"
)


def text(name: str, package: str = "simulator.report") -> str:
    """Give an asset of a package as text."""
    return (files(package) / "assets" / name).read_text(encoding="utf-8")


def script(entry: str) -> str:
    """Give the module `<entry>.js` and all it imports as one classic script, each module after what it needs."""
    ordered: dict[str, str] = {}

    def visit(name: str) -> None:
        if name in ordered:
            return
        source = text(f"{name}.js")
        for needed in _IMPORT.findall(source):
            visit(needed)
        ordered[name] = _EXPORT.sub("", _IMPORT.sub("", source))

    visit(entry)
    return '(() => {\n"use strict";\n' + "\n".join(ordered.values()) + "})();\n"


def style(*names: str) -> str:
    """Give the named style sheets, one after the other."""
    return "\n".join(text(f"{name}.css") for name in names)


def fill(template: str, *, package: str = "simulator.report", **values: str) -> str:
    """Fill a template's `$name` places with ready HTML; a place without a value is an error of ours (KeyError).

    `$head`, with which a page begins, and `$icon` are the same for all.
    """
    head = text("head.html").rstrip("\n")
    return Template(text(f"{template}.html", package)).substitute(head=head, icon=ICON, **values)


def write_page(path: Path, html: str) -> None:
    """Write a page so that it appears whole or not at all."""
    write_whole(path, html.encode())


def escape(value: object) -> str:
    """Give any value as text that is safe inside an element or an attribute."""
    return html.escape(str(value))


def packed(data: bytes) -> str:
    """Give bytes gzipped, as base64: what the page inflates by DecompressionStream. Same bytes, same text."""
    return base64.b64encode(gzip.compress(data, 6, mtime=0)).decode("ascii")


def packed_json(value: Any) -> str:
    """Give plain data or structs as packed JSON."""
    return packed(msgspec.json.encode(value))
