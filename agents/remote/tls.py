"""TLS of far ends: whom to trust, and a predicate for what goes wrong."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from simulator.errors import RemoteError


def tls_of(url: str, *, verify: bool) -> ssl.SSLContext | None:
    """Give what a wss:// address is dialled with; None for any other. verify: not for a self-signed certificate."""
    if not url.startswith("wss:"):
        return None
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@contextmanager
def tls_told(url: str) -> Iterator[None]:
    """Turn what goes wrong with TLS into a predicate that says what to do. RemoteError."""
    not_tls = "does not speak TLS; write ws:// rather than wss://, if that is meant"
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message or "it cannot be verified"
        told = f"shows a certificate that is not trusted ({why}); `verify: false` takes a self-signed one"
        raise RemoteError(told) from error
    except ssl.SSLError as error:
        raise RemoteError(not_tls) from error
    except (ConnectionResetError, ConnectionAbortedError) as error:
        if not url.startswith("wss:"):
            raise
        raise RemoteError(not_tls) from error  # what a server does that reads TLS as HTTP
