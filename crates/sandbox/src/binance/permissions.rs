//! What a key may do.

use serde_json::{Value, json};

/// What an operation asks of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Permission {
    Read,
    /// Spot and margin trading.
    Trade,
    /// Loans, repayments and transfers of margin.
    Margin,
    Withdraw,
    UniversalTransfer,
    InternalTransfer,
}

/// The permissions of a key, as `apiRestrictions` names them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Permissions {
    pub(super) reading: bool,
    pub(super) trading: bool,
    pub(super) margin: bool,
    pub(super) futures: bool,
    pub(super) withdrawals: bool,
    pub(super) internal_transfer: bool,
    pub(super) universal_transfer: bool,
    pub(super) options: bool,
    pub(super) fix_trading: bool,
    pub(super) fix_reading: bool,
    pub(super) portfolio_margin: bool,
}

impl Permissions {
    fn words(&mut self) -> [(&'static str, &mut bool); 11] {
        [
            ("enableReading", &mut self.reading),
            ("enableSpotAndMarginTrading", &mut self.trading),
            ("enableMargin", &mut self.margin),
            ("enableFutures", &mut self.futures),
            ("enableWithdrawals", &mut self.withdrawals),
            ("enableInternalTransfer", &mut self.internal_transfer),
            ("permitsUniversalTransfer", &mut self.universal_transfer),
            ("enableVanillaOptions", &mut self.options),
            ("enableFixApiTrade", &mut self.fix_trading),
            ("enableFixReadOnly", &mut self.fix_reading),
            ("enablePortfolioMarginTrading", &mut self.portfolio_margin),
        ]
    }

    /// The permissions of a list, and reading. `None`: all of them.
    pub(super) fn named(names: Option<&[String]>) -> Self {
        let mut own = Self::default();
        for (word, value) in own.words() {
            *value = names.is_none_or(|names| names.iter().any(|name| name == word));
        }
        own.reading = true;
        own
    }

    pub(super) fn allows(&self, permission: Permission) -> bool {
        match permission {
            Permission::Read => self.reading,
            Permission::Trade => self.trading,
            Permission::Margin => self.margin,
            Permission::Withdraw => self.withdrawals,
            Permission::UniversalTransfer => self.universal_transfer,
            Permission::InternalTransfer => self.internal_transfer,
        }
    }

    /// As the venue shows the restrictions of a key.
    pub(super) fn restrictions(&self, ip_restrict: bool, created: i64) -> Value {
        let mut shown = json!({"ipRestrict": ip_restrict, "createTime": created});
        for (word, value) in self.clone().words() {
            shown[word] = (*value).into();
        }
        shown
    }

    /// The words of the granted permissions.
    pub(super) fn list(&self) -> Vec<String> {
        let mut own = self.clone();
        own.words().into_iter().filter(|(_, value)| **value).map(|(word, _)| word.to_owned()).collect()
    }
}

/// Whether all of these are words for permissions.
pub(crate) fn are_permissions(names: &[String]) -> bool {
    let words = Permissions::default().words().map(|(word, _)| word);
    names.iter().all(|name| words.contains(&name.as_str()))
}
