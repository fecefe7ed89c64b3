//! What `#[tool]` makes of a function, as the border will see it.

use handbox_tool::{Call, Fault, Hints, Outcome, Output, Part, Recovery, Tool, input, tool};

/// Numbers.
#[input]
struct Sum {
    /// What to add up.
    numbers: Vec<i64>,
}

/// The sum.
#[derive(handbox_tool::schemars::JsonSchema)]
#[schemars(crate = "handbox_tool::schemars")]
#[expect(dead_code, reason = "only its schema is wanted")]
struct Total {
    total: i64,
}

/// Adds numbers
/// up.
///
/// Quickly.
#[tool(read_only, output = Total)]
fn sum(input: Sum) -> Result<String, Fault> {
    Ok(format!(r#"{{"total":{}}}"#, input.numbers.iter().sum::<i64>()))
}

/// Sends a letter.
#[tool(open_world, destructive, name = "send-letter", reconcile = post::was_sent)]
fn send(_: Sum, call: &Call) -> Result<Output, String> {
    Err(format!("attempt {} of {}", call.attempt, call.id))
}

mod post {
    use handbox_tool::{Call, Outcome};

    pub(super) fn was_sent(call: &Call) -> Outcome {
        if call.attempt > 1 { Outcome::NotStarted } else { Outcome::Unknown }
    }
}

/// Does nothing.
#[tool]
fn nothing() -> Result<(), std::io::Error> {
    Err(std::io::ErrorKind::PermissionDenied.into())
}

/// Adds a key to a set.
#[tool(recovery = retry)]
pub fn keyed() -> Result<&'static str, Fault> {
    Ok("added")
}

handbox_tool::export!(sum, send, nothing, keyed; recover);

fn call(input: &str) -> Call {
    Call { id: "c-1".into(), attempt: 2, input: input.into(), ..Call::default() }
}

#[test]
fn a_function_becomes_a_declaration() {
    assert_eq!((sum::NAME, sum::DESCRIPTION), ("sum", "Adds numbers\nup.\n\nQuickly."));
    assert_eq!(sum::HINTS, Hints { read_only: true, ..Hints::default() });
    assert!(
        sum::input_schema()
            .contains(r#""numbers":{"type":"array","description":"What to add up.","items":{"type":"integer"}"#)
    );
    assert!(sum::output_schema().unwrap().contains(r#""total":{"type":"integer"}"#));
    assert_eq!((send::NAME, send::RECOVERY), ("send-letter", Recovery::Reconcile));
    assert_eq!(send::HINTS, Hints { open_world: true, destructive: true, ..Hints::default() });
}

#[test]
fn recovery_follows_from_the_hints_unless_it_is_said() {
    assert_eq!(sum::RECOVERY, Recovery::Retry);
    assert_eq!(nothing::RECOVERY, Recovery::Ask);
    assert_eq!(keyed::RECOVERY, Recovery::Retry);
}

#[test]
fn a_call_runs_the_function() {
    assert_eq!(sum::run(&call(r#"{"numbers":[1,2]}"#)), Ok(r#"{"total":3}"#.into()));
    let refused = sum::run(&call(r#"{"numbers":[1,"x"]}"#));
    assert!(matches!(refused, Err(Fault::InvalidInput(why)) if why.starts_with("numbers[1]: ")));
    assert_eq!(send::run(&call(r#"{"numbers":[]}"#)), Err(Fault::Failed("attempt 2 of c-1".into())));
    assert!(matches!(nothing::run(&call("{}")), Err(Fault::Denied(_))));
    assert_eq!(
        keyed::run(&call("{}")).unwrap().parts,
        [Part { media_type: "text/plain".into(), data: b"added".into() }]
    );
    assert_eq!(send::reconcile(&call("{}")), Outcome::NotStarted);
}
