"""Values and names, as SQLite's command line writes them."""

import contextlib
import functools
import json
import sqlite3


class Refused(Exception):
    """What is wrong, for the last line of a program that ends."""


class Left(Exception):
    """It was told to end."""


def real(value):
    """A number as SQLite shows it: 15 digits, and always a point."""
    if value != value:
        return ""
    if value in (float("inf"), float("-inf")):
        return "Inf" if value > 0 else "-Inf"
    digits, mark, exponent = format(value + 0.0 or 0.0, ".15g").partition("e")
    return digits + ("" if "." in digits else ".0") + mark + exponent


def literal(value):
    """A value as SQL has it: what reads it has the very number."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if not isinstance(value, float):
        return str(value)
    if value != value or value in (float("inf"), float("-inf")):
        return "NULL" if value != value else "1e999" if value > 0 else "-1e999"
    return real(value) if float(real(value)) == value else repr(value)


def dumped(value):
    """The same where a line must stay one line."""
    if not isinstance(value, str) or not ("\n" in value or "\r" in value):
        return literal(value)
    text = literal(value)
    for sign, mark, code in (("\n", "\\n", 10), ("\r", "\\r", 13)):
        if sign in text:
            text = f"replace({text.replace(sign, mark)},'{mark}',char({code}))"
    return text


def as_made(sql):
    """How a table was made: one whose name stands in quotes as what need not be there."""
    begun = "CREATE TABLE "
    return begun + "IF NOT EXISTS " + sql[len(begun) :] if sql.startswith((begun + '"', begun + "'")) else sql


def in_quotes(name):
    """A name that is one, whatever it says."""
    return '"' + name.replace('"', '""') + '"'


@functools.cache
def name_of(name):
    """A name as people write it: in quotes only where SQL takes it for another word."""
    if not (name.isidentifier() and name.isascii()):
        return in_quotes(name)
    try:
        with contextlib.closing(sqlite3.connect(":memory:")) as trial:
            trial.execute(f"CREATE TABLE {name}({name})")
    except sqlite3.Error:
        return in_quotes(name)
    return name


def centred(text, width):
    room = width - len(text)
    return " " * (room // 2) + text + " " * (room - room // 2)


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def jsoned(value):
    if value is None:
        return "null"
    if isinstance(value, bytes):
        return quoted(value.decode("utf-8", "replace"))
    if isinstance(value, float):
        return real(value) if abs(value) != float("inf") else "9.0e+999" if value > 0 else "-9.0e+999"
    return quoted(value) if isinstance(value, str) else str(value)
