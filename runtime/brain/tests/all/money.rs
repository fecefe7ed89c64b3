//! What requests cost of which nobody says so, and limits that hold all the same.

use super::bench::{Bench, price, runs};
use async_trait::async_trait;
use handbox_brain::model::{Listener, Model, ModelError, ModelErrorKind, ModelRequest, Reply};
use handbox_brain::{Allowance, Prices, RunsWith, ToolSpec, WakeError};
use handbox_session::fold::{Money, SessionChanged, StopReason, Tokens};
use serde_json::{Value, json};
use std::sync::Arc;

/// Bytes of thinking of which nobody is shown anything.
const THOUGHT: usize = 90_000;

/// How a model that thinks ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// It goes on until it is cut off.
    Never,
    /// Its connection breaks, with the usage that providers send first.
    Cut,
    /// With a reply that calls a tool, and without a word on its usage.
    Uncounted,
}

struct Thinker(Ends);

#[async_trait]
impl Model for Thinker {
    fn provider(&self) -> &str {
        "thinker"
    }

    async fn ask(&self, _: &ModelRequest, listener: &mut dyn Listener) -> Result<Reply, ModelError> {
        let first = Tokens { input_tokens: 500, output_tokens: 1, ..Tokens::default() };
        listener.block(0, "thinking");
        if self.0 == Ends::Cut {
            listener.counted(first);
        }
        listener.wrote(THOUGHT);
        match self.0 {
            Ends::Never => std::future::pending().await,
            Ends::Cut => Err(ModelError {
                kind: ModelErrorKind::Cut,
                message: "cut".to_owned(),
                retry_after: None,
                usage: Some(first),
            }),
            Ends::Uncounted => {
                let thought = "h".repeat(THOUGHT);
                let content = json!([{"type": "thinking", "thinking": thought, "signature": "s"},
                    {"type": "tool_use", "id": "a", "name": "look", "input": {}}]);
                Ok(Reply { model: "t".to_owned(), content: content.to_string(), stop_reason: None, usage: None })
            }
        }
    }
}

async fn ends(bench: &Bench) -> Vec<Value> {
    bench.all("span.model_request_end").await
}

fn session(limit: Allowance) -> RunsWith {
    let mut runs = runs();
    runs.limits.session = limit;
    runs
}

#[tokio::test]
async fn thinking_that_was_cut_off_is_paid_and_counted() {
    let least = (THOUGHT / 4) as u64;
    let bench = Arc::new(Bench::asking(Thinker(Ends::Never), &runs()).await);
    bench.say("go").await;
    let woken = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.wake().await }
    });
    while bench.model.requests.lock().unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    bench.interrupt().await;
    woken.await.unwrap();
    let end = &ends(&bench).await[0];
    assert!(end["model_usage"]["output_tokens"].as_u64().unwrap() >= least, "{end:#}");
    assert_eq!((&end["is_error"], &end["handbox"]["estimated"]), (&json!(true), &json!(true)));
    let total = bench.fold().await.total;
    assert!(total.tokens.output_tokens >= least && total.spend >= *bench.model.charged.lock().unwrap());
    assert_eq!(total.spend, total.waste);
}

#[tokio::test]
async fn a_stream_that_the_provider_cuts_costs_more_than_its_first_token() {
    let mut bench = Bench::asking(Thinker(Ends::Cut), &runs()).await;
    bench.brain.settings.retries_max = 0;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::RetriesExhausted));
    let end = &ends(&bench).await[0];
    let usage = &end["model_usage"];
    assert_eq!((&usage["input_tokens"], &usage["output_tokens"]), (&json!(500), &json!(THOUGHT / 3)));
    let tokens = Tokens { input_tokens: 500, output_tokens: (THOUGHT / 3) as u64, ..Tokens::default() };
    assert_eq!(bench.fold().await.total.spend, price().cost(tokens));
}

