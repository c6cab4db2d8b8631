//! What a diagnosis needs to know of each venue.

use crate::venue::Venue;

/// A call that changes nothing.
pub struct Probe {
    /// The operation.
    pub operation: &'static str,
    /// What goes along.
    pub arguments: &'static [&'static str],
    /// What a good answer proves.
    pub proves: &'static str,
    /// Whether "there is no such thing" is the good answer.
    pub finds_nothing: bool,
    /// Members of an answer: all of them vital where it proves something, one of them always there otherwise.
    pub members: &'static [&'static str],
}

/// How far a signed time may be off, in seconds, before a venue is known to refuse it.
pub struct Window {
    /// For a clock that is behind the venue's.
    pub behind: i64,
    /// For one that is ahead of it.
    pub ahead: i64,
}

/// What differs between venues.
pub struct Facts {
    /// A call that anybody may make.
    pub reach: Probe,
    /// Calls that a good key may make, one after the other.
    pub prove: &'static [Probe],
    /// How far the clock may be off; none where the time is not signed.
    pub window: Option<Window>,
    /// How the public and the secret part of a shared key begin, where that shows whether they were swapped. Not all keys do.
    pub prefixes: Option<(&'static str, &'static str)>,
    /// Whether a key may have a list of addresses that it works from.
    pub limits_addresses: bool,
    /// What switches a key on again, up to the key's id.
    pub switch_on: Option<(&'static str, &'static str)>,
    /// Where a person sees the keys.
    pub page: &'static str,
}

const fn probe(
    operation: &'static str,
    arguments: &'static [&'static str],
    members: &'static [&'static str],
    proves: &'static str,
) -> Probe {
    Probe { operation, arguments, proves, finds_nothing: false, members }
}

const fn reach(operation: &'static str, members: &'static [&'static str]) -> Probe {
    probe(operation, &[], members, "")
}

const EXCHANGE_STATUS: &[&str] = &["exchange_active", "trading_active"];
const LIMITS: &[&str] = &["usage_tier"];
/// Recorded: 5 s behind pass, 30 s behind are refused, and another account passes at 10 s either way; 30 s ahead pass.
const KALSHI_WINDOW: Window = Window { behind: 10, ahead: 30 };

static BAYSE: Facts = Facts {
    reach: reach("get_health", &["status"]),
    prove: &[
        probe("get_portfolio", &[], &["outcomeBalances"], "the public key reads the portfolio"),
        // No order has this id: cancelling it proves the signature and does nothing.
        Probe {
            operation: "cancel_order",
            arguments: &["orderId=00000000-0000-0000-0000-000000000000"],
            proves: "the secret key signs writes",
            finds_nothing: true,
            members: &[],
        },
    ],
    window: Some(Window { behind: 300, ahead: 300 }),
    prefixes: Some(("pk_", "sk_")),
    limits_addresses: false,
    switch_on: None,
    page: "the account's settings at Bayse, below API keys",
};

static DERIBIT: Facts = Facts {
    reach: reach("get_time", &[]),
    prove: &[probe("get_account_summary", &["currency=BTC"], &["currency"], "the key reads an account summary")],
    window: Some(Window { behind: 60, ahead: 60 }),
    prefixes: None,
    limits_addresses: true,
    switch_on: Some(("enable_api_key", "id")),
    page: "the account's settings at Deribit, below API",
};

static KALSHI: Facts = Facts {
    reach: reach("get_exchange_status", EXCHANGE_STATUS),
    prove: &[probe("get_account_api_limits", &[], LIMITS, "the key reads the account's limits")],
    window: Some(KALSHI_WINDOW),
    prefixes: None,
    limits_addresses: false,
    switch_on: None,
    page: "the account's settings at Kalshi, below API keys",
};

static KALSHI_PERPS: Facts = Facts {
    reach: reach("get_margin_exchange_status", EXCHANGE_STATUS),
    prove: &[probe("get_perps_account_api_limits", &[], LIMITS, "the key reads the account's limits")],
    window: Some(KALSHI_WINDOW),
    prefixes: None,
    limits_addresses: false,
    switch_on: None,
    page: "the account's settings at Kalshi, below API keys",
};

static YATIVO: Facts = Facts {
    reach: Probe {
        operation: "get_payment_status",
        arguments: &["paymentId=venuekit-doctor"],
        proves: "",
        finds_nothing: true,
        members: &["data"],
    },
    // The spec says which member of the response holds the accounts.
    prove: &[probe("list_accounts", &[], &[], "the key lists the accounts")],
    window: None,
    prefixes: Some(("yativo_", "")),
    limits_addresses: true,
    switch_on: None,
    page: "the dashboard of Yativo, below API keys",
};

/// What a diagnosis needs to know of a venue.
pub fn of(venue: Venue) -> &'static Facts {
    match venue {
        Venue::Bayse => &BAYSE,
        Venue::Deribit => &DERIBIT,
        Venue::Kalshi => &KALSHI,
        Venue::KalshiPerps => &KALSHI_PERPS,
        Venue::Yativo => &YATIVO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::operation;
    use crate::request::Given;

    #[test]
    fn each_probe_is_an_operation_that_takes_its_arguments() {
        for venue in Venue::ALL {
            let facts = of(venue);
            for probe in facts.prove.iter().chain([&facts.reach]) {
                let found = operation(venue, probe.operation).unwrap();
                let arguments: Vec<String> = probe.arguments.iter().map(|one| (*one).to_owned()).collect();
                let request = Given::read(&found, &arguments, None, false).unwrap().request(&found);
                assert!(request.is_ok(), "{venue} {}", probe.operation);
                assert!(!found.is_write() || probe.finds_nothing, "{venue} {} changes something", probe.operation);
            }
            assert!(operation(venue, facts.reach.operation).unwrap().is_public(), "{venue}");
            if let Some((name, parameter)) = facts.switch_on {
                let (found, arguments) = (operation(venue, name).unwrap(), [format!("{parameter}=5")]);
                assert!(Given::read(&found, &arguments, None, false).unwrap().request(&found).is_ok(), "{name}");
            }
        }
    }
}
