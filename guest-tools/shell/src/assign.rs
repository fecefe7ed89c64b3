//! Giving values to variables.

use crate::shell::{Flow, Shell};
use crate::state::{ALLEXPORT, ERREXIT};
use crate::vars::{Table, Value};
use crate::word::Index;
use brush_parser::ast::{Assignment, AssignmentName, AssignmentValue, Word};
use std::collections::BTreeMap;

/// It may not be changed; that has been said.
#[derive(Debug)]
pub(crate) struct Readonly;

impl Shell {
    /// Assigns to a variable or one of its elements. `append` adds to what is there.
    ///
    /// # Errors
    ///
    /// It may not be changed.
    pub(crate) fn assign(
        &mut self,
        (name, index): (&str, Option<&Index>),
        value: &str,
        append: bool,
    ) -> Result<(), Readonly> {
        let (name, own_index) = self.target(name);
        let index = own_index.as_ref().or(index);
        self.refuse_readonly(&name)?;
        match name.as_str() {
            "SECONDS" => self.state.began = crate::clock::seconds() - value.parse::<i64>().unwrap_or(0),
            "RANDOM" => self.seed = value.parse::<u64>().unwrap_or(1) | (1 << 40),
            "OPTIND" => self.state.getopts_at = 0,
            _ => {}
        }
        let has = self.state.vars.get(&name).map(|variable| variable.has).unwrap_or_default();
        let mut value = value.to_owned();
        if append && !has.integer {
            let old = self.parameter(&name, index).ok();
            if let Some(crate::expand::Got::One(old)) = old {
                value = old + &value;
            }
        }
        if has.integer {
            let Ok(mut number) = self.arithmetic(&value) else { return Err(Readonly) };
            if append && let Ok(crate::expand::Got::One(old)) = self.parameter(&name, index) {
                number = number.wrapping_add(self.arithmetic(&old).unwrap_or(0));
            }
            value = number.to_string();
        } else if has.upper {
            value = value.to_uppercase();
        } else if has.lower {
            value = value.to_lowercase();
        }
        self.store(&name, index, value)
    }

    fn store(&mut self, name: &str, index: Option<&Index>, value: String) -> Result<(), Readonly> {
        let exports = self.state.has(ALLEXPORT);
        let table = matches!(self.state.vars.get(name).map(|variable| &variable.value), Some(Value::Table(_)));
        match index {
            Some(Index::At(source)) if table => {
                let Ok(key) = self.expand_one(source) else { return Err(Readonly) };
                if let Value::Table(items) = &mut self.vars().entry(name).value {
                    items.insert(&key, value);
                }
            }
            Some(Index::At(source)) => {
                let at = self.expand_one(source).and_then(|source| self.arithmetic(&source));
                let Ok(at) = at else { return Err(Readonly) };
                let variable = self.vars().entry(name);
                let items = indexed(&mut variable.value);
                let end = items.keys().next_back().map_or(0, |last| last + 1);
                let at = if at < 0 { end + at } else { at };
                if at < 0 {
                    self.complain(&format!("{name}[{source}]: bad array subscript"));
                    return Err(Readonly);
                }
                items.insert(at, value);
            }
            _ => match &mut self.vars().entry(name).value {
                Value::Indexed(items) => {
                    items.insert(0, value);
                }
                Value::Table(items) => items.insert("0", value),
                scalar => *scalar = Value::Scalar(value),
            },
        }
        if exports {
            self.vars().entry(name).has.exported = true;
        }
        Ok(())
    }

    /// Says so if a variable may not be changed.
    pub(crate) fn refuse_readonly(&self, name: &str) -> Result<(), Readonly> {
        if self.state.vars.get(name).is_some_and(|variable| variable.has.readonly) {
            self.complain(&format!("{name}: readonly variable"));
            return Err(Readonly);
        }
        Ok(())
    }

