"""Installed distributions, as the tests need them: the kinds that are ours, and other packages beside us."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

import pytest

from simulator import plugins


def own_kinds(group: str) -> list[str]:
    """The kinds of a group (`actors`, `channels` ...) that come with duplex-simulator, sorted."""
    points = distribution("duplex-simulator").entry_points.select(group=plugins.GROUPS[group])
    return sorted(point.name for point in points)


def register(folder: Path, name: str, kinds: Mapping[str, Mapping[str, str]]) -> Path:
    """Make a folder on the path an installed distribution that registers kinds: {group: {kind: module:class}}."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [
        line
        for group, values in kinds.items()
        for line in (f"[{plugins.GROUPS[group]}]", *(f"{kind} = {value}" for kind, value in values.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return folder


@contextmanager
def installed(folder: Path, name: str, kinds: Mapping[str, Mapping[str, str]]) -> Iterator[None]:
    """Have kinds installed while the block runs, in this process and in the workers that it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(register(folder, name, kinds))
        _forget()
        try:
            yield
        finally:
            _forget()


def _forget() -> None:
    plugins._points.cache_clear()
    plugins.installed.cache_clear()
    plugins.load.cache_clear()
