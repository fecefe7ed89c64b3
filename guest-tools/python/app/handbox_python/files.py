"""The permission bits of files, which WASI does not have, wherever `os` tells them or sets them."""

import builtins
import collections
import errno
import gc
import io
import os
import stat
import types

from componentize_py_types import Err
from handbox_python import faults, places, users
from wit_world.imports import permissions

# What the host gives to what is made.
FILE_BITS, FOLDER_BITS = 0o644, 0o755
# What the environment calls the mask of new files where it is not the usual one.
UMASK = "HANDBOX_UMASK"
UMASK_USUAL = 0o022
# What a `stat_result` has beside its ten items.
NAMED = ("st_atime", "st_mtime", "st_ctime", "st_atime_ns", "st_mtime_ns", "st_ctime_ns", "st_blksize", "st_blocks", "st_rdev")
# Where the system's own functions are, by name.
PLAIN = {}


class Known:
    """What the system does not keep: the mask of new files, which path was opened for a number, and the last working folders."""

    mask = UMASK_USUAL
    # The mask that the host has for this process.
    given = UMASK_USUAL
    opened = {}
    folders = collections.deque(maxlen=16)


def named(path):
    """A path as the host takes it. One that is empty names nothing, and not the working folder."""
    text = os.fsdecode(os.fspath(path))
    if not text:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), text)
    text.encode()
    return text


def refuse_nameless(path):
    if path == "" or path == b"":
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def with_bits(status, path, follow=True):
    """What `stat` says of a path, with the permission bits that WASI does not know. None: of what has no path."""
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFLNK and not follow:
        bits = 0o777
    else:
        bits = FOLDER_BITS if kind == stat.S_IFDIR else FILE_BITS if kind == stat.S_IFREG else 0
        try:
            bits = bits if path is None else permissions.get(os.path.abspath(named(path)))
        except (Err, UnicodeError):
            pass
    number = status.st_ino if path is None or not follow else number_of(path, status.st_ino)
    fields = {name: getattr(status, name) for name in NAMED}
    return os.stat_result((kind | bits, number, *status[2:4], users.NUMBER, users.NUMBER, *status[6:]), fields)


def number_of(path, number):
    """The number of what a path leads to: the host may give a link's own, with all else of what it leads to."""
    if stat.S_ISLNK(PLAIN["lstat"](path).st_mode):
        return PLAIN["lstat"](os.path.realpath(path)).st_ino
    return number


def same(status, path):
    """Whether a path still leads to this."""
    for resolved in (os.fspath, os.path.realpath):
        try:
            found = PLAIN["lstat"](resolved(path))
        except OSError:
            return False
        if (found.st_ino, found.st_dev) == (status.st_ino, status.st_dev):
            return True
    return False


def path_of(number, status):
    """The path that was opened for a number, if it still leads there."""
    path = Known.opened.get(number)
    if path is not None and same(status, path):
        return path
    for file in gc.get_referrers(io.FileIO):
        if not isinstance(file, io.FileIO) or file.closed or file.fileno() != number:
            continue
        name = getattr(file, "name", None)
        if not isinstance(name, (str, bytes)) or not name:
            continue
        for folder in (os.getcwd(), *Known.folders):
            path = os.path.join(folder, os.fsdecode(name))
            if same(status, path):
                Known.opened[number] = path
                return path
    return None


def at(path, folder):
    """A path, seen from an open folder."""
    if folder is None:
        return path
    seen_from = path_of(folder, PLAIN["fstat"](folder))
    if seen_from is None:
        raise OSError(errno.ENOTSUP, "the path of this open folder is not known")
    return os.path.join(seen_from, os.fsdecode(path))


def fstat(fd):
    status = PLAIN["fstat"](fd)
    return with_bits(status, path_of(fd, status))


def of_path(plain, follows):
    def asked(path, *, dir_fd=None, follow_symlinks=True):
        if isinstance(path, int):
            return fstat(path)
        refuse_nameless(path)
        path = at(path, dir_fd)
        follow = follows and follow_symlinks
        return with_bits(plain(path, follow_symlinks=follow) if follows else plain(path), path, follow)

    return asked


class DirEntry:
    """What `scandir` finds."""

    __slots__ = ("name", "path", "_entry")

    def __init__(self, entry):
        self.name, self.path, self._entry = entry.name, entry.path, entry

    def is_dir(self, *, follow_symlinks=True):
        return self._entry.is_dir(follow_symlinks=follow_symlinks)

    def is_file(self, *, follow_symlinks=True):
        return self._entry.is_file(follow_symlinks=follow_symlinks)

    def is_symlink(self):
        return self._entry.is_symlink()

    def is_junction(self):
        return False

    def inode(self):
        return self._entry.inode()

    def stat(self, *, follow_symlinks=True):
        return with_bits(self._entry.stat(follow_symlinks=follow_symlinks), self.path, follow_symlinks)

    def __fspath__(self):
        return self.path

    def __repr__(self):
        return f"<DirEntry {self.name!r}>"

    __class_getitem__ = classmethod(types.GenericAlias)


