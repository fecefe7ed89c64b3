//! What makes a shell: everything that a subshell inherits, and that is saved.

use crate::vars::{Value, Variable, Variables};
use brush_parser::ast;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::rc::Rc;

/// An option of `set -o` or `shopt`: its name, its letter, its bit.
type Named = (&'static str, Option<char>, u64);

pub(crate) const ERREXIT: u64 = 1;
pub(crate) const NOUNSET: u64 = 1 << 1;
pub(crate) const XTRACE: u64 = 1 << 2;
pub(crate) const NOGLOB: u64 = 1 << 3;
pub(crate) const NOCLOBBER: u64 = 1 << 4;
pub(crate) const ALLEXPORT: u64 = 1 << 5;
pub(crate) const NOEXEC: u64 = 1 << 6;
pub(crate) const PIPEFAIL: u64 = 1 << 8;
pub(crate) const ERRTRACE: u64 = 1 << 9;
pub(crate) const FUNCTRACE: u64 = 1 << 10;
pub(crate) const BRACES: u64 = 1 << 13;
pub(crate) const PHYSICAL: u64 = 1 << 14;

/// The options of `set`.
pub(crate) const SET: &[Named] = &[
    ("allexport", Some('a'), ALLEXPORT),
    ("braceexpand", Some('B'), BRACES),
    ("errexit", Some('e'), ERREXIT),
    ("errtrace", Some('E'), ERRTRACE),
    ("functrace", Some('T'), FUNCTRACE),
    ("hashall", Some('h'), 1 << 11),
    ("monitor", Some('m'), 1 << 12),
    ("noclobber", Some('C'), NOCLOBBER),
    ("noexec", Some('n'), NOEXEC),
    ("noglob", Some('f'), NOGLOB),
    ("nounset", Some('u'), NOUNSET),
    ("physical", Some('P'), PHYSICAL),
    ("pipefail", None, PIPEFAIL),
    ("posix", None, 1 << 15),
    ("verbose", Some('v'), 1 << 7),
    ("xtrace", Some('x'), XTRACE),
];

pub(crate) const NULLGLOB: u64 = 1;
pub(crate) const FAILGLOB: u64 = 1 << 1;
pub(crate) const DOTGLOB: u64 = 1 << 2;
pub(crate) const GLOBSTAR: u64 = 1 << 3;
pub(crate) const NOCASEGLOB: u64 = 1 << 4;
pub(crate) const NOCASEMATCH: u64 = 1 << 5;
pub(crate) const EXTGLOB: u64 = 1 << 6;
pub(crate) const LASTPIPE: u64 = 1 << 7;
pub(crate) const INHERIT_ERREXIT: u64 = 1 << 8;
pub(crate) const XPG_ECHO: u64 = 1 << 9;
pub(crate) const EXPAND_ALIASES: u64 = 1 << 10;

/// The options of `shopt`.
pub(crate) const SHOPT: &[Named] = &[
    ("dotglob", None, DOTGLOB),
    ("expand_aliases", None, EXPAND_ALIASES),
    ("extglob", None, EXTGLOB),
    ("failglob", None, FAILGLOB),
    ("globasciiranges", None, 1 << 11),
    ("globstar", None, GLOBSTAR),
    ("huponexit", None, 1 << 12),
    ("inherit_errexit", None, INHERIT_ERREXIT),
    ("lastpipe", None, LASTPIPE),
    ("nocaseglob", None, NOCASEGLOB),
    ("nocasematch", None, NOCASEMATCH),
    ("nullglob", None, NULLGLOB),
    ("checkwinsize", None, 1 << 13),
    ("cmdhist", None, 1 << 14),
    ("sourcepath", None, 1 << 15),
    ("patsub_replacement", None, 1 << 16),
    ("interactive_comments", None, 1 << 17),
    ("xpg_echo", None, XPG_ECHO),
    ("login_shell", None, 1 << 18),
    ("autocd", None, 1 << 19),
    ("cdspell", None, 1 << 20),
    ("localvar_inherit", None, 1 << 21),
    ("execfail", None, 1 << 22),
    ("histappend", None, 1 << 23),
    ("extdebug", None, 1 << 24),
];

/// How the environment names a function that is given to other shells, around its name.
pub(crate) const EXPORTED: (&str, &str) = ("BASH_FUNC_", "%%");

/// How the environment names the mask of new files, where it is not the usual one: the system has none.
pub(crate) const UMASK: &str = "HANDBOX_UMASK";
/// Commands by the name of what sets them off.
pub(crate) type Traps = BTreeMap<String, String>;

/// What the host calls the working folder of a program that is not told PWD.
pub(crate) const FOLDER: &str = "=PWD";
/// The mask that files are made with unasked.
pub(crate) const UMASK_USUAL: u32 = 0o022;

/// A function.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Function {
    pub(crate) body: ast::FunctionBody,
    /// Where it was defined.
    pub(crate) file: String,
    /// Other shells that are started get it, too.
    pub(crate) exported: bool,
}

/// A function or a sourced file that runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Frame {
    pub(crate) function: String,
    pub(crate) file: String,
    /// Where it was called.
    pub(crate) line: usize,
}

