"""`multiprocessing` in one process: what it would start runs as a thread does (`threads`), in the memory of all."""

import itertools
import multiprocessing
import multiprocessing.context
import multiprocessing.dummy
import queue
import sys
import threading

from handbox_python import threads, waits


class Process(threading.Thread):
    """What is to run beside; it is the same process."""

    numbers = itertools.count(1000)

    def __init__(self, group=None, target=None, name=None, args=(), kwargs={}, *, daemon=None):
        super().__init__(group, target, name, args, kwargs, daemon=daemon)
        self.name = name or self.name.replace("Thread-", "Process-").partition(" ")[0]
        self.authkey = b""
        self.pid = self._status = None

    def start(self):
        self.pid = next(Process.numbers)
        super().start()

    def _act(self):
        run, self.run = self.run, self._run_kept
        self._kept = run
        try:
            super()._act()
        finally:
            del self.run

    def _run_kept(self):
        try:
            self._kept()
            self._status = 0
        except SystemExit as leaving:
            code = leaving.code
            self._status = 0 if code is None else code if isinstance(code, int) else 1
            if code is not None and not isinstance(code, int):
                print(code, file=sys.stderr)
        except waits.SetAside:
            raise
        except BaseException:
            self._status = 1
            raise

    @property
    def exitcode(self):
        return self._status if self._ended else None

    def terminate(self):
        """It has not begun, or has ended."""
        if self in waits.State.pending:
            waits.State.pending.remove(self)
            self._status = -15
            self._end()

    kill = terminate

    def close(self):
        if self.is_alive():
            raise ValueError("Cannot close a process while it is still running. You should first call join() or terminate().")


class Queue(queue.Queue):
    def close(self):
        pass

    join_thread = cancel_join_thread = close


class Value:
    def __init__(self, kind, *args, lock=True):
        self.value = args[0] if args else 0
        self._lock = threading.RLock() if lock in (True, None) else lock

    def get_lock(self):
        return self._lock

    def get_obj(self):
        return self

    def __enter__(self):
        return self._lock.__enter__()

    def __exit__(self, *told):
        return self._lock.__exit__(*told)


class Array(list):
    def __init__(self, kind, size_or_items, *, lock=True):
        super().__init__([0] * size_or_items if isinstance(size_or_items, int) else size_or_items)
        self._lock = threading.RLock() if lock in (True, None) else lock

    get_lock = Value.get_lock
    get_obj = Value.get_obj


class Manager:
    """The things themselves, since all is in one memory."""

    dict, list, Value, Array, Queue, JoinableQueue = dict, list, Value, Array, Queue, Queue
    Namespace = multiprocessing.dummy.Namespace
    Lock, RLock, Event, Condition = threading.Lock, threading.RLock, threading.Event, threading.Condition
    Semaphore, BoundedSemaphore, Barrier = threading.Semaphore, threading.BoundedSemaphore, threading.Barrier

    def start(self, *_):
        pass

    def shutdown(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


SHARED = {
    "Process": Process, "Queue": Queue, "JoinableQueue": Queue, "SimpleQueue": Queue, "Value": Value, "Array": Array,
    "RawValue": Value, "RawArray": Array, "Manager": Manager, "Pipe": multiprocessing.dummy.Pipe, "Pool": threads.Pool,
    **{name: vars(Manager)[name] for name in ("RLock", "Event", "Condition", "Semaphore", "BoundedSemaphore", "Barrier")},
}


def children():
    return [each for each in threading.enumerate() if isinstance(each, Process)]


def current(plain=multiprocessing.current_process):
    return waits.State.thread if isinstance(waits.State.thread, Process) else plain()


def install():
    contexts = {type(each) for each in multiprocessing.context._concrete_contexts.values()}
    contexts |= {multiprocessing.context.BaseContext, multiprocessing.context.DefaultContext}
    shared = {**SHARED, "Lock": threading.Lock, "active_children": children, "current_process": current}
    for name, thing in shared.items():
        setattr(multiprocessing, name, thing)
        for context in contexts:
            setattr(context, name, staticmethod(thing))
