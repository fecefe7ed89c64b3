//! Patterns: `*`, `?`, `[…]`, and the extended ones.
//!
//! A pattern is followed by the set of places where a match could end, so that no pattern
//! takes longer than its length times the text's.

use std::collections::BTreeSet;

/// A pattern, ready to be matched.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    nodes: Vec<Node>,
    ignore_case: bool,
}

#[derive(Clone, Debug)]
enum Node {
    Char(char),
    One,
    Many,
    Set { negated: bool, members: Vec<Member> },
    Group { kind: char, choices: Vec<Vec<Node>> },
}

#[derive(Clone, Debug)]
enum Member {
    Range(char, char),
    Class(String),
}

impl Pattern {
    /// Reads a pattern in which a backslash quotes.
    pub(crate) fn new(source: &str) -> Self {
        let chars: Vec<char> = source.chars().collect();
        let mut at = 0;
        let levels = if groups_close(&chars) { LEVELS_MAX } else { 0 };
        Self { nodes: nodes(&chars, &mut at, (false, levels)), ignore_case: false }
    }

    /// The same, in which the case of letters counts or not.
    pub(crate) fn ignoring_case(mut self, ignore: bool) -> Self {
        self.ignore_case = ignore;
        self
    }

    /// Whether it means only itself.
    pub(crate) fn literal(&self) -> Option<String> {
        let char = |node: &Node| if let Node::Char(c) = node { Some(*c) } else { None };
        if self.ignore_case {
            return None;
        }
        self.nodes.iter().map(char).collect()
    }

    /// Whether it begins with a dot that was written as one.
    pub(crate) fn starts_with_dot(&self) -> bool {
        matches!(self.nodes.first(), Some(Node::Char('.')))
    }

    /// Whether all of the text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        self.ends(&chars, 0).contains(&chars.len())
    }

    /// Where a match that begins at `start` could end.
    pub(crate) fn ends(&self, text: &[char], start: usize) -> BTreeSet<usize> {
        self.follow(&self.nodes, text, BTreeSet::from([start]))
    }

    fn follow(&self, nodes: &[Node], text: &[char], mut places: BTreeSet<usize>) -> BTreeSet<usize> {
        for node in nodes {
            if places.is_empty() {
                break;
            }
            places = self.step(node, text, &places);
        }
        places
    }

    fn step(&self, node: &Node, text: &[char], places: &BTreeSet<usize>) -> BTreeSet<usize> {
        let one = |fits: &dyn Fn(char) -> bool| {
            places.iter().filter(|at| text.get(**at).is_some_and(|c| fits(*c))).map(|at| at + 1).collect()
        };
        match node {
            Node::Char(wanted) => one(&|c| self.same(c, *wanted)),
            Node::One => one(&|_| true),
            Node::Many => places.first().map(|first| (*first..=text.len()).collect()).unwrap_or_default(),
            Node::Set { negated, members } => one(&|c| self.member(members, c) != *negated),
            Node::Group { kind, choices } => self.group(*kind, choices, text, places),
        }
    }

    fn group(&self, kind: char, choices: &[Vec<Node>], text: &[char], places: &BTreeSet<usize>) -> BTreeSet<usize> {
        let once = |from: &BTreeSet<usize>| -> BTreeSet<usize> {
            choices.iter().flat_map(|choice| self.follow(choice, text, from.clone())).collect()
        };
        match kind {
            '@' => once(places),
            '?' => &once(places) | places,
            '!' => places
                .iter()
                .flat_map(|start| {
                    let refused = once(&BTreeSet::from([*start]));
                    (*start..=text.len()).filter(move |end| !refused.contains(end))
                })
                .collect(),
            _ => {
                let mut all = if kind == '*' { places.clone() } else { once(places) };
                loop {
                    let more = &once(&all) | &all;
                    if more.len() == all.len() {
                        return all;
                    }
                    all = more;
                }
            }
        }
    }

    fn same(&self, a: char, b: char) -> bool {
        a == b || (self.ignore_case && a.to_lowercase().eq(b.to_lowercase()))
    }

    fn member(&self, members: &[Member], c: char) -> bool {
        let within = |c: char| {
            members.iter().any(|member| match member {
                Member::Range(from, to) => (*from..=*to).contains(&c),
                Member::Class(name) => in_class(name, c),
            })
        };
        within(c) || (self.ignore_case && (c.to_lowercase().any(within) || c.to_uppercase().any(within)))
    }
}

