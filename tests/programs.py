"""Python programs in a process of their own, with other packages before the real ones."""

import os
import subprocess
import sys
from pathlib import Path


def printed(program: str, packages: Path) -> str:
    """Run a program that finds packages in this folder first; gives what it printed."""
    environment = os.environ | {"PYTHONPATH": str(packages)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, check=True, text=True, env=environment).stdout
