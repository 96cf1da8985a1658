"""JUnit XML, as Jenkins, GitLab and most others read it (the xunit plugin's junit-10.xsd).

A suite per scenario with its seeds as properties; a case per expectation and one for the scenario itself; a failure is
an expectation that did not hold, an error a session that could not be completed. What only informs is `skipped` when
it does not hold: it decides nothing.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from simulator.ci.cases import Case, CaseSuite
from simulator.files import write_whole

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write."""


def write_junit(path: Path, suites: Sequence[CaseSuite], *, name: str, started: str = "", host: str = "") -> None:
    """Write a report. started: UTC, ISO 8601; written without its zone, as the schema wants. OSError."""
    cases = [case for suite in suites for case in suite.cases]
    seconds = sum(suite.seconds for suite in suites)
    root = Element("testsuites", {"name": _clean(name), **_counts(cases), "time": f"{seconds:.3f}"})
    for number, suite in enumerate(suites):
        _add_suite(root, suite, number, {"timestamp": started.removesuffix("Z"), "hostname": host or "localhost"})
    indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    failures = sum(case.failed and case.became != "error" for case in cases)
    errors = sum(case.became == "error" for case in cases)
    return {"tests": str(len(cases)), "failures": str(failures), "errors": str(errors)}


def _add_suite(root: Element, suite: CaseSuite, number: int, where: dict[str, str]) -> None:
    skipped = sum(case.inform and case.became != "held" for case in suite.cases)
    told = {name: value for name, value in where.items() if value}
    element = SubElement(
        root,
        "testsuite",
        {"name": _clean(suite.name), "id": str(number), **_counts(suite.cases), "skipped": str(skipped),
         "time": f"{suite.seconds:.3f}", **told},
    )  # fmt: skip
    properties = SubElement(element, "properties")
    known = {f"seed:{session}": str(seed) for session, seed in suite.seeds.items()}
    for name, value in {**known, **({"agent": suite.agent} if suite.agent else {})}.items():
        SubElement(properties, "property", {"name": _clean(name), "value": _clean(value)})
    # The length of the conversations stands with the first case alone: they are the same sessions for all.
    for index, case in enumerate(suite.cases):
        _add_case(element, case, suite.seconds if index == 0 else 0.0)
    if suite.told:
        SubElement(element, "system-out").text = _clean("\n".join(suite.told))


def _add_case(suite: Element, case: Case, seconds: float) -> None:
    element = SubElement(
        suite,
        "testcase",
        {"name": _clean(case.name), "classname": _clean(case.scenario), "time": f"{seconds:.3f}"},
    )
    if case.became != "held" and case.inform:
        SubElement(element, "skipped", {"message": _clean(f"informs only; {case.message}")})
    elif case.became != "held":
        kind = "error" if case.became == "error" else "failure"
        found = SubElement(element, kind, {"type": case.became, "message": _clean(case.message)})
        place = [f"{case.file}:{case.line}" if case.line else case.file] if case.file else []
        found.text = _clean("\n".join([f"{case.name}: {case.message}", *place, *case.evidence]))
    if case.page:
        SubElement(element, "system-out").text = _clean(f"page: {case.page}")


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
