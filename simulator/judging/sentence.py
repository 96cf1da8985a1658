"""What an expectation `{judge: "..."}` asks, as a criterion like those of rubrics."""

from simulator.judging.rubric import Criterion
from simulator.reading.outcome_id import EXPECTED, id_of
from simulator.reading.outcomes import JudgeOutcome


def criterion_of(outcome: JudgeOutcome) -> Criterion:
    """Give its criterion: met by more than half of the votes, or by `at_least` of them where that is below 1."""
    return Criterion(criterion=outcome.judge, at_least=outcome.at_least if outcome.at_least < 1 else None)


def name_of(outcome: JudgeOutcome) -> str:
    """Give the name by which labels know it: its own, else its text's; what follows `expect.` in its metric."""
    return id_of(outcome).removeprefix(EXPECTED)
