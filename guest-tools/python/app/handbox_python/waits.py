"""Waiting where there is one thread: whoever waits lets those run that were started and have not run yet.

A thread runs to its end on top of the one that waits, so that it cannot be left while it waits itself. What is under it goes on
only when it is gone: it can be set aside if it is as good to begin it anew (`loops_from_start`).
"""

import _thread
import dis
import inspect
import queue
import sys
import threading
import time

from handbox_python import places

FOREVER = "there are no threads here: this would wait for ever for another thread"
# So many wait on top of each other at most; each takes from the one stack.
DEPTH_MAX = 64
# A thread that lets others go on so often without its end coming is taken for endless.
ROUNDS_MAX = 200
# Over its bound by so much a queue has a producer without an end.
OVERFULL_MAX = 100_000
PLAIN_SLEEP = time.sleep
# Where the files of this command line lie.
OWN = __file__.rpartition("/")[0] + "/"


class State:
    """Who runs, who is to, who was begun, and who waits under them: what each waits for, and until when."""

    thread = None
    pending = []
    running = []
    waiting = []
    # How many locks are held.
    held = 0
    # How often somebody told others that something is there.
    notices = 0
    # Whether a thread ended because it would wait for ever.
    stuck = False


class SetAside(BaseException):
    """Ends a thread that waits, so that what is under it can go on."""


def never():
    return False


def runnable(first=None):
    """The thread to run next, if there is one."""
    now = time.monotonic()
    # Who does the same as one that waits would most likely wait with it.
    alike = [getattr(each, "_target", None) for each in State.running]
    by_work = sorted(State.pending, key=lambda each: getattr(each, "_target", None) in alike)
    for thread in ([first] if first in State.pending else []) + by_work:
        if thread._goes_on is None or thread._goes_on():
            thread._rounds = 0
            return thread
        if thread._due is not None and thread._due <= now and thread._rounds < ROUNDS_MAX:
            return thread
    return None


def run(thread, ready, due):
    """Runs a thread to its end, or until it is set aside, on top of one that waits."""
    State.pending.remove(thread)
    State.running.append(thread)
    State.waiting.append((ready, due))
    below, State.thread = State.thread, thread
    try:
        thread._act()
    except SetAside:
        if thread not in State.pending:
            thread._end()
    else:
        thread._end()
    finally:
        State.thread = below
        State.waiting.pop()
        State.running.pop()


def wait_until(ready, due=None, first=None, others=True):
    """Waits, and lets threads run meanwhile. False if the time was over before."""
    while not ready():
        now = time.monotonic()
        if due is not None and now >= due:
            return False
        thread = runnable(first) if others and len(State.waiting) < DEPTH_MAX else None
        if thread is not None:
            run(thread, ready, due)
            continue
        freed = any(each() or (until is not None and until <= now) for each, until in State.waiting)
        if freed:
            make_way(ready, due)
        moments = [due] if freed else [due, *(until for _, until in State.waiting)]
        if others:
            timed = [each for each in State.pending if each._due is not None and each._rounds < ROUNDS_MAX]
            moments += [each._due for each in timed if each._due > now]
        moment = min((each for each in moments if each is not None), default=None)
        if moment is None:
            make_way(ready, None)
        PLAIN_SLEEP(max(0, moment - now))
    return True


def make_way(ready, due):
    """For a thread that waits while another could go on, or for ever. Returns only if it may wait on."""
    thread = State.thread
    if thread is not None:
        thread._rounds += due is not None
        if loops_from_start(thread):
            seen = State.notices
            # What it waited with is gone with it; whatever was told since may be what it waits for.
            thread._goes_on = never if ready is never else lambda: ready() or State.notices != seen
            thread._due = due
            if thread not in State.pending:
                State.pending.append(thread)
            raise SetAside
        if due is not None and thread._rounds < ROUNDS_MAX:
            return
        if thread.daemon:
            raise SetAside
    raise RuntimeError(FOREVER)


# What ends a statement, or changes what the next ones find.
LASTING = ("STORE_", "DELETE_", "POP_TOP", "GET_ITER", "IMPORT_", "YIELD_", "SEND", "RAISE_")


