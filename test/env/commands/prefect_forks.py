"""Lets a process start `python -m prefect...` as forks of a helper, its twin from before it did anything. They are its own children, as stock ones are.

The helper forks twice, and the first fork ends at once. Then the process adopts the second, since it is the subreaper (prctl(2)) of its descendants.
"""

import ctypes
import inspect
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LENGTH_BYTES = 4
NAMES_READ_AT_START = re.compile(r"PYTHON(?!PATH$|UNBUFFERED$|DONTWRITEBYTECODE$)|OPENSSL_|LD_")


def offer():
    """None in the process itself; in a fork: what it is to run."""
    own, helpers = socket.socketpair()
    if os.fork() == 0:
        own.close()
        return serve(helpers)
    helpers.close()
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    replace_execute_child(own)
    return None


def until_exec(call):
    """Returns `call` in a fork, and in the process itself what the fork execs: as after exec, its process id is the same, and nothing is left of the call."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        replace_exec(writing)
        return call
    os.close(writing)
    with open(reading, "rb") as pipe:
        message = pipe.read()
    _, status = os.waitpid(pid, 0)
    if not message:
        end_as(status)
    call = json.loads(message)
    command = call["command"]
    if not is_prefect(command) or is_read_at_start(call["env"]):
        os.chdir(call["cwd"])
        os.execvpe(command[0], command, call["env"])
    return {**call, "args": command[1:]}


def replace_exec(pipe):
    def execvpe(_, command, env):
        message = json.dumps({"command": list(command), "cwd": os.getcwd(), "env": dict(env)}).encode()
        with open(pipe, "wb") as stream:
            stream.write(message)
        os._exit(0)

    os.execvpe = execvpe


def end_as(status):
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 1)


def prctl(option, value):
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def replace_execute_child(helper):
    stock = subprocess.Popen._execute_child
    signature = inspect.signature(stock)
    in_turn = threading.Lock()

    def execute_child(popen, *args, **more):
        given = signature.bind(popen, *args, **more).arguments
        if not can_fork(given):
            return stock(popen, *args, **more)
        with in_turn:
            popen.pid = ask(helper, given)
        popen._child_created = True
        popen._close_pipe_fds(*(given[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")))

    subprocess.Popen._execute_child = execute_child


def can_fork(given):
    wants_more = given["preexec_fn"] or given["pass_fds"] or given["executable"] or given["uid"] is not None or given["gid"] is not None
    return is_prefect(given["args"]) and not given["shell"] and not wants_more and not is_read_at_start(given["env"] or {})


def is_prefect(command):
    return isinstance(command, (list, tuple)) and list(command[:2]) == [sys.executable, "-m"] and command[2].startswith("prefect.")


def is_read_at_start(env):
    """Python reads some of its environment only as it starts."""
    return any(NAMES_READ_AT_START.match(name) for name in env)


def ask(helper, given):
    streams = {str(number): given[name] for number, name in enumerate(("p2cread", "c2pwrite", "errwrite")) if given[name] != -1}
    call = {
        "args": [os.fspath(word) for word in given["args"][1:]],
        "cwd": os.fspath(given["cwd"] or os.getcwd()),
        "env": dict(os.environ if given["env"] is None else given["env"]),
        "streams": list(streams),
        "own_session": given["start_new_session"],
    }
    message = json.dumps(call).encode()
    socket.send_fds(helper, [len(message).to_bytes(LENGTH_BYTES, "big")], list(streams.values()))
    helper.sendall(message)
    return int.from_bytes(helper.recv(LENGTH_BYTES, socket.MSG_WAITALL), "big")


def serve(asked):
    """Returns a call in the fork that is to run it; the helper itself ends with the process that asks."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    while True:
        length, descriptors, _, _ = socket.recv_fds(asked, LENGTH_BYTES, 3)
        if not length:
            os._exit(0)
        call = json.loads(asked.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL))
        reading, writing = os.pipe()
        first = os.fork()
        if first == 0:
            pid = os.fork()
            if pid == 0:
                asked.close()
                become(call, descriptors)
                return call
            os.write(writing, pid.to_bytes(LENGTH_BYTES, "big"))
            os._exit(0)
        os.waitpid(first, 0)
        asked.sendall(os.read(reading, LENGTH_BYTES))
        for each in (reading, writing, *descriptors):
            os.close(each)


def become(call, descriptors):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number, descriptor in zip(call["streams"], descriptors, strict=True):
        os.dup2(descriptor, int(number))
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    if call["own_session"]:
        os.setsid()
