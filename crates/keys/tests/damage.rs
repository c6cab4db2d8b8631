//! Damaged files: they stop their own account or key, and nobody else.

mod common;

use std::fs;

use common::{Watching, World, engine, journal, open_store};
use venuekit_keys::journal::{Entry, FolderJournal, Journal, JournalError, Retention, RunId, SCHEMA, Step};
use venuekit_keys::record::{Kind, Record, State, StoredKey};
use venuekit_keys::store::{FileStore, Store, StoreError, Unlock};
use venuekit_keys::{Class, Origin, Outcome, Plan, Reference, Task, Venue, Work};
use venuekit_wire::{Secret, UnixMillis, UnixSeconds};

fn plan(account: &str, reference: &str, label: &str) -> Step {
    let plan = Plan {
        work: Work::Create,
        account: account.to_owned(),
        reference: Some(reference.to_owned()),
        label: label.to_owned(),
        scopes: Vec::new(),
        origin: Origin::Best,
        old: None,
        by_command: false,
        sub_account: None,
        addresses: Vec::new(),
        family: None,
    };
    Step::Planned { schema: SCHEMA, plan, store: None }
}

fn at(millis: i64, step: Step) -> Entry {
    Entry { at: UnixMillis(millis), step }
}

#[tokio::test]
async fn a_damaged_journal_stops_its_own_account_and_no_other() {
    let whole = serde_json::to_string(&at(1, plan("kalshi/local", "kalshi/local/hurt", "hurt-0001"))).unwrap();
    let newer = whole.replace("\"schema\":1", "\"schema\":99").replace("\"work\":\"create\"", "\"work\":\"split\"");
    for (name, text) in [
        ("a damaged line", format!("{whole}\nMARKER\n").into_bytes()),
        ("a line that is no text", [whole.as_bytes(), b"\n\xff\xfe\n"].concat()),
        ("an unknown step", format!("{whole}\n{{\"at\":1,\"step\":\"teleported\"}}\n").into_bytes()),
        ("a newer form", format!("{newer}\n").into_bytes()),
    ] {
        let (kalshi, deribit) = (World::start(Venue::KALSHI).await, World::start(Venue::DERIBIT).await);
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        fs::create_dir_all(folder.path().join("journal")).unwrap();
        let path = journal(folder.path()).path(&RunId::new("hurt-0001"));
        fs::write(&path, &text).unwrap();

        let create = Task::Create(kalshi.create(Origin::Best));
        let error =
            engine.run(&kalshi.account(), create.clone(), &kalshi.manager(), &Watching::default()).await.unwrap_err();
        assert_eq!(error.class(), Class::Store, "{name}: {error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{name}: {error}");
        assert!(error.help().unwrap().contains("hurt-0001"), "{name}: {error}");
        assert!(!format!("{error} {error:?}").contains("MARKER"), "{name}");

        let other = Task::Create(deribit.create(Origin::Best));
        let done = engine.run(&deribit.account(), other, &deribit.manager(), &Watching::default()).await;
        assert!(matches!(done, Ok(Outcome::Done(_))), "{name}: {done:?}");
        assert!(engine.unfinished().unwrap().is_empty(), "{name}");
        let unreadable = engine.unreadable().unwrap();
        assert_eq!(unreadable.len(), 1, "{name}");
        assert_eq!(unreadable[0].account.as_deref(), Some("kalshi/local"), "{name}");
        // Reading goes on for all.
        engine.list(&kalshi.account(), &kalshi.manager(), &Watching::default()).await.expect(name);

        // As advised.
        fs::rename(&path, folder.path().join("hurt-0001.jsonl")).unwrap();
        let done = engine.run(&kalshi.account(), create, &kalshi.manager(), &Watching::default()).await;
        assert!(matches!(done, Ok(Outcome::Done(_))), "{name}: {done:?}");
    }
}

#[tokio::test]
async fn a_journal_that_says_nothing_stops_nobody() {
    let whole = serde_json::to_string(&at(1, plan("kalshi/local", "kalshi/local/hurt", "hurt-0001"))).unwrap();
    let ended = serde_json::to_string(&at(2, Step::Done)).unwrap();
    for (name, text, unreadable) in [
        ("nothing", Vec::new(), 0),
        ("half of its first line", whole.as_bytes()[..40].to_vec(), 0),
        ("zeros, as after a power cut", vec![0; 512], 0),
        ("a damaged line in a run that has ended", format!("{whole}\nMARKER\n{ended}\n").into_bytes(), 0),
        ("no plan, and no account", b"{\"at\":1,\"step\":\"verified\"}\n".to_vec(), 1),
        ("garbage alone", b"\xff\xfe\x00\n".to_vec(), 1),
    ] {
        let world = World::start(Venue::KALSHI).await;
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        fs::create_dir_all(folder.path().join("journal")).unwrap();
        fs::write(journal(folder.path()).path(&RunId::new("hurt-0001")), &text).unwrap();
        let create = Task::Create(world.create(Origin::Best));
        let done = engine.run(&world.account(), create, &world.manager(), &Watching::default()).await;
        assert!(matches!(done, Ok(Outcome::Done(_))), "{name}: {done:?}");
        assert_eq!(engine.unreadable().unwrap().len(), unreadable, "{name}");
    }
}

