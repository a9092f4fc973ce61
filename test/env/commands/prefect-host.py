"""Runs the stock `prefect` commands of tests, each in a fork of a process that has imported Prefect: an import costs two to four seconds of a core.

Usage: prefect-host.py SOCKET. A connection is one command: it sends a line of JSON (args, env, cwd, log), is sent its process id, and at its end its exit
status. A connection that closes before ends the command's process group.
"""

import importlib
import json
import os
import pkgutil
import random
import selectors
import signal
import socket
import sys

import prefect.cli
import prefect.context

SLOW_TO_IMPORT = ("deploy", "deployment", "events", "flow_run", "variable", "worker", "work_pool")


def begin(call):
    """In the fork: all that a new process has of its own."""
    os.setsid()
    log = os.open(call["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)
    os.chdir(call["cwd"])
    os.environ.clear()
    os.environ.update(call["env"])
    sys.argv = [os.path.join(os.path.dirname(sys.executable), "prefect"), *call["args"]]
    random.seed()
    prefect.context.GLOBAL_SETTINGS_CONTEXT = prefect.context.root_settings_context()


def kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def exit_of(pid):
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return {"code": None, "signal": signal.Signals(os.WTERMSIG(status)).name}
    return {"code": os.WEXITSTATUS(status), "signal": None}


def serve(listener):
    """Returns a call in the fork that is to run it, and never in the host."""
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ, None)
    commands = {}
    while True:
        for key, _ in waiting.select():
            if key.fileobj is listener:
                connection, _ = listener.accept()
                line = connection.makefile("rb").readline()
                if not line:
                    connection.close()
                    continue
                call = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    for each in list(waiting.get_map().values()):
                        os.close(each.fd)
                    connection.close()
                    waiting.close()
                    return call
                send(connection, {"pid": pid})
                ended = os.pidfd_open(pid)
                commands[pid] = (connection, ended)
                waiting.register(connection, selectors.EVENT_READ, pid)
                waiting.register(ended, selectors.EVENT_READ, pid)
            elif key.data in commands:
                pid = key.data
                connection, ended = commands[pid]
                if key.fileobj is connection:
                    kill_group(pid)
                    waiting.unregister(connection)
                    continue
                del commands[pid]
                send(connection, exit_of(pid))
                if connection in waiting.get_map():
                    waiting.unregister(connection)
                waiting.unregister(ended)
                connection.close()
                os.close(ended)


def send(connection, message):
    try:
        connection.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        pass  # The test has ended.


def main(path):
    for name in {name for _, name, _ in pkgutil.iter_modules(prefect.cli.__path__)} & set(SLOW_TO_IMPORT):
        importlib.import_module(f"prefect.cli.{name}")
    listener = socket.socket(socket.AF_UNIX)
    # It appears under its name when it can be connected to.
    listener.bind(f"{path}.new")
    listener.listen(64)
    os.rename(f"{path}.new", path)
    begin(serve(listener))
    sys.exit(prefect.cli.app())


if __name__ == "__main__":
    main(sys.argv[1])
