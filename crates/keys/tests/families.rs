//! Keys of a venue with several families of them, whose list alone shows that a key has ended.

mod common;

use common::{Watching, engine};
use venuekit_auth::KeyKind;
use venuekit_keys::{
    Account, Class, Create, Credential, Engine, KeyEdit, Manager, Origin, Outcome, Reference, Report, Revoke, Rotate,
    Target, Task, Venue,
};
use venuekit_sandbox::{Accounts, Sandbox};
use venuekit_transport::keys::SecretKind;

struct Binance {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
    engine: Engine,
    manager: Manager,
}

impl Binance {
    async fn start() -> Self {
        let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
        let key = sandbox.accounts().binance[0].clone();
        let secret = key.api_secret.clone().expect("the first key has a secret").into();
        let given = Credential::Key { public_id: key.api_key.clone(), secret, kind: SecretKind::Shared };
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        Self { sandbox, folder, engine, manager: Manager::Given(given) }
    }

    fn account(&self, family: Option<&str>) -> Account {
        let (venue, base_url) = (Venue::BINANCE, self.sandbox.binance_url());
        let account = Account { venue, environment: "local".into(), base_url, family: None };
        account.of_family(family).unwrap()
    }

    async fn run(&self, family: Option<&str>, task: Task) -> Result<Report, venuekit_keys::Error> {
        let account = self.account(family);
        match self.engine.run(&account, task, &self.manager, &Watching::default()).await? {
            Outcome::Done(report) => Ok(report),
            Outcome::NeedsPerson(needs) => panic!("{needs:?}"),
        }
    }

    /// The addresses and scopes of the stored key, as the account lists it.
    async fn listed(&self, family: Option<&str>) -> Vec<venuekit_keys::Line> {
        let account = self.account(family);
        let mut lines = self.engine.list(&account, &self.manager, &Watching::default()).await.unwrap();
        lines.retain(|line| line.reference.is_some());
        lines
    }
}

fn reference() -> Reference {
    Reference::new(Venue::BINANCE, "local", "bot").unwrap()
}

fn create(origin: Origin, scopes: &[&str], addresses: &[&str]) -> Task {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Task::Create(Create {
        reference: reference(),
        scopes: texts(scopes),
        sub_account: None,
        addresses: texts(addresses),
        origin,
        by_command: false,
    })
}

fn rotate() -> Task {
    Task::Rotate(Rotate {
        reference: reference(),
        scopes: None,
        origin: Origin::Best,
        in_place: false,
        by_command: false,
    })
}

fn revoke() -> Task {
    Task::Revoke(Revoke { target: Target::Stored(reference()), last: false })
}

