"""Outcomes on calls and on the world's state."""

from metrics.outcomes.seen import OutcomeFinding, Seen, listed
from simulator.reading.matchers import matches
from simulator.reading.outcomes import CalledOutcome, NotCalledOutcome, StateOutcome
from simulator.world.calls import SeenCall
from simulator.world.template import UnfilledError, split_path, walked


def called(outcome: CalledOutcome, seen: Seen) -> OutcomeFinding:
    """Whether each tool was called as it should be, by calls that fit its schema; `only`: and no other was."""
    window = seen.window(outcome, "user")
    if window.missing:
        return OutcomeFinding(met=False, evidence=[seen.whole(window.missing)])
    made = [call for call in seen.calls if call.by == outcome.by and window.holds(call.at)]
    right = [call for call in made if call.name in outcome.tools and call.proper and _fits(call, outcome)]
    others = [call for call in made if call.name not in outcome.tools]
    counted = outcome.times.holds(len(right)) if outcome.times else {call.name for call in right} == {*outcome.tools}
    if counted and not (outcome.only and others):
        return OutcomeFinding(met=True, evidence=[seen.at(call, f"called {call.told(seen.rate)}") for call in right])
    if counted:
        label = f"called as well: {listed([call.told(seen.rate) for call in others])}"
        return OutcomeFinding(met=False, evidence=[seen.at(others[0], label)])
    return _missed(seen, made, right, outcome)


def _fits(call: SeenCall, outcome: CalledOutcome) -> bool:
    return not outcome.arguments or matches(call.arguments, outcome.arguments)


def _missed(seen: Seen, made: list[SeenCall], right: list[SeenCall], outcome: CalledOutcome) -> OutcomeFinding:
    """Say what was called instead, the calls of the right name first."""
    if right and outcome.times:
        label = f"called {len(right)} times: {listed([call.told(seen.rate) for call in right])}"
        return OutcomeFinding(met=False, evidence=[seen.at(call, label) for call in right])
    near = [call for call in made if call.name in outcome.tools and call not in right]
    instead = near or [call for call in seen.calls if call.by == outcome.by and call not in right]
    told = [call.told(seen.rate) for call in instead]
    if not instead:
        lacking = [name for name in outcome.tools if name not in {call.name for call in right}]
        return OutcomeFinding(
            met=False, evidence=[seen.whole(f"{', '.join(lacking)} was not called, nor was anything else")]
        )
    return OutcomeFinding(met=False, evidence=[seen.at(call, f"called were: {listed(told)}") for call in instead])


def not_called(outcome: NotCalledOutcome, seen: Seen) -> OutcomeFinding:
    """Whether a tool was not even tried: a call that was refused counts. Undefined where the stretch never began."""
    window = seen.window(outcome, "user")
    if window.missing:
        return OutcomeFinding(met=None, reason=window.missing)
    made = [
        call for call in seen.calls if call.by == outcome.by and window.holds(call.at) and call.name in outcome.tools
    ]
    if made:
        return OutcomeFinding(met=False, evidence=[seen.at(call, f"called {call.told(seen.rate)}") for call in made])
    return OutcomeFinding(met=True)


def state(outcome: StateOutcome, seen: Seen) -> OutcomeFinding:
    """Whether what lies at a path of the world's state is as it should be. Undefined where there is no world."""
    record = seen.world
    if record is None:
        return OutcomeFinding(met=None, reason="the session has no world.json")
    way = split_path(outcome.state)
    found, before = _at(record.after, way), _at(record.before, way)
    met = found == before if outcome.unchanged else found[0] and matches(found[1], outcome.value)
    shown = repr(found[1]) if found[0] else "nothing there"
    label = f"found {shown}" if met or not outcome.unchanged else f"found {shown}, was {before[1]!r}"
    return OutcomeFinding(met=met, evidence=[seen.whole(label)])


def _at(data: object, way: list[str]) -> tuple[bool, object]:
    """Whether something lies there, and what."""
    try:
        return True, walked(data, way)
    except UnfilledError:
        return False, None
