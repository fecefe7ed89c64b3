//! Shows entries: in lines, in columns, or with all that is known of them.

use super::settings::{Format, Marks, Settings};
use super::{Entry, order};
use crate::about::{About, Kind, Moment};
use std::cmp::max;

/// Half a year: what is older is shown with its year.
const RECENT_SECONDS: i64 = 31_556_952 / 2;
/// A column has at least a letter, and two spaces behind it.
const COLUMN_MIN: usize = 3;

pub(super) fn list(out: &mut String, entries: &[Entry], settings: &Settings) {
    match settings.format {
        Format::Long => long(out, entries, settings),
        Format::Commas => commas(out, &cells(entries, settings, false), settings),
        Format::Columns | Format::Across if settings.width == 0 => {
            out.push_str(&cells(entries, settings, true).join("  "));
            if !entries.is_empty() {
                out.push(settings.end);
            }
        }
        Format::Columns => table(out, &cells(entries, settings, true), settings, true),
        Format::Across => table(out, &cells(entries, settings, true), settings, false),
        Format::Lines => {
            for cell in cells(entries, settings, true) {
                out.push_str(&cell);
                out.push(settings.end);
            }
        }
    }
}

/// Names with what stands before and behind them.
fn cells(entries: &[Entry], settings: &Settings, padded: bool) -> Vec<String> {
    let frills: Vec<Vec<String>> = entries.iter().map(|entry| before(entry, settings)).collect();
    let widths = widths(&frills);
    entries
        .iter()
        .zip(&frills)
        .map(|(entry, frills)| {
            let mut cell = String::new();
            for (frill, width) in frills.iter().zip(&widths) {
                let width = if padded { *width } else { 0 };
                cell.push_str(&format!("{frill:>width$} "));
            }
            cell.push_str(&settings.quote(&entry.name));
            cell.push_str(mark(entry.about.as_ref(), settings));
            cell
        })
        .collect()
}

/// The number of the file and its blocks, where they are asked for.
fn before(entry: &Entry, settings: &Settings) -> Vec<String> {
    let known = |text: Option<String>| text.unwrap_or_else(|| "?".to_owned());
    let mut frills = Vec::new();
    if settings.inodes {
        frills.push(known(entry.about.map(|about| about.inode.to_string())));
    }
    if settings.blocks {
        frills.push(known(entry.about.map(|about| settings.blocks_shown(about.blocks()))));
    }
    frills
}

/// How wide each column is.
fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.first().map_or(0, Vec::len);
    (0..columns).map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect()
}

fn mark(about: Option<&About>, settings: &Settings) -> &'static str {
    // Nothing is known of a link to nothing but that.
    let Some(about) = about else { return if settings.marks >= Marks::FileType { "@" } else { "" } };
    match about.kind {
        Kind::Folder if settings.marks >= Marks::Slash => "/",
        Kind::Link if settings.marks >= Marks::FileType => "@",
        Kind::Pipe if settings.marks >= Marks::FileType => "|",
        Kind::Socket if settings.marks >= Marks::FileType => "=",
        Kind::File if settings.marks == Marks::Classify && about.mode & 0o111 != 0 => "*",
        _ => "",
    }
}

fn commas(out: &mut String, cells: &[String], settings: &Settings) {
    let mut at = 0;
    for (place, cell) in cells.iter().enumerate() {
        let length = cell.chars().count();
        if place > 0 {
            out.push(',');
            if settings.width == 0 || at + length + 2 < settings.width {
                out.push(' ');
                at += 2;
            } else {
                out.push(settings.end);
                at = 0;
            }
        }
        out.push_str(cell);
        at += length;
    }
    if !cells.is_empty() {
        out.push(settings.end);
    }
}

