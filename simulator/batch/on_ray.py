"""On the machines of a Ray cluster: sessions are tasks, and those that share a model go where that is.

Ray tries nothing twice here. What a node took with it is played again from this side, where the run's book is, in
another folder of the run's workroom; a session is taken in as a whole when its answer is here.
"""

import pickle
import shutil
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RaySystemError, RayTaskError

from simulator.batch.book import RunBook
from simulator.batch.in_pool import LEAVE_S
from simulator.batch.ray_node import Brought, Files, Order, environment_of, unpack
from simulator.batch.ray_places import Cores, Loops, RayPlaces, UnderWay
from simulator.errors import sentence
from simulator.events import PARTIES
from simulator.logs import logs_are_verbose
from simulator.planning.job import Job
from simulator.reading.secrets import Secrets
from simulator.spec import encode
from simulator.traits import SharedHost
from simulator.workers import closing, interrupts_held

AGAIN = 3
"""How often a session is played again whose node was lost: one that kills its node would take them all."""
LOOK_S = 1.0
"""How often this side looks up when nothing comes: for a node that has joined."""


class OnRay:
    """Plays sessions on the cluster this process is connected to; most: so many at a time, None: what it carries."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self.lost: Counter[str] = Counter()
        """How often a node took each session with it."""

    def play(self, jobs: Sequence[Job], book: RunBook) -> None:
        """Play what stands alone, then what shares models, those with the same models together."""
        workroom = book.folder / f".ray-{uuid.uuid4().hex}"
        workroom.mkdir()
        try:
            for hosts, alike in _by_hosts(jobs).items():
                places = _places(hosts, len(alike))
                try:
                    _Shift(alike, book, places, workroom, self).work()
                finally:
                    book.hosts.extend(places.close())
        finally:
            shutil.rmtree(workroom, ignore_errors=True)


def _by_hosts(jobs: Sequence[Job]) -> dict[tuple[SharedHost, ...], list[Job]]:
    """Give jobs by the models they share with others, in their order, those without any first."""
    found: dict[tuple[SharedHost, ...], list[Job]] = defaultdict(list)
    for job in jobs:
        hosts = {host.name: host for party in PARTIES if (host := job.scenario.actor(party).traits().host)}
        found[tuple(hosts[name] for name in sorted(hosts))].append(job)
    return dict(sorted(found.items(), key=lambda item: len(item[0]) > 0))


def _places(hosts: Sequence[SharedHost], sessions: int) -> RayPlaces:
    return Loops(min(host.places for host in hosts), sessions) if hosts else Cores()


class _Shift:
    """Sessions that are played in the same places."""

    def __init__(self, jobs: Sequence[Job], book: RunBook, places: RayPlaces, workroom: Path, wishes: OnRay) -> None:
        self._waiting = list(reversed(jobs))  # the next one is popped off the end
        self._jobs = {job.id: job for job in jobs}
        self._book = book
        self._places = places
        self._workroom = workroom
        self._most = wishes._most
        self._running: dict[Any, UnderWay] = {}
        self._seated: dict[Any, UnderWay] = {}
        self._lost = wishes.lost

    def work(self) -> None:
        """Play all there is."""
        try:
            while self._waiting or self._running:
                self._hand_out()
                self._take_in()
        except BaseException:
            with closing():
                self._leave()
            raise

    def _hand_out(self) -> None:
        """Fill the places; what was spent is looked at before each session."""
        while self._waiting and self._may_send() and self._places.room():
            job = self._waiting[-1]
            if self._book.may_start(job):
                order = Order(
                    id=job.id,
                    packed=pickle.dumps(job),
                    attempt=self._workroom / uuid.uuid4().hex,
                    allowance_s=self._book.hand_out(job),
                    environment=environment_of(job.scenario),
                    verbose=logs_are_verbose(),
                )
                with interrupts_held():
                    sent = self._places.send(order)
                    self._running[sent.scored] = self._seated[sent.played] = sent
            self._waiting.pop()

    def _may_send(self) -> bool:
        return self._most is None or len(self._running) < self._most

    def _take_in(self) -> None:
        """Wait until something has come, and take in all that has."""
        refs = [*self._running.keys() | self._seated.keys(), *self._places.opening()]
        if not refs and not self._waiting:
            return
        done, waited = ray.wait(refs, timeout=LOOK_S) if refs else ([], [])
        if waited:
            done += ray.wait(waited, num_returns=len(waited), timeout=0)[0]
        for ref in done:
            answer = _answer(ref)
            if ref in self._seated:
                self._places.freed(self._seated.pop(ref), lost=_is_loss(answer))
            if ref in self._running:
                self._bring(self._running.pop(ref), answer)

    def _bring(self, sent: UnderWay, answer: Brought | Exception) -> None:
        """Note what a session came to, or play it again where it was lost with its node."""
        order = sent.order
        if isinstance(answer, Exception):
            self._lost[order.id] += _is_loss(answer)
            if not _is_loss(answer):
                self._give_up(order, _in_short(answer))
            elif self._lost[order.id] <= AGAIN:
                shutil.rmtree(order.attempt, ignore_errors=True)
                self._waiting.append(self._jobs[order.id])
            else:
                self._give_up(order, f"lost {AGAIN + 1} times with the node that played it: {_in_short(answer)}")
            return
        try:
            self._adopt(order, answer.files)
            self._book.ended(self._jobs[order.id], answer.outcome)
        except OSError as error:
            self._give_up(order, sentence(error))

    def _give_up(self, order: Order, problem: str) -> None:
        with suppress(OSError):
            self._adopt(order, None)
        job = self._jobs[order.id]
        self._book.lost(job, "failed", Secrets.of(encode(job.scenario)).scrub(problem))

    def _adopt(self, order: Order, files: Files | None) -> None:
        """Put a session's folder into the run; from now on it is there as a whole. OSError."""
        session = order.attempt / order.id
        if files:
            unpack(files, session)
        if session.is_dir():
            session.rename(self._book.folder / order.id)
        shutil.rmtree(order.attempt, ignore_errors=True)

    def _leave(self) -> None:
        """End what is under way after a Ctrl-C, and keep what there is of it; what had not begun is not noted."""
        for ref in self._seated:
            ray.cancel(ref)
        if self._running:
            ray.wait(list(self._running), num_returns=len(self._running), timeout=LEAVE_S)
        for sent in self._running.values():
            with suppress(RayError, OSError):
                brought: Brought = ray.get(sent.scored, timeout=0)
                self._adopt(sent.order, brought.files)
                self._book.ended(self._jobs[sent.order.id], brought.outcome)
                continue
            with suppress(OSError):
                self._adopt(sent.order, None)


def _answer(ref: Any) -> Any:
    """Give what a task answered, or why it did not: what it raised itself, or Ray's word for how it was lost."""
    try:
        return ray.get(ref)
    except RayTaskError as error:
        return error.cause
    except RayError as error:
        return error


def _is_loss(answer: object) -> bool:
    """Whether Ray lost a task, or one that it waited for; what it cannot send or read it will not the next time."""
    return isinstance(answer, RayError) and not isinstance(answer, RaySystemError)


def _in_short(error: Exception) -> str:
    """Ray's errors are pages, and their first line is the sentence."""
    return str(error).partition("\n")[0] if isinstance(error, RayError) else sentence(error)
