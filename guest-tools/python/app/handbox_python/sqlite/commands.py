"""The commands that begin with a point."""

import codecs
import csv
import io
import re
import shlex
import sqlite3
import subprocess
import sys

from handbox_python.sqlite.basics import Left, Refused, as_made, dumped, in_quotes, name_of, quoted

HELP = """.backup FILE             Copy the database to a file
.bail on|off             Stop after an error
.changes on|off          Show how many rows a statement changed
.databases               Name the open databases
.dump ?TABLE?            Show the database as SQL
.echo on|off             Show each statement before it runs
.exit ?STATUS?           End
.headers on|off          Show the names of columns
.help                    Show this
.import FILE TABLE       Read rows from a file, or from `|COMMAND` (--csv, --skip N)
.indexes ?TABLE?         Name the indexes
.mode MODE ?TABLE?       How rows are shown: box column csv html insert json line list markdown quote table tabs
.nullvalue TEXT          What stands for NULL
.once FILE               The next result goes to a file
.open FILE               Open another database
.output ?FILE?           Results go to a file
.print TEXT...           Show a text
.quit                    End
.read FILE               Run what a file says
.schema ?PATTERN?        Show how tables were made
.separator COLUMN ?ROW?  What stands between values, and behind rows
.shell COMMAND           Run a command
.show                    Show the settings
.tables ?PATTERN?        Name the tables
.timeout MS              Wait so long for who else has the database
.version                 Show the version
.width NUM...            Least widths of columns
"""
SCHEMA = "SELECT sql, type, name FROM sqlite_schema WHERE sql NOT NULL {} ORDER BY rowid"
# What `PRAGMA table_xinfo` calls columns that are computed.
GENERATED = (2, 3)
COLUMNS = 80


def run(shell, text):
    """Runs a command; its name may be cut short."""
    words = words_of(text.strip()[1:])
    name, args = (words[0], words[1:]) if words else ("", [])
    found = name if name in COMMANDS else next((known for known in sorted(COMMANDS) if name and known.startswith(name)), None)
    if found is None:
        raise Refused(f'unknown command or invalid arguments:  "{name}". Enter ".help" for help')
    action, least, most = COMMANDS[found]
    if not least <= len(args) <= most:
        usage = next((line for line in HELP.splitlines() if line.startswith(f".{found} ")), f".{found}")
        raise Refused(f"usage: {' '.join(usage.split('  ')[0].split())}")
    action(shell, *args)


def words_of(text):
    """Words, in quotes or not; a backslash is an escape between double quotes alone."""
    reader = shlex.shlex(text, posix=True, punctuation_chars=False)
    reader.whitespace_split, reader.commenters, reader.escape = True, "", ""
    try:
        plain = list(reader)
    except ValueError:
        return text.split()
    return [unescaped(word) if f'"{word}"' in text else word for word in plain]


def unescaped(text):
    return re.sub(r"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", lambda found: codecs.decode(found[0], "unicode_escape"), text)


def is_on(word):
    return word.lower() in ("on", "yes", "1", "true")


def setting(name):
    def set_to(shell, word):
        setattr(shell, name, is_on(word))

    return set_to


def backup(shell, *words):
    with sqlite3.connect(words[-1]) as target:
        shell.connection.backup(target)


def databases(shell):
    for _, name, file in shell.connection.execute("PRAGMA database_list"):
        shell.out.write(f'{name}: {file or chr(34) * 2} {"r/o" if shell.readonly else "r/w"}\n')


def dump(shell, *patterns):
    # All of it first, as in `Shell.run`.
    text = []
    text.append("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n")
    wanted = " OR ".join(["name LIKE ?"] * len(patterns)) or "1"
    of = "SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL AND ({}) AND ({}) ORDER BY name='sqlite_sequence', rowid"
    by_hand = False
    for name, sql in shell.connection.execute(of.format("type='table'", wanted), patterns).fetchall():
        if sql.upper().startswith("CREATE VIRTUAL TABLE"):
            # Its tables are dumped as they are; made anew, it would make them anew.
            if not by_hand:
                text.append("PRAGMA writable_schema=ON;\n")
                by_hand = True
            values = f"'table',{dumped(name)},{dumped(name)},0,{dumped(sql)}"
            text.append(f"INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES({values});\n")
            continue
        if name == "sqlite_sequence":
            text.append("DELETE FROM sqlite_sequence;\n")
        elif not name.startswith("sqlite_"):
            text.append(f"{as_made(sql)};\n")
        columns = shell.connection.execute(f"PRAGMA table_xinfo({in_quotes(name)})")
        kept = ",".join(in_quotes(column[1]) for column in columns if column[6] not in GENERATED)
        for row in shell.connection.execute(f"SELECT {kept} FROM {in_quotes(name)}"):
            text.append(f"INSERT INTO {name_of(name)} VALUES({','.join(map(dumped, row))});\n")
    wanted = wanted.replace("name", "tbl_name")
    for _, sql in shell.connection.execute(of.format("type IN ('index','trigger','view')", wanted), patterns):
        text.append(f"{sql};\n")
    text.append(("PRAGMA writable_schema=OFF;\n" if by_hand else "") + "COMMIT;\n")
    shell.out.write("".join(text))


