//! Sub-accounts of a master, and what they hold.

use serde_json::{Value, json};

use super::account::coins;
use super::keys::sub_account;
use super::members::Members;
use super::read::Given;
use super::reply::Refusal;
use super::symbols::eight;
use super::trading::Trading;
use crate::make::random_text;

type Outcome = Result<Value, Refusal>;

/// Makes a sub-account. Its email is generated.
pub(super) fn create(members: &mut Members, master: usize, given: &Given, now: i64) -> Outcome {
    let text = given.required("subAccountString")?;
    if text.len() > 20 || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Refusal::invalid("subAccountString"));
    }
    let email = format!("{}_virtual@{}noemail.com", text.to_lowercase(), random_text(8).to_lowercase());
    members.add(email.clone(), Some(master), now);
    Ok(json!({"email": email}))
}

pub(super) fn list(members: &Members, master: usize, given: &Given) -> Outcome {
    let (skipped, limit) = given.page("page", "limit", (1, 200))?;
    let wanted = given.text("email");
    let is_frozen = given.flag("isFreeze")?.unwrap_or(false);
    let own = members
        .sub_accounts(master)
        .filter(|member| !is_frozen && wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(&member.email)));
    let shown = own.skip(skipped).take(limit).map(|member| {
        json!({
            "subUserId": member.uid,
            "email": member.email,
            "remark": "",
            "isFreeze": false,
            "createTime": member.created,
            "isManagedSubAccount": false,
            "isAssetManagementSubAccount": false,
        })
    });
    Ok(json!({"subAccounts": shown.collect::<Vec<Value>>()}))
}

pub(super) fn assets(members: &Members, trading: &Trading, master: usize, given: &Given) -> Outcome {
    let member = sub_account(members, master, given, "email")?;
    let none = eight(rust_decimal::Decimal::ZERO);
    let balances = coins(trading).into_iter().filter_map(|coin| {
        let (free, locked) = trading.balance(&members.all, member, coin);
        let shown = json!({
            "asset": coin,
            "free": eight(free),
            "locked": eight(locked),
            "freeze": none,
            "withdrawing": none,
        });
        (!free.is_zero() || !locked.is_zero()).then_some(shown)
    });
    Ok(json!({"balances": balances.collect::<Vec<Value>>()}))
}
