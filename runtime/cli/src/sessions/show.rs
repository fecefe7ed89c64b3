//! `handbox sessions show`.

use crate::agent::{call_at, clip, known_cost, was_interrupted};
use crate::args::Global;
use crate::describe;
use crate::failure::Failure;
use crate::log::open;
use crate::output;
use crate::paths::Paths;
use handbox_session::fold::{
    Money, SessionChanged, SessionCreated, Status, StopReason, Summary, Waiting, WaitingOn, Work, bodies::Body,
    fold_to, rfc3339, summary_of,
};
use handbox_session::{Fold, Record, Seq, SessionLog, Slice};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Characters of a stop reason that people are shown.
const REASON_SHOWN: usize = 32;

/// Show what a session is, does and cost.
#[derive(clap::Args)]
pub(super) struct Show {
    /// The session, by its id or the beginning of it
    id: String,
}

/// All that is shown.
struct Shown {
    record: Record,
    summary: Summary,
    fold: Fold,
    created: SessionCreated,
    /// `None` if nobody said what its model costs.
    cost: Option<Money>,
    /// What waits for somebody: tools and inputs.
    calls: Vec<(Waiting, String)>,
}

pub(super) fn run(global: &Global, paths: &Paths, command: &Show) -> Result<ExitCode, Failure> {
    let shown = open::with_session(paths, "handbox sessions show", &command.id, async |log, id| {
        let record = log.record(id).await?;
        let (summary, fold) = (summary_of(log, &record).await?, fold_to(log, &record, None).await?);
        let created = runs_with(log, &record, &fold).await?;
        let mut calls = Vec::new();
        for waiting in fold.waiting() {
            let (name, input) = call_at(log, id, waiting.place).await?;
            calls.push((waiting, format!("{name} {input}")));
        }
        // One from elsewhere may not say what it runs with; what is known of its cost stands in its events.
        let cost = known_cost(log, id, &fold).await.unwrap_or(Some(summary.total.spend));
        Ok(Shown { record, summary, fold, created, cost, calls })
    })?;
    if global.json {
        output::json_line(&json(&shown));
    } else {
        output::data(&text(&shown));
    }
    Ok(ExitCode::SUCCESS)
}

/// What it runs with by now; nothing, if the event that should say so does not.
async fn runs_with(log: &dyn SessionLog, record: &Record, fold: &Fold) -> Result<SessionCreated, Failure> {
    let place = fold.anchors.changed.unwrap_or(Seq::FIRST);
    let page = log.read(record.id, Slice { to: Some(place), ..Slice::from(place) }).await?;
    let body = page.entries.first().map(|entry| match SessionChanged::from_event(&entry.event) {
        Ok(changed) => Ok(changed.0),
        Err(_) => SessionCreated::from_event(&entry.event),
    });
    Ok(body.and_then(Result::ok).unwrap_or_default())
}

fn json(shown: &Shown) -> Value {
    let mut value = summary_json(&shown.summary);
    value["agent"] = shown.created.agent.clone();
    value["metadata"] = json!(shown.fold.metadata);
    value["hash"] = json!(shown.record.hash);
    value["forked_from"] = json!(shown.record.lineage.last());
    value["hands"] = json!(shown.fold.hands);
    value["hosts"] = json!(hosts(&shown.created));
    value["interrupted"] = json!(was_interrupted(&shown.fold));
    value["waiting_for"] = shown.fold.waiting().map(|waiting| json!(waiting.id)).collect();
    value
}

fn text(shown: &Shown) -> String {
    let Shown { record, summary, fold, created, calls, .. } = shown;
    let name = |value: &Value, pointer| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let agent = [name(&created.agent, "/name"), name(&created.agent, "/model/id")].join(" ");
    let fork = record.lineage.last().map(|fork| format!("{} at {}", fork.session, fork.at));
    let waiting = calls.iter().map(|(waiting, what)| {
        let how = match waiting.on {
            WaitingOn::Confirmation => "allow or deny the call",
            _ => "give the result of the call",
        };
        format!("{how} {} (event {}): {}", waiting.id, waiting.place, output::visible(&clip(what)))
    });
    let metadata = fold.metadata.iter().map(|(name, value)| format!("{name} = {value}"));
    let error =
        summary.last_error.as_ref().map(|error| format!("{} (event {}): {}", error.error, error.place, error.message));
    let odd = fold.oddities.last.as_ref().map(|(place, what)| format!("event {place}: {what}"));
    describe::table(&[
        ("session", record.id.to_string()),
        ("title", summary.title.clone().unwrap_or_default()),
        ("status", what_it_does(shown)),
        ("waits for", waiting.collect::<Vec<_>>().join("\n")),
        ("agent", agent.trim().to_owned()),
        ("hosts", hosts(created).join("\n")),
        ("began", rfc3339(record.id.unix_ms())),
        ("last active", rfc3339(summary.active_unix_ms)),
        ("events", summary.events.to_string()),
        ("queued input", if summary.queued == 0 { String::new() } else { summary.queued.to_string() }),
        ("work", work(&summary.total)),
        ("tokens", tokens(&summary.total)),
        (
            "cost",
            shown.cost.map_or_else(|| "unknown: nobody said what its model costs".to_owned(), |cost| cost.to_string()),
        ),
        ("forked from", fork.unwrap_or_default()),
        ("metadata", metadata.collect::<Vec<_>>().join("\n")),
        ("last error", error.unwrap_or_default()),
        ("passed over", odd.unwrap_or_default()),
        ("held by", summary.holder.clone().unwrap_or_default()),
        ("hash", record.hash.to_string()),
    ])
}

