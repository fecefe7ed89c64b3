//! Tokens that end, with a real token endpoint: keep, proxy and both servers, over sockets.
//!
//! What the vault does with each answer is tested in `src/keep/tests_oauth.rs`.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod fake;
mod guard;

use fake::{Act, Received, Server, answer};
use guard::{Setup, get, post, secret, setup, to};
use handbox_hand::HttpError;
use handbox_vault::keep::{ByProxy, ClientAuth, Held, Keep, Kind, New, Oauth, Options};
use handbox_vault::{Binding, Limits, Trust};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const REFRESH: &str = "refresh-canary-0123456789";

/// The answer to the first, second, … request for a token.
fn tokens(endpoint: &Received) -> Vec<Act> {
    // The refresh token says how often it was renewed.
    let at = if endpoint.body.contains(REFRESH) { 1 } else { 2 };
    let text = format!(
        r#"{{"access_token":"access-canary-{at}-0123","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-canary-{at}-0123"}}"#
    );
    answer(200, "content-type: application/json\r\n", &text)
}

/// An API that takes one token, and tells what it got.
async fn api(token: &'static str) -> Server {
    let server = Server::new(move |request| {
        let own = request.header("authorization").unwrap_or_default();
        let status = if own == format!("Bearer {token}") { 200 } else { 401 };
        Ok(answer(status, "", &format!("{} with {own}", request.body)))
    });
    server.await
}

/// A vault with a token that ends in so many seconds, and a hand that it is bound for.
struct World {
    bench: guard::Bench,
    api: Server,
    tokens: Server,
    _folder: TempDir,
}

async fn world(expires_in: u64, api: Server, tokens: Server, limits: Limits) -> World {
    let folder = tempfile::tempdir().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let keep = Keep::new(Options {
        folder: folder.path().join("data"),
        key: folder.path().join("config/vault.key"),
        passphrase: None,
        out: Some(Arc::new(ByProxy { trust: Trust::Only(Vec::new()) })),
    });
    let held = Held::Oauth(Oauth {
        access: Some(secret("access-canary-0-0123")),
        refresh: Some(secret(REFRESH)),
        expires: Some(now + expires_in),
        token_url: format!("{}/token", tokens.url()),
        client_id: "handbox".to_owned(),
        client_secret: None,
        client_auth: ClientAuth::Basic,
        scope: String::new(),
        flow: None,
    });
    keep.set(New { name: "o".to_owned(), kind: Kind::Oauth, held, note: String::new() }).unwrap();
    let bindings = vec![Binding::stored("o", to(&api.url()), Arc::new(keep)).unwrap()];
    World { bench: Setup { bindings, limits, ..setup() }.open(), api, tokens, _folder: folder }
}

impl World {
    /// No token is on record, whatever came of it.
    fn assert_untold(&self) {
        let told = format!("{:?} {:?}", self.bench.told.decided.lock().unwrap(), self.bench.told.ends());
        assert!(!told.contains("canary"), "{told}");
    }

    fn sent(&self) -> Vec<String> {
        self.api.requests().iter().map(|sent| sent.header("authorization").unwrap_or_default().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_near_its_end_is_renewed_once_for_all_who_send() {
    let world = world(59, api("access-canary-1-0123").await, Server::new(|came| Ok(tokens(came))).await, guard::LIMITS);
    let world = Arc::new(world.await);
    let mut under_way = tokio::task::JoinSet::new();
    for _ in 0..guard::LIMITS.quota.connections_max {
        let world = Arc::clone(&world);
        under_way.spawn(async move { world.bench.body(post(world.api.url(), "x")).await });
    }
    for body in under_way.join_all().await {
        assert_eq!(body, "x with Bearer ****");
    }
    assert_eq!(world.tokens.requests().len(), 1);
    let asked = &world.tokens.requests()[0];
    assert_eq!(asked.line, "POST /token HTTP/1.1");
    assert_eq!(asked.body, format!("grant_type=refresh_token&refresh_token={REFRESH}&client_id=handbox"));
    world.assert_untold();
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_and_the_request_sent_again_once() {
    // C25
    let world =
        world(3600, api("access-canary-1-0123").await, Server::new(|came| Ok(tokens(came))).await, guard::LIMITS);
    let world = world.await;
    assert_eq!(world.bench.body(post(world.api.url(), "x")).await, "x with Bearer ****");
    assert_eq!(world.sent(), ["Bearer access-canary-0-0123", "Bearer access-canary-1-0123"]);
    assert_eq!((world.tokens.requests().len(), world.bench.told.ends().len()), (1, 1));
    // From then on the new one is sent at once.
    world.bench.body(get(world.api.url())).await;
    assert_eq!((world.api.requests().len(), world.tokens.requests().len()), (3, 1));
    world.assert_untold();
}

#[tokio::test]
async fn a_server_that_takes_no_token_is_not_asked_for_ever() {
    let world = world(3600, api("none").await, Server::new(|came| Ok(tokens(came))).await, guard::LIMITS).await;
    // A token that was renewed a moment ago is not renewed again for the next 401.
    for (asked, renewed) in [(2, 1), (3, 1)] {
        let (status, _, body) = world.bench.fetch(get(world.api.url())).await.unwrap();
        assert_eq!((status, body.as_str()), (401, " with Bearer ****"));
        assert_eq!((world.api.requests().len(), world.tokens.requests().len()), (asked, renewed));
    }
    world.assert_untold();
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_the_refresh_token_goes_to_its_endpoint_alone() {
    let trap = Server::always(answer(200, "", "{}")).await;
    for (status, headers, body) in [
        (400, String::new(), format!(r#"{{"error":"invalid_grant","error_description":"{REFRESH}"}}"#)),
        (500, String::new(), REFRESH.to_owned()),
        (200, String::new(), "[]".to_owned()),
        (307, format!("location: {}/token\r\n", trap.url()), String::new()),
        (200, String::new(), format!(r#"{{"access_token":"{}"}}"#, "x".repeat(100_000))),
    ] {
        let endpoint = Server::always(answer(status, &headers, &body)).await;
        let world = world(0, api("none").await, endpoint, guard::LIMITS).await;
        for _ in 0..3 {
            let refused = world.bench.refused(get(world.api.url())).await;
            assert!(refused.contains("\"o\"") && !refused.contains("canary"), "{status}: {refused}");
        }
        assert_eq!((world.api.requests().len(), world.tokens.requests().len()), (0, 1), "{status}");
        world.assert_untold();
    }
    assert!(trap.requests().is_empty());
}

#[tokio::test]
async fn an_endpoint_slower_than_a_request_may_wait_serves_a_later_one() {
    let slow = Server::new(|came| {
        let wait = Act::Wait(Duration::from_millis(700));
        Ok([wait].into_iter().chain(tokens(came)).collect())
    });
    let limits = Limits { connect_time_max: Duration::from_millis(200), ..guard::LIMITS };
    let world = world(0, api("access-canary-1-0123").await, slow.await, limits).await;
    let refused = world.bench.refused(get(world.api.url())).await;
    assert!(refused.contains("not within the time allowed"), "{refused}");
    assert!(world.api.requests().is_empty(), "it is not sent without");
    let later = async {
        loop {
            match world.bench.fetch(get(world.api.url())).await {
                Ok((status, ..)) => return status,
                Err(HttpError::Denied(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(other) => panic!("{other:?}"),
            }
        }
    };
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), later).await.unwrap(), 200);
    assert_eq!(world.tokens.requests().len(), 1, "whoever came later waited for the same");
    world.assert_untold();
}
