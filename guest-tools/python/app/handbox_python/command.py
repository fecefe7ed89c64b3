"""`python`, as a program: what the interpreter's own command line does."""

import atexit
import builtins
import gc
import importlib.util
import io
import linecache
import os
import random
import runpy
import sys
import threading
import types
import warnings

from handbox_python import children, databases, files, library, loops, processes, sqlite, system, threads, users, waits
from wit_world import exports
from wit_world.imports import environment
from wit_world.imports import processes as host

USAGE = """usage: python [option] ... [-c cmd | -m mod | file | -] [arg] ...
  -c cmd : program passed in as string    -m mod : run library module as a script
  -u     : unbuffered output              -V     : print the version and exit
  -i, -b, -B, -d, -E, -I, -O, -OO, -P, -q, -s, -S, -v, -x, -W arg, -X opt are taken
This Python runs in a sandbox: it has no sockets, no threads that run at once, and its
programs (subprocess) are those of the sandbox's shell.
"""

FLAGS = "bBdEhiIOPqRsSuvVx?"
VALUED = "WX"


class Usage(Exception):
    """What is wrong with the command line."""


class Asked:
    """A command line, read."""

    def __init__(self, argv):
        self.flags = ""
        self.warnings = []
        self.command = self.module = None
        rest = list(argv[1:])
        while rest and rest[0].startswith("-") and rest[0] != "-":
            word = rest.pop(0)
            if word == "--":
                break
            if word in ("--help", "--version"):
                self.flags += word[2].upper() if word == "--version" else "h"
                continue
            if word.startswith("--"):
                raise Usage(f"unknown option {word}")
            if self.take(word[1:], rest):
                break
        self.rest = rest

    def take(self, letters, rest):
        """Reads a cluster of options. True if nothing behind it is one."""
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in FLAGS:
                self.flags += letter
            elif letter in "cm" + VALUED:
                if not letters and not rest:
                    raise Usage(f"argument expected for the -{letter} option")
                value = letters or rest.pop(0)
                if letter == "c":
                    self.command = value
                elif letter == "m":
                    self.module = value
                elif letter == "W":
                    self.warnings.append(value)
                return letter in "cm"
            else:
                raise Usage(f"unknown option -{letter}")
        return False


def begin(asked):
    """Everything that was set when the component was built and is another's now."""
    library.forget_build()
    os.environ.clear()
    for name, value in environment.get_environment():
        if name and "=" not in name:
            os.environ[name] = value
    files.begin()
    folder = environment.initial_cwd() or os.environ.get("PWD")
    if folder:
        try:
            os.chdir(folder)
        except OSError:
            # Elsewhere, the same paths would mean other files.
            os.write(2, f"python: the working folder {folder} is gone\n".encode())
            host.exit(1)
    whole = "u" in asked.flags or bool(os.environ.get("PYTHONUNBUFFERED"))
    sys.stdin = sys.__stdin__ = io.open(0, "r", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout = sys.__stdout__ = stream(1, "surrogateescape", whole, False)
    sys.stderr = sys.__stderr__ = stream(2, "backslashreplace", whole, True)
    # What is the same in every copy of the component would be no chance.
    random.seed()
    sys.executable = sys._base_executable = "/usr/bin/python3"
    sys.prefix = sys.exec_prefix = sys.base_prefix = sys.base_exec_prefix = "/usr"
    given = os.environ.get("PYTHONWARNINGS")
    options = (given.split(",") if given else []) + asked.warnings
    if options:
        sys.warnoptions[:] = options
        warnings._processoptions(options)
    sys.path[:] = [entry for entry in os.environ.get("PYTHONPATH", "").split(":") if entry]
    sys.argv = [""]


def stream(number, errors, whole, by_line):
    raw = io.open(number, "wb", buffering=0 if whole else -1, closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors=errors, line_buffering=by_line, write_through=whole)


def run_text(text, name, main):
    """Runs source text as `__main__`."""
    code = compile(text, name, "exec", dont_inherit=True)
    if isinstance(text, str):
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(code, main.__dict__)


def new_main():
    main = types.ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, __loader__=None)
    sys.modules["__main__"] = main
    return main


