//! The way out of one bundle's components, while the vault changes and hands come and go.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod fake;
mod guard;

use fake::{Server, answer};
use guard::{Told, get, principal, secret};
use handbox_hand::{Audit, CallId, Destination, Http as _, HttpError, Sender, Verdict};
use handbox_vault::keep::{Bind, Changed, Door, GuestHeader, Held, Holder, Keep, Kind, New, Rest, Rule, Terms};
use handbox_vault::{Limits, Options, Proxy, Quota, Trust};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

struct Bench {
    folder: TempDir,
    proxy: Arc<Proxy>,
    server: Server,
    told: Arc<Told>,
    changed: Arc<Mutex<Vec<Changed>>>,
}

impl Bench {
    async fn new(limits: Limits) -> Self {
        let options = Options { trust: Trust::Only(Vec::new()), ..Options::new(limits) };
        Self {
            folder: tempfile::tempdir().unwrap(),
            proxy: Arc::new(Proxy::new(options).unwrap()),
            server: Server::always(answer(200, "", "x")).await,
            told: Arc::default(),
            changed: Arc::default(),
        }
    }

    fn options(&self) -> handbox_vault::keep::Options {
        let (folder, key) = (self.folder.path().join("data"), self.folder.path().join("config/vault.key"));
        handbox_vault::keep::Options { folder, key, passphrase: None, out: None }
    }

    fn keep(&self) -> Keep {
        let keep = Keep::new(self.options());
        let held = Held::Value(secret("sk-canary-0123456789"));
        keep.set(New { name: "k".to_owned(), kind: Kind::Bearer, held, note: String::new() }).unwrap();
        keep
    }

    /// A bundle's door, which lets its component to the server.
    fn door(&self, keep: &Keep, destinations: &[String]) -> Door {
        let changed = Arc::clone(&self.changed);
        let rule = Rule {
            principal: principal(),
            destinations: destinations.iter().map(|to| Destination::parse(to).unwrap()).collect(),
            wants: Some(Arc::new(|bound| bound.kind == "bearer")),
        };
        let terms = Terms {
            holder: Holder { names: vec!["else".to_owned(), "mine".to_owned()], digest: "sha256:now".to_owned() },
            ranges: Vec::new(),
            rules: vec![rule],
            on_changed: Arc::new(move |one| changed.lock().unwrap().push(one.clone())),
        };
        Door::new(Arc::clone(&self.proxy), keep.clone(), terms)
    }

    async fn send(&self, door: &Door, call: Option<&str>) -> Result<(), HttpError> {
        let audit = Arc::clone(&self.told) as Arc<dyn Audit>;
        let sender = Sender { audit, call: call.map(|id| CallId(id.to_owned())), ..Sender::new(principal()) };
        let mut response = door.send(&sender, get(self.server.url())).await?;
        while response.body.next().await?.is_some() {}
        Ok(())
    }

    /// What the server got as whom.
    fn came_as(&self) -> Vec<Option<String>> {
        let requests = self.server.requests();
        requests.iter().map(|request| request.header("authorization").map(str::to_owned)).collect()
    }

    fn bind(&self, digest: Option<&str>) -> Bind {
        Bind {
            to: self.server.url(),
            bundle: "mine".to_owned(),
            digest: digest.map(str::to_owned),
            methods: Vec::new(),
            guest_header: GuestHeader::Refuse,
        }
    }
}