/// Where not even the account can be read, the key is protected whose record has the run's name.
#[tokio::test]
async fn a_journal_without_an_account_stops_the_key_that_it_was_about() {
    let world = World::start(Venue::KALSHI).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    engine
        .run(&world.account(), Task::Create(world.create(Origin::Best)), &world.manager(), &Watching::default())
        .await
        .unwrap();
    let store = open_store(folder.path());
    let mut record = store.get(&world.reference()).await.unwrap();
    record.keys.push(StoredKey { label: "bot-0002".into(), state: State::Prepared, ..record.keys[0].clone() });
    store.put(&record).await.unwrap();
    fs::write(journal(folder.path()).path(&RunId::new("bot-0002")), b"\xff\n").unwrap();
    let error = engine
        .run(&world.account(), Task::Rotate(world.rotate()), &world.manager(), &Watching::default())
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Store, "{error}");
}

#[test]
fn a_folder_among_the_journals_is_told_and_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    fs::create_dir_all(folder.path().join("journal/odd.jsonl")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", folder.path().join("journal/gone.jsonl")).unwrap();
    fs::write(folder.path().join("journal/notes.txt"), "not ours").unwrap();
    assert!(engine.unfinished().unwrap().is_empty());
    let unreadable = engine.unreadable().unwrap();
    assert!(unreadable.len() == 1 && unreadable[0].error.to_string().contains("odd.jsonl"), "{unreadable:?}");
}

#[test]
fn ended_journals_are_removed_by_age_and_by_count() {
    let folder = tempfile::tempdir().unwrap();
    let now = UnixMillis::now().get();
    let day = 24 * 3600 * 1000;
    let journal = FolderJournal::new(folder.path());
    let write = |name: &str, ended: Option<i64>| {
        let run = RunId::new(name);
        journal.begin(&run, &at(1, plan("kalshi/demo", "kalshi/demo/bot", name))).unwrap();
        if let Some(days) = ended {
            journal.append(&run, &at(now - days * day, Step::Done)).unwrap();
        }
    };
    write("unfinished-0001", None);
    write("old-0001", Some(91));
    write("new-0001", Some(89));
    fs::write(folder.path().join("hurt-0001.jsonl"), "MARKER\n").unwrap();
    write("next-0001", None);
    let names =
        |journal: &FolderJournal| -> Vec<String> { journal.runs().unwrap().iter().map(ToString::to_string).collect() };
    assert_eq!(names(&journal), ["hurt-0001", "new-0001", "next-0001", "unfinished-0001"]);

    let few = FolderJournal::new(folder.path()).retention(Retention { count: 2, ..Retention::default() });
    for number in 2..6 {
        write(&format!("new-000{number}"), Some(60 - number));
    }
    few.begin(&RunId::new("last-0001"), &at(1, plan("kalshi/demo", "kalshi/demo/bot", "last-0001"))).unwrap();
    assert_eq!(names(&few), ["hurt-0001", "last-0001", "new-0004", "new-0005", "next-0001", "unfinished-0001"]);
    assert!(matches!(few.read(&RunId::new("new-0001")), Err(JournalError::NoSuchRun(_))));
}

fn stored(name: &str) -> Record {
    let reference = Reference::new(Venue::KALSHI, "local", name).unwrap();
    let key = StoredKey {
        label: format!("{name}-0001"),
        id: Some(name.to_owned()),
        public_id: Some(name.to_owned()),
        kind: Kind::Shared,
        secret: Secret::new(format!("MARKER-{name}")),
        scopes: Vec::new(),
        made: UnixSeconds(1),
        state: State::Active,
        family: None,
    };
    Record { reference, keys: vec![key] }
}

/// Writes a store's file with the age tool's library, as a newer version or a person would.
fn rewrite(folder: &std::path::Path, change: impl Fn(String) -> String) {
    let identity = fs::read_to_string(folder.join("identity.txt")).unwrap();
    let line = identity.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    let identity: age::x25519::Identity = line.parse().unwrap();
    let text = age::decrypt(&identity, &fs::read(folder.join("keys.age")).unwrap()).unwrap();
    let text = change(String::from_utf8(text).unwrap());
    let bytes = age::encrypt(&identity.to_public(), text.as_bytes()).unwrap();
    fs::write(folder.join("keys.age"), bytes).unwrap();
}

