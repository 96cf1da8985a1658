"""A full-duplex conversation simulator: test machines that talk while they listen."""

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

try:
    __version__ = version("duplex-simulator")
except PackageNotFoundError:  # a source tree on the path that was never installed
    __version__ = "0+uninstalled"


def _guard_names() -> None:
    """Fail clearly when a foreign package named `agents`, `channels` or `metrics` shadows ours.

    They are top-level names of this distribution, so another distribution in the same environment can hide them.
    """
    home = Path(__file__).resolve().parent.parent
    for name in ("agents", "channels", "metrics"):
        found = find_spec(name)
        where = Path(next(iter(found.submodule_search_locations or [])), "").resolve() if found else None
        if where is None or where.parent != home:
            raise ImportError(
                f"the package {name!r} of duplex-simulator is hidden by {where or 'nothing: it is missing'}; "
                "use an environment of its own for duplex-simulator"
            )


_guard_names()
