//! Which world a seed makes.

use super::book::{SOURCE, STABLE_FOR};
use crate::rng::Rng;
use crate::weather::Faults;
use filegen::core::model::names::TransferId;
use filegen::core::model::policy::RetrySpec;
use filegen::core::model::s3::S3Spec;
use filegen::core::model::secret::Secret;
use filegen::core::model::sftp::{SftpLogin, SftpSpec, SftpVerify};
use filegen::core::model::transfer::Side;
use filegen::core::transfer::naming::NameTemplate;
use filegen::core::transfer::spec::{
    After, BrokerSpec, Collect, Deliver, OnExists, Organize, TargetSpec, Transfer, TransferPolicies,
};
use filegen::core::transfer::steps::{Companion, CompanionKind, Filter};
use std::collections::BTreeMap;
use std::time::Duration;

/// The transfer's name.
pub const NAME: &str = "sales";

/// Where files are delivered to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    Folder,
    Sftp,
    Bucket,
}

/// What a world is like. Chances are per mille, of each step.
#[derive(Clone, Debug)]
pub struct Mix {
    /// Which sides each instance serves.
    pub pods: Vec<Vec<Side>>,
    pub at: At,
    pub after: After,
    pub on_exists: OnExists,
    pub packs: bool,
    pub companions: bool,
    pub faults: Faults,
    /// Of each life: it dies within its next calls.
    pub dies: u64,
    pub kills: u64,
    pub cuts: u64,
    /// Clocks differ by so many seconds at most.
    pub skew: u64,
    pub broker_dies: u64,
    pub broker_power: u64,
    pub power: u64,
    /// Whoever reads at the target takes what has arrived.
    pub takes: u64,
    /// Somebody else puts files there.
    pub foreign: u64,
    pub redrives: u64,
    pub loses: Option<Side>,
    /// Of each request to write: a byte of it is another one when it arrives.
    pub spoils: u64,
}

impl Mix {
    /// That of a seed, and what chance is left.
    pub fn of(seed: u64) -> (Rng, Self) {
        let mut rng = Rng::new(seed ^ 0xc0de_f11e);
        let mix = Self::new(&mut rng);
        (rng, mix)
    }

    fn new(rng: &mut Rng) -> Self {
        let ways = [vec![Side::Collect], vec![Side::Deliver], Side::ALL.to_vec()];
        let mut pods = vec![ways[0].clone(), ways[1].clone()];
        for _ in 0..=rng.index(3) {
            pods.push(ways[rng.index(3)].clone());
        }
        let after = [After::Archive, After::Delete, After::Keep][rng.index(3)];
        let on_exists = [OnExists::Error, OnExists::Error, OnExists::Suffix, OnExists::Suffix, OnExists::Replace];
        let on_exists = on_exists[rng.index(on_exists.len())];
        let loses = [None, None, None, Some(Side::Collect), Some(Side::Deliver)][rng.index(5)];
        let at = [At::Folder, At::Folder, At::Sftp, At::Bucket][rng.index(4)];
        let packs = rng.chance(400);
        let companions = rng.chance(250);
        // Each kind of fault is there or not: a world with all of them hides what one alone would show.
        let mut some = |most: u64| if rng.chance(500) { rng.below(most) + 1 } else { 0 };
        let faults = Faults { lost: some(30), unanswered: some(30), late: some(30), stands: some(6) };
        let takes = if loses == Some(Side::Deliver) { 0 } else { some(300) };
        Self {
            pods,
            at,
            after,
            on_exists,
            packs,
            companions,
            faults,
            dies: some(1000),
            kills: some(60),
            cuts: some(60),
            skew: some(90),
            broker_dies: some(60),
            broker_power: some(40),
            power: some(60),
            takes,
            foreign: some(60),
            redrives: some(100),
            loses,
            spoils: some(20),
        }
    }

    fn to(&self) -> TargetSpec {
        match self.at {
            At::Folder => TargetSpec::Directory("out".into()),
            At::Sftp => TargetSpec::Sftp(Box::new(SftpSpec {
                url: Secret::new("sftp://a@b/out"),
                login: SftpLogin::default(),
                known_hosts: Vec::new(),
                fingerprints: Vec::new(),
                verify: SftpVerify::Content,
            })),
            At::Bucket => TargetSpec::S3(Box::new(S3Spec {
                url: Secret::new("s3://out"),
                endpoint: None,
                region: None,
                path_style: None,
                ca: None,
                profile: None,
                variables: BTreeMap::new(),
            })),
        }
    }

    /// The file that declares it. What a filter makes of a content hangs on its level, which somebody changes between two lives.
    pub fn transfer(&self, level: u32) -> Transfer {
        let template = |text: &str| NameTemplate::parse(text).expect("a template");
        let name = if self.packs { "{{ folder }}{{ name }}.gz" } else { "{{ folder }}{{ name }}" };
        let companions = [(CompanionKind::Done, "{{ name }}.done"), (CompanionKind::Sha256, "{{ name }}.sha256")];
        let companions = companions.map(|(kind, name)| Companion { kind, name: template(name) });
        Transfer {
            id: TransferId::new(NAME).expect("a name"),
            collect: Some(Collect {
                directory: "in".into(),
                pattern: "**/*.csv".to_owned(),
                poll: Duration::from_secs(5),
                stable_for: STABLE_FOR,
                done_file: None,
                after: self.after,
                receipt: true,
                archive: "archive".into(),
                error: "error".into(),
                source: SOURCE.to_owned(),
                max_size: 1 << 20,
            }),
            broker: BrokerSpec::Local("spool".into()),
            deliver: Some(Deliver {
                to: self.to(),
                organize_by: Organize::None,
                name: template(name),
                on_exists: self.on_exists,
                permissions: Some(0o640),
                max_size: 1 << 20,
                filters: if self.packs { vec![Filter::Gzip { level }] } else { Vec::new() },
                companions: if self.companions { companions.to_vec() } else { Vec::new() },
                work: "work".into(),
            }),
            state: Secret::new("sqlite:x.db"),
            policies: TransferPolicies {
                retry: RetrySpec {
                    max_retries: 4,
                    initial_backoff: Duration::from_secs(1),
                    backoff_multiplier: 2.0,
                    max_backoff: Duration::from_secs(8),
                },
                chunk: 16,
                fsync_every: 2,
                concurrency: 3,
            },
        }
    }
}
