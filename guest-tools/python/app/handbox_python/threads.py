"""Threads where there is one: what would run beside runs at once."""

import concurrent.futures
import multiprocessing.pool
import sys
import threading


class Executor(concurrent.futures.Executor):
    """Does each task when it is handed in."""

    def __init__(self, max_workers=None, thread_name_prefix="", initializer=None, initargs=(), **_):
        if max_workers is not None and max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        self._max_workers = max_workers or 1
        self._shut = False
        if initializer is not None:
            initializer(*initargs)

    def submit(self, fn, /, *args, **kwargs):
        if self._shut:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future = concurrent.futures.Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        self._shut = True


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


def start(thread):
    """Runs the thread to its end."""
    if thread._started.is_set():
        raise RuntimeError("threads can only be started once")
    if thread.daemon:
        raise RuntimeError("can't start new thread: the sandbox has one, and a daemon would never let go of it")
    thread._started.set()
    try:
        thread.run()
    except SystemExit:
        pass
    except BaseException:
        threading.excepthook(threading.ExceptHookArgs([*sys.exc_info(), thread]))
    thread._ended = True


def install():
    concurrent.futures.ThreadPoolExecutor = concurrent.futures.ProcessPoolExecutor = Executor
    multiprocessing.Pool = multiprocessing.pool.Pool = multiprocessing.pool.ThreadPool = Pool
    threading.Thread.start = start
    threading.Thread.join = lambda self, timeout=None: None
    threading.Thread.is_alive = lambda self: False if getattr(self, "_ended", False) else self is threading.main_thread()
