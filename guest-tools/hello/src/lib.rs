//! The example tool of the documentation.

use handbox_tool::{Fault, tool};

/// Whom to greet.
#[handbox_tool::input]
struct Greet {
    /// Whom to greet.
    name: String,
}

/// Greets somebody by name.
#[tool(read_only, idempotent)]
fn greet(input: Greet) -> Result<String, Fault> {
    if input.name.trim().is_empty() {
        return Err(Fault::invalid("name: nobody to greet; give a name"));
    }
    Ok(format!("Hello, {}!", input.name))
}

handbox_tool::export!(greet);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_greeted_by_name() {
        assert_eq!(greet(Greet { name: "you".into() }), Ok("Hello, you!".to_owned()));
    }

    #[test]
    fn nobody_is_not_greeted() {
        assert!(matches!(greet(Greet { name: " ".into() }), Err(Fault::InvalidInput(_))));
    }
}
