"""The call in blocks: whatever is played, block by block gives the bytes of tick by tick.

Search further by hand: `pytest tests/test_lookahead.py --hypothesis-profile=search`.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.call.recording import Recorder
from simulator.call.surroundings import Surroundings
from simulator.call.table import Table
from simulator.frame import energies
from simulator.scenario import to_yaml
from simulator.session import SessionMeta
from simulator.testing import play_scenario, scenario_of
from tests import judging_kinds
from tests.distributions import installed

FILES = ("session.json", "scenario.yaml", "events.jsonl", "conversation.wav", "heard.wav", "world.json")
TEXTS = ("Good evening.", "I would like a table for two.", "Yes.", "mm-hm", "Wait, stop.", "Tonight at eight, please.")

Plain = dict[str, Any]


def milliseconds(low: int, high: int) -> st.SearchStrategy[str]:
    """A duration."""
    return st.integers(low, high).map(lambda value: f"{value}ms")


def one_of_each(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Plain]:
    """A mapping in which any of the keys may be given."""
    return st.fixed_dictionaries({}, optional=fields)


def merged(parts: tuple[Plain, ...]) -> Plain:
    """One mapping of several."""
    return {name: item for part in parts for name, item in part.items()}


def cues(party: str) -> st.SearchStrategy[Plain]:
    """A cue of any condition about the other of `party`, with any modifiers that go with it."""
    other = "agent" if party == "user" else "user"
    modifiers: dict[str, st.SearchStrategy[Any]] = {"delay": milliseconds(0, 900), "within": milliseconds(0, 2500)}
    late = {**modifiers, "at_latest": milliseconds(500, 4000)}
    return st.one_of(
        st.tuples(st.fixed_dictionaries({"at": milliseconds(0, 5000)}), one_of_each(**modifiers)),
        st.tuples(st.just({"after": f"{other}_turn"}), one_of_each(**late)),
        st.tuples(st.fixed_dictionaries({f"{other}_speaking": milliseconds(0, 2000)}), one_of_each(**late)),
        st.tuples(st.fixed_dictionaries({f"{other}_pausing": milliseconds(0, 1500)}), one_of_each(**late)),
        st.tuples(
            st.fixed_dictionaries({"random": st.fixed_dictionaries({"per_minute": st.integers(5, 60)})}),
            one_of_each(**late),
        ),
    ).map(merged)


def again() -> st.SearchStrategy[Plain]:
    """How often something comes."""
    return one_of_each(every=milliseconds(200, 3000), times=st.integers(1, 4))


SAY = st.one_of(
    st.sampled_from(TEXTS),
    st.tuples(st.sampled_from(TEXTS), milliseconds(50, 1200), st.sampled_from(TEXTS)).map(
        lambda parts: [parts[0], {"pause": parts[1]}, parts[2]]
    ),
)


def turns(party: str) -> st.SearchStrategy[Plain]:
    """A turn of a script: with a cue or without, once or again and again."""
    plain = st.tuples(st.one_of(st.just({}), cues(party)), st.fixed_dictionaries({"say": SAY}))
    repeated = st.tuples(cues(party), again(), st.fixed_dictionaries({"say": SAY, "repeat": st.just(True)}))
    chosen = st.tuples(cues(party), st.fixed_dictionaries({"choose": st.lists(SAY, min_size=2, max_size=3)}))
    return st.one_of(plain, repeated, chosen).map(
        lambda parts: {name: item for part in parts for name, item in part.items()}
    )


EARS = st.sampled_from(["level", "silero"])


def actors(party: str) -> st.SearchStrategy[Any]:
    """A party that knows ahead, one that does not, and those in between."""
    latency = one_of_each(latency=milliseconds(1, 700))
    scripted = st.tuples(
        st.fixed_dictionaries({"kind": st.just("scripted"), "turns": st.lists(turns(party), min_size=1, max_size=4)}),
        one_of_each(ears=EARS),
        latency,
    )
    answering = st.tuples(
        st.fixed_dictionaries(
            {
                "kind": st.just("turn_based"),
                "ears": EARS,
                "responder": st.just({"kind": "rules", "rules": [{"say": ["of course, at eight", "as you like"]}]}),
            }
        ),
        one_of_each(
            endpoint=milliseconds(40, 900),
            yield_after=milliseconds(0, 900),
            barge_in=st.sampled_from(["yield", "ignore"]),
            ignore_backchannels=st.booleans(),
            opening=st.sampled_from(TEXTS),
            opening_at=milliseconds(0, 1500),
        ),
        latency,
    )
    return st.one_of(scripted, answering, st.just(({"kind": "silent"},))).map(merged)


def injectors() -> st.SearchStrategy[Plain]:
    """Anything added to either mouth."""

    def of(party: str) -> st.SearchStrategy[Plain]:
        cue = st.tuples(cues(party), again(), one_of_each(over_self=st.booleans())).map(
            lambda parts: {name: item for part in parts for name, item in part.items()}
        )
        shared = {"party": st.just(party), "cue": cue}
        return st.one_of(
            st.fixed_dictionaries(
                {"kind": st.sampled_from(["interruption", "backchannel", "aside"]), "say": SAY, **shared}
            ),
            st.fixed_dictionaries({"kind": st.just("sound"), "sound": st.sampled_from(["cough", "noise"]), **shared}),
        )

    return st.sampled_from(["user", "agent"]).flatmap(of)


WINDOWS = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"from": milliseconds(0, 4000)}, optional={"until": milliseconds(4001, 8000)}),
    st.sampled_from(["user_speaking", "agent_speaking", "user_pausing", "agent_pausing"]).flatmap(
        lambda condition: st.fixed_dictionaries(
            {condition: milliseconds(0, 900)}, optional={"length": milliseconds(20, 900), "times": st.integers(1, 2)}
        ).map(lambda during: {"during": during})
    ),
)
"""When a channel is on."""

KINDS = st.one_of(
    st.fixed_dictionaries({"kind": st.just("gain"), "db": st.integers(-30, 12)}),
    st.fixed_dictionaries(
        {"kind": st.just("noise"), "color": st.sampled_from(["white", "pink"]), "snr_db": st.integers(0, 60)}
    ),
    st.fixed_dictionaries({"kind": st.just("delay"), "time": milliseconds(0, 700)}),
    st.fixed_dictionaries(
        {"kind": st.just("codec"), "name": st.sampled_from(["mulaw", "alaw", "gsm"])},
        optional={"loss": st.just({"percent": 10})},
    ),
    st.just({"kind": "preset", "name": "mobile_3g"}),
    st.just({"kind": "mute"}),
    st.fixed_dictionaries({"kind": st.just("echo"), "delay": milliseconds(0, 400), "length": milliseconds(1, 300)}),
    st.fixed_dictionaries(
        {"kind": st.just("loss"), "packet": milliseconds(5, 60)},
        optional={"conceal": st.sampled_from(["none", "repeat"])},
    ).map(lambda plain: {**plain, "loss": {"percent": 20, "burst": 2}}),
    st.fixed_dictionaries(
        {"kind": st.just("jitter"), "std": milliseconds(0, 60), "buffer": milliseconds(0, 200)},
        optional={"adaptive": st.booleans(), "reorder": st.booleans(), "packet": milliseconds(5, 60)},
    ),
    st.fixed_dictionaries(
        {"kind": st.just("dropout"), "length": milliseconds(1, 900), "start": milliseconds(0, 3000)},
        optional={"then": st.sampled_from(["lost", "late"]), "every": milliseconds(1000, 3000)},
    ),
    st.fixed_dictionaries({"kind": st.just("drift"), "ppm": st.sampled_from([-900, -50, 50, 900])}),
    st.just({"kind": "reverb"}),
    st.just({"kind": "band", "shape": "telephone"}),
    st.just({"kind": "clip", "headroom_db": 0}),
    st.just({"kind": "denoise"}),
    st.fixed_dictionaries(
        {"kind": st.just("talker"), "say": st.just(["Dinner is ready."]), "start": milliseconds(0, 3000)},
        optional={"every": milliseconds(300, 3000)},
    ),
    st.fixed_dictionaries(
        {"kind": st.just("burst"), "color": st.just("white"), "start": milliseconds(0, 3000)},
        optional={"every": milliseconds(100, 3000), "length": milliseconds(20, 500)},
    ),
)

CHANNELS = st.tuples(KINDS, WINDOWS).map(merged)

FORMS = ((8000, 20), (16_000, 10), (24_000, 20), (24_000, 40), (22_050, 20), (48_000, 80))
"""Sample rates (Hz) and frames (ms)."""

DURATIONS = st.one_of(
    milliseconds(3000, 11_000),
    st.fixed_dictionaries(
        {"after": st.sampled_from(["user", "agent"]), "tail": milliseconds(0, 2000), "at_most": st.just("9s")}
    ),
    st.fixed_dictionaries(
        {"answered": milliseconds(40, 1500), "no_answer": milliseconds(100, 4000), "at_most": st.just("9s")}
    ),
)

SCENARIOS = st.tuples(
    st.fixed_dictionaries(
        {
            "user": actors("user"),
            "agent": actors("agent"),
            "duration": DURATIONS,
            "injectors": st.lists(injectors(), min_size=1, max_size=3) | st.just([]),
            "lines": one_of_each(
                user_to_agent=st.lists(CHANNELS, min_size=1, max_size=2),
                agent_to_user=st.lists(CHANNELS, min_size=1, max_size=2),
            ),
            "seed": st.integers(0, 9),
            "scorers": st.just([]),
        }
    ),
    st.sampled_from(FORMS).map(lambda form: {"sample_rate": form[0], "frame_ms": form[1]}),
).map(merged)


def valid(plain: Plain) -> bool:
    """Whether a scenario may be written like that: some modifiers do not go together."""
    try:
        scenario_of(plain, Path())
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is no scenario to be played
        return False
    return True


def played(plain: Plain, folder: Path, lookahead: Any) -> dict[str, bytes]:
    """The files of a session."""
    session, _ = play_scenario(scenario_of(plain, folder), folder, Surroundings(lookahead=lookahead))
    return {name: (session.folder / name).read_bytes() for name in FILES if (session.folder / name).exists()}


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(SCENARIOS.filter(valid))
def test_blocks_give_the_bytes_of_ticks(plain: Plain) -> None:
    """Any actors, cues, injectors, channels, rates, frames, ears and ends."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("blocks", "ticks"):
            (folder / name).mkdir()
        blocks, ticks = played(plain, folder / "blocks", "on"), played(plain, folder / "ticks", "off")
        assert blocks.keys() == ticks.keys()
        for name, content in blocks.items():
            assert content == ticks[name], name


