"""Loss, jitter and dropouts: as much, as long and as late as asked for, counted on what comes out of a known sound."""

from itertools import groupby
from math import exp, factorial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.errors import ScenarioError
from simulator.testing import burst
from tests.channel_runs import FRAME, RATE, Run, steady, tone

TEN_MINUTES = 600.0


def missing(run: Run, packet: int) -> list[bool]:
    """Packet by packet, whether nothing of a sound without zeros came out."""
    whole = run.heard[: len(run.heard) // packet * packet].reshape(-1, packet)
    return [not row.any() for row in whole]


@pytest.mark.parametrize(
    ("loss", "packet_ms", "share", "burst_packets"),
    [
        ({"percent": 5}, 20, 0.05, 1 / 0.95),
        ({"percent": 5, "burst": 3}, 20, 0.05, 3.0),
        ({"percent": 10, "burst": 2}, 60, 0.10, 2.0),
        ({"percent": 1, "burst": 1.5}, 10, 0.01, 1.5),
        ({"p": 0.02, "r": 0.25}, 40, 0.02 / 0.27, 4.0),
        # Elliott: bad a third of the time (0.1 / 0.3), of which half is lost, and one in a hundred of the rest.
        ({"p": 0.1, "r": 0.2, "bad_percent": 50, "good_percent": 1}, 20, 0.5 / 3 + 0.01 * 2 / 3, None),
    ],
)
def test_loss_and_bursts_are_those_asked_for(
    loss: dict[str, Any], packet_ms: int, share: float, burst_packets: float | None
) -> None:
    """Over ten minutes within four standard errors, in which a burst is one draw: its packets are not independent."""
    run = Run({"kind": "loss", "loss": loss, "packet": f"{packet_ms}ms", "conceal": "none"}, steady(TEN_MINUTES))
    lost = missing(run, packet_ms * RATE // 1000)
    rows = [len(list(row)) for is_lost, row in groupby(lost) if is_lost]
    mean = burst_packets or 2.0
    error = np.sqrt(share * (1 - share) / len(lost) * 2 * mean)
    assert abs(np.mean(lost) - share) < 4 * error
    if burst_packets is not None:
        spread = np.sqrt(burst_packets * max(burst_packets - 1, 0.05) / len(rows))
        assert abs(np.mean(rows) - burst_packets) < 4 * spread
    measured = run.measured()
    assert measured["lost_percent"] == pytest.approx(100 * np.mean(lost), abs=1e-3)
    assert measured["mean_burst"] == pytest.approx(np.mean(rows), abs=1e-3)


def test_a_trace_says_which_packets_are_lost_over_and_over(tmp_path: Path) -> None:
    """The third and the fourth of five; each loss is told when the next packet is there."""
    (tmp_path / "trace.txt").write_text("0 0 1 1 # two\n0")
    run = Run({"kind": "loss", "loss": {"trace": "trace.txt"}, "conceal": "none"}, steady(0.2), folder=tmp_path)
    assert missing(run, FRAME) == [False, False, True, True, False] * 2
    assert run.told("packets_lost") == [
        (4 * FRAME, {"since": 2 * FRAME, "packets": 2}),
        (9 * FRAME, {"since": 7 * FRAME, "packets": 2}),
    ]


def test_a_repetition_is_the_last_packet_fading_away_within_60_ms(tmp_path: Path) -> None:
    """Ten milliseconds as loud as it was, a straight line down, silence from 60 ms on."""
    (tmp_path / "trace.txt").write_text("0 1 1 1 1")
    run = Run({"kind": "loss", "loss": {"trace": "trace.txt"}}, steady(0.1), folder=tmp_path)
    lost = run.heard[FRAME:]
    assert np.allclose(lost[:240], 0.1)
    assert lost[840] == pytest.approx(0.05, abs=1e-4)  # half way between 10 and 60 ms
    assert not lost[1440:].any()
    sound = burst(5 * FRAME)
    again = Run({"kind": "loss", "loss": {"trace": "trace.txt"}}, sound, folder=tmp_path)
    assert np.array_equal(again.heard[FRAME : FRAME + 240], sound[:240])


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        ({}, "loss is one of percent, p with r, and trace; found none"),
        ({"percent": 5, "p": 0.1, "r": 0.5}, "found percent, p"),
        ({"p": 0.1}, "found p"),
        ({"percent": 101}, "expected `float` <= 100"),
        ({"percent": 60, "burst": 1}, "percent is 60; bursts of 1 make up 50.0 at most"),
        ({"burst": 3, "p": 0.1, "r": 0.1}, "burst goes with percent"),
        ({"trace": "nothing.txt"}, r"case\.loss\.trace: .*nothing\.txt"),
    ],
)
def test_loss_that_cannot_be_is_refused(loss: dict[str, Any], told: str, tmp_path: Path) -> None:
    """In a sentence with the place."""
    with pytest.raises(ScenarioError, match=told):
        Run({"kind": "loss", "loss": loss}, steady(0.1), folder=tmp_path)


