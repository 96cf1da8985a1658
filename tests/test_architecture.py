"""The code keeps to docs/architecture.md: its floors, who may import whom, one owner per name."""

import re
import sys
from collections import defaultdict

import pytest

from tests.source_tree import PACKAGES, ROOT, SourceFile, arrows, circles, source_files

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LARGEST_TOP = 25

LIGHT = {"anyio", "msgspec", "numpy", "soundfile", "yaml"}
"""What every session needs anyway; the rest is imported in the function that uses it."""

KNOWN_HEAVY = {
    ("simulator.cli.screen", "rich"),
    ("simulator.cli.sweep_screen", "rich"),
    ("simulator.batch.on_ray", "ray"),
    ("simulator.batch.ray_places", "ray"),
    ("simulator.ci.player", "pytest"),
    ("simulator.ci.plugin", "pytest"),
    ("simulator.ci.shared_root", "pytest"),
    ("simulator.ci.pytest_items", "pytest"),
}
"""Only `rich.markup`, which takes a millisecond, in a file that is imported when there is something to print; and
pytest and Ray in what is imported by pytest alone and for a run on Ray."""

KNOWN_TYPE_ONLY = {
    ("agents.duplex.nemotron_nemo", "agents.duplex.nemotron"),
}
"""Imports that only a type checker sees; each would close a circle if it were a real one."""

Files = dict[str, SourceFile]
Arrows = dict[str, set[str]]


@pytest.fixture(scope="module")
def files() -> Files:
    """Every file of the packages, by module name."""
    return source_files()


@pytest.fixture(scope="module")
def imports(files: Files) -> Arrows:
    """Which modules of the tree every module imports when it runs, at once or later."""
    return arrows(files, typing=False)


@pytest.fixture(scope="module")
def floors() -> dict[str, int]:
    """The floor of every room of simulator/, as the page's table has it."""
    rows = re.findall(r"^\| (\d) \| ([^|]*) \|", PAGE, re.MULTILINE)
    return {room: int(floor) for floor, rooms in rows for room in re.findall(r"`(\w+)`", rooms)}


def package_of(module: str) -> str:
    """The top-level package of a module."""
    return module.split(".", maxsplit=1)[0]


def room_of(module: str) -> str:
    """The room of simulator/ that a module lies in: a folder, or a file at the top."""
    return [*module.split("."), "__init__"][1]


def test_the_page_tells_of_every_room(files: Files, floors: dict[str, int]) -> None:
    """Every room of simulator/ stands on a floor; each of its folders and each other package has a paragraph."""
    ours = [file for module, file in files.items() if package_of(module) == "simulator"]
    assert set(floors) == {room_of(file.module) for file in ours}
    folders = {file.path.parts[1] for file in ours if len(file.path.parts) > 2}
    assert set(re.findall(r"^- \*\*(\w+)/\*\*", PAGE, re.MULTILINE)) == folders | set(PACKAGES) - {"simulator"}


def test_circles_are_found() -> None:
    """a, b and c lead to each other, d only to itself, e only to them."""
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"d"}, "e": {"a", "d"}}
    assert circles(arrows) == {frozenset("abc"), frozenset("d")}


def test_no_two_files_import_each_other_in_a_circle(imports: Arrows) -> None:
    """Followed from any file, imports never lead back to it."""
    assert circles(imports) == set()


def test_no_two_rooms_import_each_other_in_a_circle(imports: Arrows) -> None:
    """Nor do the imports of a whole room of simulator/."""
    rooms: Arrows = defaultdict(set)
    for module, targets in imports.items():
        if package_of(module) == "simulator":
            rooms[room_of(module)] |= {room_of(target) for target in targets} - {room_of(module)}
    assert circles(rooms) == set()


def test_imports_for_the_type_checker_alone_are_listed(files: Files) -> None:
    """They hide a circle from Python but not from a reader, so each is known."""
    found = arrows(files, typing=True)
    assert {(module, target) for module in found for target in found[module]} == KNOWN_TYPE_ONLY


def test_no_room_imports_one_of_a_higher_floor(imports: Arrows, floors: dict[str, int]) -> None:
    """Within simulator/ imports go down, or stay on their floor."""
    ours = {module: targets for module, targets in imports.items() if package_of(module) == "simulator"}
    upward = {(module, target) for module, targets in ours.items() for target in targets
              if floors[room_of(target)] > floors[room_of(module)]}  # fmt: skip
    assert upward == set()


def test_simulator_imports_no_package_above_it(imports: Arrows) -> None:
    """Agents, channels and metrics come in by entry points only."""
    targets = {target for module, found in imports.items() if package_of(module) == "simulator" for target in found}
    assert {package_of(target) for target in targets} == {"simulator"}


@pytest.mark.parametrize("package", [name for name in PACKAGES if name != "simulator"])
def test_a_package_above_imports_the_floors_that_the_page_allows(
    package: str, imports: Arrows, floors: dict[str, int]
) -> None:
    """And itself, but no other package."""
    allowed = re.search(rf"^\| `{package}` \| floors 1 to (\d) \|", PAGE, re.MULTILINE)
    assert allowed is not None
    targets = {target for module, found in imports.items() if package_of(module) == package for target in found}
    assert {package_of(target) for target in targets} <= {package, "simulator"}
    too_high = {target for target in targets
                if package_of(target) == "simulator" and floors[room_of(target)] > int(allowed[1])}  # fmt: skip
    assert not too_high


def test_the_top_of_simulator_stays_small(files: Files) -> None:
    """What lies there is what everybody has to know."""
    assert (
        sum(file.path.parts[0] == "simulator" and len(file.path.parts) == 2 for file in files.values()) <= LARGEST_TOP
    )


def test_a_public_class_name_has_one_owner(files: Files) -> None:
    """Whoever reads a name knows which class is meant."""
    owners: dict[str, list[str]] = defaultdict(list)
    for module, file in files.items():
        for name in file.classes:
            owners[name].append(module)
    assert {name for name, modules in owners.items() if len(modules) > 1} == set()


def test_only_the_clock_imports_time(files: Files) -> None:
    """Time is injected: whoever wants to know it asks a clock."""
    found = {module for module, file in files.items() for wanted in file.imports if package_of(wanted.name) == "time"}
    assert found == {"simulator.clock"}


def test_what_takes_long_to_load_is_imported_where_it_is_used(files: Files) -> None:
    """With a file come only the standard library, our packages and what every session needs; above all, no torch."""
    free = LIGHT | set(sys.stdlib_module_names) | set(PACKAGES)
    found = {(module, package_of(wanted.name)) for module, file in files.items() for wanted in file.imports
             if not wanted.typing and not wanted.late and package_of(wanted.name) not in free}  # fmt: skip
    assert found == KNOWN_HEAVY


def test_a_file_that_is_named_is_there(files: Files) -> None:
    """Comments and docstrings name files beside them, or by their path from the root."""
    missing = {(str(file.path), name) for file in files.values() for name in re.findall(r"[\w/]+\.py\b", file.text)
               if not (ROOT / file.path.parent / name).is_file() and not (ROOT / name).is_file()}  # fmt: skip
    assert not missing
