"""The command in this process and in one of its own, and a scenario that runs in a moment, for tests."""

import os
import subprocess
import sys
from typing import Any

from simulator.cli import main

SHORT: dict[str, Any] = {
    "name": "short", "duration": "3s", "scorers": [],
    "user": {"kind": "scripted", "turns": ["Hello there."]},
    "agent": {"kind": "scripted", "turns": [{"after": "user_turn", "say": "Good evening."}]},
}  # fmt: skip


def simulate(*words: object) -> int:
    """Run the command in this process."""
    return main([str(word) for word in words])


def command(*words: object, **env: str) -> subprocess.Popen[str]:
    """Run the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | env,
    )
