//! The head of an answer as text.

use crate::wire::Answer;

/// As HTTP/1.1 has it; of the version and the words of the server the host says nothing.
pub(crate) fn lines(answer: &Answer) -> Vec<String> {
    let mut lines = vec![format!("HTTP/1.1 {} {}", answer.status, reason(answer.status))];
    lines.extend(answer.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    lines
}

/// The same with the line ends of HTTP, and the empty line behind it.
pub(crate) fn text(answer: &Answer) -> String {
    let mut text = lines(answer).join("\r\n");
    text.push_str("\r\n\r\n");
    text
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}