    /// Carries out an assignment as it stands in a command.
    ///
    /// # Errors
    ///
    /// An expansion failed, or it may not be changed: that leaves the line.
    pub(crate) fn assign_parsed(&mut self, assignment: &Assignment) -> Result<(), Flow> {
        let (name, index) = match &assignment.name {
            AssignmentName::VariableName(name) => (name, None),
            AssignmentName::ArrayElementName(name, index) => (name, Some(Index::At(index.clone()))),
        };
        match &assignment.value {
            AssignmentValue::Scalar(word) => {
                let value = self.expand_assigned(&word.value)?;
                self.trace_assignment(name, index.as_ref(), &value, assignment.append);
                self.assign((name, index.as_ref()), &value, assignment.append).map_err(|Readonly| self.refused())
            }
            AssignmentValue::Array(items) => self.assign_array(name, items, assignment.append),
        }
    }

    /// What an assignment that failed does: where failures count it ends the shell.
    fn refused(&self) -> Flow {
        if self.state.has(ERREXIT) && self.state.in_condition == 0 { Flow::Exit(1) } else { Flow::Discard(1) }
    }

    fn trace_assignment(&mut self, name: &str, index: Option<&Index>, value: &str, append: bool) {
        if self.state.has(crate::state::XTRACE) {
            let index = if let Some(Index::At(source)) = index { format!("[{source}]") } else { String::new() };
            let sign = if append { "+=" } else { "=" };
            self.trace(&format!("{name}{index}{sign}{}", crate::text::quoted_if_needed(value)));
        }
    }

    /// `name=(…)`.
    pub(crate) fn assign_array(
        &mut self,
        name: &str,
        items: &[(Option<Word>, Word)],
        append: bool,
    ) -> Result<(), Flow> {
        let name = self.target(name).0;
        self.refuse_readonly(&name).map_err(|Readonly| self.refused())?;
        let old = self.state.vars.get(&name).map(|variable| variable.value.clone()).unwrap_or_default();
        let value = if let Value::Table(table) = &old {
            let table = if append { table.clone() } else { Table::default() };
            Value::Table(self.table_items(table, items)?)
        } else {
            let mut old = if append { old } else { Value::Unset };
            let start = std::mem::take(indexed(&mut old));
            Value::Indexed(self.indexed_items(&name, start, items)?)
        };
        self.vars().entry(&name).value = value;
        Ok(())
    }

    fn table_items(&mut self, mut table: Table, items: &[(Option<Word>, Word)]) -> Result<Table, Flow> {
        let mut loose = Vec::new();
        for (key, word) in items {
            if let Some(key) = key {
                let key = self.expand_one(&key.value)?;
                let value = self.expand_assigned(&word.value)?;
                table.insert(&key, value);
            } else {
                self.expand_into(&word.value, &mut loose)?;
            }
        }
        for pair in loose.chunks(2) {
            table.insert(&pair[0], pair.get(1).cloned().unwrap_or_default());
        }
        Ok(table)
    }

    fn indexed_items(
        &mut self,
        name: &str,
        mut all: BTreeMap<i64, String>,
        items: &[(Option<Word>, Word)],
    ) -> Result<BTreeMap<i64, String>, Flow> {
        let integer = self.state.vars.get(name).is_some_and(|variable| variable.has.integer);
        let mut at = all.keys().next_back().map_or(0, |last| last + 1);
        for (key, word) in items {
            let mut values = Vec::new();
            if let Some(key) = key {
                let source = self.expand_one(&key.value)?;
                at = self.arithmetic(&source)?;
                values.push(self.expand_assigned(&word.value)?);
            } else {
                self.expand_into(&word.value, &mut values)?;
            }
            for mut value in values {
                if integer {
                    value = self.arithmetic(&value)?.to_string();
                }
                all.insert(at, value);
                at += 1;
            }
        }
        Ok(all)
    }
}

/// Makes an indexed array of whatever it is.
pub(crate) fn indexed(value: &mut Value) -> &mut BTreeMap<i64, String> {
    if !matches!(value, Value::Indexed(_)) {
        let first = value.scalar().map(|text| (0, text));
        *value = Value::Indexed(first.into_iter().collect());
    }
    match value {
        Value::Indexed(items) => items,
        _ => unreachable!("it was just made one"),
    }
}
