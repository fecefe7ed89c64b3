//! What a session runs with: pinned by its first event, changed only by a later one.

use crate::context::Context;
use handbox_hand::{Hints, Recovery, Tool, ToolName};
use handbox_session::fold::{Money, SessionCreated, Tokens, bodies::Body};
use handbox_session::{Event, EventError, EventId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a session runs with.
///
/// It is kept in `handbox.session_created`, and whole again in each `handbox.session_changed`; the latest counts.
#[derive(Debug, Clone, PartialEq)]
pub struct RunsWith {
    /// Who answers.
    pub agent: Agent,
    /// The system prompt.
    pub system: Option<String>,
    /// The tools, in the order in which the model sees them. Names are unique.
    pub tools: Vec<ToolSpec>,
    /// The digests of the bundles, by name.
    pub bundles: BTreeMap<String, String>,
    /// What its hands may do, in the words of whoever provides them; folders as absolute paths.
    pub grants: Value,
    /// What it may use.
    pub limits: Limits,
    /// What the model is shown of what happened.
    pub context: Context,
    /// What tokens cost.
    pub prices: Prices,
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// The model.
    pub model: ModelChoice,
    /// The most tokens of a reply.
    #[serde(default = "max_tokens")]
    pub max_tokens: u64,
    /// Further members of a request, as the provider knows them: `temperature`, `thinking`, …
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
    /// Whether requests say up to where their beginning stays the same, for the provider's prompt cache.
    #[serde(default)]
    pub cache: Cache,
    /// Members of others: what a client sees of the agent besides.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Which model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelChoice {
    /// Its name, as its provider knows it.
    pub id: String,
    /// Members of others: `effort`, `speed`, …
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Whether the provider's prompt cache is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cache {
    /// It is.
    #[default]
    On,
    /// It is not.
    Off,
}

fn max_tokens() -> u64 {
    8192
}

impl Agent {
    /// An agent without a name, of a model, with replies of at most 8 192 tokens.
    pub fn new(model: impl Into<String>) -> Self {
        Self {
            name: String::new(),
            model: ModelChoice { id: model.into(), extra: Map::new() },
            max_tokens: max_tokens(),
            options: Map::new(),
            cache: Cache::On,
            extra: Map::new(),
        }
    }
}

/// A tool as the session knows it. A hand whose tool is another by now is not called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Unique within the session.
    pub name: ToolName,
    /// What it does, for the model.
    #[serde(default)]
    pub description: String,
    /// A JSON Schema of type `object`.
    pub input_schema: Value,
    /// What the tool claims about itself.
    #[serde(default)]
    pub hints: Hints,
    /// What to do when a crash left a call without an outcome.
    #[serde(default)]
    pub recovery: Recovery,
    /// Whether it may be called.
    #[serde(default)]
    pub permission: Policy,
    /// The name of the hand that has it; `None` for the client's own tools, which no policy stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand: Option<String>,
}

impl ToolSpec {
    /// A hand's tool.
    #[must_use]
    pub fn of_hand(hand: impl Into<String>, tool: &Tool, permission: Policy) -> Self {
        Self {
            name: tool.name.clone(),
            description: tool.description.clone(),
            input_schema: tool.input_schema.clone(),
            hints: tool.hints,
            recovery: tool.recovery,
            permission,
            hand: Some(hand.into()),
        }
    }

    /// Whether a tool is what was pinned: what the model was told of it, and what was approved.
    #[must_use]
    pub fn is(&self, tool: &Tool) -> bool {
        self.name == tool.name
            && self.description == tool.description
            && self.input_schema == tool.input_schema
            && self.hints == tool.hints
            && self.recovery == tool.recovery
    }

    /// Whether a call that may have run may be run again under the same id.
    #[must_use]
    pub fn repeatable(&self) -> bool {
        self.hints.read_only || self.hints.idempotent || self.recovery == Recovery::Retry
    }
}

/// Whether a tool may be called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Without asking.
    AlwaysAllow,
    /// If the client says so, each time.
    #[default]
    AlwaysAsk,
    /// Without asking as long as no tool was called in the session, and from then on if the client says so: for tools
    /// that send something away, which what was read meanwhile must not decide on.
    AskOnceTainted,
    /// Never.
    Deny,
}

