//! Which environment variables hold a venue's credentials, as its spec says it (`x-variables`).

/// The environment variables of a venue's credentials.
///
/// Their names begin with the venue and the environment, so that a key of one environment cannot get to another: the private key
/// for `demo` of `kalshi` is in `KALSHI_DEMO_PRIVATE_KEY`.
#[derive(Debug, PartialEq, Eq)]
pub struct Variables {
    /// The venue whose keys these are: the venue itself, or the one whose keys it takes.
    pub of: &'static str,
    /// Whether all that is set counts, each for its own operations. Otherwise the first counts.
    pub together: bool,
    /// What may be set, in the order in which it is looked for.
    pub credentials: &'static [CredentialVariables],
}

/// The variables of one credential. The names stand without their beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialVariables {
    /// What is in them.
    pub kind: VariableKind,
    /// What identifies the caller. Only a token has none.
    pub id: Option<&'static str>,
    /// What proves it.
    pub secret: &'static str,
    /// The passphrase, where the private key may be encrypted.
    pub passphrase: Option<&'static str>,
    /// The credentials of the spec (`x-credential`) that this is good for, by itself or through a login.
    pub proves: &'static [&'static str],
    /// How id and secret begin, where that shows whether they were swapped. An empty text says nothing.
    pub begins: Option<(&'static str, &'static str)>,
    /// The id is a UUID.
    pub id_is_uuid: bool,
    /// The id alone reads an account, so that it is treated as a secret.
    pub id_is_secret: bool,
}

/// What a credential's variables hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VariableKind {
    /// An API key with a secret that the venue knows too.
    Key,
    /// An API key with its private key, as PEM.
    PrivateKey,
    /// An API key with the path of a file that holds its private key, as PEM.
    PrivateKeyFile,
    /// A device id with the token of an open session.
    Session,
    /// An e-mail address with its password.
    Login,
    /// A bearer token.
    Token,
}

impl Variables {
    /// How the names begin for an environment: `KALSHI_DEMO`.
    pub fn prefix(&self, environment: &str) -> String {
        [self.of, "_", environment].concat().replace('-', "_").to_ascii_uppercase()
    }

    /// The variables of the first credential of this kind.
    pub fn of_kind(&self, kind: VariableKind) -> Option<&'static CredentialVariables> {
        self.credentials.iter().find(|one| one.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_with_venue_and_environment() {
        let variables = Variables { of: "some-venue", together: false, credentials: &[] };
        assert_eq!(variables.prefix("demo"), "SOME_VENUE_DEMO");
        assert_eq!(variables.prefix("demo-two"), "SOME_VENUE_DEMO_TWO");
    }
}
