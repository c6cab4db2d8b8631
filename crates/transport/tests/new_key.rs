//! What is kept of a response with a new secret that lacks something else.

use venuekit_transport::carrier::Canned;
use venuekit_transport::client::Session;
use venuekit_transport::key_lifecycle::SessionKeys;
use venuekit_transport::keys::{ApiKeys, NewKey};
use venuekit_transport::{ClientBuilder, Connect, ErrorKind};
use venuekit_wire::credentials::CredentialRules;
use venuekit_wire::key_lifecycle::{
    CreateKey, Field, FieldPlace, KeyCall, KeyEntry, KeyLifecycle, ListKeys, ManagedBy, NewSecret, Returns, ScopeRule,
    TextsForm,
};
use venuekit_wire::operation::{Operation, Retry, Venue};

const ID: Field = Field { name: "id", place: FieldPlace::Path, is_number: false, is_required: true };

const ENTRY: KeyEntry = KeyEntry {
    id: &["/id"],
    public_id: &["/key"],
    name: &["/name"],
    scopes: &[],
    scopes_form: TextsForm::List,
    addresses: &[],
    addresses_form: TextsForm::List,
    enabled: &[],
    disabled: &[],
    status: &[],
    working: &[],
    disabled_is: None,
    all_work: true,
    public_key: &[],
    created: None,
    expires: None,
    last_used: None,
    bound: &[],
    limits: &[],
};

static KEYS: KeyLifecycle = KeyLifecycle {
    family: None,
    others: &[],
    environments: &[],
    managed_by: ManagedBy::Key,
    scopes: ScopeRule::None,
    longest_name: 64,
    name_separator: '-',
    most: None,
    binds_addresses: false,
    unbound_days: None,
    without_ed25519: None,
    create: Some(CreateKey {
        operation: "create_key",
        name: Some(Field { name: "name", place: FieldPlace::Body, ..ID }),
        scopes: None,
        scopes_for: None,
        public_key: None,
        pairs: &[],
        sub_account: None,
        addresses: None,
        fixed: &[],
        copies: &[],
        returns: NewSecret {
            id: &["/id"],
            public_id: &["/key"],
            secret: &["/secret"],
            is_private_key: false,
            fingerprint_if: None,
            warning: None,
        },
    }),
    register: None,
    list: ListKeys {
        operation: "list_keys",
        with: &[],
        at: &[""],
        total: None,
        sub_account: None,
        entry: ENTRY,
        detail: None,
        attested_until: None,
    },
    own: None,
    rotate: None,
    edit: &[],
    revoke: KeyCall { operation: "revoke_key", id: ID, sub_account: None, returns: Returns::Nothing },
    enable: None,
    sub_accounts: None,
    probes: &[],
};

static VENUE: Venue = Venue {
    name: "venue",
    operations: &[Operation {
        id: "create_key",
        path: "/keys",
        method: "POST",
        access: &[&[]],
        retry: Retry::Never,
        secret: true,
        ..Operation::EMPTY
    }],
    credentials: CredentialRules { keys: Some(&KEYS), ..CredentialRules::NONE },
    ..Venue::EMPTY
};

struct Client(Session);

impl Connect for Client {
    const VENUE: &'static Venue = &VENUE;

    fn connect(session: Session) -> Self {
        Self(session)
    }
}

#[tokio::test]
async fn the_error_of_half_a_key_keeps_the_other_half() {
    for (body, lacks) in [
        (r#"{"id":"1","key":"","secret":"shown-once"}"#, "id"),
        (r#"{"id":"1","secret":"shown-once"}"#, "id"),
        (r#"{"id":"","key":"k","secret":"shown-once"}"#, "id"),
        (r#"{"id":"1","key":"shown-once","secret":""}"#, "secret"),
    ] {
        let venue = Canned::new().on("create_key", 200, body);
        let client = ClientBuilder::<Client>::new("http://127.0.0.1:1").carrier(venue).build().unwrap();
        let keys = SessionKeys::new(&client.0).unwrap();
        let error = keys.create(NewKey::named("bot")).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Decode, Some("create_key")), "{body}: {error}");
        assert!(error.may_have_been_applied() && error.message().contains(lacks), "{body}: {error}");
        let kept = error.sealed_body().expect(body);
        assert!(kept.expose().contains("shown-once"), "{body}");
        assert!(!format!("{error} {error:?}").contains("shown-once"), "{body}");
        assert_eq!(error.raw_body(), None, "{body}");
    }
}
