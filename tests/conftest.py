"""What every test may ask for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
import yaml
from hypothesis import HealthCheck, Phase, settings

from simulator.plugins import installed
from tests.command_line import SHORT
from tests.contracts.peer_sessions import KEY
from tests.told_events import assert_events_known

# The same examples in every run: a suite that is red by chance is trusted by nobody. Search by hand with
# --hypothesis-profile=search.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", max_examples=1000, phases=[Phase.generate])
settings.load_profile("same")


@pytest.fixture(scope="session", autouse=True)
def voice_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the suite's voices in a folder of its own: tests must not depend on the user's cache."""
    if "SIMULATOR_TEST_CACHE" not in os.environ:
        os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def known_events(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold what every session of a test told, however it was played, to the table of event types."""
    folder: Path | None = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if folder is not None:
        assert_events_known(folder)


@pytest.fixture
def real_audio() -> Path:
    """The folder of real recordings; a test that asks for it is skipped where there is none."""
    folder = os.environ.get("SIMULATOR_TEST_AUDIO")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SIMULATOR_TEST_AUDIO names no folder of recordings")
    return Path(folder)


@pytest.fixture
def loopback_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set TEST_KEY, the variable that specs of services on loopback name."""
    monkeypatch.setenv("TEST_KEY", KEY)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is replayed from another test, and nobody has a key."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(scope="session")
def scenarios() -> Path:
    """The folder of the example scenarios."""
    return Path(__file__).resolve().parent.parent / "scenarios"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give whole runs and models the time that they take; every other test has what pyproject.toml allows."""
    for item in items:
        if item.get_closest_marker("slow") or item.get_closest_marker("torch"):
            item.add_marker(pytest.mark.timeout(600))


def pytest_report_header() -> str:
    """Say which actors are installed: a stale editable install is the usual reason for an unknown kind."""
    return f"actors: {', '.join(installed('actors'))}"


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A scenario that runs in a moment."""
    path = tmp_path / "short.yaml"
    path.write_text(yaml.safe_dump(SHORT))
    return path


@pytest.fixture
def own_logs() -> Iterator[None]:
    """Logs as they are by default, whatever was set up before; and afterwards what was set up before."""
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)