#[tokio::test]
async fn what_the_vault_binds_counts_from_the_next_request_of_a_hand_that_runs() {
    let bench = Bench::new(guard::LIMITS).await;
    let keep = bench.keep();
    let door = bench.door(&keep, &[bench.server.url()]);
    // As another process would.
    let other = Keep::new(bench.options());
    bench.send(&door, None).await.unwrap();
    other.bind("k", bench.bind(Some("sha256:now"))).unwrap();
    bench.send(&door, None).await.unwrap();
    bench.send(&door, None).await.unwrap();
    other.rotate("k", Held::Value(secret("sk-second-0123456789"))).unwrap();
    bench.send(&door, None).await.unwrap();
    other.unbind("k", None, Some("mine")).unwrap();
    bench.send(&door, None).await.unwrap();
    other.bind("k", bench.bind(None)).unwrap();
    bench.send(&door, None).await.unwrap();
    other.remove("k").unwrap();
    bench.send(&door, None).await.unwrap();
    let [first, second] =
        ["Bearer sk-canary-0123456789", "Bearer sk-second-0123456789"].map(|text| Some(text.to_owned()));
    assert_eq!(bench.came_as(), [None, first.clone(), first, second.clone(), None, second, None]);
}

#[tokio::test]
async fn a_bundle_that_changed_is_told_once_and_gets_nothing() {
    let bench = Bench::new(guard::LIMITS).await;
    let keep = bench.keep();
    keep.bind("k", bench.bind(Some("sha256:before"))).unwrap();
    let door = bench.door(&keep, &[bench.server.url()]);
    for _ in 0..3 {
        bench.send(&door, None).await.unwrap();
    }
    assert_eq!(bench.came_as(), [None, None, None]);
    let told = bench.changed.lock().unwrap().clone();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].name.as_str(), told[0].bundle.as_str()), ("k", "mine"));
}

#[tokio::test]
async fn each_call_has_its_whole_quota_and_no_more() {
    let quota = Quota { requests_max: 2, ..guard::LIMITS.quota };
    let bench = Bench::new(Limits { quota, ..guard::LIMITS }).await;
    let keep = Keep::new(bench.options());
    let door = bench.door(&keep, &[bench.server.url()]);
    let is_over = |sent: Result<(), HttpError>| matches!(sent, Err(HttpError::Quota(_)));
    for call in ["a", "b"] {
        bench.send(&door, Some(call)).await.unwrap();
        bench.send(&door, Some(call)).await.unwrap();
        assert!(is_over(bench.send(&door, Some(call)).await));
    }
    assert!(is_over(bench.send(&door, Some("a")).await), "a call is counted anew once");
    assert!(is_over(bench.send(&door, None).await));
    assert_eq!(bench.server.requests().len(), 4);
}

#[tokio::test]
async fn a_hand_that_was_made_anew_loses_nothing_to_the_one_before() {
    let bench = Bench::new(guard::LIMITS).await;
    let keep = Keep::new(bench.options());
    let before = bench.door(&keep, &[]);
    let is_denied = |sent: Result<(), HttpError>| matches!(sent, Err(HttpError::Denied(_)));
    assert!(is_denied(bench.send(&before, None).await));
    let now = bench.door(&keep, &[bench.server.url()]);
    bench.send(&now, None).await.unwrap();
    assert!(is_denied(bench.send(&before, None).await), "nor does it gain anything");
    bench.send(&now, None).await.unwrap();
    drop(before);
    bench.send(&now, None).await.unwrap();
}

#[tokio::test]
async fn a_vault_that_cannot_be_opened_is_asked_for_a_passphrase_once_and_told_of_as_often_as_may_be() {
    let quota = Quota { requests_max: 5, ..guard::LIMITS.quota };
    let limits = Limits { quota, connect_time_max: Duration::from_millis(500), ..guard::LIMITS };
    let bench = Bench::new(limits).await;
    let keep = bench.keep();
    keep.bind("k", bench.bind(None)).unwrap();
    keep.init(&Rest::Passphrase("a right long passphrase".to_owned().into())).unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let passphrase: handbox_vault::keep::AskPassphrase = Arc::new(move || {
        counting.fetch_add(1, Ordering::SeqCst);
        Ok("a wrong passphrase".to_owned().into())
    });
    let closed = Keep::new(handbox_vault::keep::Options { passphrase: Some(passphrase), ..bench.options() });
    let door = bench.door(&closed, &[bench.server.url()]);
    let (bench, door) = (Arc::new(bench), Arc::new(door));
    let mut sends = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (bench, door) = (Arc::clone(&bench), Arc::clone(&door));
        sends.spawn(async move { bench.send(&door, Some("call")).await });
    }
    let sent = tokio::time::timeout(Duration::from_secs(60), sends.join_all()).await.unwrap();
    assert_eq!(sent.iter().filter(|sent| matches!(sent, Err(HttpError::Denied(_)))).count(), 5, "{sent:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let verdicts = bench.told.verdicts();
    assert_eq!(verdicts.len(), 6, "those of the quota, and that there are no more: {verdicts:?}");
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Refused { .. })));
    assert!(bench.server.requests().is_empty());
    // The record of a refusal is waited for as that of any other decision.
    *bench.told.hangs.lock().unwrap() = true;
    let sent = tokio::time::timeout(Duration::from_secs(20), bench.send(&door, Some("another"))).await.unwrap();
    assert!(matches!(sent, Err(HttpError::Unrecorded(_))), "{sent:?}");
}

