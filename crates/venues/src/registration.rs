//! What the generated list holds of a venue: its tables, and the functions of its crate.

use venuekit_transport::client::Session;
use venuekit_transport::credential_parts::{CredentialParts, FromCredentialParts};
use venuekit_transport::{ClientBuilder, Connect, Credentials, Error};
use venuekit_wire::operation::Venue as Table;
use venuekit_wire::stream::Streams;

use crate::Settings;

/// One venue.
pub(crate) struct Registration {
    pub(crate) name: &'static str,
    pub(crate) table: &'static Table,
    pub(crate) streams: Option<&'static Streams>,
    pub(crate) credentials: fn(&[CredentialParts], Option<&'static str>) -> Result<Credentials, Error>,
    pub(crate) session: fn(Settings) -> Result<Session, Error>,
}

impl Registration {
    /// A venue by the types of its crate.
    pub(crate) const fn of<Client: Connect, Own: FromCredentialParts>(
        name: &'static str,
        streams: Option<&'static Streams>,
    ) -> Self {
        Self { name, table: Client::VENUE, streams, credentials: credentials::<Own>, session: session::<Client> }
    }
}

fn credentials<Own: FromCredentialParts>(
    parts: &[CredentialParts],
    program: Option<&'static str>,
) -> Result<Credentials, Error> {
    let own = Own::from_credential_parts(parts)?;
    Ok(match program {
        Some(name) => own.of_program(name).into(),
        None => own.into(),
    })
}

/// A session in the place of the typed client that makes calls by it.
struct Bare<Client> {
    session: Session,
    client: std::marker::PhantomData<fn() -> Client>,
}

impl<Client: Connect> Connect for Bare<Client> {
    const VENUE: &'static Table = Client::VENUE;

    fn connect(session: Session) -> Self {
        Self { session, client: std::marker::PhantomData }
    }
}

fn session<Client: Connect>(settings: Settings) -> Result<Session, Error> {
    Ok(settings.apply(ClientBuilder::<Bare<Client>>::new).build()?.session)
}
