//! What was typed.

use crate::pattern::{PATTERNS, Pattern};
use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;
use std::str::FromStr;

pub(crate) const USAGE: &str = "\
usage: handbox-power-loss [--trials N] [--seed N] [--lanes N] [--folder DIR] [PATTERN ...]

  --trials N     of each pattern (30)
  --seed N       of the moments at which the power is cut (1)
  --lanes N      how many trials run at once, each on a file system of its own (4)
  --folder DIR   where the file systems' files are; must allow direct I/O (the folder for temporary files)
  PATTERN        a part of a pattern's name; without any, all run";

/// First words by which the program starts itself.
pub(crate) const INNER: &str = "inner";
pub(crate) const WRITE: &str = "write";
pub(crate) const COUNT: &str = "count";

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) role: Role,
    pub(crate) trials: u64,
    pub(crate) seed: u64,
    pub(crate) lanes: usize,
    pub(crate) folder: PathBuf,
    pub(crate) patterns: Vec<&'static Pattern>,
}

#[derive(Debug)]
pub(crate) enum Role {
    /// What a person starts.
    Outer,
    /// The same, with mounts of its own.
    Inner,
    Write {
        pattern: &'static Pattern,
        folder: PathBuf,
    },
    Count {
        pattern: &'static Pattern,
        folder: PathBuf,
    },
}

impl Arguments {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut words = words.peekable();
        let mut arguments = Self {
            role: Role::Outer,
            trials: 30,
            seed: 1,
            lanes: 4,
            folder: std::env::temp_dir(),
            patterns: Vec::new(),
        };
        match words.peek().map(String::as_str) {
            Some(INNER) => arguments.role = Role::Inner,
            Some(WRITE) => {
                let (pattern, folder) = role(words)?;
                return Ok(Self { role: Role::Write { pattern, folder }, ..arguments });
            }
            Some(COUNT) => {
                let (pattern, folder) = role(words)?;
                return Ok(Self { role: Role::Count { pattern, folder }, ..arguments });
            }
            _ => {}
        }
        if matches!(arguments.role, Role::Inner) {
            words.next();
        }
        while let Some(word) = words.next() {
            match word.as_str() {
                "--trials" => arguments.trials = value(&word, words.next())?,
                "--seed" => arguments.seed = value(&word, words.next())?,
                "--lanes" => arguments.lanes = value(&word, words.next())?,
                "--folder" => arguments.folder = value(&word, words.next())?,
                option if option.starts_with('-') => bail!("no option is called {option}"),
                part => arguments.choose(part)?,
            }
        }
        ensure!(arguments.trials > 0 && (1..=16).contains(&arguments.lanes), "at least one trial, and 1 to 16 lanes");
        if arguments.patterns.is_empty() {
            arguments.patterns = PATTERNS.iter().collect();
        }
        Ok(arguments)
    }

    fn choose(&mut self, part: &str) -> Result<()> {
        let before = self.patterns.len();
        self.patterns.extend(PATTERNS.iter().filter(|pattern| pattern.name.contains(part)));
        let known: Vec<_> = PATTERNS.iter().map(|pattern| pattern.name).collect();
        ensure!(self.patterns.len() > before, "no pattern is called {part:?}; there are: {}", known.join(", "));
        Ok(())
    }
}

fn role(mut words: impl Iterator<Item = String>) -> Result<(&'static Pattern, PathBuf)> {
    let (name, folder) = (words.nth(1).context("a pattern")?, words.next().context("a folder")?);
    let pattern = PATTERNS.iter().find(|pattern| pattern.name == name).context("a pattern's name")?;
    Ok((pattern, folder.into()))
}

fn value<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(option: &str, word: Option<String>) -> Result<T> {
    let word = word.with_context(|| format!("{option} needs a value"))?;
    word.parse().with_context(|| format!("{option} {word}"))
}
