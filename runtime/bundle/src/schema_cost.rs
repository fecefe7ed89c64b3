//! How much work a schema can make of checking one input.
//!
//! A validator evaluates subschemas at each place of an input: a keyword such as `allOf` or
//! `$ref` brings in another subschema at the same place, one such as `properties` or `items`
//! at a place below. Which subschemas meet at a place, and how often each, depends only on
//! the names and numbers on the way there. So this walks over everything that can meet
//! anywhere: finite for lists and trees, endless where each level brings more than the last.
//!
//! A sum over all places needs no bound of its own: there are only as many as the input has,
//! and references are compiled once, however many lead to the same subschema.

use crate::schema::{Dangling, target};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};

/// How many evaluations of subschemas one place of an input may cause. A flat list of
/// alternatives that fills a whole schema comes to some thousands, so only what refers many
/// times to the same is refused.
pub(crate) const EVALUATIONS_MAX: u64 = 10_000;

/// Steps that the check itself may take, per byte of the schema and beside: ten times what
/// large honest schemas need, and half a million for the largest.
const STEPS_PER_BYTE: usize = 8;
const STEPS_MIN: usize = 10_000;

const IN_PLACE_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const IN_PLACE_ONES: [&str; 4] = ["not", "if", "then", "else"];
const IN_PLACE_MAPS: [&str; 2] = ["dependentSchemas", "dependencies"];
/// Evaluate everything at the same place once more, to learn what it covers.
const UNEVALUATED: [&str; 2] = ["unevaluatedProperties", "unevaluatedItems"];

/// What is wrong with a schema; each with the place in it.
pub(crate) enum Fault {
    Endless(String),
    Dangling(String),
    /// Too many evaluations at a single place.
    Wide(String),
    /// More and more evaluations, the deeper the input.
    Deep(String),
    /// Too many steps to find out.
    Intricate,
}

impl From<Dangling<'_>> for Fault {
    fn from(Dangling(to): Dangling<'_>) -> Self {
        Self::Dangling(to.to_owned())
    }
}

/// Checks that references come to an end, and that evaluation is bounded at each place.
/// `modern` tells that every part is read as 2020-12.
pub(crate) fn check_cost(root: &Value, size: usize, modern: bool) -> Result<(), Fault> {
    let steps_left = STEPS_MIN + STEPS_PER_BYTE * size;
    let mut cost = Cost { root, modern, nodes: Vec::new(), ids: HashMap::new(), sums: HashMap::new(), steps_left };
    cost.collect(root);
    // Also what nothing refers to: somebody else may follow it.
    for index in 0..cost.nodes.len() {
        cost.sum_up(Eval::of(index))?;
    }
    cost.walk()
}

/// One evaluation of a subschema, or of what it covers (for `unevaluatedProperties`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Eval {
    node: usize,
    coverage: bool,
}

impl Eval {
    fn of(node: usize) -> Self {
        Self { node, coverage: false }
    }
}

/// What an evaluation brings about at its own place, itself included.
#[derive(Clone, Copy)]
enum Sum {
    /// Being summed up: whoever meets it goes in a circle.
    Open,
    /// How many evaluations, and in which order it was done: after all that it brings.
    Done { evaluations: u64, rank: usize },
}

/// Evaluations that meet at a place, and how often each.
type Meeting = BTreeMap<Eval, u64>;

fn add(meeting: &mut Meeting, eval: Eval, times: u64) {
    let count = meeting.entry(eval).or_default();
    *count = count.saturating_add(times);
}

struct Cost<'s> {
    root: &'s Value,
    modern: bool,
    /// Every object of the schema, be it a subschema or not. A subschema that is a boolean
    /// costs nothing.
    nodes: Vec<&'s Map<String, Value>>,
    ids: HashMap<*const Map<String, Value>, usize>,
    sums: HashMap<Eval, Sum>,
    steps_left: usize,
}

