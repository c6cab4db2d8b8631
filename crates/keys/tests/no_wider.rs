//! A new key may do no more than the one whose place it takes, and no more than it was asked for.

mod common;

use common::{Watching, World, engine};
use serde_json::json;
use venuekit_auth::{KeyKind, PrivateKey};
use venuekit_keys::{
    Account, Class, Create, Credential, Engine, Error, Line, Manager, Origin, Outcome, Reference, Report, Revoke,
    Rotate, Target, Task, Venue,
};
use venuekit_sandbox::{Accounts, BybitKey, Fault, KalshiKey, Rule, Sandbox};
use venuekit_transport::keys::SecretKind;
use venuekit_wire::Secret;

/// An engine that works on an account.
struct Desk {
    engine: Engine,
    account: Account,
    manager: Manager,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn new(account: Account, credential: Credential) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { engine: engine(folder.path()), account, manager: Manager::Given(credential), _folder: folder }
    }

    fn reference(&self) -> Reference {
        Reference::of(&self.account, "bot").unwrap()
    }

    async fn run(&self, task: Task) -> Result<Report, Error> {
        match self.engine.run(&self.account, task, &self.manager, &Watching::default()).await? {
            Outcome::Done(report) => Ok(report),
            Outcome::NeedsPerson(needs) => panic!("{needs:?}"),
        }
    }

    async fn create(&self, scopes: &[&str], addresses: &[&str]) -> Result<Report, Error> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        self.run(Task::Create(Create {
            reference: self.reference(),
            scopes: texts(scopes),
            sub_account: None,
            addresses: texts(addresses),
            origin: Origin::Best,
            by_command: false,
        }))
        .await
    }

    fn rotation(&self, scopes: Option<&[&str]>) -> Task {
        let scopes = scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect());
        Task::Rotate(Rotate {
            reference: self.reference(),
            scopes,
            origin: Origin::Best,
            in_place: false,
            by_command: false,
        })
    }

    async fn rotate(&self, scopes: Option<&[&str]>) -> Result<Report, Error> {
        self.run(self.rotation(scopes)).await
    }

    /// A live key of the venue's list.
    async fn line(&self, id: Option<&String>) -> Line {
        let lines = self.engine.list(&self.account, &self.manager, &Watching::default()).await.unwrap();
        let found = lines.into_iter().find(|line| line.live == Some(true) && line.id.as_ref() == id);
        found.unwrap_or_else(|| panic!("{id:?} is not listed"))
    }
}

fn usage<T: std::fmt::Debug>(result: Result<T, Error>, expected: &str) -> Error {
    let error = result.unwrap_err();
    assert!(error.class() == Class::Usage && error.to_string().contains(expected), "{error}");
    error
}

fn account(venue: Venue, base_url: String) -> Account {
    Account { venue, environment: "local".into(), base_url, family: None }
}

async fn bybit() -> (Sandbox, venuekit_bybit::Client, Desk) {
    let owner =
        BybitKey { api_key: "owner-key".into(), api_secret: Some("owner-secret".into()), ..BybitKey::default() };
    let sandbox = Sandbox::start(Accounts { bybit: vec![owner], ..Accounts::default() }).await.unwrap();
    let credentials = venuekit_bybit::Credentials::api_key("owner-key", "owner-secret").unwrap();
    let environment = venuekit_bybit::Environment::Custom(sandbox.bybit_url());
    let client = venuekit_bybit::Client::builder(environment).credentials(credentials).build().unwrap();
    client.create_sub_member().username("trader01").member_type(1).send().await.unwrap();
    let secret = Secret::new("owner-secret");
    let owner = Credential::Key { public_id: "owner-key".into(), secret, kind: SecretKind::Shared };
    let desk = Desk::new(account(Venue::BYBIT, sandbox.bybit_url()), owner);
    (sandbox, client, desk)
}

#[tokio::test]
async fn a_key_of_bybit_that_only_reads_still_does() {
    let (_sandbox, client, desk) = bybit().await;
    let made = desk.create(&["Spot:SpotTrade"], &["127.0.0.1"]).await.unwrap();
    assert_eq!(desk.line(made.id.as_ref()).await.restrictions, ["address 127.0.0.1"]);
    let update = client.update_sub_api_key().apikey(made.id.as_ref().unwrap()).read_only(1).ips("127.0.0.1");
    update.send().await.unwrap();
    let old = desk.line(made.id.as_ref()).await;

    let said = desk.engine.preview(&desk.account, &desk.rotation(None), &desk.manager, &Watching::default()).await;
    let steps = said.unwrap().steps.join("\n");
    let rotated = desk.rotate(None).await.unwrap();
    assert_ne!(rotated.id, made.id);
    let sub_account = client.query_sub_members().send().await.unwrap().result.sub_members[0].uid.clone();
    let entries = client.list_sub_api_keys().sub_member_id(sub_account).send().await.unwrap();
    let entry = entries.result.result.iter().find(|entry| Some(&entry.api_key) == rotated.id.as_ref()).unwrap();
    assert_eq!(entry.read_only, Some(true), "the new key only reads");
    assert_eq!(old.restrictions, ["address 127.0.0.1", "reads only"]);
    assert!(steps.contains("restricted as the key"), "{steps}");
    let line = desk.line(rotated.id.as_ref()).await;
    assert_eq!(
        (line.restrictions.as_slice(), line.scopes.concat()),
        (&["address 127.0.0.1".to_owned(), "reads only".to_owned()][..], "Spot:SpotTrade".to_owned())
    );
}

