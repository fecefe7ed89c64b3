//! The tests of `find`, as they are written.

use super::parse::{Amount, Expr, Parser};
use crate::about::{About, Moment};
use crate::mode::{self, Mode};
use crate::pattern::{Kind, translate, wildcard};
use regex::Regex;

/// Which time of a file is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    Accessed,
    Changed,
    Modified,
}

impl Time {
    fn named(letter: char) -> Option<Self> {
        Some(match letter {
            'a' => Self::Accessed,
            'c' => Self::Changed,
            'm' => Self::Modified,
            _ => return None,
        })
    }

    pub(super) fn of(self, about: &About) -> Moment {
        match self {
            Self::Accessed => about.accessed,
            Self::Changed => about.changed,
            Self::Modified => about.modified,
        }
    }
}

/// How regular expressions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// `find`'s own: groups and branches with a backslash, `+` and `?` without.
    Emacs,
    Posix(Kind),
}

/// What `-perm` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Perm {
    Exactly(Mode),
    All(Mode),
    Any(Mode),
}

impl Perm {
    fn parse(text: &str) -> Result<Self, String> {
        let (kind, mode): (fn(Mode) -> Self, &str) = match (text.strip_prefix('-'), text.strip_prefix('/')) {
            (Some(mode), _) => (Self::All, mode),
            (_, Some(mode)) => (Self::Any, mode),
            _ => (Self::Exactly, text),
        };
        mode::parse(mode).map(kind).ok_or_else(|| format!("invalid mode ‘{text}’"))
    }

