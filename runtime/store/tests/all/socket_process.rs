//! Real processes: this test program started again, killed, or run as another user.

use crate::socket_support::{LONG_LEASE, append, batch, begin, event, ids, soon, until};
use handbox_session::{EventId, Followed, LogError, SessionId, SessionLog, Writer};
use handbox_store::socket::{self, PROTOCOL, SharedLog, holder};
use handbox_store::{FILE, Options};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a child is to do; the words after it stand in further lines.
const ROLE: &str = "HANDBOX_TEST_SOCKET_CHILD";
/// How long a brain's claim holds that is not renewed.
const LEASE: Duration = Duration::from_secs(2);
/// No child outlives its test by more than this.
const CHILD_TIME_MAX: Duration = Duration::from_secs(120);

fn command(role: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "socket_process::child", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role.join("\n")).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Not a test of its own: what the other tests start.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let role: Vec<_> = role.lines().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let work = async {
        match role[..] {
            ["hold", data] => hold(Path::new(data)).await,
            ["write", data, session, count] => {
                write(Path::new(data), session.parse().unwrap(), count.parse().unwrap()).await;
            }
            ["begin", data] => {
                let log = open(Path::new(data), "a beginner").await;
                say(&format!("begun {}", begin(&log).await));
            }
            ["brain", data, session] => brain(Path::new(data), session.parse().unwrap()).await,
            ["claim", data, session] => claim(Path::new(data), session.parse().unwrap()).await,
            ["stranger", socket] => say(&format!("verdict {}", stranger(Path::new(socket)))),
            _ => panic!("{role:?}"),
        }
    };
    runtime.block_on(async { tokio::time::timeout(CHILD_TIME_MAX, work).await }).unwrap();
}

/// Says something to the test that started this, on a line of its own.
fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n{what}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

async fn open(data: &Path, command: &str) -> SharedLog {
    SharedLog::open(data, command, socket::redb(data, Options::standard())).await.unwrap()
}

async fn hold(data: &Path) {
    let log = open(data, "a child").await;
    say(&format!("holding {}", log.is_holder()));
    std::future::pending::<()>().await;
}

async fn write(data: &Path, session: SessionId, count: usize) {
    let log = open(data, "a writer").await;
    for _ in 0..count {
        say(&format!("appended {}", append(&log, session).await.id()));
    }
}

async fn claim(data: &Path, session: SessionId) {
    let log = open(data, "a brain").await;
    log.claim(session, "a brain", LONG_LEASE).await.unwrap();
    say(&format!("claimed as holder {}", log.is_holder()));
    std::future::pending::<()>().await;
}

