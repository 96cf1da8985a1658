"""Definition cards of the turn structure: a room of their own, as seven shapes in several measures make 26 of them."""

from metrics.card import card, per_minute, rate, seconds
from simulator.score import Definition

SHAPES = ("ipu", "pause", "gap", "overlap", "overlap_within", "overlap_change", "fto")

_SOURCE = "dGSLM (Nguyen et al., arXiv 2203.16502); Talking Turns (arXiv 2503.01174); Heldner and Edlund 2010"

_MEANING = {
    "ipu": """An inter-pausal unit: one party's speech bounded by at least 200 ms of its own silence on both
        sides. Silences of less than 200 ms are inside an ipu; shorter units are kept, whatever their length.
        Both parties' ipus are pooled.""",
    "pause": """A silence of both parties after which the same party goes on: one of its ipus ends where the
        silence begins, another begins where it ends. Silence that touches the start or the end of the session
        is neither pause nor gap.""",
    "gap": """A silence of both parties after which the other party speaks: the floor passes in silence.
        Silence that touches the start or the end of the session is neither pause nor gap.""",
    "overlap": """Both parties' ipus at once: maximal stretches, backchannels included.
        overlap = overlap_within + overlap_change.""",
    "overlap_within": """An overlap that is a whole ipu of one party, inside the other's: the floor stays where
        it was (backchannels, failed interruptions, turns that were talked over).""",
    "overlap_change": """An overlap in which the one who began second goes on when the first one stops: the
        floor passes while both speak.""",
    "fto": """Floor transfer offset: start of the ipu that takes the floor minus end of the other's speech
        before it. A gap is positive, an overlap negative. An ipu that ends inside the other's speech takes no
        floor, nor does a known backchannel or aside; where nobody told roles, an ipu under 1 s with 1 s of own
        silence on both sides, half of it inside the other's speech, counts as backchannel.""",
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
_BASIS = """Activity is truth where events account for every sound of a track (first to last audible 10 ms frame
    of each utterance, silences of 100 ms and more cut out), else Silero's with edges refined by energy. All
    thresholds are in integer samples."""
_NO_LENGTH = "Undefined when the session has no length."
_OTHERS = """Others: ESPnet's InteractionMetric joins silences of exactly 200 ms too; scripts that drop units
    without 200 ms of silence on both sides give other numbers for the same speech; FD-Bench joins silences up
    to 1.5 s."""


def _rates(shape: str) -> list[Definition]:
    counted = "Counted per minute of session. Pooled: all events over all minutes."
    lasting = "Their lengths summed up, per minute of session. Pooled: all seconds over all minutes."
    return [
        per_minute(
            f"turns.{shape}_per_min",
            f"{_NAMES[shape]} per minute",
            "neither",
            card(_MEANING[shape], counted, _BASIS, _NO_LENGTH, _OTHERS),
            _SOURCE,
        ),
        Definition(
            id=f"turns.{shape}_s_per_min",
            unit="s/min",
            statistic="ratio",
            title=f"{_NAMES[shape]}, seconds per minute",
            card=card(_MEANING[shape], lasting, _BASIS, _NO_LENGTH, _OTHERS),
            source=_SOURCE,
        ),
    ]


def _offset(name: str, title: str) -> Definition:
    over = f"The {title} over all transfers, in both directions; pooled over the single values."
    text = card(_MEANING["fto"], over, _BASIS, "Undefined when the floor never passed.", _OTHERS)
    return seconds(f"turns.fto_{name}_s", f"Floor transfer offset, {title}", "neither", text, _SOURCE)


def _share(name: str, title: str, meaning: str) -> Definition:
    ipus = """Ipus are speech bounded by 200 ms of silence, so stops inside words count as speech. Pooled:
        seconds over seconds of all sessions."""
    return rate(f"turns.{name}_share", title, "neither", card(meaning, ipus, _BASIS, _NO_LENGTH), _SOURCE)


def _distance(shape: str) -> Definition:
    measured = "offsets" if shape == "fto" else "lengths"
    distance = f"""Wasserstein-1 distance between the session's {measured} and the reference file's: the area
        between the two distribution functions, in seconds; 0 when they are the same."""
    pooled = "Pooled: one distance of all values together, not a mean of distances."
    undefined = "Measured only with `reference:`; undefined when the session has no such event."
    others = "Others: dGSLM and ESPnet report the same distance per session and average it."
    return Definition(
        id=f"turns.{shape}_w1_s",
        unit="s",
        statistic="w1",
        better="lower",
        title=f"{_NAMES[shape]}: distance from the reference",
        card=card(distance, _MEANING[shape], pooled, undefined, others),
        source=_SOURCE,
    )


CARDS: tuple[Definition, ...] = (
    *(definition for shape in SHAPES if shape != "fto" for definition in _rates(shape)),
    _offset("p50", "median"),
    _offset("mean", "mean"),
    _offset("p95", "95th percentile"),
    _share("silence", "Silence", "The share of the session in which nobody speaks."),
    _share("talk_over", "Talk-over", "The share of the session in which both speak."),
    _share("user", "User talk", "The share of the session in which the user speaks, alone or not."),
    _share("agent", "Agent talk", "The share of the session in which the agent speaks, alone or not."),
    *(_distance(shape) for shape in SHAPES),
)
