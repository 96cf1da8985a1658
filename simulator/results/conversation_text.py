"""A conversation as text with its times: what a test report shows of a session that failed."""

import msgspec

from simulator.events import PARTIES
from simulator.results.session_view import SessionView
from simulator.texts import shown


def told_conversation(view: SessionView) -> str:
    """Give a session as text, a line for everything said or called, with its times in seconds; for reports of tests."""
    lines: list[tuple[float, str]] = []
    for party in PARTIES:
        for item in (view.user if party == "user" else view.agent).said:
            notes = [item.role] * (item.role != "turn") + ["cut"] * bool(item.cut)
            told = f"  [{', '.join(notes)}]" if notes else ""
            words = item.text or "(no words are known)"
            lines.append((item.start_s, f"{item.start_s:7.2f} - {item.end_s:6.2f} s  {party:<5}  {words}{told}"))
    for call in view.calls():
        given = msgspec.json.encode(call.arguments).decode()
        lines.append((call.at_s, f"{call.at_s:7.2f}            s  {call.by:<5}  calls {call.name}({given})"))
    for case in view.barge_ins:
        late = "" if case.yield_latency_s is None else f", {case.yield_latency_s:.2f} s later"
        lines.append((case.start_s, f"{case.start_s:7.2f}            s  user   barges in: {case.outcome}{late}"))
    return "\n".join(shown(line) for _, line in sorted(lines, key=lambda line: line[0])) or "(nobody said anything)"
