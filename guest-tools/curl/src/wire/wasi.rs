//! HTTP by `wasi:http/outgoing-handler`.

use super::{Answer, Incoming, Times, Wire};
use crate::failure::Trouble;
use crate::request::{Body, Request};
use crate::transfer::told;
use std::time::{Duration, Instant};
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme,
};
use wasip2::io::poll::{self, Pollable};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// The most that is read of a body at once.
const PIECE_BYTES_MAX: u64 = 64 * 1024;

/// The network, as far as the host allows it.
pub(crate) struct Network;

impl Wire for Network {
    fn open(&self, request: &Request, times: Times) -> Result<Answer, Trouble> {
        let outgoing = outgoing(request)?;
        let options = RequestOptions::new();
        let _ = options.set_connect_timeout(times.connect.map(nanoseconds));
        let sink = outgoing.body().map_err(|()| Trouble::Send("the request has no body".to_owned()))?;
        let coming = outgoing_handler::handle(outgoing, Some(options)).map_err(|code| trouble(&code))?;
        // Whoever is refused hears it from the answer, which says more than a body that nobody reads.
        let sent = send_body(sink, &request.body, times.end);
        let late = sent.as_ref().is_err_and(|trouble| matches!(trouble, Trouble::Late | Trouble::Reading(_)));
        if late && let Err(trouble) = sent {
            return Err(trouble);
        }
        let response = head(&coming, times.end)?;
        answer(response, times.end)
    }

    fn wait(&self, time: Duration) {
        subscribe_duration(nanoseconds(time)).block();
    }
}

fn outgoing(request: &Request) -> Result<OutgoingRequest, Trouble> {
    let bad = |what: &str| Trouble::Send(format!("the {what} is not one that can be sent"));
    let fields = Fields::new();
    for (name, value) in &request.headers {
        fields.append(name, value.as_bytes()).map_err(|_| bad(&format!("header {name}")))?;
    }
    if let Some(bytes) = request.body.bytes() {
        let written = fields.append("content-length", bytes.to_string().as_bytes());
        written.map_err(|_| bad("length of the body"))?;
    }
    let outgoing = OutgoingRequest::new(fields);
    let method = match &*request.method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    };
    outgoing.set_method(&method).map_err(|()| bad("method"))?;
    let scheme = if request.url.scheme() == "http" { Scheme::Http } else { Scheme::Https };
    outgoing.set_scheme(Some(&scheme)).map_err(|()| bad("scheme"))?;
    outgoing.set_authority(Some(&request.authority())).map_err(|()| bad("name of the host"))?;
    outgoing.set_path_with_query(Some(&request.target())).map_err(|()| bad("path"))?;
    Ok(outgoing)
}

fn send_body(sink: OutgoingBody, body: &Body, end: Option<Instant>) -> Result<(), Trouble> {
    {
        let stream = sink.write().map_err(|()| Trouble::Send("the body has no stream".to_owned()))?;
        body.pieces(&mut |piece| write(&stream, piece, end))?;
        let broken = |_| Trouble::Send("the server takes no more".to_owned());
        stream.flush().map_err(broken)?;
        room(&stream, end)?;
    }
    OutgoingBody::finish(sink, None).map_err(|code| trouble(&code))
}

fn write(stream: &OutputStream, mut bytes: &[u8], end: Option<Instant>) -> Result<(), Trouble> {
    while !bytes.is_empty() {
        let room = usize::try_from(room(stream, end)?).unwrap_or(usize::MAX).min(bytes.len());
        let (now, later) = bytes.split_at(room);
        stream.write(now).map_err(|_| Trouble::Send("the server takes no more".to_owned()))?;
        bytes = later;
    }
    Ok(())
}

/// Waits until something can be written; how much.
fn room(stream: &OutputStream, end: Option<Instant>) -> Result<u64, Trouble> {
    loop {
        match stream.check_write() {
            Ok(0) => ready(&stream.subscribe(), end)?,
            Ok(bytes) => return Ok(bytes),
            Err(_) => return Err(Trouble::Send("the server takes no more".to_owned())),
        }
    }
}

