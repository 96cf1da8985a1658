"""Places that a command line names: a path of this machine, or a URL where a command takes one."""

from pathlib import Path

from simulator.buckets.bucket import is_url
from simulator.errors import ScenarioError
from simulator.reading.secrets import mask_url


def to_write(text: str) -> Path | str:
    """Take a run's folder to be written: a path, or a URL as it is."""
    return text if is_url(text) else Path(text)


def to_read(text: str) -> Path:
    """Take what is read: a path, or a folder of this machine with what lies at a URL."""
    if not is_url(text):
        return Path(text)
    from simulator.buckets.fetched import fetched

    return fetched(text)


def here(text: str) -> Path:
    """Take a path. ScenarioError: it is a URL, and the command needs a folder of this machine."""
    if is_url(text):
        raise ScenarioError(
            f"{mask_url(text)}: a folder of this machine is needed here; URLs are what `run --out` writes, and score, "
            "compare, export and merge read"
        )
    return Path(text)
