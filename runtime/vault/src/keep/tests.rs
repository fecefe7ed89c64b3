//! The vault at rest, as a whole.

use super::*;
use crate::{Credentials as _, Secret};
use data_encoding::{BASE64, HEXLOWER};
use tempfile::TempDir;
use zeroize::Zeroizing;

pub(super) const CANARY: &str = "sk-canary-0123456789";

/// A vault in a folder of its own.
pub(super) struct Bench {
    pub(super) folder: TempDir,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn options(&self) -> Options {
        let (folder, key) = (self.folder.path().join("data"), self.folder.path().join("config").join("vault.key"));
        Options { folder, key, passphrase: None, out: None }
    }

    pub(super) fn keep(&self) -> Keep {
        Keep::new(self.options())
    }

    pub(super) fn vault(&self) -> std::path::PathBuf {
        self.folder.path().join("data").join("vault.age")
    }

    /// Every byte of every file.
    fn bytes(&self) -> Vec<u8> {
        let folders = ["data", "config"].map(|name| self.folder.path().join(name));
        let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }
}

pub(super) fn held(value: &str) -> Held {
    Held::Value(Secret::new(value).unwrap())
}

pub(super) fn new(name: &str, value: &str) -> New {
    New { name: name.to_owned(), kind: Kind::Bearer, held: held(value), note: String::new() }
}

fn bind(to: &str, bundle: &str) -> Bind {
    Bind {
        to: to.to_owned(),
        bundle: bundle.to_owned(),
        digest: None,
        methods: Vec::new(),
        guest_header: GuestHeader::Refuse,
    }
}

async fn value(keep: &Keep, name: &str) -> Option<String> {
    let credential = keep.current(name).await.unwrap();
    credential.map(|credential| String::from_utf8(credential.secret.reveal().to_vec()).unwrap())
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_value_is_given_back_and_stands_in_no_file() {
    let bench = Bench::new();
    assert!(!bench.keep().is_there());
    bench.keep().set(new("a", CANARY)).unwrap();
    let keep = bench.keep();
    keep.bind("a", bind("https://api.example.com/v1/", "std")).unwrap();
    assert_eq!(value(&keep, "a").await.as_deref(), Some(CANARY));
    assert_eq!(value(&keep, "b").await, None);
    keep.used("a");
    let listed = keep.list().unwrap();
    assert!(listed[0].last_used.is_some() && listed[0].bindings[0].to == "https://api.example.com/v1");
    drop(keep);
    let bytes = bench.bytes();
    for form in [CANARY.to_owned(), BASE64.encode(CANARY.as_bytes()), HEXLOWER.encode(CANARY.as_bytes())] {
        assert!(!contains(&bytes, form.as_bytes()), "{form}");
        assert!(!format!("{listed:?}").contains(&form));
    }
    assert!(!contains(&bytes, b"api.example.com"), "where it goes is nobody's business either");
}

#[tokio::test]
async fn what_another_process_changes_counts_from_the_next_request_on() {
    let bench = Bench::new();
    let (running, other) = (bench.keep(), bench.keep());
    assert_eq!(value(&running, "a").await, None);
    other.set(new("a", CANARY)).unwrap();
    let old = running.current("a").await.unwrap().unwrap();
    assert!(running.renewed("a", &old).await.unwrap().is_none(), "there is no other value");
    other.rotate("a", held("sk-second-0123456789")).unwrap();
    let renewed = running.renewed("a", &old).await.unwrap().unwrap();
    assert_eq!(renewed.secret.reveal(), b"sk-second-0123456789");
    assert_eq!(value(&running, "a").await.as_deref(), Some("sk-second-0123456789"));
    other.remove("a").unwrap();
    assert_eq!(value(&running, "a").await, None);
    assert_eq!(other.remove("a"), Err(KeepError::Unknown("a".to_owned())));
}

#[test]
fn many_who_change_it_at_once_lose_nothing() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            // Each with its own handle on every file, as another process would have.
            let keep = bench.keep();
            scope.spawn(move || {
                for at in 0..8 {
                    keep.set(new(&format!("n-{thread}-{at}"), CANARY)).unwrap();
                }
            });
        }
    });
    assert_eq!(bench.keep().list().unwrap().len(), 32);
}

