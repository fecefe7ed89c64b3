//! What the tests of the guard share: a resolver that counts, an audit that remembers, servers by name.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::allow_attributes, unreachable_pub, reason = "it is part of several test programs")]

use crate::fake::{Act, Log, Received, Script, converse};
use async_trait::async_trait;
use handbox_hand::{
    Audit, AuditError, Egress, EgressEnd, Http as _, HttpError, HttpRequest, Principal, Sender, Verdict,
};
use handbox_vault::{
    Binding, Credential, CredentialError, Credentials, Destination, Grant, Limits, Options, Place, Proxy, Quota,
    Resolve, Secret, Trust,
};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const KEY: &str = "sk-canary-0123456789";

/// Wide enough that nothing here waits for one, but where a test says so.
pub const LIMITS: Limits = Limits {
    connect_time_max: Duration::from_secs(5),
    head_time_max: Duration::from_secs(5),
    idle_time_max: Duration::from_secs(5),
    total_time_max: Duration::from_secs(10),
    request_bytes_max: 10_000,
    header_bytes_max: 4_000,
    body_bytes_max: 100_000,
    quota: Quota { requests_max: 1000, connections_max: 16, bytes_max: 1 << 20 },
};

pub fn principal() -> Principal {
    Principal::new("hand")
}

pub fn to(text: &str) -> Destination {
    Destination::parse_granted(text).unwrap()
}

pub fn secret(value: &str) -> Secret {
    Secret::new(value).unwrap()
}

pub fn get(url: impl Into<String>) -> HttpRequest {
    HttpRequest { method: "GET".into(), url: url.into(), headers: Vec::new(), body: "".into() }
}

pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> HttpRequest {
    HttpRequest { method: "POST".into(), body: body.into().into(), ..get(url) }
}

pub fn with(name: &str, value: &str, request: HttpRequest) -> HttpRequest {
    HttpRequest { headers: vec![(name.into(), value.into())], ..request }
}

/// Knows what a test says, and who asked.
#[derive(Default)]
pub struct Names {
    answers: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    /// One answer after the other; the last one again and again.
    pub fn new(names: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let addresses = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        let answers = names.iter().map(|(name, answers)| ((*name).to_owned(), answers.iter().map(addresses).collect()));
        Arc::new(Self { answers: Mutex::new(answers.collect()), asked: Mutex::default() })
    }

