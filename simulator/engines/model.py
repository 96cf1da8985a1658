"""A model of this process: loaded once, on first use or ahead of it, and used by one caller at a time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from simulator.errors import ScenarioError

T = TypeVar("T")


class Model(Generic[T]):
    """Holds what `load` gives. name: what its loading thread is called."""

    def __init__(self, name: str, load: Callable[[], T]) -> None:
        self._name = name
        self._make = load
        self._alone = threading.Lock()
        self._loaded: T | None = None

    @contextmanager
    def alone(self) -> Iterator[T]:
        """Give the model to one caller; the errors are those of loading it."""
        with self._alone:
            if self._loaded is None:
                self._loaded = self._make()
            yield self._loaded

    def warm(self) -> threading.Thread:
        """Begin to load in a thread of its own, and give the thread; errors show when the model is used."""
        thread = threading.Thread(target=self._try, name=f"{self._name}-warm")
        thread.start()
        return thread

    def load(self) -> None:
        """Load it now; the errors are those of loading it."""
        with self.alone():
            pass

    def _try(self) -> None:
        try:
            self.load()
        except ScenarioError:
            return
