"""The definition cards of `tools`."""

from metrics.card import card, rate, seconds

_SOURCE = "this project; Full-Duplex-Bench v3 and tau-bench compare calls with expected ones"

_EXPECTED = """Expected calls are those of the scenario's `called` outcomes (`times` of them, else one a tool), with the
    arguments under `with`. Each takes the first call of its tool that is as it should be and not taken yet, or else
    the first one of its tool."""
_UNDEFINED = "Undefined when no call is expected. Pooled: calls over calls."
_OTHERS = """Others: FDB v3 asks a judge whether arguments mean the same, and counts names as a multiset (F1); tau-bench
    compares the data base, so that a call more that changes nothing costs nothing."""

RIGHT = rate("tools.right_rate", "Calls right", "higher", card(
    """The share of expected calls that were made, with arguments that fit the tool and are as expected.""",
    _EXPECTED, _UNDEFINED, _OTHERS), _SOURCE)  # fmt: skip
WRONG = rate("tools.wrong_rate", "Calls with wrong arguments", "lower", card(
    """The share of expected calls whose tool was called, and not with these arguments, or with ones that do not fit its
        schema.""", _EXPECTED, _UNDEFINED, _OTHERS), _SOURCE)  # fmt: skip
MISSING = rate("tools.missing_rate", "Calls missing", "lower", card(
    """The share of expected calls whose tool was not called, or not often enough.""", _EXPECTED, _UNDEFINED, _OTHERS),
    _SOURCE)  # fmt: skip
EXTRA = rate("tools.extra_rate", "Calls that nobody expected", "lower", card(
    """The share of the agent's calls that no expected call took: other tools, second calls, calls of tools that there
        are not.""", _EXPECTED, "Undefined when no call is expected, or none was made. Pooled: calls over calls.",
    _OTHERS), _SOURCE)  # fmt: skip
ARGUMENTS = rate("tools.argument_accuracy", "Arguments right", "higher", card(
    """The share of the arguments under `with` that the call had so; those of a call that was not made are wrong.""",
    _EXPECTED, "Undefined when no argument is expected. Pooled: arguments over arguments.", _OTHERS),
    _SOURCE)  # fmt: skip
FAULTS = rate("tools.fault_rate", "Calls answered by an error", "lower", card(
    """The share of the agent's calls that were answered by an error: no such tool, arguments that its schema does not
        allow, or refused by the tool itself.""", "Undefined when the agent called nothing. Pooled: calls over calls."),
    _SOURCE)  # fmt: skip

_TURN = """Turns of the user are those of `latency`. Of several calls after one turn the first counts. Undefined when
    the agent called nothing after a turn of the user. Pooled over the single times of all sessions."""

TO_CALL = seconds("tools.to_call_p50_s", "Time to the call, median", "lower", card(
    """From the last audible sample of the user's turn to the first call after it; negative where the agent called
        before the turn was over.""", _TURN), "this project")  # fmt: skip
TO_WORD = seconds("tools.to_word_p50_s", "Time to the first word of a turn with a call, median", "lower", card(
    """From the last audible sample of the user's turn to the first audible sample that the agent begins after it, in
        turns with a call: a filler word counts.""", _TURN,
    "Others: FDB v3 takes the time until the answer itself, which a language model finds in the words."),
    "this project")  # fmt: skip
FILLED = rate("tools.filled_wait_rate", "Waits that were filled", "higher", card(
    """The share of waits in which the agent said something: from the end of the user's turn until the last call after
        it was answered, where that took 1 s or more after the call.""",
    "Undefined when no call took so long. Pooled: waits over waits.",
    "Others: FDB v3 looks for sentences that are known as fillers, wherever they stand."), "this project")  # fmt: skip

CARDS = (RIGHT, WRONG, MISSING, EXTRA, ARGUMENTS, FAULTS, TO_CALL, TO_WORD, FILLED)