impl<'s> Cost<'s> {
    /// Its depth has been checked.
    fn collect(&mut self, node: &'s Value) {
        match node {
            Value::Object(entries) => {
                self.ids.insert(std::ptr::from_ref(entries), self.nodes.len());
                self.nodes.push(entries);
                entries.values().for_each(|value| self.collect(value));
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            _ => {}
        }
    }

    fn eval(&self, schema: &Value) -> Option<Eval> {
        self.ids.get(&std::ptr::from_ref(schema.as_object()?)).copied().map(Eval::of)
    }

    fn step(&mut self, count: usize) -> Result<(), Fault> {
        self.steps_left = self.steps_left.checked_sub(count).ok_or(Fault::Intricate)?;
        Ok(())
    }

    /// What an evaluation brings about directly at its own place.
    fn in_place(&self, eval: Eval) -> Result<Vec<Eval>, Fault> {
        let node = self.nodes[eval.node];
        let lists = IN_PLACE_LISTS.iter().filter_map(|key| node.get(*key)?.as_array()).flatten();
        let ones = IN_PLACE_ONES.iter().filter_map(|key| node.get(*key));
        let maps = IN_PLACE_MAPS.iter().filter_map(|key| node.get(*key)?.as_object()).flat_map(Map::values);
        let reference = target(self.root, node)?;
        let inner = lists.chain(ones).chain(maps).chain(reference).filter_map(|schema| self.eval(schema));
        let mut brought: Vec<Eval> = inner.collect();
        if eval.coverage {
            let covered: Vec<Eval> = brought.iter().map(|inner| Eval { coverage: true, ..*inner }).collect();
            brought.extend(covered);
        } else {
            let again = UNEVALUATED.iter().filter(|key| node.contains_key(**key));
            brought.extend(again.map(|_| Eval { coverage: true, ..eval }));
        }
        Ok(brought)
    }

    /// Sums up `first` and all that it brings about, without recursion: a chain of
    /// references may be long.
    fn sum_up(&mut self, first: Eval) -> Result<(), Fault> {
        if self.sums.contains_key(&first) {
            return Ok(());
        }
        self.sums.insert(first, Sum::Open);
        let mut open = vec![(first, self.in_place(first)?, 1_u64)];
        while let Some((eval, left, evaluations)) = open.last_mut() {
            let eval = *eval;
            let Some(next) = left.pop() else {
                if *evaluations > EVALUATIONS_MAX {
                    return Err(Fault::Wide(self.place(eval)));
                }
                let evaluations = *evaluations;
                open.pop();
                let rank = self.sums.len();
                self.sums.insert(eval, Sum::Done { evaluations, rank });
                if let Some((_, _, outer)) = open.last_mut() {
                    *outer = outer.saturating_add(evaluations);
                }
                continue;
            };
            match self.sums.get(&next) {
                None => {
                    self.sums.insert(next, Sum::Open);
                    open.push((next, self.in_place(next)?, 1));
                }
                Some(Sum::Open) => return Err(Fault::Endless(self.place(next))),
                Some(Sum::Done { evaluations: inner, .. }) => *evaluations = evaluations.saturating_add(*inner),
            }
        }
        Ok(())
    }

    /// Goes through everything that can meet at any place of an input.
    fn walk(&mut self) -> Result<(), Fault> {
        let mut seen = HashSet::new();
        let mut open = vec![Meeting::from([(Eval::of(0), 1)])];
        while let Some(meeting) = open.pop() {
            for below in self.below(&meeting)? {
                self.step(1 + below.len())?;
                if !below.is_empty()
                    && seen.insert(below.iter().map(|(eval, times)| (*eval, *times)).collect::<Vec<_>>())
                {
                    open.push(below);
                }
            }
        }
        Ok(())
    }

    /// All evaluations at a place where `meeting` comes from above.
    fn expand(&mut self, meeting: &Meeting) -> Result<Vec<(Eval, u64)>, Fault> {
        let mut total = 0_u64;
        let mut by_rank = BTreeMap::new();
        let mut most = (0, None);
        for (eval, times) in meeting {
            self.sum_up(*eval)?;
            let Some(Sum::Done { evaluations, rank }) = self.sums.get(eval).copied() else { continue };
            let caused = evaluations.saturating_mul(*times);
            total = total.saturating_add(caused);
            most = most.max((caused, Some(*eval)));
            by_rank.insert(rank, (*eval, *times));
        }
        if let (true, Some(eval)) = (total > EVALUATIONS_MAX, most.1) {
            return Err(Fault::Deep(self.place(eval)));
        }
        let mut all = Vec::new();
        while let Some((_, (eval, times))) = by_rank.pop_last() {
            let inner = self.in_place(eval)?;
            self.step(1 + inner.len())?;
            for inner in inner {
                let Some(Sum::Done { rank, .. }) = self.sums.get(&inner).copied() else { continue };
                let count = &mut by_rank.entry(rank).or_insert((inner, 0)).1;
                *count = count.saturating_add(times);
            }
            all.push((eval, times));
        }
        Ok(all)
    }

    /// What meets at each kind of place below one where `meeting` comes from above.
    fn below(&mut self, meeting: &Meeting) -> Result<Vec<Meeting>, Fault> {
        let mut below = Below::default();
        for (eval, times) in self.expand(meeting)? {
            let taken = below.take(self, eval, times);
            self.step(taken)?;
        }
        let Below { names, name, any_name, any_item, items, more_items, longest, key } = below;
        let mut meetings = vec![key];
        // A name that no schema knows, then each that one does.
        let mut other = any_name.clone();
        other.extend_by(name.iter().map(|(_, eval, times)| (*eval, *times)));
        self.step(other.len())?;
        meetings.push(other);
        for (known, of_it) in names {
            let mut here = any_name.clone();
            self.step(here.len() + of_it.len() + name.len())?;
            here.extend_by(of_it);
            let unknown = name.iter().filter(|(node, ..)| !self.knows(*node, known));
            here.extend_by(unknown.map(|(_, eval, times)| (*eval, *times)));
            meetings.push(here);
        }
        for index in 0..=longest {
            let mut here = any_item.clone();
            let own = items.get(&index).map(Vec::as_slice).unwrap_or_default();
            self.step(here.len() + own.len() + more_items.len())?;
            here.extend_by(own.iter().copied());
            let reached = more_items.iter().filter(|(from, ..)| *from <= index || !self.modern);
            here.extend_by(reached.map(|(_, eval, times)| (*eval, *times)));
            meetings.push(here);
        }
        Ok(meetings)
    }

    fn knows(&self, node: usize, name: &str) -> bool {
        self.nodes[node].get("properties").is_some_and(|properties| properties.get(name).is_some())
    }

    /// Where it stands, as a reference to it would be written.
    fn place(&self, eval: Eval) -> String {
        place_of(self.root, self.nodes[eval.node]).map_or_else(|| "#".to_owned(), |path| format!("#{path}"))
    }
}

fn place_of(node: &Value, sought: &Map<String, Value>) -> Option<String> {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match node {
        Value::Object(entries) if std::ptr::eq(entries, sought) => Some(String::new()),
        Value::Object(entries) => {
            entries.iter().find_map(|(key, value)| Some(format!("/{}{}", escaped(key), place_of(value, sought)?)))
        }
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| Some(format!("/{index}{}", place_of(item, sought)?)))
        }
        _ => None,
    }
}

