//! Simple commands.

use crate::builtins::{self, Builtin};
use crate::shell::{Flow, Run, Shell};
use crate::state::{EXPAND_ALIASES, Function, XTRACE};
use crate::system::{self, Child, Command, SpawnFault};
use crate::text::quoted_if_needed;
use crate::vars::Variable;
use brush_parser::ast::{self, Assignment, CommandPrefixOrSuffixItem as Item, IoRedirect};
use std::path::Path;
use std::rc::Rc;

/// How much a program may be started with, in bytes, as on Linux.
const STARTED_BYTES_MAX: usize = 2 << 20;

/// A simple command, sorted.
#[derive(Default)]
pub(crate) struct Parts<'a> {
    pub(crate) assignments: Vec<&'a Assignment>,
    pub(crate) redirects: Vec<&'a IoRedirect>,
    pub(crate) words: Vec<Arg<'a>>,
}

impl Parts<'_> {
    /// Whether `<(…)` or `>(…)` is part of it.
    pub(crate) fn substitutes_processes(&self) -> bool {
        let redirected = |redirect: &&IoRedirect| {
            matches!(redirect, IoRedirect::File(_, _, ast::IoFileRedirectTarget::ProcessSubstitution(..)))
        };
        self.words.iter().any(|word| matches!(word, Arg::Process(..))) || self.redirects.iter().any(redirected)
    }
}

/// An argument as it is written.
pub(crate) enum Arg<'a> {
    Word(&'a ast::Word),
    /// An assignment as such, for those builtins that take them.
    Assignment(&'a Assignment, &'a ast::Word),
    Process(&'a ast::ProcessSubstitutionKind, &'a ast::SubshellCommand),
}

/// Who carries a command out.
pub(crate) enum Who {
    Function(Rc<Function>),
    Builtin(Builtin),
    Program,
}

pub(crate) fn parts(command: &ast::SimpleCommand) -> Parts<'_> {
    let mut parts = Parts::default();
    for item in command.prefix.iter().flat_map(|prefix| &prefix.0) {
        match item {
            Item::IoRedirect(redirect) => parts.redirects.push(redirect),
            Item::AssignmentWord(assignment, _) => parts.assignments.push(assignment),
            Item::Word(word) => parts.words.push(Arg::Word(word)),
            Item::ProcessSubstitution(kind, list) => parts.words.push(Arg::Process(kind, list)),
        }
    }
    parts.words.extend(command.word_or_name.as_ref().map(Arg::Word));
    for item in command.suffix.iter().flat_map(|suffix| &suffix.0) {
        match item {
            Item::IoRedirect(redirect) => parts.redirects.push(redirect),
            Item::AssignmentWord(assignment, word) => parts.words.push(Arg::Assignment(assignment, word)),
            Item::Word(word) => parts.words.push(Arg::Word(word)),
            Item::ProcessSubstitution(kind, list) => parts.words.push(Arg::Process(kind, list)),
        }
    }
    parts
}

/// A command as bash writes it for `$BASH_COMMAND`.
pub(super) fn spaced(command: &ast::SimpleCommand) -> String {
    let prefix = command.prefix.iter().flat_map(|prefix| &prefix.0).map(ToString::to_string);
    let name = command.word_or_name.iter().map(|word| word.value.clone());
    let suffix = command.suffix.iter().flat_map(|suffix| &suffix.0).map(ToString::to_string);
    prefix.chain(name).chain(suffix).collect::<Vec<_>>().join(" ")
}

impl Shell {
    pub(crate) fn run_simple(&mut self, command: &ast::SimpleCommand) -> Run {
        let parts = parts(command);
        self.note_line(command, &parts);
        self.before(|| spaced(command))?;
        self.substituted = None;
        let files = self.temporary.len();
        let done = self.run_parts(&parts);
        self.finish_temporary(files)?;
        done
    }

    pub(crate) fn note_line(&mut self, command: &ast::SimpleCommand, parts: &Parts<'_>) {
        let word = command.word_or_name.as_ref().and_then(|word| word.loc.as_ref());
        let place = word.or_else(|| parts.assignments.first().map(|assignment| &assignment.loc));
        // In a trap it is the line that set it off.
        if let Some(place) = place.filter(|place| place.start.line > 0 && !self.in_trap) {
            self.state.line = place.start.line;
        }
    }

