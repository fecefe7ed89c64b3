"""`asyncio` where there are no sockets: a loop that waits for time, for what was started as a thread, and for programs."""

import asyncio
import selectors
import subprocess
import time

from handbox_python import processes
from handbox_python.waits import never, run, runnable

# How long one that waits for a program sleeps between two looks at it.
LOOK_SECONDS = (0.001, 0.02)


class Waiting(selectors.SelectSelector):
    """Nothing becomes ready, so waiting is sleeping."""

    def select(self, timeout=None):
        thread = runnable() if timeout is None or timeout > 0 else None
        if thread is not None:
            # It may have something for the loop to do.
            run(thread, never, None if timeout is None else time.monotonic() + timeout)
        elif timeout is None:
            raise RuntimeError("nothing is left that could wake this loop up: the sandbox has no sockets")
        elif timeout > 0:
            time.sleep(timeout)
        return []


class Loop(asyncio.SelectorEventLoop):
    """Without the pair of sockets that wakes a loop up from another thread: there is no other thread."""

    def __init__(self):
        super().__init__(Waiting())

    def _make_self_pipe(self):
        self._ssock = self._csock = None

    def _close_self_pipe(self):
        pass

    def _write_to_self(self):
        pass

    def run_in_executor(self, executor, func, *args):
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def subprocess_exec(self, *_, **__):
        raise NotImplementedError("a loop has no programs here: asyncio.create_subprocess_exec starts one")

    subprocess_shell = subprocess_exec


async def looked_for(found):
    """Looks until it is there."""
    shortest, longest = LOOK_SECONDS
    seconds = shortest
    while not found():
        await asyncio.sleep(seconds)
        seconds = min(2 * seconds, longest)


class Writer:
    """What a program reads."""

    def __init__(self, popen):
        self._popen = popen

    def write(self, data):
        self._popen.stdin.write(data)

    def writelines(self, lines):
        self.write(b"".join(lines))

    async def drain(self):
        self._popen.stdin.flush()
        await asyncio.sleep(0)

    def close(self):
        try:
            self._popen.stdin.close()
        except BrokenPipeError:
            # It has read all that it wanted.
            pass

    def can_write_eof(self):
        return True

    write_eof = close

    def is_closing(self):
        return self._popen.stdin.closed

    async def wait_closed(self):
        pass


class Child:
    """What `asyncio.create_subprocess_exec` gives."""

    def __init__(self, popen, limit):
        self._popen, self._limit = popen, limit
        self.stdin = Writer(popen) if popen.stdin is not None else None
        self.stdout = self.stderr = None
        self._pumps = []
        if popen.stdout is not None:
            self.stdout = self._pumped(self._output)
        if popen.stderr is not None:
            self.stderr = self._pumped(self._errors)

    def _pumped(self, more):
        reader = asyncio.StreamReader(limit=self._limit)
        self._pumps.append(asyncio.get_running_loop().create_task(self._pump(reader, more)))
        return reader

    async def _pump(self, reader, more):
        """Takes what the program writes to one of its streams, while somebody reads it."""
        popen = self._popen
        # It begins late, so that what is written first is there before it runs.
        await looked_for(lambda: popen._child is not None or popen.stdin is None or popen.stdin.closed or reader._waiter)
        popen._begin()
        data = None

        def there():
            nonlocal data
            data = more() if len(reader._buffer) <= self._limit else None
            return data is not None

        while data != b"":
            await looked_for(there)
            reader.feed_data(data)
        reader.feed_eof()

    def _output(self):
        return self._popen._receive(processes.PIECE) if self._popen._from.ready(0) else None

    def _errors(self):
        ended = self._popen.poll() is not None
        return self._popen._errors() or (b"" if ended else None)

    @property
    def pid(self):
        return self._popen.pid

    @property
    def returncode(self):
        return self._popen.returncode

    async def wait(self):
        await looked_for(lambda: self._popen.poll() is not None)
        return self.returncode

    async def communicate(self, input=None):
        if self.stdin is not None:
            if input:
                try:
                    self._popen._give(input)
                except BrokenPipeError:
                    pass
            self.stdin.close()
        streams = [each.read() for each in (self.stdout, self.stderr) if each is not None]
        read = iter(await asyncio.gather(*streams))
        output = next(read) if self.stdout is not None else None
        errors = next(read) if self.stderr is not None else None
        await self.wait()
        return output, errors

    def send_signal(self, signal):
        self._popen.send_signal(signal)

    def terminate(self):
        self._popen.terminate()

    def kill(self):
        self._popen.kill()


async def create_subprocess_exec(program, *args, stdin=None, stdout=None, stderr=None, limit=1 << 16, **options):
    return Child(subprocess.Popen([program, *args], stdin=stdin, stdout=stdout, stderr=stderr, **options), limit)


async def create_subprocess_shell(cmd, stdin=None, stdout=None, stderr=None, limit=1 << 16, **options):
    return Child(subprocess.Popen(cmd, shell=True, stdin=stdin, stdout=stdout, stderr=stderr, **options), limit)


def install():
    asyncio.new_event_loop = asyncio.events.new_event_loop = Loop
    asyncio.SelectorEventLoop = asyncio.DefaultEventLoop = Loop
    asyncio.runners.events.new_event_loop = Loop
    for module in (asyncio, asyncio.subprocess):
        module.create_subprocess_exec = create_subprocess_exec
        module.create_subprocess_shell = create_subprocess_shell