#[tokio::test]
async fn a_key_of_each_family_lives_and_ends() {
    for (family, origin, scope) in [
        (None, Origin::Best, "canTrade"),
        (None, Origin::Venue, "canTrade"),
        (Some("margin"), Origin::Best, "TRADE"),
        (Some("margin"), Origin::Here(KeyKind::Rsa2048), "TRADE"),
        (Some("margin"), Origin::Venue, "TRADE"),
    ] {
        let world = Binance::start().await;
        let made = world.run(family, create(origin, &[scope], &["127.0.0.1"])).await.unwrap();
        let lines = world.listed(family).await;
        assert_eq!((lines.len(), lines[0].live, &lines[0].id), (1, Some(true), &made.id), "{family:?}");
        assert_eq!((lines[0].scopes.as_slice(), lines[0].family.as_deref()), (&[scope.to_owned()][..], family));
        let rotated = world.run(family, rotate()).await.unwrap();
        assert_eq!(rotated.revoked, made.id, "{family:?}");
        let lines = world.listed(family).await;
        assert_eq!((lines.len(), lines[0].live, &lines[0].id), (1, Some(true), &rotated.id), "{family:?}");
        let text = std::fs::read_dir(world.folder.path().join("journal")).unwrap().map(|file| {
            let path = file.unwrap().path();
            if path.is_file() { std::fs::read_to_string(path).unwrap() } else { String::new() }
        });
        let plans: String = text.collect();
        assert_eq!(
            plans.matches(r#""addresses":["127.0.0.1"]"#).count(),
            2,
            "the new key is bound as the old one: {plans}"
        );
        let ended = world.run(family, revoke()).await.unwrap();
        assert_eq!(ended.revoked, rotated.id, "{family:?}");
        assert!(world.listed(family).await.is_empty());
    }
}

#[tokio::test]
async fn a_key_is_changed_and_the_store_knows_its_scopes() {
    for (family, scope, other) in [(None, "canTrade", Some("canFuturesTrade")), (Some("margin"), "TRADE", None)] {
        let world = Binance::start().await;
        let made = world.run(family, create(Origin::Best, &[scope], &["127.0.0.1"])).await.unwrap();
        let id = made.id.expect("the venue names it");
        let account = world.account(family);
        let edit = async |target: Target, edit: KeyEdit| {
            world.engine.edit(&account, &target, &edit, &world.manager, &Watching::default()).await
        };
        let mut change = KeyEdit::new().addresses(["127.0.0.2"]);
        if let Some(other) = other {
            change = change.scopes([other]);
        }
        let changed = edit(Target::Stored(reference()), change).await.unwrap();
        assert_eq!((changed.id.as_str(), changed.addresses.concat()), (id.as_str(), "127.0.0.2".to_owned()));
        let expected = other.unwrap_or(scope);
        assert_eq!(changed.scopes, [expected], "{family:?}");
        let lines = world.engine.stored(&account).await.unwrap();
        assert_eq!(lines[0].scopes, [expected], "a rotation gives the new key what the old one has: {family:?}");

        // By its id, for a key that is not in the store.
        let changed = edit(Target::Listed(id), KeyEdit::new().addresses(["127.0.0.3"])).await.unwrap();
        assert_eq!((changed.reference, changed.addresses.concat()), (None, "127.0.0.3".to_owned()));
        let error = edit(Target::Stored(reference()), KeyEdit::new().name("other")).await.unwrap_err();
        assert!(error.class() == Class::Usage && error.to_string().contains("cannot be renamed"), "{error}");
        let error = edit(Target::Listed("nobody's".into()), KeyEdit::new().addresses(["::1"])).await.unwrap_err();
        assert!(error.to_string().contains("has no key"), "{error}");
    }
}

#[tokio::test]
async fn what_no_call_does_is_said_before_anything_is_sent() {
    let world = Binance::start().await;
    let usage = async |task: Task| {
        let error = world.run(None, task).await.unwrap_err();
        assert_eq!(error.class(), Class::Usage, "{error}");
        error.to_string()
    };
    let said = usage(create(Origin::Here(KeyKind::Rsa2048), &[], &[])).await;
    assert!(said.contains("no Rsa2048 pair"), "{said}");
    let own = world.sandbox.accounts().binance[0].api_key.clone();
    let said = usage(Task::Revoke(Revoke { target: Target::Listed(own), last: true })).await;
    assert!(said.contains("does not belong to a sub-account"), "{said}");

    let account = Account::known(Venue::BINANCE, "test").unwrap();
    let reference = Reference::new(Venue::BINANCE, "test", "bot").unwrap();
    let Task::Create(create) = create(Origin::Best, &[], &[]) else { unreachable!() };
    let task = Task::Create(Create { reference, ..create });
    let error = world.engine.run(&account, task, &world.manager, &Watching::default()).await.unwrap_err();
    assert!(error.class() == Class::Usage && error.to_string().contains("in production only"), "{error}");
    assert!(account.of_family(Some("spot")).unwrap_err().to_string().contains("it has sub-account, margin"));
}

#[tokio::test]
async fn keys_of_one_family_say_nothing_of_another() {
    let world = Binance::start().await;
    world.run(Some("margin"), create(Origin::Best, &[], &[])).await.unwrap();
    assert!(world.listed(None).await.is_empty(), "it is not missing among the keys of sub-accounts");
    assert_eq!(world.listed(Some("margin")).await.len(), 1);
}