    fn run_parts(&mut self, parts: &Parts<'_>) -> Run {
        if let Some(Arg::Word(first)) = parts.words.first()
            && builtins::takes_assignments(&first.value)
            && !self.state.functions.contains_key(&first.value)
        {
            return self.run_declaration(&first.value, parts);
        }
        if let Some(text) = self.alias_of(parts) {
            return self.run_alias(&text, parts);
        }
        let args = self.expand_args(&parts.words)?;
        if args.is_empty() {
            return self.run_assignments(parts);
        }
        if args[0] == "exec" && self.who("exec").is_builtin() {
            return self.run_exec(parts, &args[1..]);
        }
        self.with_redirect_refs(&parts.redirects, |shell| shell.run_args(&parts.assignments, &args))
    }

    /// What the first word is an alias of, where aliases count.
    #[inline(never)]
    fn alias_of(&self, parts: &Parts<'_>) -> Option<String> {
        let Some(Arg::Word(first)) = parts.words.first() else { return None };
        if !self.state.shopt(EXPAND_ALIASES) || self.in_alias > 16 {
            return None;
        }
        self.state.aliases.get(&first.value).cloned()
    }

    /// Reads the alias with the rest of the command's words. An alias that begins with its
    /// own name means the command of that name.
    #[inline(never)]
    fn run_alias(&mut self, text: &str, parts: &Parts<'_>) -> Run {
        let mut source = text.to_owned();
        let mut first = "";
        for (at, word) in parts.words.iter().enumerate() {
            let (Arg::Word(word) | Arg::Assignment(_, word)) = word else { continue };
            if at == 0 {
                first = &word.value;
            } else {
                source.push(' ');
                source.push_str(&word.value);
            }
        }
        if text.split_whitespace().next() == Some(first) {
            source.insert(0, '\\');
        }
        self.in_alias += 1;
        let done = self.with_redirect_refs(&parts.redirects, |shell| shell.run_text(&source));
        self.in_alias -= 1;
        done
    }

    /// Runs a command whose words are expanded, with assignments only for it.
    fn run_args(&mut self, assignments: &[&Assignment], args: &[String]) -> Run {
        match self.who(&args[0]) {
            Who::Program => {
                let env = self.assigned_environment(assignments)?;
                self.trace_args(args);
                let child = match self.start_program(args, env) {
                    Ok(child) => child,
                    Err(status) => return Ok(status),
                };
                self.wait_alone(&child)
            }
            who => {
                let saved = self.assign_for_a_while(assignments)?;
                self.trace_args(args);
                let done = match who {
                    Who::Function(function) => self.call(&function, args),
                    Who::Builtin(builtin) => builtin(self, &args[1..]),
                    Who::Program => Ok(0),
                };
                for (name, was) in saved.into_iter().rev() {
                    self.vars().put(&name, was);
                }
                done
            }
        }
    }

    /// Runs words that are expanded already.
    pub(crate) fn run_expanded(&mut self, args: &[String]) -> Run {
        self.run_args(&[], args)
    }

    pub(crate) fn who(&self, name: &str) -> Who {
        if let Some(function) = self.state.functions.get(name) {
            return Who::Function(Rc::clone(function));
        }
        builtins::find(name).map_or(Who::Program, Who::Builtin)
    }

