use super::*;
use crate::filter::{DEPTH_MAX, ELEMENTS_MAX, TEXT_BYTES_MAX};
use std::fmt::Write as _;

fn page(html: &str) -> Page {
    read(&Url::parse("https://example.com/docs/intro.html").unwrap(), html)
}

fn md(html: &str) -> String {
    page(html).markdown
}

#[test]
fn an_article_is_read_without_what_is_around_it() {
    let html = r##"<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Install
        | Widgets</title><style>body { color: red }</style><script>var x = "<p>no</p>";</script></head>
        <body><nav><ul><li><a href="/">Home</a></li></ul></nav>
        <h1>Install <a class="anchor" href="#install">¶</a></h1>
        <p>Get it from <a href="../download?os=linux#latest" title="All versions">the download page</a>, or
        <strong>build</strong> it <em>yourself</em>: &lt;2&nbsp;minutes &amp; no &euro;.</p>
        <noscript><img src="https://track.test/p.gif"></noscript>
        <ul><li>one<li>two<ol><li>inner</ol></ul>
        <pre><code class="language-sh">cargo install widgets
  --locked &amp;&amp; echo "*ok*"
</code></pre>
        <p>Use <code>cargo</code>.<br>Then rest.</p>
        <svg><title>icon</title><path d="M0"/></svg>
        <form><button>Subscribe</button><textarea><b>mail</b></textarea></form>
        <footer>© 2026 Example</footer></body></html>"##;
    let page = page(html);
    assert_eq!(page.title.as_deref(), Some("Install | Widgets"));
    assert!(page.whole);
    let text = &page.markdown;
    for part in [
        "# Install ¶",
        "[the download page](https://example.com/download?os=linux#latest \"All versions\")",
        "**build** it *yourself*: ",
        "€",
        "- one\n- two",
        "1. inner",
        "```sh\ncargo install widgets\n  --locked && echo \"*ok*\"\n```",
        "Use `cargo`.",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
    for part in ["Home", "Subscribe", "mail", "2026", "color", "var x", "track", "icon", "M0"] {
        assert!(!text.contains(part), "{part:?} in:\n{text}");
    }
}

#[test]
fn tables_have_columns() {
    let html = "<table><thead><tr><th>Name</th><th>Size</th></tr></thead><tbody><tr><td>a</td><td>1</td></tr>\
                <tr><td><a href=b>b</a></td><td>2</td></tr></tbody></table>";
    let text = md(html);
    let lines: Vec<String> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines[0], "| Name | Size |", "{text}");
    assert!(lines[1].starts_with("| -"), "{text}");
    assert_eq!(lines[3], "| [b](https://example.com/docs/b) | 2 |", "{text}");
}

#[test]
fn links_are_whole_and_those_that_lead_nowhere_are_text() {
    assert_eq!(md("<a href='//cdn.test/x y'>a</a>"), "[a](https://cdn.test/x%20y)");
    assert_eq!(md("<base href='https://other.test/b/'><a href=c>a</a>"), "[a](https://other.test/b/c)");
    assert_eq!(md("<a href='javascript:alert(1)'>a</a> <a href='#top'>b</a> <a href='http://['>c</a>"), "a b c");
    assert_eq!(md("<img alt=cat src=cat.png>"), "![cat](https://example.com/docs/cat.png)");
    let data = format!("<p>x<img alt=dot src='data:image/png;base64,{}'>y", "A".repeat(5000));
    assert!(!md(&data).contains("AAAA"), "{}", md(&data).len());
    assert_eq!(md("<a href='mailto:me@example.com'>mail</a>"), "[mail](mailto:me@example.com)");
}

#[test]
fn what_a_page_calls_its_main_content_is_all_there_is_to_read_if_it_is_something() {
    let long = "Words of the article. ".repeat(30);
    let around = "<div>menu menu menu</div>";
    for main in ["main", "article", "div role=main"] {
        let end = main.split(' ').next().unwrap();
        let text = md(&format!("{around}<{main}><h2>Head</h2>{long}</{end}>{around}"));
        assert!(text.starts_with("## Head") && !text.contains("menu"), "{main}: {text}");
    }
    let text = md(&format!("<main><h1>Only a headline</h1></main><div>{long}</div>"));
    assert!(text.contains("Only a headline") && text.contains("Words of"), "{text}");
    let text = md(&format!("<article>{long}one</article><article>{long}two</article>"));
    assert!(text.contains("one") && text.contains("two"), "{text}");
    assert_eq!(md("<nav><a href=/a>A</a></nav>"), "[A](https://example.com/a)");
}

