//! Who still gets a credential, and with what.

use super::*;
use crate::Secret;
use tempfile::TempDir;

fn vault() -> (TempDir, Keep) {
    let folder = tempfile::tempdir().unwrap();
    let (data, key) = (folder.path().join("data"), folder.path().join("config").join("vault.key"));
    (folder, Keep::new(Options { folder: data, key, passphrase: None, out: None }))
}

fn set(keep: &Keep, name: &str, kind: Kind, value: &str) {
    let held = Held::Value(Secret::new(value).unwrap());
    keep.set(New { name: name.to_owned(), kind, held, note: String::new() }).unwrap();
}

fn bind(to: &str, bundle: &str) -> Bind {
    let (to, bundle) = (to.to_owned(), bundle.to_owned());
    Bind { to, bundle, digest: None, methods: Vec::new(), guest_header: GuestHeader::Refuse }
}

/// What a session that runs asks for a credential with.
fn held(keep: &Keep, bundle: &str, digest: &str) -> Arc<dyn Credentials> {
    let bindings = keep.bindings_for(bundle, Some(digest)).unwrap();
    let holder = Holder { names: vec!["other".to_owned(), bundle.to_owned()], digest: digest.to_owned() };
    keep.held_for(&holder, &bindings.bound[0])
}

async fn value(held: &Arc<dyn Credentials>) -> Option<String> {
    let credential = held.current("k").await.unwrap();
    credential.map(|credential| String::from_utf8(credential.secret.reveal().to_vec()).unwrap())
}

#[tokio::test]
async fn what_is_unbound_is_sent_no_more_by_what_runs() {
    let (_folder, keep) = vault();
    set(&keep, "k", Kind::Bearer, "sk-first-0123456789");
    keep.bind("k", bind("https://a.example", "std")).unwrap();
    keep.bind("k", bind("https://b.example", "std")).unwrap();
    let running = held(&keep, "std", "sha256:one");
    assert_eq!(value(&running).await.as_deref(), Some("sk-first-0123456789"));
    assert!(running.current("other").await.unwrap().is_none());
    let old = running.current("k").await.unwrap().unwrap();
    keep.rotate("k", Held::Value(Secret::new("sk-second-0123456789").unwrap())).unwrap();
    assert!(running.renewed("k", &old).await.unwrap().is_some(), "it is bound still");
    keep.unbind("k", Some("https://a.example"), None).unwrap();
    assert_eq!(value(&running).await, None);
    assert!(running.renewed("k", &old).await.unwrap().is_none());
    running.used("k");
    assert_eq!(keep.get("k").unwrap().last_used, None);
    keep.bind("k", bind("https://a.example", "std")).unwrap();
    running.used("k");
    assert!(value(&running).await.is_some() && keep.get("k").unwrap().last_used.is_some());
}

#[tokio::test]
async fn another_credential_of_that_name_goes_where_it_is_bound_itself() {
    let (_folder, keep) = vault();
    set(&keep, "k", Kind::Bearer, "sk-first-0123456789");
    let pinned = |to: &str, methods: &[&str], digest: &str| Bind {
        digest: Some(digest.to_owned()),
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
        ..bind(to, "std")
    };
    keep.bind("k", pinned("https://old.example", &["GET"], "sha256:one")).unwrap();
    let running = held(&keep, "std", "sha256:one");
    assert!(value(&running).await.is_some());
    for (binding, is_same) in [
        (pinned("https://new.example", &["GET"], "sha256:one"), false),
        (pinned("https://old.example", &["POST"], "sha256:one"), false),
        (pinned("https://old.example", &["GET"], "sha256:two"), false),
        (Bind { bundle: "else".to_owned(), ..pinned("https://old.example", &["GET"], "sha256:one") }, false),
        (Bind { digest: None, ..pinned("https://old.example", &["GET"], "") }, true),
        (Bind { bundle: "other".to_owned(), ..pinned("https://old.example", &["GET"], "sha256:one") }, true),
    ] {
        keep.remove("k").unwrap();
        set(&keep, "k", Kind::Bearer, "sk-second-0123456789");
        let text = format!("{binding:?}");
        keep.bind("k", binding).unwrap();
        assert_eq!(value(&running).await.is_some(), is_same, "{text}");
    }
}

#[test]
fn the_methods_are_part_of_where_it_goes() {
    let (_folder, keep) = vault();
    set(&keep, "k", Kind::Bearer, "sk-first-0123456789");
    set(&keep, "g", Kind::Git { user: "me".to_owned() }, "sk-second-0123456789");
    let only = |to: &str, methods: &[&str]| Bind {
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
        ..bind(to, "std")
    };
    keep.bind("k", only("https://a.example", &["POST", "GET"])).unwrap();
    keep.bind("g", only("https://git.example/me/one.git", &["GET"])).unwrap();
    assert!(matches!(keep.bind("k", only("https://b.example", &["TRACE"])), Err(KeepError::Invalid { .. })));
    // The same in another way.
    keep.bind("k", bind("GET,POST https://a.example", "std")).unwrap();
    let bound = keep.bindings_for("std", None).unwrap().bound;
    let to: Vec<String> = bound.iter().map(|bound| format!("{} {}", bound.name, bound.to)).collect();
    let repository = "g GET https://git.example/me/one.git";
    let mut wanted = vec!["k GET,POST https://a.example".to_owned()];
    wanted.extend(["info/refs", "git-upload-pack", "git-receive-pack"].map(|end| format!("{repository}/{end}")));
    assert_eq!(to, wanted);
}

#[test]
fn nothing_is_bound_to_anybody() {
    let (_folder, keep) = vault();
    set(&keep, "k", Kind::Bearer, "sk-first-0123456789");
    for to in ["*.com", "https://*.com/v1", "*"] {
        let error = keep.bind("k", bind(to, "std")).unwrap_err();
        assert!(matches!(&error, KeepError::Invalid { .. }) && !error.hint().is_empty(), "{to}");
    }
    keep.bind("k", bind("*.example.com", "std")).unwrap();
}

#[cfg(unix)]
#[test]
fn a_vault_that_cannot_be_reached_is_not_taken_for_none() {
    let (folder, keep) = vault();
    set(&keep, "k", Kind::Bearer, "sk-first-0123456789");
    let (file, moved) = (folder.path().join("data/vault.age"), folder.path().join("moved"));
    std::fs::rename(&file, &moved).unwrap();
    assert!(!keep.is_there());
    std::os::unix::fs::symlink(&moved, &file).unwrap();
    assert!(keep.is_there() && keep.get("k").is_ok());
    std::fs::remove_file(&moved).unwrap();
    assert!(keep.is_there() && keep.bindings_for("std", None).is_err() && keep.list().is_err());
}
