"""A full-duplex conversation simulator: test machines that talk while they listen.

What other packages may build on; a change to any of it is told in CHANGELOG.md. Everything else may move.

    simulator.actor                  Actor, ActorSpec, AnyActor, BlockActor, Context, PunctualActor, Setting
    simulator.traits                 AudioFormat, PartyTraits, SharedHost, StepTraits
    simulator.injector               BlockInjector, Injector, InjectorContext, InjectorSpec, SpeechInjectorSpec, Tracks
    simulator.line                   Channel, ChannelContext, ChannelSpec
    simulator.scoring.scorer         Scorer, ScorerSpec, by_id
    simulator.score                  Definition, Evidence, Score, share, spread, undefined
    simulator.speaking.dialogue      HeardTurn, Message, Reply, Responder, ResponderContext, ResponderSpec
    simulator.datasets.sample        Dataset, DatasetSample, DatasetSpec
    simulator.spec                   Decibels, Duration, Spec, ms
    simulator.frame                  AudioFrame, Samples, freeze, silence, to_grid
    simulator.errors                 ActorError, RemoteError, ScenarioError, SessionError, SimulatorError
    simulator.results                runs and sessions read back: what its __all__ names
    simulator.sinks.sink             AnySink, LoggedCheck, LoggedRun, LoggedSession, SinkSpec
    simulator.ci.player              ScenarioPlayer
    simulator.testing                suites and takes for tests: what its __all__ names

And, as `simulate` leaves and takes them: the YAML of a scenario, the session folder, events.jsonl, scores.json.
"""

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

__all__ = ["__version__"]

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
