"""Splits without leakage: dialogues that share a topic or a voice lie in the same part of a corpus.

What is bound together by a topic or a voice, over however many dialogues, is a cluster; clusters are dealt out whole,
in an order that a seed draws: one to every part first, then each to the part that lacks most.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from simulator.errors import ScenarioError

DEFAULT: Mapping[str, float] = {"train": 0.8, "dev": 0.1, "test": 0.1}


class Bound(NamedTuple):
    """A dialogue, and what must not be in two parts: its topic and voices."""

    id: str
    keys: tuple[str, ...]


def read_shares(text: str) -> dict[str, float]:
    """Read `train=0.8,dev=0.1,test=0.1`. ScenarioError: no such thing, or shares that are not 1 together."""
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            shares[name.strip()] = float(share)
        except ValueError:
            raise ScenarioError(
                f"--split {text}: {part!r} is no share; write it like train=0.8,dev=0.1,test=0.1"
            ) from None
    named = all(name.isidentifier() for name in shares)
    if not named or any(not 0 < share <= 1 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-6:
        raise ScenarioError(f"--split {text}: allowed are names with shares above 0 that are 1 together")
    return shares


def clusters(dialogues: Sequence[Bound]) -> list[list[str]]:
    """Give the dialogues by cluster, in the order in which they first appear."""
    leader: dict[str, str] = {}

    def root(key: str) -> str:
        while leader.setdefault(key, key) != key:
            leader[key] = leader[leader[key]]
            key = leader[key]
        return key

    for dialogue in dialogues:
        for key in dialogue.keys[1:]:
            leader[root(key)] = root(dialogue.keys[0])
    found: dict[str, list[str]] = {}
    for dialogue in dialogues:
        found.setdefault(root(dialogue.keys[0]), []).append(dialogue.id)
    return list(found.values())


def split(dialogues: Sequence[Bound], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Give the part of every dialogue. Fewer clusters than parts leave the smallest parts empty."""
    drawn = sorted(clusters(dialogues), key=lambda ids: hashlib.sha256(f"{seed}:{min(ids)}".encode()).digest())
    lacking = {name: share * len(dialogues) for name, share in shares.items()}
    largest_first = sorted(shares, key=lambda name: -shares[name])
    parts: dict[str, str] = {}
    for number, ids in enumerate(drawn):
        first = largest_first[number] if number < len(shares) else None
        name = first or max(lacking, key=lambda name: lacking[name])
        lacking[name] -= len(ids)
        parts |= dict.fromkeys(ids, name)
    return parts
