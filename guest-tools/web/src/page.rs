//! From HTML to Markdown.

use crate::filter::Filter;
use htmd::options::{BulletListMarker, HrStyle, Options};
use htmd::{HtmlToMarkdown, Node};
use html5ever::interface::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tokenizer, TokenizerOpts};
use markup5ever_rcdom::NodeData;
use std::rc::Rc;
use url::Url;

/// Elements whose content is not for readers, or not for readers of text.
const NEVER: [&str; 17] = [
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "video", "audio", "button",
    "select", "textarea", "dialog", "head", "map",
];

/// Elements that hold what every page of a site has.
const AROUND: [&str; 2] = ["nav", "footer"];

/// What a page calls its main content is believed if it has this many bytes of Markdown. Many
/// only wrap their first headline in it.
const MAIN_BYTES_MIN: usize = 300;

/// How much of a page is parsed at once, so that there is no second copy of it.
const PIECE_BYTES: usize = 64 * 1024;

/// What there is to read of a page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// In one line.
    pub(crate) title: Option<String>,
    pub(crate) markdown: String,
    /// False if the page was too large, and the rest left out.
    pub(crate) whole: bool,
}

/// Reads a page that was found at `url`. Takes time and memory in proportion to its size,
/// whatever is in it.
pub(crate) fn read(url: &Url, html: &str) -> Page {
    let tokenizer = Tokenizer::new(Filter::new(url.clone()), TokenizerOpts::default());
    let input = BufferQueue::default();
    let mut rest = html;
    while !rest.is_empty() && !tokenizer.sink.is_full() {
        let end = (1..=rest.len().min(PIECE_BYTES)).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
        input.push_back(StrTendril::from(&rest[..end]));
        rest = &rest[end..];
        // The filter hides scripts, so this is done when the input is.
        while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
    }
    tokenizer.end();
    let read = tokenizer.sink.finish();
    let markdown = markdown(&read.document);
    let title = read.title.split_whitespace().collect::<Vec<_>>().join(" ");
    Page { title: (!title.is_empty()).then_some(title), markdown, whole: read.whole }
}

fn markdown(document: &Rc<Node>) -> String {
    let reader = converter(&[&NEVER[..], &AROUND].concat());
    if let Some(main) = main(document) {
        let markdown = reader.tree_to_markdown(&main);
        if markdown.len() >= MAIN_BYTES_MIN {
            return markdown;
        }
    }
    let markdown = reader.tree_to_markdown(document);
    // A page of nothing but navigation is worth reading too.
    if markdown.is_empty() { converter(&NEVER).tree_to_markdown(document) } else { markdown }
}

fn converter(skip: &[&str]) -> HtmlToMarkdown {
    let options = Options {
        hr_style: HrStyle::Dashes,
        bullet_list_marker: BulletListMarker::Dash,
        ul_bullet_spacing: 1,
        ol_number_spacing: 1,
        ..Options::default()
    };
    HtmlToMarkdown::builder().options(options).skip_tags(skip.to_vec()).build()
}

/// What the page says is its main content: the first `<main>`, or its only `<article>`.
fn main(document: &Rc<Node>) -> Option<Rc<Node>> {
    let mut articles = Vec::new();
    let mut todo = vec![document.clone()];
    while let Some(node) = todo.pop() {
        if let NodeData::Element { name, attrs, .. } = &node.data {
            let is_main = |attr: &html5ever::Attribute| &*attr.name.local == "role" && &*attr.value == "main";
            if &*name.local == "main" || attrs.borrow().iter().any(is_main) {
                return Some(node.clone());
            }
            if &*name.local == "article" {
                articles.push(node.clone());
            }
        }
        todo.extend(node.children.borrow().iter().rev().cloned());
    }
    if articles.len() == 1 { articles.pop() } else { None }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
