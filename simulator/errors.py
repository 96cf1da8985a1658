"""The errors of the simulator: each says whose fault it is and carries one sentence for the user."""

from collections.abc import Callable
from typing import TypeVar

from simulator.texts import sentence_of

T = TypeVar("T")


class SimulatorError(Exception):
    """Anything the simulator refuses or cannot finish; the message is one sentence, lower case, no full stop.

    What it quotes is cut at 200 characters, and nothing in it can steer a terminal.
    party: whose seat it came from in a session, "" where it came from none or nobody knows.
    """

    party = ""

    def __init__(self, message: str) -> None:
        super().__init__(sentence_of(message))


class ScenarioError(SimulatorError):
    """The user's file is wrong: a scenario, an audio file it names, or a value given with --set."""


class SessionError(SimulatorError):
    """A recorded session or a foreign recording cannot be read."""


class ActorError(SimulatorError):
    """Code of ours, running as an actor, an injector or a channel, failed."""


class RemoteError(SimulatorError):
    """The far end failed: refused, went silent, broke its protocol, or closed too early."""


class LateError(SimulatorError):
    """The machine was too slow for the wall clock, and the scenario says `strict: true`."""


def located(where: str, attempt: Callable[[], T]) -> T:
    """Give what `attempt` gives; a ScenarioError of it gets its place in the file (`$.user.file`) put in front."""
    try:
        return attempt()
    except ScenarioError as error:
        raise ScenarioError(f"{where}: {error}") from error


def single(error: Exception) -> Exception:
    """Give the first error inside a task group's exception group: it is what ended the others."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def blamed(error: Exception, who_and_what: str) -> SimulatorError:
    """Give the error that ends a session: one of ours as it is, a surprise as an ActorError that names its party."""
    if isinstance(error, SimulatorError) and not isinstance(error, ActorError):
        return error
    return ActorError(f"{who_and_what}: {sentence(error)}")


def sentence(error: Exception) -> str:
    """Give one sentence for the user: our own errors speak for themselves, the system's and surprises get a name."""
    if isinstance(error, SimulatorError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return sentence_of(f"{error.filename}: {error.strerror}") if error.filename else error.strerror
    return sentence_of(f"{type(error).__name__}: {error}")