/// What a session may use. Reaching a limit ends the turn; it is no error.
///
/// A limit that is not known cannot be kept: a session that a later Handbox gave one is for that to go on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// In one turn.
    #[serde(default)]
    pub turn: Allowance,
    /// In all.
    #[serde(default)]
    pub session: Allowance,
    /// How long a call waits for its client before it is denied, in milliseconds. `None` is for ever.
    #[serde(default)]
    pub wait_ms: Option<u64>,
}

/// Thirty days.
const WAIT_MS: u64 = 30 * 24 * 60 * 60 * 1000;

impl Limits {
    /// 200 model requests, 1 000 tool calls and 2 hours a turn; nothing in all; thirty days for the client.
    #[must_use]
    pub fn usual() -> Self {
        let turn = Allowance {
            model_requests: Some(200),
            tool_calls: Some(1000),
            active_ms: Some(2 * 60 * 60 * 1000),
            ..Allowance::default()
        };
        Self { turn, session: Allowance::default(), wait_ms: Some(WAIT_MS) }
    }
}

/// How much may be used. `None` is without a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Allowance {
    /// How often a model is asked, tries included.
    pub model_requests: Option<u64>,
    /// How many tools the model calls.
    pub tool_calls: Option<u64>,
    /// Tokens, of all kinds together.
    pub tokens: Option<u64>,
    /// For how long it runs, in milliseconds. Time in which it waits for its client, or in which no brain is awake, does not
    /// count.
    pub active_ms: Option<u64>,
    /// Money, by the session's prices.
    pub money: Option<Money>,
}

/// What tokens cost, by model; `*` is any other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prices(pub BTreeMap<String, Price>);

/// What a token of a model costs. At $3 a million tokens, a token costs 3 000 000 picodollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Price {
    /// One that the model reads.
    pub input: Money,
    /// One that it writes.
    pub output: Money,
    /// One that it reads from its cache.
    pub cache_read: Money,
    /// One that it reads into its cache for five minutes.
    pub cache_write_5m: Money,
    /// One that it reads into its cache for an hour.
    pub cache_write_1h: Money,
}

impl Prices {
    /// What a model's tokens cost, if that is known.
    #[must_use]
    pub fn known(&self, model: &str) -> Option<Price> {
        self.0.get(model).or_else(|| self.0.get("*")).copied()
    }

    /// What a model's tokens cost. Nothing for a model that has no price.
    #[must_use]
    pub fn of(&self, model: &str) -> Price {
        self.known(model).unwrap_or_default()
    }
}

impl Price {
    /// What these tokens cost.
    #[must_use]
    pub fn cost(&self, tokens: Tokens) -> Money {
        let times = |price: Money, count: u64| Money::from_picodollars(price.picodollars().saturating_mul(count));
        times(self.input, tokens.input_tokens)
            .plus(times(self.output, tokens.output_tokens))
            .plus(times(self.cache_read, tokens.cache_read_input_tokens))
            .plus(times(self.cache_write_5m, tokens.cache_creation.ephemeral_5m_input_tokens))
            .plus(times(self.cache_write_1h, tokens.cache_creation.ephemeral_1h_input_tokens))
    }

    /// The most that tokens can cost of which nobody knows whether they were read from a cache or into one.
    #[must_use]
    pub fn dearest(&self) -> Self {
        Self { input: self.input.max(self.cache_read).max(self.cache_write_5m).max(self.cache_write_1h), ..*self }
    }
}

/// What a session is to run with is nothing that it could run with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what the session runs with cannot be used: `{member}`: {what}")]
pub struct RunsError {
    member: &'static str,
    what: String,
}

impl RunsWith {
    /// An agent that has nothing: no tools, the usual limits, everything shown, no prices.
    #[must_use]
    pub fn new(agent: Agent) -> Self {
        Self {
            agent,
            system: None,
            tools: Vec::new(),
            bundles: BTreeMap::new(),
            grants: Value::Null,
            limits: Limits::usual(),
            context: Context::Everything,
            prices: Prices::default(),
        }
    }

