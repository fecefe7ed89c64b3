"""`asyncio` where there are no sockets: a loop that waits for nothing but time."""

import asyncio
import selectors
import time


class Waiting(selectors.SelectSelector):
    """Nothing becomes ready, so waiting is sleeping."""

    def select(self, timeout=None):
        if timeout is None:
            raise RuntimeError("nothing is left that could wake this loop up: the sandbox has no sockets")
        if timeout > 0:
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


def install():
    asyncio.new_event_loop = asyncio.events.new_event_loop = Loop
    asyncio.SelectorEventLoop = asyncio.DefaultEventLoop = Loop
    asyncio.runners.events.new_event_loop = Loop
