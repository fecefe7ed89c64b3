//! The first words of both sides. Their form never changes, so that any two versions can tell each other apart.
//!
//! ```text
//! client: "handbox\n" · u32 protocol · 16 bytes of the client's name · u8 length · build version
//! holder: "handbox\n" · u32 protocol · u8 verdict                    · u8 length · build version
//! ```

use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The version of what is said after the hello.
pub const PROTOCOL: u32 = 2;
/// The version of this build, for people to read. Builds of different versions that speak the same protocol understand
/// each other.
pub const BUILD: &str = env!("CARGO_PKG_VERSION");
/// How long either side waits for the other's hello.
pub const HELLO_TIME_MAX: Duration = if cfg!(test) { Duration::from_millis(200) } else { Duration::from_secs(5) };

const MAGIC: &[u8; 8] = b"handbox\n";
/// The most bytes of a build version.
const BUILD_BYTES_MAX: usize = 64;

/// Who connects: the same again after a lost connection, so that the holder ends the old one first.
pub(super) type ClientId = [u8; 16];

/// What the holder says to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Verdict {
    Welcome = 0,
    /// The client speaks another protocol.
    Protocol = 1,
    /// There are too many connections.
    Full = 2,
    /// The client is another user.
    Stranger = 3,
}

impl Verdict {
    fn of(byte: u8) -> Option<Self> {
        [Self::Welcome, Self::Protocol, Self::Full, Self::Stranger].into_iter().find(|verdict| *verdict as u8 == byte)
    }
}

/// A client's hello.
#[derive(Debug)]
pub(super) struct Hello {
    pub(super) protocol: u32,
    pub(super) client: ClientId,
    pub(super) build: String,
}

/// The holder's answer to it.
#[derive(Debug)]
pub(super) struct Welcome {
    pub(super) protocol: u32,
    pub(super) verdict: Verdict,
    pub(super) build: String,
}

impl Hello {
    pub(super) async fn send(client: ClientId, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        say(&client, to).await
    }

    pub(super) async fn receive(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        in_time(async {
            let protocol = opening(from).await?;
            let mut client = ClientId::default();
            from.read_exact(&mut client).await?;
            Ok(Self { protocol, client, build: build(from).await? })
        })
        .await
    }
}

impl Welcome {
    pub(super) async fn send(verdict: Verdict, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        in_time(say(&[verdict as u8], to)).await
    }

    pub(super) async fn receive(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        in_time(async {
            let protocol = opening(from).await?;
            let verdict = Verdict::of(from.read_u8().await?).ok_or_else(|| invalid("an unknown verdict"))?;
            Ok(Self { protocol, verdict, build: build(from).await? })
        })
        .await
    }
}

async fn say(middle: &[u8], to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(MAGIC.len() + 4 + middle.len() + 1 + BUILD_BYTES_MAX);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&PROTOCOL.to_le_bytes());
    bytes.extend_from_slice(middle);
    let build = &BUILD.as_bytes()[..BUILD.len().min(BUILD_BYTES_MAX)];
    bytes.push(build.len() as u8);
    bytes.extend_from_slice(build);
    to.write_all(&bytes).await?;
    to.flush().await
}

async fn opening(from: &mut (impl AsyncRead + Unpin)) -> io::Result<u32> {
    let mut magic = [0; MAGIC.len()];
    from.read_exact(&mut magic).await?;
    if &magic != MAGIC {
        return Err(invalid("not a hello of Handbox"));
    }
    from.read_u32_le().await
}

async fn build(from: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let length = usize::from(from.read_u8().await?);
    if length > BUILD_BYTES_MAX {
        return Err(invalid("a build version that is too long"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).await?;
    // It ends up in texts that people read on a terminal.
    Ok(String::from_utf8_lossy(&bytes).escape_debug().to_string())
}

async fn in_time<T>(saying: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "the other side said no hello in time");
    tokio::time::timeout(HELLO_TIME_MAX, saying).await.unwrap_or_else(|_| Err(late()))
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hello_is_understood() {
        let mut bytes = Vec::new();
        Hello::send([7; 16], &mut bytes).await.expect("memory");
        let hello = Hello::receive(&mut &bytes[..]).await.expect("well-formed");
        assert_eq!((hello.protocol, hello.client, hello.build.as_str()), (PROTOCOL, [7; 16], BUILD));
    }

    #[tokio::test]
    async fn a_stranger_to_the_protocol_is_told_apart() {
        let error = Hello::receive(&mut &b"GET / HTTP/1.1\r\n\r\n"[..]).await.expect_err("no hello");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn who_says_nothing_is_not_waited_for() {
        let (_silent, mut from) = tokio::io::duplex(64);
        let error = Hello::receive(&mut from).await.expect_err("silence");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