fn head(coming: &FutureIncomingResponse, end: Option<Instant>) -> Result<IncomingResponse, Trouble> {
    ready(&coming.subscribe(), end)?;
    match coming.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(code))) => Err(trouble(&code)),
        Some(Err(())) | None => Err(Trouble::Empty),
    }
}

fn answer(response: IncomingResponse, end: Option<Instant>) -> Result<Answer, Trouble> {
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    let headers = response.headers().entries().into_iter().map(|(name, value)| (name, text(value))).collect();
    let status = response.status();
    let body = response.consume().map_err(|()| Trouble::Empty)?;
    let stream = body.stream().map_err(|()| Trouble::Empty)?;
    Ok(Answer { status, headers, body: Box::new(Reading { stream, _body: body, _response: response, end }) })
}

/// A body, dropped from the inside out.
struct Reading {
    stream: InputStream,
    _body: IncomingBody,
    _response: IncomingResponse,
    end: Option<Instant>,
}

impl Incoming for Reading {
    fn next(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        loop {
            match self.stream.read(PIECE_BYTES_MAX) {
                Ok(bytes) if bytes.is_empty() => ready(&self.stream.subscribe(), self.end)?,
                Ok(bytes) => return Ok(Some(bytes)),
                Err(StreamError::Closed) => return Ok(None),
                Err(StreamError::LastOperationFailed(error)) => {
                    let code = wasip2::http::types::http_error_code(&error);
                    return Err(code.map_or_else(|| told(&error.to_debug_string()), |code| broken(&code)));
                }
            }
        }
    }
}

/// Waits, but not past the end.
fn ready(pollable: &Pollable, end: Option<Instant>) -> Result<(), Trouble> {
    let Some(end) = end else {
        pollable.block();
        return Ok(());
    };
    let timer = subscribe_duration(nanoseconds(end.saturating_duration_since(Instant::now())));
    let ready = poll::poll(&[pollable, &timer]);
    if ready.contains(&0) { Ok(()) } else { Err(Trouble::Late) }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn trouble(code: &ErrorCode) -> Trouble {
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => Trouble::Refused,
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound | ErrorCode::DnsTimeout => Trouble::Name,
        ErrorCode::ConnectionRefused => Trouble::Connect("Connection refused".to_owned()),
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable | ErrorCode::ConnectionLimitReached => {
            Trouble::Connect("Could not connect to server".to_owned())
        }
        ErrorCode::ConnectionTimeout => Trouble::Slow("Connection timed out".to_owned()),
        ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionWriteTimeout | ErrorCode::HttpResponseTimeout => {
            Trouble::Slow("the server took too long to answer".to_owned())
        }
        ErrorCode::TlsCertificateError => Trouble::Certificate,
        ErrorCode::TlsProtocolError => Trouble::Tls("no secure connection could be made".to_owned()),
        ErrorCode::TlsAlertReceived(alert) => {
            Trouble::Tls(alert.alert_message.clone().unwrap_or_else(|| "an alert was received".to_owned()))
        }
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => Trouble::Empty,
        ErrorCode::InternalError(Some(why)) => told(why),
        code => broken(code),
    }
}

/// The same once there was a head.
fn broken(code: &ErrorCode) -> Trouble {
    match code {
        ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionTimeout => {
            Trouble::Slow("the server took too long to go on".to_owned())
        }
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => {
            Trouble::Receive("the server closed the connection before its answer was complete".to_owned())
        }
        ErrorCode::HttpResponseBodySize(_) => Trouble::Receive("the answer is larger than may be read here".to_owned()),
        ErrorCode::HttpProtocolError => Trouble::Receive("the server does not speak HTTP there".to_owned()),
        ErrorCode::InternalError(Some(why)) => told(why),
        code => Trouble::Receive(format!("{code:?}")),
    }
}