/// Whether a text has what makes it a pattern, outside of backslashes.
pub(crate) fn is_pattern(source: &str, extended: bool) -> bool {
    let mut rest = source.chars().peekable();
    let mut bracket = false;
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                rest.next();
            }
            '*' | '?' => return true,
            '[' => bracket = true,
            ']' if bracket => return true,
            '@' | '!' | '+' if extended && rest.peek() == Some(&'(') => return true,
            _ => {}
        }
    }
    false
}

/// How many groups may stand in each other.
const LEVELS_MAX: usize = 40;

/// Whether each group is closed: one that is not means its characters, and all of it would be read again for each.
fn groups_close(chars: &[char]) -> bool {
    let (mut open, mut at) = (0_usize, 0);
    while let Some(c) = chars.get(at) {
        match c {
            '\\' => at += 1,
            '?' | '*' | '+' | '@' | '!' if chars.get(at + 1) == Some(&'(') => {
                open += 1;
                at += 1;
            }
            ')' => open = open.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    open == 0
}

fn nodes(chars: &[char], at: &mut usize, (in_group, levels): (bool, usize)) -> Vec<Node> {
    let mut nodes = Vec::new();
    while let Some(&c) = chars.get(*at) {
        if in_group && (c == '|' || c == ')') {
            break;
        }
        *at += 1;
        if "?*+@!".contains(c)
            && chars.get(*at) == Some(&'(')
            && levels > 0
            && let Some(group) = group(c, chars, at, levels - 1)
        {
            nodes.push(group);
            continue;
        }
        nodes.push(match c {
            '*' => Node::Many,
            '?' => Node::One,
            '[' => set(chars, at).unwrap_or(Node::Char('[')),
            '\\' => {
                let quoted = chars.get(*at).copied().unwrap_or('\\');
                *at += 1;
                Node::Char(quoted)
            }
            c => Node::Char(c),
        });
    }
    nodes
}

fn group(kind: char, chars: &[char], at: &mut usize, levels: usize) -> Option<Node> {
    let mut inner = *at + 1;
    let mut choices = Vec::new();
    loop {
        choices.push(nodes(chars, &mut inner, (true, levels)));
        let end = *chars.get(inner)?;
        inner += 1;
        if end == ')' {
            *at = inner;
            return Some(Node::Group { kind, choices });
        }
    }
}

fn set(chars: &[char], at: &mut usize) -> Option<Node> {
    let mut i = *at;
    let negated = matches!(chars.get(i), Some('!' | '^'));
    i += usize::from(negated);
    let mut members = Vec::new();
    let mut first = true;
    loop {
        let c = *chars.get(i)?;
        if c == ']' && !first {
            *at = i + 1;
            return Some(Node::Set { negated, members });
        }
        first = false;
        if c == '['
            && chars.get(i + 1) == Some(&':')
            && let Some(length) = chars[i + 2..].windows(2).position(|pair| pair == [':', ']'])
        {
            members.push(Member::Class(chars[i + 2..i + 2 + length].iter().collect()));
            i += length + 4;
            continue;
        }
        let from = member_char(chars, &mut i)?;
        if chars.get(i) == Some(&'-') && chars.get(i + 1).is_some_and(|c| *c != ']') {
            i += 1;
            let to = member_char(chars, &mut i)?;
            members.push(Member::Range(from, to));
        } else {
            members.push(Member::Range(from, from));
        }
    }
}

fn member_char(chars: &[char], i: &mut usize) -> Option<char> {
    if chars[*i] == '\\' {
        *i += 1;
    }
    let c = *chars.get(*i)?;
    *i += 1;
    Some(c)
}

fn in_class(name: &str, c: char) -> bool {
    match name {
        "alpha" => c.is_alphabetic(),
        "digit" => c.is_ascii_digit(),
        "alnum" => c.is_alphanumeric(),
        "upper" => c.is_uppercase(),
        "lower" => c.is_lowercase(),
        "space" => c.is_whitespace(),
        "blank" => c == ' ' || c == '\t',
        "punct" => c.is_ascii_punctuation(),
        "cntrl" => c.is_control(),
        "xdigit" => c.is_ascii_hexdigit(),
        "print" => !c.is_control(),
        "graph" => !c.is_control() && !c.is_whitespace(),
        "word" => c.is_alphanumeric() || c == '_',
        _ => false,
    }
}
