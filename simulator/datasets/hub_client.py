"""What is asked of the Hugging Face hub, by its own client: which files a data set has, and parts of them.

HF_ENDPOINT names another hub, HF_TOKEN (or what `hf auth login` kept) opens what is private or gated. Whatever goes
wrong is one sentence of ours: what the client says holds addresses that were signed, and is never shown.
"""

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from simulator.errors import ScenarioError
from simulator.texts import install_of

T = TypeVar("T")

NEEDS = f"reading from the hub needs huggingface_hub: {install_of('data')}"
_ANSWER_S = 10.0
# What is refused or broken three times within seconds is not there: a user waits beside it.
_TRIES_AGAIN = 2


class HubFileInfo(msgspec.Struct, frozen=True):
    """A file of a repository: its length in bytes, and the hash that the hub knows its content by."""

    size: int
    content: str


class Listing(msgspec.Struct, frozen=True):
    """A repository as it was at a commit: its files by their paths."""

    commit: str
    files: dict[str, HubFileInfo]


class UnreachableError(ScenarioError):
    """The hub did not answer, or not now: what was read before is all there is."""


def endpoint() -> str:
    """Give the address of the hub. ScenarioError: its client, which knows it, is not installed."""
    named = os.environ.get("HF_ENDPOINT", "").rstrip("/")
    if named:
        return named
    try:
        return str(import_module("huggingface_hub.constants").ENDPOINT)
    except ImportError:
        raise ScenarioError(NEEDS) from None


def ask_listing(hub: str, revision: str) -> Listing:
    """Ask which commit a revision is, and which files it has. ScenarioError says why that is not to be had."""
    client = _client(hub)

    def ask() -> Listing:
        info = client.HfApi(endpoint=endpoint()).dataset_info(
            hub, revision=revision, files_metadata=True, timeout=_ANSWER_S
        )
        return Listing(
            info.sha, {item.rfilename: HubFileInfo(item.size or 0, _content(item)) for item in info.siblings}
        )

    return _asked(client, hub, revision, ask)


def ask_part(hub: str, commit: str, file: str, start: int, end: int) -> bytes:
    """Fetch the bytes of a file from `start` up to `end`. ScenarioError as of a listing, and where too few came."""
    client = _client(hub)

    def ask() -> bytes:
        url = client.hf_hub_url(hub, file, repo_type="dataset", revision=commit, endpoint=endpoint())
        headers = {**client.utils.build_hf_headers(), "Range": f"bytes={start}-{end - 1}"}
        answer = client.utils.http_backoff("GET", url, headers=headers, timeout=_ANSWER_S, max_retries=_TRIES_AGAIN)
        client.utils.hf_raise_for_status(answer)
        # Whoever knows nothing of parts gives the whole.
        return bytes(answer.content if answer.status_code == 206 else answer.content[start:end])

    content = _asked(client, hub, commit, ask)
    if len(content) != end - start:
        raise UnreachableError(f"{hub}: {file}: of {end - start} bytes the hub at {_host()} sent {len(content)}")
    return content


def _client(hub: str) -> Any:
    try:
        client: Any = import_module("huggingface_hub")
        for part in ("errors", "utils"):
            import_module(f"huggingface_hub.{part}")
    except ImportError:
        raise ScenarioError(f"{hub}: {NEEDS}") from None
    # It tells of every try beside our sentence otherwise.
    client.utils.logging.set_verbosity_error()
    return client


def _content(item: Any) -> str:
    lfs = item.lfs
    digest = lfs.get("sha256") if isinstance(lfs, Mapping) else None
    return str(digest or item.blob_id)


def _asked(client: Any, hub: str, revision: str, ask: Callable[[], T]) -> T:
    """Give what the hub answers, or say in one sentence why it does not."""
    errors = client.errors
    try:
        return ask()
    except errors.GatedRepoError as error:
        raise ScenarioError(f"{hub}: is gated: accept its terms on its page at {_host()}, and {_token()}") from error
    except errors.RepositoryNotFoundError as error:
        raise _refused(hub, 404) from error
    except errors.RevisionNotFoundError as error:
        raise ScenarioError(f"{hub}: has no revision {revision!r}; name a commit, a tag or a branch") from error
    except errors.HfHubHTTPError as error:
        raise _refused(hub, error.response.status_code) from error
    except errors.OfflineModeIsEnabled as error:
        raise UnreachableError(f"{hub}: is not asked for, as HF_HUB_OFFLINE is set") from error
    except errors.HFValidationError as error:
        raise ScenarioError(f"{hub}: is no id of a data set; write it like owner/name") from error
    except (OSError, errors.HTTPError) as error:
        raise UnreachableError(f"{hub}: the hub cannot be reached at {_host()}") from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ScenarioError(f"{hub}: what answers at {_host()} is no hub") from error


def _refused(hub: str, status: int) -> ScenarioError:
    if status in (401, 404):  # of what is not there a stranger is told no more than of what is not his
        return ScenarioError(f"{hub}: is no data set at {_host()}, or a private one: {_token()}")
    if status == 403:
        return ScenarioError(f"{hub}: the hub at {_host()} refuses it: {_token()}")
    said = f"{hub}: the hub at {_host()} answers {status}"
    return UnreachableError(said) if status == 429 or status >= 500 else ScenarioError(said)


def _host() -> str:
    """The hub's name and port: an address may hold a password."""
    parts = urlsplit(endpoint())
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _token() -> str:
    """What to do about a token; one that is there opens other doors."""
    given = os.environ.get("HF_TOKEN")
    return "HF_TOKEN does not open it" if given else "set HF_TOKEN to a token that opens it"