    pub(crate) fn expand_args(&mut self, words: &[Arg<'_>]) -> Result<Vec<String>, Flow> {
        let mut args = Vec::new();
        for word in words {
            match word {
                Arg::Word(word) | Arg::Assignment(_, word) => self.expand_into(&word.value, &mut args)?,
                Arg::Process(kind, list) => args.push(self.process_file(kind, &list.list)?),
            }
        }
        Ok(args)
    }

    #[inline(never)]
    fn run_assignments(&mut self, parts: &Parts<'_>) -> Run {
        for assignment in &parts.assignments {
            self.assign_parsed(assignment)?;
        }
        let status = self.substituted.unwrap_or(0);
        self.with_redirect_refs(&parts.redirects, |_| Ok(status))
    }

    #[inline(never)]
    fn assigned_environment(&mut self, assignments: &[&Assignment]) -> Result<Vec<(String, String)>, Flow> {
        if assignments.is_empty() {
            return Ok(self.environment());
        }
        let saved = self.assign_for_a_while(assignments)?;
        let env = self.environment();
        for (name, was) in saved.into_iter().rev() {
            self.vars().put(&name, was);
        }
        Ok(env)
    }

    /// Assigns and exports; gives what was there.
    pub(crate) fn assign_for_a_while(
        &mut self,
        assignments: &[&Assignment],
    ) -> Result<Vec<(String, Option<Variable>)>, Flow> {
        let mut saved = Vec::new();
        for assignment in assignments {
            let (ast::AssignmentName::VariableName(name) | ast::AssignmentName::ArrayElementName(name, _)) =
                &assignment.name;
            // That is said, and the command runs.
            if self.refuse_readonly(name).is_err() {
                continue;
            }
            saved.push((name.clone(), self.state.vars.get(name).cloned()));
            self.assign_parsed(assignment)?;
            self.vars().entry(name).has.exported = true;
        }
        Ok(saved)
    }

    /// Starts a program by name or path.
    ///
    /// # Errors
    ///
    /// The status that says it could not be started; that was said.
    #[inline(never)]
    pub(crate) fn start_program(&mut self, args: &[String], env: Vec<(String, String)>) -> Result<Child, i32> {
        let mut args = args.to_vec();
        let path = env.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone());
        if let Some(path) = path.or_else(|| self.var("PATH")).and_then(|path| self.script_on_path(&args[0], &path)) {
            args[0] = path;
        }
        let program = if args[0].contains('/') { self.program_at_path(&mut args)? } else { args[0].clone() };
        let command = Command { program, args, env, handed: Vec::new() };
        self.spawn(&command)
    }

    // Out of line: its caller is on the stack once for each level of functions.
    #[inline(never)]
    pub(crate) fn spawn(&mut self, command: &Command) -> Result<Child, i32> {
        if command.size() > STARTED_BYTES_MAX {
            let name = command.args.first().unwrap_or(&command.program);
            self.complain(&format!("{name}: Argument list too long"));
            return Err(126);
        }
        let input = self.io.input(0).unwrap_or_else(|| Rc::new(system::Input::empty()));
        let output = self.io.output(1).unwrap_or_else(|| Rc::new(system::Output::discard()));
        let error = self.io.output(2).unwrap_or_else(|| Rc::new(system::Output::discard()));
        match system::spawn(command, (&input, &output, &error), self.beside) {
            Ok(child) => Ok(child),
            Err(SpawnFault::NotFound) if command.program == "git" => {
                self.err("git: not available here yet\n");
                Err(127)
            }
            Err(SpawnFault::NotFound) => {
                self.complain(&format!("{}: command not found", command.program));
                Err(127)
            }
            Err(SpawnFault::TooMany) => {
                self.complain("fork: retry: Resource temporarily unavailable");
                Err(254)
            }
            Err(SpawnFault::Failed(why)) => {
                self.complain(&format!("{}: {why}", command.program));
                Err(126)
            }
        }
    }

    /// A file of this name in a folder of such a `PATH`: in one before the usual ones, which hold the sandbox's programs, or in one
    /// behind them if no program has its name.
    pub(crate) fn script_on_path(&self, name: &str, path: &str) -> Option<String> {
        if name.contains('/') {
            return None;
        }
        let is_program = || system::find_program(name, path).is_some();
        let own = |folder: &&str| !is_usual(folder) && !folder.is_empty();
        let before = path.split(':').take_while(|folder| !is_usual(folder)).filter(own);
        let file = |folder| format!("{}/{name}", self.absolute(folder));
        if let Some(file) = before.map(file).find(|file| system::executable(file)) {
            return Some(file);
        }
        if path.split(':').all(|folder| !own(&folder)) || is_program() {
            return None;
        }
        let files: Vec<String> = path.split(':').filter(own).map(file).collect();
        let runs = files.iter().find(|file| system::executable(file));
        // What may not be run is said to be so.
        runs.or_else(|| files.iter().find(|file| Path::new(file).is_file())).cloned()
    }

