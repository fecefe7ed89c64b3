//! HTTP by `wasi:http/outgoing-handler`.

use crate::{BODY_BYTES_MAX, Fetch, Request, Response, Trouble};
use wstd::http::{Body, BodyExt, Client, Error, ErrorCode};
use wstd::runtime::block_on;

/// The network, as far as the host allows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Network;

impl Fetch for Network {
    fn fetch(&self, request: &Request) -> Result<Response, Trouble> {
        block_on(send(request)).map_err(|error| trouble(&error))
    }
}

async fn send(request: &Request) -> Result<Response, Error> {
    let mut outgoing = wstd::http::Request::builder().method(request.method.as_str()).uri(request.url.as_str());
    for (name, value) in &request.headers {
        outgoing = outgoing.header(name, value);
    }
    let response = Client::new().send(outgoing.body(Body::from(request.body.clone()))?).await?;
    let (head, body) = response.into_parts();
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
    let (body, broken_off) = read(body).await;
    Ok(Response { status: head.status.as_u16(), headers, body, broken_off })
}

/// Reads what there is of a body, and says why there is no more. A half is worth showing.
async fn read(body: Body) -> (Vec<u8>, Option<String>) {
    let mut body = body.into_boxed_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => return (bytes, Some(reason(&error))),
        };
        let Ok(data) = frame.into_data() else { continue };
        let room = BODY_BYTES_MAX - bytes.len();
        bytes.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            let max = BODY_BYTES_MAX / (1024 * 1024);
            return (bytes, Some(format!("only the first {max} MiB are read")));
        }
    }
    (bytes, None)
}

fn trouble(error: &Error) -> Trouble {
    match error.downcast_ref::<ErrorCode>() {
        Some(ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited) => Trouble::Refused,
        _ => Trouble::Failed(reason(error)),
    }
}

fn reason(error: &Error) -> String {
    let Some(code) = error.downcast_ref::<ErrorCode>() else { return format!("the request failed: {error}") };
    let said = |what: &str, more: Option<&str>| match more {
        Some(more) => format!("{what}: {more}"),
        None => what.to_owned(),
    };
    match code {
        ErrorCode::DnsError(error) => said("there is no host of that name", error.rcode.as_deref()),
        ErrorCode::DestinationNotFound => "there is no host of that name".to_owned(),
        ErrorCode::DnsTimeout => "looking up the host took too long; try again later".to_owned(),
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => "the server took too long to answer; try again later".to_owned(),
        ErrorCode::ConnectionRefused => "the server refused the connection: nothing answers there".to_owned(),
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => {
            "the server closed the connection before its answer was complete; try again".to_owned()
        }
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable | ErrorCode::ConnectionLimitReached => {
            "the server cannot be reached now; try again later".to_owned()
        }
        ErrorCode::TlsCertificateError => "the server's certificate is not valid for this address".to_owned(),
        ErrorCode::TlsProtocolError => "no secure connection could be made (TLS)".to_owned(),
        ErrorCode::TlsAlertReceived(alert) => {
            said("no secure connection could be made (TLS)", alert.alert_message.as_deref())
        }
        ErrorCode::HttpProtocolError => "the server does not speak HTTP there".to_owned(),
        ErrorCode::HttpResponseBodySize(_) => "the answer is larger than may be read here".to_owned(),
        ErrorCode::InternalError(Some(why)) => said("the request failed", Some(why)),
        code => format!("the request failed: {code:?}"),
    }
}
