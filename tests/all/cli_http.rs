//! Tools reach the hosts that are granted, as somebody, and never hold the credential.

use handbox_tests::agents::{events, script, session};
use handbox_tests::echo::Echo;
use handbox_tests::git::GitServer;
use handbox_tests::{Machine, Ran, skipped};
use serde_json::{Value, json};

/// What must be nowhere but on the wire to its host.
const CANARY: &str = "hbx-canary-7Qz4mW9rT2kLp8Vn";

/// A machine whose vault holds the canary, bound to the server for a bundle.
fn bound(server: &Echo, bundle: &str) -> Machine {
    let machine = Machine::new();
    set(&machine, server, bundle);
    machine
}

fn set(machine: &Machine, server: &Echo, bundle: &str) {
    machine.line(&["vault", "set", "token", "--kind", "bearer", "--stdin"]).stdin(CANARY).run().ok();
    machine.run(&["vault", "bind", "token", &server.url(), "--for", bundle]).ok();
}

/// The forms in which a leak would be seen.
fn forms() -> Vec<Vec<u8>> {
    let bytes = CANARY.as_bytes();
    let mut forms = vec![
        bytes.to_owned(),
        CANARY.to_ascii_uppercase().into_bytes(),
        CANARY.to_ascii_lowercase().into_bytes(),
        data_encoding::HEXLOWER.encode(bytes).into_bytes(),
        data_encoding::HEXUPPER.encode(bytes).into_bytes(),
    ];
    for skip in 0..3 {
        // Whole groups from the middle of it, at each alignment.
        let whole = &bytes[skip..skip + (bytes.len() - skip) / 3 * 3];
        forms.push(data_encoding::BASE64.encode(whole).into_bytes());
        forms.push(data_encoding::BASE64URL.encode(whole).into_bytes());
    }
    forms.push(bytes.iter().map(|byte| format!("%{byte:02X}")).collect::<String>().into_bytes());
    forms.push(bytes.iter().map(|byte| format!("\\u{byte:04x}")).collect::<String>().into_bytes());
    forms.push(bytes.iter().map(|byte| format!("&#{byte};")).collect::<String>().into_bytes());
    forms
}

#[track_caller]
fn is_free(what: &str, bytes: &[u8]) {
    for form in forms() {
        let found = bytes.windows(form.len()).any(|part| part == form);
        assert!(!found, "{what} holds the credential as {}", String::from_utf8_lossy(&form));
    }
}

/// What must hold after everything: the credential is in no output and in no file of the machine.
#[track_caller]
fn nothing_leaked(machine: &Machine, ran: &[&Ran]) {
    for ran in ran {
        is_free("standard output", &ran.stdout);
        is_free("standard error", &ran.stderr);
    }
    let mut files = 0;
    let mut folders = vec![machine.beside("")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                is_free(&path.display().to_string(), &bytes);
                files += 1;
            }
        }
    }
    assert!(files > 2, "the vault and its key are among what was looked at");
}

#[track_caller]
fn sent_as_somebody(server: &Echo, times: usize) {
    let requests = server.requests();
    let with = requests.iter().filter(|request| {
        let lines: Vec<&str> =
            request.lines().filter(|line| line.to_ascii_lowercase().starts_with("authorization:")).collect();
        lines.len() == 1 && lines[0].ends_with(&format!("Bearer {CANARY}"))
    });
    assert_eq!((with.count(), requests.len()), (times, times), "{requests:#?}");
}

fn fetcher(machine: &Machine) -> String {
    let built = handbox_tests::guest_bytes("fetcher");
    let path = machine.beside("fetcher.tool.wasm");
    std::fs::write(&path, built).expect("a folder");
    path.display().to_string()
}

fn input(url: &str) -> String {
    json!({ "url": url }).to_string()
}

