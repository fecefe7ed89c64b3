//! Requests by `waki`: one by its client, several at once by the interface under it, since the
//! client waits for each answer.

use crate::Fetcher;
use handbox_tool::Fault;
use std::fmt::Write as _;
use std::time::Instant;
use waki::bindings::wasi::http::outgoing_handler::{FutureIncomingResponse, handle};
use waki::bindings::wasi::http::types::{Fields, OutgoingBody, OutgoingRequest, Scheme};
use waki::header::{HeaderMap, HeaderName, HeaderValue};
use waki::{Client, Method, Response};

/// How much of a body is read at once, in bytes.
const PIECE_BYTES: u64 = 64 * 1024;

pub(crate) fn run(input: &Fetcher) -> Result<String, Fault> {
    match input.times {
        None => one(input),
        Some(times) => many(input, times),
    }
}

/// Sends one request, and what redirects ask for.
fn one(input: &Fetcher) -> Result<String, Fault> {
    let mut told = String::new();
    let mut url = input.url.clone();
    for left in (0..=input.follow.unwrap_or_default()).rev() {
        let begun = Instant::now();
        let response = send(input, &url)?;
        let status = response.status_code();
        _ = writeln!(told, "{status}");
        for (name, value) in response.headers() {
            _ = writeln!(told, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
        }
        told.push('\n');
        let to = response.header("location").and_then(|to| to.to_str().ok()).map(str::to_owned);
        read(input, &response, begun, &mut told)?;
        match to {
            Some(to) if left > 0 && (300..400).contains(&status) => url = to,
            _ => break,
        }
    }
    Ok(told)
}

fn send(input: &Fetcher, url: &str) -> Result<Response, Fault> {
    let mut headers = HeaderMap::new();
    for [name, value] in input.headers.iter().flatten() {
        let name = HeaderName::try_from(name).map_err(|error| Fault::invalid(error.to_string()))?;
        let value = HeaderValue::try_from(value).map_err(|error| Fault::invalid(error.to_string()))?;
        headers.append(name, value);
    }
    let body = input.body.clone().unwrap_or_default();
    let request = Client::new().request(method(input), url).headers(&headers).body(body);
    request.send().map_err(|error| Fault::failed(format!("{error:#}")))
}

fn method(input: &Fetcher) -> Method {
    match input.method.as_deref().unwrap_or("GET") {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        "CONNECT" => Method::Connect,
        "TRACE" => Method::Trace,
        other => Method::Other(other.to_owned()),
    }
}

fn read(input: &Fetcher, response: &Response, begun: Instant, told: &mut String) -> Result<(), Fault> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk(PIECE_BYTES).map_err(|error| Fault::failed(format!("{error:#}")))? {
        if input.chunks == Some(true) {
            _ = writeln!(told, "[{} bytes after {} ms]", piece.len(), begun.elapsed().as_millis());
        }
        body.extend(piece);
    }
    told.push_str(&String::from_utf8_lossy(&body));
    Ok(())
}

/// Sends the request so many times at once, and says what became of each. Nothing checks the
/// headers here but the host.
fn many(input: &Fetcher, times: u32) -> Result<String, Fault> {
    let begun = Instant::now();
    let sent: Vec<_> = (0..times).map(|_| begin(input)).collect();
    let mut told = String::new();
    for answer in sent {
        match answer.and_then(|future| end(&future)) {
            Ok(status) => _ = writeln!(told, "{status}"),
            Err(why) => _ = writeln!(told, "failed: {why}"),
        }
    }
    _ = writeln!(told, "[{times} requests in {} ms]", begun.elapsed().as_millis());
    Ok(told)
}

fn begin(input: &Fetcher) -> Result<FutureIncomingResponse, String> {
    let (scheme, rest) = input.url.split_once("://").ok_or("the url has no ://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let headers: Vec<_> =
        input.headers.iter().flatten().map(|[name, value]| (name.clone(), value.clone().into_bytes())).collect();
    let headers = Fields::from_list(&headers).map_err(|error| error.to_string())?;
    let request = OutgoingRequest::new(headers);
    request.set_method(&method(input)).map_err(|()| "the method is refused")?;
    request.set_scheme(Some(&scheme)).map_err(|()| "the scheme is refused")?;
    request.set_authority(Some(authority)).map_err(|()| "the authority is refused")?;
    request.set_path_with_query(Some(path).filter(|path| !path.is_empty())).map_err(|()| "the path is refused")?;
    let outgoing = request.body().map_err(|()| "the request has no body")?;
    let future = handle(request, None).map_err(|error| error.to_string())?;
    if let Some(body) = &input.body {
        let stream = outgoing.write().map_err(|()| "the body cannot be written")?;
        for piece in body.as_bytes().chunks(4096) {
            stream.blocking_write_and_flush(piece).map_err(|error| error.to_string())?;
        }
    }
    OutgoingBody::finish(outgoing, None).map_err(|error| error.to_string())?;
    Ok(future)
}

fn end(future: &FutureIncomingResponse) -> Result<u16, String> {
    future.subscribe().block();
    let answer = future.get().ok_or("there is no answer")?.map_err(|()| "the answer was taken")?;
    Ok(answer.map_err(|error| error.to_string())?.status())
}
