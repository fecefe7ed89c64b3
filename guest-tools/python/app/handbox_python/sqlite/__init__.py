"""`sqlite3`, as a program: what the command-line shell of SQLite does for scripts, over the library's module."""

import os
import re
import sqlite3
import sys
import urllib.parse

from handbox_python.sqlite import commands
from handbox_python.sqlite.basics import Left, Refused
from handbox_python.sqlite.show import ALIGNED, PLAIN, Shown

VERSION = sqlite3.sqlite_version
USAGE = """Usage: sqlite3 [OPTIONS] [FILENAME [SQL...]]
FILENAME is a database, :memory: where none is named. Without SQL, statements come from standard input.
  -csv -json -line -list -column -table -box -markdown -tabs -quote -html
                       how rows are shown
  -header, -noheader   with the names of the columns, or without
  -separator TEXT, -newline TEXT, -nullvalue TEXT
  -cmd COMMAND, -init FILE
                       done before all else
  -readonly, -bail, -echo, -batch, -version, -help
"""
# What SQLite's own errors are called where a statement cannot begin.
SQLITE_ERROR, SQLITE_NOTADB = 1, 26
SQLITE_BUSY = 5


class Nothing(dict):
    """What a parameter is that nobody gave."""

    def __missing__(self, name):
        return None


class Shell(Shown):
    def __init__(self):
        super().__init__(sys.stdout)
        self.once = False
        self.bail = self.echo = self.changes = self.readonly = False
        self.connection = None
        self.file = ":memory:"
        self.status = 0

    def open(self, file):
        self.file = file
        if self.connection is not None:
            self.connection.close()
        by_uri = file.startswith("file:")
        where = file
        if self.readonly and not by_uri and file != ":memory:":
            by_uri, where = True, f"file:{urllib.parse.quote(os.path.abspath(file))}?mode=ro"
        try:
            self.connection = sqlite3.connect(where, uri=by_uri, isolation_level=None)
        except sqlite3.Error as error:
            raise Refused(f'unable to open database "{file}": {error}') from None
        self.connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        self.connection.create_function("regexp", 2, matches, deterministic=True)
        self.connection.create_function("readfile", 1, contents)
        self.connection.create_function("writefile", 2, put)

    def run(self, statement):
        """Runs one statement."""
        cursor = self.cursor_of(statement)
        if cursor.description is not None:
            names = [entry[0] for entry in cursor.description]
            # All of it first: who reads what is shown may stop, which ends this process, and the database would stay locked.
            rows = cursor.fetchall()
            if re.match(r"\s*explain\s+query\s+plan\b", statement, re.IGNORECASE):
                self.show_plan(rows)
            else:
                self.show(names, rows)
        if self.changes:
            self.out.write(f"changes: {max(cursor.rowcount, 0):>3}   total_changes: {self.connection.total_changes}\n")
        if self.once:
            self.redirect(None)

    def cursor_of(self, statement):
        """Runs it; what parameters nobody gave are NULL."""
        try:
            return self.connection.execute(statement)
        except sqlite3.ProgrammingError as error:
            wanted = re.search(r"uses (\d+)", str(error))
            if wanted is None:
                raise
        named = re.search(r"[:@$][A-Za-z_]", statement) is not None
        return self.connection.execute(statement, Nothing() if named else [None] * int(wanted[1]))

    def locked(self, error, code):
        """What went wrong; and what helps where whoever had the lock was ended."""
        hint = f"; if nothing has it open any more, remove the folder {self.file}.lock" if code == SQLITE_BUSY else ""
        return f"{error} ({code}){hint}"

    def redirect(self, file):
        if self.out is not sys.stdout:
            self.out.close()
        self.once = False
        self.out = sys.stdout if file is None or file == "stdout" else open(file, "w", encoding="utf-8", errors="surrogateescape")

    def given(self, text):
        """Runs an argument: a command, or statements. Ends at the first that fails."""
        if text.startswith("."):
            self.command(text)
            return
        for statement, _ in statements(text.splitlines(True)):
            try:
                self.run(statement)
            except sqlite3.Error as error:
                code = code_of(error)
                self.status = code
                early = code in (SQLITE_ERROR, SQLITE_NOTADB)
                raise Refused(f"in prepare, {said(error)}" if early else f"stepping, {self.locked(error, code)}") from None

    def script(self, lines):
        """Runs statements and commands as they come; one that fails is said, and the rest goes on."""
        for statement, number in statements(lines):
            try:
                if self.echo:
                    self.out.write(statement.strip() + "\n")
                if statement.startswith("."):
                    self.command(statement)
                else:
                    self.run(statement)
            except sqlite3.Error as error:
                code = code_of(error)
                early = code in (SQLITE_ERROR, SQLITE_NOTADB)
                text = said(error) if early else self.locked(error, code)
                self.complain(f"{'Parse' if early else 'Runtime'} error near line {number}: {text}")
            except Refused as problem:
                self.complain(f"Error: {problem}")
            if self.status and self.bail:
                raise Left

    def complain(self, text):
        sys.stdout.flush()
        print(text, file=sys.stderr)
        self.status = self.status or 1

    def command(self, text):
        try:
            commands.run(self, text)
        except sqlite3.Error as error:
            raise Refused(said(error)) from None
        except OSError as error:
            raise Refused(f'cannot open "{error.filename}"') from None
        self.out.flush()