/// A shell's state. Cloning it is cheap: what is large is shared until it changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) vars: Rc<Variables>,
    pub(crate) functions: Rc<BTreeMap<String, Rc<Function>>>,
    pub(crate) aliases: Rc<BTreeMap<String, String>>,
    pub(crate) traps: Rc<Traps>,
    /// Those of the shell around a subshell, which `trap -p` shows until the subshell sets its own.
    pub(crate) outer_traps: Option<Rc<Traps>>,
    /// A trap was set: one may ask for `$BASH_COMMAND`.
    pub(crate) notes_commands: bool,
    pub(crate) options: u64,
    pub(crate) shopts: u64,
    /// Absolute and normal.
    pub(crate) cwd: String,
    /// The directories of `pushd` below the working directory.
    pub(crate) dirs: Vec<String>,
    pub(crate) args: Rc<Vec<String>>,
    /// `$0`.
    pub(crate) name: String,
    /// `$?`.
    pub(crate) status: i32,
    /// `PIPESTATUS`.
    pub(crate) pipe: Vec<i32>,
    /// `$!`.
    pub(crate) last_background: Option<u32>,
    pub(crate) umask: u32,
    pub(crate) frames: Rc<Vec<Frame>>,
    /// `$$`.
    pub(crate) pid: u32,
    pub(crate) line: usize,
    /// How many subshells this is in.
    pub(crate) subshell: u32,
    /// When `SECONDS` was 0, in seconds of the system's clock.
    pub(crate) began: i64,
    pub(crate) in_condition: u32,
    pub(crate) loops: u32,
    /// What `getopts` has read of the present word.
    pub(crate) getopts_at: usize,
}

impl State {
    pub(crate) fn new(environment: Vec<(String, String)>, cwd: String) -> Self {
        let mut vars = Variables::default();
        let mut functions = BTreeMap::new();
        let mut umask = UMASK_USUAL;
        for (name, value) in environment {
            if let Some(name) = name.strip_prefix(EXPORTED.0).and_then(|name| name.strip_suffix(EXPORTED.1)) {
                // It was written by a shell like this one; anything else is no function.
                if let Ok(function) = serde_json::from_str::<Function>(&value) {
                    functions.insert(name.to_owned(), Rc::new(function));
                }
            } else if name == UMASK {
                umask = u32::from_str_radix(&value, 8).map_or(UMASK_USUAL, |mask| mask & 0o777);
            } else if is_name(&name) {
                let entry = vars.global_entry(&name);
                *entry = Variable::scalar(value);
                entry.has.exported = true;
            }
        }
        let mut state = Self {
            vars: Rc::new(vars),
            functions: Rc::new(functions),
            aliases: Rc::default(),
            traps: Rc::default(),
            outer_traps: None,
            notes_commands: false,
            options: BRACES | (1 << 11),
            shopts: (1 << 11) | (1 << 13) | (1 << 14) | (1 << 15) | (1 << 16) | (1 << 17),
            cwd,
            dirs: Vec::new(),
            args: Rc::default(),
            name: "bash".to_owned(),
            status: 0,
            pipe: vec![0],
            last_background: None,
            umask,
            frames: Rc::default(),
            pid: crate::system::process_id(),
            line: 1,
            subshell: 0,
            began: crate::clock::seconds(),
            in_condition: 0,
            loops: 0,
            getopts_at: 0,
        };
        state.set_defaults();
        state
    }

    /// Sets HOME where nobody did, as a login does; a shell that another one starts has what it was given.
    pub(crate) fn give_home(&mut self) {
        let vars = Rc::make_mut(&mut self.vars);
        if vars.get("HOME").is_none() {
            let home = vars.global_entry("HOME");
            *home = Variable::scalar("/tmp");
            home.has.exported = true;
        }
    }

    fn set_defaults(&mut self) {
        let cwd = self.cwd.clone();
        let vars = Rc::make_mut(&mut self.vars);
        for (name, value) in [
            ("IFS", " \t\n"),
            ("PS4", "+ "),
            ("OPTIND", "1"),
            ("BASH_VERSION", "5.2.15(1)-release"),
            ("BASH", "/bin/bash"),
            ("HOSTTYPE", "wasm32"),
            ("MACHTYPE", "wasm32-unknown-wasi"),
            ("OSTYPE", "linux-gnu"),
        ] {
            *vars.global_entry(name) = Variable::scalar(value);
        }
        for (name, value) in [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOSTNAME", "handbox"), ("TERM", "dumb")] {
            if vars.get(name).is_none() {
                *vars.global_entry(name) = Variable::scalar(value);
                vars.global_entry(name).has.exported = name == "PATH";
            }
        }
        let pwd = vars.global_entry("PWD");
        *pwd = Variable::scalar(cwd);
        pwd.has.exported = true;
        let level = vars
            .get("SHLVL")
            .and_then(|level| level.value.scalar())
            .and_then(|level| level.parse().ok())
            .unwrap_or(0_i64);
        let entry = vars.global_entry("SHLVL");
        *entry = Variable::scalar((level + 1).to_string());
        entry.has.exported = true;
        let version = ["5", "2", "15", "1", "release", "wasm32-unknown-wasi"];
        vars.global_entry("BASH_VERSINFO").value = Value::list(version.map(str::to_owned));
        let uid = vars.global_entry("UID");
        *uid = Variable::scalar("0");
        let euid = vars.global_entry("EUID");
        *euid = Variable::scalar("0");
    }

    pub(crate) fn has(&self, option: u64) -> bool {
        self.options & option != 0
    }

    pub(crate) fn shopt(&self, option: u64) -> bool {
        self.shopts & option != 0
    }

    /// `$-`.
    pub(crate) fn flags(&self) -> String {
        let mut letters: Vec<char> =
            SET.iter().filter(|(_, _, bit)| self.has(*bit)).filter_map(|(_, letter, _)| *letter).collect();
        letters.sort_by_key(|letter| (letter.is_uppercase(), *letter));
        letters.into_iter().chain(['c']).collect()
    }
}

/// Whether it can be a variable's name.
pub(crate) fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_ascii_alphabetic())
        && chars.all(|c| c == '_' || c.is_ascii_alphanumeric())
}
