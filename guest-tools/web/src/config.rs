//! What the operator or the agent's definition says about `web_fetch`.

use handbox_guest_http::Domains;
use handbox_guest_support::OUTPUT_CHARS_MAX;
use handbox_tool::Fault;
use handbox_tool::serde_json::{self, Value};

/// The environment value that holds it: the JSON object that `agent_toolset_20260401` has for
/// this tool. A call's input has no place for it, since a model could then widen it.
const VARIABLE: &str = "HANDBOX_WEB_FETCH";

/// About how many characters make a token.
const CHARS_PER_TOKEN: usize = 4;

/// What may be fetched, and how much of it shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) domains: Domains,
    /// The most characters of content.
    pub(crate) chars_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { domains: Domains::default(), chars_max: OUTPUT_CHARS_MAX }
    }
}

impl Config {
    /// Reads the environment.
    ///
    /// A value that cannot be read fails the call: going on without it would allow more.
    pub(crate) fn current() -> Result<Self, Fault> {
        match std::env::var(VARIABLE) {
            Ok(json) => Self::parse(&json),
            Err(std::env::VarError::NotPresent) => Ok(Self::default()),
            Err(error) => Err(broken(&error.to_string())),
        }
    }

    /// Other keys of the tool's configuration (`enabled`, `permission_policy`) are not this tool's to read.
    fn parse(json: &str) -> Result<Self, Fault> {
        let value: Value = serde_json::from_str(json).map_err(|error| broken(&error.to_string()))?;
        let tokens = match value.get("max_content_tokens") {
            None | Some(Value::Null) => None,
            Some(tokens) => match tokens.as_u64() {
                Some(tokens) if tokens > 0 => Some(usize::try_from(tokens).unwrap_or(usize::MAX)),
                _ => return Err(broken("max_content_tokens is not a whole number from 1 on")),
            },
        };
        let domains: Domains = serde_json::from_value(value).map_err(|error| broken(&error.to_string()))?;
        domains.validate().map_err(|why| broken(&why))?;
        let chars_max = tokens.map_or(usize::MAX, |tokens| tokens.saturating_mul(CHARS_PER_TOKEN));
        Ok(Self { domains, chars_max: chars_max.min(OUTPUT_CHARS_MAX) })
    }
}

fn broken(why: &str) -> Fault {
    Fault::failed(format!("{VARIABLE}, which the operator set, cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_toolsets_own() {
        let config = Config::parse(
            r#"{"type":"web_fetch","name":"web_fetch","enabled":true,"allowed_domains":["example.com"],"max_content_tokens":50}"#,
        );
        let config = config.unwrap();
        assert_eq!(config.chars_max, 200);
        assert_eq!(config.domains.allowed_domains, Some(vec!["example.com".to_owned()]));
        let wide = Config::parse(r#"{"max_content_tokens":4000000000,"blocked_domains":null}"#).unwrap();
        assert_eq!(wide, Config::default());
    }

    #[test]
    fn what_cannot_be_read_allows_nothing() {
        for (json, part) in [
            ("allow all", "HANDBOX_WEB_FETCH"),
            ("[]", "HANDBOX_WEB_FETCH"),
            (r#"{"max_content_tokens":0}"#, "max_content_tokens"),
            (r#"{"allowed_domains":"example.com"}"#, "sequence"),
            (r#"{"allowed_domains":["a.test"],"blocked_domains":["b.test"]}"#, "give one"),
        ] {
            let fault = Config::parse(json).unwrap_err().to_string();
            assert!(fault.contains(part), "{json}: {fault}");
        }
    }
}
