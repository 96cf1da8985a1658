"""Definition cards of the turn structure."""

from simulator.score import Definition, Statistic

SHAPES = ("ipu", "pause", "gap", "overlap", "overlap_within", "overlap_change", "fto")

_SOURCE = "dGSLM (Nguyen et al., arXiv 2203.16502); Talking Turns (arXiv 2503.01174); Heldner and Edlund 2010"

_MEANING = {
    "ipu": """\
An inter-pausal unit: one party's speech bounded by at least 200 ms of its own silence on both sides. Silences
of less than 200 ms are inside an ipu; shorter units are kept, whatever their length. Both parties' ipus are
pooled.""",
    "pause": """\
A silence of both parties after which the same party goes on: some party's ipu ends where it begins and
another ipu of that party begins where it ends. Silence that touches the start or the end of the session is
neither pause nor gap.""",
    "gap": """\
A silence of both parties after which the other party speaks: the floor passes in silence. Silence that
touches the start or the end of the session is neither pause nor gap.""",
    "overlap": """\
Both parties' ipus at once: maximal stretches, backchannels included. overlap = overlap_within +
overlap_change.""",
    "overlap_within": """\
An overlap with an ipu that begins and ends inside the other's: the floor stays where it was (backchannels,
failed interruptions, and turns of the other that were talked over).""",
    "overlap_change": """\
An overlap in which the one who began second goes on when the first one stops: the floor passes while both
speak.""",
    "fto": """\
Floor transfer offset: start of the party that takes the floor minus end of the speech it follows. A gap is
positive, an overlap negative. An ipu that ends inside the other's speech takes no floor, nor does a known
backchannel or aside; where nobody told roles, an isolated ipu under 1 s, half of it inside the other's
speech, counts as backchannel.""",
}
_NAMES = {
    "ipu": "Inter-pausal units",
    "pause": "Pauses",
    "gap": "Gaps",
    "overlap": "Overlaps",
    "overlap_within": "Overlaps inside a turn",
    "overlap_change": "Overlaps at a turn change",
    "fto": "Floor transfer offset",
}
_BASIS = """\
Activity is truth where events account for the whole track (first to last audible 10 ms frame), else Silero
with edges refined by energy. Bridging and thresholds are in integer samples of the session."""
_OTHERS = """\
Others: ESPnet's InteractionMetric joins gaps of exactly 200 ms too; scripts that drop units without 200 ms of
silence on both sides give other numbers from the same words; FD-Bench joins silences up to 1.5 s."""


def _card(shape: str, how: str, undefined: str) -> str:
    return "\n".join([_MEANING[shape], how, _BASIS, f"Undefined {undefined}.", _OTHERS])


def _rates(shape: str) -> list[Definition]:
    return [
        Definition(
            id=f"turns.{shape}_per_min",
            unit="per min",
            statistic="ratio",
            title=f"{_NAMES[shape]} per minute",
            card=_card(
                shape,
                "Counted per minute of session; pooled: all events over all minutes.",
                "when the session has no length",
            ),
            source=_SOURCE,
        ),
        Definition(
            id=f"turns.{shape}_s_per_min",
            unit="s/min",
            statistic="ratio",
            title=f"{_NAMES[shape]}, seconds per minute",
            card=_card(
                shape,
                "Their length summed up, per minute of session; pooled: all seconds over all minutes.",
                "when the session has no length",
            ),
            source=_SOURCE,
        ),
    ]


def _offset(name: str, statistic: Statistic, title: str) -> Definition:
    return Definition(
        id=f"turns.fto_{name}_s",
        unit="s",
        statistic=statistic,
        title=title,
        card=_card(
            "fto",
            f"The {title.split(', ')[1]} over all transfers, in both directions; pooled over the values.",
            "when the floor never passed",
        ),
        source=_SOURCE,
    )


def _share(name: str, title: str, meaning: str) -> Definition:
    return Definition(
        id=f"turns.{name}_share",
        unit="ratio",
        statistic="ratio",
        title=title,
        card="\n".join(
            [
                meaning,
                "Ipus are speech bounded by 200 ms of silence, so stops inside words count as speech.",
                "Pooled: seconds over seconds of all sessions.",
                _BASIS,
                "Undefined when the session has no length.",
            ]
        ),
        source=_SOURCE,
    )


def _distance(shape: str) -> Definition:
    measured = "offsets" if shape == "fto" else "lengths"
    return Definition(
        id=f"turns.{shape}_w1_s",
        unit="s",
        statistic="w1",
        better="lower",
        title=f"{_NAMES[shape]}: distance from the reference",
        card="\n".join(
            [
                f"Wasserstein-1 distance between the session's {measured} in seconds and the reference file's:",
                "the area between the two distribution functions, in seconds; 0 when they are the same.",
                _MEANING[shape],
                "Pooled: one distance of all values together, not a mean of distances.",
                "Measured only with `reference:`; undefined when the session has no such event.",
                "Others: dGSLM and ESPnet report the same distance per session and average it.",
            ]
        ),
        source=_SOURCE,
    )


CARDS: tuple[Definition, ...] = (
    *(card for shape in SHAPES if shape != "fto" for card in _rates(shape)),
    _offset("p50", "p50", "Floor transfer offset, median"),
    _offset("mean", "mean", "Floor transfer offset, mean"),
    _offset("p95", "p95", "Floor transfer offset, 95th percentile"),
    _share("silence", "Silence", "The share of the session in which nobody speaks."),
    _share("talk_over", "Talk-over", "The share of the session in which both speak."),
    _share("user", "User talk", "The share of the session in which the user speaks, alone or not."),
    _share("agent", "Agent talk", "The share of the session in which the agent speaks, alone or not."),
    *(_distance(shape) for shape in SHAPES),
)