def leave(shell, status="0"):
    shell.status = int(status) if status.isdigit() and int(status) else shell.status
    raise Left


def headers(shell, word):
    shell.header, shell.header_given = is_on(word), True


def help_all(shell, *_):
    shell.out.write(HELP)


def named(shell, kind, by, pattern):
    """Names in columns, as many as fit into the width, each column from top to bottom."""
    wanted = f"AND {by} LIKE ?" if pattern else ""
    names = []
    for _, schema, _ in shell.connection.execute("PRAGMA database_list").fetchall():
        found = shell.connection.execute(
            f"SELECT name FROM {in_quotes(schema)}.sqlite_schema WHERE {kind} AND name NOT LIKE 'sqlite_%' {wanted}", pattern
        )
        names += [name if schema == "main" else f"{schema}.{name}" for (name,) in found]
    if not names:
        return
    names.sort()
    widest = max(map(len, names))
    rows = -(-len(names) // max(1, COLUMNS // (widest + 2)))
    for row in range(rows):
        shell.out.write("  ".join(name.ljust(widest) for name in names[row::rows]) + "\n")


def indexes(shell, *pattern):
    named(shell, "type='index'", "tbl_name", pattern)


def tables(shell, *pattern):
    named(shell, "type IN ('table','view')", "name", pattern)


def mode(shell, *words):
    words = [word for word in words if not word.startswith("--")]
    if not words:
        shell.out.write(f"current output mode: {shell.mode}\n")
        return
    shell.set_mode({"lines": "line", "columns": "column"}.get(words[0], words[0]), row_of_csv="\r\n")
    if shell.mode == "column" and not shell.header_given:
        shell.header = True
    shell.table = words[1] if words[1:] else "table"


def null_value(shell, text):
    shell.null = text


def once(shell, file):
    shell.redirect(file)
    shell.once = True


def open_file(shell, *words):
    shell.open(([word for word in words if not word.startswith("--")] or [":memory:"])[0])


def output(shell, file=None):
    shell.redirect(file)


def show_text(shell, *words):
    shell.out.write(" ".join(words) + "\n")


def read(shell, file):
    with source(file, encoding="utf-8", errors="replace") as lines:
        shell.script(lines)


def schema(shell, *words):
    pattern = [word for word in words if not word.startswith("-")]
    wanted = "AND (tbl_name LIKE ? OR name LIKE ?)" if pattern else ""
    for sql, kind, name in shell.connection.execute(SCHEMA.format(wanted), pattern[:1] * 2).fetchall():
        columns = ""
        if kind == "view":
            of_view = shell.connection.execute(f"PRAGMA table_info({in_quotes(name)})")
            columns = f"\n/* {name_of(name)}({','.join(name_of(column[1]) for column in of_view)}) */"
        shell.out.write(f"{as_made(sql)}{columns};\n")


def separator(shell, column, row=None):
    shell.column = unescaped(column)
    if row is not None:
        shell.row = unescaped(row)


def start(shell, *words):
    shell.out.flush()
    subprocess.run(words if len(words) > 1 else words[0], shell=len(words) == 1)


def show(shell):
    said = {
        "echo": "on" if shell.echo else "off", "headers": "on" if shell.header else "off", "mode": shell.mode,
        "nullvalue": quoted(shell.null), "colseparator": quoted(shell.column), "rowseparator": quoted(shell.row),
        "filename": shell.file,
    }
    for name, value in said.items():
        shell.out.write(f"{name:>12}: {value}\n")


def timeout(shell, milliseconds):
    shell.connection.execute(f"PRAGMA busy_timeout={in_quotes(milliseconds)}")


def version(shell):
    shell.out.write(f"SQLite {sqlite3.sqlite_version}\n")


def width(shell, *numbers):
    shell.widths = [abs(int(number)) if number.lstrip("-").isdigit() else 0 for number in numbers]


def nothing(shell, *_):
    """It is taken, and changes nothing here."""


def source(path, **how):
    """A file to read, what a command prints, or standard input."""
    if path.startswith("|"):
        ran = subprocess.run(path[1:], shell=True, stdout=subprocess.PIPE)
        return io.TextIOWrapper(io.BytesIO(ran.stdout), **how)
    if path in ("/dev/stdin", "-"):
        return io.TextIOWrapper(io.BytesIO(sys.stdin.buffer.read()), **how)
    return open(path, **how)


def take_in(shell, *words):
    """Rows of a file become those of a table."""
    words, paths = [*words], []
    skip, column, as_csv = 0, shell.column, shell.mode == "csv"
    while words:
        word = words.pop(0)
        option = word.lstrip("-") if word.startswith("-") and len(word) > 1 else ""
        if option == "csv":
            as_csv, column = True, ","
        elif option == "skip" and words and words[0].isdigit():
            skip = int(words.pop(0))
        elif option not in ("v", "ascii", "schema"):
            paths.append(word)
    if len(paths) != 2:
        raise Refused("usage: .import FILE TABLE")
    path, table = paths
    with source(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        if as_csv or len(column) == 1:
            rows = csv.reader(file, delimiter=column[:1])
        else:
            rows = (line.rstrip("\r\n").split(column) for line in file)
        for _ in range(skip):
            next(rows, None)
        first = 1 + skip
        if not shell.connection.execute("SELECT 1 FROM sqlite_schema WHERE name=?", [table]).fetchone():
            names = next(rows, None)
            if names is None:
                raise Refused(f"{path}: empty file")
            columns = ", ".join(f"{in_quotes(name)} TEXT" for name in names)
            shell.connection.execute(f"CREATE TABLE {in_quotes(table)}(\n{columns})")
            first += 1
        insert(shell, path, table, enumerate(rows, first))


def insert(shell, path, table, rows):
    """All rows in one transaction, unless one is open."""
    own = not shell.connection.in_transaction
    if own:
        shell.connection.execute("BEGIN")
    wide = len(shell.connection.execute(f"SELECT * FROM {in_quotes(table)} LIMIT 0").description)
    statement = f"INSERT INTO {in_quotes(table)} VALUES({','.join('?' * wide)})"
    for number, row in rows:
        if len(row) != wide:
            rest = "filling the rest with NULL" if len(row) < wide else "extras ignored"
            print(f"{path}:{number}: expected {wide} columns but found {len(row)} - {rest}", file=sys.stderr)
            row = [*row, *[None] * wide][:wide]
        try:
            shell.connection.execute(statement, row)
        except sqlite3.Error as error:
            shell.complain(f"{path}:{number}: INSERT failed: {error}")
    if own:
        shell.connection.execute("COMMIT")


MANY = 1_000
# Each with how many words it takes, at least and at most.
COMMANDS = {
    "backup": (backup, 1, 2), "bail": (setting("bail"), 1, 1), "changes": (setting("changes"), 1, 1),
    "databases": (databases, 0, 0), "dump": (dump, 0, MANY), "echo": (setting("echo"), 1, 1), "eqp": (nothing, 0, 1),
    "exit": (leave, 0, 1), "headers": (headers, 1, 1), "help": (help_all, 0, 2), "import": (take_in, 2, 8),
    "indexes": (indexes, 0, 1), "indices": (indexes, 0, 1), "mode": (mode, 0, 8), "nullvalue": (null_value, 1, 1),
    "once": (once, 1, 1), "open": (open_file, 0, 8), "output": (output, 0, 1), "print": (show_text, 0, MANY),
    "quit": (leave, 0, 0), "read": (read, 1, 1), "save": (backup, 1, 2), "schema": (schema, 0, 3),
    "separator": (separator, 1, 2), "shell": (start, 1, MANY), "show": (show, 0, 0), "stats": (nothing, 0, 1),
    "system": (start, 1, MANY), "tables": (tables, 0, 1), "timeout": (timeout, 1, 1), "timer": (nothing, 1, 1),
    "version": (version, 0, 0), "width": (width, 0, MANY),
}
