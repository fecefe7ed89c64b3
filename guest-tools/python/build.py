"""Builds the component `python`: `python3 build.py OUT.wasm`.

CPython itself comes as WebAssembly in the wheel of componentize-py, with its standard library; this
file's folder has what makes a command-line program of it.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import venv

# What it is built with; another version has another CPython.
WHEELS = ["componentize-py==0.25.1", "tzdata==2026.6"]


def main():
    out = pathlib.Path(sys.argv[1]).resolve()
    here = pathlib.Path(__file__).resolve().parent
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        venv.create(work / "venv", with_pip=True)
        programs = work / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
        modules = work / "modules"
        install = ["install", "--quiet", "--no-deps", "--target", modules]
        subprocess.run([programs / "python", "-m", "pip", *install, *WHEELS], check=True)
        # A copy, because what runs while it is built may write beside its modules.
        shutil.copytree(here / "app", work / "app", ignore=shutil.ignore_patterns("__pycache__"))
        command = [modules / "bin" / "componentize-py", "--quiet", "--wit-path", here / "wit", "--world", "python"]
        command += ["componentize", "--python-path", work / "app", "--python-path", modules]
        command += ["handbox_python.command", "--output", out]
        environment = {**os.environ, "PYTHONPATH": str(modules)}
        subprocess.run(command, check=True, env=environment)


if __name__ == "__main__":
    main()
