"""What `os` and its kin have on Unix and not on WASI."""

import errno
import os
import shutil
import socket

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


def install():
    os._exit = lambda status: host.exit(status & 0xFF)
    shutil.which = which
    os.system = lambda command: processes.waited(["sh", "-c", command])
    os.getuid = os.geteuid = os.getgid = os.getegid = lambda: users.NUMBER
    os.getppid = lambda: 1
    if not hasattr(os, "getpid"):
        os.getpid = lambda: 2
    socket.socket.__init__ = refuse
    socket.getaddrinfo = socket.gethostbyname = socket.create_connection = refuse
    for name in ("execv", "execve", "execvp", "execvpe", "execl", "execlp"):
        setattr(os, name, getattr(processes, name))
