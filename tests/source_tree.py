"""The source tree as its imports tell it: which file imports which, when, and what it defines. Nothing is imported."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("simulator", "agents", "channels", "metrics")


class Import(msgspec.Struct, frozen=True):
    """name: of a module, or of something in it. typing: only a type checker sees it. late: it stands in a function."""

    name: str
    typing: bool
    late: bool


class SourceFile(msgspec.Struct, frozen=True):
    """A file. module: its dotted name. classes: the public ones at its top level."""

    module: str
    path: Path
    text: str
    imports: tuple[Import, ...]
    classes: tuple[str, ...]


@cache
def source_files() -> Mapping[str, SourceFile]:
    """Read every file of the packages, by module name; once, as it takes seconds."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {found.module: found for found in map(_read, paths)}


def _read(path: Path) -> SourceFile:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    parts = path.relative_to(ROOT).with_suffix("").parts
    classes = tuple(n.name for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_"))
    return SourceFile(
        module=".".join(parts[:-1] if parts[-1] == "__init__" else parts),
        path=path.relative_to(ROOT),
        text=text,
        imports=tuple(_imports(tree, typing=False, late=False)),
        classes=classes,
    )


def _imports(node: ast.AST, *, typing: bool, late: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, typing, late) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (Import(f"{child.module}.{alias.name}", typing, late) for alias in child.names)
        else:
            checked = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _imports(child, typing=typing or checked, late=late or inside)


def arrows(files: Mapping[str, SourceFile], *, typing: bool) -> dict[str, set[str]]:
    """Give the modules of the tree that each module imports: those only a type checker sees, or the others."""
    found: dict[str, set[str]] = {}
    for module, file in files.items():
        names = [wanted.name for wanted in file.imports if wanted.typing == typing]
        targets = {name if name in files else name.rpartition(".")[0] for name in names}
        found[module] = (targets & files.keys()) - {module}
    return found


def circles(arrows: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """Give the groups of names each of which leads to every other."""
    reached = {start: _reached(start, arrows) for start in arrows}
    return {frozenset(b for b in reached[a] if a in reached[b]) for a in arrows if a in reached[a]}


def _reached(start: str, arrows: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = arrows[waiting.pop()] - found
        found |= new
        waiting += new
    return found
