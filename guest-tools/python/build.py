"""Builds the component `python`: `python3 build.py OUT.wasm`.

CPython itself comes as WebAssembly in the wheel of componentize-py, with its standard library; this
file's folder has what makes a command-line program of it.
"""

import pathlib
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
        python = work / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
        subprocess.run([python / "python", "-m", "pip", "install", "--quiet", "--no-deps", *WHEELS], check=True)
        command = [python / "componentize-py", "--quiet", "--wit-path", here / "wit", "--world", "python"]
        command += ["componentize", "--python-path", here / "app", "handbox_python.command", "--output", out]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
