//! Coins that move between accounts and wallets, or leave the venue.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::account::coins;
use super::keys::sub_account;
use super::members::{Members, SPOT};
use super::read::Given;
use super::reply::Refusal;
use super::served::Route;
use super::trading::{Movement, Trading};
use crate::clock::rfc3339;
use crate::make::uuid;

type Outcome = Result<Value, Refusal>;

const WALLETS: [&str; 6] = [SPOT, "USDT_FUTURE", "COIN_FUTURE", "MARGIN", "ISOLATED_MARGIN", "ALPHA"];
const INSUFFICIENT: &str = "The user has insufficient balance available.";
/// The fee of a withdrawal.
pub(super) const WITHDRAWAL_FEE: Decimal = Decimal::from_parts(1, 0, 0, false, 4);

/// A transfer between accounts, or between the wallets of one.
#[derive(Clone, Debug)]
pub(super) struct Transfer {
    id: i64,
    client_id: String,
    master: usize,
    from: (usize, String),
    to: (usize, String),
    coin: String,
    amount: Decimal,
    time: i64,
    /// The venue's word for a transfer within an account.
    kind: Option<String>,
}

/// Coins that left the venue.
#[derive(Clone, Debug)]
pub(super) struct Withdrawal {
    id: String,
    member: usize,
    coin: String,
    network: String,
    address: String,
    amount: Decimal,
    client_id: Option<String>,
    time: i64,
}

/// What has been moved.
#[derive(Debug, Default)]
pub(super) struct Moved {
    transfers: Vec<Transfer>,
    withdrawals: Vec<Withdrawal>,
}

/// Who moves what, and where.
pub(super) struct Desk<'a> {
    pub(super) trading: &'a mut Trading,
    pub(super) members: &'a mut Members,
    pub(super) moved: &'a mut Moved,
    pub(super) member: usize,
    pub(super) now: i64,
}

