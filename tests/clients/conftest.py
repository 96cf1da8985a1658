"""One server and the caller's lines for all clients."""

from collections.abc import Iterator

import pytest
from far_end import server, speech


@pytest.fixture(scope="session")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The caller's lines."""
    return speech(tmp_path_factory.mktemp("speech"))


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server's base URL."""
    with server(tmp_path_factory.mktemp("served") / "runs") as url:
        yield url
