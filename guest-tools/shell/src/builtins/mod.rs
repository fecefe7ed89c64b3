//! Commands that are part of the shell.

mod basic;
mod complete;
pub(crate) mod declare;
mod extended;
mod flow;
mod folders;
mod getopts;
mod info;
pub(crate) mod kill;
pub(crate) mod options;
mod printf;
mod read;
mod test;

use crate::shell::{Run, Shell};

/// What carries a builtin out: its arguments are without its name.
pub(crate) type Builtin = fn(&mut Shell, &[String]) -> Run;

const ALL: &[(&str, Builtin)] = &[
    (".", flow::source),
    (":", basic::nothing),
    ("[", test::bracket),
    ("alias", info::alias),
    ("bg", kill::no_job_control),
    ("bind", basic::nothing),
    ("break", flow::leave),
    ("builtin", flow::builtin),
    ("caller", info::caller),
    ("cd", folders::cd),
    ("command", flow::command),
    ("compgen", complete::compgen),
    ("complete", basic::nothing),
    ("compopt", basic::nothing),
    ("continue", flow::next),
    ("declare", declare::plain),
    ("dirs", folders::dirs),
    ("disown", basic::nothing),
    ("echo", basic::echo),
    ("enable", basic::nothing),
    ("eval", flow::eval),
    ("exec", flow::exec_only),
    ("exit", flow::exit),
    ("export", declare::plain),
    ("false", basic::not),
    ("fg", kill::no_job_control),
    ("getopts", getopts::getopts),
    ("hash", info::hash),
    ("help", info::help),
    ("history", basic::nothing),
    ("jobs", kill::jobs),
    ("kill", kill::kill),
    ("let", basic::evaluate),
    ("local", declare::plain),
    ("mapfile", read::mapfile),
    ("popd", folders::popd),
    ("printf", printf::printf),
    ("pushd", folders::pushd),
    ("pwd", folders::pwd),
    ("read", read::read),
    ("readarray", read::mapfile),
    ("readonly", declare::plain),
    ("return", flow::give_back),
    ("set", options::set),
    ("shift", flow::shift),
    ("shopt", options::shopt),
    ("source", flow::source),
    ("test", test::test),
    ("times", info::times),
    ("trap", kill::trap),
    ("true", basic::nothing),
    ("type", info::types),
    ("typeset", declare::plain),
    ("ulimit", info::ulimit),
    ("umask", info::umask),
    ("unalias", info::unalias),
    ("unset", declare::unset),
    ("wait", kill::wait),
];

/// The builtin of this name.
pub(crate) fn find(name: &str) -> Option<Builtin> {
    ALL.binary_search_by(|(known, _)| (*known).cmp(name)).ok().map(|at| ALL[at].1)
}

/// Whether its arguments may be assignments.
pub(crate) fn takes_assignments(name: &str) -> bool {
    matches!(name, "declare" | "typeset" | "local" | "export" | "readonly")
}

/// Whether it ends by itself, whoever reads what it prints: then it needs no process of
/// its own in a pipeline.
pub(crate) fn ends_by_itself(name: &str) -> bool {
    find(name).is_some() && !matches!(name, "eval" | "source" | "." | "command" | "builtin" | "exec" | "wait")
}
