//! The parts of a JSON Schema that could hurt whoever works with it.

use crate::error::{BundleError, shown};
use crate::schema_cost::{EVALUATIONS_MAX, Fault, check_cost};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What the contract promises for a schema, as compact JSON.
pub const SCHEMA_BYTES_MAX: usize = 64 << 10;

/// Deeper than any schema for people; keeps every recursive walk off the end of the stack.
const SCHEMA_DEPTH_MAX: usize = 64;

/// Longer than any pattern that people read.
const PATTERN_BYTES_MAX: usize = 1024;

/// Each different pattern is compiled into memory of its own, on the host.
const PATTERNS_MAX: usize = 100;

/// References whose target depends on the way to them.
const DYNAMIC_REFERENCES: [&str; 2] = ["$dynamicRef", "$recursiveRef"];

/// What `$schema` may say. The contract is 2020-12; tools that write schemas for these older
/// drafts mean the same by what people use. In draft 4, `id` would change what references mean.
const MODERN: &str = "://json-schema.org/draft/2020-12/schema";
const OLDER: [&str; 3] = [
    "://json-schema.org/draft/2019-09/schema",
    "://json-schema.org/draft-07/schema",
    "://json-schema.org/draft-06/schema",
];

/// Checks that nobody who works with the schema can be hurt: size, depth, patterns, and that
/// references stay inside, come to an end, and do not multiply.
///
/// `uniqueItems` needs no bound: validators compare hashes, so it costs what reading does.
/// Neither do lengths, numbers and `enum`, which cost at most the schema's size.
pub(crate) fn check_schema(what: &str, schema: &Value) -> Result<(), BundleError> {
    if !schema.is_object() {
        return Err(BundleError::broken(format!("the {what} is not a JSON object"), "write a JSON Schema"));
    }
    let mut seen = Seen { what, modern: true, patterns: BTreeSet::new() };
    seen.check_node(schema, SCHEMA_DEPTH_MAX)?;
    let size = schema.to_string().len();
    if size > SCHEMA_BYTES_MAX {
        let message = format!("the {what} has {size} bytes, more than 64 KiB");
        return Err(BundleError::broken(message, "shorten it; a model reads it with every request"));
    }
    check_cost(schema, size, seen.modern).map_err(|fault| cost_error(what, &fault))
}

fn cost_error(what: &str, fault: &Fault) -> BundleError {
    let (message, hint) = match fault {
        Fault::Endless(place) => (
            format!("the {what} refers to itself without end at `{}`", shown(place)),
            "let a circle of $ref pass through `properties` or `items`",
        ),
        Fault::Dangling(to) => (
            format!("the {what} refers to `{}`, and there is nothing", shown(to)),
            "correct the reference, or add what it means under $defs",
        ),
        Fault::Wide(place) => (
            format!(
                "the {what} evaluates subschemas more than {EVALUATIONS_MAX} times at one place of an input, because of `{}`",
                shown(place)
            ),
            "let fewer $ref in allOf, anyOf, oneOf and the like lead to the same subschema",
        ),
        Fault::Deep(place) => (
            format!("the {what} evaluates `{}` more often, the deeper an input is", shown(place)),
            "let one way only lead back into a schema that holds itself; in alternatives, give the property that \
             holds it different names",
        ),
        Fault::Intricate => (
            format!("the {what} combines its subschemas in too many ways to tell what it costs"),
            "let allOf, anyOf, oneOf and patternProperties combine fewer schemas that refer to one another",
        ),
    };
    BundleError::broken(message, hint)
}

/// What has been seen of a schema.
struct Seen<'s> {
    what: &'s str,
    /// Every part is read as 2020-12.
    modern: bool,
    patterns: BTreeSet<&'s str>,
}

impl<'s> Seen<'s> {
    fn check_node(&mut self, node: &'s Value, depth: usize) -> Result<(), BundleError> {
        let what = self.what;
        let Some(depth) = depth.checked_sub(1) else {
            let message = format!("the {what} is nested more than {SCHEMA_DEPTH_MAX} deep");
            return Err(BundleError::broken(message, "make it flatter, for example with $defs"));
        };
        match node {
            Value::Array(items) => items.iter().try_for_each(|item| self.check_node(item, depth)),
            Value::Object(entries) => entries.iter().try_for_each(|(key, value)| {
                if let ("patternProperties", Value::Object(patterns)) = (key.as_str(), value) {
                    patterns.keys().try_for_each(|pattern| self.check_pattern(pattern))?;
                }
                match value {
                    Value::String(text) => self.check_text(key, text),
                    _ => self.check_node(value, depth),
                }
            }),
            _ => Ok(()),
        }
    }

    fn check_text(&mut self, key: &str, text: &'s str) -> Result<(), BundleError> {
        let what = self.what;
        match key {
            "$ref" if !is_local(text) => {
                let message = format!("the {what} has the reference `{}`, which is not inside it", shown(text));
                Err(BundleError::broken(message, "refer to `#/$defs/…`; nothing is ever fetched"))
            }
            _ if DYNAMIC_REFERENCES.contains(&key) => {
                let message = format!("the {what} has a `{key}`, whose target depends on the way there");
                Err(BundleError::broken(message, "write $ref"))
            }
            "$id" => {
                let message = format!("the {what} has an `$id`, which would change what its references mean");
                Err(BundleError::broken(message, "leave it out"))
            }
            "$schema" => {
                let name = text.strip_suffix('#').unwrap_or(text);
                let name = name.strip_prefix("https").or(name.strip_prefix("http")).unwrap_or_default();
                self.modern &= name == MODERN;
                if name == MODERN || OLDER.contains(&name) {
                    return Ok(());
                }
                let message = format!("the {what} has the `$schema` `{}`", shown(text));
                Err(BundleError::broken(message, "write a schema of 2020-12, and leave `$schema` out"))
            }
            "pattern" => self.check_pattern(text),
            _ => Ok(()),
        }
    }

    fn check_pattern(&mut self, pattern: &'s str) -> Result<(), BundleError> {
        let what = self.what;
        if pattern.len() > PATTERN_BYTES_MAX {
            let message = format!("the {what} has a pattern of more than {PATTERN_BYTES_MAX} bytes");
            return Err(BundleError::broken(message, "check such a text in the tool"));
        }
        self.patterns.insert(pattern);
        if self.patterns.len() > PATTERNS_MAX {
            let message = format!("the {what} has more than {PATTERNS_MAX} different patterns");
            return Err(BundleError::broken(message, "check some of the texts in the tool"));
        }
        Ok(())
    }
}

/// There is nothing where this reference leads.
pub(crate) struct Dangling<'s>(pub(crate) &'s str);

/// Where the reference of a subschema leads, if it has one.
pub(crate) fn target<'s>(root: &'s Value, schema: &'s Map<String, Value>) -> Result<Option<&'s Value>, Dangling<'s>> {
    let Some(to) = schema.get("$ref").and_then(Value::as_str) else { return Ok(None) };
    let pointer = to.strip_prefix('#').and_then(percent_decoded);
    pointer.and_then(|pointer| root.pointer(&pointer)).map(Some).ok_or(Dangling(to))
}

fn is_local(reference: &str) -> bool {
    reference == "#" || reference.starts_with("#/")
}

/// A reference is a URI, so `#/$defs/a` may be written `#/%24defs/a`.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                u8::try_from(high * 16 + low).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}