def erlang_tail(shape: int, over: float) -> float:
    """How likely a sum of so many exponentials of mean 1 is above a value: no gamma function needed."""
    return exp(-over) * sum(over**k / factorial(k) for k in range(shape))


@pytest.mark.parametrize("buffer_ms", [20, 40, 60, 100])
def test_delays_are_distributed_as_asked_for(buffer_ms: int) -> None:
    """Gamma of mean 40 and deviation 20 ms is Erlang's of shape 4: what is late for a buffer is known by hand."""
    channel = {"kind": "jitter", "mean": "40ms", "std": "20ms", "buffer": f"{buffer_ms}ms"}
    measured = Run(channel, steady(TEN_MINUTES)).measured()
    late = erlang_tail(4, buffer_ms / 10)
    packets = TEN_MINUTES / 0.02
    assert abs(measured["late_percent"] / 100 - late) < 4 * np.sqrt(late * (1 - late) / packets) + 1e-9
    assert measured["packet_delay_mean_ms"] == pytest.approx(40, abs=4 * 20 / np.sqrt(packets))


@pytest.mark.parametrize(
    ("distribution", "tail"),
    [
        ("normal", 0.1587),  # one deviation above the mean
        # Mean 40, deviation 20: shape 1 + sqrt(5), least 40 * sqrt(5) / (1 + sqrt(5)); the tail (least / 60) ^ shape.
        ("pareto", (40 * 5**0.5 / (1 + 5**0.5) / 60) ** (1 + 5**0.5)),
    ],
)
def test_other_distributions_have_their_tails(distribution: str, tail: float) -> None:
    """How many of 30,000 packets take longer than 60 ms."""
    channel = {"kind": "jitter", "mean": "40ms", "std": "20ms", "distribution": distribution, "buffer": "60ms"}
    late = Run(channel, steady(TEN_MINUTES)).measured()["late_percent"] / 100
    assert abs(late - tail) < 4 * np.sqrt(tail * (1 - tail) / 30_000)


def test_a_packet_that_is_late_for_the_buffer_is_an_underrun(tmp_path: Path) -> None:
    """Of 20, 30, 120 and 40 ms the third misses a buffer of 80 ms; what comes in time comes out unchanged, so late."""
    (tmp_path / "delays.txt").write_text("20 30 120 40")
    sound = burst(12 * FRAME)
    run = Run({"kind": "jitter", "trace": "delays.txt", "buffer": "80ms"}, sound, folder=tmp_path)
    late = 4 * FRAME
    assert run.channel.delay_samples == late
    came = [np.array_equal(run.heard[late + k * FRAME :][:FRAME], sound[k * FRAME :][:FRAME]) for k in range(8)]
    assert came == [True, True, False, True] * 2
    assert run.told("buffer_underrun") == [
        (late + 3 * FRAME, {"since": late + 2 * FRAME, "packets": 1}),
        (late + 7 * FRAME, {"since": late + 6 * FRAME, "packets": 1}),
    ]


def test_without_reordering_a_packet_queues_behind_a_slow_one(tmp_path: Path) -> None:
    """120 ms, then 20: sent 20 ms later it arrives with the first, 100 ms after it was sent, and the next after 80."""
    (tmp_path / "delays.txt").write_text("120 20 20 20 20 20 20 20")
    channel = {"kind": "jitter", "trace": "delays.txt", "buffer": "70ms"}
    overtaking = Run(channel, steady(0.22), folder=tmp_path).measured()
    queueing = Run({**channel, "reorder": False}, steady(0.22), folder=tmp_path).measured()
    # Packets played by then: eight of eleven. Late are 120; and 120, 100, 80.
    assert overtaking["late_percent"] == pytest.approx(100 / 8, abs=0.01)
    assert queueing["late_percent"] == pytest.approx(300 / 8, abs=0.01)


