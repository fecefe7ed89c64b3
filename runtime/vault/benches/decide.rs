//! What a decision costs: from the request to where it would be sent, with all but names' addresses.
//!
//! `cargo bench -p handbox-vault --bench decide`

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints figures for people")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

mod clock;

use async_trait::async_trait;
use handbox_hand::{
    Audit, AuditError, Egress, EgressEnd, Http as _, HttpError, HttpRequest, Principal, Sender, Verdict,
};
use handbox_vault::{Binding, Destination, Grant, Limits, Options, Proxy, Quota, Secret, Trust};
use std::sync::Arc;

/// Decisions of one turn, and turns.
const DECISIONS: usize = 2000;
const TURNS: usize = 21;

/// Refuses each record of what may go, so that nothing is sent once all is decided.
struct Stop;

#[async_trait]
impl Audit for Stop {
    async fn decided(&self, egress: &Egress) -> Result<(), AuditError> {
        match egress.verdict {
            Verdict::Allowed { .. } => Err(AuditError(String::new())),
            Verdict::Refused { .. } => Ok(()),
        }
    }

    fn ended(&self, _: &Egress, _: &EgressEnd) {}
}

/// So many rules of either kind; the ones that fit come last.
fn proxy(rules: usize) -> Proxy {
    let to = |kind: &str, number: usize| Destination::parse(&format!("https://{kind}{number}.example.com/v1")).unwrap();
    let key = |number: usize| Secret::new(format!("sk-ant-api03-{number:0>60}abcdefghijklmnop")).unwrap();
    let bindings = (0..rules).map(|at| Binding::bearer(&format!("key {at}"), to("bound", at), key(at)).unwrap());
    let grant = Grant {
        destinations: (0..rules).map(|at| to("plain", at)).collect(),
        bindings: bindings.collect(),
        ..Grant::new(Principal::new("hand"))
    };
    let quota = Quota { requests_max: u64::MAX, bytes_max: u64::MAX, ..Limits::HANDS.quota };
    let limits = Limits { quota, ..Limits::HANDS };
    Proxy::new(Options { grants: vec![grant], trust: Trust::Only(Vec::new()), ..Options::new(limits) }).unwrap()
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sender = Sender { audit: Arc::new(Stop), ..Sender::new(Principal::new("hand")) };
    println!(
        "µs of CPU a decision, median of {TURNS} turns of {DECISIONS} each (and the quarters); no name is looked up"
    );
    println!("{:>8} {:>22} {:>22} {:>22}", "rules", "by a rule", "by a binding", "refused");
    for rules in [1, 10, 100] {
        let proxy = proxy(rules);
        let figures = ["plain", "bound", "other"].map(|kind| {
            let url = format!("https://{kind}{}.example.com/v1/messages?page=2", rules - 1);
            let mut turns: Vec<f64> = (0..TURNS).map(|_| runtime.block_on(turn(&proxy, &sender, &url))).collect();
            turns.sort_by(f64::total_cmp);
            format!("{:.1} ({:.1}–{:.1})", turns[TURNS / 2], turns[TURNS / 4], turns[TURNS * 3 / 4])
        });
        println!("{rules:>8} {:>22} {:>22} {:>22}", figures[0], figures[1], figures[2]);
    }
}

async fn turn(proxy: &Proxy, sender: &Sender, url: &str) -> f64 {
    let start = clock::cpu();
    for _ in 0..DECISIONS {
        let headers =
            [("accept", "application/json"), ("content-type", "application/json"), ("user-agent", "tool/1.0")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let request = HttpRequest { method: "POST".into(), url: url.to_owned(), headers, body: "{}".into() };
        let came = proxy.send(sender, request).await;
        assert!(matches!(came, Err(HttpError::Unrecorded(_) | HttpError::Denied(_))), "{came:?}");
    }
    (clock::cpu() - start).as_secs_f64() * 1e6 / DECISIONS as f64
}
