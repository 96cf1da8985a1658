"""The suites of simulator.testing bite: each broken promise fails the test that is about it, and a kept one none."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.testing import (
    ProtocolCase,
    actor_contract,
    channel_contract,
    injector_contract,
    protocol_contract,
    scorer_contract,
)
from tests import broken_kinds

SUITES: dict[str, Any] = {
    "channel": channel_contract,
    "actor": actor_contract,
    "injector": injector_contract,
    "scorer": scorer_contract,
}

BROKEN = [
    ("channel", "short", "a_frame_in"),
    ("channel", "moved", "a_frame_in"),
    ("channel", "chance", "the_same_seed"),
    ("channel", "late", "what_is_said_is_heard"),
    ("channel", "blocks", "several_frames"),
    ("actor", "short", "a_frame_in"),
    ("actor", "moved", "a_frame_in"),
    ("actor", "loud", "a_frame_in"),
    ("actor", "off_grid", "who_promises_the_grid"),
    ("actor", "chance", "the_same_seed"),
    ("actor", "task", "a_cancelled_session"),
    ("actor", "talks_on", "nothing_is_told"),
    ("actor", "fails", "it_can_play_both"),
    ("actor", "endless", "every_utterance"),
    ("injector", "chance", "the_same_seed"),
    ("injector", "endless", "every_utterance"),
    ("injector", "blocks", "blocks_give"),
    ("scorer", "missing", "a_score_per_card"),
    ("scorer", "unit", "a_score_per_card"),
    ("scorer", "memory", "the_same_session"),
    ("scorer", "no_reason", "undefined_has"),
    ("scorer", "outside", "evidence_lies"),
    ("scorer", "parts", "parts_give"),
    ("scorer", "count", "parts_give"),
]


@pytest.fixture(autouse=True)
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The broken kinds, as anybody's package."""
    with broken_kinds.installed(tmp_path_factory.mktemp("site")):
        yield


def run(suite: type, case: Any, folder: Path, about: str = "") -> None:
    """Run a suite's tests whose names begin with `about`, each in a folder of its own."""
    names = [name for name in dir(suite) if name.startswith(f"test_{about}")]
    assert names, about
    for name in names:
        (folder / name).mkdir()
        given = (case,) if isinstance(case, ProtocolCase) else (case, folder / name)
        getattr(suite(), name)(*given)


@pytest.mark.parametrize("group", SUITES)
def test_a_kind_that_keeps_its_promises_passes(group: str, tmp_path: Path) -> None:
    """No test of a suite asks for more than what the rest of the simulator relies on."""
    case = {"kind": "broken"}
    run(SUITES[group]([case]), case, tmp_path)


@pytest.mark.parametrize(("group", "how", "about"), BROKEN)
def test_a_broken_promise_is_found(group: str, how: str, about: str, tmp_path: Path) -> None:
    """By the test that is about it, in a sentence of the suite's own."""
    case = {"kind": "broken", "how": how}
    with pytest.raises(AssertionError):
        run(SUITES[group]([case]), case, tmp_path, about)


def test_a_bound_that_is_too_high_is_found(tmp_path: Path) -> None:
    """A BlockActor whose `settled` promises too much is another party in blocks."""
    case = {"kind": "hasty"}
    with pytest.raises(AssertionError, match="is a bound of `settled` too high"):
        run(actor_contract([case]), case, tmp_path, "blocks_give")


@pytest.mark.parametrize(
    ("how", "about", "error"),
    [
        ("whole", "a_log_gives_the_same_actions_however", AssertionError),
        ("clock", "a_log_gives_the_same_actions_again", AssertionError),
        ("crash", "a_damaged", IndexError),
    ],
)
def test_a_core_that_does_not_replay_is_found(how: str, about: str, error: type[Exception], tmp_path: Path) -> None:
    """Pieces of the network taken for messages, a clock inside, an exception that is nobody's fault."""
    honest, broken = (
        ProtocolCase(
            name="core",
            make=lambda name=name: broken_kinds.LeakyCore(name),
            feed=broken_kinds.LeakyCore.feed,
            log=b"\x01\x02\x03\x04",
        )
        for name in ("", how)
    )
    suite = protocol_contract([honest])
    for folder in ("honest", "broken"):
        (tmp_path / folder).mkdir()
    run(suite, honest, tmp_path / "honest")
    with pytest.raises(error):
        run(suite, broken, tmp_path / "broken", about)
