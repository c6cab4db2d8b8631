//! A second factor over real sockets: Deribit's challenge, Yativo's code.

use venuekit::keys::{ApiKeys, NewKey};
use venuekit::{ErrorKind, deribit, yativo};
use venuekit_sandbox::{Accounts, DeribitKey, Sandbox, YativoAccount};

#[tokio::test]
async fn deribit_challenges_and_takes_the_code() {
    let account = DeribitKey {
        client_id: "guarded1".into(),
        client_secret: Some("AMANDASECRECT".into()),
        totp_code: Some("123456".into()),
        ..DeribitKey::default()
    };
    let sandbox = Sandbox::start(Accounts { deribit: vec![account], ..Accounts::default() }).await.unwrap();
    let environment = deribit::Environment::Custom(sandbox.deribit_url());
    let credentials = deribit::Credentials::secret("guarded1", "AMANDASECRECT").unwrap();
    let client = deribit::Client::builder(environment).credentials(credentials).build().unwrap();

    let new = || NewKey::named("bot").scopes(["account:read"]);
    let error = client.keys().create(new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Challenge);
    assert!(!error.may_have_been_applied(), "a challenged call was not carried out");
    let challenge = error.challenge().unwrap().clone();

    let wrong = client.confirm(&challenge, "000000").keys().create(new()).await.unwrap_err();
    assert_eq!((wrong.code(), wrong.detail()), (Some("13668"), Some("tfa_code_not_matched")), "{wrong}");

    let challenge = client.keys().create(new()).await.unwrap_err().challenge().unwrap().clone();
    let made = client.confirm(&challenge, "123456").keys().create(new()).await.unwrap();
    let challenge = client.keys().list().await.unwrap_err().challenge().unwrap().clone();
    let listed = client.confirm(&challenge, "123456").keys().list().await.unwrap();
    assert!(listed.iter().any(|key| key.id == made.id));
}

#[tokio::test]
async fn yativo_takes_the_code_in_a_header() {
    let account = YativoAccount {
        api_key: "yativo_key".into(),
        api_secret: "yativo_secret".into(),
        totp_code: Some("123456".into()),
        ..YativoAccount::default()
    };
    let sandbox = Sandbox::start(Accounts { yativo: vec![account], ..Accounts::default() }).await.unwrap();
    let environment = yativo::Environment::Custom(sandbox.yativo_url());
    let credentials = yativo::Credentials::api_key("yativo_key", "yativo_secret").unwrap();
    let client = yativo::Client::builder(environment).credentials(credentials).build().unwrap();

    let refused = client.keys().create(NewKey::named("bot")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden, "{refused}");
    let made = client.with_code("123456").keys().create(NewKey::named("bot")).await.unwrap();
    assert!(!made.id.is_empty(), "the list was asked for the id, without the code");
    let rotated = client.with_code("123456").keys().rotate(&made.id).await.unwrap();
    assert_eq!(rotated.key.id, made.id);
    client.with_code("123456").keys().revoke(&made.id).await.unwrap();
}
