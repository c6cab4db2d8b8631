//! Sending funds, once for each idempotency key, and the transactions that come of it.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::accounts::Asset;
use super::reply::{Failure, Success};
use super::routes::Call;
use super::state::{Owner, State, StoredTransfer, iso, object_id, random_hex};
use crate::message::Reply;
use crate::number::{self, Number};

type Answer = Result<Reply, Failure>;

/// Kept back from what the receiver gets.
const PLATFORM_FEE: Decimal = dec!(0.005);
const REMEMBERED_MILLIS: i64 = 86_400_000;
const MAX_LIMIT: usize = 100;
/// How long a transfer of low priority is pending, and can be cancelled. Others are done at once.
const PENDING_MILLIS: i64 = 60_000;

/// What the caller wants, whichever shape it came in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Transfer {
    /// The newest shape names it, the older one does not.
    account: Option<String>,
    asset_id: String,
    to: String,
    amount: Decimal,
    ticker: String,
    chain: String,
    category: Option<String>,
    priority: String,
    description: Option<String>,
}

/// The fields of both documented shapes.
#[derive(Deserialize)]
struct SendFunds<'a> {
    account: Option<String>,
    assets: Option<String>,
    receiving_address: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    category: Option<String>,
    description: Option<String>,

    from_asset_id: Option<String>,
    to_address: Option<String>,
    ticker: Option<String>,
    idempotency_key: Option<String>,

    #[serde(borrow)]
    amount: Option<&'a RawValue>,
    chain: Option<String>,
    priority: Option<String>,
}

fn required<T>(field: &str, value: Option<T>) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::validation(field, "is required"))
}

impl SendFunds<'_> {
    fn read(self) -> Result<Transfer, Failure> {
        let amount = required("amount", self.amount)?;
        let priority = self.priority.unwrap_or_else(|| "medium".to_owned());
        if !matches!(priority.as_str(), "low" | "medium" | "high") {
            return Err(Failure::validation("priority", "must be low, medium or high"));
        }
        let transfer = if self.from_asset_id.is_some() {
            Transfer {
                account: None,
                asset_id: required("from_asset_id", self.from_asset_id)?,
                to: required("to_address", self.to_address)?,
                amount: number::parse_json(amount).ok_or_else(not_a_number)?,
                ticker: required("ticker", self.ticker)?,
                chain: required("chain", self.chain)?,
                category: None,
                priority,
                description: None,
            }
        } else {
            Transfer {
                account: Some(required("account", self.account)?),
                asset_id: required("assets", self.assets)?,
                to: required("receiving_address", self.receiving_address)?,
                amount: number::parse(amount.get()).ok_or_else(not_a_number)?,
                ticker: required("type", self.kind)?,
                chain: required("chain", self.chain)?,
                category: Some(required("category", self.category)?),
                priority,
                description: self.description,
            }
        };
        if transfer.amount <= Decimal::ZERO {
            return Err(Failure::validation("amount", "must be positive"));
        }
        if transfer.to.trim().is_empty() {
            return Err(Failure::validation("receiving_address", "must not be empty"));
        }
        Ok(transfer)
    }
}

fn not_a_number() -> Failure {
    Failure::validation("amount", "must be a number")
}

#[derive(Clone, Serialize)]
pub(super) struct Transaction {
    transaction_id: String,
    account_id: String,
    asset_id: String,
    transaction_hash: String,
    receiving_address: String,
    amount: Number,
    #[serde(rename = "type")]
    ticker: &'static str,
    chain: &'static str,
    category: Option<String>,
    priority: String,
    description: Option<String>,
    platform_fee: String,
    status: &'static str,
    created_at: String,
    /// When it is completed, while it is pending.
    #[serde(skip)]
    completes_at: Option<i64>,
}

impl Owner {
    /// Completes what has been pending long enough.
    fn complete_transactions(&mut self, now: i64) {
        for transaction in &mut self.transactions {
            if transaction.completes_at.is_some_and(|at| at <= now) {
                transaction.completes_at = None;
                transaction.status = "completed";
            }
        }
    }
}

#[derive(Serialize)]
struct Sent {
    status: bool,
    message: &'static str,
    data: Fees,
    /// What the older clients read.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<Hash>,
}