#[test]
fn without_a_grant_nothing_is_sent_and_the_line_that_would_allow_it_is_said() {
    let server = Echo::start();
    let machine = Machine::new();
    let url = format!("{}/page", server.url());
    let ran = machine.run(&["call", "std", "web_fetch", &input(&url)]);
    assert_ne!(ran.code, Some(0), "{ran:?}");
    let hint = format!("--host {}", server.url());
    let ran = ran.says(&["not sent: GET ", "is not among the hosts that are granted", &hint]);
    assert!(!ran.err().contains("folder"), "what it may not reach is no matter of folders: {ran:?}");
    assert!(!ran.out().contains("127.0.0.1:") && server.requests().is_empty());
    // The very line works.
    let ran = machine.run(&["call", "std", "web_fetch", &input(&url), "--host", &server.url()]).ok();
    assert!(ran.out().contains("# Bread") && ran.out().contains("costs **3** coins"), "{ran:?}");
    assert!(!ran.out().contains("let x"), "{ran:?}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_tool_of_the_bundle_that_a_credential_is_bound_for_is_somebody_and_never_holds_it() {
    let server = Echo::start();
    let machine = bound(&server, "std");
    let ran = machine.run(&["call", "std", "web_fetch", &input(&format!("{}/echo", server.url())), "-v"]).ok();
    sent_as_somebody(&server, 1);
    assert!(ran.out().to_lowercase().contains("authorization: bearer ****"), "{ran:?}");
    let ran = ran.says(&["with the credential token"]);
    nothing_leaked(&machine, &[&ran]);
}

#[test]
fn a_credential_that_only_the_tool_puts_together_is_in_nothing_that_it_says() {
    let server = Echo::start();
    let machine = bound(&server, "std");
    let ran = machine.run(&["call", "std", "web_fetch", &input(&format!("{}/tags", server.url())), "-v"]).ok();
    sent_as_somebody(&server, 1);
    assert!(ran.out().contains("****"), "{ran:?}");
    nothing_leaked(&machine, &[&ran]);
}

#[test]
fn an_agent_uses_a_host_as_somebody_and_its_session_says_so_without_the_credential() {
    let server = Echo::start();
    let machine = bound(&server, "std");
    let url = format!("{}/echo", server.url());
    let model = script(
        &machine,
        "model.json",
        &json!([
            { "when": { "step": 1 }, "reply": [{ "tool_use": { "name": "web_fetch", "input": { "url": url } } }] },
            { "when": { "tool": "web_fetch" }, "reply": [{ "text": "It says: {{result:web_fetch}}" }] }
        ])
        .to_string(),
    );
    let ran = machine.run(&["run", "--model", &model, "Look."]).ok();
    sent_as_somebody(&server, 1);
    let id = session(&machine);
    let all = events(&machine, &id);
    let of = |kind: &str| all.iter().filter(|event| event["type"] == kind).collect::<Vec<&Value>>();
    let sent = of("handbox.egress");
    assert_eq!(sent.len(), 1, "{all:#?}");
    assert_eq!((&sent[0]["verdict"], &sent[0]["credential"]), (&json!("allowed"), &json!("token")));
    assert_eq!(sent[0]["origin"], server.url());
    let ended = of("handbox.egress_ended");
    assert_eq!((&ended[0]["status"], &ended[0]["request"]), (&json!(200), &sent[0]["request"]));
    assert!(ended[0]["redacted"].as_u64() > Some(0), "{ended:?}");
    machine.run(&["log", "verify"]).ok();
    nothing_leaked(&machine, &[&ran]);
}

#[test]
fn a_tool_against_an_ordinary_client_finds_the_credential_nowhere_in_its_memory() {
    let server = Echo::start();
    let machine = Machine::new();
    let fetcher = fetcher(&machine);
    set(&machine, &server, &fetcher);
    let hash = |text: &[u8]| {
        text.iter().fold(0_u64, |hash, byte| hash.wrapping_mul(1_099_511_628_211).wrapping_add((*byte).into()))
    };
    let needle = |text: &[u8]| json!({ "length": text.len(), "hash": hash(text).to_string() });
    // What the guest certainly holds: a check that can fail.
    let control = needle(b"x-control: is-in-its-memory");
    let mut needles = vec![control];
    needles.extend(forms().iter().map(|form| needle(form)));
    // The second half alone would do for a thief who knows the first.
    needles.push(needle(&CANARY.as_bytes()[CANARY.len() / 2..]));
    let ways = [
        "/echo",
        "/header",
        "/wrong",
        "/encoded?base64",
        "/encoded?base64url",
        "/encoded?hex",
        "/encoded?percent",
        "/encoded?json",
        "/encoded?html",
        "/encoded?reversed-case",
    ];
    for way in ways {
        let request = json!({ "url": format!("{}{way}", server.url()), "headers": [["x-control", "is-in-its-memory"]], "body": "x-control: is-in-its-memory" });
        let input = json!({ "request": request, "needles": needles }).to_string();
        let ran = machine.run(&["call", &fetcher, "remember", &input]).ok();
        let counts: Vec<u64> =
            ran.out().lines().next().unwrap().split(' ').map(|count| count.parse().unwrap()).collect();
        assert!(counts[0] > 0, "{way}: the search finds what is there: {ran:?}");
        assert_eq!(counts[1..].iter().sum::<u64>(), 0, "{way}: {ran:?}");
        nothing_leaked(&machine, &[&ran]);
    }
    sent_as_somebody(&server, ways.len());
}

#[test]
fn whatever_a_guest_tries_the_credential_goes_only_where_it_is_bound() {
    let server = Echo::start();
    let other = Echo::start();
    let machine = Machine::new();
    let fetcher = fetcher(&machine);
    set(&machine, &server, &fetcher);
    let call = |input: Value| machine.run(&["call", &fetcher, "fetcher", &input.to_string(), "--host", &other.url()]);
    // Its own header of that name.
    let own = call(json!({ "url": server.url(), "headers": [["Authorization", "Bearer guess"]] }));
    // Another spelling of it.
    let spelled = call(json!({ "url": server.url(), "headers": [["authorization", "x"], ["AUTHORIZATION", "y"]] }));
    // A redirect to elsewhere, followed.
    let there = format!("{}/redirect?{}/echo", server.url(), other.url());
    let followed = call(json!({ "url": there, "follow": 2 })).ok();
    // The host in other words.
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    let spoofed: Vec<Ran> = [
        format!("http://localhost:{port}"),
        format!("http://2130706433:{port}"),
        format!("http://127.1:{port}/"),
        format!("http://me@127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
    ]
    .into_iter()
    .map(|url| call(json!({ "url": url })))
    .collect();
    // The same path by the interface under the client, which checks nothing.
    let bare = call(json!({ "url": server.url(), "headers": [["host", "evil.example"]], "times": 1 }));
    // The middle of what comes back.
    let ranged = call(json!({ "url": server.url(), "headers": [["range", "bytes=40-"]] }));
    for request in other.requests() {
        is_free("what another host got", request.as_bytes());
        assert!(!request.to_lowercase().contains("authorization"), "{request}");
    }
    assert_eq!(other.requests().len(), 1);
    for request in server.requests() {
        let lines = request.lines().filter(|line| line.to_ascii_lowercase().starts_with("authorization")).count();
        assert!(lines == 1 && !request.contains("guess") && !request.contains("evil"), "{request}");
    }
    assert!(ranged.code != Some(0) && own.code != Some(0) && spelled.code != Some(0), "{ranged:?} {own:?} {spelled:?}");
    let mut all = vec![&own, &spelled, &followed, &bare, &ranged];
    all.extend(&spoofed);
    nothing_leaked(&machine, &all);
    // And then an honest call works.
    call(json!({ "url": server.url() })).ok();
}

#[test]
fn a_git_server_is_spoken_to_as_somebody_for_one_repository() {
    let machine = Machine::new();
    let basic = data_encoding::BASE64.encode(format!("x-access-token:{CANARY}").as_bytes());
    let Some(server) = GitServer::start(&machine.beside("server"), &format!("Basic {basic}")) else {
        return skipped("a_git_server_is_spoken_to_as_somebody_for_one_repository: there is no git http-backend");
    };
    let fetcher = fetcher(&machine);
    machine.line(&["vault", "set", "repo", "--kind", "git", "--stdin"]).stdin(CANARY).run().ok();
    machine.run(&["vault", "bind", "repo", &format!("{}/me/mine.git", server.url()), "--for", &fetcher]).ok();
    let call = |input: Value| machine.run(&["call", &fetcher, "fetcher", &input.to_string()]);
    let mine = format!("{}/me/mine.git", server.url());
    let refs = call(json!({ "url": format!("{mine}/info/refs?service=git-upload-pack") })).ok();
    assert!(refs.out().contains(&server.head) && refs.out().contains("service=git-upload-pack"), "{refs:?}");
    // As `git fetch` asks for it (gitprotocol-pack).
    let want = format!("want {}\n", server.head);
    let body = format!("{:04x}{want}00000009done\n", want.len() + 4);
    let kind = [["content-type", "application/x-git-upload-pack-request"]];
    let pack =
        call(json!({ "url": format!("{mine}/git-upload-pack"), "method": "POST", "headers": kind, "body": body }));
    let pack = pack.ok();
    assert!(pack.out().contains("NAK") && pack.out().contains("PACK"), "{pack:?}");
    let others: Vec<Ran> = [
        "/me/other.git/info/refs?service=git-upload-pack",
        "/me/mine.git/config",
        "/me/mine.git/../other.git/info/refs",
    ]
    .iter()
    .map(|path| call(json!({ "url": format!("{}{path}", server.url()) })))
    .collect();
    assert!(others.iter().all(|ran| ran.code != Some(0)), "{others:?}");
    let mut all = vec![&refs, &pack];
    all.extend(&others);
    for ran in &all {
        is_free("standard output", &ran.stdout);
        assert!(!ran.out().contains(&basic));
    }
    nothing_leaked(&machine, &all);
}

#[test]
fn another_bundle_and_a_changed_one_are_nobody() {
    let server = Echo::start();
    let machine = Machine::new();
    let fetcher = fetcher(&machine);
    set(&machine, &server, &fetcher);
    let url = server.url();
    // Another bundle, with the same host: no credential.
    machine.run(&["call", "std", "web_fetch", &input(&url), "--host", &url]).ok();
    assert!(!server.requests()[0].to_lowercase().contains("authorization"));
    // The same file, other bytes (a custom section more): it has to be bound again, which is said.
    let mut changed = std::fs::read(&fetcher).unwrap();
    changed.extend_from_slice(&[0, 2, 1, b'x']);
    std::fs::write(&fetcher, changed).unwrap();
    let ran = machine.run(&["call", &fetcher, "fetcher", &input(&url)]);
    assert_ne!(ran.code, Some(0));
    let ran = ran.says(&["does not get the credential token", "handbox vault bind token"]);
    assert_eq!(server.requests().len(), 1);
    nothing_leaked(&machine, &[&ran]);
}

#[test]
fn removal_and_rotation_count_from_the_next_call() {
    let server = Echo::start();
    let machine = bound(&server, "std");
    let fetch = || machine.run(&["call", "std", "web_fetch", &input(&format!("{}/echo", server.url()))]);
    fetch().ok();
    let newer = CANARY.replace("hbx", "new");
    machine.line(&["vault", "rotate", "token", "--stdin"]).stdin(&newer).run().ok();
    fetch().ok();
    assert!(server.requests()[1].contains(&format!("Bearer {newer}")));
    machine.run(&["vault", "rm", "token"]).ok();
    assert_ne!(fetch().code, Some(0));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_search_engine_is_asked_as_somebody_once_it_is_configured() {
    let server = Echo::start();
    let machine = bound(&server, "websearch");
    let search = ["call", "websearch", "web_search", "--query", "brown bread"];
    machine.run(&search).says(&["HANDBOX_WEB_SEARCH", "--env HANDBOX_WEB_SEARCH=VALUE"]);
    let engine = json!({ "url": format!("{}/search?q={{query}}", server.url()), "results": "/web" }).to_string();
    let ran = machine.run(&[&search[..], &["--env", &format!("HANDBOX_WEB_SEARCH={engine}")]].concat()).ok();
    assert!(ran.out().contains("Rye") && ran.out().contains("https://bread.example/rye"), "{ran:?}");
    assert!(server.requests()[0].starts_with("GET /search?q=brown%20bread HTTP"), "{:?}", server.requests());
    sent_as_somebody(&server, 1);
    nothing_leaked(&machine, &[&ran]);
}

#[test]
fn a_request_of_any_method_takes_a_bundle_that_is_named_and_a_host() {
    let server = Echo::start();
    let machine = bound(&server, "http");
    let post = json!({ "url": server.url(), "method": "POST", "body_json": { "n": 1 } }).to_string();
    let ran = machine.run(&["call", "http", "http_request", &post]).ok();
    assert!(server.requests()[0].ends_with("{\"n\":1}"), "{:?}", server.requests());
    assert!(ran.out().starts_with("HTTP 200"), "{ran:?}");
    sent_as_somebody(&server, 1);
    nothing_leaked(&machine, &[&ran]);
    // A binding for GET alone goes along with nothing else, and nothing goes without it.
    machine.run(&["vault", "unbind", "token", "--all"]).ok();
    machine.run(&["vault", "bind", "token", &server.url(), "--for", "http", "--method", "GET"]).ok();
    assert_ne!(machine.run(&["call", "http", "http_request", &post]).code, Some(0));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_tool_that_says_it_only_reads_gets_no_further_than_get() {
    let server = Echo::start();
    let machine = Machine::new();
    let fetcher = fetcher(&machine);
    let post = json!({ "url": server.url(), "method": "POST", "body": "x" }).to_string();
    let refused = machine.run(&["call", &fetcher, "reader", &post, "--host", &server.url()]);
    assert_ne!(refused.code, Some(0), "{refused:?}");
    assert!(server.requests().is_empty());
    machine.run(&["call", &fetcher, "fetcher", &post, "--host", &server.url()]).ok();
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_session_keeps_the_ranges_that_it_was_given_and_says_when_they_change() {
    let machine = Machine::new();
    let pinned = |machine: &Machine, id: &str| {
        let events = events(machine, id);
        let last = events.iter().rfind(|event| event["grants"].is_object()).expect("an event pins the grants");
        last["grants"]["ranges"].clone()
    };
    machine.config("[network]\nranges = [\"10.0.0.0/8\"]\n");
    let model = script(&machine, "rests.json", r#"[{"reply": [{"text": "Done."}]}]"#);
    machine.run(&["run", "--model", &model, "Rest."]).ok();
    let id = session(&machine);
    assert_eq!(pinned(&machine, &id), json!(["10.0.0.0/8"]));
    machine.config("[network]\nranges = [\"10.0.0.0/8\", \"172.16.0.0/12\"]\n");
    machine.run(&["run", "--session", &id, "--model", &model, "Rest again."]).ok();
    assert_eq!(pinned(&machine, &id), json!(["10.0.0.0/8"]), "the present configuration widens nothing");
    let given = machine.run(&["run", "--session", &id, "--host", "intranet.example", "--model", &model, "Rest."]).ok();
    given.says(&["the names of its hosts may lead to 172.16.0.0/12"]);
    assert_eq!(pinned(&machine, &id), json!(["10.0.0.0/8", "172.16.0.0/12"]));
}

#[test]
fn a_long_request_that_is_refused_says_so_and_not_that_a_connection_broke() {
    let server = Echo::start();
    let machine = Machine::new();
    for bytes in [100_000, 1_000_000] {
        let post = json!({ "url": server.url(), "method": "POST", "body": "x".repeat(bytes) }).to_string();
        let ran = machine.line(&["call", "http", "http_request", "-"]).stdin(&post).run().code(3);
        ran.says(&["not sent: POST ", "is not among the hosts that are granted"]);
    }
    assert!(server.requests().is_empty());
}

#[test]
fn the_hosts_of_a_session_are_seen_and_taken_away_and_its_requests_shown() {
    let (server, other) = (Echo::start(), Echo::start());
    let (here, there, machine) = (server.url(), other.url(), Machine::new());
    let fetch = json!({ "tool_use": { "name": "web_fetch", "input": { "url": format!("{here}/echo") } } });
    let turns = json!([{ "when": { "step": 1 }, "reply": [fetch] }, { "reply": [{ "text": "Done." }] }]);
    let model = script(&machine, "model.json", &turns.to_string());
    let hosts = ["--host", &here, "--host", &there];
    let ran = machine.run(&[&["run", "-v", "--model", &model, "Look."][..], &hosts].concat()).ok();
    let ran = ran.says(&[&format!("→ GET {here}/echo ("), "← 200, "]);
    assert!(ran.err().contains(&format!("ms: GET {here}/echo")), "{ran:?}");
    let id = session(&machine);
    let shown = machine.run(&["sessions", "show", &id]).ok();
    assert!(shown.out().contains(&here) && shown.out().contains(&there), "{shown:?}");
    let shown = |machine: &Machine| machine.run(&["sessions", "show", &id, "--json"]).ok().json()["hosts"].clone();
    assert_eq!(shown(&machine), json!([here, there]));

    let without = |host: &str| machine.run(&["run", "--session", &id, "--no-host", host, "Again."]);
    without("api.example.com").code(2).says(&["has no host https://api.example.com", &here, &there]);
    assert_eq!((shown(&machine), server.requests().len()), (json!([here, there]), 1));
    let ran = without(&here).ok();
    ran.says(&[&format!("may not send requests to {here} any more"), "not sent: GET "]);
    assert_eq!((shown(&machine), server.requests().len()), (json!([there]), 1));
    machine.run(&["run", "--no-host", &here, "--model", &model, "Look."]).code(2).says(&["--session"]);
}
