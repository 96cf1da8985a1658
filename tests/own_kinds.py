"""Our own kinds: what this distribution registers, whatever else is installed beside it."""

from importlib.metadata import distribution

from simulator.plugins import GROUPS


def own_kinds(group: str) -> list[str]:
    """The kinds of a group (`actors`, `channels` ...) that come with duplex-simulator, sorted."""
    return sorted(point.name for point in distribution("duplex-simulator").entry_points.select(group=GROUPS[group]))