    /// All of these are this machine.
    pub fn here(names: &[&str]) -> Arc<Self> {
        let here: &[&[&str]] = &[&["127.0.0.1"]];
        Self::new(&names.iter().map(|name| (*name, here)).collect::<Vec<_>>())
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Resolve for Names {
    async fn lookup(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answers = answers.get_mut(host).ok_or_else(|| std::io::Error::other("no such name"))?;
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Ok(answer.unwrap_or_default())
    }
}

/// Remembers what it is told; refuses if a test says so.
#[derive(Default)]
pub struct Told {
    pub decided: Mutex<Vec<Egress>>,
    pub ended: Mutex<Vec<(u64, EgressEnd)>>,
    pub refuses: Mutex<bool>,
    pub hangs: Mutex<bool>,
}

impl Told {
    pub fn verdicts(&self) -> Vec<Verdict> {
        self.decided.lock().unwrap().iter().map(|egress| egress.verdict.clone()).collect()
    }

    pub fn last(&self) -> Egress {
        self.decided.lock().unwrap().last().cloned().unwrap()
    }

    pub fn ends(&self) -> Vec<EgressEnd> {
        self.ended.lock().unwrap().iter().map(|(_, end)| end.clone()).collect()
    }
}

#[async_trait]
impl Audit for Told {
    async fn decided(&self, egress: &Egress) -> Result<(), AuditError> {
        if *self.hangs.lock().unwrap() {
            std::future::pending::<()>().await;
        }
        self.decided.lock().unwrap().push(egress.clone());
        if *self.refuses.lock().unwrap() { Err(AuditError("the disk is full".to_owned())) } else { Ok(()) }
    }

    fn ended(&self, egress: &Egress, end: &EgressEnd) {
        self.ended.lock().unwrap().push((egress.id, end.clone()));
    }
}

/// A proxy with one grant, and everything it was told and asked.
pub struct Bench {
    pub proxy: Proxy,
    pub names: Arc<Names>,
    pub told: Arc<Told>,
}

pub struct Setup {
    pub destinations: Vec<String>,
    pub bindings: Vec<Binding>,
    pub ranges: Vec<&'static str>,
    pub names: Arc<Names>,
    pub limits: Limits,
    pub trust: Vec<Vec<u8>>,
}

/// Names may lead to this machine, where the servers of tests are.
pub fn setup() -> Setup {
    Setup {
        destinations: Vec::new(),
        bindings: Vec::new(),
        ranges: vec!["127.0.0.0/8"],
        names: Names::new(&[]),
        limits: LIMITS,
        trust: Vec::new(),
    }
}

impl Setup {
    pub fn grant(&self) -> Grant {
        Grant {
            destinations: self.destinations.iter().map(|text| to(text)).collect(),
            bindings: self.bindings.clone(),
            ranges: self.ranges.iter().map(|range| range.parse().unwrap()).collect(),
            ..Grant::new(principal())
        }
    }

    pub fn open(self) -> Bench {
        let (grants, names) = (vec![self.grant()], Arc::clone(&self.names));
        let options =
            Options { grants, trust: Trust::Only(self.trust), resolver: self.names, ..Options::new(self.limits) };
        Bench { proxy: Proxy::new(options).unwrap(), names, told: Arc::default() }
    }
}

pub fn allowing(destinations: &[&str]) -> Setup {
    Setup { destinations: destinations.iter().map(|text| (*text).to_owned()).collect(), ..setup() }
}

impl Bench {
    pub fn sender(&self) -> Sender {
        Sender {
            audit: Arc::clone(&self.told) as Arc<dyn Audit>,
            tool: Some("fetch".into()),
            ..Sender::new(principal())
        }
    }

    /// Status, headers as one text, and body.
    pub async fn fetch(&self, request: HttpRequest) -> Result<(u16, String, String), HttpError> {
        fetch(&self.proxy, &self.sender(), request).await
    }

    pub async fn body(&self, request: HttpRequest) -> String {
        self.fetch(request).await.unwrap().2
    }

    /// The operator's texts of a request that must be refused.
    pub async fn refused(&self, request: HttpRequest) -> String {
        let shown = format!("{} {}", request.method, request.url);
        match self.fetch(request).await {
            Err(HttpError::Denied(refusal)) => format!("{} ({})", refusal.reason, refusal.hint),
            other => panic!("{shown} was not refused: {other:?}"),
        }
    }
}

pub async fn fetch(proxy: &Proxy, sender: &Sender, request: HttpRequest) -> Result<(u16, String, String), HttpError> {
    let mut response = proxy.send(sender, request).await?;
    let headers = format!("{response:?}");
    let mut body = Vec::new();
    while let Some(piece) = response.body.next().await? {
        body.extend_from_slice(&piece);
    }
    assert_eq!(response.body.next().await, Ok(None), "nothing comes after the end");
    Ok((response.status, headers, String::from_utf8_lossy(&body).into_owned()))
}

/// A server under a name, which [`Names`] has to lead to 127.0.0.1.
pub struct Named {
    pub port: u16,
    pub log: Arc<Log>,
}

impl Named {
    pub async fn new(name: &str, acts: Vec<Act>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let authority = format!("{name}:{port}");
        let log = Arc::<Log>::default();
        let own = Arc::clone(&log);
        let script: Script = Arc::new(move |_| Ok(acts.clone()));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                *own.connections.lock().unwrap() += 1;
                tokio::spawn(converse(socket, authority.clone(), Arc::clone(&own), Arc::clone(&script)));
            }
        });
        Self { port, log }
    }

    pub fn requests(&self) -> Vec<Received> {
        self.log.requests.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        *self.log.connections.lock().unwrap()
    }

    pub fn faults(&self) -> Vec<String> {
        self.log.faults.lock().unwrap().clone()
    }
}

/// Credentials that a test changes.
#[derive(Default)]
pub struct Store {
    pub now: Mutex<Option<Credential>>,
    pub fresh: Mutex<Option<Credential>>,
    pub broken: Mutex<bool>,
    pub renewals: Mutex<usize>,
    pub uses: Mutex<usize>,
}

pub fn bearer(value: &str) -> Credential {
    Credential { secret: secret(value), place: Place::Bearer }
}

impl Store {
    pub fn with(credential: Credential) -> Arc<Self> {
        Arc::new(Self { now: Mutex::new(Some(credential)), ..Self::default() })
    }
}

#[async_trait]
impl Credentials for Store {
    async fn current(&self, name: &str) -> Result<Option<Credential>, CredentialError> {
        if *self.broken.lock().unwrap() {
            return Err(CredentialError {
                name: name.to_owned(),
                why: "the vault is locked".to_owned(),
                hint: String::new(),
            });
        }
        Ok(self.now.lock().unwrap().clone())
    }

    async fn renewed(&self, _: &str, stale: &Credential) -> Result<Option<Credential>, CredentialError> {
        *self.renewals.lock().unwrap() += 1;
        assert!(format!("{stale:?}").contains("Bearer"));
        let fresh = self.fresh.lock().unwrap().clone();
        if fresh.is_some() {
            self.now.lock().unwrap().clone_from(&fresh);
        }
        Ok(fresh)
    }

    fn used(&self, _: &str) {
        *self.uses.lock().unwrap() += 1;
    }
}
