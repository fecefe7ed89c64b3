//! The command line of `find`: where to start, and what to do with what is found.

use crate::pattern::wildcard;
use crate::pattern::{Kind, translate};
use globset::GlobMatcher;
use regex::Regex;
use std::time::SystemTime;

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
    Size(Amount, f64),
    /// Age in units of so many seconds.
    Age(Amount, f64),
    Newer(SystemTime),
    Empty,
    Links(Amount),
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

/// Reads a command line. What is wrong in words.
pub(super) fn parse(args: &[String]) -> Result<Plan, String> {
    let mut parser = Parser {
        args,
        at: 0,
        acts: false,
        batches: 0,
        regex_kind: Kind::Basic,
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
    if !parser.acts {
        expr = Expr::And(vec![expr, Expr::Print('\n')]);
    }
    parser.plan.expr = expr;
    Ok(parser.plan)
}

struct Parser<'a> {
    args: &'a [String],
    at: usize,
    /// Whether there is an action, so that nothing is printed unasked.
    acts: bool,
    batches: usize,
    regex_kind: Kind,
    plan: Plan,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&str> {
        self.args.get(self.at).map(String::as_str)
    }

    fn value(&mut self, test: &str) -> Result<String, String> {
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

    fn primary(&mut self) -> Result<Expr, String> {
        let test = self.value("find")?;
        if let Some(expr) = self.action(&test)? {
            self.acts = true;
            return Ok(expr);
        }
        if let Some(expr) = self.setting(&test)? {
            return Ok(expr);
        }
        let known = test.as_str();
        Ok(match known {
            "-name" | "-iname" => Expr::Name(wildcard(&self.value(known)?, known == "-iname")?),
            "-path" | "-wholename" => Expr::Path(wildcard(&self.value(known)?, false)?),
            "-ipath" | "-iwholename" => Expr::Path(wildcard(&self.value(known)?, true)?),
            "-lname" | "-ilname" => Expr::LinkName(wildcard(&self.value(known)?, known == "-ilname")?),
            "-regex" | "-iregex" => {
                let pattern = self.value(known)?;
                let translated = translate(&pattern, self.regex_kind)?;
                let flags = if known == "-iregex" { "(?si)" } else { "(?s)" };
                let regex = Regex::new(&format!("{flags}^(?:{})$", translated.text));
                Expr::Regex(regex.map_err(|_| format!("bad regular expression `{pattern}'"))?)
            }
            "-type" | "-xtype" => Expr::Type(self.value(known)?),
            "-size" => self.size()?,
            "-mtime" | "-ctime" | "-atime" => Expr::Age(amount(&self.value(known)?)?, 86_400.0),
            "-mmin" | "-cmin" | "-amin" => Expr::Age(amount(&self.value(known)?)?, 60.0),
            "-newer" | "-anewer" | "-cnewer" | "-newermm" => {
                let path = self.value(known)?;
                let metadata = std::fs::metadata(&path);
                let time = metadata.and_then(|metadata| metadata.modified());
                Expr::Newer(time.map_err(|error| format!("‘{path}’: {}", crate::reason(&error)))?)
            }
            "-empty" => Expr::Empty,
            "-links" => Expr::Links(amount(&self.value(known)?)?),
            // It decides where to go, and is no action: what is left is still printed.
            "-prune" => Expr::Prune,
            "-true" => Expr::Constant(true),
            "-false" => Expr::Constant(false),
            // Nothing here has an owner or a mode to tell apart.
            "-perm" | "-user" | "-group" | "-uid" | "-gid" | "-fstype" => {
                self.value(known)?;
                Expr::Constant(true)
            }
            "-readable" | "-writable" => Expr::Constant(true),
            "-executable" | "-nouser" | "-nogroup" => Expr::Constant(known == "-executable"),
            _ if !known.starts_with('-') => return Err(format!("paths must precede expression: `{known}'")),
            _ => return Err(format!("unknown predicate `{known}'")),
        })
    }

    /// What is set for the whole search.
    fn setting(&mut self, name: &str) -> Result<Option<Expr>, String> {
        match name {
            "-maxdepth" => self.plan.most = Some(self.depth(name)?),
            "-mindepth" => self.plan.least = Some(self.depth(name)?),
            "-depth" | "-d" => self.plan.order = Order::ContentsFirst,
            "-follow" => self.plan.follow = true,
            "-xdev" | "-mount" | "-noleaf" | "-daystart" | "-warn" | "-nowarn" | "-ignore_readdir_race" => {}
            "-regextype" => {
                let kind = self.value(name)?;
                let extended = kind.contains("extended") || kind.contains("egrep") || kind.contains("awk");
                self.regex_kind = if extended { Kind::Extended } else { Kind::Basic };
            }
            _ => return Ok(None),
        }
        Ok(Some(Expr::Constant(true)))
    }

    fn depth(&mut self, name: &str) -> Result<usize, String> {
        let value = self.value(name)?;
        value.parse().map_err(|_| format!("Expected a positive decimal integer argument to {name}, but got ‘{value}’"))
    }

    fn action(&mut self, name: &str) -> Result<Option<Expr>, String> {
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
                Expr::Delete
            }
            "-quit" => Expr::Quit,
            "-exec" | "-execdir" | "-ok" | "-okdir" => self.exec(name)?,
            _ => return Ok(None),
        }))
    }

    fn exec(&mut self, name: &str) -> Result<Expr, String> {
        let mut words = Vec::new();
        loop {
            let word = self.value(name)?;
            let ends = word == "+" && words.last().is_some_and(|last| last == "{}");
            if word == ";" || ends {
                if words.is_empty() {
                    return Err(format!("invalid argument `;' to `{name}'"));
                }
                let batch = ends.then(|| {
                    words.pop();
                    self.batches += 1;
                    self.batches - 1
                });
                return Ok(Expr::Exec(Command { words, batch, in_folder: name.ends_with("dir") }));
            }
            words.push(word);
        }
    }

    fn size(&mut self) -> Result<Expr, String> {
        let value = self.value("-size")?;
        let digits = value.trim_end_matches(|last: char| last.is_ascii_alphabetic());
        let unit = match &value[digits.len()..] {
            "" | "b" => 512.0,
            "c" => 1.0,
            "w" => 2.0,
            "k" => 1024.0,
            "M" => 1_048_576.0,
            "G" => 1_073_741_824.0,
            _ => return Err(format!("invalid -size type `{value}'")),
        };
        Ok(Expr::Size(amount(digits)?, unit))
    }
}

fn only(mut parts: Vec<Expr>, several: fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.len() {
        1 => parts.remove(0),
        _ => several(parts),
    }
}

fn amount(text: &str) -> Result<Amount, String> {
    let (make, digits): (fn(f64) -> Amount, &str) = match text.split_at_checked(1) {
        Some(("+", digits)) => (Amount::More, digits),
        Some(("-", digits)) => (Amount::Less, digits),
        _ => (Amount::Exactly, text),
    };
    digits.parse().map(make).map_err(|_| format!("invalid argument `{text}'"))
}
