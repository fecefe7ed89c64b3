//! Who may send what where, and which credential goes along.

use crate::addresses::{self, Unfit};
use crate::binding::Binding;
use crate::resolve::never_asked;
use handbox_hand::{Destination, Difference, Principal, Refusal, Target};
use ipnet::IpNet;
use std::net::IpAddr;

/// Where servers of the operator's own may be: this machine, private networks (RFC 1918, RFC 4193), and those behind a
/// carrier's address translation (RFC 6598), where overlay networks are too.
const OWN_NETWORKS: [&str; 7] =
    ["127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];

/// What one principal may do.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Who.
    pub principal: Principal,
    /// Where it may send without a credential.
    pub destinations: Vec<Destination>,
    /// Where it may send, and the credentials that go along.
    pub bindings: Vec<Binding>,
    /// Ranges of addresses that the names of its destinations may lead to, beside public ones. An address that a
    /// destination itself names needs none. No range reaches what clouds hand out credentials from.
    pub ranges: Vec<IpNet>,
}

impl Grant {
    /// Nothing yet.
    #[must_use]
    pub fn new(principal: Principal) -> Self {
        Self { principal, destinations: Vec::new(), bindings: Vec::new(), ranges: Vec::new() }
    }

    /// Nothing yet; but for servers that the operator names one by one, so that they may be in networks of the operator's
    /// own.
    #[must_use]
    pub fn with_own_networks(principal: Principal) -> Self {
        let ranges = OWN_NETWORKS.iter().filter_map(|range| range.parse().ok()).collect();
        Self { ranges, ..Self::new(principal) }
    }
}

/// What is asked of a decision.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a Target,
    pub(crate) headers: &'a [(String, String)],
    /// Whoever sends it says that it only reads.
    pub(crate) read_only: bool,
}

/// What was decided: it may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// The rule, as it is written.
    pub(crate) rule: String,
    pub(crate) pool: Pool,
}

/// Which connections it may use: those of others under the same rules for names and credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pool {
    /// The binding whose credential goes along, by its place.
    pub(crate) binding: Option<usize>,
    /// Whether names may lead to public addresses alone.
    pub(crate) public_only: bool,
    /// Whether the rule means many hosts, so that connections that wait for a next request would add up.
    pub(crate) wide: bool,
}

impl Pool {
    fn of(rule: &Destination, binding: Option<usize>) -> Self {
        Self { binding, public_only: rule.is_public_only(), wide: rule.is_wildcard() }
    }
}

/// The rules of one principal.
pub(crate) struct Rules {
    pub(crate) grant: Grant,
}

impl Rules {
    pub(crate) fn need_tls(&self) -> bool {
        let bound = self.grant.bindings.iter().map(Binding::to);
        self.grant.destinations.iter().chain(bound).any(Destination::is_https)
    }

    /// Whether it may go, and what goes along. Nothing was looked up for it.
    pub(crate) fn decide(&self, asked: Asked<'_>) -> Result<Allowed, Refusal> {
        if asked.read_only && !matches!(asked.method, "GET" | "HEAD") {
            return Err(Refusal {
                reason: format!("the tool says that it only reads, and sends {}", asked.method),
                hint: "the tool must not be hinted read-only".to_owned(),
            });
        }
        let (rule, binding) = self.rule(asked)?;
        refuse_override(asked, rule)?;
        self.judge(asked.target, rule)?;
        Ok(Allowed { rule: rule.to_string(), pool: Pool::of(rule, binding) })
    }

    fn rule(&self, asked: Asked<'_>) -> Result<(&Destination, Option<usize>), Refusal> {
        let covers = |to: &Destination| to.covers(asked.method, asked.target);
        let mut fits = self.grant.bindings.iter().enumerate().filter(|(_, binding)| covers(binding.to()));
        match (fits.next(), fits.next()) {
            (Some((_, one)), Some((_, other))) => {
                return Err(Refusal {
                    reason: format!(
                        "the credentials {:?} and {:?} are both bound to {}",
                        one.name(),
                        other.name(),
                        one.to()
                    ),
                    hint: format!("handbox vault unbind {:?} or {:?}", one.name(), other.name()),
                });
            }
            (Some((at, binding)), None) => return Ok((binding.to(), Some(at))),
            (None, _) => {}
        }
        // A host that a credential is bound to is sent nothing without it by a rule that means more hosts than the binding.
        let bound = self.grant.bindings.iter().map(Binding::to).filter(|to| to.has_host_of(asked.target));
        let bound: Vec<&Destination> = bound.collect();
        let is_beside = |to: &Destination| bound.iter().any(|bound| to.has_more_hosts_than(bound));
        let plain = self.grant.destinations.iter().filter(|to| covers(to) && !is_beside(to));
        let plain = plain.min_by_key(|to| (to.is_public_only(), to.is_wildcard()));
        plain.map(|to| (to, None)).ok_or_else(|| self.refuse(asked))
    }

