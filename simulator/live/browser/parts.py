"""What pages of ours are answered with: headers under the page's own policy, and its scripts and styles."""

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.live.browser.entering import refused

if TYPE_CHECKING:
    from starlette.responses import Response

_SHARED = ("base.css", "theme.js")
"""Those of all pages, which lie with the reports."""
_TYPES = {".js": "text/javascript", ".css": "text/css"}


def page_headers(policy: str) -> dict[str, str]:
    """Give the headers of a page. policy: what it may load, and from where (Content-Security-Policy)."""
    return {"content-security-policy": policy, "cache-control": "no-store", "referrer-policy": "no-referrer"}


def page_part(package: str, name: str) -> "Response":
    """Answer with a script or style of a package's `assets`, or with a refusal where there is none of the name."""
    from starlette.responses import Response

    file = files("simulator.report" if name in _SHARED else package) / "assets" / name
    kind = _TYPES.get(Path(name).suffix)
    if kind is None or Path(name).name != name or not file.is_file():
        return refused(404, "there is no such part")
    return Response(file.read_text(encoding="utf-8"), media_type=kind, headers={"cache-control": "no-cache"})
