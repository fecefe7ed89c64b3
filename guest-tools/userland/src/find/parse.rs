//! The command line of `find`: where to start, and what to do with what is found.

use super::primary::{Perm, Syntax, Time};
use crate::about::Moment;
use crate::pattern::Kind;
use globset::GlobMatcher;
use regex::Regex;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    FoldersFirst,
    ContentsFirst,
}

/// How a number is compared: `+n`, `-n` or `n`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Amount {
    More(f64),
    Less(f64),
    Exactly(f64),
}

impl Amount {
    pub(super) fn holds(self, number: f64) -> bool {
        match self {
            Self::More(limit) => number > limit,
            Self::Less(limit) => number < limit,
            Self::Exactly(wanted) => (number - wanted).abs() < f64::EPSILON,
        }
    }
}

/// A command of `-exec`.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) words: Vec<String>,
    /// With `+`: one command for many files. Its place among them.
    pub(super) batch: Option<usize>,
    /// Run in the folder of the file.
    pub(super) in_folder: bool,
    /// Somebody says yes to each file first.
    pub(super) asks: bool,
}

#[derive(Debug)]
pub(super) enum Expr {
    Constant(bool),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    /// All of them; the last one counts.
    Then(Vec<Expr>),
    Name(GlobMatcher),
    Path(GlobMatcher),
    Regex(Regex),
    Type(String),
    /// Of what a link leads to; where links are followed, of the link.
    TypeElsewhere(String),
    Size(Amount, f64),
    /// Age in units of so many seconds.
    Age(Time, Amount, f64),
    Newer(Time, Moment),
    Empty,
    Links(Amount),
    Inode(Amount),
    /// The same file as the one of this device and number.
    Same(u64, u64),
    Perm(Perm),
    May(char),
    LinkName(GlobMatcher),
    Print(char),
    PrintTo(std::cell::RefCell<std::fs::File>, char),
    Printf(String),
    Ls,
    Delete,
    Prune,
    Quit,
    Exec(Command),
}

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) starts: Vec<String>,
    pub(super) expr: Expr,
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
    pub(super) order: Order,
    pub(super) follow: bool,
    pub(super) follow_starts: bool,
}

/// Contents come before their folder where something is deleted, so that what was to be left out would be deleted too.
const PRUNES_NOTHING: &str = "The -delete action automatically turns on -depth, but -prune does nothing when -depth is in effect.  \
     If you want to carry on anyway, just explicitly use the -depth option.";

/// Reads a command line. What is wrong in words.
pub(super) fn parse(args: &[String]) -> Result<Plan, String> {
    let mut parser = Parser {
        args,
        at: 0,
        acts: false,
        batches: 0,
        deletes: false,
        prunes: false,
        depth_is_asked_for: false,
        regex: Syntax::Emacs,
        plan: Plan {
            starts: Vec::new(),
            expr: Expr::Constant(true),
            least: None,
            most: None,
            order: Order::FoldersFirst,
            follow: false,
            follow_starts: false,
        },
    };
    while let Some(arg) = parser.peek() {
        match arg {
            "-L" => parser.plan.follow = true,
            "-H" => parser.plan.follow_starts = true,
            "-P" => parser.plan.follow = false,
            _ if arg.starts_with('-') && arg.len() > 1 || matches!(arg, "(" | "!" | ")" | ",") => break,
            _ => parser.plan.starts.push(arg.to_owned()),
        }
        parser.at += 1;
    }
    if parser.plan.starts.is_empty() {
        parser.plan.starts.push(".".to_owned());
    }
    let mut expr = if parser.peek().is_some() { parser.list()? } else { Expr::Constant(true) };
    if let Some(arg) = parser.peek() {
        return Err(match arg {
            ")" => "invalid expression; you have too many ')'".to_owned(),
            _ => format!("paths must precede expression: `{arg}'"),
        });
    }
    if parser.deletes && parser.prunes && !parser.depth_is_asked_for {
        return Err(PRUNES_NOTHING.to_owned());
    }
    if !parser.acts {
        expr = Expr::And(vec![expr, Expr::Print('\n')]);
    }
    parser.plan.expr = expr;
    Ok(parser.plan)
}

