"""Runs the stock `prefect` commands and flows of tests, each in a fork of a process that has imported Prefect: an import costs two to four seconds of a core.

Usage: prefect-host.py SOCKET. A connection is one command: it sends a line of JSON (args: as for `python`; env, cwd, log), is sent its process id,
and at its end its exit status. A connection that closes before ends the command's process group. What a command starts of Prefect itself is forked too
(prefect_forks.py).
"""

import gc
import importlib
import json
import os
import pkgutil
import random
import runpy
import selectors
import signal
import socket
import sys
import warnings

import prefect.cli
import prefect.context
import prefect.logging.configuration
import prefect_forks

SLOW_TO_IMPORT = ("deploy", "deployment", "events", "flow_run", "server", "variable", "worker", "work_pool")
MODULES_OF_RUNS = (
    *("prefect.deployments.flow_runs", "prefect.engine", "prefect.flow_engine", "prefect.task_engine", "prefect.workers.process"),
    *("anyio._backends._asyncio", "prefect.concurrency.sync", "prefect.utilities.visualization", "pydantic.v1"),
)
# It prepares a run, and then execs the engine.
SUPERVISOR = "prefect.runner._workspace_supervisor"


def begin(call):
    """In the fork: all that a new process has of its own."""
    os.setsid()
    log = os.open(call["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    return call


def run(call):
    """As `python ARGS` would, with this environment and directory."""
    if SUPERVISOR in call["args"][:2]:
        call = prefect_forks.until_exec(call)
    os.chdir(call["cwd"])
    os.environ.clear()
    os.environ.update(call["env"])
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)
    random.seed()
    prefect.context.GLOBAL_SETTINGS_CONTEXT = prefect.context.root_settings_context()
    child = prefect_forks.offer()
    if child is not None:
        return run(child)
    prefect.logging.configuration.setup_logging()
    script, *args = call["args"]
    directory = os.getcwd() if script == "-m" else os.path.dirname(os.path.abspath(script))
    more = os.environ.get("PYTHONPATH")
    sys.path[:1] = [directory, *(more.split(os.pathsep) if more else [])]
    if script == "-m":
        sys.argv = args
        runpy.run_module(args[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [script, *args]
        runpy.run_path(script, run_name="__main__")


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
                if call["args"][1:2] == ["server"]:
                    importlib.import_module("prefect.server.api.server")
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


def import_prefect():
    for name in {name for _, name, _ in pkgutil.iter_modules(prefect.cli.__path__)} & set(SLOW_TO_IMPORT):
        importlib.import_module(f"prefect.cli.{name}")
    for name in (*MODULES_OF_RUNS, SUPERVISOR):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            pass  # An older release has none.
    # A module that runs as `__main__` is imported already, and Python warns of that.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="runpy")
    gc.freeze()


def main(path):
    import_prefect()
    listener = socket.socket(socket.AF_UNIX)
    # It appears under its name when it can be connected to.
    listener.bind(f"{path}.new")
    listener.listen(64)
    os.rename(f"{path}.new", path)
    run(begin(serve(listener)))


if __name__ == "__main__":
    main(sys.argv[1])
