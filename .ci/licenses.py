#!/usr/bin/env python3
"""Writes runtime/cli/LICENSES.txt: the licences of everything inside the `handbox` program.

    .ci/licenses.py           writes it
    .ci/licenses.py --check   says whether it is what the lock files give

Reads what `cargo metadata` says and the licence files of the packages themselves. Equal
texts are kept once, apart from their copyright lines, which stay with the package.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "runtime/cli/LICENSES.txt"
FILES = re.compile(r"(?i)^(licen[cs]e|copying|notice|unlicense|copyright)([-_.].*)?$")
BYTES_MAX = 400_000

HEAD = """\
Licences of what is inside Handbox

Handbox itself is under the Apache License 2.0, text [{apache}] below.

This file lists each package whose code is, on some platform, part of the program, and each
that is part of the components built into it; with version, SPDX expression, the numbers of the
licence texts that come with it, and its copyright lines. Where an expression offers a
choice, any of them may be taken. Written by .ci/licenses.py; do not edit.
"""

RUST = """\
Also inside, as in every program written in Rust: the Rust standard library, MIT OR
Apache-2.0, texts [{mit}] and [{apache}]; see https://www.rust-lang.org/policies/licenses.
    Copyright (c) The Rust Project Contributors
And in the components, wasi-libc: Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT, texts
[{llvm}], [{apache}] and [{mit}]; with parts of musl (MIT), of cloudlibc (BSD-2-Clause) and of
dlmalloc (CC0-1.0); see https://github.com/WebAssembly/wasi-libc.
    Copyright (c) 2005-2020 Rich Felker, et al. (musl)
    Copyright (c) 2015-2017 Nuxi, https://nuxi.nl/ (cloudlibc)
"""


def metadata(manifest):
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--manifest-path", str(ROOT / manifest)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def linked(manifest, roots):
    """The registry packages that the packages `roots` are linked with, on any platform."""
    told = metadata(manifest)
    packages = {package["id"]: package for package in told["packages"]}
    nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
    todo = [key for key, package in packages.items() if package["name"] in roots and not package["source"]]
    if len(todo) != len(roots):
        sys.exit(f"{manifest}: not all of {sorted(roots)} are there")
    seen = set()
    while todo:
        key = todo.pop()
        # A procedural macro works in the compiler; nothing of it is linked.
        if key in seen or any("proc-macro" in target["kind"] for target in packages[key]["targets"]):
            continue
        seen.add(key)
        for needed in nodes[key]["deps"]:
            if any(kind["kind"] is None for kind in needed["dep_kinds"]):
                todo.append(needed["pkg"])
    found = [packages[key] for key in seen if packages[key]["source"]]
    return sorted(found, key=lambda package: (package["name"], package["version"]))


def split(text):
    """A licence file as its copyright lines and the rest."""
    copyrights, rest = [], []
    for line in text.replace("\r", "").replace("\f", "").splitlines():
        plain = line.strip().strip("/*#").strip()
        is_claim = re.match(r"(?i)(©|(portions )?copyright\s*(\(c\)|©|&copy;|\d|<|[A-Z]))", plain)
        if is_claim and len(plain) < 200 and not re.search(r"(?i)\b(notice|license|licensor|owner|statement)\b", plain):
            if not re.search(r"[\[{<](yyyy|year)[\]}>]", plain, re.IGNORECASE):
                copyrights.append(plain)
        else:
            rest.append(line.rstrip())
    body = "\n".join(rest).strip("\n")
    if "Apache License" in body[:200] and "LLVM" not in body:
        # How to apply it to one's own work is no term of it, and the only part that differs.
        body = body.split("APPENDIX: How to apply")[0].rstrip()
        body = body.removesuffix("END OF TERMS AND CONDITIONS").rstrip()
    return copyrights, re.sub(r"\n{3,}", "\n\n", body)


def key_of(body):
    """Equal for texts that differ only in layout or in a heading."""
    words = re.sub(r"https?://|[^a-z0-9]+", " ", body.lower()).split()
    text = " ".join(words)
    for heading in ("the mit license mit ", "the mit license ", "mit license "):
        text = text.removeprefix(heading)
    return text.removeprefix("all rights reserved ")


class Texts:
    """The licence texts, numbered in the order in which they are met."""

    def __init__(self):
        self.numbers, self.bodies = {}, []

    def number(self, body):
        key = key_of(body)
        if key not in self.numbers:
            self.bodies.append(body)
            self.numbers[key] = len(self.bodies)
        return self.numbers[key]

    def one_with(self, *words):
        """The number of the first short enough text that has these words."""
        for key, number in self.numbers.items():
            if all(word in key for word in words):
                return number
        sys.exit(f"no licence text has the words {words}")


def read(package):
    folder = Path(package["manifest_path"]).parent
    paths = [path for path in folder.iterdir() if FILES.match(path.name) and path.is_file()]
    named = package.get("license_file")
    if named and (folder / named).is_file():
        paths.append(folder / named)
    return [path.read_text("utf-8", "replace") for path in sorted(set(paths))]


def standard(texts, expression):
    """Texts for a package that came without, by its SPDX expression."""
    known = {
        "LLVM-exception": ("apache license", "llvm exceptions to the apache"),
        "MIT": ("permission is hereby granted free of charge", "the above copyright notice and this permission"),
        "BSD-3-Clause": ("redistribution and use in source", "neither the name"),
        "Apache-2.0": ("apache license version 2 0",),
        "BSL-1.0": ("boost software license version 1 0",),
    }
    names = re.split(r"[\s()/]+", expression)
    numbers = [texts.one_with(*words) for name, words in known.items() if name in names]
    if not numbers:
        sys.exit(f"there is no text for {expression}")
    return numbers[:1]


def section(title, packages, texts):
    lines = [title, "=" * len(title), ""]
    for package in packages:
        expression = package["license"] or "see its text"
        copyrights, numbers = [], []
        for text in read(package):
            claims, body = split(text)
            copyrights += [claim for claim in claims if claim not in copyrights]
            # A file that says only which licences there are says what the expression says.
            if len(body) > 400 or "NOTICE" in body[:100]:
                number = texts.number(body)
                numbers += [number] if number not in numbers else []
        if not numbers:
            numbers = standard(texts, expression)
        if not copyrights:
            authors = [re.sub(r"\s*<.*>", "", author) for author in package["authors"]]
            copyrights = ["by " + ", ".join(authors)] if authors else []
        shown = ", ".join(str(number) for number in sorted(numbers))
        lines.append(f"{package['name']} {package['version']}: {expression} [{shown}]")
        lines += [f"    {claim}" for claim in copyrights]
    return "\n".join(lines) + "\n"


# What is in the component `python`: it comes from wheels, not from packages of Cargo.
PYTHON = [
    ("CPython 3.14.0 and its standard library", "PSF-2.0", "cpython.txt", ["Copyright (c) 2001 Python Software Foundation; All Rights Reserved"]),
    ("componentize-py 0.25.1 (its runtime)", "Apache-2.0 WITH LLVM-exception", "componentize-py.txt", ["by the Bytecode Alliance"]),
    ("tzdata 2026.6", "Apache-2.0; the zones themselves are in the public domain", "tzdata.txt", []),
]
PYTHON_PARTS = """\
Inside CPython's component are also zlib (Zlib), SQLite (public domain), Expat (MIT), libmpdec
(BSD-2-Clause), HACL* (MIT OR Apache-2.0), libc++ and compiler-rt (Apache-2.0 WITH LLVM-exception) and
wasi-libc (above).
    Copyright (C) 1995-2024 Jean-loup Gailly and Mark Adler (zlib)
    Copyright (c) 1998-2000 Thai Open Source Software Center Ltd and Clark Cooper; 2001-2025 Expat maintainers (Expat)
    Copyright (c) 2008-2024 Stefan Krah (libmpdec)
    Copyright (c) 2016-2023 INRIA, CMU and Microsoft Corporation (HACL*)
