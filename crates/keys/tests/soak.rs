//! The key engine under kills and impostors at once: runs are killed at every write while one response in twenty is not the venue's,
//! and the next process meets the same. In the end the account has one new working key with its secret in the store, and no other.
//!
//! `cargo test -p venuekit-keys --test soak -- --ignored --nocapture` prints the figures.
#![allow(clippy::print_stdout, reason = "the figures are what it is run for")]
#![cfg(unix)]

#[path = "common/child.rs"]
mod child;
mod common;
#[path = "../../../tests/common/proxy.rs"]
mod proxy;

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::{Arc, Mutex};

use child::{Death, Orders, When, Work};
use common::{World, engine, open_store};
use proxy::{Fault, Proxy};
use venuekit_keys::record::State;
use venuekit_keys::store::Store as _;
use venuekit_keys::{Manager, Origin, Task, Venue};

/// No run makes as many writes.
const MANY: usize = 60;
/// Nobody has to go on as often.
const PATIENCE: usize = 40;

/// The other half; see `child.rs`.
#[tokio::test]
async fn child() {
    child::obey().await;
}

/// What comes back in place of the venue's response. The last three reach the venue.
const FAULTS: [Fault; 17] = [
    Fault::Answer(401, "{}"),
    Fault::Answer(401, r#"{"message":"Unauthorized"}"#),
    Fault::Answer(401, r#"{"error":{"code":"authentication_error","message":"x","details":"NOT_FOUND"}}"#),
    Fault::Answer(401, r#"{"error":"unauthorized","message":"invalid API key"}"#),
    Fault::Answer(401, r#"{"success":false,"error":"Invalid, expired, or revoked API key"}"#),
    Fault::Answer(401, r#"{"jsonrpc":"2.0","error":{"code":13009,"message":"unauthorized"}}"#),
    Fault::Page(403),
    Fault::Page(200),
    Fault::Answer(200, "{}"),
    Fault::Answer(200, "null"),
    Fault::Answer(200, "[]"),
    Fault::Answer(200, r#"{"jsonrpc":"2.0","result":null}"#),
    Fault::Answer(200, r#"{"success":false}"#),
    Fault::Status(307),
    Fault::PageAfter(200),
    Fault::StatusAfter(502),
    Fault::ResetAfter,
];

/// One response in so many.
const EVERY: u64 = 20;

#[derive(Default)]
struct Figures {
    kills: usize,
    processes: usize,
    responses: usize,
    faults: BTreeMap<String, usize>,
    ends: BTreeMap<&'static str, usize>,
    most: usize,
}

type Shared = Arc<Mutex<Figures>>;

/// Numbers that look like chance, the same ones in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

async fn faulty(base_url: &str, seed: u64, figures: &Shared) -> (Proxy, String) {
    let origin = base_url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let (mut dice, figures) = (Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1), figures.clone());
    let choose = Box::new(move || {
        let mut figures = figures.lock().unwrap();
        figures.responses += 1;
        let fault = (dice.next() % EVERY == 0).then(|| FAULTS[usize::try_from(dice.next() % 17).unwrap()]);
        if let Some(fault) = fault {
            *figures.faults.entry(format!("{fault:?}")).or_default() += 1;
        }
        fault
    });
    let proxy = Proxy::choosing(&origin, choose).await;
    let url = base_url.replace(&origin, &proxy.base_url);
    (proxy, url)
}

async fn run(orders: &Orders) -> std::process::ExitStatus {
    let orders = orders.clone();
    tokio::task::spawn_blocking(move || orders.run()).await.unwrap()
}

/// One account whose work is killed once; whether the run got through without.
async fn one(venue: Venue, work: Work, death: Death, seed: u64, figures: &Shared) -> bool {
    let what = format!("{venue} {work:?} {death:?} seed {seed}");
    let world = World::start(venue).await;
    let folder = tempfile::tempdir().unwrap();
    let here = engine(folder.path());
    let first = match work {
        Work::Rotate | Work::RotateInPlace => Some(Origin::Venue),
        Work::RotateHere => Some(Origin::Best),
        Work::CreateHere | Work::CreateThere => None,
    };
    if let Some(origin) = first {
        let create = Task::Create(world.create(origin));
        here.run(&world.account(), create, &world.manager(), &common::Watching::default()).await.unwrap();
    }
    let before = world.live(&here, &world.manager()).await;
    let others: Vec<String> =
        before.into_iter().filter(|line| line.reference.is_none()).filter_map(|line| line.id).collect();
    let (_proxy, url) = faulty(&world.base_url(), seed, figures).await;
    let itself = matches!(work, Work::Rotate | Work::RotateHere) && venue != Venue::BAYSE;
    let mut orders = Orders {
        venue: venue.to_string(),
        base_url: url,
        folder: folder.path().to_owned(),
        given: (!itself).then(|| world.given.clone()),
        work,
        death: Some(death),
    };
    let status = run(&orders).await;
    let killed = status.signal() == Some(9);
    let through = status.success();
    orders.death = None;
    let mut said = if killed { String::new() } else { orders.venue_message() };
    let mut times = 1;
    while said != "done" {
        assert!(times < PATIENCE, "{what}: {said}");
        let _ = std::fs::remove_file(folder.path().join("said.txt"));
        run(&orders).await;
        times += 1;
        said = orders.venue_message();
        let mut figures = figures.lock().unwrap();
        let end = ["done", "person", "error"].into_iter().find(|end| said.starts_with(end)).unwrap_or("nothing");
        *figures.ends.entry(end).or_default() += 1;
    }
    {
        let mut figures = figures.lock().unwrap();
        figures.kills += usize::from(killed);
        figures.processes += times;
        figures.most = figures.most.max(times);
    }
    // At the venue itself: one new key that works, and nothing else of ours.
    let record = open_store(folder.path()).get(&world.reference()).await.unwrap();
    assert!(record.keys.len() == 1 && record.keys[0].state == State::Active, "{what}: {record:?}");
    here.verify(&world.account(), &world.reference()).await.unwrap();
    let manager = if venue == Venue::BAYSE { world.manager() } else { Manager::Stored(world.reference()) };
    let mut live: Vec<String> = world.live(&here, &manager).await.into_iter().filter_map(|line| line.id).collect();
    live.retain(|id| Some(id) != record.keys[0].id.as_ref());
    assert_eq!(live, others, "{what}");
    assert!(here.unfinished().unwrap().is_empty() && here.unreadable().unwrap().is_empty(), "{what}");
    through
}

#[tokio::test]
#[ignore = "minutes"]
async fn killed_at_every_write_among_impostors() {
    let works = [
        (Venue::BAYSE, Work::CreateThere),
        (Venue::BAYSE, Work::Rotate),
        (Venue::BAYSE, Work::RotateInPlace),
        (Venue::DERIBIT, Work::CreateHere),
        (Venue::DERIBIT, Work::CreateThere),
        (Venue::DERIBIT, Work::Rotate),
        (Venue::DERIBIT, Work::RotateHere),
        (Venue::DERIBIT, Work::RotateInPlace),
        (Venue::KALSHI, Work::CreateHere),
        (Venue::KALSHI, Work::CreateThere),
        (Venue::KALSHI, Work::Rotate),
        (Venue::YATIVO, Work::CreateThere),
        (Venue::YATIVO, Work::Rotate),
        (Venue::YATIVO, Work::RotateInPlace),
    ];
    let figures = Shared::default();
    let mut seed = 0;
    for (venue, work) in works {
        for when in [When::Before, When::Torn, When::After] {
            // A run that got through twice has no more writes to be killed at.
            let mut through = 0;
            for write in 0..MANY {
                seed += 1;
                through += usize::from(one(venue, work, Death { write, when }, seed, &figures).await);
                if through == 2 {
                    break;
                }
            }
        }
        let figures = figures.lock().unwrap();
        println!("{venue} {work:?}: {} kills, {} processes so far", figures.kills, figures.processes);
    }
    let figures = figures.lock().unwrap();
    let faults: usize = figures.faults.values().sum();
    println!(
        "{} kills, {} processes (at most {} for one key), {} responses, {faults} of them impostors ({:.1} %); ends of resumed runs: {:?}",
        figures.kills,
        figures.processes,
        figures.most,
        figures.responses,
        100.0 * faults as f64 / figures.responses as f64,
        figures.ends
    );
    println!("{:#?}", figures.faults);
    assert!(figures.kills > 250 && faults > 250);
}
