//! What an exchange of 1 KiB costs through the proxy, beside plain pooled reqwest, in the same run and in turns.
//!
//! `cargo bench -p handbox-vault --bench request`

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints figures for people")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

mod clock;

use async_trait::async_trait;
use bytes::Bytes;
use handbox_hand::{Audit, AuditError, Egress, EgressEnd, Http as _, HttpRequest, NoAudit, Principal, Sender};
use handbox_vault::{Binding, Destination, Grant, Limits, Options, Proxy, Quota, Secret, Trust};
use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Exchanges of one turn, and turns. A turn is short, so that what else the machine does meets all alike.
const EXCHANGES: usize = 200;
const TURNS: usize = 41;
const BODY: [u8; 1024] = {
    let event = *br#"{"type":"text_delta","index":17,"text":"the vault answers with nothing"},"#;
    let (mut body, mut at) = ([0; 1024], 0);
    while at < body.len() {
        body[at] = event[at % event.len()];
        at += 1;
    }
    body
};

/// Answers each request with 1 KiB. On one thread for all connections: with one for each, it would matter on which core
/// the system puts whose.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(async { drop(answer(socket).await) });
            }
        });
    });
    authority
}

async fn answer(mut socket: tokio::net::TcpStream) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1024\r\n\r\n";
    let answer = [&head[..], &BODY].concat();
    let mut came = Vec::new();
    loop {
        if socket.read_buf(&mut came).await? == 0 {
            return Ok(());
        }
        // Every request here has a body of 1 KiB.
        while let Some(head) = came.windows(4).position(|four| four == b"\r\n\r\n") {
            if came.len() < head + 4 + BODY.len() {
                break;
            }
            came.drain(..head + 4 + BODY.len());
            socket.write_all(&answer).await?;
        }
    }
}

/// Keeps each record that has to outlive a crash, by a write and a sync of its own.
struct Durable(Arc<File>);

#[async_trait]
impl Audit for Durable {
    async fn decided(&self, egress: &Egress) -> Result<(), AuditError> {
        let line = serde_json::to_vec(egress).unwrap();
        let file = Arc::clone(&self.0);
        let kept = tokio::task::spawn_blocking(move || {
            (&*file).write_all(&line)?;
            file.sync_data()
        });
        kept.await.unwrap().map_err(|error| AuditError(error.to_string()))
    }

    fn ended(&self, _: &Egress, _: &EgressEnd) {}
}

async fn plain(client: &reqwest::Client, url: &str) {
    let response = client.post(url).body(Bytes::from_static(&BODY)).send().await.unwrap();
    assert_eq!(response.bytes().await.unwrap().len(), BODY.len());
}

async fn proxied(proxy: &Proxy, sender: &Sender, url: &str) {
    let body = Bytes::from_static(&BODY).into();
    let request = HttpRequest { method: "POST".into(), url: url.to_owned(), headers: Vec::new(), body };
    let mut response = proxy.send(sender, request).await.unwrap();
    let mut bytes = 0;
    while let Some(piece) = response.body.next().await.unwrap() {
        bytes += piece.len();
    }
    assert_eq!(bytes, BODY.len());
}

/// Microseconds of one exchange.
struct Turn {
    passed: f64,
    cpu: f64,
}

/// On the runtime's own threads, as whoever uses it has it.
fn turn(runtime: &tokio::runtime::Runtime, work: impl Future<Output = ()> + Send + 'static) -> Turn {
    let (start, cpu) = (Instant::now(), clock::cpu());
    runtime.block_on(runtime.spawn(work)).unwrap();
    let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / EXCHANGES as f64;
    Turn { passed: each(start.elapsed()), cpu: each(clock::cpu() - cpu) }
}

/// A first, a middle and a last quarter.
fn quarters(mut of: Vec<f64>) -> [f64; 3] {
    of.sort_by(f64::total_cmp);
    [of.len() / 4, of.len() / 2, of.len() * 3 / 4].map(|at| of[at])
}

