"""A hub for tests, a real server on loopback: the paths, codes and headers that the hub's own client goes by.

Contents lie elsewhere, at a signed address of another host, as the hub has its large files; parts of them are given.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from tests.contracts.http_peers import Got, scripted

OWNER = "hlt-lab/voicebench"
_LISTING = re.compile(r"/api/datasets/(?P<hub>[^/]+/[^/]+)/revision/(?P<revision>[^/]+)")
_CONTENT = re.compile(r"/datasets/(?P<hub>[^/]+/[^/]+)/resolve/(?P<commit>[0-9a-f]{40})/(?P<file>.+)")
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class HubStandIn:
    """One repository. token: what opens it, "" for everybody; gated: its files alone need the token."""

    def __init__(self, files: Mapping[str, bytes], *, token: str = "", gated: bool = False, parts: bool = True) -> None:
        self.files = dict(files)
        self.token, self.gated, self.parts = token, gated, parts
        self.commit = "a" * 40
        self.url = ""
        self.elsewhere = ""
        self.asked: list[Got] = []
        self.fetched: list[Got] = []

    def answer(self, got: Got) -> None:
        """Answer as the hub does."""
        path = unquote(urlsplit(got.path).path)
        opened = not self.token or got.headers.get("authorization") == f"Bearer {self.token}"
        listing, content = _LISTING.fullmatch(path), _CONTENT.fullmatch(path)
        if listing and listing["hub"] == OWNER and (opened or self.gated):
            self._list(got, listing["revision"])
        elif listing:
            # Who may ask is told that it is not there; anybody else not even that.
            found = {"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"}
            body, status, headers = found if opened else ({"error": "Invalid username or password."}, 401, {})
            got.answer(body, status, **headers)
        elif content and not opened:
            headers = {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."}
            status = 403 if "authorization" in got.headers else 401
            got.answer({"error": "Access is restricted."}, status, **headers)
        elif content and content["file"] in self.files:
            signed = f"{self.elsewhere}/{content['file']}?X-Amz-Signature=sig-no-one-may-see"
            got.answer(b"", 302, Location=signed)
        else:
            got.answer({"error": "Entry not found"}, 404, **{"X-Error-Code": "EntryNotFound"})

    def _list(self, got: Got, revision: str) -> None:
        if revision not in ("main", self.commit):
            got.answer({"error": f"Invalid rev id: {revision}"}, 404, **{"X-Error-Code": "RevisionNotFound"})
            return
        siblings = [
            {"rfilename": name, "size": len(body), "blobId": hashlib.sha1(body).hexdigest()}
            for name, body in self.files.items()
        ]
        got.answer({"id": OWNER, "sha": self.commit, "private": False, "tags": [], "siblings": siblings})

    def give(self, got: Got) -> None:
        """Give a content, or a part of it, at its signed address."""
        body = self.files[unquote(urlsplit(got.path).path).removeprefix("/")]
        wanted = _RANGE.fullmatch(got.headers.get("range", ""))
        if wanted and self.parts:
            got.answer(body[int(wanted[1]) : int(wanted[2]) + 1], 206, kind="application/octet-stream")
        else:
            got.answer(body, kind="application/octet-stream")


@contextmanager
def standing(hub: HubStandIn) -> Iterator[HubStandIn]:
    """Have a hub answer while the block runs."""
    with scripted(hub.give) as (elsewhere, hub.fetched), scripted(hub.answer) as (url, hub.asked):
        hub.url, hub.elsewhere = url, elsewhere.replace("127.0.0.1", "localhost")
        yield hub
