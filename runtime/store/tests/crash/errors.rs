//! Each call that the log makes of its disk fails once, in each way.

use crate::chance::Chance;
use crate::disk::{Disk, Failure, Fault};
use crate::image::{Keeps, Moment};
use crate::oracle::{History, Shown, go_on, is_loss, said, show, sound};
use crate::story::Story;
use crate::support::{batch, event, is_long, open, options, seed, wait};
use handbox_session::{EventId, LogError, SessionLog};
use handbox_store::{OpenError, RedbLog};

#[derive(Debug, Default)]
struct Count {
    faults: usize,
    while_opening: usize,
    refused: usize,
    unknown: usize,
    unnoticed: usize,
    images: usize,
}

/// What the sweep is over: a disk that is new, or one that a story is on already.
struct Sweep {
    seed: u64,
    steps: usize,
    before: Vec<u8>,
}

/// Runs the story until the call fails. Whether it did.
fn fail(sweep: &Sweep, fault: Fault, count: &mut Count) -> Result<bool, String> {
    let disk = Disk::failing(sweep.before.clone(), fault);
    let mut history = History::default();
    let mut told = None;
    match open(disk.clone(), options(4)) {
        Ok(log) => {
            let mut story = Story::new(&log, &disk, sweep.seed);
            let result = story.run(sweep.steps);
            history = story.history;
            // What the log writes by itself may fail too, and shows with the next request.
            let failed = disk.state().failed;
            match &result {
                Ok(()) if failed => count.unnoticed += 1,
                Ok(()) => {}
                Err(LogError::Unavailable(_)) => count.unknown += 1,
                Err(error) if is_loss(error) => count.refused += 1,
                Err(error) => return Err(format!("the log answered {error}")),
            }
            if failed {
                told = refuse(&log, &disk, &history)?;
            }
        }
        Err(OpenError::Io(_)) => count.while_opening += 1,
        Err(OpenError::Log(error)) if is_loss(&error) => count.while_opening += 1,
        Err(error) => return Err(format!("opening answered {error}")),
    }
    if !disk.state().failed {
        return Ok(false);
    }
    let later = disk.state().later;
    if later > 0 {
        return Err(format!("after the failed call {later} more were made, the last of them while closing"));
    }
    count.faults += 1;
    reopen(sweep, &disk, &history, told, count)?;
    Ok(true)
}

/// A log whose disk failed takes nothing more, though the disk works again; what it shows is right.
fn refuse(log: &RedbLog, disk: &Disk, history: &History) -> Result<Option<Shown>, String> {
    let shown = show(log).ok();
    if let Some(shown) = &shown {
        history.check(shown, usize::MAX)?;
    }
    let Some(session) = history.living().pop() else { return Ok(shown) };
    let trace = disk.now();
    for attempt in 0..3_u128 {
        let late = event(EventId::from((u128::from(u64::MAX) << 64) + attempt), "user.message", "late");
        match wait(log.append(vec![batch(session, vec![late])])) {
            Err(LogError::ReadOnly(_) | LogError::NoSession(_)) => {}
            Err(error) if attempt == 0 && is_loss(&error) => {}
            answer => return Err(format!("a log whose disk failed answered {answer:?}")),
        }
    }
    match wait(log.fold()) {
        Err(error) if is_loss(&error) => {}
        answer => return Err(format!("a log whose disk failed wrote its index: {answer:?}")),
    }
    if disk.now() != trace {
        return Err(format!("a log whose disk failed made {} more calls", disk.now() - trace));
    }
    Ok(shown)
}

/// Opens what the disk may hold after that, whether or not the process died.
fn reopen(sweep: &Sweep, disk: &Disk, history: &History, told: Option<Shown>, count: &mut Count) -> Result<(), String> {
    let trace = disk.state().trace.clone();
    let mut chance = Chance::new(sweep.seed);
    let moment = Moment::new(sweep.before.clone(), &trace).to(trace.len());
    for keeps in [Keeps::All, Keeps::Nothing, Keeps::Some, Keeps::Sectors] {
        let image = moment.image(keeps, &mut chance);
        let log = open(Disk::holding(image), options(4)).map_err(said("reopening"))?;
        let shown = show(&log)?;
        history.check(&shown, usize::MAX).map_err(|what| format!("after reopening, {keeps:?}: {what}"))?;
        for (id, (events, _)) in told.iter().flatten() {
            // What readers saw stays; more than that may have reached the disk.
            let holds = shown.get(id).is_some_and(|(now, _)| now.starts_with(events));
            if !holds && history.living().contains(id) {
                return Err(format!("after reopening, {keeps:?}: the session {id} has less than was shown"));
            }
        }
        go_on(&log, &shown, &mut chance)?;
        sound(&log)?;
        count.images += 1;
    }
    Ok(())
}

fn sweep(sweep: &Sweep, count: &mut Count) {
    for failure in [Failure::Broken, Failure::Full, Failure::Short] {
        for lasts in [false, true] {
            for nth in 0.. {
                let fault = Fault { nth, failure, lasts };
                match fail(sweep, fault, count) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(what) => panic!("seed {}, {fault:?}: {what}", sweep.seed),
                }
            }
        }
    }
}

#[test]
fn a_failed_call_loses_nothing_and_stops_the_log() {
    let (stories, steps) = if is_long() { (30, 60) } else { (2, 10) };
    let mut count = Count::default();
    for seed in seed()..seed() + stories {
        sweep(&Sweep { seed, steps, before: Vec::new() }, &mut count);
    }
    eprintln!("errors: seeds {} to {}: {count:?}", seed(), seed() + stories - 1);
}
