"""`pwd` and `grp`: there is one user, and root, as `/etc/passwd` says it."""

import os
import sys
import types

NAME, NUMBER = "agent", 1000


def entry(kind, fields):
    """A record as `pwd` and `grp` give it, that has names and is a tuple."""
    return type(kind, (tuple,), {name: property(lambda self, at=at: self[at]) for at, name in enumerate(fields)})


struct_passwd = entry("struct_passwd", ("pw_name", "pw_passwd", "pw_uid", "pw_gid", "pw_gecos", "pw_dir", "pw_shell"))
struct_group = entry("struct_group", ("gr_name", "gr_passwd", "gr_gid", "gr_mem"))


def users():
    own = struct_passwd((NAME, "x", NUMBER, NUMBER, NAME, os.environ.get("HOME", "/tmp"), "/bin/bash"))
    return [struct_passwd(("root", "x", 0, 0, "root", "/root", "/bin/bash")), own]


def groups():
    return [struct_group(("root", "x", 0, [])), struct_group((NAME, "x", NUMBER, []))]


def lookup(function, field, give):
    def found(key):
        for each in give():
            if each[field] == key:
                return each
        raise KeyError(f"{function}(): {'name' if isinstance(key, str) else 'uid'} not found: {key!r}")

    found.__name__ = function
    return found


def module(name, **contents):
    sys.modules[name] = made = types.ModuleType(name)
    made.__dict__.update(contents)


def install():
    """Before anything is loaded that looks for them."""
    module("pwd", struct_passwd=struct_passwd, getpwall=users, getpwnam=lookup("getpwnam", 0, users),
           getpwuid=lookup("getpwuid", 2, users))
    module("grp", struct_group=struct_group, getgrall=groups, getgrnam=lookup("getgrnam", 0, groups),
           getgrgid=lookup("getgrgid", 2, groups))
