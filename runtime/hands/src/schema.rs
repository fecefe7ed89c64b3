//! Input is checked against its schema before any guest runs.

use handbox_hand::{HandError, Tool, ToolName};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::OnceLock;

/// How many mistakes one message lists.
const MISTAKES_MAX: usize = 3;
/// Longest quotation of one mistake, in bytes; it may quote the input.
const MISTAKE_BYTES_MAX: usize = 300;

/// The input schemas of one component's tools.
pub(crate) struct InputSchemas(HashMap<ToolName, InputSchema>);

impl InputSchemas {
    pub(crate) fn new(tools: &[Tool]) -> Self {
        Self(tools.iter().map(|tool| (tool.name.clone(), InputSchema::new(tool))).collect())
    }

    /// Checks the input of one tool; see [`InputSchema::check`].
    pub(crate) fn check(&self, tool: &ToolName, input: &Value) -> Result<(), HandError> {
        self.0.get(tool).map_or(Ok(()), |schema| schema.check(input))
    }
}

/// Memory that one compiled pattern may take, in bytes; a short one can ask for much more.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// A tool's input schema, compiled when it is first needed.
pub(crate) struct InputSchema {
    schema: Value,
    compiled: OnceLock<Result<Validator, String>>,
}

impl InputSchema {
    pub(crate) fn new(tool: &Tool) -> Self {
        Self { schema: tool.input_schema.clone(), compiled: OnceLock::new() }
    }

    /// Checks `input`.
    ///
    /// # Errors
    ///
    /// [`HandError::Input`] with the places and what is expected there;
    /// [`HandError::Broken`] if the schema itself is not one.
    pub(crate) fn check(&self, input: &Value) -> Result<(), HandError> {
        let compiled = self.compiled.get_or_init(|| compile(&self.schema));
        let validator = compiled
            .as_ref()
            .map_err(|error| HandError::Broken(format!("the tool's input schema is not valid: {error}")))?;
        if validator.is_valid(input) {
            return Ok(());
        }
        Err(HandError::Input(describe(validator, &self.schema, input)))
    }
}

fn compile(schema: &Value) -> Result<Validator, String> {
    // Patterns come from an untrusted component: only an engine that never backtracks.
    // Nothing is fetched: the crate is built without resolvers.
    let patterns = PatternOptions::regex().size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_BYTES_MAX);
    let options = jsonschema::options().with_pattern_options(patterns);
    options.build(schema).map_err(|error| error.to_string())
}

fn describe(validator: &Validator, schema: &Value, input: &Value) -> String {
    let mut mistakes = validator.iter_errors(input).map(|error| {
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { String::new() } else { format!("at {place}: ") };
        let text = match error.kind() {
            ValidationErrorKind::Enum { options } => one_of(error.instance(), options.as_array().into_iter().flatten()),
            // How schemars writes an enum whose values have descriptions.
            _ => match schema.pointer(error.schema_path().as_str()).and_then(constants) {
                Some(options) => one_of(error.instance(), options.into_iter()),
                None => error.to_string(),
            },
        };
        format!("{place}{}", &text[..text.floor_char_boundary(MISTAKE_BYTES_MAX)])
    });
    let listed: Vec<String> = mistakes.by_ref().take(MISTAKES_MAX).collect();
    let more = mistakes.count();
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("the input does not match the tool's schema: {}{more}", listed.join("; "))
}

/// The values of `oneOf`, if each alternative is one.
fn constants(alternatives: &Value) -> Option<Vec<&Value>> {
    let alternatives = alternatives.as_array().filter(|alternatives| !alternatives.is_empty())?;
    alternatives.iter().map(|alternative| alternative.get("const")).collect()
}

/// With all that is possible, because that is what the caller needs.
fn one_of<'o>(value: &Value, options: impl Iterator<Item = &'o Value>) -> String {
    let options: Vec<String> = options.map(Value::to_string).collect();
    let value = value.to_string();
    format!("{} is none of {}", &value[..value.floor_char_boundary(80)], options.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_hand::{Hints, Recovery, ToolName};
    use serde_json::json;

    fn schema(input_schema: Value) -> InputSchema {
        InputSchema::new(&Tool {
            name: ToolName::new("t").unwrap(),
            description: String::new(),
            input_schema,
            output_schema: None,
            hints: Hints::default(),
            recovery: Recovery::Ask,
            extra: Vec::new(),
        })
    }

    #[test]
    fn the_message_points_at_the_place() {
        let schema = schema(
            json!({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer"}}}, "required": ["a"]}),
        );
        assert!(schema.check(&json!({"a": [1]})).is_ok());
        let HandError::Input(text) = schema.check(&json!({"a": [1, "x"]})).unwrap_err() else { panic!() };
        assert!(text.contains("/a/1") && text.contains("integer"), "{text}");
        let HandError::Input(text) = schema.check(&json!({})).unwrap_err() else { panic!() };
        assert!(text.contains("\"a\" is a required property"), "{text}");
    }

    #[test]
    fn the_message_has_every_value_that_is_possible() {
        let described = json!([{"const": "mean", "description": "all"}, {"const": "sum"}, {"const": "max"}]);
        for choice in [json!({"enum": ["mean", "sum", "max"]}), json!({"oneOf": described})] {
            let schema = schema(json!({"type": "object", "properties": {"a": choice}}));
            let HandError::Input(text) = schema.check(&json!({"a": "mode"})).unwrap_err() else { panic!() };
            assert!(text.contains(r#"at /a: "mode" is none of "mean", "sum", "max""#), "{text}");
        }
    }

    #[test]
    fn a_remote_reference_is_refused_and_a_backtracking_pattern_is_too() {
        let remote = schema(json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/x.json"}}}));
        assert!(matches!(remote.check(&json!({"a": 1})), Err(HandError::Broken(_))));
        let pattern = schema(json!({"type": "object", "properties": {"a": {"pattern": "(a)\\1"}}}));
        assert!(matches!(pattern.check(&json!({"a": "aa"})), Err(HandError::Broken(_))));
    }

    #[test]
    fn a_huge_wrong_value_gives_a_short_message() {
        let schema = schema(json!({"type": "object", "properties": {"a": {"type": "integer"}}}));
        let HandError::Input(text) = schema.check(&json!({"a": "é".repeat(100_000)})).unwrap_err() else { panic!() };
        assert!(text.len() < 1_000);
    }
}
