//! From a response to what a model is shown.

use handbox_guest_http::{Kind, Media, Request, Response, decode};
use handbox_guest_support::{OUTPUT_CHARS_MAX, Room, thousands};
use handbox_tool::Output;

/// Headers for browsers and proxies, which are most of them and tell a model nothing.
const NOISE: [&str; 19] = [
    "accept-ranges",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-expose-headers",
    "alt-svc",
    "cf-cache-status",
    "cf-ray",
    "content-security-policy",
    "cross-origin-opener-policy",
    "nel",
    "permissions-policy",
    "referrer-policy",
    "report-to",
    "server-timing",
    "strict-transport-security",
    "via",
    "x-content-type-options",
    "x-frame-options",
    "x-xss-protection",
];

/// How many headers are shown, and how many characters of each.
const HEADERS_MAX: usize = 40;
const HEADER_CHARS_MAX: usize = 500;

/// The largest image. Models take 5 MiB of base64, which has four characters for three bytes.
const IMAGE_BYTES_MAX: usize = 5 * 1024 * 1024 / 4 * 3;

/// Shows the answer to a request.
pub(crate) fn show(request: &Request, response: Response) -> Output {
    let mut head = format!("HTTP {}\n", response.status_line());
    headers(&response, &mut head);
    if response.body.is_empty() && response.broken_off.is_none() {
        if request.method == "HEAD" {
            head.push_str("\n[A HEAD has no body.]");
        }
        return Output::text(head);
    }
    let media = Media::of(&response);
    let size = thousands(response.body.len() as u64);
    let packed = response.header("content-encoding").is_some_and(|packed| !packed.eq_ignore_ascii_case("identity"));
    let whole = response.broken_off.is_none();
    head.push('\n');
    let mut image = None;
    match media.kind {
        Kind::Html | Kind::Text if !packed => {
            let text = decode(response.body, media.charset.as_deref(), media.kind == Kind::Html);
            let beginning = Room::of(OUTPUT_CHARS_MAX).beginning(&text);
            head.push_str(beginning);
            if beginning.len() < text.len() {
                let (max, all) = (thousands(OUTPUT_CHARS_MAX as u64), thousands(text.chars().count() as u64));
                head.push_str(&format!("\n[Cut after {max} of {all} characters.]"));
            }
        }
        Kind::Image if !packed && whole && response.body.len() <= IMAGE_BYTES_MAX => {
            image = Some((media.name, response.body));
        }
        _ if packed => head.push_str(&format!("[The body is packed, {size} bytes, and cannot be shown.]")),
        _ => head.push_str(&format!("[{}, {size} bytes, which cannot be shown.]", media.name)),
    }
    if let Some(why) = response.broken_off {
        head.push_str(&format!("\n[The body is not whole: {why}.]"));
    }
    let output = Output::text(head);
    match image {
        Some((media_type, data)) => output.with(media_type, data),
        None => output,
    }
}

fn headers(response: &Response, text: &mut String) {
    let mut shown: Vec<_> = response.headers.iter().filter(|(name, _)| !NOISE.contains(&name.as_str())).collect();
    // Stable: values of one name stay in their order.
    shown.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (name, value) in shown.iter().take(HEADERS_MAX) {
        let beginning = Room::of(HEADER_CHARS_MAX).beginning(value);
        let cut = if beginning.len() < value.len() { " [cut]" } else { "" };
        text.push_str(&format!("{name}: {beginning}{cut}\n"));
    }
    if shown.len() > HEADERS_MAX {
        text.push_str(&format!("[{} more headers]\n", shown.len() - HEADERS_MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_guest_http::web_address;

    fn shown(headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Output {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = Request::get(web_address("https://example.com/").unwrap(), &[]);
        show(&request, Response { status: 200, headers, body: body.into(), broken_off: None })
    }

    fn text(output: &Output) -> String {
        String::from_utf8(output.parts[0].data.clone()).unwrap()
    }

    #[test]
    fn headers_are_sorted_few_and_short() {
        let long = "v".repeat(2_000);
        let answer = shown(&[("x-b", &long), ("etag", "\"1\""), ("cf-ray", "1"), ("link", "a"), ("link", "b")], "");
        let text = text(&answer);
        assert!(text.starts_with("HTTP 200 OK\netag: \"1\"\nlink: a\nlink: b\nx-b: vvv"), "{text}");
        assert!(text.ends_with("v [cut]\n") && text.len() < 600 && !text.contains("cf-ray"), "{text}");
        let many: Vec<String> = (0..100).map(|n| format!("x-{n}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
        assert!(self::text(&shown(&many, "")).ends_with("[60 more headers]\n"));
    }

    #[test]
    fn bodies_are_text_images_or_a_note() {
        assert!(text(&shown(&[("content-type", "text/html")], "<p>raw")).ends_with("\n\n<p>raw"));
        let image = shown(&[("content-type", "image/png")], "data");
        assert_eq!((image.parts[1].media_type.as_str(), image.parts[1].data.as_slice()), ("image/png", &b"data"[..]));
        let binary = text(&shown(&[("content-type", "application/zip")], "1234"));
        assert!(binary.ends_with("[application/zip, 4 bytes, which cannot be shown.]"), "{binary}");
        let packed = text(&shown(&[("content-type", "text/plain"), ("content-encoding", "br")], "1234"));
        assert!(packed.ends_with("[The body is packed, 4 bytes, and cannot be shown.]"), "{packed}");
    }

    #[test]
    fn a_long_body_is_cut_and_says_so() {
        let text = text(&shown(&[("content-type", "application/json")], "é".repeat(100_001)));
        assert_eq!(text.matches('é').count(), OUTPUT_CHARS_MAX);
        assert!(text.ends_with("[Cut after 100,000 of 100,001 characters.]"));
    }
}
