"""Databases of SQLite in WAL mode, which needs memory that processes share: this SQLite cannot read them."""

import os
import sqlite3
import urllib.parse

MAGIC = b"SQLite format 3\0"
# Where the file's format for writing and for reading stand, and what they say (https://sqlite.org/fileformat2.html, 1.3.3).
FORMATS, ROLLBACK, WAL = 18, b"\1\1", b"\2\2"


def path_of(database, uri):
    """The file that is meant, and whether it may be changed; None where it is none."""
    try:
        path = os.fsdecode(database)
    except TypeError:
        return None, False
    if not (uri and path.startswith("file:")):
        return path, True
    path, _, query = path.removeprefix("file:").partition("?")
    return urllib.parse.unquote(path), not any(word in query for word in ("mode=ro", "immutable=1"))


def leave_wal(database, uri=False):
    """Takes a database out of WAL mode that nobody has open, as `PRAGMA journal_mode=delete` does."""
    path, changeable = path_of(database, uri)
    if path is None or path == ":memory:":
        return
    try:
        with open(path, "rb") as file:
            head = file.read(FORMATS + len(WAL))
        if not (head.startswith(MAGIC) and head.endswith(WAL)):
            return
        wal = f"{path}-wal"
        if os.path.exists(wal) and os.path.getsize(wal) > 0:
            raise sqlite3.OperationalError(
                f"{path} is in WAL mode and its last changes are in {wal}, which cannot be read here; close what has it open, "
                'or run "pragma journal_mode=delete" there'
            )
        if not changeable:
            raise sqlite3.OperationalError(f"{path} is in WAL mode, which cannot be read here; open it for writing once")
        with open(path, "r+b") as file:
            file.seek(FORMATS)
            file.write(ROLLBACK)
    except OSError:
        # Whoever opens it says what is wrong with it.
        return


def install():
    plain = sqlite3.connect

    def connect(database, *args, **kwargs):
        leave_wal(database, kwargs.get("uri", False))
        return plain(database, *args, **kwargs)

    connect.__doc__ = plain.__doc__
    sqlite3.connect = sqlite3.dbapi2.connect = connect