def lasting(instructions):
    return any(each.opname.startswith(LASTING) for each in instructions)


def loops_from_start(thread):
    """Whether beginning the thread anew is the same as going on: its function is one loop from its start, it waits at the
    loop's head or at its end, and it keeps nothing from one round to the next."""
    frame, own = sys._getframe(), []
    while frame is not None and frame.f_code is not thread._act.__func__.__code__:
        if not frame.f_code.co_filename.startswith(("/python/", OWN)):
            own.append(frame)
        frame = frame.f_back
    if len(own) != 1:
        return False
    code, at = own[0].f_code, own[0].f_lasti
    steps = list(dis.get_instructions(code))
    several = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + several]
    if any(each.opname.startswith("STORE_FAST") and set(str(each.argrepr).split(", ")) & set(arguments) for each in steps):
        return False
    backward = [each for each in steps if each.opname.startswith("JUMP_BACKWARD")]
    heads = {each.argval for each in backward if each.argval <= at < each.offset}
    if len(heads) != 1:
        return False
    head = heads.pop()
    end = min(each.offset for each in backward if each.argval == head and each.offset > at)
    before = [each for each in steps if each.offset < head]
    if head == at and any(each.opname == "LOAD_GLOBAL" and each.argval == "iter" for each in before):
        # `for item in iter(tasks.get, None)`: the one that it makes anew goes on the same.
        before = [each for each in before if each.opname != "GET_ITER"]
    if lasting(before):
        return False
    after = [each for each in steps if at < each.offset < end]
    if after and after[0].opname == "POP_TOP":
        after = after[1:]
    return not lasting(each for each in steps if head <= each.offset < at) or not lasting(after)


class Waiter:
    """A lock, as what waits for a notice has it."""

    __slots__ = ("_held", "__weakref__")

    def __init__(self):
        self._held = False

    def _free(self):
        return not self._held

    def acquire(self, blocking=True, timeout=-1):
        if not blocking and timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        if self._held:
            due = None if timeout == -1 else time.monotonic() + timeout
            if not blocking or not wait_until(self._free, due):
                return False
        self._held = True
        return True

    def release(self):
        if not self._held:
            raise RuntimeError("release unlocked lock")
        self._held = False

    def locked(self):
        return self._held

    def _at_fork_reinit(self):
        self._held = False

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *_):
        self.release()

    def __repr__(self):
        return f"<{'locked' if self._held else 'unlocked'} _thread.lock object at {id(self):#x}>"


class Lock(Waiter):
    """A lock, as a script has it."""

    __slots__ = ()

    def acquire(self, blocking=True, timeout=-1):
        got = Waiter.acquire(self, blocking, timeout)
        State.held += got
        return got

    def release(self):
        Waiter.release(self)
        State.held -= 1

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *_):
        self.release()


def sleep(seconds, /):
    """`time.sleep`: what was started runs meanwhile, unless it could want a lock that is held."""
    outermost = State.thread is None
    if seconds < 0 or (outermost and (State.held or not State.pending)):
        PLAIN_SLEEP(seconds)
    else:
        wait_until(never, time.monotonic() + max(seconds, 1e-6), others=outermost)


PLAIN_NOTIFY = threading.Condition.notify


def notify(self, n=1):
    State.notices += 1
    PLAIN_NOTIFY(self, n)


PLAIN_PUT = queue.Queue.put


def put(self, item, block=True, timeout=None):
    """`Queue.put`: rather than wait for one that takes, a queue gets longer than it was to be."""
    size = self.maxsize
    others = State.pending or State.thread is not None
    if not (block and others and 0 < size <= self.qsize() < size + OVERFULL_MAX):
        return PLAIN_PUT(self, item, block, timeout)
    self.maxsize = 0
    try:
        PLAIN_PUT(self, item)
    finally:
        self.maxsize = size


def install():
    queue.Queue.put, threading.Condition.notify = put, notify
    places.put([
        (_thread.allocate_lock, Lock),
        (_thread.lock, Lock),
        (queue.SimpleQueue, queue._PySimpleQueue),
        (PLAIN_SLEEP, sleep),
    ])
    threading._allocate_lock = Waiter