/// Writes under one claim until it is told to stop.
async fn brain(data: &Path, session: SessionId) {
    let log = open(data, "a brain").await;
    let lease = log.claim(session, "a brain", LEASE).await.unwrap();
    loop {
        let batch = batch(session, Writer::Brain(lease.epoch), vec![event()]);
        match log.append(vec![batch]).await {
            Ok(_) => say("wrote"),
            Err(LogError::Fenced { epoch, newest, .. }) => {
                return say(&format!("fenced {} after {}", newest > epoch, log.renew(&lease, LEASE).await.is_err()));
            }
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The verdict of the holder about another user.
fn stranger(socket: &Path) -> u8 {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // It may be refused before it says anything.
    let _ = stream.write_all(&[b"handbox\n", &PROTOCOL.to_le_bytes()[..], &[9; 16], &[0]].concat());
    let mut welcome = [0; 13];
    stream.read_exact(&mut welcome).unwrap();
    welcome[12]
}

/// A child that is killed with its owner, whatever the test comes to.
struct Killed(Child);

impl Killed {
    fn spawn(role: &[&str]) -> Self {
        Self(command(role).spawn().unwrap())
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// What it says after a word, from its next line that begins with it.
    fn says(&mut self, word: &str) -> String {
        let mut lines = BufReader::new(self.0.stdout.as_mut().unwrap()).lines();
        let found = lines.find_map(|line| line.unwrap().strip_prefix(word).map(str::to_owned));
        found.expect("it says so before it ends")
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_holder_is_killed_the_next_takes_over() {
    let data = tempfile::tempdir().unwrap();
    let mut child = Killed::spawn(&["hold", text(data.path())]);
    assert_eq!(child.says("holding "), "true");
    let log = open(data.path(), "a test").await;
    assert_eq!(log.holder().unwrap().process, child.0.id());
    let session = begin(&log).await;
    let mut tail = log.tail(session, None).await.unwrap();
    append(&log, session).await;

    child.kill();
    assert!(data.path().join("run/holder.sock").exists(), "a killed holder leaves its socket");
    assert_eq!(holder(data.path()).unwrap().process, child.0.id(), "and its name");
    let began = Instant::now();
    append(&log, session).await;
    println!("the next append was there {:?} after the holder was killed", began.elapsed());
    assert!(log.is_holder());
    assert_eq!(log.holder().unwrap().process, std::process::id());
    for place in 1..=3 {
        let Followed::Event(entry) = soon(tail.next()).await.unwrap() else { panic!("nobody shows previews") };
        assert_eq!(entry.seq.get(), place);
    }
    // The stale socket was replaced by one that works.
    let mut second = Killed::spawn(&["hold", text(data.path())]);
    assert_eq!(second.says("holding "), "false");
}

/// Many processes find a folder in which there is no store, or a file that power loss left before it was one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_many_make_at_once_is_one_store() {
    for round in 0..12 {
        let data = tempfile::tempdir().unwrap();
        if round % 2 == 1 {
            std::fs::write(data.path().join(FILE), vec![0; 1 << 20]).unwrap();
        }
        let mut beginners: Vec<_> = (0..8).map(|_| Killed::spawn(&["begin", text(data.path())])).collect();
        let begun: BTreeSet<SessionId> =
            beginners.iter_mut().map(|beginner| beginner.says("begun ").parse().unwrap()).collect();
        let log = open(data.path(), "a test").await;
        let found = log.sessions(None, 100).await.unwrap().into_iter().map(|record| record.id).collect();
        assert_eq!(begun, found, "round {round}");
        assert_eq!(begun.len(), 8);
        log.close().await;
    }
}

/// Writers in processes of their own, of which whoever holds the store is killed again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_event_is_lost_or_doubled_while_holders_are_killed() {
    let data = tempfile::tempdir().unwrap();
    let log = open(data.path(), "a test").await;
    let session = begin(&log).await;
    log.close().await;
    drop(log);

    let role = ["write", text(data.path()), &session.to_string(), "400"];
    let mut writers: Vec<_> = (0..6).map(|_| Killed::spawn(&role)).collect();
    let mut said: Vec<_> = writers.iter_mut().map(|writer| collect(writer.0.stdout.take().unwrap())).collect();
    let mut kills = 0;
    let late = Instant::now() + Duration::from_secs(60);
    while kills < 4 && Instant::now() < late {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let holding = holder(data.path()).map(|holder| holder.process);
        if let Some(writer) = writers.iter_mut().find(|writer| Some(writer.0.id()) == holding) {
            kills += usize::from(matches!(writer.0.try_wait(), Ok(None)));
            writer.kill();
        }
        if writers.iter_mut().all(|writer| matches!(writer.0.try_wait(), Ok(Some(_)))) {
            break;
        }
    }
    until("the end of all writers", async || {
        writers.iter_mut().all(|writer| matches!(writer.0.try_wait(), Ok(Some(_))))
    })
    .await;
    let mut acknowledged = BTreeSet::new();
    for said in said.drain(..) {
        acknowledged.extend(said.join().unwrap());
    }
    let log = open(data.path(), "a test").await;
    let found: BTreeSet<_> = ids(&log, session).await.into_iter().collect();
    let missing: Vec<_> = acknowledged.difference(&found).collect();
    println!("{kills} holders killed, {} events acknowledged, {} found", acknowledged.len(), found.len() - 1);
    assert_eq!(missing, Vec::<&EventId>::new());
    // One append of each killed writer may have happened without its being told, and the session's first is nobody's.
    assert!(found.len() - 1 - acknowledged.len() <= kills, "nothing is there that nobody wrote");
    assert!(kills > 0, "a holder was killed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lease_of_a_killed_brain_ends_at_once() {
    let data = tempfile::tempdir().unwrap();
    let log = open(data.path(), "a test").await;
    let session = begin(&log).await;
    let role = ["claim", text(data.path()), &session.to_string()];
    // As a client, and as the holder whose successor asks.
    for holds in ["false", "true"] {
        if holds == "true" {
            log.close().await;
        }
        let mut brain = Killed::spawn(&role);
        assert_eq!(brain.says("claimed as holder "), holds);
        let next = if holds == "true" { open(data.path(), "another test").await } else { log.clone() };
        let held = next.claim(session, "another", LONG_LEASE).await;
        assert!(matches!(&held, Err(LogError::Held { holder, .. }) if holder == "a brain"), "{held:?}");
        brain.kill();
        let began = Instant::now();
        let mut claimed = None;
        until("the end of the lease", async || {
            claimed = next.claim(session, "another", LONG_LEASE).await.ok();
            claimed.is_some()
        })
        .await;
        println!(
            "a lease of 300 s ended {:?} after its brain was killed (which held the store: {holds})",
            began.elapsed()
        );
        assert!(began.elapsed() < Duration::from_secs(10));
        next.release(&claimed.unwrap()).await.unwrap();
        assert_eq!(next.record(session).await.unwrap().holder, None);
    }
}

/// A brain that is stopped past its lease, and goes on without having noticed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_brain_that_slept_past_its_lease_writes_nothing_more() {
    let data = tempfile::tempdir().unwrap();
    let log = open(data.path(), "a test").await;
    let session = begin(&log).await;
    let mut brain = Killed::spawn(&["brain", text(data.path()), &session.to_string()]);
    brain.says("wrote");
    let pid = rustix::process::Pid::from_child(&brain.0);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let mut claimed = None;
    until("the end of the lease", async || {
        claimed = log.claim(session, "another", LONG_LEASE).await.ok();
        claimed.is_some()
    })
    .await;
    let lease = claimed.unwrap();
    let own = event();
    log.append(vec![batch(session, Writer::Brain(lease.epoch), vec![own.clone()])]).await.unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    assert_eq!(brain.says("fenced "), "true after true");
    assert_eq!(ids(&log, session).await.last(), Some(&own.id()), "nothing came after the new brain's");
}

fn collect(from: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<EventId>> {
    std::thread::spawn(move || {
        let lines = BufReader::new(from).lines().map_while(Result::ok);
        // A killed writer's last line may be half of one.
        lines.filter_map(|line| line.strip_prefix("appended ")?.parse().ok()).collect()
    })
}

#[tokio::test]
async fn a_data_folder_may_have_a_long_path() {
    let root = tempfile::tempdir().unwrap();
    let data: PathBuf = root.path().join("a folder with a long name".repeat(8)).join("ü".repeat(90));
    assert!(data.as_os_str().len() > 300);
    std::fs::create_dir_all(&data).unwrap();
    let mut child = Killed::spawn(&["hold", text(&data)]);
    assert_eq!(child.says("holding "), "true");
    let log = open(&data, "a test").await;
    assert!(!log.is_holder());
    let session = begin(&log).await;
    child.kill();
    append(&log, session).await;
    assert!(log.is_holder(), "also a stale socket with a long path is replaced");
}

#[tokio::test]
async fn another_user_is_refused_whatever_the_files_allow() {
    let data = tempfile::tempdir().unwrap();
    if std::fs::metadata(data.path()).unwrap().uid() != 0 {
        println!("not tried: only root can play another user");
        return;
    }
    let log = open(data.path(), "a test").await;
    let allow = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    let run = data.path().join("run");
    let socket = run.join("holder.sock");
    for (path, mode) in [(data.path(), 0o755), (&run, 0o755), (&socket, 0o666)] {
        allow(path, mode);
    }
    let child = command(&["stranger", text(&socket)]).uid(65_534).gid(65_534).current_dir("/").spawn();
    match child {
        Ok(child) => {
            let mut child = Killed(child);
            let says = tokio::task::spawn_blocking(move || child.says("verdict "));
            assert_eq!(soon(says).await.unwrap(), "3");
        }
        Err(error) => println!("not tried: another user cannot run this program: {error}"),
    }
    log.close().await;
}