def test_an_adaptive_buffer_follows_what_comes_and_tells_its_delay(tmp_path: Path) -> None:
    """Packets that turn out fast: the buffer falls far under where it began, and a tone stays a tone on the way."""
    (tmp_path / "delays.txt").write_text("20 22 24")
    channel = {"kind": "jitter", "trace": "delays.txt", "buffer": "120ms", "adaptive": True}
    run = Run(channel, tone(200, 10.0), folder=tmp_path)
    assert run.measured()["late_percent"] == 0
    assert 22 < run.measured()["buffer_ms"] < 45
    delays = [fields["delay"] for _, fields in run.told("line_delay")]
    assert delays == sorted(delays, reverse=True) and delays[-1] == run.measured()["buffer_ms"] * RATE / 1000
    # By pitch periods of 5 ms: everything heard is still a sine of that pitch and level.
    heard = run.heard[RATE:]
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard)))) ** 2
    hz = np.fft.rfftfreq(len(heard), 1 / RATE)
    assert spectrum[np.abs(hz - 200) < 5].sum() / spectrum.sum() > 0.999
    assert np.abs(heard).max() < 0.11
    assert np.abs(np.sort(np.abs(heard))[len(heard) // 2] - 0.1 / np.sqrt(2)) < 0.003


def test_a_dropout_over_udp_is_silence_and_nothing_is_late() -> None:
    """Half a second from one second on, and again every two."""
    run = Run({"kind": "dropout", "length": "500ms", "start": "1s", "every": "2s"}, steady(5))
    ticks = run.heard.reshape(-1, FRAME).any(axis=1)
    gone = [index * 0.02 for index in range(len(ticks)) if not ticks[index]]
    assert gone == pytest.approx([*np.arange(1, 1.5, 0.02), *np.arange(3, 3.5, 0.02)])
    assert run.told("dropout") == [(RATE, {"until": 36_000}), (3 * RATE, {"until": 84_000})]
    assert np.array_equal(run.heard[36_000 : 3 * RATE], run.said[36_000 : 3 * RATE])


def test_a_dropout_over_tcp_makes_everything_late_and_loses_nothing() -> None:
    """Without catching up, what was said from the dropout on is heard half a second later, to the bit."""
    sound = burst(4 * RATE)
    run = Run({"kind": "dropout", "length": "500ms", "start": "1s", "then": "late", "catch_up": False}, sound)
    assert np.array_equal(run.heard[:RATE], sound[:RATE])
    assert not run.heard[RATE:36_000].any()
    assert np.array_equal(run.heard[36_000:], sound[RATE : 4 * RATE - 12_000])
    assert run.told("line_delay")[0] == (36_000, {"delay": 12_000})
    assert run.measured() == {"dropouts": 1, "longest_delay_ms": 500.0}


def test_late_sound_is_heard_faster_until_it_is_no_longer_late() -> None:
    """The delay falls period by period, and is gone long before the end; then sound passes untouched."""
    sound = tone(200, 8.0)
    run = Run({"kind": "dropout", "length": "500ms", "start": "1s", "then": "late"}, sound)
    delays = [fields["delay"] for _, fields in run.told("line_delay")]
    assert delays == sorted(delays, reverse=True) and delays[-1] <= 0.0025 * RATE
    heard_faster_s = (run.told("line_delay")[-1][0] - 36_000) / RATE
    assert 1.5 < heard_faster_s < 6
    assert np.abs(run.heard[36_000:]).max() < 0.11


def test_random_dropouts_come_as_often_as_asked_for() -> None:
    """Six a minute, 200 ms each: over an hour within four standard errors of a Poisson count."""
    run = Run({"kind": "dropout", "length": "200ms", "per_minute": 6}, steady(3600, rate=8000), rate=8000)
    expected = 3600 / (10 + 0.2)
    assert abs(run.measured()["dropouts"] - expected) < 4 * np.sqrt(expected)