impl Desk<'_> {
    /// Executes a call.
    pub(super) fn carry_out(&mut self, route: &Route, given: &Given) -> Outcome {
        match (route.method, route.path) {
            ("POST", "/sapi/v1/sub-account/universalTransfer") => self.between(given),
            ("GET", "/sapi/v1/sub-account/universalTransfer") => self.list_between(given),
            ("POST", "/sapi/v1/sub-account/transfer/subToMaster") => self.transfer_of_sub_account(given, None),
            ("POST", "/sapi/v1/sub-account/transfer/subToSub") => self.transfer_of_sub_account(given, Some("toEmail")),
            ("POST", "/sapi/v1/asset/transfer") => self.within(given),
            ("GET", "/sapi/v1/asset/transfer") => self.list_within(given),
            (_, "/sapi/v1/capital/deposit/address") => self.deposit_address(given),
            ("POST", "/sapi/v1/capital/withdraw/apply") => self.withdraw(given),
            (_, "/sapi/v1/capital/withdraw/history") => self.withdrawals(given),
            (_, path) => Err(super::unserved(path)),
        }
    }

    fn amount(&self, given: &Given, coin: &str) -> Result<(String, Decimal), Refusal> {
        let name = given.required(coin)?;
        let is_known = coins(self.trading).contains(name);
        let amount = given.decimal("amount")?.ok_or_else(|| Refusal::mandatory("amount"))?;
        if !is_known {
            return Err(Refusal::invalid(coin));
        }
        if amount.is_zero() { Err(Refusal::invalid("amount")) } else { Ok((name.to_owned(), amount)) }
    }

    /// Takes coins out of a wallet.
    fn take(&mut self, (member, wallet): (usize, &str), coin: &str, amount: Decimal) -> Result<(), Refusal> {
        let available = match wallet {
            SPOT => self.trading.balance(&self.members.all, member, coin).0,
            other => self.members.all[member].held(other, coin),
        };
        if available < amount {
            return Err(Refusal::new(-4026, INSUFFICIENT));
        }
        self.add((member, wallet), coin, -amount);
        Ok(())
    }

    fn add(&mut self, (member, wallet): (usize, &str), coin: &str, amount: Decimal) {
        *self.members.all[member].coin(wallet, coin) += amount;
        self.members.all[member].updated = self.now;
        if wallet == SPOT {
            self.trading.changes.movements.push(Movement { member, coin: coin.to_owned(), amount });
        }
    }

    fn move_coins(&mut self, transfer: Transfer) -> Result<i64, Refusal> {
        let Transfer { id, from, to, coin, amount, .. } = &transfer;
        let id = *id;
        self.take((from.0, &from.1), coin, *amount)?;
        self.add((to.0, &to.1), coin, *amount);
        self.moved.transfers.push(transfer);
        Ok(id)
    }

    fn next_id(&self) -> i64 {
        11_945_860_693 + i64::try_from(self.moved.transfers.len()).unwrap_or_default()
    }

    /// Moves coins between a master and its sub-accounts, or between those.
    fn between(&mut self, given: &Given) -> Outcome {
        let wallet = |name: &str| {
            let word = given.required(name)?;
            WALLETS.into_iter().find(|known| *known == word).ok_or_else(|| Refusal::invalid(name))
        };
        let (from_wallet, to_wallet) = (wallet("fromAccountType")?, wallet("toAccountType")?);
        let account = |name: &str| {
            if given.has(name) { sub_account(self.members, self.member, given, name) } else { Ok(self.member) }
        };
        let (from, to) = (account("fromEmail")?, account("toEmail")?);
        if (from, from_wallet) == (to, to_wallet) {
            return Err(Refusal::combination("another account or another wallet to transfer to"));
        }
        let (coin, amount) = self.amount(given, "asset")?;
        let client_id = given.text("clientTranId").unwrap_or_default().to_owned();
        let same = |transfer: &&Transfer| transfer.master == self.member && transfer.client_id == client_id;
        if !client_id.is_empty() && self.moved.transfers.iter().any(|transfer| same(&transfer)) {
            return Err(Refusal::invalid("clientTranId"));
        }
        let id = self.move_coins(Transfer {
            id: self.next_id(),
            client_id: client_id.clone(),
            master: self.member,
            from: (from, from_wallet.to_owned()),
            to: (to, to_wallet.to_owned()),
            coin,
            amount,
            time: self.now,
            kind: None,
        })?;
        let mut shown = json!({"tranId": id});
        if !client_id.is_empty() {
            shown["clientTranId"] = client_id.into();
        }
        Ok(shown)
    }

    /// The transfers between accounts of a master, the newest first.
    fn list_between(&self, given: &Given) -> Outcome {
        let (start, end) = given.span()?;
        let (skipped, limit) = given.page("page", "limit", (500, 500))?;
        let email = |member: usize| self.members.all[member].email.as_str();
        let own = self.moved.transfers.iter().rev().filter(|one| {
            one.kind.is_none()
                && one.master == self.member
                && (start..=end).contains(&one.time)
                && given.text("fromEmail").is_none_or(|wanted| wanted.eq_ignore_ascii_case(email(one.from.0)))
                && given.text("toEmail").is_none_or(|wanted| wanted.eq_ignore_ascii_case(email(one.to.0)))
                && given.text("clientTranId").is_none_or(|wanted| wanted == one.client_id)
        });
        let own: Vec<&Transfer> = own.collect();
        let shown = own.iter().skip(skipped).take(limit).map(|one| {
            json!({
                "tranId": one.id,
                "fromEmail": email(one.from.0),
                "toEmail": email(one.to.0),
                "asset": one.coin,
                "amount": one.amount.to_string(),
                "createTimeStamp": one.time,
                "fromAccountType": one.from.1,
                "toAccountType": one.to.1,
                "status": "SUCCESS",
                "clientTranId": one.client_id,
            })
        });
        Ok(json!({"result": shown.collect::<Vec<Value>>(), "totalCount": own.len()}))
    }

    /// A sub-account sends coins to its master, or to another sub-account of that master.
    fn transfer_of_sub_account(&mut self, given: &Given, to: Option<&str>) -> Outcome {
        let master = self.members.all[self.member].master.ok_or_else(Refusal::key)?;
        let to = match to {
            Some(name) => sub_account(self.members, master, given, name)?,
            None => master,
        };
        let (coin, amount) = self.amount(given, "asset")?;
        let id = self.move_coins(Transfer {
            id: self.next_id(),
            client_id: String::new(),
            master,
            from: (self.member, SPOT.to_owned()),
            to: (to, SPOT.to_owned()),
            coin,
            amount,
            time: self.now,
            kind: None,
        })?;
        Ok(json!({"txnId": id.to_string()}))
    }

    /// Moves coins between the wallets of an account, by a word such as `MAIN_FUNDING`.
    fn within(&mut self, given: &Given) -> Outcome {
        let kind = given.required("type")?;
        let (from, to) = wallets(kind).ok_or_else(|| Refusal::invalid("type"))?;
        let (coin, amount) = self.amount(given, "asset")?;
        let id = self.move_coins(Transfer {
            id: self.next_id(),
            client_id: String::new(),
            master: self.member,
            from: (self.member, from),
            to: (self.member, to),
            coin,
            amount,
            time: self.now,
            kind: Some(kind.to_owned()),
        })?;
        Ok(json!({"tranId": id}))
    }

    fn list_within(&self, given: &Given) -> Outcome {
        let kind = given.required("type")?;
        let (start, end) = given.span()?;
        let (skipped, size) = given.page("current", "size", (10, 100))?;
        let own = self.moved.transfers.iter().rev().filter(|one| {
            one.kind.as_deref() == Some(kind) && one.master == self.member && (start..=end).contains(&one.time)
        });
        let own: Vec<&Transfer> = own.collect();
        let rows = own.iter().skip(skipped).take(size).map(|one| {
            json!({
                "asset": one.coin,
                "amount": one.amount.to_string(),
                "type": kind,
                "status": "CONFIRMED",
                "tranId": one.id,
                "timestamp": one.time,
            })
        });
        let rows: Vec<Value> = rows.collect();
        Ok(json!({"total": own.len(), "rows": rows}))
    }

    fn deposit_address(&self, given: &Given) -> Outcome {
        let coin = given.required("coin")?;
        if !coins(self.trading).contains(coin) {
            return Err(Refusal::invalid("coin"));
        }
        let network = given.text("network").unwrap_or(coin);
        let hash = hex::encode(Sha256::digest(format!("{}/{coin}/{network}", self.members.all[self.member].uid)));
        Ok(json!({"address": format!("0x{}", &hash[..40]), "coin": coin, "tag": "", "url": ""}))
    }

    fn withdraw(&mut self, given: &Given) -> Outcome {
        let (coin, amount) = self.amount(given, "coin")?;
        let address = given.required("address")?.to_owned();
        let network = given.text("network").unwrap_or(&coin).to_owned();
        let client_id = given.text("withdrawOrderId").map(str::to_owned);
        self.take((self.member, SPOT), &coin, amount)?;
        let id = uuid().replace('-', "");
        self.moved.withdrawals.push(Withdrawal {
            id: id.clone(),
            member: self.member,
            coin,
            network,
            address,
            amount,
            client_id,
            time: self.now,
        });
        Ok(json!({"id": id}))
    }

    fn withdrawals(&self, given: &Given) -> Outcome {
        let ((start, end), limit) = (given.span()?, given.limit("limit", 1000, 1000)?);
        let skipped = usize::try_from(given.integer("offset")?.unwrap_or(0)).unwrap_or(usize::MAX);
        // All are completed at once.
        let is_wanted = given.integer("status")?.is_none_or(|status| status == 6);
        let ids = given.text("idList").map(|ids| ids.split(',').collect::<BTreeSet<_>>());
        let own = self.moved.withdrawals.iter().rev().filter(|one| {
            is_wanted
                && one.member == self.member
                && (start..=end).contains(&one.time)
                && given.text("coin").is_none_or(|coin| coin == one.coin)
                && given.text("withdrawOrderId").is_none_or(|id| one.client_id.as_deref() == Some(id))
                && ids.as_ref().is_none_or(|ids| ids.contains(one.id.as_str()))
        });
        let shown = own.skip(skipped).take(limit).map(|one| {
            let mut shown = json!({
                "id": one.id,
                "amount": (one.amount - WITHDRAWAL_FEE.min(one.amount)).to_string(),
                "transactionFee": WITHDRAWAL_FEE.min(one.amount).to_string(),
                "coin": one.coin,
                "status": 6,
                "address": one.address,
                "txId": format!("0x{}", hex::encode(Sha256::digest(&one.id))),
                "applyTime": utc(one.time),
                "network": one.network,
                "transferType": 0,
                "info": "",
                "confirmNo": 12,
                "walletType": 0,
                "txKey": "",
                "completeTime": utc(one.time),
            });
            if let Some(id) = &one.client_id {
                shown["withdrawOrderId"] = id.as_str().into();
            }
            shown
        });
        Ok(shown.collect())
    }
}

