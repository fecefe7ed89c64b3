//! Command-line programs as tools: from JSON to arguments, and back from their output.

use handbox_bundle::{Arg, Command, PropertyArg};
use handbox_hand::HandError;
use serde_json::Value;

/// What a program is started with.
#[derive(Debug, PartialEq)]
pub(crate) struct CommandLine {
    pub(crate) args: Vec<String>,
    pub(crate) stdin: Option<String>,
}

/// Turns a tool's input into a command line. The program's name comes first.
pub(crate) fn command_line(command: &Command, input: &Value) -> Result<CommandLine, HandError> {
    let mut args = vec![command.tool.clone()];
    for arg in &command.args {
        match arg {
            Arg::Literal(text) => args.push(text.clone()),
            Arg::Property(property) => push_property(property, input, &mut args)?,
        }
    }
    let stdin = command.stdin.as_ref().and_then(|name| input.get(name));
    let stdin = stdin.filter(|value| !value.is_null()).map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    Ok(CommandLine { args, stdin })
}

fn push_property(arg: &PropertyArg, input: &Value, args: &mut Vec<String>) -> Result<(), HandError> {
    let Some(value) = input.get(&arg.property) else { return Ok(()) };
    match value {
        Value::Null | Value::Bool(false) => {}
        Value::Bool(true) if arg.flag.is_some() => args.extend(arg.flag.clone()),
        Value::Array(values) => {
            for value in values {
                push_value(arg, value, args)?;
            }
        }
        value => push_value(arg, value, args)?,
    }
    Ok(())
}

fn push_value(arg: &PropertyArg, value: &Value, args: &mut Vec<String>) -> Result<(), HandError> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return Err(HandError::Input(format!("at /{}: cannot become a command-line argument", arg.property)));
        }
    };
    if text.contains('\0') {
        return Err(HandError::Input(format!("at /{}: an argument cannot hold a NUL character", arg.property)));
    }
    match &arg.flag {
        Some(flag) if flag.ends_with('=') => args.push(format!("{flag}{text}")),
        Some(flag) => args.extend([flag.clone(), text]),
        // A value that looks like an option would be taken for one.
        None if text.starts_with('-') && text.len() > 1 => {
            return Err(HandError::Input(format!(
                "at /{}: {text:?} would be taken for an option; it may not start with a dash",
                arg.property
            )));
        }
        None => args.push(text),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn command() -> Command {
        let property = |property: &str, flag: Option<&str>| {
            Arg::Property(PropertyArg { property: property.into(), flag: flag.map(Into::into) })
        };
        Command {
            tool: "wc".into(),
            args: vec![
                Arg::Literal("-l".into()),
                property("verbose", Some("-v")),
                property("max", Some("--max=")),
                property("name", Some("-n")),
                property("files", None),
            ],
            stdin: Some("text".into()),
            ok_statuses: vec![],
        }
    }

    #[test]
    fn properties_become_arguments_in_the_order_of_the_manifest() {
        let input = json!({"files": ["a b", "$(c)"], "max": 3, "verbose": true, "name": null, "text": "x"});
        let line = command_line(&command(), &input).unwrap();
        assert_eq!(line.args, ["wc", "-l", "-v", "--max=3", "a b", "$(c)"]);
        assert_eq!(line.stdin.as_deref(), Some("x"));
    }

    #[test]
    fn a_value_cannot_smuggle_an_option() {
        let error = command_line(&command(), &json!({"files": ["--output=/etc/x"]})).unwrap_err();
        assert!(error.to_string().contains("/files"), "{error}");
        assert!(command_line(&command(), &json!({"files": ["-"], "name": "-x"})).is_ok());
        assert!(command_line(&command(), &json!({"files": ["a\0b"]})).is_err());
    }
}
