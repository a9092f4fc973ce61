"""Runs a program in a real terminal, types, and prints one JSON object: its exit code, what it printed, and whether it left the terminal as it was.

Arguments: a JSON list of [text to wait for, what to type], then the program with its arguments.
"""

import json
import os
import pty
import subprocess
import sys
import termios


def read(master):
    try:
        return os.read(master, 65536)
    except OSError:  # Linux: no process has the terminal open any more.
        return b""


def main():
    steps, command = json.loads(sys.argv[1]), sys.argv[2:]
    master, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (40, 200))
    before = termios.tcgetattr(terminal)
    login = f"exec 3<>{os.ttyname(terminal)} && exec \"$@\" <&3 >&3 2>&3 3<&-"
    child = subprocess.Popen(["setsid", "--wait", "sh", "-c", login, "sh", *command], stdin=subprocess.DEVNULL)
    output, seen = b"", 0
    for text, typed in steps:
        while text.encode() not in output[seen:]:
            chunk = read(master)
            if chunk == b"":
                raise SystemExit(f"the program did not print {text!r}: {output.decode()}")
            output += chunk
        seen = len(output)
        os.write(master, typed.encode())
    code = child.wait()
    restored = termios.tcgetattr(terminal) == before
    os.close(terminal)
    while chunk := read(master):
        output += chunk
    print(json.dumps({"code": code, "restored": restored, "output": output.decode(errors="replace")}))


main()
