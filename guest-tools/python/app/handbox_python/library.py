"""The standard library, in memory: the component has no files of its own when it runs."""

import importlib.abc
import importlib.machinery
import importlib.util
import io
import marshal
import os
import sys
import zoneinfo
import zoneinfo._common

# What needs a screen, a compiler, other programs or the network, or is only for CPython's own build.
LEFT_OUT = {
    "_aix_support", "_android_support", "_apple_support", "_ios_support", "_osx_support", "__pycache__",
    "antigravity", "config-3.14-wasm32-wasi", "ctypes", "curses", "ensurepip", "idlelib", "lib2to3", "msilib",
    "site-packages", "test", "tkinter", "turtle", "turtledemo", "venv",
}

# Loaded once, when the component is built: a script finds them ready.
READY = """
    abc argparse array ast asyncio base64 bisect calendar codecs collections collections.abc concurrent.futures
    configparser contextlib copy csv dataclasses datetime decimal difflib email.message encodings.ascii encodings.idna
    encodings.latin_1 encodings.utf_16 encodings.utf_8_sig enum fnmatch fractions functools getopt glob gzip hashlib heapq
    html html.parser inspect io itertools json keyword linecache locale logging math mimetypes numbers operator os
    os.path pathlib pickle pkgutil platform pprint queue random re runpy secrets select shlex shutil signal socket sqlite3
    stat statistics string struct subprocess tarfile tempfile textwrap threading time timeit token tokenize tomllib
    traceback types typing unittest unittest.mock urllib.error urllib.parse urllib.request uuid warnings weakref
    xml.etree.ElementTree zipfile zlib zoneinfo
""".split()


class Library(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds a module of the standard library by its name; behind all folders, as it stands last on `sys.path`."""

    def __init__(self):
        # By name: whether it is a package, its file as CPython calls it, and its marshalled code.
        self.modules = {}

    def take(self, folder, package=""):
        """Takes in every module below a folder, compiled."""
        for name in sorted(os.listdir(folder)):
            path = f"{folder}/{name}"
            stem, extension = os.path.splitext(name)
            if (stem if extension else name) in LEFT_OUT and not package:
                continue
            if extension == ".py":
                full = package if stem == "__init__" else f"{package}.{stem}".lstrip(".")
                with open(path, "rb") as file:
                    code = compile(file.read(), path, "exec", dont_inherit=True)
                self.modules[full] = (stem == "__init__", path, marshal.dumps(code))
            elif name != "__pycache__" and os.path.exists(f"{path}/__init__.py"):
                self.take(path, f"{package}.{name}".lstrip("."))

    def find_spec(self, fullname, path=None, target=None):
        found = self.modules.get(fullname)
        if found is None:
            return None
        is_package, file, _ = found
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=file, is_package=is_package)
        spec.has_location = True
        return spec

    def is_package(self, fullname):
        return self.modules[fullname][0]

    def get_code(self, fullname):
        return marshal.loads(self.modules[fullname][2])

    def get_source(self, fullname):
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(self.get_code(module.__name__), module.__dict__)


LIBRARY = Library()
ZONES = {}


def take_zones():
    """The time zones of the package tzdata, by name."""
    import tzdata

    top = os.path.dirname(tzdata.__file__) + "/zoneinfo"
    for folder, _, names in os.walk(top):
        for name in names:
            path = f"{folder}/{name}"
            with open(path, "rb") as file:
                data = file.read()
            if data.startswith(b"TZif"):
                ZONES[os.path.relpath(path, top)] = data


def zone(key):
    found = ZONES.get(key)
    if found is None:
        raise zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {key}")
    return io.BytesIO(found)


def take_in():
    """While the component is built: reads the library in, and loads what scripts use most."""
    LIBRARY.take("/python")
    take_zones()
    zoneinfo._common.load_tzdata = zone
    zoneinfo.available_timezones = lambda: set(ZONES)
    for name in READY:
        importlib.import_module(name)
    sys.meta_path.append(LIBRARY)


def forget_build():
    """When it runs: nothing of the machine that it was built on is looked up."""
    sys.path[:] = []
    sys.path_importer_cache.clear()
    importlib.invalidate_caches()
    sys.modules.pop("__main__", None)
    for name, module in sys.modules.items():
        if name in LIBRARY.modules and getattr(module, "__spec__", None) is not None:
            module.__spec__.loader = module.__loader__ = LIBRARY
