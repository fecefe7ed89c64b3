//! Programs that are small.

mod answers;
mod cmp;
mod columns;
mod command;
mod compare;
mod dd;
mod decode;
mod dump;
mod folders;
mod head;
mod large;
mod make;
mod meaning;
mod modes;
mod order;
mod path;
mod query;
mod show;
mod split;
mod starters;
mod stat;
mod streams;
mod tail;
mod test;
mod texts;

pub(crate) use make::with_parents;
use std::ffi::OsString;

/// Runs one of them. None if there is none of this name.
pub(crate) fn run(name: &str, args: &[OsString]) -> Option<u8> {
    let program: fn(&[OsString]) -> u8 = match name {
        "id" => answers::id,
        "whoami" | "logname" => answers::whoami,
        "groups" => answers::groups,
        "hostname" => answers::hostname,
        "tty" => answers::tty,
        "uname" => answers::uname,
        "df" => answers::df,
        "chmod" => modes::chmod,
        "chown" | "chgrp" => answers::chown,
        "sync" => answers::sync,
        "which" => answers::which,
        "clear" => answers::sync,
        "diff" => compare::diff,
        "cmp" => cmp::cmp,
        "dd" => dd::dd,
        "cat" => streams::cat,
        "paste" => streams::paste,
        "sort" => return order::sort(args),
        "tac" => streams::tac,
        "tee" => streams::tee,
        "head" => return head::of_stdin(args),
        "hexdump" | "hd" => dump::hexdump,
        "du" => folders::du,
        "mkdir" => make::mkdir,
        "mktemp" => make::mktemp,
        "tree" => folders::tree,
        "split" => return split::filtered(args),
        "stat" => stat::stat,
        "base64" => return decode::base64(args),
        "pathchk" => path::pathchk,
        "tail" => return tail::followed(args),
        "test" | "[" => return test::test(args),
        "jq" | "jaq" => query::jq,
        "column" => show::column,
        "file" => show::file,
        "less" | "more" => show::less,
        "rev" => show::rev,
        "xxd" => show::xxd,
        "col" => texts::col,
        "dos2unix" => texts::dos2unix,
        "envsubst" => texts::envsubst,
        "look" => texts::look,
        "sponge" => texts::sponge,
        "strings" => texts::strings,
        "unix2dos" => texts::unix2dos,
        "flock" => command::flock,
        "getopt" => command::getopt,
        "getconf" => answers::getconf,
        "locale" => answers::locale,
        "tput" => answers::tput,
        "env" => starters::env,
        "nice" | "nohup" | "setsid" => starters::plain,
        "time" => starters::time,
        "timeout" => starters::timeout,
        _ => return None,
    };
    Some(program(args))
}
