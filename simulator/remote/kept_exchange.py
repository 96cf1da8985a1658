"""HTTP exchanges whose answers are kept where a run records its paid calls (simulator/cassettes/recording.py)."""

import base64
import hashlib
from typing import Any

from simulator.cassettes.recording import kept_calls
from simulator.cassettes.store import Paid
from simulator.errors import RemoteError
from simulator.reading.secrets import Secrets, mask_url
from simulator.remote.http_exchange import HttpAnswer, HttpRequest
from simulator.remote.patience import exchange_patiently


def exchange_kept(request: HttpRequest, secrets: Secrets, *, kind: str, what: str) -> HttpAnswer:
    """Give the answer to a request: the kept one, else the far end's, which is kept where it is none of a failure.

    What fails in passing is asked again (patience.py).

    secrets: never written down. kind: who asks, what: the request in words. RemoteError: no answer came, or the kept
    one is none; SessionError: nothing may go out, and none is kept.
    """
    store = kept_calls()
    if store is None:
        return exchange_patiently(request)
    asked = secrets.scrub_all(_asked(request))
    kept = store.find(kind, asked, what=what)
    if kept is not None:
        return _read(kept, what)
    answer = exchange_patiently(request)
    if 200 <= answer.status < 300:
        body = base64.b64encode(secrets.scrub_bytes(answer.body)).decode()
        store.keep(kind, asked, Paid({"status": answer.status, "body": body}))
    return answer


def _asked(request: HttpRequest) -> dict[str, Any]:
    """A request as it is kept: without headers, and a body that is no text by its hash and size."""
    body: Any = None
    if request.body is not None and request.content_type == "application/json":
        body = request.body.decode("utf-8", "replace")
    elif request.body is not None:
        body = {"sha256": hashlib.sha256(request.body).hexdigest(), "bytes": len(request.body)}
    return {"url": mask_url(request.url), "content_type": request.content_type, "body": body}


def _read(kept: dict[str, Any], what: str) -> HttpAnswer:
    try:
        return HttpAnswer(int(kept["status"]), base64.b64decode(kept["body"], validate=True))
    except (KeyError, TypeError, ValueError) as error:
        raise RemoteError(f"has a kept reply to {what} that is none: {error}") from error
