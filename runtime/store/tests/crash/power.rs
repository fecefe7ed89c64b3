//! Power is lost at every moment, and the disk kept what it liked of all that was not synced.

use crate::chance::Chance;
use crate::disk::{Disk, Op, Swallowed};
use crate::image::{Keeps, Moment};
use crate::oracle::{History, go_on, said, show, sound};
use crate::story::Story;
use crate::support::{is_long, open, options, seed};

/// What is told to a disk that notes it, and what it answered.
struct Told {
    seed: u64,
    index: usize,
    trace: Vec<Op>,
    history: History,
}

#[derive(Debug, Default)]
struct Count {
    images: usize,
    nested: usize,
    moments: usize,
    acknowledged: usize,
}

/// How thoroughly images are looked at.
#[derive(Clone, Copy)]
struct Depth {
    /// One in so many of the random images; those of which all or nothing is kept are all looked at.
    random: usize,
    /// One in so many is crashed again while it recovers.
    nested: usize,
}

fn tell(seed: u64, steps: usize, swallowed: Option<Swallowed>) -> Told {
    let index = [1, 4, 12, usize::MAX][(seed % 4) as usize];
    let disk = Disk::default();
    let log = open(disk.clone(), options(index)).unwrap();
    swallowed.inspect(|swallowed| disk.swallow(*swallowed));
    let mut story = Story::new(&log, &disk, seed);
    story.run(steps).unwrap();
    let history = story.history;
    drop(log);
    let trace = std::mem::take(&mut disk.state().trace);
    Told { seed, index, trace, history }
}

/// Looks at what the disk may hold, moment by moment; the first that is wrong is the error.
fn lose_power(told: &Told, depth: Depth, count: &mut Count) -> Result<(), String> {
    let mut chance = Chance::new(told.seed);
    let mut moment = Moment::new(Vec::new(), &told.trace);
    count.acknowledged += told.history.acknowledged();
    loop {
        count.moments += 1;
        for keeps in Keeps::EACH {
            let always = keeps == Keeps::All || (keeps == Keeps::Nothing && moment.now.is_multiple_of(4));
            if !always && (!moment.is_open() || !chance.one_in(depth.random)) {
                continue;
            }
            count.images += 1;
            let image = moment.image(keeps, &mut chance);
            recover(told, &image, moment.now, depth, (&mut chance, count)).map_err(|what| {
                let Told { seed, index, .. } = told;
                format!("seed {seed} (index of {index}), after {} calls, {keeps:?}: {what}", moment.now)
            })?;
        }
        if !moment.step() {
            return Ok(());
        }
    }
}

/// Opens what is left, and checks all that was promised.
fn recover(
    told: &Told,
    image: &[u8],
    now: usize,
    depth: Depth,
    (chance, count): (&mut Chance, &mut Count),
) -> Result<(), String> {
    let disk = Disk::holding(image.to_vec());
    let log = open(disk.clone(), options(told.index)).map_err(said("open"))?;
    let shown = show(&log)?;
    told.history.check(&shown, now)?;
    if chance.one_in(4) {
        // Recovering is done once: cut again right after, there is the same.
        let again = Disk::holding(disk.state().bytes.clone());
        let again = open(again, options(told.index)).map_err(said("P5: open"))?;
        if show(&again).map_err(said("P5"))? != shown {
            return Err("P5: recovering twice gives something else".to_owned());
        }
        sound(&again)?;
    }
    if chance.one_in(depth.nested) {
        let trace = disk.state().trace.clone();
        let moment = Moment::new(image.to_vec(), &trace).to(chance.below(trace.len() + 1));
        let keeps = *chance.pick(&Keeps::EACH);
        let nested = Disk::holding(moment.image(keeps, chance));
        let nested = open(nested, options(told.index)).map_err(said("P5: open in the middle of recovering"))?;
        if show(&nested).map_err(said("P5: in the middle of recovering"))? != shown {
            return Err(format!("P5: recovering in two goes ({} calls, {keeps:?}) gives something else", moment.now));
        }
        count.nested += 1;
    }
    go_on(&log, &shown, chance)
}

#[test]
fn what_was_acknowledged_survives_power_loss_at_every_moment() {
    let (stories, steps) = if is_long() { (200, 120) } else { (8, 40) };
    let depth = if is_long() { Depth { random: 1, nested: 4 } } else { Depth { random: 6, nested: 10 } };
    let mut count = Count::default();
    for seed in seed()..seed() + stories {
        let told = tell(seed, steps, None);
        lose_power(&told, depth, &mut count).unwrap_or_else(|what| panic!("{what}"));
    }
    eprintln!("power loss: seeds {} to {}: {count:?}, nothing lost", seed(), seed() + stories - 1);
}

/// A checker that does not see a disk that forgets its syncs sees nothing at all.
#[test]
fn a_sync_that_does_nothing_is_found() {
    for swallowed in [Swallowed::All, Swallowed::First, Swallowed::Second] {
        let (mut red, mut lost) = (0, 0);
        for seed in seed()..seed() + 4 {
            let told = tell(seed, 12, Some(swallowed));
            let found = lose_power(&told, Depth { random: 1, nested: 1000 }, &mut Count::default()).err();
            let what = found.unwrap_or_else(|| panic!("seed {seed}: nobody saw that {swallowed:?} syncs did nothing"));
            // Of the disk that kept nothing, it is what was acknowledged that is missed.
            let missed = lose_unsynced(&told).err();
            red += 1;
            lost += usize::from(missed.is_some_and(|what| what.starts_with("P1")));
            eprintln!("swallowed syncs, {swallowed:?}: {what}");
        }
        eprintln!(
            "swallowed syncs, {swallowed:?}: {red} stories found, in {lost} of them as P1 by losing what was not synced"
        );
        // Without the first sync all is on the disk once the second returns; it is the order that it keeps.
        assert!(
            swallowed == Swallowed::First || lost == red,
            "{lost} of {red} with {swallowed:?}, from seed {}",
            seed()
        );
    }
}

/// Of every moment, looks only at the disk that kept nothing which was not synced.
fn lose_unsynced(told: &Told) -> Result<(), String> {
    let mut chance = Chance::new(told.seed);
    let mut moment = Moment::new(Vec::new(), &told.trace);
    loop {
        let image = moment.image(Keeps::Nothing, &mut chance);
        let log = open(Disk::holding(image), options(told.index)).map_err(said("open"))?;
        told.history.check(&show(&log)?, moment.now)?;
        if !moment.step() {
            return Ok(());
        }
    }
}
