"""What is said about packages agrees with what pyproject.toml asks for."""

import re
import tomllib
from itertools import chain

from tests.source_tree import ROOT, source_files

WANTED = re.compile(r"\b([a-z][a-z0-9-]*)((?:>=|==)[0-9.]*[0-9](?:,<[0-9.]*[0-9])?)")
BESIDE = {"moshi", "wandb"}
"""No dependencies: moshi asks for an older torch than we do, so it is installed by hand, without its own; wandb is one
of many trackers.
"""


def test_sentences_that_tell_what_to_install_name_the_bounds_of_pyproject() -> None:
    """Whoever pastes such a line gets what the extra would have brought."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    bounds = dict(found.groups() for line in chain(*lists) if (found := WANTED.match(line)))
    told = {wanted for file in source_files().values() for wanted in WANTED.findall(file.text)}
    assert ("starlette", bounds["starlette"]) in told
    assert {(name, bound) for name, bound in told if bounds.get(name) != bound and name not in BESIDE} == set()


def test_the_links_of_the_pages_at_the_root_lead_somewhere() -> None:
    """Those of docs/ are checked where its site is built."""
    for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{page}: {target}"