#[tokio::test]
async fn a_damaged_vault_gives_nothing_and_is_not_overwritten() {
    let bench = Bench::new();
    bench.keep().set(new("a", CANARY)).unwrap();
    let whole = std::fs::read(bench.vault()).unwrap();
    let mut turned = whole.clone();
    *turned.last_mut().unwrap() ^= 1;
    let cases: [&[u8]; 5] = [b"", b"garbage", &whole[..whole.len() / 2], &whole[..whole.len() - 1], &turned];
    for bytes in cases {
        std::fs::write(bench.vault(), bytes).unwrap();
        let keep = bench.keep();
        let error = keep.current("a").await.unwrap_err();
        assert!(error.why.contains("vault.age cannot be opened"), "{}", error.why);
        let error = keep.set(new("b", CANARY)).unwrap_err();
        assert!(matches!(&error, KeepError::Closed { .. }) && error.hint().contains("backup"), "{error}");
        assert_eq!(std::fs::read(bench.vault()).unwrap(), bytes);
    }
    std::fs::write(bench.vault(), &whole).unwrap();
    assert_eq!(value(&bench.keep(), "a").await.as_deref(), Some(CANARY));
}

#[tokio::test]
async fn a_running_program_sees_damage_and_mending() {
    let bench = Bench::new();
    let keep = bench.keep();
    keep.set(new("a", CANARY)).unwrap();
    assert!(value(&keep, "a").await.is_some());
    let whole = std::fs::read(bench.vault()).unwrap();
    std::fs::write(bench.vault(), "x").unwrap();
    assert!(keep.current("a").await.is_err());
    std::fs::write(bench.vault(), whole).unwrap();
    assert!(value(&keep, "a").await.is_some());
    std::fs::remove_file(bench.vault()).unwrap();
    assert_eq!(value(&keep, "a").await, None);
}

#[test]
fn a_vault_without_its_key_stays_closed_and_gets_no_new_one() {
    let bench = Bench::new();
    bench.keep().set(new("a", CANARY)).unwrap();
    let key = bench.options().key;
    std::fs::rename(&key, key.with_extension("gone")).unwrap();
    for error in [bench.keep().list().unwrap_err(), bench.keep().set(new("b", CANARY)).unwrap_err()] {
        assert!(error.to_string().contains("but not its key"), "{error}");
    }
    assert!(!key.exists());
    let other = Bench::new();
    other.keep().init(&Rest::Plain).unwrap();
    std::fs::copy(other.options().key, &key).unwrap();
    let error = bench.keep().list().unwrap_err();
    assert!(error.to_string().contains("closed with another key"), "{error}");
}

#[test]
fn a_passphrase_closes_the_key_and_is_asked_once() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let bench = Bench::new();
    let answer = |text: &'static str| -> (Keep, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let ask: AskPassphrase = Arc::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Zeroizing::new(text.to_owned()))
        });
        (Keep::new(Options { passphrase: Some(ask), ..bench.options() }), asked)
    };
    bench.keep().set(new("a", CANARY)).unwrap();
    let short = Rest::Passphrase(Zeroizing::new("short".to_owned()));
    assert!(matches!(bench.keep().init(&short), Err(KeepError::Invalid { .. })));
    bench.keep().init(&Rest::Passphrase(Zeroizing::new("correct horse".to_owned()))).unwrap();
    assert!(!contains(&bench.bytes(), b"AGE-SECRET-KEY"));
    let error = bench.keep().list().unwrap_err();
    assert!(error.to_string().contains("nobody can be asked"), "{error}");
    let error = answer("wrong horse").0.list().unwrap_err();
    assert!(error.to_string().contains("does not open"), "{error}");
    let (keep, asked) = answer("correct horse");
    keep.set(new("b", CANARY)).unwrap();
    assert_eq!((keep.list().unwrap().len(), asked.load(Ordering::Relaxed)), (2, 1));
    keep.init(&Rest::Plain).unwrap();
    assert_eq!(bench.keep().list().unwrap().len(), 2);
}

#[test]
fn a_bundle_gets_what_is_bound_for_it_as_it_was() {
    let bench = Bench::new();
    let keep = bench.keep();
    keep.set(new("a", CANARY)).unwrap();
    let pinned = Bind { digest: Some("sha256:one".to_owned()), ..bind("https://a.example", "weather") };
    keep.bind("a", pinned).unwrap();
    keep.bind("a", bind("https://b.example", "weather")).unwrap();
    keep.bind("a", bind("https://c.example", "other")).unwrap();
    let bound = |digest| {
        let bindings = keep.bindings_for("weather", digest).unwrap();
        let to: Vec<String> = bindings.bound.iter().map(|bound| bound.to.to_string()).collect();
        (to, bindings.changed.len())
    };
    assert_eq!(bound(Some("sha256:one")).0, ["https://a.example", "https://b.example"]);
    assert_eq!(bound(Some("sha256:two")), (vec!["https://b.example".to_owned()], 1));
    assert_eq!(bound(None).1, 1);
    assert!(keep.bindings_for("nobody", None).unwrap().bound.is_empty());
    assert_eq!(keep.unbind("a", Some("https://b.example/"), Some("other")).unwrap(), 0);
    assert_eq!(keep.unbind("a", Some("https://b.example/"), None).unwrap(), 1);
    assert_eq!(keep.unbind("a", None, Some("weather")).unwrap(), 1);
    assert_eq!(keep.get("a").unwrap().bindings.len(), 1);
}