    pub(super) fn holds(&self, about: &About) -> bool {
        let bits = |mode: &Mode| mode.apply(0, about.is_folder(), 0);
        match self {
            Self::Exactly(mode) => about.mode == bits(mode),
            Self::All(mode) => about.mode & bits(mode) == bits(mode),
            Self::Any(mode) => bits(mode) == 0 || about.mode & bits(mode) != 0,
        }
    }
}

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Result<Expr, String> {
        let test = self.value("find")?;
        if let Some(expr) = self.action(&test)? {
            self.acts = true;
            return Ok(expr);
        }
        if let Some(expr) = self.setting(&test)? {
            return Ok(expr);
        }
        if let Some(expr) = self.moments(&test)? {
            return Ok(expr);
        }
        let known = test.as_str();
        Ok(match known {
            "-name" | "-iname" => Expr::Name(wildcard(&self.value(known)?, known == "-iname")?),
            "-path" | "-wholename" => Expr::Path(wildcard(&self.value(known)?, false)?),
            "-ipath" | "-iwholename" => Expr::Path(wildcard(&self.value(known)?, true)?),
            "-lname" | "-ilname" => Expr::LinkName(wildcard(&self.value(known)?, known == "-ilname")?),
            "-regex" | "-iregex" => self.expression(known)?,
            "-type" => Expr::Type(self.kinds(known)?),
            "-xtype" => Expr::TypeElsewhere(self.kinds(known)?),
            "-size" => self.size()?,
            "-empty" => Expr::Empty,
            "-links" => Expr::Links(amount(&self.value(known)?)?),
            "-inum" => Expr::Inode(amount(&self.value(known)?)?),
            "-samefile" => {
                let about = self.about(known)?;
                Expr::Same(about.device, about.inode)
            }
            // It decides where to go, and is no action: what is left is still printed.
            "-prune" => {
                self.prunes = true;
                Expr::Prune
            }
            "-true" => Expr::Constant(true),
            "-false" => Expr::Constant(false),
            "-perm" => Expr::Perm(Perm::parse(&self.value(known)?)?),
            // Nothing here has an owner to tell apart.
            "-user" | "-group" | "-uid" | "-gid" | "-fstype" => {
                self.value(known)?;
                Expr::Constant(true)
            }
            "-readable" => Expr::May('r'),
            "-writable" => Expr::May('w'),
            "-executable" => Expr::May('x'),
            "-nouser" | "-nogroup" => Expr::Constant(false),
            _ if !known.starts_with('-') => return Err(format!("paths must precede expression: `{known}'")),
            _ => return Err(format!("unknown predicate `{known}'")),
        })
    }

    /// Tests of times.
    fn moments(&mut self, name: &str) -> Result<Option<Expr>, String> {
        if let Some(letters) = name.strip_prefix("-newer") {
            let mut letters = letters.chars();
            let (time, other) = match (letters.next(), letters.next(), letters.next()) {
                (None, ..) => (Time::Modified, 'm'),
                (Some(time), Some(other), None) => match Time::named(time) {
                    Some(time) => (time, other),
                    None => return Err(format!("unknown predicate `{name}'")),
                },
                _ => return Err(format!("unknown predicate `{name}'")),
            };
            return self.newer(name, time, other).map(Some);
        }
        let mut letters = name.strip_prefix('-').unwrap_or_default().chars();
        let time = letters.next().and_then(Time::named);
        Ok(Some(match (letters.as_str(), time) {
            ("time", Some(time)) => Expr::Age(time, amount(&self.value(name)?)?, 86_400.0),
            ("min", Some(time)) => Expr::Age(time, amount(&self.value(name)?)?, 60.0),
            ("newer", Some(time)) if time != Time::Modified => self.newer(name, time, 'm')?,
            _ => return Ok(None),
        }))
    }

    /// Newer than such a time of a file, or, with `t`, than a moment.
    fn newer(&mut self, name: &str, time: Time, other: char) -> Result<Expr, String> {
        if other == 't' {
            let text = self.value(name)?;
            let moment = crate::when::parse(&text, Moment::now());
            let moment =
                moment.ok_or_else(|| format!("I cannot figure out how to interpret ‘{text}’ as a date or time"))?;
            return Ok(Expr::Newer(time, moment));
        }
        let other = Time::named(other).ok_or_else(|| format!("unknown predicate `{name}'"))?;
        Ok(Expr::Newer(time, other.of(&self.about(name)?)))
    }

    fn about(&mut self, name: &str) -> Result<About, String> {
        let path = self.value(name)?;
        About::of(&path).map_err(|error| format!("‘{path}’: {}", crate::reason(&error)))
    }

    fn kinds(&mut self, name: &str) -> Result<String, String> {
        let kinds = self.value(name)?;
        match kinds.split(',').find(|kind| kind.len() != 1 || !"bcdpflsD".contains(kind)) {
            Some(kind) => Err(format!("Unknown argument to {name}: {kind}")),
            None => Ok(kinds),
        }
    }

    fn expression(&mut self, name: &str) -> Result<Expr, String> {
        let pattern = self.value(name)?;
        let translated = match self.regex {
            Syntax::Emacs => translate(&posix(&pattern), Kind::Extended)?,
            Syntax::Posix(kind) => translate(&pattern, kind)?,
        };
        let flags = if name == "-iregex" { "(?si)" } else { "(?s)" };
        let regex = Regex::new(&format!("{flags}^(?:{})$", translated.text));
        Ok(Expr::Regex(regex.map_err(|_| format!("bad regular expression `{pattern}'"))?))
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

/// An expression as Emacs has it, in the way of POSIX.
fn posix(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    let mut set = false;
    while let Some(c) = rest.next() {
        match c {
            '[' if !set => {
                set = true;
                out.push('[');
                // What closes at once stands for itself.
                let inner = rest.as_str();
                let skipped = usize::from(inner.starts_with('^'));
                let skipped = skipped + usize::from(inner[skipped..].starts_with(']'));
                out.extend(rest.by_ref().take(skipped));
            }
            ']' => {
                set = false;
                out.push(']');
            }
            '\\' if !set => match rest.next() {
                Some(sign @ ('(' | ')' | '|')) => out.push(sign),
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => out.push_str("\\\\"),
            },
            '(' | ')' | '|' | '{' | '}' if !set => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn amount(text: &str) -> Result<Amount, String> {
    let (make, digits): (fn(f64) -> Amount, &str) = match text.split_at_checked(1) {
        Some(("+", digits)) => (Amount::More, digits),
        Some(("-", digits)) => (Amount::Less, digits),
        _ => (Amount::Exactly, text),
    };
    digits.parse().map(make).map_err(|_| format!("invalid argument `{text}'"))
}
