"""For tests of actors, injectors, channels, scorers, models and protocols, ours and anybody's (docs/plugins.md).

What is listed here is stable: it changes with a word in CHANGELOG.md. pytest is needed where a suite is made.

    sessions    scenario_of, play_session, play_scenario: a scenario as plain data, decoded, played, read back
                bytes_of: what must be the same bytes for the same seed; burst, Bursts: sound that ears hear as speech
    truth       Take: a session of which everything is known; buzz, heard, scored go with it
    suites      channel_contract, actor_contract, injector_contract, scorer_contract, model_contract,
                protocol_contract: each gives a class of tests, `TestMine = channel_contract([{"kind": "mine"}])`
"""

from simulator.testing.actors import ActorContract, InjectorContract, actor_contract, injector_contract
from simulator.testing.channels import ChannelContract, channel_contract
from simulator.testing.models import ModelCase, ModelContract, model_contract
from simulator.testing.protocols import ProtocolCase, ProtocolContract, protocol_contract
from simulator.testing.scorers import ScorerContract, scorer_contract
from simulator.testing.sessions import Bursts, burst, bytes_of, play_scenario, play_session, scenario_of
from simulator.testing.take import Take, buzz, heard, scored

__all__ = [
    "ActorContract",
    "Bursts",
    "ChannelContract",
    "InjectorContract",
    "ModelCase",
    "ModelContract",
    "ProtocolCase",
    "ProtocolContract",
    "ScorerContract",
    "Take",
    "actor_contract",
    "burst",
    "buzz",
    "bytes_of",
    "channel_contract",
    "heard",
    "injector_contract",
    "model_contract",
    "play_scenario",
    "play_session",
    "protocol_contract",
    "scenario_of",
    "scored",
    "scorer_contract",
]