    /// The program that a path means: one of the usual folders' by its name, a script by
    /// its first line.
    fn program_at_path(&mut self, args: &mut Vec<String>) -> Result<String, i32> {
        let path = self.absolute(&args[0]);
        if let Some((folder, name)) = path.rsplit_once('/')
            && is_usual(folder)
        {
            return Ok(name.to_owned());
        }
        let refuse = |shell: &Self, why: &str, status| {
            shell.complain(&format!("{}: {why}", args[0]));
            Err(status)
        };
        match std::fs::metadata(&path) {
            Err(_) => return refuse(self, "No such file or directory", 127),
            Ok(about) if about.is_dir() => return refuse(self, "Is a directory", 126),
            Ok(_) if !system::executable(&path) => return refuse(self, "Permission denied", 126),
            Ok(_) => {}
        }
        let Ok(bytes) = std::fs::read(&path) else { return refuse(self, "Permission denied", 126) };
        if bytes.iter().take(80).any(|byte| *byte == 0) {
            return refuse(self, "cannot execute binary file: Exec format error", 126);
        }
        let first = String::from_utf8_lossy(bytes.split(|byte| *byte == b'\n').next().unwrap_or_default()).into_owned();
        let mut interpreter: Vec<String> =
            first.strip_prefix("#!").unwrap_or("sh").split_whitespace().map(str::to_owned).collect();
        if interpreter.first().is_some_and(|name| name.ends_with("/env")) {
            interpreter.remove(0);
            interpreter.retain(|word| word != "-S");
        }
        let program = interpreter.first().map_or("sh", String::as_str);
        let (folder, name) = program.rsplit_once('/').unwrap_or(("/bin", program));
        // Where a file of its own stands, that is meant, and no program of its name.
        if !is_usual(folder) && std::path::Path::new(&self.absolute(program)).is_file() {
            return refuse(self, &format!("{program}: bad interpreter: Exec format error"), 126);
        }
        let program = name.to_owned();
        args.splice(0..0, interpreter);
        Ok(program)
    }

    /// The same for a command that is no part of a pipeline: which signal ended it is said.
    #[inline(never)]
    fn wait_alone(&mut self, child: &Child) -> Run {
        let ending = self.end_of(child)?;
        if let system::Ending::Killed(signal) = ending
            && !matches!(signal, 2 | 13)
        {
            self.complain(&format!("{} {}", child.id(), crate::builtins::kill::description(signal)));
        }
        Ok(ending.status())
    }

    /// Waits for a process as long as there is time.
    pub(crate) fn wait_for(&mut self, child: &Child) -> Run {
        Ok(self.end_of(child)?.status())
    }

    #[inline(never)]
    fn end_of(&mut self, child: &Child) -> Result<system::Ending, Flow> {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(std::time::Instant::now()));
        let Some(ending) = child.wait(left) else {
            child.kill(9);
            return Err(Flow::TimedOut);
        };
        if let system::Ending::Trapped(why) = &ending {
            self.complain(why);
        }
        Ok(ending)
    }

    #[inline(never)]
    fn trace_args(&mut self, args: &[String]) {
        if self.state.has(XTRACE) {
            let shown: Vec<String> = args.iter().map(|arg| quoted_if_needed(arg)).collect();
            self.trace(&shown.join(" "));
        }
    }

    pub(crate) fn trace(&mut self, text: &str) {
        let prompt = self.var("PS4").unwrap_or_default();
        let prompt = self.expand_here(&prompt).unwrap_or_default();
        self.err(&format!("{prompt}{text}\n"));
    }
}

/// Whether programs lie in this folder, as far as scripts can see.
pub(super) fn is_usual(folder: &str) -> bool {
    matches!(folder, "/bin" | "/usr/bin" | "/usr/local/bin" | "/sbin" | "/usr/sbin" | "/usr/local/sbin")
}

impl Who {
    pub(crate) fn is_builtin(&self) -> bool {
        matches!(self, Self::Builtin(_))
    }
}
