"""Threads where there is one: what would run beside the others runs when somebody waits (`waits`)."""

import _thread
import _threading_local
import concurrent.futures
import contextvars
import itertools
import multiprocessing.pool
import sys
import threading
import time

from handbox_python import places, waits
from handbox_python.waits import State


class Executor(concurrent.futures.Executor):
    """Does each task when somebody waits, as a thread of its own."""

    numbers = itertools.count()

    def __init__(self, max_workers=None, thread_name_prefix="", initializer=None, initargs=(), **_):
        if max_workers is not None and max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        self._max_workers = max_workers or 4
        self._shut = False
        self._prefix = thread_name_prefix or f"ThreadPoolExecutor-{next(self.numbers)}"
        self._tasks = []
        self._workers = {}
        self._handed_in = 0
        self._initializer = (initializer, initargs)

    def submit(self, fn, /, *args, **kwargs):
        if self._shut:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future = concurrent.futures.Future()
        number = self._handed_in % self._max_workers
        self._handed_in += 1
        thread = threading.Thread(target=self._work, args=(number, future, fn, args, kwargs), name=f"{self._prefix}_{number}")
        self._tasks = [(task, of) for task, of in self._tasks if not of.done()] + [(thread, future)]
        thread.start()
        return future

    def _work(self, number, future, fn, args, kwargs):
        first = number not in self._workers
        # Each task of a worker finds what is the worker's own (`threading.local`).
        worker = self._workers.setdefault(number, State.thread)
        threading._active.pop(State.thread._ident, None)
        State.thread._ident = worker._ident
        threading._active[worker._ident] = worker
        initializer, initargs = self._initializer
        if first and initializer is not None:
            initializer(*initargs)
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(fn(*args, **kwargs))
        except waits.SetAside:
            raise
        except BaseException as error:
            future.set_exception(error)

    def shutdown(self, wait=True, *, cancel_futures=False):
        self._shut = True
        for thread, future in self._tasks:
            if cancel_futures:
                future.cancel()
            if wait:
                thread.join()


class Result:
    """What `apply_async` and its kin give: there already."""

    def __init__(self, act):
        self._value = self._error = None
        try:
            self._value = act()
        except Exception as error:
            self._error = error

    def get(self, timeout=None):
        if self._error is not None:
            raise self._error
        return self._value

    def wait(self, timeout=None):
        pass

    def ready(self):
        return True

    def successful(self):
        return self._error is None


class Pool:
    """`multiprocessing.Pool` of one worker, which is this process."""

    def __init__(self, processes=None, initializer=None, initargs=(), maxtasksperchild=None, context=None):
        if initializer is not None:
            initializer(*initargs)

    def apply(self, func, args=(), kwds={}):
        return func(*args, **kwds)

    def map(self, func, iterable, chunksize=None):
        return [func(each) for each in iterable]

    def starmap(self, func, iterable, chunksize=None):
        return [func(*each) for each in iterable]

    def imap(self, func, iterable, chunksize=1):
        return map(func, iterable)

    imap_unordered = imap

    def apply_async(self, func, args=(), kwds={}, callback=None, error_callback=None):
        return self._later(lambda: func(*args, **kwds), callback, error_callback)

    def map_async(self, func, iterable, chunksize=None, callback=None, error_callback=None):
        return self._later(lambda: self.map(func, iterable), callback, error_callback)

    def starmap_async(self, func, iterable, chunksize=None, callback=None, error_callback=None):
        return self._later(lambda: self.starmap(func, iterable), callback, error_callback)

    def _later(self, act, callback, error_callback):
        result = Result(act)
        if result.successful() and callback is not None:
            callback(result.get())
        if not result.successful() and error_callback is not None:
            error_callback(result._error)
        return result

    def close(self):
        pass

    terminate = join = close

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Thread:
    """What the methods of `threading.Thread` are here."""

    numbers = itertools.count(threading.get_ident() + 1)
    # Asking so often whether a thread lives is waiting for it.
    ASKED_MAX = 1000
    _goes_on = _due = None
    _ended = False
    _rounds = _asked = 0

    def start(self):
        if not self._initialized:
            raise RuntimeError("thread.__init__() not called")
        if self._started.is_set():
            raise RuntimeError("threads can only be started once")
        self._ident = next(Thread.numbers)
        self._started.set()
        threading._active[self._ident] = self
        if type(self).run is threading.Timer.run:
            # It waits before it is begun, and not then.
            self._goes_on, self._due = self.finished.is_set, time.monotonic() + self.interval
            self.interval = 0
        State.pending.append(self)

    def _act(self):
        # `run` lets go of them, and may be begun anew.
        work = {name: vars(self)[name] for name in ("_target", "_args", "_kwargs") if name in vars(self)}
        try:
            (self._context or contextvars.Context()).run(self.run)
        except SystemExit:
            pass
        except waits.SetAside:
            vars(self).update(work)
            raise
        except BaseException as error:
            State.stuck |= isinstance(error, RuntimeError) and error.args == (waits.FOREVER,)
            threading.excepthook(threading.ExceptHookArgs([*sys.exc_info(), self]))

    def _end(self):
        self._ended = True
        threading._active.pop(self._ident, None)

    def join(self, timeout=None):
        if not self._started.is_set():
            raise RuntimeError("cannot join thread before it is started")
        if self is threading.current_thread():
            raise RuntimeError("cannot join current thread")
        due = None if timeout is None else time.monotonic() + max(0, timeout)
        waits.wait_until(lambda: self._ended, due, first=self)

    def is_alive(self):
        if self is threading.main_thread():
            return True
        if self in State.pending:
            self._asked += 1
            if self._asked > Thread.ASKED_MAX:
                self.join(1e-3)
        return self._started.is_set() and not self._ended


def get_ident(plain=threading.get_ident):
    return plain() if State.thread is None else State.thread._ident


def start_new(function, args, kwargs=None):
    """`_thread.start_new_thread`."""
    thread = threading.Thread(target=function, args=args, kwargs=kwargs, daemon=True)
    thread.start()
    return thread.ident


def finish():
    """At the end of the script: what was started and is no daemon runs now."""
    while rest := [thread for thread in State.pending if not thread.daemon]:
        rest[0].join()


def install():
    for name in ("start", "_act", "_end", "join", "is_alive", "_goes_on", "_due", "_ended", "_rounds", "_asked"):
        setattr(threading.Thread, name, vars(Thread)[name])
    threading.get_ident = get_ident
    _thread.start_new_thread = start_new
    places.put([(threading.local, _threading_local.local)])
    plain = threading._shutdown
    threading._shutdown = lambda: (finish(), plain())
    concurrent.futures.ThreadPoolExecutor = concurrent.futures.ProcessPoolExecutor = Executor
    multiprocessing.pool.Pool = multiprocessing.pool.ThreadPool = Pool