def matches(pattern, text):
    return None if pattern is None or text is None else re.search(str(pattern), str(text)) is not None


def contents(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def put(path, data):
    with open(path, "wb") as file:
        return file.write(data if isinstance(data, bytes) else str(data).encode())


def code_of(error):
    return (getattr(error, "sqlite_errorcode", None) or SQLITE_ERROR) & 0xFF


def said(error):
    code = code_of(error)
    return str(error) if code in (SQLITE_ERROR, SQLITE_NOTADB) else f"{error} ({code})"


def statements(lines):
    """The statements and commands of these lines, each with the number of its first line."""
    gathered, begun = "", 0
    for number, line in enumerate(lines, 1):
        if not gathered.strip():
            gathered, begun = "", number
            if line.startswith("."):
                yield line.rstrip("\n"), number
                continue
            if line.startswith("#"):
                continue
        elif line.strip().lower() in ("/", "go"):
            line = ";"
        start = len(gathered)
        gathered += line
        while (end := gathered.find(";", start)) >= 0:
            if sqlite3.complete_statement(gathered[: end + 1]):
                yield gathered[: end + 1], begun
                gathered, start, begun = gathered[end + 1 :], 0, number
            else:
                start = end + 1
    rest = "\n".join(line for line in gathered.split("\n") if not line.lstrip().startswith("--"))
    if rest.strip():
        yield gathered, begun


class Asked:
    """A command line, read."""

    def __init__(self, words, shell):
        self.files, self.first, self.script = [], [], None
        words = [*words]
        while words:
            word = words.pop(0)
            option = word[1:].removeprefix("-") if word.startswith("-") and len(word) > 1 else None
            if option is None:
                self.files.append(word)
            elif option in ALIGNED + PLAIN:
                shell.set_mode(option, row_of_csv="\n")
            elif option in ("header", "headers", "noheader"):
                shell.header, shell.header_given = option != "noheader", True
            elif option in ("separator", "newline", "nullvalue", "cmd", "init"):
                if not words:
                    raise Refused(f"missing argument to -{option}")
                self.valued(option, words.pop(0), shell)
            elif option in ("readonly", "bail", "echo"):
                setattr(shell, option, True)
            elif option in ("version", "help"):
                print(VERSION if option == "version" else USAGE.rstrip("\n"))
                raise Left
            elif option not in ("batch", "interactive", "stats", "safe"):
                print(f"sqlite3: Error: unknown option: {word}\nUse -help for a list of options.", file=sys.stderr)
                shell.status = 1
                raise Left

    def valued(self, option, value, shell):
        if option == "cmd":
            self.first.append(value)
        elif option == "init":
            self.script = value
        else:
            setattr(shell, {"separator": "column", "newline": "row", "nullvalue": "null"}[option], value)


def main(words):
    """Runs a command line; gives its status."""
    shell = Shell()
    # SQLite takes text alone.
    sys.stdin.reconfigure(errors="replace")
    try:
        asked = Asked(words, shell)
        shell.open(asked.files[0] if asked.files and asked.files[0] else ":memory:")
        if asked.script is not None:
            shell.command(f'.read "{asked.script}"')
        for text in asked.first + asked.files[1:]:
            shell.given(text.encode("utf-8", "replace").decode())
        if not asked.files[1:]:
            shell.script(sys.stdin)
    except Left:
        pass
    except Refused as problem:
        shell.complain(f"Error: {problem}")
    if shell.connection is not None:
        shell.connection.close()
    return shell.status
