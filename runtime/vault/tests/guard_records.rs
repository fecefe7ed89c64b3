//! What is on record of each request, and that nothing leaves without.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod fake;
mod guard;

use fake::{Act, Server, answer, chunk, head};
use guard::{KEY, Setup, allowing, get, post, secret, setup, to};
use handbox_hand::{Http as _, HttpError, HttpRequest, Verdict};
use handbox_vault::{Binding, Limits};
use std::time::Duration;

#[tokio::test]
async fn a_request_is_on_record_before_it_is_sent_and_its_end_afterwards() {
    let server = Server::always(answer(200, "", "four")).await;
    let binding = Binding::bearer("key", to(&format!("{}/v1", server.url())), secret(KEY)).unwrap();
    let bench = Setup { bindings: vec![binding], ..allowing(&[&format!("{}/open", server.url())]) }.open();
    bench.body(get(format!("{}/open/x?q=private", server.url()))).await;
    let told = bench.told.last();
    let rule = format!("{}/open", server.url());
    assert_eq!(told.verdict, Verdict::Allowed { rule, credential: None });
    assert_eq!((told.principal.as_str(), told.tool.as_deref()), ("hand", Some("fetch")));
    assert_eq!((told.method.as_str(), &told.origin, told.path.as_str()), ("GET", &server.url(), "/open/x"));
    assert!(!told.durable);
    bench.body(post(format!("{}/open", server.url()), "12345")).await;
    assert!(bench.told.last().durable, "it may change something");
    bench.body(get(format!("{}/v1", server.url()))).await;
    let told = bench.told.last();
    assert!(told.durable, "a credential went along");
    assert_eq!(told.verdict, Verdict::Allowed { rule: format!("{}/v1", server.url()), credential: Some("key".into()) });

    let ended = bench.told.ended.lock().unwrap().clone();
    let ids: Vec<_> = bench.told.decided.lock().unwrap().iter().map(|egress| egress.id).collect();
    assert_eq!(ended.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids);
    let end = &ended[1].1;
    assert_eq!((end.status, end.sent, end.request_bytes, end.response_bytes), (Some(200), true, 5, 4));
    assert_eq!(end.error, None);
}

#[tokio::test]
async fn what_cannot_be_put_on_record_is_not_sent() {
    let server = Server::always(answer(200, "", "")).await;
    let limits = Limits { connect_time_max: Duration::from_secs(1), ..guard::LIMITS };
    let bench = Setup { limits, ..allowing(&[&server.url()]) }.open();
    *bench.told.refuses.lock().unwrap() = true;
    let error = bench.fetch(get(server.url())).await.unwrap_err();
    assert!(matches!(&error, HttpError::Unrecorded(_)) && error.to_string().contains("the disk is full"), "{error:?}");
    // A refusal that cannot be recorded says so as well.
    let error = bench.fetch(get("http://other.example/")).await.unwrap_err();
    assert!(matches!(error, HttpError::Unrecorded(_)), "{error:?}");
    *bench.told.hangs.lock().unwrap() = true;
    let error = bench.fetch(get(server.url())).await.unwrap_err();
    assert!(matches!(error, HttpError::Unrecorded(_)), "{error:?}");
    assert!(server.requests().is_empty() && bench.told.ends().is_empty());
    *bench.told.refuses.lock().unwrap() = false;
    *bench.told.hangs.lock().unwrap() = false;
    assert!(bench.fetch(get(server.url())).await.is_ok(), "no place among the connections was lost");
}

#[tokio::test]
async fn a_response_that_nobody_reads_to_its_end_ends_on_record() {
    let endless = vec![head("a/b"), chunk("12345"), Act::Wait(Duration::from_secs(9))];
    let server = Server::always(endless).await;
    let bench = allowing(&[&server.url()]).open();
    let mut response = bench.proxy.send(&bench.sender(), get(server.url())).await.unwrap();
    response.body.next().await.unwrap();
    assert!(bench.told.ends().is_empty());
    drop(response);
    let ends = bench.told.ends();
    assert_eq!(ends.len(), 1);
    assert_eq!((ends[0].status, ends[0].sent, ends[0].response_bytes), (Some(200), true, 5));
    assert!(ends[0].error.is_some());
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_ends_on_record() {
    let server = Server::always(vec![Act::Wait(Duration::from_secs(9))]).await;
    let bench = allowing(&[&server.url()]).open();
    let asked = bench.fetch(get(server.url()));
    assert!(tokio::time::timeout(Duration::from_secs(1), asked).await.is_err());
    let ends = bench.told.ends();
    assert!(ends.len() == 1 && ends[0].sent && ends[0].status.is_none() && ends[0].error.is_some(), "{ends:?}");
}

#[tokio::test]
async fn a_record_is_bounded_and_shows_no_control_characters() {
    // A15, A16
    let bench = setup().open();
    let long = format!("http://a.example/%1b{}", "x".repeat(5000));
    bench.refused(HttpRequest { method: "X".repeat(200), ..get(long) }).await;
    let told = bench.told.last();
    assert_eq!((told.method.len(), told.path.len()), (32, 1024));
    let odd = bench.fetch(get("http://a.example/\u{1b}[31m\u{202e}")).await.unwrap_err();
    assert!(matches!(odd, HttpError::Invalid(_)), "{odd:?}");
    let told = bench.told.last();
    assert_eq!((told.origin.as_str(), told.path.as_str()), ("", ""));
    assert!(serde_json::to_string(&told).unwrap().is_ascii());
}

#[tokio::test]
async fn what_was_not_sent_is_known_not_to_have_been() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let cut = Server::always(vec![Act::Cut]).await;
    let bench = allowing(&[&format!("http://{free}"), &cut.url()]).open();
    let unreachable = bench.fetch(get(format!("http://{free}"))).await.unwrap_err();
    let lost = bench.fetch(get(cut.url())).await.unwrap_err();
    assert!(
        matches!((&unreachable, &lost), (HttpError::Unreachable(_), HttpError::Lost(_))),
        "{unreachable:?} {lost:?}"
    );
    let sent: Vec<bool> = bench.told.ends().iter().map(|end| end.sent).collect();
    assert_eq!(sent, [false, true]);
}
