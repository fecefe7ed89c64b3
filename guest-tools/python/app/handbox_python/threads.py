"""Threads where there is one: what would run beside runs at once."""

import concurrent.futures
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
        threading.excepthook(threading.ExceptHookArgs([*__import__("sys").exc_info(), thread]))
    thread._ended = True


def install():
    concurrent.futures.ThreadPoolExecutor = concurrent.futures.ProcessPoolExecutor = Executor
    threading.Thread.start = start
    threading.Thread.join = lambda self, timeout=None: None
    threading.Thread.is_alive = lambda self: False if getattr(self, "_ended", False) else self is threading.main_thread()
