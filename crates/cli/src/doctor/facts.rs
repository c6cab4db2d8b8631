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
}

/// What differs between venues.
pub struct Facts {
    /// A call that anybody may make.
    pub reach: Probe,
    /// Calls that a good key may make, one after the other.
    pub prove: &'static [Probe],
    /// How old a signature may be, in seconds; none where the time is not signed.
    pub window: Option<i64>,
    /// How the public and the secret part of a shared key begin, where they are told apart by that.
    pub prefixes: Option<(&'static str, &'static str)>,
    /// Where a person sees the keys.
    pub page: &'static str,
}

const fn probe(operation: &'static str, arguments: &'static [&'static str], proves: &'static str) -> Probe {
    Probe { operation, arguments, proves, finds_nothing: false }
}

static BAYSE: Facts = Facts {
    reach: probe("get_health", &[], ""),
    prove: &[
        probe("get_portfolio", &[], "the public key reads the portfolio"),
        // No order has this id: cancelling it proves the signature and does nothing.
        Probe {
            operation: "cancel_order",
            arguments: &["orderId=00000000-0000-0000-0000-000000000000"],
            proves: "the secret key signs writes",
            finds_nothing: true,
        },
    ],
    window: Some(300),
    prefixes: Some(("pk_", "sk_")),
    page: "the account's settings at Bayse, below API keys",
};

static DERIBIT: Facts = Facts {
    reach: probe("get_time", &[], ""),
    prove: &[probe("get_account_summary", &["currency=BTC"], "the key reads an account summary")],
    window: Some(60),
    prefixes: None,
    page: "the account's settings at Deribit, below API",
};

static KALSHI: Facts = Facts {
    reach: probe("get_exchange_status", &[], ""),
    prove: &[probe("get_account_api_limits", &[], "the key reads the account's limits")],
    window: Some(30),
    prefixes: None,
    page: "the account's settings at Kalshi, below API keys",
};

static KALSHI_PERPS: Facts = Facts {
    reach: probe("get_margin_exchange_status", &[], ""),
    prove: &[probe("get_perps_account_api_limits", &[], "the key reads the account's limits")],
    window: Some(30),
    prefixes: None,
    page: "the account's settings at Kalshi, below API keys",
};

static YATIVO: Facts = Facts {
    reach: Probe {
        operation: "get_payment_status",
        arguments: &["paymentId=venuekit-doctor"],
        proves: "",
        finds_nothing: true,
    },
    prove: &[probe("list_accounts", &[], "the key lists the accounts")],
    window: None,
    prefixes: Some(("yativo_", "")),
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
    use crate::call::build::Given;
    use crate::lookup::operation;

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
        }
    }
}