#[derive(Serialize)]
struct Hash {
    transaction_id: String,
    tx_hash: String,
}

#[derive(Serialize)]
struct Fees {
    transaction_id: String,
    transaction_hash: String,
    gas_tx_hash: Option<String>,
    platform_fee_tx_hash: Option<String>,
    gas_amount: &'static str,
    platform_fee: String,
    gas_funding_markup: &'static str,
    total_fee: String,
    fee_breakdown: &'static str,
}

/// `POST /transactions/send-funds`.
pub(super) fn send_funds(state: &mut State, call: &Call<'_>) -> Answer {
    let body: SendFunds<'_> = call.body()?;
    let header = call.request.header("idempotency-key").map(str::to_owned);
    let key = header.or_else(|| body.idempotency_key.clone()).filter(|key| !key.is_empty());
    let older_shape = body.from_asset_id.is_some();
    let transfer = body.read()?;
    let now = state.now();
    let owner = &mut state.owners[call.caller()?.owner];

    owner.transfers.retain(|_, remembered| now < remembered.until);
    if let Some(remembered) = key.as_ref().and_then(|key| owner.transfers.get(key)) {
        if remembered.transfer != transfer {
            return Err(Failure::conflict(&remembered.transaction_id));
        }
        return Ok(call.replay(remembered.answer.clone()));
    }

    let asset = source(&mut owner.assets, &transfer)?;
    if asset.balance.0 < transfer.amount {
        return Err(Failure::insufficient_balance(&asset.balance.0.to_string()));
    }
    asset.balance = Number((asset.balance.0 - transfer.amount).normalize());
    let is_pending = transfer.priority == "low";
    let transaction = Transaction {
        transaction_id: object_id("txn_"),
        account_id: asset.account_id.clone(),
        asset_id: asset.asset_id.clone(),
        transaction_hash: format!("0x{}", random_hex::<32>()),
        receiving_address: transfer.to.clone(),
        amount: Number(transfer.amount),
        ticker: asset.short_ticker,
        chain: asset.chain,
        category: transfer.category.clone(),
        priority: transfer.priority.clone(),
        description: transfer.description.clone(),
        platform_fee: format!("{:.8}", (transfer.amount * PLATFORM_FEE).round_dp(8)),
        status: if is_pending { "pending" } else { "completed" },
        created_at: iso(now),
        completes_at: is_pending.then_some(now + PENDING_MILLIS),
    };
    let reply = sent(&transaction, older_shape);
    if let Some(key) = key {
        let remembered = StoredTransfer {
            transfer,
            transaction_id: transaction.transaction_id.clone(),
            answer: reply.body.clone(),
            until: now + REMEMBERED_MILLIS,
        };
        owner.transfers.insert(key, remembered);
    }
    owner.transactions.push(transaction);
    Ok(reply)
}

fn sent(transaction: &Transaction, older_shape: bool) -> Reply {
    let hash =
        Hash { transaction_id: transaction.transaction_id.clone(), tx_hash: transaction.transaction_hash.clone() };
    let data = Fees {
        transaction_id: transaction.transaction_id.clone(),
        transaction_hash: transaction.transaction_hash.clone(),
        gas_tx_hash: None,
        platform_fee_tx_hash: None,
        gas_amount: "0",
        platform_fee: transaction.platform_fee.clone(),
        gas_funding_markup: "0.00000000",
        total_fee: transaction.platform_fee.clone(),
        fee_breakdown: "N/A",
    };
    let transaction = older_shape.then_some(hash);
    Reply::json(200, &Sent { status: true, message: "Transaction sent", data, transaction })
}

/// The wallet that a transfer leaves from, if it says the same about it as the venue does.
fn source<'a>(assets: &'a mut [Asset], transfer: &Transfer) -> Result<&'a mut Asset, Failure> {
    let asset = assets.iter_mut().find(|asset| {
        let in_account = transfer.account.as_ref().is_none_or(|account| asset.account_id == *account);
        asset.asset_id == transfer.asset_id && in_account
    });
    let asset = asset.ok_or_else(|| Failure::not_found("Asset not found in that account"))?;
    if ![asset.ticker, asset.short_ticker].contains(&transfer.ticker.as_str()) {
        return Err(Failure::validation("type", "is not what this wallet holds"));
    }
    if !asset.chain.eq_ignore_ascii_case(&transfer.chain) {
        return Err(Failure::validation("chain", "is not where this wallet is"));
    }
    Ok(asset)
}

