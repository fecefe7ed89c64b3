"""What the host answers, as the exceptions that Python has for it."""

import errno
import os

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
