"""What `os` and its kin have on Unix and not on WASI."""

import errno
import os
import shutil
import socket
import stat

from componentize_py_types import Err
from handbox_python import processes
from wit_world.imports import permissions
from wit_world.imports import processes as host

FAULTS = {
    host.StreamFault_Closed: errno.EPIPE,
    host.StreamFault_NotFound: errno.ENOENT,
    host.StreamFault_IsDirectory: errno.EISDIR,
    host.StreamFault_NotDirectory: errno.ENOTDIR,
    host.StreamFault_Exists: errno.EEXIST,
    host.StreamFault_Denied: errno.EACCES,
}


def os_error(fault, path=None):
    """A fault of the host as the exception that Python has for it."""
    code = FAULTS.get(type(fault), errno.EIO)
    words = getattr(fault, "value", None) or os.strerror(code)
    return OSError(code, words, path) if path is not None else OSError(code, words)


def named(path):
    """A path as the host takes it. One that is empty names nothing, and not the working folder."""
    text = os.fsdecode(os.fspath(path))
    if not text:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), text)
    text.encode()
    return text


def chmod(path, mode, *, dir_fd=None, follow_symlinks=True):
    if isinstance(path, int):
        raise NotImplementedError("chmod: of an open file is unavailable on this platform")
    name = named(path)
    try:
        permissions.set(os.path.abspath(name), stat.S_IMODE(mode) & 0o777)
    except Err as error:
        raise os_error(error.value, name) from None


def access(path, mode, **_):
    try:
        kind = os.stat(path)
        bits = permissions.get(os.path.abspath(named(path)))
    except (OSError, Err, UnicodeError):
        return False
    if mode & os.X_OK and not bits & 0o111:
        return False
    return bool(kind) and not (mode & os.W_OK and not bits & 0o222)


def with_bits(status, path, follow=True):
    """What `stat` says, with the permission bits that WASI does not know."""
    bits = 0o777
    if follow or not stat.S_ISLNK(status.st_mode):
        try:
            bits = permissions.get(os.path.abspath(named(path)))
        except (Err, UnicodeError):
            return status
    fields = {name: getattr(status, name) for name in NAMED}
    return os.stat_result((stat.S_IFMT(status.st_mode) | bits, *status[1:]), fields)


# What a `stat_result` has beside its ten items.
NAMED = ("st_atime", "st_mtime", "st_ctime", "st_atime_ns", "st_mtime_ns", "st_ctime_ns", "st_blksize", "st_blocks", "st_rdev")


def of_path(plain, follows):
    def asked(path, *, dir_fd=None, follow_symlinks=True):
        if not isinstance(path, int):
            refuse_nameless(path)
        follow = follows and follow_symlinks
        status = plain(path, follow_symlinks=follow) if follows else plain(path)
        return status if isinstance(path, int) else with_bits(status, path, follow)

    return asked


def refuse_nameless(path):
    if path == "" or path == b"":
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def careful(plain):
    """The same, but for a path that is empty."""

    def asked(path=".", *args, **kwargs):
        refuse_nameless(path)
        return plain(path, *args, **kwargs)

    return asked


def which(cmd, mode=os.F_OK | os.X_OK, path=None):
    name = os.fspath(cmd)
    if os.path.dirname(name):
        return name if os.path.isfile(name) and access(name, os.X_OK) else None
    for folder in (path or os.environ.get("PATH", "")).split(":"):
        full = os.path.join(folder, name)
        if folder and os.path.isfile(full) and access(full, os.X_OK):
            return full
    return f"/usr/bin/{name}" if name in host.programs() else None


def refuse(*_, **__):
    raise OSError(errno.EACCES, "the sandbox has no sockets")


def install():
    os.stat, os.lstat = of_path(os.stat, True), of_path(os.lstat, False)
    for name in ("chdir", "listdir", "mkdir", "open", "remove", "rename", "replace", "rmdir", "scandir", "truncate", "unlink", "utime"):
        setattr(os, name, careful(getattr(os, name)))
    os._exit = lambda status: host.exit(status & 0xFF)
    os.chmod, os.access, shutil.which = chmod, access, which
    os.supports_follow_symlinks = set(os.supports_follow_symlinks) - {chmod}
    os.system = lambda command: processes.waited(["sh", "-c", command])
    os.getuid = os.geteuid = os.getgid = os.getegid = lambda: 1000
    os.getppid = lambda: 1
    os.umask = lambda mask: 0o022
    if not hasattr(os, "getpid"):
        os.getpid = lambda: 2
    socket.socket.__init__ = refuse
    socket.getaddrinfo = socket.gethostbyname = socket.create_connection = refuse
    for name in ("execv", "execve", "execvp", "execvpe", "execl", "execlp"):
        setattr(os, name, getattr(processes, name))