#[derive(Deserialize)]
struct OneTransaction {
    transaction_id: Option<String>,
}

/// `POST /transactions/get-transaction`.
pub(super) fn get_transaction(state: &mut State, call: &Call<'_>) -> Answer {
    let body: OneTransaction = call.body()?;
    let id = required("transaction_id", body.transaction_id)?;
    let transactions = &transactions_of(state, call)?.transactions;
    let found = transactions.iter().find(|transaction| transaction.transaction_id == id);
    Ok(Success::of(found.ok_or_else(|| Failure::not_found("Transaction not found"))?).reply())
}

fn transactions_of<'a>(state: &'a mut State, call: &Call<'_>) -> Result<&'a mut Owner, Failure> {
    let now = state.now();
    let owner = &mut state.owners[call.caller()?.owner];
    owner.complete_transactions(now);
    Ok(owner)
}

/// `POST /transactions/cancel`: one that is pending. The money comes back.
pub(super) fn cancel_transaction(state: &mut State, call: &Call<'_>) -> Answer {
    let body: OneTransaction = call.body()?;
    let id = required("transaction_id", body.transaction_id)?;
    let owner = transactions_of(state, call)?;
    let found = owner.transactions.iter_mut().find(|transaction| transaction.transaction_id == id);
    let found = found.ok_or_else(|| Failure::not_found("Transaction not found"))?;
    if found.completes_at.take().is_none() {
        return Err(Failure::validation("transaction_id", "is of a transaction that is not pending"));
    }
    found.status = "failed";
    if let Some(asset) = owner.assets.iter_mut().find(|asset| asset.asset_id == found.asset_id) {
        asset.balance = Number((asset.balance.0 + found.amount.0).normalize());
    }
    Ok(Reply::json(200, &json!({"success": true, "message": "Transaction cancelled"})))
}

#[derive(Deserialize)]
struct AssetHistory {
    asset_id: Option<String>,
    page: Option<usize>,
    limit: Option<usize>,
}

/// `POST /transactions/asset-history`: the transactions of one wallet, newest first.
pub(super) fn list_asset_transactions(state: &mut State, call: &Call<'_>) -> Answer {
    let body: AssetHistory = call.body()?;
    let id = required("asset_id", body.asset_id)?;
    let owner = transactions_of(state, call)?;
    if !owner.assets.iter().any(|asset| asset.asset_id == id) {
        return Err(Failure::not_found("Asset not found"));
    }
    let matching = owner.transactions.iter().rev().filter(|transaction| transaction.asset_id == id).collect();
    Ok(Success::of(page_of(matching, body.page, body.limit)).reply())
}

#[derive(Deserialize)]
struct TransactionFilter {
    transaction_id: Option<String>,
    status: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    chain: Option<String>,
    page: Option<usize>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct TransactionPage<'a> {
    transactions: Vec<&'a Transaction>,
    total: usize,
    page: usize,
    limit: usize,
}

/// `POST /transactions/get-transactions`, newest first.
pub(super) fn list_transactions(state: &mut State, call: &Call<'_>) -> Answer {
    let filter: TransactionFilter = call.body()?;
    let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
    let all = &transactions_of(state, call)?.transactions;
    let matching: Vec<&Transaction> = all
        .iter()
        .rev()
        .filter(|transaction| {
            is(&filter.transaction_id, &transaction.transaction_id)
                && is(&filter.status, transaction.status)
                && is(&filter.kind, transaction.ticker)
                && is(&filter.chain, transaction.chain)
        })
        .collect();
    Ok(Success::of(page_of(matching, filter.page, filter.limit)).reply())
}

fn page_of(matching: Vec<&Transaction>, page: Option<usize>, limit: Option<usize>) -> TransactionPage<'_> {
    let (page, limit) = (page.unwrap_or(1).max(1), limit.unwrap_or(20).clamp(1, MAX_LIMIT));
    let total = matching.len();
    let transactions = matching.into_iter().skip((page - 1).saturating_mul(limit)).take(limit).collect();
    TransactionPage { transactions, total, page, limit }
}