#[tokio::test]
async fn the_key_of_a_main_account_is_neither_replaced_nor_revoked() {
    let (_sandbox, _client, desk) = bybit().await;
    let Manager::Given(owner) = &desk.manager else { unreachable!() };
    desk.engine.adopt(&desk.account, &desk.reference(), owner, &Watching::default()).await.unwrap();
    usage(desk.rotate(None).await, "does not belong to a sub-account");
    let revoke = Task::Revoke(Revoke { target: Target::Stored(desk.reference()), last: true });
    usage(desk.run(revoke).await, "does not belong to a sub-account");
    desk.line(Some(&"owner-key".to_owned())).await;
}

#[tokio::test]
async fn a_key_of_kalshi_without_scopes_in_the_list_needs_some() {
    let pems = [(); 2].map(|()| PrivateKey::generate(KeyKind::Ed25519).unwrap().private_key_pem().expose().to_owned());
    let key = |number: usize| KalshiKey {
        key_id: format!("0b5d9f5c-0000-4000-8000-00000000000{number}"),
        private_key_pem: Some(pems[number].clone()),
        ..KalshiKey::default()
    };
    let [owner, bot] = [0, 1].map(key);
    let accounts = Accounts { kalshi: vec![owner.clone(), bot.clone()], ..Accounts::default() };
    let sandbox = Sandbox::start(accounts).await.unwrap();
    let credential = |key: &KalshiKey| Credential::Key {
        public_id: key.key_id.clone(),
        secret: Secret::new(key.private_key_pem.as_deref().unwrap()),
        kind: SecretKind::PrivateKeyPem,
    };
    for scopes in [json!(null), json!([])] {
        let desk = Desk::new(account(Venue::KALSHI, sandbox.kalshi_url()), credential(&owner));
        let keys = json!({"api_keys": [
            {"api_key_id": owner.key_id, "name": "owner", "scopes": ["read", "write"]},
            {"api_key_id": bot.key_id, "name": "bot", "scopes": scopes},
        ]});
        let list = Fault::Status {
            status: 200,
            body: Some(keys.to_string()),
            content_type: Some("application/json".into()),
            retry_after: None,
            executed: false,
        };
        sandbox.faults().set(vec![Rule::new(list).on("GET /trade-api/v2/api_keys")]);
        let (reference, credential) = (desk.reference(), credential(&bot));
        desk.engine.adopt(&desk.account, &reference, &credential, &Watching::default()).await.unwrap();
        let error = usage(desk.rotate(None).await, "shows no scopes");
        assert!(error.help().unwrap().contains("--scope"), "{error:?}");
        usage(desk.rotate(Some(&[])).await, "no scopes were named");
        assert!(sandbox.executed().keys().all(|call| call.contains("GET")), "{:?}", sandbox.executed());
        sandbox.faults().clear();
        desk.line(Some(&bot.key_id)).await;
    }
    let desk = Desk::new(account(Venue::KALSHI, sandbox.kalshi_url()), credential(&owner));
    let (reference, credential) = (desk.reference(), credential(&bot));
    desk.engine.adopt(&desk.account, &reference, &credential, &Watching::default()).await.unwrap();
    let rotated = desk.rotate(Some(&["read"])).await.unwrap();
    assert_eq!(desk.line(rotated.id.as_ref()).await.scopes, ["read"]);
}

#[tokio::test]
async fn a_key_of_yativo_is_bound_to_addresses_and_the_next_one_too() {
    let world = World::start(Venue::YATIVO).await;
    let desk = Desk::new(world.account(), world.given.credential());
    let made = desk.create(&["read"], &["127.0.0.1"]).await.unwrap();
    assert_eq!(desk.line(made.id.as_ref()).await.restrictions, ["address 127.0.0.1"]);
    let rotated = desk.rotate(None).await.unwrap();
    assert_ne!(rotated.id, made.id);
    assert_eq!(desk.line(rotated.id.as_ref()).await.restrictions, ["address 127.0.0.1"]);
    usage(desk.rotate(Some(&[])).await, "no scopes were named");
}
