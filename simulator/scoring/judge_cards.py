"""Judges' metrics: the ids and cards by which tables, rows and comparisons know them, whatever a rubric asks."""

from simulator.score import Definition

JUDGED = "judge."
SCORE, AGREEMENT, PREFERRED, CONSISTENT = ".score", ".agreement", ".preferred", ".consistent"

_SHARED = """A language model is asked about the session as often as its judge has votes; it sees the transcript with
times, tool calls with their results and what changed in the world, or hears the sound. A reply that is no verdict is
asked for again; a vote without one is undefined, and so is the session where that could change the verdict: never a
pass. The judge informs and gates nothing unless it was calibrated against people (docs/judges.md), or the scenario says
so. Undefined when no judge answers, or when nobody knows what was said. Others: see docs/judges.md."""
_MET = "The share of sessions in which a judge finds a criterion met: more than half of its votes, or `at_least`."
_POINTS = "The mean of a judge's votes on a criterion's scale, each session's votes averaged first."
_ALIKE = "The share of votes that agree with the most frequent vote of their session. Undefined with a single vote."
_BETTER = """How often a judge prefers this run's session to the same one of another run, ties as halves. It is asked
in both orders, and a preference that goes with the order is a tie. Pooled over sessions. 0.5: neither."""
_STEADY = (
    "The share of comparisons in which a judge says the same in both orders: what is missing is its position bias."
)


def judge_definition(metric: str) -> Definition:
    """Give the card of a judge's metric by its id: `judge.X`, `judge.X.score`, `judge.X.agreement`, ..."""
    name = metric.removeprefix(JUDGED)
    title, text, unit = name, _MET, "ratio"
    if name.endswith(SCORE):
        title, text, unit = f"{name.removesuffix(SCORE)}: points", _POINTS, "points"
    elif name.endswith(AGREEMENT):
        title, text = f"{name.removesuffix(AGREEMENT)}: agreement of votes", _ALIKE
    elif name.endswith(PREFERRED):
        title, text = f"{name.removesuffix(PREFERRED)}: preferred to the other run", _BETTER
    elif name.endswith(CONSISTENT):
        title, text = f"{name.removesuffix(CONSISTENT)}: the same in both orders", _STEADY
    return Definition(
        id=metric,
        unit=unit,
        statistic="fmean" if unit == "points" else "ratio",
        title=title.replace("_", " "),
        better="higher",
        card=f"{text}\n{' '.join(_SHARED.split())}",
        source="this project",
    )
