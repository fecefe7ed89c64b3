"""What `os` and its kin have on Unix and not on WASI."""

import errno
import os
import shutil
import socket
import types

from handbox_python import processes, users
from wit_world.imports import processes as host


def which(cmd, mode=os.F_OK | os.X_OK, path=None):
    name = os.fspath(cmd)
    if os.path.dirname(name):
        return name if os.path.isfile(name) and os.access(name, os.X_OK) else None
    for folder in (path or os.environ.get("PATH", "")).split(":"):
        full = os.path.join(folder, name)
        if folder and os.path.isfile(full) and os.access(full, os.X_OK):
            return full
    return f"/usr/bin/{name}" if name in host.programs() else None


def refuse(*_, **__):
    raise OSError(errno.EACCES, "the sandbox has no sockets")


def kill(pid, sig):
    """Sends a signal to a process of the sandbox; one that is sent to itself ends it."""
    if not host.send(pid, sig):
        raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))


def nothing(*_, **__):
    """There is nothing to do it to."""


def used(_=0):
    """What a process used of the machine is not known."""
    return types.SimpleNamespace(**dict.fromkeys((f"ru_{name}" for name in ("utime", "stime", "maxrss", "minflt", "majflt")), 0))


def modules():
    """What scripts import for locks, limits and terminals: there are no others to lock out, no limits of a user's, no terminal."""
    users.module("fcntl", LOCK_SH=1, LOCK_EX=2, LOCK_NB=4, LOCK_UN=8, F_GETFD=1, F_SETFD=2, F_GETFL=3, F_SETFL=4, FD_CLOEXEC=1,
                 flock=nothing, lockf=nothing, fcntl=lambda *_: 0)
    limits = {name: at for at, name in enumerate(("CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS"))}
    users.module("resource", RLIM_INFINITY=-1, RUSAGE_SELF=0, RUSAGE_CHILDREN=-1, getrusage=used, setrlimit=nothing,
                 getrlimit=lambda _: (-1, -1), **{f"RLIMIT_{name}": at for name, at in limits.items()})
    empty = ("parse_and_bind", "set_completer", "set_completer_delims", "read_history_file", "write_history_file", "add_history",
             "set_history_length", "set_startup_hook", "clear_history")
    users.module("readline", **dict.fromkeys(empty, nothing), get_completer=nothing, get_line_buffer=lambda: "")


def install():
    modules()
    os.getlogin = lambda: users.NAME
    os._exit = lambda status: host.exit(status & 0xFF)
    shutil.which = which
    os.system = lambda command: processes.waited(["sh", "-c", command])
    os.getuid = os.geteuid = os.getgid = os.getegid = lambda: users.NUMBER
    os.getpid, os.getppid = lambda: host.numbers()[0], lambda: host.numbers()[1]
    os.kill = kill
    socket.socket.__init__ = refuse
    socket.getaddrinfo = socket.gethostbyname = socket.create_connection = refuse
    for name in ("execv", "execve", "execvp", "execvpe", "execl", "execlp"):
        setattr(os, name, getattr(processes, name))
