//! Coins that move between the wallets of an account, and between accounts.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::members::Members;
use super::order::text;
use super::read::Given;
use super::reply::{Outcome, Refusal};
use super::trading::Trading;
use super::wallet;
use crate::paging::newest_first;

/// A coin has no more decimals.
const DECIMALS: u32 = 8;

/// A wallet of an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wallet {
    Unified,
    Funding,
}

impl Wallet {
    fn read(given: &Given, name: &str) -> Result<Self, Refusal> {
        match given.required(name)? {
            "UNIFIED" => Ok(Self::Unified),
            "FUND" => Ok(Self::Funding),
            _ => Err(Refusal::new(131_204, "Account info error")),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Unified => "UNIFIED",
            Self::Funding => "FUND",
        }
    }
}

/// A transfer that was carried out.
pub(super) struct Transfer {
    id: String,
    /// Who asked for it.
    by: usize,
    coin: String,
    amount: Decimal,
    from: (usize, Wallet),
    to: (usize, Wallet),
    /// Whether it was asked for as one between accounts.
    is_universal: bool,
    time: i64,
}

/// Coins, accounts and earlier transfers.
pub(super) struct Desk<'a> {
    pub(super) trading: &'a mut Trading,
    pub(super) members: &'a mut Members,
    pub(super) done: &'a mut Vec<Transfer>,
    pub(super) caller: usize,
    pub(super) now: i64,
}

