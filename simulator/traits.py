"""Traits: what the rest of the simulator must know of a party's kind, said by the kind in one place.

`spec.traits()` tells a run, a server and a page what they may do with a party before anything is built; `actor.traits`
tells whoever steps it how to. A kind names only what differs from the defaults.
"""

from collections.abc import Iterable

import msgspec


class SharedHost(msgspec.Struct, frozen=True):
    """What sessions share in the process, by a name, and how many parties find a place in it."""

    name: str
    places: int


class PartyTraits(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a party before it is built.

    live: a human, who takes part with `simulate talk`. echo_canceller: whether their page takes the loudspeaker out of
    the microphone. own_time: the peer has its own real time, so that only a wall clock will do. deterministic: false
    where the same seed need not give the same session, as a far end samples. offline: what it says is computed before
    the session, from the other party's finished track. remote: it talks to a far end whose messages are traced. host:
    what it shares with other sessions, which then run on one event loop. billed_as: the models whose prices apply.
    calls_tools: it can call tools of the session's world. takes_keys: keys that the other presses reach it beside the
    sound.
    """

    live: bool = False
    echo_canceller: bool = True
    own_time: bool = False
    deterministic: bool = True
    offline: bool = False
    remote: bool = False
    host: SharedHost | None = None
    billed_as: tuple[str, ...] = ()
    calls_tools: bool = False
    takes_keys: bool = False


def joined(parts: Iterable[PartyTraits]) -> PartyTraits:
    """Give the traits of a party that answers through these parts; whose host it shares, only itself can say."""
    found = tuple(parts)
    return PartyTraits(
        live=any(part.live for part in found),
        echo_canceller=all(part.echo_canceller for part in found),
        own_time=any(part.own_time for part in found),
        deterministic=all(part.deterministic for part in found),
        offline=any(part.offline for part in found),
        remote=any(part.remote for part in found),
        billed_as=tuple(model for part in found for model in part.billed_as),
        calls_tools=any(part.calls_tools for part in found),
        takes_keys=any(part.takes_keys for part in found),
    )


class AudioFormat(msgspec.Struct, frozen=True, kw_only=True):
    """The rates and the frame of an actor that has its own: the runner resamples and reframes around it.

    input_rate, output_rate: Hz, 4000 to 192000; None takes the session's. frame_ms: its own frame, a whole number of
    session frames; None takes the session's frame.
    """

    input_rate: int | None = None
    output_rate: int | None = None
    frame_ms: float | None = None


class StepTraits(msgspec.Struct, frozen=True, kw_only=True):
    """How an actor is stepped.

    format: its own rates and frame, if any. threaded: on the wall clock a plain step runs in a thread of its own; an
    actor that must stay on the event loop, or answers later, says False and promises never to block. prompt: its plain
    step takes a small part of a frame and waits for nothing, so that on the wall clock it is taken in the tick itself.
    skips_first: it must not get the silent frame before session time 0; silence is said in its place. on_grid: a
    promise that every sample said lies on the int16 grid (a Voice's does), which saves the rounding.
    """

    format: AudioFormat = AudioFormat()
    threaded: bool = True
    prompt: bool = False
    skips_first: bool = False
    on_grid: bool = False
