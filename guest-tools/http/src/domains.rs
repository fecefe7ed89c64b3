//! `allowed_domains` and `blocked_domains`, as in the configuration of `agent_toolset_20260401`.

use handbox_tool::Fault;
use serde::Deserialize;
use url::Url;

/// What a result names if an address is not one of those allowed.
pub const NOT_ALLOWED: &str = "url_not_allowed";

/// How many domains either list may have.
const DOMAINS_MAX: usize = 64;

/// Where a tool may go, beside what the host allows. Each domain stands for its subdomains
/// too; `example.com/docs` for what is under that path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Domains {
    /// Only these.
    pub allowed_domains: Option<Vec<String>>,
    /// Not these.
    pub blocked_domains: Option<Vec<String>>,
}

impl Domains {
    /// Checks that at most one list is there, with 1 to 64 domains.
    ///
    /// # Errors
    ///
    /// It is not so; says what is wrong.
    pub fn validate(&self) -> Result<(), String> {
        let (name, list) = match (&self.allowed_domains, &self.blocked_domains) {
            (Some(_), Some(_)) => return Err("there are both allowed_domains and blocked_domains; give one".to_owned()),
            (Some(list), None) => ("allowed_domains", list),
            (None, Some(list)) => ("blocked_domains", list),
            (None, None) => return Ok(()),
        };
        if list.is_empty() || list.len() > DOMAINS_MAX {
            return Err(format!("{name} has {} domains; it takes 1 to {DOMAINS_MAX}", list.len()));
        }
        let odd =
            |domain: &&String| domain.is_empty() || domain.contains("://") || domain.contains(['*', ' ', '?', '#']);
        match list.iter().find(odd) {
            Some(odd) => {
                Err(format!("{name}: {odd:?} is not a domain; write it as in example.com or example.com/docs"))
            }
            None => Ok(()),
        }
    }

    /// Whether an address is one of those allowed.
    pub fn allow(&self, url: &Url) -> bool {
        let listed = |list: &Vec<String>| list.iter().any(|domain| covers(domain, url));
        self.allowed_domains.as_ref().is_none_or(listed) && !self.blocked_domains.as_ref().is_some_and(listed)
    }

    /// Refuses an address that is not.
    ///
    /// # Errors
    ///
    /// [`Fault::Denied`], which names [`NOT_ALLOWED`].
    pub fn check(&self, url: &Url) -> Result<(), Fault> {
        if self.allow(url) {
            return Ok(());
        }
        Err(Fault::denied(format!("{NOT_ALLOWED}: {url} is not among the domains that this tool may fetch from")))
    }
}

fn covers(domain: &str, url: &Url) -> bool {
    let (domain, path) = domain.split_once('/').unwrap_or((domain, ""));
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let below = host.strip_suffix(&*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let path = path.trim_end_matches('/');
    let own = url.path().strip_prefix('/').unwrap_or_default();
    below && (path.is_empty() || own.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(list: &[&str]) -> Domains {
        Domains { allowed_domains: Some(list.iter().map(ToString::to_string).collect()), blocked_domains: None }
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_domain_stands_for_its_subdomains_and_a_path_for_what_is_under_it() {
        let domains = allowed(&["Example.com", "docs.test/guide/"]);
        for yes in [
            "https://example.com/",
            "http://a.b.example.com:8080/x",
            "https://EXAMPLE.com./",
            "https://docs.test/guide",
            "https://docs.test/guide/a",
        ] {
            assert!(domains.allow(&url(yes)), "{yes}");
        }
        for no in [
            "https://notexample.com/",
            "https://example.com.evil.test/",
            "https://docs.test/guidebook",
            "https://docs.test/",
            "https://docs.test/guide/../secret",
            "https://other.test/?x=example.com",
            "https://other.test/example.com",
        ] {
            assert!(!domains.allow(&url(no)), "{no}");
        }
        let fault = domains.check(&url("https://other.test/")).unwrap_err();
        assert!(matches!(&fault, Fault::Denied(why) if why.starts_with("url_not_allowed: ")), "{fault}");
    }

    #[test]
    fn what_is_blocked_is_all_that_is() {
        let domains = Domains { allowed_domains: None, blocked_domains: Some(vec!["ads.test".into()]) };
        assert!(domains.allow(&url("https://example.com/")));
        assert!(!domains.allow(&url("https://x.ads.test/")));
    }

    #[test]
    fn one_list_of_1_to_64() {
        let many: Vec<&str> = vec!["a.test"; 65];
        assert!(allowed(&many[..64]).validate().is_ok());
        assert!(allowed(&many).validate().unwrap_err().contains("65 domains"));
        assert!(allowed(&[]).validate().is_err());
        assert!(allowed(&["https://a.test"]).validate().unwrap_err().contains("not a domain"));
        assert!(allowed(&["*.a.test"]).validate().is_err());
        let both = Domains { blocked_domains: Some(vec!["b.test".into()]), ..allowed(&["a.test"]) };
        assert!(both.validate().unwrap_err().contains("give one"));
        assert!(Domains::default().validate().is_ok());
    }
}
