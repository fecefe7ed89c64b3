//! Bodies that come compressed, though nobody asked for that.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod fake;

use fake::{Act, Received, Server, chunk, end, send};
use handbox_hand::{Http as _, HttpError, HttpRequest, Principal, Sender};
use handbox_vault::{Binding, Destination, Grant, Limits, Options, Proxy, Quota, Secret, Trust};
use std::io::Write as _;
use std::time::Duration;

const KEY: &str = "sk-canary-0123456789";
const LIMITS: Limits = Limits {
    connect_time_max: Duration::from_secs(5),
    head_time_max: Duration::from_secs(5),
    idle_time_max: Duration::from_secs(20),
    total_time_max: Duration::from_secs(60),
    request_bytes_max: 10_000,
    header_bytes_max: 2_000,
    body_bytes_max: 64 << 20,
    quota: Quota { requests_max: 1000, connections_max: 8, bytes_max: u64::MAX },
};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 1, 22);
    writer.write_all(bytes).unwrap();
    writer.into_inner()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A streamed answer to whoever brought the key, in pieces of so many bytes.
async fn server(headers: &'static str, body: Vec<u8>, piece_bytes: usize) -> Server {
    Server::new(move |request: &Received| {
        if request.header("accept-encoding") != Some("identity") {
            return Err("compression was asked for".to_owned());
        }
        let head = send(format!("HTTP/1.1 200 X\r\n{headers}\r\n\r\n"));
        let pieces = body.chunks(piece_bytes).map(chunk);
        Ok([head].into_iter().chain(pieces).chain([end()]).collect::<Vec<Act>>())
    })
    .await
}

/// Headers as one text, and body.
async fn fetch(server: &Server, has_secret: bool) -> Result<(String, Vec<u8>), HttpError> {
    let principal = Principal::new("model");
    let to = Destination::parse(&server.url()).unwrap();
    let bindings = if has_secret {
        // Of another place: the answer may hold it from an earlier request.
        let elsewhere = Destination::parse("http://127.0.0.1:9").unwrap();
        vec![Binding::bearer("key", elsewhere, Secret::new(KEY).unwrap()).unwrap()]
    } else {
        Vec::new()
    };
    let grants = vec![Grant { destinations: vec![to], bindings, ..Grant::new(principal.clone()) }];
    let trust = Trust::Only(Vec::new());
    let proxy = Proxy::new(Options { grants, trust, ..Options::new(LIMITS) }).unwrap();
    let request = HttpRequest { method: "GET".into(), url: server.url(), headers: Vec::new(), body: "".into() };
    let mut response = proxy.send(&Sender::new(principal), request).await?;
    let headers = format!("{response:?}");
    let mut body = Vec::new();
    while let Some(piece) = response.body.next().await? {
        body.extend_from_slice(&piece);
    }
    Ok((headers, body))
}

const CHUNKED: &str = "transfer-encoding: chunked";

macro_rules! encoded {
    ($coding:literal) => {
        concat!("content-encoding: ", $coding, "\r\ntransfer-encoding: chunked")
    };
}