class Scan:
    """What `scandir` gives."""

    def __init__(self, path="."):
        refuse_nameless(path)
        self._entries = PLAIN["scandir"](path)

    def __iter__(self):
        return self

    def __next__(self):
        return DirEntry(next(self._entries))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._entries.close()


def scandir(path="."):
    return Scan(path)


def set_bits(path, mode):
    name = named(path)
    try:
        permissions.set(os.path.abspath(name), stat.S_IMODE(mode) & 0o777)
    except Err as error:
        raise faults.os_error(error.value, name) from None


def chmod(path, mode, *, dir_fd=None, follow_symlinks=True):
    if isinstance(path, int):
        fchmod(path, mode)
    else:
        set_bits(at(path, dir_fd), mode)


def fchmod(fd, mode):
    path = path_of(fd, PLAIN["fstat"](fd))
    if path is None:
        raise OSError(errno.ENOTSUP, "the path of this open file is not known")
    set_bits(path, mode)


def access(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True):
    try:
        bits = stat.S_IMODE(os.stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks).st_mode)
    except (OSError, UnicodeError):
        return False
    asked = ((os.R_OK, 0o444), (os.W_OK, 0o222), (os.X_OK, 0o111))
    return all(bits & any_of for bit, any_of in asked if mode & bit)


def made(path, mode, all_bits):
    """Gives what was just made the bits that it was to have; the host gave it all that its own mask leaves."""
    bits = mode & 0o777 & ~Known.mask
    if bits != all_bits & ~Known.given:
        try:
            set_bits(path, bits)
        except (OSError, UnicodeError):
            # It is there, and has the usual ones.
            pass


def open_number(path, flags, mode=0o777, *, dir_fd=None):
    refuse_nameless(path)
    path = at(path, dir_fd)
    new = flags & os.O_CREAT and (flags & os.O_EXCL or not os.path.lexists(path))
    number = PLAIN["open"](path, flags, mode)
    Known.opened[number] = os.path.abspath(os.fsdecode(path))
    if new:
        made(path, mode, 0o666)
    return number


def mkdir(path, mode=0o777, *, dir_fd=None):
    refuse_nameless(path)
    path = at(path, dir_fd)
    PLAIN["mkdir"](path, mode)
    made(path, mode, 0o777)


def open_masked(file, mode="r", *args, **kwargs):
    """`open` where the mask is not the one that the host knows."""
    new = isinstance(mode, str) and not isinstance(file, int) and set(mode) & set("wax") and not os.path.lexists(file)
    opened = PLAIN["io.open"](file, mode, *args, **kwargs)
    if new and kwargs.get("opener") is None:
        made(file, 0o666, 0o666)
    return opened


def chdir(path):
    refuse_nameless(path)
    last = os.getcwd()
    try:
        # What is given is kept as it is: `..` would stay in it.
        PLAIN["chdir"](os.path.realpath(path))
    except OSError as error:
        error.filename = path
        raise
    if last not in Known.folders:
        Known.folders.append(last)


def umask(mask):
    """The mask from now on; gives the one until now."""
    last, Known.mask = Known.mask, mask & 0o777
    if Known.mask != Known.given and builtins.open is PLAIN["io.open"]:
        places.put([(PLAIN["io.open"], open_masked)])
    return last


def begin():
    """The mask of who started this."""
    given = os.environ.pop(UMASK, None)
    if given is not None:
        try:
            Known.given = Known.mask = int(given, 8) & 0o777
        except ValueError:
            # Not from a shell.
            pass


def handed_on():
    """What a program that this one starts is told of the mask."""
    return {} if Known.mask == UMASK_USUAL else {UMASK: f"{Known.mask:04o}"}


def careful(plain):
    """The same, but for a path that is empty."""

    def asked(path=".", *args, **kwargs):
        refuse_nameless(path)
        return plain(path, *args, **kwargs)

    return asked


def install():
    PLAIN.update({name: getattr(os, name) for name in ("chdir", "fstat", "lstat", "mkdir", "open", "scandir")})
    PLAIN["io.open"] = io.open
    instead = {"stat": of_path(os.stat, True), "lstat": of_path(os.lstat, False), "fstat": fstat, "scandir": scandir}
    instead |= {"DirEntry": DirEntry, "open": open_number, "mkdir": mkdir, "access": access, "chdir": chdir}
    for name in ("listdir", "remove", "rename", "replace", "rmdir", "truncate", "unlink", "utime"):
        instead[name] = careful(getattr(os, name))
    pairs = [(getattr(os, name), new) for name, new in instead.items()]
    places.put(pairs)
    new = {id(old): new for old, new in pairs}
    for name in ("supports_fd", "supports_follow_symlinks", "supports_dir_fd"):
        setattr(os, name, {new.get(id(each), each) for each in getattr(os, name)})
    for name, function in instead.items():
        # `shutil` and its kin ask for what stands in such a set by its name.
        if not isinstance(function, type):
            function.__name__ = function.__qualname__ = name
    os.chmod, os.fchmod, os.umask = chmod, fchmod, umask
    os.supports_fd.add(chmod)