/// Where its tools may send requests, as `--host` and `--no-host` have it.
fn hosts(created: &SessionCreated) -> Vec<String> {
    let hosts = created.grants["hosts"].as_array().map(Vec::as_slice).unwrap_or_default();
    hosts.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What it does, with what its process and an interrupt have to do with it.
fn what_it_does(shown: &Shown) -> String {
    let Shown { record, summary, fold, .. } = shown;
    if is_left(summary) {
        return format!(
            "unfinished: the process that worked on it is gone; finish it with: handbox wake {}",
            record.id
        );
    }
    let state = state(summary);
    if was_interrupted(fold) { format!("{state}: interrupted") } else { state }
}

/// Whether its turn goes on, but nobody is there to go on with it.
fn is_left(summary: &Summary) -> bool {
    summary.status == Status::Running && summary.holder.is_none()
}

fn work(total: &Work) -> String {
    let lost = match total.model_requests_lost {
        0 => String::new(),
        lost => format!(" ({lost} without an answer)"),
    };
    format!("{} model requests{lost}, {} tool calls", total.model_requests, total.tool_calls)
}

fn tokens(total: &Work) -> String {
    let tokens = total.tokens;
    let cache = tokens.cache_creation;
    let written = cache.ephemeral_5m_input_tokens.saturating_add(cache.ephemeral_1h_input_tokens);
    format!(
        "{} in, {} out, {} read from the cache, {written} written to it",
        tokens.input_tokens, tokens.output_tokens, tokens.cache_read_input_tokens
    )
}

/// What it does, and why it rests, in words. The log may come from anywhere, and its reasons be anything.
pub(super) fn state(summary: &Summary) -> String {
    match (summary.status, &summary.stop_reason) {
        (Status::Idle, Some(reason)) if *reason != StopReason::EndTurn => {
            format!("idle: {}", output::one_line(reason_name(reason), REASON_SHOWN))
        }
        _ if is_left(summary) => "unfinished".to_owned(),
        (status, _) => status_name(status).to_owned(),
    }
}

fn status_name(status: Status) -> &'static str {
    match status {
        Status::Idle => "idle",
        Status::Running => "running",
        Status::Rescheduling => "rescheduling",
        Status::Terminated => "terminated",
    }
}

fn reason_name(reason: &StopReason) -> &str {
    match reason {
        StopReason::EndTurn => "end_turn",
        StopReason::RequiresAction => "requires_action",
        StopReason::RetriesExhausted => "retries_exhausted",
        StopReason::BudgetReached => "budget_reached",
        StopReason::Refusal => "refusal",
        StopReason::Other(name) => name,
    }
}

/// What a list says of a session, for programs.
pub(super) fn summary_json(summary: &Summary) -> Value {
    json!({
        "id": summary.id,
        "status": status_name(summary.status),
        "stop_reason": summary.stop_reason.as_ref().map(reason_name),
        "title": summary.title,
        "events": summary.events,
        "created_at": rfc3339(summary.id.unix_ms()),
        "active_at": rfc3339(summary.active_unix_ms),
        "model_requests": summary.total.model_requests,
        "tool_calls": summary.total.tool_calls,
        "usage": summary.total.tokens,
        "cost": cost(summary.total.spend),
        "waiting": summary.waiting,
        "queued": summary.queued,
        "last_error": summary.last_error,
        "holder": summary.holder,
    })
}

/// Dollars for people, and the exact amount; both as text, since many readers round large numbers.
fn cost(spend: Money) -> Value {
    json!({ "usd": spend.to_string().trim_start_matches('$'), "picodollars": spend })
}
