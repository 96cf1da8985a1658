"""One HTTP request and its whole answer, for far ends that have no client of their own.

No redirects (a key must not follow one), no proxies. Everything that can go wrong is a RemoteError with a predicate:
`cannot be reached at 127.0.0.1:8000: Connection refused`.
"""

import base64
import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import anyio
import msgspec

from simulator.clock import seconds
from simulator.errors import RemoteError

PIECE = 1 << 16


class HttpAnswer(msgspec.Struct, frozen=True):
    """The status and the body of an answer; its headers by their names in small letters."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """url: http or https, userinfo becomes Basic authorization. body: is POSTed as `content_type`; None is a GET.

    method: where it is another one. timeout_s: for the whole exchange. longest: bytes of answer that are read.
    """

    url: str
    body: bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}
    method: str = ""
    timeout_s: float
    longest: int = 256 * 2**20


async def exchange(request: HttpRequest) -> HttpAnswer:
    """Send a request and give the answer, whatever its status. RemoteError: none came, in time or at all."""
    try:
        with anyio.fail_after(request.timeout_s):
            return await anyio.to_thread.run_sync(exchange_here, request, abandon_on_cancel=True)
    except TimeoutError:
        raise _late(request) from None


def _late(request: HttpRequest) -> RemoteError:
    return RemoteError(f"did not answer within {request.timeout_s:g} s")


def exchange_here(request: HttpRequest) -> HttpAnswer:
    """Do the same in this thread."""
    parts = urlsplit(request.url)
    deadline = seconds() + request.timeout_s
    place = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=request.timeout_s, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=request.timeout_s)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        method = request.method or ("GET" if request.body is None else "POST")
        connection.request(method, target, request.body, _headers(request))
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return HttpAnswer(answer.status, _read(answer, request, deadline), headers)
    except TimeoutError:
        raise _late(request) from None
    except http.client.RemoteDisconnected as error:
        raise RemoteError("closed the connection without an answer") from error
    except http.client.IncompleteRead as error:
        raise RemoteError("broke off its answer") from error
    except http.client.HTTPException as error:
        raise RemoteError(f"does not speak HTTP at {place}: {type(error).__name__}: {str(error).strip()}") from error
    except ConnectionResetError as error:
        raise RemoteError("broke the connection") from error
    except ssl.SSLCertVerificationError as error:
        raise RemoteError(f"shows a certificate that is not trusted ({error.verify_message})") from error
    except ssl.SSLError as error:
        raise RemoteError("does not speak TLS; write http:// rather than https://, if that is meant") from error
    except OSError as error:
        raise RemoteError(f"cannot be reached at {place}: {error.strerror or error}") from error
    finally:
        connection.close()


def _headers(request: HttpRequest) -> dict[str, str]:
    headers = dict(request.headers)
    if request.body is not None:
        headers["Content-Type"] = request.content_type
    parts = urlsplit(request.url)
    if parts.username is not None and "Authorization" not in headers:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return headers


def _read(answer: http.client.HTTPResponse, request: HttpRequest, deadline: float) -> bytes:
    pieces: list[bytes] = []
    length = 0
    while piece := answer.read1(PIECE):
        pieces.append(piece)
        length += len(piece)
        if length > request.longest:
            raise RemoteError(f"sent an answer of more than {request.longest} bytes")
        if seconds() > deadline:
            raise _late(request)
    if answer.length:
        raise RemoteError(f"broke off its answer after {length} bytes")
    return b"".join(pieces)
