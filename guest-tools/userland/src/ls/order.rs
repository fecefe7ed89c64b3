//! In which order entries are listed.

use super::Entry;
use super::settings::{Settings, Sort, Time};
use crate::about::{About, Moment};
use std::cmp::Ordering;

pub(super) fn sort(entries: &mut [Entry], settings: &Settings) {
    if settings.sort != Sort::None {
        entries.sort_by(|left, right| {
            let order = compare(left, right, settings);
            if settings.reverse { order.reverse() } else { order }
        });
    }
    if settings.folders_first {
        entries.sort_by_key(|entry| !entry.leads_to_folder());
    }
}

pub(super) fn time(about: &About, settings: &Settings) -> Moment {
    match settings.time {
        Time::Modified => about.modified,
        Time::Changed => about.changed,
        Time::Accessed => about.accessed,
    }
}

fn compare(left: &Entry, right: &Entry, settings: &Settings) -> Ordering {
    let of = |entry: &Entry| entry.about.map(|about| (about.size, time(&about, settings)));
    let first = match settings.sort {
        Sort::Size => of(right).map(|(size, _)| size).cmp(&of(left).map(|(size, _)| size)),
        Sort::Time => of(right).map(|(_, time)| time).cmp(&of(left).map(|(_, time)| time)),
        Sort::Version => crate::size::version(&left.name, &right.name),
        Sort::Extension => extension(&left.name).cmp(extension(&right.name)),
        Sort::Width => settings.quote(&left.name).chars().count().cmp(&settings.quote(&right.name).chars().count()),
        Sort::Name | Sort::None => Ordering::Equal,
    };
    first.then_with(|| left.name.cmp(&right.name))
}

/// What stands from the last dot on.
fn extension(name: &str) -> &str {
    name.rfind('.').map_or("", |at| &name[at..])
}
