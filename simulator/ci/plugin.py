"""pytest's plugin: `*.scenario.yaml` files are tests, an item for every expectation; `scenario(...)` is a fixture.

pytest imports this file whenever it starts, so it brings nothing along: what plays scenarios is imported by the first
file or test that wants some.
"""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from simulator.ci.shared_root import ROOT_OF_WORKER, forget_root, root_of

SUFFIX = ".scenario.yaml"
PLAYER = pytest.StashKey[Any]()
"""A test's ScenarioPlayer, whose class is imported by whoever asks for one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare `--simulate-*`."""
    group = parser.getgroup("simulate", "conversations with voice agents")
    group.addoption(
        "--simulate-out", metavar="DIR", help="keep sessions with their pages here (default: a passing one)"
    )
    group.addoption(
        "--simulate-set", action="append", default=[], metavar="path=value",
        help="override a value of every scenario, such as agent.url=ws://127.0.0.1:8765",
    )  # fmt: skip
    group.addoption("--simulate-repeat", type=int, metavar="N", help="trials per scenario; trial t has seed + t")
    group.addoption("--simulate-seed", type=int, metavar="N", help="the first trial's seed")
    group.addoption(
        "--simulate-record", choices=("always", "missing", "never"), help="record paid calls and replay them"
    )
    group.addoption("--simulate-cassettes", metavar="DIR", help="where they are kept (default: cassettes in the root)")
    group.addoption(
        "--simulate-reruns", type=int, default=0, metavar="N",
        help="play a scenario again, up to N times, when an expectation does not hold (not where it would be the same)",
    )  # fmt: skip


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take what is called `NAME.scenario.yaml`."""
    if not file_path.name.endswith(SUFFIX):
        return None
    from simulator.ci.pytest_items import ScenarioFile

    collector: pytest.Collector = ScenarioFile.from_parent(parent, path=file_path)
    return collector


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> Any:
    """Give a ScenarioPlayer: `session = scenario("call.yaml", set={"agent.endpoint": "1s"})` (docs/ci.md)."""
    from simulator.ci.player import ScenarioPlayer

    node: Any = request.node
    player = ScenarioPlayer(request.config, request.path.parent, attempt=getattr(node, "execution_count", 1) - 1)
    node.stash[PLAYER] = player
    return player


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the conversations of a test that failed, as text with times."""
    report = yield
    player = item.stash.get(PLAYER, None)
    if player is not None and report.when == "call":
        report.user_properties.extend(player.properties())
        if report.failed:
            report.sections.extend(player.sections())
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where all of them note what they played: a session is played by one of them."""
    node.workerinput[ROOT_OF_WORKER] = str(root_of(node.config))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Clear away what nobody asked to keep; workers leave it to whoever made it."""
    forget_root(config)