CALLING = [
    {"kind": "rules", "rules": [{"call": name, **wait, "say": "It is {answer}."}]}
    for name in ("count", "ponder")
    for wait in ({}, {"wait": "One moment, please."})
]
"""Answers that a tool is asked for, at once or after a while, which may be longer than what is said meanwhile."""

WORLD: Plain = {
    "state": {"asked": "never"},
    "tools": [
        {"name": "count", "answer": "twelve"},
        {"name": "ponder", "delay": "1900ms", "set": {"asked": "once"}, "answer": "{asked}"},
    ],
}

WAITING = st.fixed_dictionaries(
    {
        "user": st.fixed_dictionaries(
            {"kind": st.just("scripted"), "turns": st.lists(turns("user"), min_size=1, max_size=3)}
        ),
        "agent": st.fixed_dictionaries(
            {"kind": st.just("turn_based"), "ears": EARS, "responder": st.sampled_from(CALLING)},
            optional={"endpoint": milliseconds(40, 900), "yield_after": milliseconds(0, 900)},
        ),
        "injectors": st.lists(
            st.fixed_dictionaries(
                {
                    "kind": st.sampled_from(["interruption", "backchannel"]),
                    "say": SAY,
                    "cue": st.tuples(cues("user"), st.fixed_dictionaries({"other_silent": milliseconds(0, 900)})).map(
                        merged
                    ),
                }
            ),
            max_size=2,
        ),
        "world": st.just(WORLD),
        "duration": milliseconds(3000, 9000),
        "seed": st.integers(0, 9),
        "scorers": st.just([]),
    }
)


