//! Accounts and the wallets in them.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::reply::{Failure, Success};
use super::routes::Call;
use super::state::{State, iso, object_id, random_hex};
use crate::message::Reply;
use crate::number::Number;

type Answer = Result<Reply, Failure>;

/// What can be held: ticker and chain.
const SUPPORTED: [(&str, &str); 5] =
    [("USDC_SOL", "solana"), ("USDC_XDC", "xdc"), ("USDC_ETH", "ethereum"), ("SOL", "solana"), ("ETH", "ethereum")];

#[derive(Clone, Serialize)]
pub(super) struct Account {
    pub(super) id: String,
    account_name: String,
    account_type: String,
    status: &'static str,
    created_at: String,
}

impl Account {
    pub(super) fn new(name: &str, kind: &str, now: i64) -> Self {
        Self {
            id: object_id(""),
            account_name: name.to_owned(),
            account_type: kind.to_owned(),
            status: "active",
            created_at: iso(now),
        }
    }
}

/// A wallet.
#[derive(Clone, Serialize)]
pub(super) struct Asset {
    pub(super) asset_id: String,
    pub(super) account_id: String,
    pub(super) ticker: &'static str,
    /// The ticker without its chain, as transfers name it.
    #[serde(rename = "type")]
    pub(super) short_ticker: &'static str,
    pub(super) chain: &'static str,
    wallet_address: String,
    pub(super) balance: Number,
    status: &'static str,
}

impl Asset {
    pub(super) fn new(account_id: &str, ticker: &'static str, chain: &'static str, balance: Decimal) -> Self {
        Self {
            asset_id: object_id(""),
            account_id: account_id.to_owned(),
            ticker,
            short_ticker: ticker.split('_').next().unwrap_or(ticker),
            chain,
            wallet_address: format!("0x{}", random_hex::<20>()),
            balance: Number(balance),
            status: "active",
        }
    }
}

#[derive(Serialize)]
struct AccountView<'a> {
    #[serde(flatten)]
    account: &'a Account,
    asset_count: usize,
}

fn views(state: &State, owner: usize) -> Vec<AccountView<'_>> {
    let owner = &state.owners[owner];
    let count = |account: &Account| owner.assets.iter().filter(|asset| asset.account_id == account.id).count();
    owner.accounts.iter().map(|account| AccountView { account, asset_count: count(account) }).collect()
}

#[derive(Deserialize)]
struct NewAccount {
    account_name: Option<String>,
    account_type: Option<String>,
}

/// `POST /accounts/create-account`. The response has no envelope.
pub(super) fn create_account(state: &mut State, call: &Call<'_>) -> Answer {
    let body: NewAccount = call.body()?;
    let name = body.account_name.filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| Failure::validation("account_name", "is required"))?;
    let kind = body.account_type.unwrap_or_else(|| "personal".to_owned());
    let account = Account::new(&name, &kind, state.now());
    let reply = Reply::json(200, &AccountView { account: &account, asset_count: 0 });
    state.owners[call.caller()?.owner].accounts.push(account);
    Ok(reply)
}

#[derive(Serialize)]
struct AccountList<'a> {
    accounts: Vec<AccountView<'a>>,
}

/// `GET /accounts/get-accounts`.
pub(super) fn list_accounts(state: &mut State, call: &Call<'_>) -> Answer {
    Ok(Reply::json(200, &AccountList { accounts: views(state, call.caller()?.owner) }))
}

/// `GET /assets/get-all-assets`.
pub(super) fn list_supported(_state: &mut State, _call: &Call<'_>) -> Answer {
    let assets = SUPPORTED.map(|(ticker, chain)| json!({"ticker": ticker, "chain": chain}));
    Ok(Success::of(assets).reply())
}

/// `GET /assets/get-chains`.
pub(super) fn list_chains(_state: &mut State, _call: &Call<'_>) -> Answer {
    let mut chains = SUPPORTED.map(|(_, chain)| chain).to_vec();
    chains.sort_unstable();
    chains.dedup();
    Ok(Success::of(chains).reply())
}

#[derive(Deserialize)]
struct NewAsset {
    account_id: Option<String>,
    chain: Option<String>,
    ticker: Option<String>,
}

#[derive(Serialize)]
struct AssetReply<'a> {
    asset: NewWallet<'a>,
}

/// What is shown of a wallet when it is made; lists show the rest.
#[derive(Serialize)]
struct NewWallet<'a> {
    asset_id: &'a str,
    wallet_address: &'a str,
}