    /// The tool of a name.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&ToolSpec> {
        self.tools.iter().find(|tool| tool.name.as_str() == name)
    }

    /// The hand that has the tool of a name.
    #[must_use]
    pub fn hand_of(&self, tool: &str) -> Option<&str> {
        self.tool(tool)?.hand.as_deref()
    }

    /// The first event of a session that runs with it.
    ///
    /// # Errors
    ///
    /// [`RunsError`] for a limit of money without a price, which would be none, and for more than an event can hold.
    pub fn begin(
        &self,
        id: EventId,
        title: Option<String>,
        metadata: BTreeMap<String, String>,
    ) -> Result<Event, RunsError> {
        if let Some(limit) = self.unpriced() {
            let model = &self.agent.model.id;
            let what = format!("it may spend {limit}, and the price of the model `{model}` is not known");
            return Err(RunsError { member: "prices", what });
        }
        let created = self.created(title, metadata).to_event(id);
        created.map_err(|error| RunsError { member: "tools", what: self.too_much(&error) })
    }

    /// The limit of money that cannot be kept, since nobody knows what the model costs.
    #[must_use]
    pub fn unpriced(&self) -> Option<Money> {
        let limit = self.limits.session.money.or(self.limits.turn.money);
        limit.filter(|_| self.prices.known(&self.agent.model.id).is_none())
    }

    /// Why it cannot be kept, with the tools that take most of it.
    fn too_much(&self, error: &EventError) -> String {
        let bytes = |tool: &ToolSpec| serde_json::to_string(tool).map_or(0, |text| text.len());
        let mut sizes: Vec<_> = self.tools.iter().map(|tool| (bytes(tool), tool.name.as_str())).collect();
        sizes.sort_unstable_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        let largest: Vec<String> =
            sizes.iter().take(3).map(|(bytes, name)| format!("{name} ({} KiB)", bytes.div_ceil(1024))).collect();
        format!("{error}; leave out some of its {} tools, the largest being {}", sizes.len(), largest.join(", "))
    }

    /// The body of the event that keeps it.
    #[must_use]
    pub fn created(&self, title: Option<String>, metadata: BTreeMap<String, String>) -> SessionCreated {
        // None of these types has a map with other keys than text, so none fails to become JSON.
        let value = |result: serde_json::Result<Value>| result.unwrap_or_default();
        SessionCreated {
            title,
            metadata,
            agent: value(serde_json::to_value(&self.agent)),
            system: self.system.clone(),
            tools: self.tools.iter().map(|tool| value(serde_json::to_value(tool))).collect(),
            bundles: self.bundles.clone(),
            grants: self.grants.clone(),
            limits: value(serde_json::to_value(self.limits)),
            context: value(serde_json::to_value(&self.context)),
            prices: value(serde_json::to_value(&self.prices)),
        }
    }

    /// What a body says.
    ///
    /// # Errors
    ///
    /// [`RunsError`] for members of another shape, and for two tools of one name.
    pub fn from_created(body: SessionCreated) -> Result<Self, RunsError> {
        fn read<T: serde::de::DeserializeOwned>(member: &'static str, value: Value) -> Result<T, RunsError> {
            serde_json::from_value(value).map_err(|error| RunsError { member, what: error.to_string() })
        }
        let tools: Vec<ToolSpec> = read("tools", Value::Array(body.tools))?;
        for (index, tool) in tools.iter().enumerate() {
            if tools[..index].iter().any(|other| other.name == tool.name) {
                return Err(RunsError { member: "tools", what: format!("two tools are called {}", tool.name) });
            }
        }
        let or = |value: Value, usual: Value| if value.is_null() { usual } else { value };
        Ok(Self {
            agent: read("agent", body.agent)?,
            system: body.system,
            tools,
            bundles: body.bundles,
            grants: body.grants,
            limits: if body.limits.is_null() { Limits::usual() } else { read("limits", body.limits)? },
            context: read("context", or(body.context, serde_json::json!({"type": "everything"})))?,
            prices: read("prices", or(body.prices, serde_json::json!({})))?,
        })
    }
}
