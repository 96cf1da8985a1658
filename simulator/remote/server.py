"""A far end by its address and its key: both with `${NAME}` in them until they are used, and blame without secrets."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from simulator.errors import RemoteError, ScenarioError
from simulator.reading.secrets import Secrets, mask_url, names


class RemoteServer:
    """A server by its base URL (which may carry a path) and its key, both with `${NAME}` still in them."""

    def __init__(self, kind: str, base_url: str, token: str | None = None) -> None:
        self.secrets = Secrets()
        self._kind = kind
        self._base_url = base_url
        self._token = token

    @property
    def name(self) -> str:
        """How it is called in what people read."""
        return f"{self._kind} at {mask_url(self._base_url)}"

    def url(self, path: str = "") -> str:
        """Give the address of a path below the base URL, secrets expanded. ScenarioError: a variable is not set."""
        parts = urlsplit(self.secrets.expand(self._base_url))
        return parts._replace(path=parts.path.rstrip("/") + path).geturl()

    def headers(self) -> dict[str, str]:
        """Give the Bearer header, where there is a key."""
        return {"Authorization": f"Bearer {self.secrets.expand(self._token)}"} if self._token else {}

    @contextmanager
    def at_fault(self) -> Iterator[None]:
        """Complete a predicate to the sentence that names the server, without secrets."""
        try:
            yield
        except RemoteError as error:
            told = f"{self.name} {error}"
            clean = self.secrets.scrub(told)
            # A cause that quotes a secret would bring it into the log.
            raise RemoteError(clean) from (error if clean == told else None)


def host_of(url: str) -> str:
    """Give the host that a URL names, without its port; "" where it names none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def check_base_url(base_url: str, where: str, key: str = "base_url") -> None:
    """Refuse a base URL that is none; one with `${NAME}` in it is looked at when it is used. ScenarioError.

    where, key: the place of its spec, and under what it stands there.
    """
    try:
        parts = urlsplit(base_url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine and not names(base_url):
        found = mask_url(base_url)
        raise ScenarioError(f"{where}.{key}: expected http://host:port or https://host, found {found!r}")


def check_token(token: str | None, where: str) -> None:
    """Refuse a key that is written out. ScenarioError."""
    if token is not None and not names(token):
        raise ScenarioError(f"{where}: write it as ${{NAME}}, the name of an environment variable")
