"""The webhook before a media stream, without I/O: what is POSTed, how it is signed, what is read from the answer.

    POST  CallSid=CA..&AccountSid=AC..&From=..&To=..&CallStatus=ringing&Direction=inbound&ApiVersion=2010-04-01
    answer <Response><Connect><Stream url="wss://..."><Parameter name="k" value="v"/></Stream></Connect></Response>

Source: Twilio's "Security" (X-Twilio-Signature) and "<Stream>" pages.
"""

import base64
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit
from xml.etree import ElementTree

import msgspec

from simulator.errors import RemoteError
from simulator.texts import quoted

LONGEST_ANSWER = 2**16
"""Bytes: Twilio takes no more TwiML either."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class StreamOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer asks for: a stream to `url`, told these parameters."""

    url: str
    parameters: Mapping[str, str]


def signature(token: str, url: str, form: Mapping[str, str]) -> str:
    """Give X-Twilio-Signature: base64 of HMAC-SHA1 over the URL as called and every field, sorted by name."""
    told = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), told.encode(), "sha1")).decode("ascii")


def read_order(body: bytes) -> StreamOrder:
    """Read the answer to a call that came in.

    RemoteError, a predicate: no TwiML, no <Connect><Stream>, an address that Twilio would not take.
    """
    stream = _stream(body)
    url = (stream.get("url") or "").strip()
    check_stream_url(url)
    found: dict[str, str] = {}
    for parameter in stream.iter("Parameter"):
        name = parameter.get("name")
        if not name:
            raise RemoteError("answered with a <Parameter> without a name")
        found[name] = parameter.get("value") or ""
    return StreamOrder(url=url, parameters=found)


def check_stream_url(url: str) -> None:
    """Refuse what Twilio refuses, but for ws:// on this machine. RemoteError, a predicate."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise RemoteError(f"answered with a <Stream> to {quoted(url)}, which is no address") from None
    if parts.query:
        raise RemoteError(
            f"answered with a <Stream> to {parts.scheme}://{host} with a query string, which Twilio does not pass on; "
            "use <Parameter>"
        )
    if parts.scheme != "wss" and not (parts.scheme == "ws" and host in _LOOPBACK):
        raise RemoteError(f"answered with a <Stream> to {quoted(url)}; Twilio dials wss:// only")


def _stream(body: bytes) -> ElementTree.Element:
    if len(body) > LONGEST_ANSWER or b"<!" in body.replace(b"<!--", b""):
        # A declaration could name entities that grow without end.
        raise RemoteError("answered with XML that is too large, or declares a document type")
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise RemoteError(f"answered with no TwiML: {error}") from error
    if root.tag != "Response":
        raise RemoteError(f"answered with <{root.tag}>; TwiML is a <Response>")
    for verb in root:
        if verb.tag == "Connect":
            stream = verb.find("Stream")
            if stream is None:
                raise RemoteError("answered with a <Connect> without a <Stream>")
            return stream
        if verb.tag == "Start":
            raise RemoteError("answered with <Start>, which only listens; an agent that talks needs <Connect><Stream>")
    verbs = ", ".join(f"<{verb.tag}>" for verb in root) or "nothing"
    raise RemoteError(f"answered with {verbs}; <Connect><Stream> is expected")
