"""`pwd` and `grp`: there is one user, as `id` says it."""

import os
import sys
import types

NAME, NUMBER = "agent", 1000


def entry(kind, fields):
    """A record as `pwd` and `grp` give it, that has names and is a tuple."""
    return type(kind, (tuple,), {name: property(lambda self, at=at: self[at]) for at, name in enumerate(fields)})


struct_passwd = entry("struct_passwd", ("pw_name", "pw_passwd", "pw_uid", "pw_gid", "pw_gecos", "pw_dir", "pw_shell"))
struct_group = entry("struct_group", ("gr_name", "gr_passwd", "gr_gid", "gr_mem"))


def user():
    return struct_passwd((NAME, "x", NUMBER, NUMBER, NAME, os.environ.get("HOME", "/tmp"), "/bin/bash"))


def group():
    return struct_group((NAME, "x", NUMBER, []))


def lookup(function, wanted, give):
    def found(key):
        if key != wanted:
            raise KeyError(f"{function}(): {'name' if isinstance(wanted, str) else 'uid'} not found: {key!r}")
        return give()

    found.__name__ = function
    return found


def module(name, **contents):
    sys.modules[name] = made = types.ModuleType(name)
    made.__dict__.update(contents)


def install():
    """Before anything is loaded that looks for them."""
    module("pwd", struct_passwd=struct_passwd, getpwall=lambda: [user()], getpwnam=lookup("getpwnam", NAME, user),
           getpwuid=lookup("getpwuid", NUMBER, user))
    module("grp", struct_group=struct_group, getgrall=lambda: [group()], getgrnam=lookup("getgrnam", NAME, group),
           getgrgid=lookup("getgrgid", NUMBER, group))
