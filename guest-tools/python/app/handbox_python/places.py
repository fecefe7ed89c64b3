"""Where the standard library keeps what another thing stands for here."""

import sys
import types

# What has the thing itself, and is only read to put another in its place.
SOURCES = ("posix", "_io", "_queue")
OWN = "handbox_python."


def put(instead):
    """Puts a thing in another's place in each module, and in the classes of each. `instead` is pairs of old and new."""
    new = {id(old): (old, new) for old, new in instead}
    for module in list(sys.modules.values()):
        if isinstance(module, types.ModuleType) and module.__name__ not in SOURCES and not module.__name__.startswith(OWN):
            put_in(module, new)
            for each in list(vars(module).values()):
                if isinstance(each, type) and each.__module__ == module.__name__:
                    put_in(each, new)


def put_in(holder, new):
    for name, value in list(vars(holder).items()):
        found = new.get(id(getattr(value, "__func__", value) if isinstance(value, staticmethod) else value))
        if found is None:
            continue
        try:
            setattr(holder, name, staticmethod(found[1]) if isinstance(value, staticmethod) else found[1])
        except TypeError:
            # A class of the interpreter's own.
            pass
