"""`subprocess` over `handbox:process`: every program is a sandbox of its own, and none is the host's."""

import errno
import io
import os
import signal
import subprocess
import sys
import time

from componentize_py_types import Err
from handbox_python import faults, files
from wit_world.imports import processes as host

PIECE = 64 * 1024
# What one crossing to the host may carry is bounded; this is sure to pass.
AT_ONCE = 1024 * 1024
# What a program may be told in words and environment.
TOLD_MAX = 2 * 1024 * 1024
CAPTURE_MAX = 64 * 1024 * 1024
STDERR = 2
# Folders that a path may name although they are not there: what is asked for is a program.
PROGRAM_FOLDERS = ("/bin/", "/usr/bin/", "/usr/local/bin/", "/sbin/", "/usr/sbin/")


class PipeWriter(io.RawIOBase):
    """What a program reads."""

    def __init__(self, popen):
        self._popen = popen

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        if self._popen._child is None:
            self._popen._unsent += data
            if len(self._popen._unsent) > AT_ONCE:
                self._popen._begin()
            return len(data)
        self._popen._send(data)
        return len(data)

    def close(self):
        if not self.closed:
            super().close()
            self._popen._no_more_input()


class PipeReader(io.RawIOBase):
    """What a program writes, as it does."""

    def __init__(self, popen):
        self._popen = popen

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self._popen._receive(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class ErrorReader(io.RawIOBase):
    """What a program wrote to its standard error: all of it, once it has ended."""

    def __init__(self, popen):
        self._popen, self._rest = popen, None

    def readable(self):
        return True

    def readinto(self, buffer):
        if self._rest is None:
            self._popen._drain()
            self._rest = memoryview(self._popen._errors())
        data, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def file_on_path(name, folders):
    """The file that a name without a folder means: it stands before the programs' folders, or behind them and no program has
    its name."""
    for folder in folders:
        if folder.rstrip("/") + "/" in PROGRAM_FOLDERS:
            if name in host.programs():
                return None
            continue
        file = os.path.join(folder, name)
        if folder and os.path.isfile(file) and os.access(file, os.X_OK):
            return file
    return None


def program_of(words, environ):
    """The name on the program path, and the words it gets: a file is a script for the shell."""
    first = words[0]
    folder, name = os.path.split(first)
    if not folder:
        file = file_on_path(first, environ.get("PATH", "").split(":"))
        if file is None:
            return first, words
        first, words = file, [file, *words[1:]]
    if folder + "/" in PROGRAM_FOLDERS and not os.path.exists(first):
        return name, words
    if first == sys.executable:
        return "python3", words
    if not os.path.exists(first):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), first)
    return "sh", ["sh", "-c", 'exec "$0" "$@"', *words]


