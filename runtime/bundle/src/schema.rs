//! The parts of a JSON Schema that could hurt whoever works with it.

use crate::error::{BundleError, shown};
use serde_json::Value;
use std::collections::BTreeSet;

/// What the contract promises for a schema, as compact JSON.
pub const SCHEMA_BYTES_MAX: usize = 64 << 10;

/// Deeper than any schema for people; keeps every recursive walk off the end of the stack.
const SCHEMA_DEPTH_MAX: usize = 64;

/// Keywords that refer to another schema.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// Keywords whose subschemas apply to the same place of the instance, so that a circle of
/// references through them never comes to an end.
const SAME_PLACE_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const SAME_PLACE_ONES: [&str; 4] = ["not", "if", "then", "else"];

/// Checks size, depth and that every reference stays inside and comes to an end.
pub(crate) fn check_schema(what: &str, schema: &Value) -> Result<(), BundleError> {
    if !schema.is_object() {
        return Err(BundleError::broken(format!("the {what} is not a JSON object"), "write a JSON Schema"));
    }
    check_node(what, schema, SCHEMA_DEPTH_MAX)?;
    let size = schema.to_string().len();
    if size > SCHEMA_BYTES_MAX {
        let message = format!("the {what} has {size} bytes, more than 64 KiB");
        return Err(BundleError::broken(message, "shorten it; a model reads it with every request"));
    }
    let mut circle = Circle { root: schema, open: Vec::new(), done: BTreeSet::new() };
    circle.follow_all(schema).map_err(|fault| match fault {
        Fault::Endless(to) => {
            let message = format!("the {what} refers to itself without end at `{}`", shown(to));
            BundleError::broken(message, "let a circle of $ref pass through `properties` or `items`")
        }
        Fault::Dangling(to) => {
            let message = format!("the {what} refers to `{}`, and there is nothing", shown(to));
            BundleError::broken(message, "correct the reference, or add what it means under $defs")
        }
    })
}

fn check_node(what: &str, node: &Value, depth: usize) -> Result<(), BundleError> {
    let Some(depth) = depth.checked_sub(1) else {
        let message = format!("the {what} is nested more than {SCHEMA_DEPTH_MAX} deep");
        return Err(BundleError::broken(message, "make it flatter, for example with $defs"));
    };
    match node {
        Value::Array(items) => items.iter().try_for_each(|item| check_node(what, item, depth)),
        Value::Object(entries) => {
            for (key, value) in entries {
                let is_reference = REFERENCES.contains(&key.as_str());
                match value.as_str() {
                    Some(to) if is_reference && !is_local(to) => {
                        let message = format!("the {what} has the reference `{}`, which is not inside it", shown(to));
                        return Err(BundleError::broken(message, "refer to `#/$defs/…`; nothing is ever fetched"));
                    }
                    Some(_) if key == "$id" => {
                        let message = format!("the {what} has an `$id`, which would change what its references mean");
                        return Err(BundleError::broken(message, "leave it out"));
                    }
                    _ => check_node(what, value, depth)?,
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What is wrong with a reference.
enum Fault<'s> {
    Endless(&'s str),
    Dangling(&'s str),
}

/// Follows references that apply to the same place of the instance.
struct Circle<'s> {
    root: &'s Value,
    open: Vec<&'s str>,
    done: BTreeSet<&'s str>,
}

impl<'s> Circle<'s> {
    /// Starts from every object in the schema, whether or not it is a subschema. Its depth
    /// has been checked.
    fn follow_all(&mut self, node: &'s Value) -> Result<(), Fault<'s>> {
        match node {
            Value::Object(entries) => {
                self.follow(node)?;
                entries.values().try_for_each(|value| self.follow_all(value))
            }
            Value::Array(items) => items.iter().try_for_each(|item| self.follow_all(item)),
            _ => Ok(()),
        }
    }

    fn follow(&mut self, node: &'s Value) -> Result<(), Fault<'s>> {
        let references = REFERENCES.iter().filter_map(|key| node.get(key)?.as_str());
        for to in references.filter(|to| is_local(to)) {
            if self.open.contains(&to) || self.open.len() >= SCHEMA_DEPTH_MAX {
                return Err(Fault::Endless(to));
            }
            if !self.done.contains(to) {
                let pointer = percent_decoded(to.trim_start_matches('#'));
                let target = pointer.and_then(|pointer| self.root.pointer(&pointer)).ok_or(Fault::Dangling(to))?;
                self.open.push(to);
                self.follow(target)?;
                self.open.pop();
                self.done.insert(to);
            }
        }
        let lists = SAME_PLACE_LISTS.iter().filter_map(|key| node.get(key)?.as_array()).flatten();
        let ones = SAME_PLACE_ONES.iter().filter_map(|key| node.get(key));
        lists.chain(ones).try_for_each(|inner| self.follow(inner))
    }
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