"""


def python_section(texts):
    title = "In the component python"
    lines = [title, "=" * len(title), ""]
    for name, expression, file, claims in PYTHON:
        found, body = split((ROOT / "guest-tools/python/LICENSES" / file).read_text("utf-8"))
        lines.append(f"{name}: {expression} [{texts.number(body)}]")
        lines += [f"    {claim}" for claim in claims or found]
    return "\n".join(lines) + "\n" + PYTHON_PARTS


def main():
    texts = Texts()
    # The licence of Handbox comes first; the others in the order of the packages.
    program = linked("Cargo.toml", {"handbox"})
    guests = linked("guest-tools/Cargo.toml", {"handbox-files", "handbox-search", "handbox-web", "handbox-request", "handbox-websearch", "handbox-shell", "handbox-userland", "handbox-curl"})
    # Of two workspaces; what both have counts once.
    engine = linked("guest-tools/javascript/Cargo.toml", {"handbox-javascript"})
    guests = list({(package["name"], package["version"]): package for package in guests + engine}.values())
    guests.sort(key=lambda package: (package["name"], package["version"]))
    for package in sorted(program + guests, key=lambda package: (package["name"], package["version"])):
        for text in read(package):
            body = split(text)[1]
            if len(body) > 400:
                texts.number(body)
    numbers = {
        "apache": texts.one_with("apache license version 2 0"),
        "llvm": texts.one_with("apache license", "llvm exceptions to the apache"),
        "mit": texts.one_with("permission is hereby granted free of charge", "the above copyright notice and this"),
    }
    parts = [
        HEAD.format(**numbers),
        section("Packages in the program", program, texts),
        section("Packages in the built-in components", guests, texts),
        RUST.format(**numbers),
        python_section(texts),
        "Texts\n=====\n",
    ]
    parts += [f"[{number}]\n\n{body}\n" for number, body in enumerate(texts.bodies, 1)]
    text = "\n".join(parts)
    if len(text.encode()) > BYTES_MAX:
        sys.exit(f"{len(text.encode())} bytes are more than {BYTES_MAX}")
    if "--check" in sys.argv[1:]:
        if not OUT.exists() or OUT.read_text("utf-8") != text:
            sys.exit(f"{OUT.relative_to(ROOT)} is not what the lock files give; run .ci/licenses.py")
        return
    OUT.write_text(text, "utf-8", newline="\n")
    print(f"{len(program)} packages, {len(guests)} in components, {len(texts.bodies)} texts, {len(text.encode())} bytes")


if __name__ == "__main__":
    main()
