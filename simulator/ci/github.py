"""GitHub: the job's summary in Markdown, and annotations at the lines of the YAML that they are about.

Both follow GitHub's own words: a file that GITHUB_STEP_SUMMARY names is added to, and `::error file=..,line=..::text`
on the output is shown beside the line in the pull request.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from simulator.ci.cases import Case, CaseSuite

SUMMARY = "GITHUB_STEP_SUMMARY"
ACTIONS = "GITHUB_ACTIONS"
WORKSPACE = "GITHUB_WORKSPACE"
_LARGEST_BYTES = 900_000
"""GitHub takes 1 MiB of summary per step."""


def on_github(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process runs in a workflow."""
    return environment.get(ACTIONS) == "true"


def add_summary(suites: Sequence[CaseSuite], more: str = "", environment: Mapping[str, str] = os.environ) -> None:
    """Add to the summary of the job, where there is one. more: Markdown that follows. OSError."""
    if environment.get(SUMMARY):
        text = (summary_markdown(suites) + ("\n" + more if more else "")).encode()
        with Path(environment[SUMMARY]).open("ab") as file:
            file.write(text[:_LARGEST_BYTES] + b"\n")


def summary_markdown(suites: Sequence[CaseSuite]) -> str:
    """Give a run as Markdown: a table per scenario, and under it where to look."""
    cases = [case for suite in suites for case in suite.cases]
    bad = sum(case.failed for case in cases)
    lines = [f"## simulate: {f'{bad} of {len(cases)} checks failed' if bad else f'all {len(cases)} checks held'}", ""]
    for suite in suites:
        agent = f" · {_cell(suite.agent)}" if suite.agent else ""
        count = len(suite.seeds)
        lines += [f"### {_cell(suite.name)}{agent}", ""]
        lines += [f"{count} session{'s' * (count != 1)}, {suite.seconds:.0f} s of conversation", ""]
        lines += ["| | expectation | what came of it | look at |", "|---|---|---|---|", *map(_row, suite.cases), ""]
        for case in suite.cases:
            if case.became != "held" and case.evidence:
                inside = "\n".join(case.evidence).replace("```", "'''")
                lines += [f"<details><summary>{_cell(case.name)}</summary>", "", "```", inside, "```", "</details>", ""]
    return "\n".join(lines)


def _row(case: Case) -> str:
    mark = "✅" if case.became == "held" else "ℹ️" if case.inform else "❌"
    page = f"`{_cell(case.page)}`" if case.page else ""
    return f"| {mark} | {_cell(case.name)} | {_cell(case.message or case.became)} | {page} |"


def _cell(text: str) -> str:
    """A text as a cell of a table, and no markup."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("|", "\\|").replace("`", "'").replace("\n", " ")


def annotations(suites: Sequence[CaseSuite], environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Give a line of output for every case that did not hold; one that only informs is a notice."""
    for suite in suites:
        for case in suite.cases:
            if case.became != "held":
                text = "\n".join([f"{case.name}: {case.message}", *case.evidence, *([case.page] if case.page else [])])
                word = "notice" if case.inform else "error"
                yield annotation(word, text, case.file, case.line, title=case.scenario, environment=environment)


def annotation(
    word: str,
    text: str,
    file: str = "",
    line: int = 0,
    *,
    title: str = "",
    environment: Mapping[str, str] = os.environ,
) -> str:
    """Give one annotation. word: error, warning or notice. file: told relative to the checkout, where it lies in it."""
    told = {"file": _relative(file, environment) if file else "", "line": str(line) if file and line else "",
            "title": title}  # fmt: skip
    properties = ",".join(f"{name}={_property(value)}" for name, value in told.items() if value)
    return f"::{word}{' ' if properties else ''}{properties}::{_data(text)}"


def _relative(file: str, environment: Mapping[str, str]) -> str:
    root = environment.get(WORKSPACE, "")
    path = Path(file).resolve()
    return str(path.relative_to(Path(root).resolve())) if root and path.is_relative_to(Path(root).resolve()) else file


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