/// `POST /assets/add-asset`.
pub(super) fn add_asset(state: &mut State, call: &Call<'_>) -> Answer {
    let body: NewAsset = call.body()?;
    let account_id = body.account_id.ok_or_else(|| Failure::validation("account_id", "is required"))?;
    let chain = body.chain.ok_or_else(|| Failure::validation("chain", "is required"))?;
    let ticker = body.ticker.ok_or_else(|| Failure::validation("ticker", "is required"))?;
    let supported = SUPPORTED.into_iter().find(|known| *known == (ticker.as_str(), chain.as_str()));
    let (ticker, chain) = supported.ok_or_else(|| Failure::validation("ticker", "is not supported on that chain"))?;
    let owner = &mut state.owners[call.caller()?.owner];
    if !owner.accounts.iter().any(|account| account.id == account_id) {
        return Err(Failure::not_found("Account not found"));
    }
    let asset = Asset::new(&account_id, ticker, chain, Decimal::ZERO);
    let wallet = NewWallet { asset_id: &asset.asset_id, wallet_address: &asset.wallet_address };
    let reply = Reply::json(200, &AssetReply { asset: wallet });
    owner.assets.push(asset);
    Ok(reply)
}

#[derive(Deserialize)]
struct NewAssets {
    account_id: Option<String>,
    #[serde(default)]
    chains: Vec<String>,
    tickers: Option<Vec<String>>,
}

/// `POST /assets/batch-add-asset`: every wallet that the chains and tickers allow; all tickers of a chain where none is named.
pub(super) fn batch_add_assets(state: &mut State, call: &Call<'_>) -> Answer {
    let body: NewAssets = call.body()?;
    let account_id = body.account_id.ok_or_else(|| Failure::validation("account_id", "is required"))?;
    let owner = &mut state.owners[call.caller()?.owner];
    if !owner.accounts.iter().any(|account| account.id == account_id) {
        return Err(Failure::not_found("Account not found"));
    }
    let is_wanted = |(ticker, chain): &(&str, &str)| {
        let of_chain = body.chains.iter().any(|wanted| wanted == chain);
        of_chain && body.tickers.as_ref().is_none_or(|tickers| tickers.iter().any(|wanted| wanted == ticker))
    };
    let added: Vec<Asset> = SUPPORTED
        .into_iter()
        .filter(is_wanted)
        .map(|(ticker, chain)| Asset::new(&account_id, ticker, chain, Decimal::ZERO))
        .collect();
    if added.is_empty() {
        return Err(Failure::validation("chains", "hold none of these tickers"));
    }
    let reply = Success::of(&added).reply();
    owner.assets.extend(added);
    Ok(reply)
}

/// `POST /accounts/get-user-accounts`: the caller is the only user who is known here.
pub(super) fn list_user_accounts(state: &mut State, call: &Call<'_>) -> Answer {
    list_accounts(state, call)
}

/// `POST /assets/get-user-assets-by-id`: the same.
pub(super) fn list_user_assets(state: &mut State, call: &Call<'_>) -> Answer {
    let assets = &state.owners[call.caller()?.owner].assets;
    Ok(Success::of(assets).reply())
}

#[derive(Deserialize)]
struct AssetFilter {
    account_id: Option<String>,
}

/// `POST /assets/get-user-assets`.
pub(super) fn list_assets(state: &mut State, call: &Call<'_>) -> Answer {
    let filter: AssetFilter = call.body()?;
    let assets = &state.owners[call.caller()?.owner].assets;
    let wanted = |asset: &&Asset| filter.account_id.as_ref().is_none_or(|account| asset.account_id == *account);
    Ok(Success::of(assets.iter().filter(wanted).collect::<Vec<_>>()).reply())
}

#[derive(Deserialize)]
struct OneAsset {
    asset_id: Option<String>,
}

/// `POST /assets/archive-asset`. The wallet is listed no longer.
pub(super) fn archive_asset(state: &mut State, call: &Call<'_>) -> Answer {
    let body: OneAsset = call.body()?;
    let assets = &mut state.owners[call.caller()?.owner].assets;
    let wanted = |asset: &Asset| body.asset_id.as_ref().is_some_and(|id| asset.asset_id == *id);
    let index = assets.iter().position(wanted).ok_or_else(|| Failure::not_found("Asset not found"))?;
    assets.remove(index);
    Ok(Reply::json(200, &json!({"success": true, "message": "Asset archived"})))
}

/// `POST /balance/check`.
pub(super) fn check_balance(state: &mut State, call: &Call<'_>) -> Answer {
    let body: OneAsset = call.body()?;
    let id = body.asset_id.ok_or_else(|| Failure::validation("asset_id", "is required"))?;
    let asset = state.owners[call.caller()?.owner].assets.iter().find(|asset| asset.asset_id == id);
    Ok(Success::of(asset.ok_or_else(|| Failure::not_found("Asset not found"))?).reply())
}
