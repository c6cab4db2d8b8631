//! Keys that somebody else keeps: in a PEM file, in environment variables.

use std::fs;

use venuekit_auth::{KeyKind, PrivateKey};
use venuekit_keys::Reference;
use venuekit_keys::record::{Kind, Record};
use venuekit_keys::store::{EnvironmentStore, PemStore, Store, StoreError};

fn reference() -> Reference {
    "kalshi/demo/bot".parse().unwrap()
}

async fn cannot_be_written(store: &dyn Store) {
    let put = store.put(&Record::new(reference())).await.unwrap_err();
    let remove = store.remove(&reference()).await.unwrap_err();
    assert!(matches!((put, remove), (StoreError::ReadOnly(_), StoreError::ReadOnly(_))));
    let other = "kalshi/demo/other".parse().unwrap();
    assert!(matches!(store.get(&other).await, Err(StoreError::NotFound(_))));
}

#[cfg(unix)]
#[tokio::test]
async fn a_pem_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bot.pem");
    let store = PemStore::new(reference(), "key-id", &path);
    assert!(store.list().await.unwrap().is_empty());
    let pair = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    fs::write(&path, pair.private_key_pem().expose()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(store.get(&reference()).await, Err(StoreError::Loose { mode: 0o644, .. })));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let record = store.get(&reference()).await.unwrap();
    let key = record.active().unwrap();
    assert_eq!((key.kind, key.public_id.as_deref()), (Kind::PrivateKeyPem, Some("key-id")));
    assert_eq!(key.secret.expose(), pair.private_key_pem().expose());
    assert_eq!(store.list().await.unwrap(), [reference()]);
    cannot_be_written(&store).await;
    fs::write(&path, "MARKER is no PEM").unwrap();
    let error = store.get(&reference()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupted { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("MARKER"));
}

#[tokio::test]
async fn environment_variables() {
    // Variables that every test process has: setting one is not safe while others run.
    let store = EnvironmentStore::new(reference(), "CARGO_PKG_NAME", "CARGO_PKG_VERSION", Kind::Shared);
    let record = store.get(&reference()).await.unwrap();
    let key = record.active().unwrap();
    assert_eq!(key.public_id.as_deref(), Some("venuekit-keys"));
    assert_eq!(key.secret.expose(), env!("CARGO_PKG_VERSION"));
    cannot_be_written(&store).await;
    let missing = EnvironmentStore::new(reference(), "CARGO_PKG_NAME", "VENUEKIT_NO_SUCH_VARIABLE", Kind::Shared);
    assert!(missing.list().await.unwrap().is_empty());
}