/// The wallets of a word such as `MAIN_UMFUTURE`.
fn wallets(kind: &str) -> Option<(String, String)> {
    let (from, to) = kind.split_once('_')?;
    let wallet = |word: &str| {
        Some(match word {
            "MAIN" => SPOT,
            "FUNDING" => "FUNDING",
            "UMFUTURE" => "USDT_FUTURE",
            "CMFUTURE" => "COIN_FUTURE",
            "MARGIN" => "MARGIN",
            "OPTION" => "OPTION",
            _ => return None,
        })
    };
    let (from, to) = (wallet(from)?, wallet(to)?);
    (from != to).then(|| (from.to_owned(), to.to_owned()))
}

/// A time as these calls write it.
fn utc(millis: i64) -> String {
    rfc3339(millis.div_euclid(1000) * 1000).replace('T', " ").replace('Z', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_two_wallets() {
        let both = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        assert_eq!(wallets("MAIN_FUNDING"), both(SPOT, "FUNDING"));
        assert_eq!(wallets("UMFUTURE_MAIN"), both("USDT_FUTURE", SPOT));
        for wrong in ["", "MAIN", "MAIN_MAIN", "MAIN_MOON"] {
            assert_eq!(wallets(wrong), None, "{wrong}");
        }
        assert_eq!(utc(1_700_000_000_000), "2023-11-14 22:13:20");
    }
}
