//! JSON Schemas as a model should be shown them: whole, and without noise.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

/// The input of a tool that takes none.
#[derive(serde::Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
pub struct NoInput {}

/// Renders the schema of a type.
///
/// Types inside it stand where they are used: some models and checkers follow no `$ref`.
/// Titles are dropped, since they only repeat Rust's names; so are number formats that
/// JSON Schema does not know. A property that may be left out is not offered `null` as
/// well, which says the same twice.
pub fn schema_of<T: JsonSchema>() -> String {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    Quiet.transform(&mut schema);
    if let Some(object) = schema.as_object_mut() {
        // The doc comment of the input type is for programmers; the tool's own is the model's.
        object.remove("description");
        if object.get("type") == Some(&Value::from("object")) {
            object.entry("properties").or_insert_with(|| Map::new().into());
        }
    }
    let mut text = String::new();
    write(schema.as_value(), &mut text);
    text
}

/// The order in which a schema's own words read best; any others come after them.
const ORDER: [&str; 4] = ["type", "description", "properties", "items"];

/// Writes a schema in an order to read it in, where a map would give that of the alphabet:
/// required properties first, as they were declared. (A map that keeps the order would
/// make every tool import random numbers for its hashes.)
fn write(schema: &Value, to: &mut String) {
    let Value::Object(schema) = schema else {
        to.push_str(&schema.to_string());
        return;
    };
    let required: Vec<&str> = match schema.get("required") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    write_map(schema, &ORDER, to, |key, value, to| match value {
        Value::Object(properties) if key == "properties" => {
            write_map(properties, &required, to, |_, property, to| write(property, to));
        }
        value => write(value, to),
    });
}

fn write_map(map: &Map<String, Value>, first: &[&str], to: &mut String, value: impl Fn(&str, &Value, &mut String)) {
    let rank = |key: &str| first.iter().position(|name| *name == key).unwrap_or(first.len());
    let mut entries: Vec<_> = map.iter().collect();
    // Stable, so that the others keep the order they had.
    entries.sort_by_key(|(key, _)| rank(key));
    to.push('{');
    for (i, (key, entry)) in entries.into_iter().enumerate() {
        if i > 0 {
            to.push(',');
        }
        to.push_str(&Value::from(key.as_str()).to_string());
        to.push(':');
        value(key, entry, to);
    }
    to.push('}');
}

/// Joins the lines of a paragraph: where a doc comment's lines end is no business of a
/// model's. Lists, tables, code and blank lines stay as they are.
pub(crate) fn reflow(text: &str) -> String {
    let mut flowing = String::with_capacity(text.len());
    let mut code = false;
    let mut previous = "";
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        let begins = |marks: &[char]| line.trim_start().starts_with(marks);
        let numbered = line.trim_start().split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        let apart = code || fence || line.is_empty() || begins(&['-', '*', '+', '#', '|', '>']) || numbered;
        let after_apart = previous.is_empty() || previous.trim_start().starts_with(['#', '|', '`']);
        if !flowing.is_empty() {
            flowing.push(if apart || after_apart || line.starts_with("    ") { '\n' } else { ' ' });
            flowing.push_str(if apart || after_apart { line } else { line.trim_start() });
        } else {
            flowing.push_str(line);
        }
        code ^= fence;
        previous = line;
    }
    flowing
}

/// Removes what a model has no use for.
struct Quiet;

impl Transform for Quiet {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else { return };
        object.remove("title");
        if let Some(Value::String(text)) = object.get_mut("description") {
            *text = reflow(text);
        }
        let format = object.get("format").and_then(Value::as_str).unwrap_or_default();
        if format.starts_with("int") || format.starts_with("uint") || matches!(format, "float" | "double") {
            object.remove("format");
        }
        let required: Vec<String> = match object.get("required") {
            Some(Value::Array(names)) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        };
        let Some(Value::Object(properties)) = object.get_mut("properties") else { return };
        for (name, property) in properties.iter_mut() {
            if let (false, Value::Object(property)) = (required.contains(name), property) {
                drop_null(property);
            }
        }
    }
}

/// Takes `null` out of an optional property's types.
fn drop_null(property: &mut Map<String, Value>) {
    if property.get("default") == Some(&Value::Null) {
        property.remove("default");
    }
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            property.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = property.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let Some(Value::Array(choices)) = property.get_mut("anyOf") else { return };
    choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
    if let [Value::Object(only)] = choices.as_slice() {
        let only = only.clone();
        property.remove("anyOf");
        for (key, value) in only {
            // What the field says about itself beats what its type says.
            property.entry(key).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown<T: JsonSchema>() -> Value {
        serde_json::from_str(&schema_of::<T>()).unwrap()
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    /// Not for the model.
    struct Search {
        /// What to look for.
        title: String,
        /// How many at most.
        limit: Option<u32>,
        /// In which order.
        #[serde(default)]
        order: Option<Order>,
    }

    #[derive(JsonSchema)]
    #[serde(rename_all = "lowercase")]
    #[expect(dead_code, reason = "only its schema is wanted")]
    enum Order {
        Newest,
        Oldest,
    }

    #[test]
    fn a_schema_is_whole_and_quiet() {
        let expected = json!({
            "type": "object",
            "properties": {
                "title": {"description": "What to look for.", "type": "string"},
                "limit": {"description": "How many at most.", "type": "integer", "minimum": 0},
                "order": {"description": "In which order.", "type": "string", "enum": ["newest", "oldest"]},
            },
            "required": ["title"],
        });
        assert_eq!(shown::<Search>(), expected);
    }

    #[test]
    fn paragraphs_flow_and_lists_do_not() {
        assert_eq!(reflow("One\ntwo.\n\nThree\nfour"), "One two.\n\nThree four");
        assert_eq!(reflow("Either:\n- one\n- two\n  more\n\nor:\n1. x"), "Either:\n- one\n- two more\n\nor:\n1. x");
        assert_eq!(reflow("See:\n```\na\n  b\n```\nend\nhere"), "See:\n```\na\n  b\n```\nend here");
    }

    #[test]
    fn what_is_required_comes_first() {
        let text = schema_of::<Search>();
        let at = |key: &str| text.find(&format!("\"{key}\":")).unwrap();
        assert!(
            text.starts_with(r#"{"type":"object","properties":{"title":{"type":"string","description":"#),
            "{text}"
        );
        assert!(at("title") < at("limit") && at("limit") < at("required"), "{text}");
    }

    #[test]
    fn no_input_is_still_an_object() {
        assert_eq!(shown::<NoInput>(), json!({"type": "object", "properties": {}}));
    }
}
