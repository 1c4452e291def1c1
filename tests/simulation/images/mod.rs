//! Crash images: a run of twelve pages and three files, and a takeover in its middle, are cut off before each change. What
//! is not durable there is kept, lost or torn in every combination of few parts, and by chance in many more. Each image
//! must be a committed prefix; from a part of them the real core goes on, and must end with the same bytes.

mod look;
mod play;

use crate::disk::{Disk, Fate, Part};
use crate::rng::Rng;
use crate::sim::locked;
use look::{Golden, Journals};
use play::{Cut, Told, record, resume};
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many images; `FILEGEN_IMAGES` says otherwise.
const IMAGES: usize = 100_000;
/// From one in so many the real core goes on.
const RESUMED: usize = 40;
/// So many changes at one cut are tried in every combination.
const ALL: usize = 8;
/// Of more changes, every choice of so few is lost or left alone.
const FEW: u32 = 4;

/// A recorded run.
struct Recording {
    name: &'static str,
    cuts: Vec<Cut>,
    golden: Golden,
    /// The token of whoever goes on.
    next: u64,
}

impl Recording {
    fn new(name: &'static str, disk: Disk, token: u64, told: Told) -> Self {
        let cuts = record(disk, token, told);
        let end = cuts.last().expect("a run has changes").disk.clone();
        Self { name, cuts, golden: Golden::new(end), next: token + 1 }
    }

    /// A run from nothing, and one that takes over from it when page 7 is committed and page 8 is on its way.
    fn both() -> [Self; 2] {
        let run = Self::new("run", Disk::new(false), 1, Told::default());
        let middle = run.cuts.iter().rposition(|cut| cut.told.page == 7).expect("a seventh page");
        let Cut { disk, told, .. } = &run.cuts[middle];
        let kept = vec![Fate::Kept; disk.parts().len()];
        let takeover = Self::new("takeover", disk.left(&kept), 2, *told);
        [run, takeover]
    }
}

/// A change kept or lost as a whole, as the bits say.
fn whole(parts: &[Part], kept: impl Fn(usize) -> bool) -> Vec<Fate> {
    parts.iter().map(|part| if kept(part.change - 1) { Fate::Kept } else { Fate::Lost }).collect()
}

/// Every combination of whole changes, or of few among many.
fn combinations(parts: &[Part]) -> Vec<Vec<Fate>> {
    let changes = parts.last().map_or(0, |part| part.change);
    let all = 1_u64 << changes.min(32);
    if changes <= ALL {
        return (0..all).map(|bits| whole(parts, |change| bits >> change & 1 == 1)).collect();
    }
    let few = (0..all).filter(|bits| bits.count_ones() <= FEW);
    few.flat_map(|bits| [true, false].map(|alone| whole(parts, |change| (bits >> change & 1 == 1) == alone))).collect()
}

/// Any sector of any change kept, lost or wrong.
fn by_chance(parts: &[Part], rng: &mut Rng) -> Vec<Fate> {
    let (kept, garbled) = ([100, 500, 900][rng.index(3)], [0, 100, 500][rng.index(3)]);
    let mut fate = |part: &Part| match rng.chance(kept) {
        true => Fate::Kept,
        false if part.is_sector && rng.chance(garbled) => Fate::Garbled(rng.next() >> 1),
        false => Fate::Lost,
    };
    parts.iter().map(&mut fate).collect()
}

/// What came of the images of some recordings.
#[derive(Default)]
struct Tally {
    images: usize,
    resumed: usize,
    /// The digests of all images, to count those that differ.
    different: HashSet<u64>,
    journals: Journals,
    wrong: Vec<String>,
}

/// Looks at one image, and goes on from it when it is its turn.
fn try_image(recording: &Recording, cut: &Cut, parts: &[Part], fates: &[Fate], tally: &mut Tally) {
    let image = cut.disk.left(fates);
    tally.images += 1;
    tally.different.insert(image.digest());
    let garbled = |(part, fate): (&Part, &Fate)| part.is_header && matches!(fate, Fate::Garbled(_));
    let torn = parts.iter().zip(fates).any(garbled);
    let mut wrong = recording.golden.look(&image, cut.told, torn, &mut tally.journals);
    if wrong.is_none() && tally.images.is_multiple_of(RESUMED) {
        tally.resumed += 1;
        let resumed = resume(image, cut.told, recording.next);
        wrong = resumed.map_or_else(Some, |disk| recording.golden.visible(&disk, true));
        wrong = wrong.map(|wrong| format!("the next holder: {wrong}"));
    }
    if let Some(wrong) = wrong {
        tally.wrong.push(format!("{}, cut before {}: {wrong}; {fates:?}", recording.name, cut.before));
    }
}

