//! The store over a keyring in memory: the system's needs a desktop.

#![cfg(feature = "keyring")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use venuekit_keys::record::{Kind, Record, State, StoredKey};
use venuekit_keys::store::{KeyringStore, Ring, RingError, Store as _, StoreError};
use venuekit_wire::{Secret, UnixSeconds};

#[derive(Clone, Default)]
struct Memory {
    texts: Arc<Mutex<BTreeMap<String, String>>>,
    /// The largest text it takes.
    room: Option<usize>,
    locked: bool,
}

impl Ring for Memory {
    fn get(&self, name: &str) -> Result<Option<Secret>, RingError> {
        if self.locked {
            return Err(RingError::Refused("it is locked".into()));
        }
        Ok(self.texts.lock().unwrap().get(name).map(Secret::new))
    }

    fn set(&self, name: &str, text: &Secret) -> Result<(), RingError> {
        if self.room.is_some_and(|room| text.expose().len() > room) {
            return Err(RingError::TooLarge);
        }
        self.texts.lock().unwrap().insert(name.to_owned(), text.expose().to_owned());
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), RingError> {
        self.texts.lock().unwrap().remove(name);
        Ok(())
    }
}

fn record(name: &str) -> Record {
    let key = StoredKey {
        label: format!("{name}-7f3a"),
        id: None,
        public_id: Some("public".into()),
        kind: Kind::Shared,
        secret: Secret::new("MARKER"),
        scopes: Vec::new(),
        made: UnixSeconds(1),
        state: State::Active,
        family: None,
    };
    Record { reference: format!("deribit/test/{name}").parse().unwrap(), keys: vec![key] }
}

#[tokio::test]
async fn records_are_kept_listed_replaced_and_removed() {
    let ring = Memory::default();
    let store = KeyringStore::over(ring.clone());
    assert!(store.list().await.unwrap().is_empty());
    store.put(&record("bot")).await.unwrap();
    store.put(&record("anna")).await.unwrap();
    store.put(&record("bot")).await.unwrap();
    let again = KeyringStore::over(ring.clone());
    assert_eq!(again.get(&record("bot").reference).await.unwrap(), record("bot"));
    assert_eq!(again.list().await.unwrap(), [record("anna").reference, record("bot").reference]);
    again.remove(&record("bot").reference).await.unwrap();
    assert!(matches!(store.remove(&record("bot").reference).await, Err(StoreError::NotFound(_))));
    // What somebody else removed by hand is not listed.
    ring.texts.lock().unwrap().remove("deribit/test/anna");
    assert!(store.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_damaged_newer_too_large_or_locked_is_told_and_left_alone() {
    let ring = Memory::default();
    let store = KeyringStore::over(ring.clone());
    store.put(&record("bot")).await.unwrap();
    let whole = ring.texts.lock().unwrap()["deribit/test/bot"].clone();
    let name = "deribit/test/bot".to_owned();
    for (text, newer) in [(whole[..whole.len() - 9].to_owned(), false), (whole.replace(":1,", ":9,"), true)] {
        ring.texts.lock().unwrap().insert(name.clone(), text.clone());
        let error = store.put(&record("bot")).await.unwrap_err();
        assert_eq!(matches!(error, StoreError::Newer { found: 9, .. }), newer, "{error:?}");
        assert_eq!(matches!(error, StoreError::Corrupted { .. }), !newer, "{error:?}");
        assert!(!format!("{error} {error:?}").contains("MARKER"));
        assert_eq!(ring.texts.lock().unwrap()[&name], text);
    }
    let small = KeyringStore::over(Memory { room: Some(100), ..Memory::default() });
    assert!(matches!(small.put(&record("bot")).await, Err(StoreError::TooLarge(_))));
    assert!(small.list().await.unwrap().is_empty());
    let locked = KeyringStore::over(Memory { locked: true, ..Memory::default() });
    assert!(matches!(locked.list().await, Err(StoreError::Refused(_))));
}

/// `dbus-run-session -- sh -c 'echo word | gnome-keyring-daemon --unlock --components=secrets; cargo test ... -- --ignored'`
#[tokio::test]
#[ignore = "needs the keyring of a desktop"]
async fn the_systems_own_keyring() {
    let store = KeyringStore::open("venuekit-test").unwrap();
    store.put(&record("bot")).await.unwrap();
    let again = KeyringStore::open("venuekit-test").unwrap();
    assert_eq!(again.get(&record("bot").reference).await.unwrap(), record("bot"));
    assert_eq!(again.list().await.unwrap(), [record("bot").reference]);
    again.remove(&record("bot").reference).await.unwrap();
    assert!(store.list().await.unwrap().is_empty());
}