pub(super) struct Parser<'a> {
    args: &'a [String],
    at: usize,
    /// Whether there is an action, so that nothing is printed unasked.
    pub(super) acts: bool,
    batches: usize,
    deletes: bool,
    pub(super) prunes: bool,
    depth_is_asked_for: bool,
    pub(super) regex: Syntax,
    plan: Plan,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&str> {
        self.args.get(self.at).map(String::as_str)
    }

    pub(super) fn value(&mut self, test: &str) -> Result<String, String> {
        let value = self.args.get(self.at).cloned();
        self.at += 1;
        value.ok_or_else(|| format!("missing argument to `{test}'"))
    }

    fn list(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.or()?];
        while self.peek() == Some(",") {
            self.at += 1;
            parts.push(self.or()?);
        }
        Ok(only(parts, Expr::Then))
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.and()?];
        while matches!(self.peek(), Some("-o" | "-or")) {
            self.at += 1;
            parts.push(self.and()?);
        }
        Ok(only(parts, Expr::Or))
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.not()?];
        loop {
            match self.peek() {
                None | Some("-o" | "-or" | ")" | ",") => return Ok(only(parts, Expr::And)),
                Some("-a" | "-and") => self.at += 1,
                _ => {}
            }
            parts.push(self.not()?);
        }
    }

    fn not(&mut self) -> Result<Expr, String> {
        match self.peek() {
            Some("!" | "-not") => {
                self.at += 1;
                Ok(Expr::Not(Box::new(self.not()?)))
            }
            Some("(") => {
                self.at += 1;
                if self.peek() == Some(")") {
                    return Err("invalid expression; empty parentheses are not allowed.".to_owned());
                }
                let inner = self.list()?;
                if self.peek() != Some(")") {
                    return Err("invalid expression; expected to find a ')' but didn't see one.".to_owned());
                }
                self.at += 1;
                Ok(inner)
            }
            None => Err("invalid expression; an operand is missing at its end".to_owned()),
            Some(_) => self.primary(),
        }
    }

    /// What is set for the whole search.
    pub(super) fn setting(&mut self, name: &str) -> Result<Option<Expr>, String> {
        match name {
            "-maxdepth" => self.plan.most = Some(self.depth(name)?),
            "-mindepth" => self.plan.least = Some(self.depth(name)?),
            "-depth" | "-d" => {
                self.plan.order = Order::ContentsFirst;
                self.depth_is_asked_for = true;
            }
            "-follow" => self.plan.follow = true,
            "-xdev" | "-mount" | "-noleaf" | "-daystart" | "-warn" | "-nowarn" | "-ignore_readdir_race" => {}
            "-regextype" => {
                let kind = self.value(name)?;
                let extended = kind.contains("extended") || kind.contains("egrep") || kind.contains("awk");
                self.regex = match kind.as_str() {
                    "emacs" | "findutils-default" => Syntax::Emacs,
                    _ if extended => Syntax::Posix(Kind::Extended),
                    _ => Syntax::Posix(Kind::Basic),
                };
            }
            _ => return Ok(None),
        }
        Ok(Some(Expr::Constant(true)))
    }

    fn depth(&mut self, name: &str) -> Result<usize, String> {
        let value = self.value(name)?;
        value.parse().map_err(|_| format!("Expected a positive decimal integer argument to {name}, but got ‘{value}’"))
    }

    pub(super) fn action(&mut self, name: &str) -> Result<Option<Expr>, String> {
        Ok(Some(match name {
            "-print" => Expr::Print('\n'),
            "-print0" => Expr::Print('\0'),
            "-fprint" | "-fprint0" => {
                let path = self.value(name)?;
                let file = std::fs::File::create(&path);
                let file = file.map_err(|error| format!("‘{path}’: {}", crate::reason(&error)))?;
                Expr::PrintTo(std::cell::RefCell::new(file), if name == "-fprint" { '\n' } else { '\0' })
            }
            "-printf" => Expr::Printf(self.value(name)?),
            "-ls" => Expr::Ls,
            "-delete" => {
                self.plan.order = Order::ContentsFirst;
                self.deletes = true;
                Expr::Delete
            }
            "-quit" => Expr::Quit,
            "-exec" | "-execdir" | "-ok" | "-okdir" => self.exec(name)?,
            _ => return Ok(None),
        }))
    }

    fn exec(&mut self, name: &str) -> Result<Expr, String> {
        let mut words = Vec::new();
        let asks = name.starts_with("-ok");
        loop {
            let word = self.value(name)?;
            // Nobody can be asked about many files at once.
            let ends = !asks && word == "+" && words.last().is_some_and(|last| last == "{}");
            if word == ";" || ends {
                if words.is_empty() {
                    return Err(format!("invalid argument `;' to `{name}'"));
                }
                let batch = ends.then(|| {
                    words.pop();
                    self.batches += 1;
                    self.batches - 1
                });
                return Ok(Expr::Exec(Command { words, batch, in_folder: name.ends_with("dir"), asks }));
            }
            words.push(word);
        }
    }
}

fn only(mut parts: Vec<Expr>, several: fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.len() {
        1 => parts.remove(0),
        _ => several(parts),
    }
}
