//! Flags that are Handbox's and inputs of a tool as well: either may be meant.

use crate::args;
use crate::failure::Failure;
use handbox_bundle::Bundle;
use handbox_hand::Tool;

/// Refuses a flag behind the verb that is an input of the tool as well.
pub(crate) fn refuse_flags_of_both(command: &args::Call, bundle: &Bundle) -> Result<(), Failure> {
    // JSON leaves nothing to guess.
    if !command.input.is_empty() && command.input.iter().all(|word| !word.starts_with("--")) {
        return Ok(());
    }
    let tools = bundle.components.iter().filter_map(|component| component.known_tools().ok().flatten()).flatten();
    let Some((_, tool)) = tools.into_iter().find(|(_, tool)| tool.name.as_str() == command.tool) else { return Ok(()) };
    let Some(name) = command.typed.iter().find(|name| is_input(&tool, name)) else { return Ok(()) };
    Err(Failure::usage(format!("--{name} is a flag of Handbox and an input of the tool `{}`", tool.name)).hint(format!(
        "for the tool, put -- before its flags: handbox call {} {} -- --{name} …; for Handbox, give the input as JSON, \
         or put -- behind it and before the tool's flags",
        command.bundle, command.tool
    )))
}

/// Inputs of a tool that `handbox call` takes for flags of its own.
pub(crate) fn taken_inputs(tool: &Tool) -> Vec<String> {
    args::our_flags().into_keys().filter(|name| is_input(tool, name)).collect()
}

/// Dashes stand for underscores in flags.
fn is_input(tool: &Tool, name: &str) -> bool {
    let properties = tool.input_schema["properties"].as_object();
    properties.is_some_and(|properties| properties.keys().any(|known| known == name || known.replace('_', "-") == name))
}