def run(asked):
    main = new_main()
    if asked.command is not None:
        sys.argv = ["-c", *asked.rest]
        sys.path.insert(0, "")
        run_text(asked.command + "\n", "<string>", main)
    elif asked.module is not None:
        sys.argv = ["-m", *asked.rest]
        sys.path.insert(0, os.getcwd())
        runpy._run_module_as_main(asked.module)
    elif not asked.rest or asked.rest[0] == "-":
        sys.argv = asked.rest[:1] + asked.rest[1:] or [""]
        sys.path.insert(0, "")
        run_text(sys.stdin.buffer.read().decode("utf-8", "surrogateescape"), "<stdin>", main)
    else:
        run_file(asked, main)


def run_file(asked, main):
    path = asked.rest[0]
    sys.argv = list(asked.rest)
    if os.path.isdir(path) or path.endswith((".zip", ".pyz")):
        sys.path.insert(0, path)
        runpy._run_module_as_main("__main__", alter_argv=False)
        return
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError as error:
        full = os.path.abspath(path)
        raise Usage(f"can't open file {full!r}: [Errno {error.errno}] {os.strerror(error.errno)}") from None
    if "P" not in asked.flags and "I" not in asked.flags:
        sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    if "x" in asked.flags:
        text = b"\n" + text.partition(b"\n")[2]
    main.__file__ = os.path.abspath(path)
    main.__cached__ = None
    if path.endswith(".pyc"):
        import marshal
        exec(marshal.loads(text[16:]), main.__dict__)
    else:
        run_text(text, path, main)


def status_of(code):
    """What `sys.exit` was given, as a status."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stdout.flush()
    print(code, file=sys.stderr)
    return 1


def show(error):
    """Shows what nobody caught, without the frames of this file. Nothing holds its frames afterwards."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    try:
        sys.excepthook(type(error), error.with_traceback(trace), trace)
    except SystemExit as leaving:
        return status_of(leaving.code)
    except BaseException as second:
        sys.__excepthook__(type(second), second, second.__traceback__)
    return 1


def guarded(action):
    """Does it; its status."""
    try:
        action()
        return 0
    except SystemExit as leaving:
        return status_of(leaving.code)
    except KeyboardInterrupt as error:
        show(error)
        return 130
    except BaseException as error:
        return show(error)


def let_go():
    """Lets go of what the script still holds, as the interpreter does at its end: files that are open are written."""
    sys.last_exc = sys.last_value = sys.last_traceback = None
    main = sys.modules.get("__main__")
    if main is not None:
        for name in [name for name in main.__dict__ if not name.startswith("__")]:
            main.__dict__[name] = None
    gc.collect()
    for each in gc.get_objects():
        try:
            if isinstance(each, io.IOBase) and not each.closed and each.writable():
                each.flush()
        except Exception:
            # Nobody is left to be told.
            pass


def finish(status):
    """Ends the process as the interpreter would: what was asked for at exit, then what is still buffered."""
    ended = guarded(threading._shutdown)
    status = status or (1 if waits.State.stuck else ended)
    atexit._run_exitfuncs()
    guarded(let_go)
    for file in (sys.stdout, sys.stderr):
        if file is None or file.closed:
            continue
        try:
            file.flush()
        except (OSError, ValueError, AttributeError):
            # As CPython does where standard output cannot take the rest.
            status = status or (120 if file is sys.stdout else 0)
    host.exit(status)


class Run(exports.Run):
    """`wasi:cli/run`."""

    def run(self):
        argv = environment.get_arguments()
        if argv and os.path.basename(argv[0]) == "sqlite3":
            begin(Asked(argv[:1]))
            finish(guarded(lambda: sys.exit(sqlite.main(argv[1:]))))
        try:
            asked = Asked(argv)
        except Usage as problem:
            begin(Asked(argv[:1]))
            print(f"{problem}\n{USAGE}", end="", file=sys.stderr)
            finish(2)
        begin(asked)
        if "V" in asked.flags:
            print(f"Python {sys.version.split()[0]}")
            finish(0)
        if "h" in asked.flags or "?" in asked.flags:
            print(USAGE, end="")
            finish(0)

        def guarded_run():
            try:
                run(asked)
            except Usage as problem:
                print(f"python: {problem}", file=sys.stderr)
                raise SystemExit(2) from None

        finish(guarded(guarded_run))


# Before the modules that look for it are loaded.
users.install()
library.take_in()
files.install()
waits.install()
threads.install()
children.install()
loops.install()
processes.install()
system.install()
databases.install()
import site

site.setquit()
with open("/python/LICENSE.txt", encoding="utf-8") as file:
    LICENSE = file.read()
builtins.license = lambda: print(LICENSE)
