"""The oldest dependencies that pyproject.toml allows, as constraints for pip: `python .ci/oldest.py > FILE`.

For each requirement of the core and of the extras named on the command line: the lowest version within its bounds that
has a wheel for this Python. Wheels only: sources of that age seldom build with the compilers of today.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version


def requirements(extras: list[str]) -> list[Requirement]:
    """Give what the core and these extras ask for on this machine."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    wanted = [Requirement(line) for lines in lists for line in lines]
    return [one for one in wanted if one.marker is None or one.marker.evaluate()]


def lowest(wanted: Requirement) -> Version:
    """Ask the index for the versions with a wheel for this Python, and give the lowest that is allowed."""
    ask = [sys.executable, "-m", "pip", "index", "versions", "--only-binary", ":all:", wanted.name]
    told = subprocess.run(ask, check=True, capture_output=True, text=True).stdout
    listed = re.search(r"Available versions: (.*)", told)
    assert listed is not None, told
    return min(found for found in map(Version, listed[1].split(", ")) if found in wanted.specifier)


for requirement in requirements(sys.argv[1:]):
    print(f"{requirement.name}=={lowest(requirement)}")
