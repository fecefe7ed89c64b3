//! Who asks for a credential may go away before it is there.

use super::tests_oauth::{Bench, elsewhere, oauth, tokens, value};
use super::*;
use std::time::Duration;

/// Asks, and goes away when the server has been asked.
async fn ask_and_leave(bench: &Bench, keep: &Keep) {
    let asking = keep.current("o");
    let asked = async {
        while bench.asked() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = asked => {}
        came = asking => panic!("nobody waited for {came:?}"),
    }
}

#[tokio::test]
async fn a_token_that_was_renewed_is_kept_though_nobody_waited_for_it() {
    let bench = Bench::new(|at, _| tokens(at));
    let keep = bench.logged_in(oauth(0));
    ask_and_leave(&bench, &keep).await;
    assert_eq!((value(&keep).await.as_str(), bench.asked()), ("access-1-0123456789", 1));
    let again = bench.keep();
    let stale = again.current("o").await.unwrap().unwrap();
    assert!(again.renewed("o", &stale).await.unwrap().is_some());
    let seen = bench.server.seen.lock().unwrap()[1].clone();
    assert!(seen.contains("refresh_token=refresh-1-0123456789"), "the new one: {seen}");
}

#[test]
fn a_token_that_was_renewed_is_kept_though_the_process_ends() {
    let bench = Bench::new(|at, _| tokens(at));
    let keep = bench.logged_in(oauth(0));
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let commands = runtime();
    commands.block_on(ask_and_leave(&bench, &keep));
    assert!(!commands.block_on(keep.settle(Duration::ZERO)), "it is under way");
    assert!(commands.block_on(keep.settle(Duration::from_secs(20))));
    commands.shutdown_background();
    drop(keep);
    let again = bench.keep();
    assert_eq!((runtime().block_on(value(&again)).as_str(), bench.asked()), ("access-1-0123456789", 1));
}

#[tokio::test]
async fn a_value_that_took_too_long_is_there_for_the_next_request() {
    let bench = Bench::new(|_, _| (200, r#"{"data":{"key":"sk-one-0123456789"}}"#.to_owned()));
    let keep = bench.keep();
    let url = "https://vault.example/v1/secret/one".to_owned();
    elsewhere(&keep, Elsewhere::Http { url, field: "key".to_owned(), token: None });
    assert!(keep.at_hand("o").await.unwrap().is_none());
    assert_eq!(bench.asked(), 0, "nothing is asked for what is at hand");
    ask_and_leave(&bench, &keep).await;
    assert_eq!((value(&keep).await.as_str(), bench.asked()), ("sk-one-0123456789", 1));
    assert!(keep.at_hand("o").await.unwrap().is_some());
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_is_run_for_who_sends_its_value_alone() {
    let bench = Bench::new(|at, _| tokens(at));
    let keep = bench.keep();
    let ran = bench.folder.path().join("ran");
    let script = format!("echo x >> {}; echo sk-canary-0123456789", ran.display());
    elsewhere(&keep, Elsewhere::Command { words: vec!["/bin/sh".to_owned(), "-c".to_owned(), script] });
    let to = |text: &str| crate::Destination::parse(text).unwrap();
    let bound = crate::Binding::stored("o", to("https://a.example"), Arc::new(keep.clone())).unwrap();
    let principal = handbox_hand::Principal::new("hand");
    let grant = crate::Grant {
        destinations: vec![to("http://127.0.0.1:1")],
        bindings: vec![bound],
        ..crate::Grant::new(principal.clone())
    };
    let options =
        crate::Options::new(crate::Limits { connect_time_max: Duration::from_secs(5), ..crate::Limits::HANDS });
    let proxy = crate::Proxy::new(crate::Options { trust: crate::Trust::Only(Vec::new()), ..options }).unwrap();
    proxy.grant(grant).unwrap();
    let request = handbox_hand::HttpRequest {
        method: "GET".to_owned(),
        url: "http://127.0.0.1:1/".to_owned(),
        headers: Vec::new(),
        body: "".into(),
    };
    let sent = handbox_hand::Http::send(&proxy, &handbox_hand::Sender::new(principal), request).await;
    assert!(matches!(sent, Err(handbox_hand::HttpError::Unreachable(_))), "{sent:?}");
    assert!(!ran.exists());
}
