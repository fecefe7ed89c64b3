//! What the operator says about agents: the table `[agents]` of config.toml.

use super::settings::Reading;
use crate::failure::Failure;
use handbox_brain::context::Context;
use handbox_brain::{Allowance, Limits, PriceTable, Prices, dollars};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// How many sessions one process works on at once, unless somebody says otherwise.
const AWAKE_MAX: usize = 16;
/// Whose keys may be kept in files.
const PROVIDERS: [&str; 2] = ["anthropic", "openai"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentsToml {
    model: Option<String>,
    context: Option<String>,
    awake_max: Option<usize>,
    wait: Option<String>,
    #[serde(default)]
    turn: AllowanceToml,
    #[serde(default)]
    session: AllowanceToml,
    #[serde(default)]
    keys: BTreeMap<String, String>,
    #[serde(default)]
    prices: PriceTable,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct AllowanceToml {
    requests: Option<u64>,
    calls: Option<u64>,
    tokens: Option<u64>,
    time: Option<String>,
    cost: Option<String>,
}

/// What holds for agents unless flags say otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Agents {
    /// As `--model` has it.
    pub(crate) model: Option<String>,
    pub(crate) context: Option<Context>,
    /// Of new sessions.
    pub(crate) limits: Limits,
    /// How many sessions one process works on at once.
    pub(crate) awake_max: usize,
    /// The files with providers' keys.
    pub(crate) keys: BTreeMap<String, PathBuf>,
    /// Of new sessions.
    pub(crate) prices: Prices,
}

impl Default for Agents {
    fn default() -> Self {
        Self {
            model: None,
            context: None,
            limits: Limits::usual(),
            awake_max: AWAKE_MAX,
            keys: BTreeMap::new(),
            prices: Prices::default(),
        }
    }
}

impl Reading<'_> {
    pub(super) fn agents(&self, toml: Option<AgentsToml>) -> Result<Agents, Failure> {
        let Some(toml) = toml else { return Ok(Agents::default()) };
        if !self.is_operators() {
            let hint = "put it into config.toml; `handbox config path` says where that is";
            return Err(self.fault(&["agents"], "who answers, and what that may cost, is the operator's to say", hint));
        }
        let usual = Agents::default();
        let context = toml.context.map(|text| text.parse()).transpose();
        let context =
            context.map_err(|hint: String| self.fault(&["agents", "context"], "this is no strategy", &hint))?;
        if toml.awake_max == Some(0) {
            return Err(self.fault(&["agents", "awake_max"], "no session would ever be worked on", "write 1 or more"));
        }
        let wait_ms = match toml.wait.as_deref() {
            None => usual.limits.wait_ms,
            Some("never") => None,
            Some(text) => Some(self.time(&["agents", "wait"], text)?),
        };
        let turn = self.allowance("turn", toml.turn, usual.limits.turn)?;
        let session = self.allowance("session", toml.session, usual.limits.session)?;
        Ok(Agents {
            model: toml.model,
            context,
            limits: Limits { turn, session, wait_ms },
            awake_max: toml.awake_max.unwrap_or(usual.awake_max),
            keys: self.keys(toml.keys)?,
            prices: toml.prices.0,
        })
    }

    fn allowance(&self, of: &str, toml: AllowanceToml, usual: Allowance) -> Result<Allowance, Failure> {
        let time = toml.time.map(|text| self.time(&["agents", of, "time"], &text)).transpose()?;
        let cost = toml.cost.map(|text| {
            let hint = "write an amount in dollars, such as \"2.50\"";
            dollars(&text).map_err(|error| self.fault(&["agents", of, "cost"], &error.to_string(), hint))
        });
        Ok(Allowance {
            model_requests: toml.requests.or(usual.model_requests),
            tool_calls: toml.calls.or(usual.tool_calls),
            tokens: toml.tokens.or(usual.tokens),
            active_ms: time.or(usual.active_ms),
            money: cost.transpose()?.or(usual.money),
        })
    }

    fn keys(&self, toml: BTreeMap<String, String>) -> Result<BTreeMap<String, PathBuf>, Failure> {
        let mut keys = BTreeMap::new();
        for (provider, file) in toml {
            let key = ["agents", "keys", provider.as_str()];
            if !PROVIDERS.contains(&provider.as_str()) {
                let hint = format!("write one of: {}", PROVIDERS.join(", "));
                return Err(self.fault(&key, "no provider of that name is known", &hint));
            }
            keys.insert(provider.clone(), self.host_path(&key, &file)?);
        }
        Ok(keys)
    }

    /// A time in milliseconds.
    fn time(&self, key: &[&str], text: &str) -> Result<u64, Failure> {
        let seconds = |unit: &str| match unit {
            "s" => Some(1),
            "min" => Some(60),
            "h" => Some(60 * 60),
            "d" => Some(24 * 60 * 60),
            _ => None,
        };
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let time = number.parse::<u64>().ok().filter(|number| *number > 0).zip(seconds(unit.trim()));
        let time = time.and_then(|(number, seconds)| number.checked_mul(seconds)).map(Duration::from_secs);
        time.and_then(|time| u64::try_from(time.as_millis()).ok()).ok_or_else(|| {
            self.fault(key, "this is no time", "write a whole number and a unit: s, min, h or d, as in \"30d\"")
        })
    }
}