#[test]
fn bindings_that_make_no_sense_are_refused() {
    let bench = Bench::new();
    let keep = bench.keep();
    keep.set(new("a", CANARY)).unwrap();
    keep.set(new("b", CANARY)).unwrap();
    for to in ["http://api.example.com", "https://me@api.example.com", "https://a.example/?q=1"] {
        assert!(matches!(keep.bind("a", bind(to, "std")), Err(KeepError::Invalid { .. })), "{to}");
    }
    keep.bind("a", bind("http://127.0.0.1:8080", "std")).unwrap();
    let twice = keep.bind("b", bind("http://127.0.0.1:8080/", "std")).unwrap_err();
    assert!(twice.hint().contains("handbox vault unbind a"), "{}", twice.hint());
    keep.bind("b", bind("http://127.0.0.1:8080", "other")).unwrap();
    assert_eq!(keep.bind("c", bind("https://a.example", "std")), Err(KeepError::Unknown("c".to_owned())));
}

#[test]
fn a_git_credential_goes_to_what_git_asks_of_one_repository() {
    let bench = Bench::new();
    let keep = bench.keep();
    let kind = Kind::Git { user: "x-access-token".to_owned() };
    keep.set(New { kind, ..new("g", CANARY) }).unwrap();
    assert!(keep.bind("g", bind("https://git.example", "std")).is_err());
    keep.bind("g", bind("https://git.example/me/one.git", "std")).unwrap();
    let bound = keep.bindings_for("std", None).unwrap().bound;
    let covers = |url: &str| {
        let target = handbox_hand::Target::parse(url).unwrap();
        bound.iter().any(|bound| bound.to.covers("GET", &target))
    };
    for path in ["info/refs?service=git-upload-pack", "git-upload-pack", "git-receive-pack"] {
        assert!(covers(&format!("https://git.example/me/one.git/{path}")), "{path}");
        assert!(!covers(&format!("https://git.example/me/two.git/{path}")), "{path}");
    }
    assert!(!covers("https://git.example/me/one.git/info/lfs/objects/batch"));
    assert!(!covers("https://git.example/me/one.git"));
}

#[test]
fn kinds_that_no_request_can_carry_are_refused() {
    let bench = Bench::new();
    let keep = bench.keep();
    let header = |name: &str| Kind::Header { name: name.to_owned(), prefix: String::new() };
    let env = |variable: &str, pointer: &str| Kind::Env {
        variable: variable.to_owned(),
        place: EnvPlace::Body { pointer: pointer.to_owned() },
    };
    for kind in [
        header("Host"),
        header("a b"),
        header(""),
        Kind::Header { name: "x-key".to_owned(), prefix: "a\r\nb".to_owned() },
        Kind::Basic { user: "me:you".to_owned() },
        Kind::Query { name: "a&b".to_owned() },
        env("1A", "/key"),
        env("KEY", "key"),
        Kind::Oauth,
    ] {
        let text = format!("{kind:?}");
        assert!(matches!(keep.set(New { kind, ..new("a", CANARY) }), Err(KeepError::Invalid { .. })), "{text}");
    }
    for name in ["", "-a", "a b", "a/b", &"a".repeat(65)] {
        assert!(matches!(keep.set(new(name, CANARY)), Err(KeepError::Invalid { .. })), "{name}");
    }
    assert!(!bench.vault().exists());
    keep.set(New { kind: env("KEY", "/auth/key"), ..new("a", CANARY) }).unwrap();
    assert_eq!(keep.set(new("a", CANARY)), Err(KeepError::Taken("a".to_owned())));
}

#[test]
fn the_key_for_models_is_found() {
    let bench = Bench::new();
    let keep = bench.keep();
    let model = |name: &str| New { kind: Kind::Model { provider: Provider::Anthropic }, ..new(name, CANARY) };
    assert_eq!(keep.model_key(Provider::Anthropic).unwrap(), None);
    keep.set(model("work")).unwrap();
    assert_eq!(keep.model_key(Provider::Anthropic).unwrap().as_deref(), Some("work"));
    assert_eq!(keep.model_key(Provider::Openai).unwrap(), None);
    keep.set(model("home")).unwrap();
    assert!(keep.model_key(Provider::Anthropic).is_err());
    keep.set(model("anthropic")).unwrap();
    assert_eq!(keep.model_key(Provider::Anthropic).unwrap().as_deref(), Some("anthropic"));
}