@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
@given(WAITING)
def test_answers_that_are_waited_for_give_the_bytes_of_ticks_too(plain: Plain) -> None:
    """A tool's answer comes later, and what is injected waits for the agent to fall silent."""
    if not valid(plain):
        return
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("blocks", "ticks"):
            (folder / name).mkdir()
        assert played(plain, folder / "blocks", "on") == played(plain, folder / "ticks", "off")


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Kinds that decide by every sample, installed."""
    with installed(tmp_path_factory.mktemp("judges"), "judging-kinds", judging_kinds.GROUPS):
        yield


@pytest.mark.usefixtures("judges")
@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(SCENARIOS, one_of_each(after=milliseconds(1, 900), long=milliseconds(100, 3000)), st.booleans())
def test_judged_pauses_give_the_bytes_of_ticks_too(plain: Plain, judging: Plain, both: bool) -> None:
    """Where what ends a turn hangs on every sample of it, blocks still hand over the very sound that ticks do."""
    answering = {
        "kind": "cascade",
        "ears": "level",
        "recognizer": "letters",
        "endpointing": {"kind": "coin", **judging},
    }
    plain = {**plain, "agent": answering, **({"user": {**answering, "opening": "Good evening."}} if both else {})}
    if not valid(plain):
        return
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("blocks", "ticks"):
            (folder / name).mkdir()
        assert played(plain, folder / "blocks", "on") == played(plain, folder / "ticks", "off")


def blocks_of(plain: Plain, folder: Path) -> bool:
    """Whether a call goes in blocks."""
    scenario = scenario_of(plain, folder)
    meta = SessionMeta(format=1, id="t-0", scenario="t", sample_rate=scenario.sample_rate, frame_ms=scenario.frame_ms)
    table = Table(scenario, Recorder(folder / "t-0", meta, to_yaml(scenario), heard=False), Surroundings())
    table.finish("interrupted", None)
    return table.looks_ahead


TALK: Plain = {"kind": "scripted", "turns": [{"say": "Good evening."}]}
CHIRP: Plain = {"kind": "backchannel", "cue": {"agent_speaking": "1s"}, "say": "mm-hm"}


@pytest.mark.parametrize(
    ("plain", "ahead"),
    [
        ({"user": TALK, "agent": TALK, "injectors": [CHIRP]}, True),
        ({"user": TALK, "agent": {"kind": "cascade"}}, True),
        ({"user": {**TALK, "latency": "300ms"}, "agent": TALK}, True),
        # A party that answers late sees its injectors' state when a block is over, so it goes tick by tick.
        ({"user": {**TALK, "latency": "300ms"}, "agent": TALK, "injectors": [CHIRP]}, False),
        ({"user": {**TALK, "latency": "300ms"}, "agent": TALK, "duration": {"after": "user"}}, False),
        ({"user": TALK, "agent": {**TALK, "latency": "300ms"}, "duration": {"answered": "1s"}}, False),
        ({"user": {**TALK, "latency": "measured"}, "agent": TALK}, False),
    ],
)
def test_who_knows_ahead(tmp_path: Path, plain: Plain, ahead: bool) -> None:
    """A call goes in blocks when everybody at it can say what comes."""
    assert blocks_of(plain, tmp_path) is ahead


@given(st.integers(1, 60), st.sampled_from([80, 160, 220, 441, 480, 960, 1920, 3840]), st.integers(0, 7))
def test_the_energies_of_a_block_are_those_of_its_frames(frames: int, count: int, offset: int) -> None:
    """To the last bit, wherever the samples lie in memory: an ear must not hear by how much it is handed."""
    sound = np.random.default_rng(frames).standard_normal(offset + frames * count).astype(np.float32)[offset:]
    one_by_one = [np.dot(frame, frame) for frame in np.split(sound, frames)]
    assert energies(sound, count).tobytes() == np.array(one_by_one, np.float32).tobytes()
