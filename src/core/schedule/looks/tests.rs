//! Looks at folders in memory, of which some do not answer.

use super::*;
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::folders::MemoryFolders;
use jiff::Timestamp;
use std::path::Path;

struct Rig {
    folders: MemoryFolders,
    clock: MemoryClock,
    looks: Arc<Looks>,
}

impl Rig {
    /// Folders `/data/0` and so on, each with a file.
    fn new(count: usize) -> Self {
        let (folders, clock) = (MemoryFolders::default(), MemoryClock::starting_at(Timestamp::UNIX_EPOCH));
        for number in 0..count {
            folders.write(format!("/data/{number}/a.csv"), b"1", Timestamp::UNIX_EPOCH);
            folders.write(format!("/local/{number}/a.csv"), b"1", Timestamp::UNIX_EPOCH);
        }
        let looks = Arc::new(Looks::new(Arc::new(folders.clone()), Arc::new(clock.clone())));
        Self { folders, clock, looks }
    }

    async fn seconds(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }

    /// Begins a look, and waits for it no longer than this.
    fn begin(&self, number: usize, within: u64) {
        let (looks, clock) = (Arc::clone(&self.looks), self.clock.clone());
        tokio::spawn(async move {
            let place = place("/data", number);
            tokio::select! {
                _ = looks.list(&place, false) => {}
                () = clock.sleep(Duration::from_secs(within)) => {}
            }
        });
    }

    async fn list(&self, root: &str, number: usize) -> Result<usize, FolderError> {
        self.looks.list(&place(root, number), false).await.map(|listing| listing.files.len())
    }
}

fn place(root: &str, number: usize) -> Place {
    Place { root: root.into(), below: number.to_string() }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_hangs_gives_its_place_away_is_told_and_is_not_joined_by_another() {
    let rig = Rig::new(2);
    let told: Arc<Mutex<Vec<LookEvent>>> = Arc::default();
    let (looks, heard) = (Arc::clone(&rig.looks), Arc::clone(&told));
    tokio::spawn(async move {
        let observer = move |event: &LookEvent| heard.lock().unwrap().push(event.clone());
        looks.watch(&observer, &CancellationToken::new()).await;
    });
    rig.folders.hang("/data/0");
    rig.begin(0, 3600);
    rig.seconds(2).await;
    assert_eq!((rig.looks.stalled(), rig.looks.hanging().len()), (0, 0), "it may only be slow");
    rig.seconds(2).await;
    assert_eq!((rig.looks.stalled(), rig.looks.hanging().len()), (1, 0));
    rig.seconds(8).await;
    assert_eq!(rig.looks.hanging()[0].words(), "the look at /data/0 has not answered for 12 s");
    assert_eq!(told.lock().unwrap().len(), 2, "once: {told:?}");
    assert!(matches!(rig.list("/data", 0).await, Err(FolderError::Hangs { seconds: 12, .. })));
    assert_eq!(rig.list("/data", 1).await, Ok(1));
    rig.folders.answer(Path::new("/data/0"));
    rig.seconds(2).await;
    assert_eq!((rig.looks.stalled(), rig.looks.hanging().len()), (0, 0));
    assert_eq!(told.lock().unwrap()[2..], [LookEvent::Answered { path: "/data/0".to_owned() }, LookEvent::Counted(0)]);
    assert_eq!(rig.list("/data", 0).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_look_that_nobody_waits_for_any_more_is_not_begun_again_before_it_ends() {
    let rig = Rig::new(1);
    rig.folders.hang("/data/0");
    rig.begin(0, 1);
    rig.seconds(2).await;
    for _ in 0..100 {
        assert!(matches!(rig.list("/data", 0).await, Err(FolderError::Hangs { .. })));
    }
    assert_eq!((rig.looks.stalled(), rig.looks.all().len()), (0, 1), "its execution has ended, and its thread has not");
    rig.folders.answer(Path::new("/data/0"));
    rig.seconds(1).await;
    assert_eq!(rig.list("/data", 0).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_hangs_takes_no_more_than_its_share_of_threads_and_no_other_disks() {
    let rig = Rig::new(100);
    for number in 0..100 {
        rig.folders.hang(format!("/data/{number}"));
    }
    for number in 0..100 {
        rig.begin(number, 3600);
        rig.seconds(1).await;
    }
    let under_way = rig.looks.all().len();
    assert!((OF_DISK_MAX..OF_DISK_MAX + 4).contains(&under_way), "{under_way}");
    let refused = rig.list("/data", 99).await.unwrap_err();
    assert!(matches!(refused, FolderError::DiskHangs { .. }), "{refused}");
    assert_eq!(rig.list("/local", 99).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_whether_a_folder_can_be_looked_at_has_an_answer_soon() {
    let rig = Rig::new(1);
    rig.folders.hang("/data/0");
    let before = rig.clock.elapsed();
    let answer = rig.looks.check(&place("/data", 0)).await;
    assert!(matches!(answer, Err(FolderError::Hangs { .. })), "{answer:?}");
    assert_eq!(rig.clock.elapsed().saturating_sub(before), CHECK_WITHIN);
    assert!(matches!(rig.looks.check(&place("/data", 0)).await, Err(FolderError::Hangs { .. })));
    assert_eq!(rig.clock.elapsed().saturating_sub(before), CHECK_WITHIN, "at once");
}
