//! `${x@Q}` and its like.

use super::param::Got;
use crate::shell::{Flow, Shell};
use crate::text::{Escapes, double_quoted, single_quoted, unescape};
use crate::vars::Value;
use crate::word::Index;

impl Shell {
    pub(super) fn transform(
        &mut self,
        kind: char,
        (name, index): (&str, Option<&Index>),
        got: Got,
    ) -> Result<Got, Flow> {
        let name = self.target(name).0;
        Ok(match kind {
            'Q' => got.map(|value| single_quoted(&value)),
            'U' => got.map(|value| value.to_uppercase()),
            'L' => got.map(|value| value.to_lowercase()),
            'u' => got.map(|value| {
                let mut chars = value.chars();
                chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
            }),
            'E' => got.map(|value| unescape(&value, Escapes::Quote).text),
            'a' => {
                let flags = self.state.vars.get(&name).map(crate::vars::Variable::flags);
                flags.map_or(Got::Unset, Got::One)
            }
            'A' => self.as_assignment(&name, index, &got),
            'K' | 'k' => self.pairs(&name, kind, got),
            _ => got,
        })
    }

    fn as_assignment(&self, name: &str, index: Option<&Index>, got: &Got) -> Got {
        let Some(variable) = self.state.vars.get(name) else { return Got::Unset };
        let flags = variable.flags();
        if matches!(index, Some(Index::Each | Index::Joined)) {
            return Got::One(crate::builtins::declare::shown(name, variable));
        }
        let Got::One(value) = got else { return Got::Unset };
        if flags.is_empty() {
            return Got::One(format!("{name}={}", single_quoted(value)));
        }
        Got::One(format!("declare -{flags} {name}={}", single_quoted(value)))
    }

    fn pairs(&self, name: &str, kind: char, got: Got) -> Got {
        let Some(variable) = self.state.vars.get(name) else { return got };
        if matches!(variable.value, Value::Scalar(_) | Value::Unset) {
            return got.map(|value| single_quoted(&value));
        }
        let pairs = variable.value.keys().into_iter().zip(variable.value.values());
        if kind == 'k' {
            return Got::many(pairs.flat_map(|(key, value)| [key, value]).collect(), false);
        }
        let shown: Vec<String> = pairs.map(|(key, value)| format!("{key} {}", double_quoted(&value))).collect();
        Got::One(shown.join(" "))
    }
}
