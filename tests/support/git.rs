//! A real Git server on loopback: `git http-backend` behind Basic authentication.

use crate::program::finish;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// The longest that one exchange may take.
const TIME_MAX: Duration = Duration::from_secs(20);

/// A server with one repository, `me/mine.git`, of one commit.
pub struct GitServer {
    port: u16,
    /// What the repository's branch stands at.
    pub head: String,
}

/// What a request needs to be answered.
struct Site {
    backend: PathBuf,
    root: PathBuf,
    /// The whole value of `Authorization`.
    authorization: String,
}

impl GitServer {
    /// Serves below `root` whoever sends this `Authorization`; `None` where there is no `git http-backend`.
    pub fn start(root: &Path, authorization: &str) -> Option<Self> {
        let output = Command::new("git").arg("--exec-path").output().ok()?;
        let backend = Path::new(String::from_utf8(output.stdout).ok()?.trim()).join("git-http-backend");
        if !backend.exists() {
            return None;
        }
        let work = root.join("work");
        let git = |folder: &Path, args: &[&str]| {
            let mut command = Command::new("git");
            command
                .current_dir(folder)
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .env("GIT_CONFIG_SYSTEM", "/dev/null")
                .args(args);
            finish(command, Vec::new(), TIME_MAX).ok().out().trim().to_owned()
        };
        std::fs::create_dir_all(&work).expect("a folder");
        git(&work, &["init", "-q", "-b", "main"]);
        let who = ["-c", "user.name=me", "-c", "user.email=me@example.com"];
        git(&work, &[&who[..], &["commit", "-q", "--allow-empty", "-m", "first"]].concat());
        let head = git(&work, &["rev-parse", "HEAD"]);
        for name in ["me/mine.git", "me/other.git"] {
            let bare = root.join(name).display().to_string();
            git(&work, &["clone", "-q", "--bare", ".", &bare]);
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let site = Arc::new(Site { backend, root: root.to_owned(), authorization: authorization.to_owned() });
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let site = Arc::clone(&site);
                std::thread::spawn(move || {
                    // Whoever goes away is not waited for.
                    let _ = site.answer(socket);
                });
            }
        });
        Some(Self { port, head })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Site {
    fn answer(&self, mut socket: TcpStream) -> std::io::Result<()> {
        socket.set_read_timeout(Some(TIME_MAX))?;
        let Some((head, body)) = read(&mut socket)? else { return Ok(()) };
        let header = |name: &str| {
            let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
            line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        if header("authorization") != self.authorization {
            let refused = "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            return socket.write_all(refused.as_bytes());
        }
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or("/"));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut backend = Command::new(&self.backend);
        backend.env("GIT_PROJECT_ROOT", &self.root).env("GIT_HTTP_EXPORT_ALL", "1").env("REMOTE_USER", "me");
        backend.env("PATH_INFO", path).env("QUERY_STRING", query).env("REQUEST_METHOD", method);
        backend.env("CONTENT_TYPE", header("content-type")).env("CONTENT_LENGTH", body.len().to_string());
        let mut child = backend.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(&body))?;
        let answer = child.wait_with_output()?.stdout;
        // CGI (RFC 3875): headers, of which `Status` may be one, then the body.
        let text = String::from_utf8_lossy(&answer);
        let status = text.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
        socket.write_all(format!("HTTP/1.1 {status}\r\nconnection: close\r\n").as_bytes())?;
        socket.write_all(&answer)
    }
}

/// Head and body of a request.
fn read(socket: &mut TcpStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let lower = head.to_ascii_lowercase();
            let declared = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = declared.and_then(|digits| digits.trim().parse().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return Ok(Some((head, bytes[end + 4..end + 4 + length].to_owned())));
            }
        }
        match socket.read(&mut buffer)? {
            0 => return Ok(None),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
