"""Which outcome is found by what."""

from collections.abc import Callable, Mapping
from typing import Any

from metrics.outcomes import calls, talk, verdicts, words
from metrics.outcomes.seen import OutcomeFinding, Seen
from simulator.errors import SessionError
from simulator.reading.outcomes import (
    CalledOutcome,
    EndsOutcome,
    ExpectedOutcome,
    JudgeOutcome,
    NeverSaysOutcome,
    NotCalledOutcome,
    RecoversOutcome,
    SaysOutcome,
    StateOutcome,
    TurnsOutcome,
    WorldOutcome,
)

WORDY = (SaysOutcome, NeverSaysOutcome, RecoversOutcome, WorldOutcome, JudgeOutcome)
"""Those that are found in words."""

_FINDERS: Mapping[type[ExpectedOutcome], Callable[[Any, Seen], OutcomeFinding]] = {
    CalledOutcome: calls.called,
    NotCalledOutcome: calls.not_called,
    StateOutcome: calls.state,
    SaysOutcome: words.says,
    NeverSaysOutcome: words.never_says,
    EndsOutcome: talk.ends,
    TurnsOutcome: talk.turns,
    RecoversOutcome: talk.recovers,
    WorldOutcome: verdicts.succeeded,
    JudgeOutcome: verdicts.judged,
}


def found(outcome: ExpectedOutcome, seen: Seen) -> OutcomeFinding:
    """Say what became of an outcome in a session."""
    try:
        return _FINDERS[type(outcome)](outcome, seen)
    except SessionError as error:
        return OutcomeFinding(met=None, reason=str(error))
