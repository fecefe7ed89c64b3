//! From a response to what a model is shown.

use crate::{page, pdf};
use handbox_guest_http::{Kind, Media, Response, decode};
use handbox_guest_support::{Room, thousands};
use handbox_tool::Output;
use url::Url;

/// The largest image. Models take 5 MiB of base64, which has four characters for three bytes.
const IMAGE_BYTES_MAX: usize = 5 * 1024 * 1024 / 4 * 3;

/// The most characters of a title: it is the page's word, and could be as long as the page.
const TITLE_CHARS_MAX: usize = 300;

/// What is shown.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// Lines about the content, each with its end.
    pub(crate) about: String,
    /// The content.
    pub(crate) content: Output,
}

/// Shows a response, at most `chars_max` characters of text.
pub(crate) fn show(url: &Url, response: Response, chars_max: usize) -> Shown {
    let media = Media::of(&response);
    let mut shown = Shown::default();
    if let Some(packed) = packed(&response) {
        shown.content = Output::text(format!("[The content is packed with {packed}, which is not read here.]"));
        return shown;
    }
    let (size, broken_off) = (response.body.len(), response.broken_off);
    let note = broken_off.as_ref().map(|why| format!("[The content is not whole: {why}.]"));
    let plain = |body, html| decode(body, media.charset.as_deref(), html);
    shown.content = match media.kind {
        Kind::Html => {
            let page = page::read(url, &plain(response.body, true));
            if let Some(title) = page.title {
                let title: String = title.chars().take(TITLE_CHARS_MAX).collect();
                shown.about = format!("Title: {title}\n");
            }
            let why = if page.whole { note } else { Some("[The page is too large to be shown whole.]".to_owned()) };
            text(&page.markdown, chars_max, why)
        }
        Kind::Text => {
            shown.about = format!("Type: {}\n", media.name);
            let body = plain(response.body, media.name.ends_with("xml"));
            text(&body, chars_max, note)
        }
        Kind::Image if size <= IMAGE_BYTES_MAX && broken_off.is_none() => {
            shown.about = format!("Type: {}\n", media.name);
            Output::file(media.name, response.body)
        }
        Kind::Pdf if broken_off.is_none() => match pdf::read(&response.body, chars_max.saturating_mul(4)) {
            Ok(read) => {
                shown.about = format!("Type: application/pdf\nPages: {}\n", read.pages);
                text(&read.text, chars_max, None)
            }
            Err(why) => {
                Output::text(format!("[A PDF of {} bytes that cannot be read: {why}.]", thousands(size as u64)))
            }
        },
        Kind::Image | Kind::Pdf | Kind::Binary => {
            let size = thousands(size as u64);
            let at_least = if broken_off.is_some() { "at least " } else { "" };
            Output::text(format!("[{}, {at_least}{size} bytes, which cannot be shown.]", media.name))
        }
    };
    shown
}

/// How a body is packed, if it is. It was asked for as it is.
fn packed(response: &Response) -> Option<String> {
    let encoding = response.header("content-encoding")?.trim();
    (!encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity")).then(|| encoding.chars().take(40).collect())
}

fn text(text: &str, chars_max: usize, note: Option<String>) -> Output {
    let beginning = Room::of(chars_max).beginning(text);
    let mut shown = beginning.to_owned();
    let mut add = |line: &str| {
        if !shown.is_empty() && !shown.ends_with('\n') {
            shown.push('\n');
        }
        shown.push_str(line);
    };
    if beginning.len() < text.len() {
        let (max, all) = (thousands(chars_max as u64), thousands(text.chars().count() as u64));
        add(&format!("[Cut after {max} of {all} characters.]"));
    }
    if let Some(note) = note {
        add(&note);
    }
    if shown.is_empty() {
        shown.push_str("[There is no text in it.]");
    }
    Output::text(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_guest_support::OUTPUT_CHARS_MAX;

    fn response(media_type: &str, body: impl Into<Vec<u8>>) -> Response {
        let headers = vec![("content-type".to_owned(), media_type.to_owned())];
        Response { status: 200, headers, body: body.into(), broken_off: None }
    }

    fn shown(response: Response) -> Shown {
        show(&Url::parse("https://example.com/x").unwrap(), response, OUTPUT_CHARS_MAX)
    }

    fn words(shown: &Shown) -> String {
        shown.content.parts.iter().map(|part| String::from_utf8_lossy(&part.data)).collect()
    }

    #[test]
    fn json_and_text_stay_as_they_are() {
        let json = "{\n  \"b\": 1.10,\n  \"a\": 12345678901234567890\n}\n";
        let answer = shown(response("application/json", json));
        assert_eq!((answer.about.as_str(), words(&answer)), ("Type: application/json\n", json.to_owned()));
        assert_eq!(words(&shown(response("text/plain; charset=iso-8859-1", b"<p> caf\xe9"))), "<p> café");
        assert_eq!(words(&shown(response("text/plain", ""))), "[There is no text in it.]");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let text = words(&shown(response("text/plain", "é".repeat(150_000))));
        assert_eq!(text.chars().filter(|c| *c == 'é').count(), OUTPUT_CHARS_MAX);
        assert!(text.ends_with("\n[Cut after 100,000 of 150,000 characters.]"), "{}", &text[text.len() - 80..]);
    }

    #[test]
    fn what_broke_off_says_so() {
        let half = |media_type: &str, body: &[u8]| {
            let broken_off = Some("only the first 10 MiB are read".to_owned());
            shown(Response { broken_off, ..response(media_type, body) })
        };
        assert_eq!(
            words(&half("text/plain", b"abc")),
            "abc\n[The content is not whole: only the first 10 MiB are read.]"
        );
        assert_eq!(words(&half("image/png", b"abc")), "[image/png, at least 3 bytes, which cannot be shown.]");
        assert_eq!(
            words(&half("application/pdf", b"abc")),
            "[application/pdf, at least 3 bytes, which cannot be shown.]"
        );
    }

    #[test]
    fn images_are_parts_pdfs_are_text_and_the_rest_a_note() {
        let part = shown(response("image/png", "data")).content.parts.remove(0);
        assert_eq!((part.media_type.as_str(), part.data.as_slice()), ("image/png", &b"data"[..]));
        let pdf = shown(response("application/pdf", crate::pdf::tests::pdf(&["Hello"])));
        assert_eq!(
            (pdf.about.as_str(), words(&pdf)),
            ("Type: application/pdf\nPages: 1\n", "[Page 1]\nHello".to_owned())
        );
        assert!(
            words(&shown(response("application/pdf", "data"))).starts_with("[A PDF of 4 bytes that cannot be read: ")
        );
        let large = shown(response("image/png", vec![1; IMAGE_BYTES_MAX + 1]));
        assert_eq!(words(&large), "[image/png, 3,932,161 bytes, which cannot be shown.]");
        assert_eq!(
            words(&shown(response("application/zip", "1234"))),
            "[application/zip, 4 bytes, which cannot be shown.]"
        );
    }

    #[test]
    fn what_was_packed_all_the_same_is_no_text() {
        let mut answer = response("text/html", b"\x1f\x8b\x08..");
        answer.headers.push(("content-encoding".into(), "gzip".into()));
        assert_eq!(words(&shown(answer)), "[The content is packed with gzip, which is not read here.]");
    }

    #[test]
    fn a_title_is_one_short_line() {
        let page = format!("<title>\n A\n  {} </title>x", "long ".repeat(1000));
        let about = shown(response("text/html", page)).about;
        assert!(about.starts_with("Title: A long long") && about.len() < 320, "{about}");
        assert_eq!(about.matches('\n').count(), 1);
    }
}