#[tokio::test]
async fn what_comes_compressed_is_decoded_and_scrubbed() {
    let text = format!("{}{KEY} and {KEY}!{}", "before ".repeat(30_000), "after ".repeat(30_000));
    let wanted = text.replace(KEY, "****");
    let text = text.as_bytes();
    let (first, second) = text.split_at(text.len() / 2);
    for (headers, body) in [
        (CHUNKED, text.to_vec()),
        (encoded!("identity"), text.to_vec()),
        (encoded!("gzip"), gzip(text)),
        (encoded!("X-GZip"), gzip(text)),
        (encoded!("gzip"), [gzip(first), gzip(second)].concat()),
        (encoded!("deflate"), zlib(text)),
        (encoded!("deflate"), deflate(text)),
        (encoded!("br"), brotli(text)),
        (encoded!("zstd"), zstd(text)),
        (encoded!("zstd"), [zstd(first), zstd(second)].concat()),
        (encoded!("gzip, br"), brotli(&gzip(text))),
        (encoded!("br\r\ncontent-encoding: gzip"), gzip(&brotli(text))),
    ] {
        for piece_bytes in [1, 1000, 1 << 20] {
            // A piece a byte takes a while where there are many.
            let piece_bytes = piece_bytes.max(body.len() / 3000);
            let server = server(headers, body.clone(), piece_bytes).await;
            let (shown, body) = fetch(&server, true).await.unwrap_or_else(|error| panic!("{headers}: {error}"));
            assert!(body == wanted.as_bytes(), "{headers} in pieces of {piece_bytes}");
            assert!(headers.contains("identity") || !shown.contains("content-encoding"), "{shown}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_decoded_is_refused_if_it_may_hold_a_secret() {
    let whole = gzip(&b"text ".repeat(1000));
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() - 5].to_vec();
    for (headers, body) in [
        (encoded!("compress"), b"x".to_vec()),
        (encoded!("gzip, gzip, gzip"), gzip(&gzip(&gzip(b"x")))),
        ("transfer-encoding: gzip, chunked", whole.clone()),
    ] {
        let server = server(headers, body.clone(), 100).await;
        let refused = fetch(&server, true).await;
        let Err(HttpError::Unusable(why)) = &refused else { panic!("{headers}: {refused:?}") };
        assert!(!why.contains("credential") && !why.contains("secret"), "a guest reads it: {why}");
        let (shown, came) = fetch(&server, false).await.unwrap();
        assert_eq!(came, body, "without secrets it is given as it came");
        assert_eq!(shown.contains("content-encoding"), headers.contains("content-encoding"), "{shown}");
    }
    for (headers, body) in [
        (encoded!("gzip"), b"this is not gzip".to_vec()),
        (encoded!("gzip"), cut(whole.clone())),
        (encoded!("gzip"), [whole, b"rest".to_vec()].concat()),
        (encoded!("br"), b"\xff\xff\xff\xff\xff".to_vec()),
        (encoded!("br"), cut(brotli(&b"text ".repeat(1000)))),
        (encoded!("zstd"), b"this is not zstd".to_vec()),
        (encoded!("zstd"), cut(zstd(&b"text ".repeat(1000)))),
        (encoded!("deflate"), b"\x78\x9c\xff\xff\xff\xff".to_vec()),
        (encoded!("deflate"), b"x".to_vec()),
    ] {
        let server = server(headers, body, 100).await;
        for has_secret in [true, false] {
            let came = fetch(&server, has_secret).await;
            assert!(matches!(came, Err(HttpError::Unusable(_))), "{headers}: {came:?}");
        }
    }
}

#[tokio::test]
async fn an_empty_body_is_not_broken() {
    for headers in [encoded!("gzip"), encoded!("br"), encoded!("zstd"), encoded!("deflate"), encoded!("gzip, br")] {
        let server = server(headers, Vec::new(), 1).await;
        assert_eq!(fetch(&server, true).await.unwrap().1, b"", "{headers}");
    }
}

/// A frame of blocks that each say: this byte, 128 KiB of it.
fn zstd_bomb(blocks: usize) -> Vec<u8> {
    let header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    let block = |is_last: u32| (((128 << 10) << 3) | (1 << 1) | is_last).to_le_bytes();
    let blocks = (0..blocks).flat_map(|at| [&block(u32::from(at + 1 == blocks))[..3], b"x"].concat());
    header.into_iter().chain(blocks).collect()
}

#[tokio::test]
async fn a_bomb_ends_before_it_fills_the_memory() {
    let small = zstd_bomb(8);
    let fine = server(encoded!("zstd"), small, 1 << 20).await;
    assert_eq!(fetch(&fine, true).await.unwrap().1.len(), 1 << 20, "the bomb is well made");

    let zeros = vec![0; 12 << 20];
    for (headers, body) in [
        (encoded!("zstd"), zstd_bomb(80_000)),
        (encoded!("gzip"), gzip(&zeros)),
        (encoded!("deflate"), zlib(&zeros)),
        (encoded!("br"), brotli(&zeros)),
        (encoded!("gzip, gzip"), gzip(&gzip(&zeros))),
        (encoded!("gzip, br"), brotli(&gzip(&zeros))),
    ] {
        let server = server(headers, body, 1 << 20).await;
        let error = fetch(&server, true).await.unwrap_err();
        assert!(matches!(&error, HttpError::Unusable(why) if why.contains("memory")), "{headers}: {error:?}");
    }
}
