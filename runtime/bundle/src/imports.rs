//! Which imports of a component this version of Handbox can give.

/// What happens to an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supply {
    /// Linked.
    Given,
    /// Sockets: only HTTP leaves, through the vault.
    Network,
    /// Nothing that Handbox knows.
    Unknown,
}

/// Interfaces by package, all of them of the one version that is linked.
const GIVEN: [(&str, &str, &[&str]); 8] = [
    ("wasi:io/", "0.2.", &["error", "poll", "streams"]),
    (
        "wasi:cli/",
        "0.2.",
        &[
            "environment",
            "exit",
            "stdin",
            "stdout",
            "stderr",
            "terminal-input",
            "terminal-output",
            "terminal-stdin",
            "terminal-stdout",
            "terminal-stderr",
        ],
    ),
    ("wasi:clocks/", "0.2.", &["monotonic-clock", "wall-clock"]),
    ("wasi:filesystem/", "0.2.", &["types", "preopens"]),
    ("wasi:random/", "0.2.", &["random", "insecure", "insecure-seed"]),
    ("wasi:http/", "0.2.", &["types", "outgoing-handler"]),
    ("handbox:hand/", "0.1.", &["types", "report"]),
    ("handbox:process/", "0.1.", &["permissions", "processes"]),
];

/// Whether `import`, such as `wasi:io/poll@0.2.3`, can be given.
pub(crate) fn supply(import: &str) -> Supply {
    if import.starts_with("wasi:sockets/") {
        return Supply::Network;
    }
    let given = GIVEN.iter().any(|(package, version, interfaces)| {
        let rest = import.strip_prefix(package).and_then(|rest| rest.split_once('@'));
        rest.is_some_and(|(interface, rest)| interfaces.contains(&interface) && rest.starts_with(version))
    });
    if given { Supply::Given } else { Supply::Unknown }
}