impl Desk<'_> {
    /// Between the wallets of the account that calls.
    pub(super) fn within(&mut self, given: &Given) -> Result<Outcome, Refusal> {
        let own = self.members.keys[self.caller].member;
        let (from, to) = (Wallet::read(given, "fromAccountType")?, Wallet::read(given, "toAccountType")?);
        if from == to {
            return Err(Refusal::new(131_211, "fromAccountType can't be the same as toAccountType"));
        }
        self.carry_out(given, (own, from), (own, to), false)
    }

    /// Between an account and its sub-accounts.
    pub(super) fn between(&mut self, given: &Given) -> Result<Outcome, Refusal> {
        let own = self.members.keys[self.caller].member;
        let (from, to) = (Wallet::read(given, "fromAccountType")?, Wallet::read(given, "toAccountType")?);
        let member = |name: &str| {
            let uid = given.integer(name)?.ok_or_else(|| Refusal::params(format!("{name} is required")))?;
            self.members.relative(own, uid).ok_or_else(|| Refusal::new(131_202, "Invalid memberId"))
        };
        let (from, to) = ((member("fromMemberId")?, from), (member("toMemberId")?, to));
        if from == to {
            return Err(Refusal::new(131_211, "fromAccountType can't be the same as toAccountType"));
        }
        if !self.members.all[own].is_master() && from.0 != own {
            return Err(Refusal::new(131_227, "subaccount do not have universal transfer permission"));
        }
        self.carry_out(given, from, to, true)
    }

    fn carry_out(
        &mut self,
        given: &Given,
        from: (usize, Wallet),
        to: (usize, Wallet),
        is_universal: bool,
    ) -> Result<Outcome, Refusal> {
        let id = given.required("transferId")?;
        if uuid::Uuid::parse_str(id).is_err() {
            return Err(Refusal::new(131_203, "Request parameter error: transferId must be a UUID"));
        }
        if self.done.iter().any(|transfer| transfer.id.eq_ignore_ascii_case(id)) {
            return Err(Refusal::new(131_214, "TransferId exist"));
        }
        let coin = given.required("coin")?.to_owned();
        if self.trading.dollars(&coin).is_zero() {
            return Err(Refusal::new(131_206, "cannot be transfer"));
        }
        let amount = given.decimal("amount")?.ok_or_else(|| Refusal::params("amount is required"))?;
        if amount <= Decimal::ZERO {
            return Err(Refusal::new(131_215, "Amount error"));
        }
        if amount.normalize().scale() > DECIMALS {
            return Err(Refusal::new(131_210, "Amount accuracy error"));
        }
        if self.free(from, &coin) < amount {
            return Err(Refusal::new(131_212, "Insufficient balance"));
        }
        self.add(from, &coin, -amount);
        self.add(to, &coin, amount);
        let result = json!({"transferId": id, "status": "SUCCESS"});
        let (id, by) = (id.to_owned(), self.members.keys[self.caller].member);
        self.done.push(Transfer { id, by, coin, amount, from, to, is_universal, time: self.now });
        Ok(Outcome::success(result))
    }

    /// What may leave a wallet.
    fn free(&self, (member, wallet): (usize, Wallet), coin: &str) -> Decimal {
        match wallet {
            Wallet::Unified => wallet::transferable(self.trading, &self.members.all, member, coin),
            Wallet::Funding => self.members.all[member].funding.get(coin).copied().unwrap_or_default(),
        }
    }

    fn add(&mut self, (member, wallet): (usize, Wallet), coin: &str, amount: Decimal) {
        let own = &mut self.members.all[member];
        match wallet {
            Wallet::Funding => *own.funding.entry(coin.to_owned()).or_default() += amount,
            Wallet::Unified => {
                own.unified.entry(coin.to_owned()).or_default().wallet += amount;
                // The stream of an account names coins that are traded.
                let traded = self.trading.instruments.iter().flat_map(|one| [one.base, one.quote, one.settle]);
                if let Some(name) = traded.into_iter().find(|name| *name == coin) {
                    self.trading.changes.wallets.entry(member).or_default().insert(name);
                }
            }
        }
    }

    /// The transfers that the account has asked for, the newest first.
    pub(super) fn list(&self, given: &Given, is_universal: bool) -> Result<Outcome, Refusal> {
        given.spans(0)?;
        let own = self.members.keys[self.caller].member;
        let meant = newest_first(self.done).filter(|(_, transfer)| {
            transfer.by == own
                && transfer.is_universal == is_universal
                && given.lets_in("transferId", &transfer.id)
                && given.lets_in("coin", &transfer.coin)
                && given.lets_in("status", "SUCCESS")
                && given.spans(transfer.time).unwrap_or_default()
        });
        let (page, next) = given.page(meant, 20, 50)?;
        let show = |transfer: &Transfer| {
            let mut shown = json!({
                "transferId": transfer.id, "coin": transfer.coin, "amount": text(transfer.amount),
                "fromAccountType": transfer.from.1.name(), "toAccountType": transfer.to.1.name(),
                "timestamp": transfer.time.to_string(), "status": "SUCCESS",
            });
            if is_universal {
                shown["fromMemberId"] = self.members.all[transfer.from.0].uid.to_string().into();
                shown["toMemberId"] = self.members.all[transfer.to.0].uid.to_string().into();
            }
            shown
        };
        let page: Vec<Value> = page.into_iter().map(show).collect();
        Ok(Outcome::success(json!({"list": page, "nextPageCursor": next})))
    }

    /// What a wallet has of one coin, or of all.
    pub(super) fn balance(&self, given: &Given, is_one: bool) -> Result<Outcome, Refusal> {
        let own = self.members.keys[self.caller].member;
        let member = match given.integer("memberId")? {
            None => own,
            Some(uid) => self.members.relative(own, uid).ok_or_else(|| Refusal::new(131_202, "Invalid memberId"))?,
        };
        let wallet = Wallet::read(given, "accountType")?;
        let show = |coin: &str| {
            let holder = &self.members.all[member];
            let total = match wallet {
                Wallet::Unified => holder.unified.get(coin).map(|own| own.wallet).unwrap_or_default(),
                Wallet::Funding => holder.funding.get(coin).copied().unwrap_or_default(),
            };
            let free = text(self.free((member, wallet), coin));
            json!({"coin": coin, "walletBalance": text(total), "transferBalance": free, "bonus": "0"})
        };
        let uid = self.members.all[member].uid.to_string();
        if is_one {
            let mut balance = show(given.required("coin")?);
            balance["transferSafeAmount"] = "".into();
            balance["ltvTransferSafeAmount"] = "".into();
            return Ok(Outcome::success(json!({
                "accountType": wallet.name(), "bizType": 1, "accountId": uid, "memberId": uid, "balance": balance,
            })));
        }
        let holder = &self.members.all[member];
        let names: Vec<String> = match given.text("coin") {
            Some(coins) => coins.split(',').map(str::to_owned).collect(),
            None => match wallet {
                Wallet::Unified => holder.unified.keys().cloned().collect(),
                Wallet::Funding => holder.funding.keys().cloned().collect(),
            },
        };
        let balance: Vec<Value> = names.iter().map(|coin| show(coin)).collect();
        Ok(Outcome::success(json!({"accountType": wallet.name(), "memberId": uid, "balance": balance})))
    }

    /// The coins that can be moved, and the sub-accounts that they can be moved to.
    pub(super) fn coins(&self, given: &Given) -> Result<Outcome, Refusal> {
        Wallet::read(given, "fromAccountType")?;
        Wallet::read(given, "toAccountType")?;
        Ok(Outcome::success(json!({"list": ["BTC", "ETH", "USDC", "USDT"]})))
    }

    pub(super) fn members(&self) -> Outcome {
        let own = self.members.keys[self.caller].member;
        let ids: Vec<String> = self.members.subs(own).map(|(_, member)| member.uid.to_string()).collect();
        Outcome::success(json!({"subMemberIds": ids, "transferableSubMemberIds": ids}))
    }
}
