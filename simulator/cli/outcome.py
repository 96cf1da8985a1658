"""What a command answers whose inputs cannot all be used: one rule for all that take recordings, sessions or runs."""

import sys
from collections.abc import Sequence
from pathlib import Path

from simulator.cli import INCOMPLETE, OK, REFUSED
from simulator.cli.refusals import print_remarks
from simulator.scoring.inputs import passed_over
from simulator.session import Session


def outcome(problems: Sequence[str], of: int) -> int:
    """Tell what could not be used, `of` inputs in all, and give the exit code: 2 where it was all, 3 where some."""
    for problem in problems:
        print(f"simulate: {problem}", file=sys.stderr)
    return code_of(len(problems), of)


def tell_damage(session: Session) -> None:
    """Say on standard error what of a session is damaged: it is read as far as it goes, and that costs no exit code."""
    print_remarks(session.notes)


def tell_passed_over(paths: Sequence[Path]) -> None:
    """Say on standard error which sound files of folders nothing reads."""
    print_remarks(passed_over(paths))


def code_of(unusable: int, of: int) -> int:
    """Give the exit code of so many unusable inputs of all there were."""
    return OK if not unusable else REFUSED if unusable >= of else INCOMPLETE