class Popen(subprocess.Popen):
    """A program in its sandbox. One whose input is a pipe begins when something is read from it, it is waited for, or its
    input is at its end: so what is handed to `communicate` is there before it runs."""

    _child_created = False

    def __init__(self, args, bufsize=-1, executable=None, stdin=None, stdout=None, stderr=None, preexec_fn=None,
                 close_fds=True, shell=False, cwd=None, env=None, universal_newlines=None, startupinfo=None,
                 creationflags=0, restore_signals=True, start_new_session=False, pass_fds=(), *, user=None, group=None,
                 extra_groups=None, encoding=None, errors=None, text=None, umask=-1, pipesize=-1, process_group=None):
        self._child = self._to = self._from = self._capture = None
        self._unsent, self._taken = b"", b""
        self.stdin = self.stdout = self.stderr = None
        self.returncode, self.args, self.pid = None, args, None
        self._input = None
        self._communication_started = False
        self.text_mode = encoding or errors or text or universal_newlines
        if isinstance(args, (str, bytes, os.PathLike)):
            args = [args]
        words = [text_of(word) for word in args]
        if shell:
            words = ["sh", "-c", *words]
        if executable is not None:
            words[0] = os.fsdecode(os.fspath(executable))
        folder = os.path.abspath(os.fsdecode(os.fspath(cwd))) if cwd is not None else os.getcwd()
        if not os.path.isdir(folder):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), folder)
        environ = {text_of(name): text_of(value) for name, value in (os.environ if env is None else env).items()}
        self._program, self._words = program_of(words, environ)
        if self._program not in host.programs():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), words[0])
        # Who was given no PWD is told none.
        folder_is = {"PWD" if "PWD" in environ else "=PWD": folder}
        self._environ = [*{**environ, **files.handed_on(), **folder_is}.items()]
        told = sum(len(text.encode()) for pair in self._environ for text in pair)
        if told + sum(len(word.encode()) for word in self._words) > TOLD_MAX:
            raise OSError(errno.E2BIG, os.strerror(errno.E2BIG), words[0])
        self._set_ends(stdin, stdout, stderr)
        if stdin == subprocess.PIPE:
            self.stdin = self._wrap(io.BufferedWriter(PipeWriter(self)), encoding, errors, line=bufsize == 1)
        if self._from is not None:
            self.stdout = self._wrap(io.BufferedReader(PipeReader(self), PIECE), encoding, errors)
        if self._capture is not None:
            self.stderr = self._wrap(io.BufferedReader(ErrorReader(self), PIECE), encoding, errors)
        if stdin != subprocess.PIPE:
            self._begin()

    def _wrap(self, file, encoding, errors, line=False):
        if not self.text_mode:
            return file
        return io.TextIOWrapper(file, encoding=encoding or "utf-8", errors=errors, line_buffering=line, write_through=line)

    def _set_ends(self, stdin, stdout, stderr):
        for file in (sys.stdout, sys.stderr):
            file.flush()
        self._stdin = None if stdin == subprocess.PIPE else source(stdin)
        if stdout == subprocess.PIPE:
            self._stdout, self._from = host.pipe()
        else:
            self._stdout = sink(stdout, host.Output.stdout)
        if stderr == subprocess.STDOUT:
            self._stderr = self._stdout.clone()
        elif stderr == subprocess.PIPE:
            self._capture = host.Capture(CAPTURE_MAX)
            # Of a source that nobody watches: it is the parent's to show.
            self._stderr = self._capture.output(STDERR + 1)
        else:
            self._stderr = sink(stderr, host.Output.stderr)

    def _begin(self):
        if self._child is not None:
            return
        own = self._stdin
        if own is None and self.stdin is not None and self.stdin.closed and len(self._unsent) <= AT_ONCE:
            own, self._unsent = host.Input.of_bytes(self._unsent), b""
        elif own is None:
            self._to, own = host.pipe()
        command = host.Command(self._program, self._words, self._environ, b"")
        try:
            self._child = host.spawn(command, own, self._stdout, self._stderr)
        except Err as error:
            raise failure(error.value, self._words[0]) from None
        finally:
            # The program has ends of its own; these would keep its readers waiting.
            for end in (own, self._stdout, self._stderr):
                end.__exit__(None, None, None)
            self._stdin = self._stdout = self._stderr = None
        self._child_created, self.pid = True, self._child.id()
        unsent, self._unsent = self._unsent, b""
        if self._to is not None and unsent:
            self._send(unsent)
        if self._to is not None and (self.stdin is None or self.stdin.closed):
            self._no_more_input()

    def _send(self, data):
        if self._to is None:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        for start in range(0, len(data), PIECE):
            try:
                self._to.write(data[start : start + PIECE])
            except Err:
                raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None

    def _no_more_input(self):
        if self._child is None:
            self._begin()
        elif self._to is not None:
            self._to.__exit__(None, None, None)
            self._to = None

    def _receive(self, most):
        if self._taken:
            data, self._taken = self._taken[:most], self._taken[most:]
            return data
        self._begin()
        try:
            return self._from.read(min(most, PIECE))
        except Err:
            return b""

    def _drain(self):
        """Takes all of standard output into memory and waits for the end."""
        self._begin()
        if self._from is not None:
            taken = bytearray(self._taken)
            self._taken = b""
            while data := self._receive(PIECE):
                taken += data
            self._taken = bytes(taken)
        self._child.wait(None)

    def _errors(self):
        return self._capture.take().bytes

    def communicate(self, input=None, timeout=None):
        if self._communication_started and input:
            raise ValueError("Cannot send input after starting communication")
        self._communication_started = True
        if self.stdin is not None and not self.stdin.closed:
            if input:
                try:
                    self._give(input)
                except BrokenPipeError:
                    pass
            try:
                self.stdin.close()
            except BrokenPipeError:
                pass
        end = None if timeout is None else time.monotonic() + timeout
        output = self._read_all(end, timeout)
        try:
            self.wait(timeout=None if end is None else max(0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise subprocess.TimeoutExpired(self.args, timeout, output=output) from None
        errors = self.stderr.read() if self.stderr is not None and not self.stderr.closed else None
        for file in (self.stdout, self.stderr):
            if file is not None:
                file.close()
        return output, errors

    def _give(self, input):
        writer = self.stdin.buffer if self.text_mode else self.stdin
        if isinstance(input, str):
            if not self.text_mode:
                raise TypeError("a bytes-like object is required, not 'str'")
            input = input.encode(self.stdin.encoding, self.stdin.errors)
        data = bytes(input)
        self.stdin.flush()
        if self._child is None and len(data) + len(self._unsent) > AT_ONCE:
            # More than is handed over at once, and nobody reads what comes back meanwhile: it goes by a file.
            import tempfile
            with tempfile.NamedTemporaryFile(delete=False) as file:
                file.write(self._unsent + data)
            self._unsent = b""
            self._stdin = host.Input.open(file.name)
            self._begin()
            os.unlink(file.name)
            return
        writer.write(data)

    def _read_all(self, end, timeout):
        if self.stdout is None or self.stdout.closed:
            return None
        if end is None:
            return self.stdout.read()
        self._begin()
        taken = bytearray(self._taken)
        while self._from.ready(nanoseconds(end - time.monotonic())):
            data = self._from.read(PIECE)
            if not data:
                self._taken = bytes(taken)
                return self.stdout.read()
            taken += data
        self._taken = bytes(taken)
        raise subprocess.TimeoutExpired(self.args, timeout, output=self._taken)

    def _set(self, ending):
        if ending is None:
            return
        if isinstance(ending, host.Ending_Exited):
            self.returncode = ending.value
        elif isinstance(ending, host.Ending_Killed):
            self.returncode = -ending.value
        else:
            print(f"{self._words[0]}: {ending.value}", file=sys.stderr)
            self.returncode = -signal.SIGABRT

    def poll(self):
        if self.returncode is None:
            self._begin()
            self._set(self._child.wait(0))
        return self.returncode

    def wait(self, timeout=None):
        if self.returncode is None:
            self._begin()
            self._set(self._child.wait(None if timeout is None else nanoseconds(timeout)))
            if self.returncode is None:
                raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def send_signal(self, sig):
        if self.poll() is None:
            self._child.kill(int(sig))

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def __exit__(self, *_):
        for file in (self.stdin, self.stdout, self.stderr):
            if file is not None and not file.closed:
                try:
                    file.close()
                except BrokenPipeError:
                    pass
        self.wait()

    def __del__(self, *_, **__):
        pass


def text_of(word):
    """A word for a program: the host takes text, and no NUL."""
    text = os.fsdecode(os.fspath(word))
    if "\0" in text:
        raise ValueError("embedded null byte")
    # What is not UTF-8 cannot be passed on; it is an error here and not a crash there.
    text.encode()
    return text


def nanoseconds(seconds):
    return max(0, int(seconds * 1e9))


def source(stdin):
    """What a program reads that is given a file, a number or nothing."""
    if stdin is None or stdin == 0:
        return host.Input.stdin()
    if stdin == subprocess.DEVNULL:
        return host.Input.empty()
    if isinstance(stdin, int):
        raise OSError(errno.EBADF, "only 0 is a number that a program can be given to read from")
    reader = getattr(stdin, "buffer", stdin)
    if isinstance(getattr(reader, "raw", None), PipeReader):
        popen = reader.raw._popen
        popen._begin()
        return popen._from.clone()
    if stdin is sys.__stdin__:
        return host.Input.stdin()
    if stdin.tell() == 0 and isinstance(getattr(stdin, "name", None), str):
        return opened(host.Input.open, stdin.name)
    data = reader.read()
    return host.Input.of_bytes(data if isinstance(data, bytes) else data.encode())


def sink(given, own):
    """Where a program writes that is given a file, a number or nothing."""
    if given is None:
        return own()
    if given == subprocess.DEVNULL:
        return host.Output.discard()
    if given == 1 or given is sys.__stdout__:
        return host.Output.stdout()
    if given == 2 or given is sys.__stderr__:
        return host.Output.stderr()
    name = getattr(given, "name", None)
    if isinstance(given, int) or not isinstance(name, str):
        raise OSError(errno.EBADF, "a program writes to a pipe, to 1, to 2, or to a file with a name")
    given.flush()
    return opened(host.Output.open, name, host.Writing.APPEND)


def opened(open, name, *how):
    try:
        return open(os.path.abspath(name), *how)
    except Err as error:
        raise faults.os_error(error.value, name) from None


def failure(fault, program):
    if isinstance(fault, host.SpawnFault_NotFound):
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
    if isinstance(fault, host.SpawnFault_TooMany):
        return BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), program)
    return OSError(errno.ENOEXEC, fault.value, program)


def waited(words, env=None):
    """Runs a program with this one's streams; its status as `os.system` gives it."""
    status = Popen(words, env=env).wait()
    return status << 8 if status >= 0 else -status


def instead(words, env=None):
    """What `exec` does: another program in this one's place."""
    from handbox_python import command
    status = Popen(words, env=env).wait()
    command.finish(status if status >= 0 else 128 - status)


def execvpe(file, args, env):
    instead([os.fspath(file), *list(args)[1:]], env)


def execvp(file, args):
    execvpe(file, args, None)


def execlp(file, *args):
    execvpe(file, args, None)


execv, execl, execve = execvp, execlp, execvpe


def install():
    subprocess.Popen = Popen
    subprocess._can_fork_exec = True
