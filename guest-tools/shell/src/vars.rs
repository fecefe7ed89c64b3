//! Variables.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An associative array. Its order is that of bash, which scripts come to rely on: by hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(String, String)>", into = "Vec<(String, String)>")]
pub(crate) struct Table(BTreeMap<(u32, String), String>);

/// The buckets of bash's associative arrays.
const BUCKETS: u32 = 1024;

fn bucket(key: &str) -> u32 {
    let hash = key.bytes().fold(2_166_136_261_u32, |hash, byte| hash.wrapping_mul(16_777_619) ^ u32::from(byte));
    hash & (BUCKETS - 1)
}

impl Table {
    pub(crate) fn get(&self, key: &str) -> Option<&String> {
        self.0.get(&(bucket(key), key.to_owned()))
    }

    pub(crate) fn insert(&mut self, key: &str, value: String) {
        self.0.insert((bucket(key), key.to_owned()), value);
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.remove(&(bucket(key), key.to_owned()));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter().map(|((_, key), value)| (key, value))
    }
}

impl From<Vec<(String, String)>> for Table {
    fn from(pairs: Vec<(String, String)>) -> Self {
        let mut table = Self::default();
        for (key, value) in pairs {
            table.insert(&key, value);
        }
        table
    }
}

impl From<Table> for Vec<(String, String)> {
    fn from(table: Table) -> Self {
        table.0.into_iter().map(|((_, key), value)| (key, value)).collect()
    }
}

/// What a variable holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Value {
    /// Declared, and nothing more.
    #[default]
    Unset,
    Scalar(String),
    Indexed(BTreeMap<i64, String>),
    Table(Table),
}

impl Value {
    pub(crate) fn list(values: impl IntoIterator<Item = String>) -> Self {
        Self::Indexed((0..).zip(values).collect())
    }

    /// What the bare name gives.
    pub(crate) fn scalar(&self) -> Option<String> {
        match self {
            Self::Unset => None,
            Self::Scalar(text) => Some(text.clone()),
            Self::Indexed(items) => items.get(&0).cloned(),
            Self::Table(items) => items.get("0").cloned(),
        }
    }

    pub(crate) fn values(&self) -> Vec<String> {
        match self {
            Self::Unset => Vec::new(),
            Self::Scalar(text) => vec![text.clone()],
            Self::Indexed(items) => items.values().cloned().collect(),
            Self::Table(items) => items.iter().map(|(_, value)| value.clone()).collect(),
        }
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        match self {
            Self::Unset => Vec::new(),
            Self::Scalar(_) => vec!["0".to_owned()],
            Self::Indexed(items) => items.keys().map(ToString::to_string).collect(),
            Self::Table(items) => items.iter().map(|(key, _)| key.clone()).collect(),
        }
    }
}

/// A variable's attributes beside its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "bash has this many")]
pub(crate) struct Attributes {
    pub(crate) exported: bool,
    pub(crate) readonly: bool,
    pub(crate) integer: bool,
    pub(crate) upper: bool,
    pub(crate) lower: bool,
    pub(crate) nameref: bool,
}

/// A variable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Variable {
    pub(crate) value: Value,
    pub(crate) has: Attributes,
}

impl Variable {
    pub(crate) fn scalar(text: impl Into<String>) -> Self {
        Self { value: Value::Scalar(text.into()), has: Attributes::default() }
    }

    /// As `declare -p` names them.
    pub(crate) fn flags(&self) -> String {
        let mut flags = String::new();
        let has = self.has;
        let array = matches!(self.value, Value::Indexed(_));
        let table = matches!(self.value, Value::Table(_));
        for (set, flag) in [
            (array, 'a'),
            (table, 'A'),
            (has.integer, 'i'),
            (has.lower, 'l'),
            (has.nameref, 'n'),
            (has.readonly, 'r'),
            (has.upper, 'u'),
            (has.exported, 'x'),
        ] {
            if set {
                flags.push(flag);
            }
        }
        flags
    }
}

type Scope = BTreeMap<String, Variable>;

/// All variables: the global ones, and those of the functions that run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Variables {
    globals: Scope,
    locals: Vec<Scope>,
}

impl Variables {
    pub(crate) fn get(&self, name: &str) -> Option<&Variable> {
        self.locals.iter().rev().find_map(|scope| scope.get(name)).or_else(|| self.globals.get(name))
    }

    /// The variable of this name, in the scope where it is; a new one is global.
    pub(crate) fn entry(&mut self, name: &str) -> &mut Variable {
        let place = self.locals.iter().rposition(|scope| scope.contains_key(name));
        let scope = match place {
            Some(at) => &mut self.locals[at],
            None => &mut self.globals,
        };
        scope.entry(name.to_owned()).or_default()
    }

    pub(crate) fn global_entry(&mut self, name: &str) -> &mut Variable {
        self.globals.entry(name.to_owned()).or_default()
    }

    /// The variable of this name in the innermost scope, made if there is none there.
    pub(crate) fn local_entry(&mut self, name: &str) -> &mut Variable {
        self.locals.last_mut().unwrap_or(&mut self.globals).entry(name.to_owned()).or_default()
    }

    pub(crate) fn is_local(&self, name: &str) -> bool {
        self.locals.last().is_some_and(|scope| scope.contains_key(name))
    }

    pub(crate) fn locals(&self) -> impl Iterator<Item = (&String, &Variable)> {
        self.locals.iter().flat_map(|scope| scope.iter())
    }

    /// Takes a variable away; gives what it was.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Variable> {
        let count = self.locals.len();
        for (at, scope) in self.locals.iter_mut().enumerate().rev() {
            if let Some(variable) = scope.get_mut(name) {
                let was = std::mem::take(variable);
                // A local one that is unset stays local.
                if at + 1 != count {
                    scope.remove(name);
                }
                return Some(was);
            }
        }
        self.globals.remove(name)
    }

    /// Puts back what [`get`](Self::get) gave.
    pub(crate) fn put(&mut self, name: &str, variable: Option<Variable>) {
        match variable {
            Some(variable) => *self.entry(name) = variable,
            None => {
                self.remove(name);
            }
        }
    }

    pub(crate) fn enter(&mut self) {
        self.locals.push(Scope::new());
    }

    pub(crate) fn leave(&mut self) {
        self.locals.pop();
    }

    pub(crate) fn in_function(&self) -> bool {
        !self.locals.is_empty()
    }

    /// All that can be seen, by name.
    pub(crate) fn visible(&self) -> BTreeMap<&String, &Variable> {
        let mut visible: BTreeMap<&String, &Variable> = self.globals.iter().collect();
        for scope in &self.locals {
            visible.extend(scope);
        }
        visible
    }
}