/// As many columns as fit.
fn table(out: &mut String, cells: &[String], settings: &Settings, downwards: bool) {
    let lengths: Vec<usize> = cells.iter().map(|cell| cell.chars().count()).collect();
    let count = cells.len();
    let most = max(1, settings.width.div_ceil(COLUMN_MIN).min(count));
    let rows_of = |columns: usize| count.div_ceil(columns);
    let widths_of = |columns: usize| {
        let mut widths = vec![COLUMN_MIN; columns];
        for (place, length) in lengths.iter().enumerate() {
            let column = if downwards { place / rows_of(columns) } else { place % columns };
            let gap = if column + 1 == columns { 0 } else { 2 };
            widths[column] = max(widths[column], length + gap);
        }
        widths
    };
    let fitting = (1..=most).rev().map(widths_of).find(|widths| widths.iter().sum::<usize>() < settings.width);
    let widths = fitting.unwrap_or_else(|| widths_of(1));
    let columns = widths.len();
    let rows = rows_of(columns);
    for row in 0..rows {
        let mut at = 0;
        let places: Vec<usize> = if downwards {
            (row..count).step_by(rows).collect()
        } else {
            (row * columns..count.min((row + 1) * columns)).collect()
        };
        for (column, place) in places.iter().enumerate() {
            out.push_str(&cells[*place]);
            if column + 1 < places.len() {
                indent(out, at + lengths[*place], at + widths[column], settings.tab);
                at += widths[column];
            }
        }
        out.push(settings.end);
    }
}

/// Goes on to a place, with tabs where they reach.
fn indent(out: &mut String, mut from: usize, to: usize, tab: usize) {
    while from < to {
        if tab > 0 && to / tab > (from + 1) / tab {
            out.push('\t');
            from += tab - from % tab;
        } else {
            out.push(' ');
            from += 1;
        }
    }
}

fn long(out: &mut String, entries: &[Entry], settings: &Settings) {
    let now = Moment::now();
    let rows: Vec<Vec<String>> = entries.iter().map(|entry| facts(entry, settings, now)).collect();
    let widths = widths(&rows);
    let frills = usize::from(settings.inodes) + usize::from(settings.blocks);
    let owners = usize::from(settings.owner) + usize::from(settings.group) + usize::from(settings.author);
    // Behind the mode and the links.
    let left = frills + 2..frills + 2 + owners;
    for (entry, row) in entries.iter().zip(&rows) {
        for (at, (fact, width)) in row.iter().zip(&widths).enumerate() {
            if left.contains(&at) && !settings.numeric {
                out.push_str(&format!("{fact:<width$} "));
            } else {
                out.push_str(&format!("{fact:>width$} "));
            }
        }
        out.push_str(&settings.quote(&entry.name));
        if entry.about.is_some_and(|about| about.is_link()) {
            target(out, entry, settings);
        } else {
            out.push_str(mark(entry.about.as_ref(), settings));
        }
        out.push(settings.end);
    }
}

fn target(out: &mut String, entry: &Entry, settings: &Settings) {
    let Ok(target) = std::fs::read_link(&entry.path) else { return };
    out.push_str(" -> ");
    out.push_str(&settings.quote(&target.to_string_lossy()));
    if let Ok(about) = About::of(&entry.path) {
        out.push_str(mark(Some(&about), settings));
    }
}

/// What a long line says before the name.
fn facts(entry: &Entry, settings: &Settings, now: Moment) -> Vec<String> {
    let mut facts = before(entry, settings);
    let owner = || if settings.numeric { "1000" } else { "agent" }.to_owned();
    let owners = [settings.owner, settings.group, settings.author];
    let owners = owners.iter().filter(|shown| **shown);
    let Some(about) = entry.about else {
        let kind = About::of_link(&entry.path).map_or('?', |about| about.kind.letter());
        facts.extend([format!("{kind}?????????"), "?".to_owned()]);
        facts.extend(owners.map(|_| "?".to_owned()));
        facts.extend(["?".to_owned(), "?".to_owned()]);
        return facts;
    };
    facts.extend([about.letters(), about.links.to_string()]);
    facts.extend(owners.map(|_| owner()));
    facts.push(settings.sizes.show(about.size));
    let time = order::time(&about, settings);
    let recent = time <= now && time.seconds > now.seconds - RECENT_SECONDS;
    let form = if recent { &settings.times.0 } else { &settings.times.1 };
    facts.push(crate::calendar::shown(form, time));
    facts
}