#[tokio::test]
async fn what_a_tool_put_together_is_scrubbed_at_its_door() {
    let bench = Bench::new(Limits::HANDS).await;
    let keep = bench.keep();
    keep.bind("k", bench.bind(Some("sha256:now"))).unwrap();
    let door = bench.door(&keep, &[]);
    bench.send(&door, None).await.unwrap();
    let said = b"it is sk-canary-0123456789".to_vec();
    assert_eq!(door.scrub(&principal(), said.clone()), b"it is ****");
    assert_eq!(door.scrub(&handbox_hand::Principal::new("another"), said.clone()), said);
}

#[tokio::test]
async fn a_value_of_before_is_hidden_by_a_process_that_began_after_its_rotation_until_it_is_removed() {
    let bench = Bench::new(Limits::HANDS).await;
    let keep = bench.keep();
    keep.bind("k", bench.bind(None)).unwrap();
    for at in 1..=4 {
        keep.rotate("k", Held::Value(secret(&format!("sk-rotated-{at}-0123456789")))).unwrap();
    }
    let said = b"sk-canary-0123456789 sk-rotated-3-0123456789 sk-rotated-4-0123456789".to_vec();
    let scrubbed = async || {
        // As another process would.
        let keep = Keep::new(bench.options());
        let door = bench.door(&keep, &[bench.server.url()]);
        bench.send(&door, None).await.unwrap();
        String::from_utf8(door.scrub(&principal(), said.clone())).unwrap()
    };
    assert_eq!(scrubbed().await, "**** **** ****");
    keep.rotate("k", Held::Value(secret("sk-rotated-5-0123456789"))).unwrap();
    assert_eq!(scrubbed().await, "sk-canary-0123456789 **** ****", "the last four are kept");
    let as_whom = bench.came_as();
    assert_eq!(as_whom.last().unwrap().as_deref(), Some("Bearer sk-rotated-5-0123456789"));
    keep.unbind("k", None, None).unwrap();
    assert_eq!(scrubbed().await.as_bytes(), said, "what is not bound is nobody's");
    keep.remove("k").unwrap();
    drop(bench.keep());
    keep.bind("k", bench.bind(None)).unwrap();
    assert_eq!(scrubbed().await, "**** sk-rotated-3-0123456789 sk-rotated-4-0123456789", "it is another of that name");
}

#[tokio::test]
async fn values_that_were_never_seen_here_are_hidden_once_another_took_their_place() {
    let bench = Bench::new(Limits::HANDS).await;
    let keep = bench.keep();
    keep.bind("k", bench.bind(None)).unwrap();
    let door = bench.door(&keep, &[]);
    bench.send(&door, None).await.unwrap();
    for value in ["sk-second-0123456789", "sk-third-0123456789"] {
        Keep::new(bench.options()).rotate("k", Held::Value(secret(value))).unwrap();
    }
    bench.send(&door, None).await.unwrap();
    assert_eq!(door.scrub(&principal(), b"sk-second-0123456789".to_vec()), b"****");
}