fn main() {
    println!("{EXCHANGES} exchanges of 1 KiB both ways, one after the other, {TURNS} times in turns; µs each, medians");
    println!("CPU is of the whole process, with the server's part, which is the same for both");
    println!("{:>32} {:>8} {:>8}   ratio: 25 % median   75 %   ratio of CPU: 25 % median   75 %", "", "plain", "proxy");
    // All on one thread is what the work itself costs; on more, which thread wakes which is most of it.
    println!("on one thread");
    measure(&tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());
    println!("on as many threads as there are cores");
    measure(&tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap());
}

fn measure(runtime: &tokio::runtime::Runtime) {
    let authority = serve();
    let to = |path: &str| Destination::parse(&format!("http://{authority}{path}")).unwrap();
    let key = Secret::new("sk-ant-api03-0123456789abcdefghijklmnopqrstuvwxyz").unwrap();
    let bindings = vec![Binding::header("key", to("/bound"), "x-api-key", key).unwrap()];
    // Of two principals: whoever has a credential has it searched for in all that comes back.
    let none = Grant { destinations: vec![to("/plain")], ..Grant::new(Principal::new("none")) };
    let bound = Grant { bindings, ..Grant::new(Principal::new("bound")) };
    let quota = Quota { requests_max: u64::MAX, bytes_max: u64::MAX, ..Limits::HANDS.quota };
    let limits = Limits { quota, ..Limits::HANDS };
    let options = Options { grants: vec![none, bound], trust: Trust::Only(Vec::new()), ..Options::new(limits) };
    let proxy = Proxy::new(options).unwrap();
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls()).no_proxy().build().unwrap();

    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("request.log");
    let durable: Arc<dyn Audit> = Arc::new(Durable(Arc::new(File::create(&file).unwrap())));
    let sender = |name: &str, audit: Arc<dyn Audit>| Sender { audit, ..Sender::new(Principal::new(name)) };
    let ways = [
        ("no credential, no record", sender("none", Arc::new(NoAudit)), "/plain"),
        ("a credential, no record", sender("bound", Arc::new(NoAudit)), "/bound"),
        ("a credential, a durable record", sender("bound", durable), "/bound"),
    ];
    let (client, proxy) = (Arc::new(client), Arc::new(proxy));
    for (name, sender, path) in ways {
        let (url, sender): (Arc<str>, _) = (format!("http://{authority}{path}").into(), Arc::new(sender));
        let (mut plains, mut proxies) = (Vec::new(), Vec::new());
        for _ in 0..=TURNS {
            let (client, to) = (Arc::clone(&client), Arc::clone(&url));
            plains.push(turn(runtime, async move {
                for _ in 0..EXCHANGES {
                    plain(&client, &to).await;
                }
            }));
            let (proxy, sender, to) = (Arc::clone(&proxy), Arc::clone(&sender), Arc::clone(&url));
            proxies.push(turn(runtime, async move {
                for _ in 0..EXCHANGES {
                    proxied(&proxy, &sender, &to).await;
                }
            }));
        }
        // The first one opens connections.
        let both = || proxies.iter().zip(&plains).skip(1);
        let [low, middle, high] = quarters(both().map(|(proxy, plain)| proxy.passed / plain.passed).collect());
        let [less, cpu, more] = quarters(both().map(|(proxy, plain)| proxy.cpu / plain.cpu).collect());
        let median = |turns: &[Turn]| quarters(turns[1..].iter().map(|turn| turn.passed).collect())[1];
        println!(
            "{name:>32} {:>8.1} {:>8.1}         {low:>5.2} {middle:>6.2} {high:>6.2}                 {less:>5.2} {cpu:>6.2} {more:>6.2}",
            median(&plains),
            median(&proxies),
        );
    }
    drop(std::fs::remove_file(file));
}

/// Not spoken here, but the client has to have one.
fn tls() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}