#[test]
fn broken_pages_are_read_as_browsers_do() {
    assert_eq!(md("<p>one<p>two</b></div><b>three"), "one\n\ntwo**three**");
    assert_eq!(md("a < b & c &copy; &#x41; &bogus; &#0;").replace('\\', ""), "a < b & c © A &bogus; \u{fffd}");
    assert!(md("<table><b>out<tr><td>in").starts_with("**out**"));
    assert!(md("text <scr<script>ipt>alert(1)</script> more").contains("text"));
    assert_eq!(md("<!-- <p>no --><p>yes<!-- "), "yes");
    assert_eq!(md("<p>half <a href='x"), "half");
    assert_eq!(md("<script>never closed <p>x"), "");
    assert_eq!(md(""), "");
    assert_eq!(md("<plaintext>a <b>c"), "a \\<b>c");
}

#[test]
fn end_tags_that_are_left_out_make_nothing_deep() {
    let items: String = (0..1000).fold(String::new(), |mut text, n| {
        _ = write!(text, "<li><a href=/{n}>item {n}</a><p>more");
        text
    });
    let text = md(&format!("<ul>{items}</ul>"));
    assert!(text.contains("[item 999](https://example.com/999)"), "{}", &text[text.len() - 200..]);
    let rows = "<tr><td>a<td>b".repeat(1000);
    assert_eq!(md(&format!("<table><tr><th>x<th>y{rows}</table>")).lines().count(), 1002);
    // Inline elements that were never closed end with the block around them.
    let spans = "<div><span><span>x</div>".repeat(500);
    assert!(md(&format!("{spans}<div><a href=/z>z</a></div>")).ends_with("[z](https://example.com/z)"));
}

/// A guest has 1 MiB. Frames that are not optimised are several times as large.
fn on_a_small_stack(html: String) -> Page {
    let stack = if cfg!(debug_assertions) { 8 * 1024 * 1024 } else { 1024 * 1024 };
    let thread = std::thread::Builder::new().stack_size(stack);
    thread.spawn(move || page(&html)).unwrap().join().unwrap()
}

#[test]
fn a_slash_in_a_picture_hides_nothing_after_it() {
    assert_eq!(md("<svg><script href=x /><title/><path d=m /></svg><p>after"), "after");
    assert_eq!(md("<div/>a<p/>b<br/>c").split_whitespace().collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn deep_nesting_keeps_the_text_and_does_not_end_the_tool() {
    for tag in ["div", "div/", "b", "blockquote", "table", "optgroup", "custom-tag", "a", "svg"] {
        let end = tag.trim_end_matches('/');
        let html =
            format!("{}<i>deep</i>{}<p>after", format!("<{tag}>").repeat(100_000), format!("</{end}>").repeat(100_000));
        let page = on_a_small_stack(html);
        // These are not for readers, or make an element each.
        assert_eq!(page.markdown.contains("deep"), !matches!(tag, "svg" | "a"), "{tag}");
        assert!(page.markdown.len() < 10_000, "{tag}: {}", page.markdown.len());
    }
    for nest in
        ["<table><tr><td>", "<div><ul><li>", "<svg><p>", "<svg><div/>", "<dl><dd><div><p>", "<svg><a>", "<b><p>"]
    {
        on_a_small_stack(nest.repeat(30_000));
    }
    let nested = |depth: usize| format!("{}x<a href=/y>y</a>{}<p>z", "<div>".repeat(depth), "</div>".repeat(depth));
    assert_eq!(md(&nested(50_000)), "x[y](https://example.com/y)\n\nz");
    assert_eq!(md(&nested(DEPTH_MAX - 1)), "x[y](https://example.com/y)\n\nz");
}

#[test]
fn a_huge_page_is_read_in_part_and_says_so() {
    let paragraphs = "<p>word and <b>more</b> of it, again.</p>\n".repeat(10 * 1024 * 1024 / 40);
    let page1 = page(&paragraphs);
    assert!(!page1.whole && page1.markdown.len() > 100_000);
    assert!(page1.markdown.len() < ELEMENTS_MAX * 40, "{}", page1.markdown.len());
    let page2 = page(&"x ".repeat(5 * 1024 * 1024));
    assert!(!page2.whole);
    assert!((100_000..=TEXT_BYTES_MAX).contains(&page2.markdown.len()), "{}", page2.markdown.len());
    let scripts = format!("{}<p>after", "<script>let x = '<p>';</script>".repeat(40_000));
    assert_eq!(md(&scripts), "after");
    let script = format!("<script>{}</script><p>after", "x".repeat(9 * 1024 * 1024));
    assert_eq!(md(&script), "after");
}

#[test]
fn attributes_in_masses_cost_no_more_than_their_bytes() {
    let many: String = (0..20_000).fold(String::from("<p"), |mut text, n| {
        _ = write!(text, " a{n}=1");
        text
    });
    assert_eq!(md(&format!("{many}>x")), "x");
}

#[test]
fn formatting_that_never_ends_does_not_multiply() {
    let open: String = (0..100).fold(String::from("<p>"), |mut text, n| {
        _ = write!(text, "<font color={n}><b id={n}>");
        text
    });
    let text = md(&format!("{open}</p>{}", "<p>x</p>".repeat(10_000)));
    assert!(text.len() < 200_000 && text.contains('x'), "{}", text.len());
}
