//! The guard against the connector: one URL, one verdict.

use handbox_vault::guard_agrees_with_connector;

/// The text is the URL.
pub(crate) fn check(text: &[u8]) {
    let agreed = guard_agrees_with_connector(&String::from_utf8_lossy(text));
    assert!(agreed.is_ok(), "{agreed:?}");
}