/// All combinations at one cut, and more by chance up to `wanted`.
fn try_cut(recording: &Recording, number: usize, wanted: usize, tally: &mut Tally) {
    let cut = &recording.cuts[number];
    let parts = cut.disk.parts();
    let mut tried: HashSet<Vec<Fate>> = HashSet::new();
    for fates in combinations(&parts) {
        try_image(recording, cut, &parts, &fates, tally);
        tried.insert(fates);
    }
    let mut rng = Rng::new(number as u64);
    // Where there are not so many, chance finds the same ones again and again.
    for _ in 0..wanted.saturating_sub(tried.len()) * 40 {
        if tried.len() >= wanted {
            break;
        }
        let fates = by_chance(&parts, &mut rng);
        if tried.insert(fates.clone()) {
            try_image(recording, cut, &parts, &fates, tally);
        }
    }
}

/// How many images of a cut are tried at least, and how many there are for chance to find: a sector has thousands.
fn room(cut: &Cut) -> (usize, usize) {
    let parts = cut.disk.parts();
    let least = combinations(&parts).len();
    let torn = parts.iter().any(|part| part.is_sector);
    (least, if torn { least.max(1000) } else { least })
}

fn try_all(recordings: &[Recording], wanted: usize) -> Tally {
    let cuts: Vec<(&Recording, usize)> =
        recordings.iter().flat_map(|one| (0..one.cuts.len()).map(move |number| (one, number))).collect();
    let room: Vec<(usize, usize)> = cuts.iter().map(|(one, number)| room(&one.cuts[*number])).collect();
    let filled = |each: usize| room.iter().map(|(least, most)| each.clamp(*least, *most)).sum::<usize>();
    let each = (1..=wanted).find(|each| filled(*each) >= wanted).unwrap_or(wanted);
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((one, number)) = cuts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut tally = Tally::default();
                    try_cut(one, *number, each, &mut tally);
                    let mut total = locked(&total);
                    total.images += tally.images;
                    total.resumed += tally.resumed;
                    total.different.extend(tally.different);
                    total.wrong.extend(tally.wrong);
                }
            });
        }
    });
    total.into_inner().unwrap_or_default()
}

#[test]
fn every_crash_image_is_a_committed_prefix() {
    let wanted = crate::number("FILEGEN_IMAGES").and_then(|number| usize::try_from(number).ok()).unwrap_or(IMAGES);
    let started = std::time::Instant::now();
    let recordings = Recording::both();
    for Recording { name, cuts, .. } in &recordings {
        let end = cuts.last().expect("a run has changes");
        assert!(end.told.published, "{name}: {}", end.before);
    }
    let cuts: usize = recordings.iter().map(|one| one.cuts.len()).sum();
    let tally = try_all(&recordings, wanted);
    println!(
        "{} images of {cuts} cuts in {:.1} s, {} of them different; the next holder went on from {}",
        tally.images,
        started.elapsed().as_secs_f64(),
        tally.different.len(),
        tally.resumed
    );
    for wrong in tally.wrong.iter().take(20) {
        println!("{wrong}");
    }
    assert!(tally.wrong.is_empty(), "{} of {} images are wrong", tally.wrong.len(), tally.images);
    assert!(tally.images >= wanted, "only {} images", tally.images);
}

/// Faults of who writes: the images that they leave are no committed prefixes.
#[cfg(feature = "failpoints")]
const WHEN_WRITING: [&str; 3] = ["header first", "manifest first", "no folder sync"];

/// Faults of who goes on: good images are taken for something else.
#[cfg(feature = "failpoints")]
const WHEN_GOING_ON: [&str; 2] = ["copied too far", "journal unchecked"];

/// Says which image shows a fault.
#[cfg(feature = "failpoints")]
fn find(fault: &str, recordings: &[Recording]) {
    let mut tally = Tally::default();
    let found = recordings.iter().find_map(|one| {
        (0..one.cuts.len()).find_map(|number| {
            try_cut(one, number, 50, &mut tally);
            tally.wrong.first().cloned()
        })
    });
    let found = found.unwrap_or_else(|| panic!("{fault}: all of {} images are good", tally.images));
    println!("{fault}: image {}: {}", tally.images, found.split(';').next().unwrap_or(&found));
}

#[cfg(feature = "failpoints")]
#[test]
fn a_planted_fault_leaves_a_bad_image() {
    use filegen::core::failpoints::planted::plant;
    for fault in WHEN_WRITING {
        plant(fault);
        let recordings = Recording::both();
        plant("");
        find(fault, &recordings);
    }
    let recordings = Recording::both();
    for fault in WHEN_GOING_ON {
        plant(fault);
        find(fault, &recordings);
        plant("");
    }
}
