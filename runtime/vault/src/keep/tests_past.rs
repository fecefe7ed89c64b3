//! What a credential was before.

use super::tests_oauth::{Bench, oauth, tokens, value};
use super::*;
use crate::{Place, Secret};

/// What is searched for beside the value of `o`.
async fn withheld(keep: &Keep) -> Vec<String> {
    let withheld = keep.withheld("o").await.unwrap();
    assert!(withheld.iter().all(|credential| credential.place == Place::Bearer));
    withheld.iter().map(|one| String::from_utf8(one.secret.reveal().to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn tokens_of_before_are_kept_for_the_search_the_last_four_of_each() {
    let bench = Bench::new(|at, _| tokens(at));
    let keep = bench.logged_in(oauth(3600));
    assert_eq!(withheld(&keep).await, ["refresh-canary-0123456789"], "it is sent to nobody but who gave it");
    for _ in 0..5 {
        let again = bench.keep();
        let stale = again.current("o").await.unwrap().unwrap();
        again.renewed("o", &stale).await.unwrap().unwrap();
    }
    let wanted = |sort: &str, numbers: [usize; 4]| numbers.map(|at| format!("{sort}-{at}-0123456789"));
    let now = "refresh-5-0123456789".to_owned();
    let all = [&wanted("access", [4, 3, 2, 1])[..], &wanted("refresh", [4, 3, 2, 1]), &[now]].concat();
    assert_eq!(withheld(&bench.keep()).await, all);
    assert_eq!(value(&keep).await, "access-5-0123456789");
    // Who logs in anew has other tokens, and those of before may still be shown.
    keep.rotate("o", Held::Oauth(Oauth { access: None, refresh: None, ..oauth(0) })).unwrap();
    assert_eq!(withheld(&keep).await[0], "access-5-0123456789");
    keep.remove("o").unwrap();
    assert!(withheld(&keep).await.is_empty());
}

#[tokio::test]
async fn a_value_that_comes_back_is_no_value_of_before() {
    let bench = Bench::new(|at, _| tokens(at));
    let keep = bench.keep();
    let held = |value: &str| Held::Value(Secret::new(value).unwrap());
    let (one, other) = ("sk-one-0123456789", "sk-other-0123456789");
    keep.set(New { name: "o".to_owned(), kind: Kind::Bearer, held: held(one), note: String::new() }).unwrap();
    keep.rotate("o", held(one)).unwrap();
    assert!(withheld(&keep).await.is_empty());
    for (value, before) in [(other, one), (one, other), (other, one)] {
        keep.rotate("o", held(value)).unwrap();
        assert_eq!(withheld(&keep).await, [before]);
    }
}

#[tokio::test]
async fn a_vault_of_the_format_before_opens_and_one_of_a_later_format_is_not_called_damaged() {
    let bench = Bench::new(|at, _| tokens(at));
    let keep = bench.keep();
    keep.init(&Rest::Plain).unwrap();
    let (folder, key) = (bench.folder.path().join("data"), bench.folder.path().join("config/vault.key"));
    let identity = key::open(&key, None).unwrap();
    let write = |text: &str| {
        let closed = age::encrypt(&identity.to_public(), text.as_bytes()).unwrap();
        std::fs::write(folder.join("vault.age"), closed).unwrap();
    };
    write(
        r#"{"format":1,"entries":[{"name":"o","kind":"bearer","held":{"value":"c2stY2FuYXJ5LTAxMjM0NTY3ODk="},
            "bindings":[],"created":1,"rotated":1,"note":""}]}"#,
    );
    assert_eq!(value(&keep).await, "sk-canary-0123456789");
    keep.rotate("o", Held::Value(Secret::new("sk-second-0123456789").unwrap())).unwrap();
    assert_eq!(withheld(&bench.keep()).await, ["sk-canary-0123456789"]);
    write(r#"{"format":3,"entries":[],"more":true}"#);
    let error = keep.list().unwrap_err();
    assert!(error.to_string().ends_with("has another format"), "{error}");
}
