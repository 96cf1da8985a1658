"""Where a run is made and where it lies in the end: a folder of this machine, or a URL that follows one."""

import sys
from pathlib import Path

from simulator.batch.far_run import FarRun
from simulator.batch.folder import RunFolder
from simulator.buckets.bucket import BucketError
from simulator.cli import INCOMPLETE, INTERRUPTED
from simulator.errors import sentence
from simulator.texts import shown


class RunPlace:
    """The place that `--out` names. folder: where the run is made. at: where it lies, for whoever reads of it."""

    def __init__(self, out: Path | str, *, resume: bool) -> None:
        """Look at the place. ScenarioError, BucketError: no run can be put there, or none goes on."""
        self._far = FarRun(out, _complained) if isinstance(out, str) else None
        self.folder = Path(out) if self._far is None else self._far.folder
        self.at = str(self.folder)
        self._begun = False
        if self._far is not None:
            self._far.prepare(resume=resume)

    def __enter__(self) -> "RunPlace":
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing here of a run that was refused."""
        if self._far is not None and not self._begun:
            self._far.give_up()

    def begin(self, folder: RunFolder) -> None:
        """Have a URL follow what is written. BucketError: it takes nothing."""
        if self._far is None:
            return
        self._far.begin()
        folder.noted = self._far.noted
        self._begun = True

    def finish(self, code: int) -> int:
        """Send what is missing; gives the exit code, which says so where that is not taken."""
        if self._far is None:
            return code
        kept = f"the run lies in {self.folder}, and --resume with the same --out sends it"
        try:
            self._far.finish()
        except (BucketError, OSError) as error:
            _complained(f"{sentence(error)}; {kept}")
            return code if code == INTERRUPTED else INCOMPLETE
        except KeyboardInterrupt:
            _complained(f"interrupted before all was sent; {kept}")
            return INTERRUPTED
        self.at = str(self._far.bucket)
        return code

    def leave(self) -> None:
        """Delete what was made here of a run that lies elsewhere now."""
        if self._far is not None and self.at != str(self.folder):
            self._far.discard()


def _complained(line: str) -> None:
    print(f"simulate: {shown(line)}", file=sys.stderr)