trait ExtendBy {
    fn extend_by(&mut self, more: impl IntoIterator<Item = (Eval, u64)>);
}

impl ExtendBy for Meeting {
    fn extend_by(&mut self, more: impl IntoIterator<Item = (Eval, u64)>) {
        more.into_iter().for_each(|(eval, times)| add(self, eval, times));
    }
}

/// What the evaluations at one place bring about at those below it. Patterns are taken to
/// match every name.
#[derive(Default)]
struct Below<'s> {
    names: BTreeMap<&'s str, Vec<(Eval, u64)>>,
    /// At names that the node does not know.
    name: Vec<(usize, Eval, u64)>,
    any_name: Meeting,
    items: BTreeMap<usize, Vec<(Eval, u64)>>,
    /// From an index on.
    more_items: Vec<(usize, Eval, u64)>,
    any_item: Meeting,
    /// No list of items is longer.
    longest: usize,
    /// At the names themselves, which are texts.
    key: Meeting,
}

impl<'s> Below<'s> {
    /// Gives the number of steps that it took.
    fn take(&mut self, cost: &Cost<'s>, eval: Eval, times: u64) -> usize {
        let node = cost.nodes[eval.node];
        let at = |key: &str| cost.eval(node.get(key)?);
        let mut steps = 1;
        self.any_name.extend_by(at("unevaluatedProperties").map(|eval| (eval, times)));
        self.any_item.extend_by(["contains", "unevaluatedItems"].iter().filter_map(|key| Some((at(key)?, times))));
        if eval.coverage {
            return steps;
        }
        for (name, schema) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
            steps += 1;
            if let Some(eval) = cost.eval(schema) {
                self.names.entry(name).or_default().push((eval, times));
            }
        }
        for schema in node.get("patternProperties").and_then(Value::as_object).into_iter().flat_map(Map::values) {
            steps += 1;
            self.any_name.extend_by(cost.eval(schema).map(|eval| (eval, times)));
        }
        self.name.extend(at("additionalProperties").map(|inner| (eval.node, inner, times)));
        self.key.extend_by(at("propertyNames").map(|eval| (eval, times)));
        let mut length = 0;
        for list in ["prefixItems", "items"].iter().filter_map(|key| node.get(*key)?.as_array()) {
            steps += list.len();
            length = length.max(list.len());
            for (index, schema) in list.iter().enumerate() {
                self.items.entry(index).or_default().extend(cost.eval(schema).map(|eval| (eval, times)));
            }
        }
        self.longest = self.longest.max(length);
        let more = ["items", "additionalItems"].iter().filter_map(|key| Some((length, at(key)?, times)));
        self.more_items.extend(more);
        steps
    }
}