#[tokio::test]
async fn a_damaged_record_stops_its_own_key_and_no_other() {
    for (what, from, to) in [
        ("an unknown state", "\"state\":\"active\"", "\"state\":\"MARKER-state\""),
        ("a secret of another type", "\"secret\":\"MARKER-hurt\"", "\"secret\":[\"MARKER-hurt\"]"),
        (
            "a newer form",
            "\"schema\":1,\"reference\":\"kalshi/local/hurt\"",
            "\"schema\":7,\"reference\":\"kalshi/local/hurt\"",
        ),
        ("a name that is none", "\"reference\":\"kalshi/local/hurt\"", "\"reference\":\"MARKER\""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = open_store(folder.path());
        for name in ["hurt", "well"] {
            store.put(&stored(name)).await.unwrap();
        }
        rewrite(folder.path(), |text| {
            assert!(text.contains(from), "{text}");
            text.replacen(from, to, 1)
        });
        let store = open_store(folder.path());
        let (hurt, well) = (stored("hurt").reference, stored("well").reference);
        assert_eq!(store.get(&well).await.unwrap(), stored("well"), "{what}");
        let mut changed = stored("well");
        changed.keys[0].label = "well-0002".into();
        store.put(&changed).await.unwrap();
        store.put(&stored("third")).await.unwrap();
        assert_eq!(store.get(&well).await.unwrap(), changed, "{what}");
        if to.contains("MARKER\"") && from.contains("reference") {
            assert_eq!(store.list().await.unwrap().len(), 2, "{what}");
        } else {
            let error = store.get(&hurt).await.unwrap_err();
            assert!(matches!(error, StoreError::Corrupted { .. } | StoreError::Newer { .. }), "{what}: {error:?}");
            assert!(error.to_string().contains("kalshi/local/hurt"), "{what}: {error}");
            assert!(!format!("{error} {error:?}").contains("MARKER"), "{what}: {error:?}");
            store.put(&stored("hurt")).await.expect_err("it is not written over");
            assert_eq!(store.list().await.unwrap().len(), 3, "{what}");
            let account = venuekit_keys::Account {
                venue: Venue::KALSHI,
                environment: "local".into(),
                base_url: String::new(),
                family: None,
            };
            let lines = engine(folder.path()).stored(&account).await.unwrap();
            let told = lines.iter().filter(|line| line.unreadable.is_some()).count();
            assert!(lines.len() == 3 && told == 1, "{what}: {lines:?}");
        }
        if from.contains("schema") {
            assert!(matches!(store.remove(&hurt).await, Err(StoreError::Newer { .. })), "{what}");
        }
        // What cannot be read is still there, word for word.
        rewrite(folder.path(), |text| {
            assert!(text.contains(to) || text.contains("MARKER"), "{what}");
            text.replacen(to, from, 1)
        });
        assert_eq!(open_store(folder.path()).get(&hurt).await.unwrap(), stored("hurt"), "{what}");
        if from.contains("state") {
            rewrite(folder.path(), |text| text.replacen(from, to, 1));
            open_store(folder.path()).remove(&hurt).await.expect("a damaged one may go");
            assert_eq!(open_store(folder.path()).list().await.unwrap().len(), 2);
        }
    }
}

#[tokio::test]
async fn stores_in_one_folder_leave_each_others_unfinished_writes_alone() {
    let folder = tempfile::tempdir().unwrap();
    let unlock = || Unlock::IdentityFile(folder.path().join("identity.txt"));
    let open = |name: &str| FileStore::open(folder.path().join(name), &unlock()).unwrap();
    open("one.age").put(&stored("one")).await.unwrap();
    open("two.age").put(&stored("two")).await.unwrap();
    // As a process leaves it that was killed, or is about to rename it.
    let of = |name: &str| folder.path().join(format!(".venuekit.{name}.4242.aBc123"));
    fs::write(of("one.age"), "half").unwrap();
    fs::write(of("two.age"), "half").unwrap();
    open("one.age");
    assert!(!of("one.age").exists() && of("two.age").exists());
    open("two.age");
    assert!(!of("two.age").exists());
}

/// Many stores in one folder, opened and written at once: no write is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stores_in_one_folder_can_be_written_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let identity = folder.path().join("identity.txt");
    FileStore::open(folder.path().join("first.age"), &Unlock::IdentityFile(identity.clone())).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..4 {
        let (path, identity) = (folder.path().join(format!("store{number}.age")), identity.clone());
        tasks.spawn(async move {
            for round in 0..25 {
                let store = FileStore::open(&path, &Unlock::IdentityFile(identity.clone())).unwrap();
                store.put(&stored(&format!("key{round}"))).await.unwrap();
            }
            FileStore::open(&path, &Unlock::IdentityFile(identity)).unwrap().list().await.unwrap().len()
        });
    }
    while let Some(found) = tasks.join_next().await {
        assert_eq!(found.unwrap(), 25);
    }
}