    /// Whether the host is one that may be connected to, as far as that is known without looking it up.
    fn judge(&self, target: &Target, rule: &Destination) -> Result<(), Refusal> {
        let host = target.host();
        let Some(address) = target.address() else {
            let named = host == "localhost" && rule.is_localhost() && !rule.is_public_only();
            let why = never_asked(host).filter(|_| !named);
            return why.map_or(Ok(()), |why| {
                let hint = if addresses::is_metadata_name(host) {
                    NOTHING.to_owned()
                } else {
                    "write the address itself instead of the name".to_owned()
                };
                Err(Refusal { reason: format!("{host} is not looked up: {why}"), hint })
            });
        };
        let named = !rule.is_public_only() && rule.address() == Some(address);
        if named && !addresses::is_metadata(address) {
            return Ok(());
        }
        let granted: &[IpNet] = if rule.is_public_only() { &[] } else { &self.grant.ranges };
        addresses::judge(address, granted).map_err(|unfit| {
            let refusal = refuse_address(host, address, &unfit, rule.is_public_only());
            match unfit {
                Unfit::Metadata => refusal,
                // An address grants itself; a range does nothing for what means public addresses alone.
                Unfit::Special { .. } => Refusal { hint: format!("--host {}", target.origin()), ..refusal },
            }
        })
    }

    fn refuse(&self, asked: Asked<'_>) -> Refusal {
        let origin = asked.target.origin();
        let differs = |to: &Destination| to.differs(asked.method, asked.target).unwrap_or(Difference::Host);
        // The rule that comes nearest; of several, the binding.
        let bound = self.grant.bindings.iter().map(|binding| (binding.to(), Some(binding.name())));
        let plain = self.grant.destinations.iter().map(|to| (to, None));
        let near = bound.chain(plain);
        let near = near.max_by_key(|(to, name)| (differs(to), name.is_some() && to.has_host_of(asked.target)));
        let near = near.map(|(to, name)| (to, name, differs(to)));
        let unclear = |what: String| {
            format!(
                "{what}, and servers read the path of the request to {origin} in different ways: it may lead elsewhere"
            )
        };
        let is_unclear = |part: Difference| part == Difference::Path && asked.target.has_ambiguous_path();
        let reason = match near {
            Some((to, Some(name), part)) if is_unclear(part) => {
                unclear(format!("the credential {name:?} is bound to {to}"))
            }
            Some((to, None, part)) if is_unclear(part) => unclear(format!("{to} is granted")),
            None | Some((_, _, Difference::Host)) => format!("{origin} is not among the hosts that are granted"),
            Some((to, Some(name), part)) => {
                format!(
                    "the credential {name:?} is bound to {to}, and the {part} of the request to {origin} is another"
                )
            }
            Some((to, None, part)) => {
                format!("{to} is granted, and the {part} of the request to {origin} is another")
            }
        };
        let is_metadata = asked.target.address().is_some_and(addresses::is_metadata)
            || addresses::is_metadata_name(asked.target.host());
        let hint = match near {
            _ if is_metadata => NOTHING.to_owned(),
            Some((.., part)) if is_unclear(part) => {
                format!(
                    "write the path without %2f, %5c, %25 and dots that are encoded; or, for all paths: --host {origin}"
                )
            }
            // It is typed into a shell, and a guest chose the method.
            Some((_, _, Difference::Method)) if asked.method.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                format!("--host '{} {origin}'", asked.method)
            }
            _ => format!("--host {origin}"),
        };
        Refusal { reason, hint }
    }
}

/// What would allow what nothing allows.
const NOTHING: &str = "nothing allows this";

/// Why an address may not be connected to, and what would allow it.
pub(crate) fn refuse_address(host: &str, address: IpAddr, unfit: &Unfit, public_only: bool) -> Refusal {
    let reason = if host == address.to_string() {
        format!("{host} is no public address: {unfit}")
    } else {
        format!("{host} leads to {address}, which is no public address: {unfit}")
    };
    let hint = match unfit {
        Unfit::Metadata => NOTHING.to_owned(),
        Unfit::Special { address, .. } => {
            let own = IpNet::from(*address);
            let named = if public_only { ", and --host with the name of the host" } else { "" };
            format!("ranges = [\"{own}\"] under [network] in config.toml{named}")
        }
    };
    Refusal { reason, hint }
}

/// A header that has some servers take one method, or path, for another would undo a rule on those.
fn refuse_override(asked: Asked<'_>, rule: &Destination) -> Result<(), Refusal> {
    const METHODS: [&str; 4] = ["x-http-method-override", "x-method-override", "x-http-method", "x-forwarded-method"];
    const PATHS: [&str; 8] = [
        "x-original-url",
        "x-original-uri",
        "x-original-path",
        "x-rewrite-url",
        "x-forwarded-uri",
        "x-forwarded-url",
        "x-forwarded-path",
        "x-forwarded-prefix",
    ];
    let is_bound = |all: &[&str], name: &str, is_limited: bool| is_limited && all.contains(&name);
    for (name, _) in asked.headers {
        let name = name.replace('_', "-").to_ascii_lowercase();
        let (taken, all) = if is_bound(&METHODS, &name, rule.restricts_methods() || asked.read_only) {
            (format!("{} for another method", asked.method), "methods")
        } else if is_bound(&PATHS, &name, rule.restricts_paths()) {
            ("its path for another".to_owned(), "paths")
        } else {
            continue;
        };
        return Err(Refusal {
            reason: format!("the header {name:?} would have the server take {taken}"),
            hint: format!("leave {name:?} away, or allow all {all}: --host {}", asked.target.origin()),
        });
    }
    Ok(())
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
