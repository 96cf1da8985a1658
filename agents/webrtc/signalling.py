"""How a WebRTC connection is agreed on over HTTP, without I/O: what is asked, what is read from the answer.

    dialect   asked                                            answered
    plain     POST {sdp, type: offer, ...request}              {sdp, type: answer}
    whip      POST the SDP, application/sdp                    the SDP; Location is deleted at the end (RFC 9725)
    pipecat   POST {sdp, type, request_data} to /api/offer     {sdp, type, pc_id}; PATCH {pc_id, candidates} later
              or, to /start first: {transport: webrtc, body}   {sessionId}, then /sessions/ID/api/offer
    openai    POST the SDP, or multipart sdp + session         the SDP; Location holds the call's id

Sources: pipecat-ai 1.14's SmallWebRTC request handler and runner, OpenAI's Realtime API with WebRTC.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import msgspec

from agents.remote.far_end import refusal
from agents.remote.foreign_json import told_object
from simulator.errors import RemoteError
from simulator.remote.http_exchange import HttpAnswer, HttpRequest

Dialect = Literal["plain", "whip", "pipecat", "openai"]

SDP_TYPE = "application/sdp"
LONGEST_ANSWER = 2**18
START = "/start"
ANSWERED = "answered with"
_BOUNDARY = "duplex-simulator-7d0c1a"
_CANDIDATE = re.compile(r"^a=(candidate:.*|end-of-candidates)\r?\n", re.MULTILINE)


class OfferAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where to offer, secrets expanded. request: what goes with the offer, in the dialect's own place for it."""

    url: str
    dialect: Dialect = "plain"
    headers: Mapping[str, str] = {}
    request: Mapping[str, Any] = {}
    timeout_s: float = 15.0


class Agreed(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: its SDP, the call's name where it has one, and where the call can be ended."""

    sdp: str
    call: str | None = None
    location: str | None = None


def start_request(address: OfferAddress) -> HttpRequest | None:
    """Give what is asked before the offer: Pipecat's runner makes a session first, if its `/start` is called."""
    if address.dialect != "pipecat" or not urlsplit(address.url).path.endswith(START):
        return None
    return _request(address, address.url, {"transport": "webrtc", "body": dict(address.request)})


def started(address: OfferAddress, answer: HttpAnswer) -> str:
    """Read that answer: the address of the offer. RemoteError: none is given."""
    session = told_object(_accepted(answer), ANSWERED).get("sessionId")
    if not isinstance(session, str) or not session:
        raise RemoteError("answered /start without a sessionId; is its transport webrtc?")
    return urljoin(address.url, f"{urlsplit(address.url).path.removesuffix(START)}/sessions/{session}/api/offer")


def offer_request(address: OfferAddress, url: str, sdp: str) -> HttpRequest:
    """Give what is asked with an offer."""
    if address.dialect == "openai" and address.request:
        parts = ((SDP_TYPE, "sdp", sdp), ("application/json", "session", _json(dict(address.request)).decode()))
        body = "".join(
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {type_}\r\n\r\n{text}\r\n'
            for type_, name, text in parts
        )
        return _raw(address, url, f"{body}--{_BOUNDARY}--\r\n", f"multipart/form-data; boundary={_BOUNDARY}")
    if address.dialect in ("openai", "whip"):
        return _raw(address, url, sdp, SDP_TYPE)
    more: dict[str, Any] = dict(address.request)
    if address.dialect == "pipecat":
        more = {"request_data": more} if more and not start_request(address) else {}
    return _request(address, url, {**more, "sdp": sdp, "type": "offer"})


def read_answer(address: OfferAddress, url: str, answer: HttpAnswer) -> Agreed:
    """Read what an offer is answered. RemoteError, a predicate: refused, or no SDP."""
    body = _accepted(answer)
    if address.dialect in ("openai", "whip"):
        location = answer.headers.get("location")
        sdp, call = body.decode("utf-8", "replace"), location.rstrip("/").rpartition("/")[2] if location else None
        where = urljoin(url, location) if location and address.dialect == "whip" else None
    else:
        told = told_object(body, ANSWERED)
        sdp, call, where = str(told.get("sdp") or ""), told.get("pc_id"), None
    if not sdp.lstrip().startswith("v=0"):
        raise RemoteError(f"answered the offer without an SDP; is `dialect: {address.dialect}` what it speaks?")
    return Agreed(sdp=sdp, call=str(call) if call else None, location=where)


def without_candidates(sdp: str) -> str:
    """Give an offer whose candidates are told later."""
    return _CANDIDATE.sub("", sdp)


def candidates_request(address: OfferAddress, url: str, call: str, sdp: str) -> HttpRequest:
    """Give the PATCH that tells Pipecat of an offer's candidates, and of their end."""
    candidates: list[dict[str, Any]] = []
    for index, media in enumerate(re.split(r"^m=", sdp, flags=re.MULTILINE)[1:]):
        mid = re.search(r"^a=mid:(\S+)", media, re.MULTILINE)
        found = re.findall(r"^a=(candidate:.*?)\r?$", media, re.MULTILINE)
        candidates += [
            {"candidate": told, "sdp_mid": mid[1] if mid else str(index), "sdp_mline_index": index} for told in found
        ]
    return _request(address, url, {"pc_id": call, "candidates": candidates}, "PATCH")


def candidates_taken(answer: HttpAnswer) -> None:
    """Read what that is answered. RemoteError: it knows no such connection."""
    if answer.status == 404:
        raise RemoteError("does not know the connection it has just agreed to (HTTP 404 to its pc_id)")
    _accepted(answer)


def end_request(address: OfferAddress, agreed: Agreed) -> HttpRequest | None:
    """Give what ends a call where the dialect has a word for it."""
    if agreed.location is None:
        return None
    return HttpRequest(
        url=agreed.location,
        headers=address.headers,
        method="DELETE",
        timeout_s=address.timeout_s,
        longest=LONGEST_ANSWER,
    )


def _request(address: OfferAddress, url: str, body: Mapping[str, Any], method: str = "") -> HttpRequest:
    return HttpRequest(
        url=url, body=_json(body), headers=address.headers, method=method, timeout_s=address.timeout_s,
        longest=LONGEST_ANSWER,
    )  # fmt: skip


def _raw(address: OfferAddress, url: str, body: str, type_: str) -> HttpRequest:
    return HttpRequest(
        url=url, body=body.encode(), content_type=type_, headers=address.headers, timeout_s=address.timeout_s,
        longest=LONGEST_ANSWER,
    )  # fmt: skip


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _accepted(answer: HttpAnswer) -> bytes:
    if answer.status in (404, 405):
        raise RemoteError(f"{refusal(answer.status, answer.body)}; does its path take offers?")
    if not 200 <= answer.status < 300:
        raise RemoteError(refusal(answer.status, answer.body))
    return answer.body
