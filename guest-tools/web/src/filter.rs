//! Between tokenizer and tree: what makes a page bounded and its links whole.
//!
//! Browsers bound the depth of a page too. Both building the tree (each tag looks through the
//! open ones) and walking it (by recursion) would otherwise be at the mercy of whoever wrote
//! the page.

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{EndTag, StartTag, Tag, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{Attribute, LocalName};
use markup5ever_rcdom::{Handle, RcDom};
use std::cell::RefCell;
use url::Url;

/// How deep elements may be nested; what is deeper loses its tags and keeps its text. Pages
/// that people wrote stay under 60.
pub(crate) const DEPTH_MAX: usize = 128;

/// How many elements are read: some ten times what a long article has.
pub(crate) const ELEMENTS_MAX: usize = 50_000;

/// How many bytes of text are read: more than ten times what a model is shown.
pub(crate) const TEXT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The longest address of a link; longer ones are data.
const LINK_BYTES_MAX: usize = 2_000;

/// Elements that never hold others, or end by themselves when the next begins, so that pages
/// leave out their end. They make nothing deep.
const FLAT: [&str; 40] = [
    "a", "area", "base", "basefont", "bgsound", "body", "br", "col", "colgroup", "dd", "dt", "embed", "frame", "h1",
    "h2", "h3", "h4", "h5", "h6", "head", "hr", "html", "iframe", "img", "input", "li", "link", "meta", "noframes",
    "noscript", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "wbr",
];

/// Elements that begin again in each paragraph after one that did not end them. With equal
/// attributes, at most three of a kind do.
const FORMATTING: [&str; 12] = ["b", "big", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Elements whose content is text that nobody reads.
const HIDDEN: [&str; 5] = ["script", "style", "noscript", "iframe", "noframes"];

/// Elements whose content is text, whatever it looks like.
const RAW: [&str; 3] = ["textarea", "title", "xmp"];

/// Builds a tree of what it lets through.
pub(crate) struct Filter {
    tree: TreeBuilder<Handle, RcDom>,
    state: RefCell<State>,
}

/// What was read.
pub(crate) struct Read {
    pub(crate) document: Handle,
    pub(crate) title: String,
    pub(crate) whole: bool,
}

struct State {
    /// What links are seen from.
    base: Url,
    has_base: bool,
    /// The open elements that make it deep.
    open: Vec<LocalName>,
    /// Those in them that are left out.
    left_out: Vec<LocalName>,
    /// The element whose text is not let through.
    hidden: Option<LocalName>,
    title: String,
    in_title: bool,
    elements: usize,
    text_bytes: usize,
    full: bool,
}

impl Filter {
    /// For a page that was found at `url`.
    pub(crate) fn new(url: Url) -> Self {
        let state = State {
            base: url,
            has_base: false,
            open: Vec::new(),
            left_out: Vec::new(),
            hidden: None,
            title: String::new(),
            in_title: false,
            elements: 0,
            text_bytes: 0,
            full: false,
        };
        let tree = TreeBuilder::new(RcDom::default(), TreeBuilderOpts::default());
        Self { tree, state: RefCell::new(state) }
    }

    /// Whether nothing more is let through.
    pub(crate) fn is_full(&self) -> bool {
        self.state.borrow().full
    }

    /// Gives up the tree.
    pub(crate) fn finish(self) -> Read {
        let state = self.state.into_inner();
        Read { document: self.tree.sink.document, title: state.title, whole: !state.full }
    }
}

impl TokenSink for Filter {
    type Handle = Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Handle> {
        let mut state = self.state.borrow_mut();
        let token = match token {
            // The rest of the page, whatever it is, is then one piece of text that is not let through.
            Token::TagToken(tag) if state.full && tag.kind == StartTag => return TokenSinkResult::Plaintext,
            Token::TagToken(tag) => state.tag(tag).map(Token::TagToken),
            Token::CharacterTokens(text) => state.text(text).map(Token::CharacterTokens),
            Token::CommentToken(_) | Token::ParseError(_) => None,
            token => Some(token),
        };
        let Some(token) = token else { return TokenSinkResult::Continue };
        match self.tree.process_token(token, line) {
            // Nothing runs here.
            TokenSinkResult::Script(_) | TokenSinkResult::EncodingIndicator(_) => TokenSinkResult::Continue,
            result => result,
        }
    }

    fn end(&self) {
        self.tree.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.tree.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

impl State {
    /// What is let through of a tag.
    fn tag(&mut self, tag: Tag) -> Option<Tag> {
        if tag.kind == EndTag {
            return self.end_tag(tag);
        }
        self.start_tag(tag)
    }

    fn start_tag(&mut self, mut tag: Tag) -> Option<Tag> {
        debug_assert_eq!(tag.kind, StartTag);
        // In pictures and formulas, which nobody is shown, this is an element without an end.
        // Anywhere else the slash means nothing.
        if tag.self_closing && self.open.iter().any(|open| matches!(&**open, "svg" | "math")) {
            return None;
        }
        let name = &*tag.name;
        // Their tags are never left out, since the tree tells the tokenizer how to read on.
        let is_text = HIDDEN.contains(&name) || RAW.contains(&name);
        if HIDDEN.contains(&name) {
            self.hidden = Some(tag.name.clone());
        }
        self.in_title = name == "title" && self.title.is_empty();
        if !is_text && !FLAT.contains(&name) {
            if self.open.len() >= DEPTH_MAX {
                self.left_out.push(tag.name);
                return None;
            }
            self.open.push(tag.name.clone());
        }
        self.count();
        if FORMATTING.contains(&&*tag.name) {
            tag.attrs.clear();
        }
        self.links(&mut tag);
        Some(tag)
    }

    fn count(&mut self) {
        self.elements += 1;
        self.full |= self.elements >= ELEMENTS_MAX;
    }

    fn end_tag(&mut self, tag: Tag) -> Option<Tag> {
        if self.hidden.as_ref() == Some(&tag.name) {
            self.hidden = None;
        }
        self.in_title &= &*tag.name != "title";
        if matches!(&*tag.name, "p" | "br") {
            // Without a beginning they make an element too.
            self.count();
            return (!self.full).then_some(tag);
        }
        if self.left_out.last() == Some(&tag.name) {
            self.left_out.pop();
            return None;
        }
        if let Some(at) = self.open.iter().rposition(|open| *open == tag.name) {
            self.open.truncate(at);
            self.left_out.clear();
        }
        Some(tag)
    }

    /// What is let through of a piece of text.
    fn text(&mut self, mut text: StrTendril) -> Option<StrTendril> {
        if self.full || self.hidden.is_some() {
            return None;
        }
        let room = TEXT_BYTES_MAX - self.text_bytes;
        if text.len() > room {
            self.full = true;
            let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
            text = StrTendril::from(&text[..end]);
        }
        self.text_bytes += text.len();
        if self.in_title {
            self.title.push_str(&text);
        }
        Some(text)
    }

    /// Makes the addresses of links and images whole, and takes out those that lead nowhere.
    fn links(&mut self, tag: &mut Tag) {
        let key = match &*tag.name {
            "base" if !self.has_base => {
                if let Some(base) = attribute(tag, "href").and_then(|at| self.base.join(&tag.attrs[at].value).ok()) {
                    self.base = base;
                    self.has_base = true;
                }
                return;
            }
            "a" | "area" => "href",
            "img" => "src",
            _ => return,
        };
        let Some(at) = attribute(tag, key) else { return };
        match self.link(&tag.attrs[at].value) {
            Some(whole) => tag.attrs[at].value = whole.as_str().into(),
            None => _ = tag.attrs.remove(at),
        }
    }

    fn link(&self, address: &str) -> Option<String> {
        let address = address.trim();
        // A place on the same page.
        if address.starts_with('#') || address.len() > LINK_BYTES_MAX {
            return None;
        }
        let whole = self.base.join(address).ok()?;
        matches!(whole.scheme(), "http" | "https" | "mailto").then(|| whole.into())
    }
}

fn attribute(tag: &Tag, key: &str) -> Option<usize> {
    tag.attrs.iter().position(|Attribute { name, .. }| &*name.local == key)
}