#[tokio::test]
async fn limits_hold_for_a_model_that_counts_nothing() {
    let money = Allowance { money: Some(Money::from_picodollars(1_000_000_000_000)), ..Allowance::default() };
    for limit in [money, Allowance { tokens: Some(100_000), ..Allowance::default() }] {
        let bench = Bench::asking(Thinker(Ends::Uncounted), &session(limit)).await;
        bench.say("go").await;
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::BudgetReached));
        let requests = bench.model.requests.lock().unwrap().len();
        assert!((2..10).contains(&requests), "{requests}");
        assert_eq!(ends(&bench).await[0]["handbox"]["estimated"], true);
        let reply = &bench.all("handbox.model_reply").await[0];
        assert!(reply["usage"]["output_tokens"].as_u64().unwrap() >= 30_000, "{}", reply["usage"]);
        assert!(bench.fold().await.context_tokens > 30_000);
    }
}

#[tokio::test]
async fn a_limit_of_money_needs_a_price() {
    let mut runs = session(Allowance { money: Some(Money::from_picodollars(1)), ..Allowance::default() });
    let bench = Bench::new(&json!([]), &runs).await;
    runs.prices = Prices::default();
    let error = bench.brain.create(bench.session, &runs, None, Default::default()).await.unwrap_err();
    assert!(matches!(&error, WakeError::Unusable(why) if why.contains("price of the model `scripted`")), "{error}");
    // A later change that takes the price away stops the money, too.
    let changed = serde_json::to_value(SessionChanged(runs.created(None, Default::default()))).unwrap();
    bench.client("handbox.session_changed", changed).await;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::BudgetReached));
    let limit = &bench.all("session.status_idle").await[0]["handbox"]["limit"];
    assert!(limit.as_str().unwrap().contains("price of the model is not known"), "{limit}");
    assert!(bench.model.requests.lock().unwrap().is_empty());
    // What costs nothing has a price, too.
    runs.prices.0.insert("*".to_owned(), handbox_brain::Price::default());
    assert!(runs.unpriced().is_none());
}

#[tokio::test]
async fn more_tools_than_an_event_holds_are_named_when_the_session_is_begun() {
    let mut runs = runs();
    let large: &mut ToolSpec = &mut runs.tools[3];
    large.description = "x".repeat(2 << 20);
    let name = large.name.to_string();
    let bench = Bench::new(&json!([]), &RunsWith::new(handbox_brain::Agent::new("m"))).await;
    let error = bench.brain.create(bench.session, &runs, None, Default::default()).await.unwrap_err();
    let named = |why: &str| why.contains(&format!("the largest being {name} (2049 KiB)"));
    assert!(matches!(&error, WakeError::Unusable(why) if named(why)), "{error}");
}

/// A server at which nobody listens.
struct Nowhere;

#[async_trait]
impl handbox_hand::Http for Nowhere {
    async fn send(
        &self,
        _: &handbox_hand::Sender,
        _: handbox_hand::HttpRequest,
    ) -> Result<handbox_hand::HttpResponse, handbox_hand::HttpError> {
        Err(handbox_hand::HttpError::Unreachable("connection refused".to_owned().into()))
    }
}

#[tokio::test]
async fn a_request_that_was_never_sent_costs_nothing() {
    let options = handbox_brain::model::OpenAiOptions {
        http: Arc::new(Nowhere),
        principal: handbox_hand::Principal("brain".into()),
        base_url: "http://127.0.0.1:1/v1".to_owned(),
    };
    let mut bench = Bench::asking(handbox_brain::model::OpenAi::new(options), &runs()).await;
    bench.brain.settings.retries_max = 1;
    bench.brain.settings.retry_wait = std::time::Duration::from_millis(1);
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::RetriesExhausted));
    let total = bench.fold().await.total;
    assert_eq!((total.spend, total.tokens.total(), total.model_requests), (Money::default(), 0, 2));
}

#[test]
fn a_little_money_is_shown_as_what_it_is() {
    let shown = |picodollars| Money::from_picodollars(picodollars).to_string();
    assert_eq!(shown(0), "$0.0000");
    assert_eq!(shown(1_000_000), "$0.000001");
    assert_eq!(shown(1), "$0.000000000001");
    assert_eq!(shown(100_000_000), "$0.0001");
    assert_eq!(shown(1_500_000_000_000), "$1.5000");
}
