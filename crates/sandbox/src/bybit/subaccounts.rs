//! Sub-accounts: made, listed, frozen and deleted by their master.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};

use super::members::{Member, Members};
use super::read::Given;
use super::reply::{Outcome, Refusal};
use super::trading::Trading;

const MOST_LISTED: usize = 1000;
/// A sub-account with assets of more dollars than this cannot be deleted.
const TRIFLE: Decimal = dec!(0.001);

pub(super) fn create(members: &mut Members, caller: usize, given: &Given) -> Result<Outcome, Refusal> {
    let master = members.keys[caller].member;
    let name = given.required("username")?;
    let (letters, digits) =
        (name.chars().any(|one| one.is_ascii_alphabetic()), name.chars().any(|one| one.is_ascii_digit()));
    if !(6..=16).contains(&name.len()) || !name.chars().all(|one| one.is_ascii_alphanumeric()) || !letters || !digits {
        return Err(Refusal::params("username must have 6 to 16 letters and digits, and both of them"));
    }
    if let Some(password) = given.text("password")
        && !is_password(password)
    {
        return Err(Refusal::params("password must have 8 to 30 characters: digits, capitals and small letters"));
    }
    // The name of a deleted one is not free again.
    if members.all.iter().any(|member| member.name.eq_ignore_ascii_case(name)) {
        return Err(Refusal::new(31005, "username already exists"));
    }
    let kind = given.integer("memberType")?.ok_or_else(|| Refusal::params("memberType is required"))?;
    if ![1, 6].contains(&kind) {
        return Err(Refusal::params("memberType must be 1 or 6"));
    }
    let mut member = Member::new(members.uid(), name.to_owned(), Some(master));
    member.kind = kind;
    given.text("note").unwrap_or_default().clone_into(&mut member.remark);
    let result = json!({
        "uid": member.uid.to_string(), "username": member.name, "memberType": kind, "status": 1,
        "remark": member.remark,
    });
    members.all.push(member);
    Ok(Outcome::silent(result))
}

/// All of them, at most a thousand.
pub(super) fn list(members: &Members, caller: usize) -> Outcome {
    let own = members.subs(members.keys[caller].member).take(MOST_LISTED);
    let own: Vec<Value> = own.map(|(_, member)| show(member)).collect();
    Outcome::silent(json!({"subMembers": own}))
}

/// A page of them. The last one has the cursor 0.
pub(super) fn page(members: &Members, caller: usize, given: &Given) -> Result<Outcome, Refusal> {
    let size = given.integer("pageSize")?.unwrap_or(100);
    let size = usize::try_from(size).ok().filter(|size| (1..=100).contains(size));
    let size = size.ok_or_else(|| Refusal::params("pageSize must be between 1 and 100"))?;
    let after = given.integer("nextCursor")?.unwrap_or_default();
    let mut rest = members.subs(members.keys[caller].member).filter(|(_, member)| member.uid > after).peekable();
    let own: Vec<&Member> = rest.by_ref().take(size).map(|(_, member)| member).collect();
    let last = own.last().map_or(0, |member| member.uid);
    let next = if rest.peek().is_some() { last } else { 0 };
    let own: Vec<Value> = own.into_iter().map(show).collect();
    Ok(Outcome::silent(json!({"subMembers": own, "nextCursor": next.to_string()})))
}

pub(super) fn freeze(members: &mut Members, caller: usize, given: &Given) -> Result<Outcome, Refusal> {
    let uid = given.integer("subuid")?.ok_or_else(|| Refusal::params("subuid is required"))?;
    let member = own(members, caller, uid)?;
    let frozen = match given.integer("frozen")? {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(Refusal::params("frozen must be 0 or 1")),
    };
    members.all[member].frozen = frozen;
    Ok(Outcome::silent(json!({})))
}

fn is_password(text: &str) -> bool {
    let has = |is_one: fn(&char) -> bool| text.chars().any(|one| is_one(&one));
    (8..=30).contains(&text.len())
        && has(char::is_ascii_digit)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_uppercase)
}

/// Deletes one, and all of its keys. One that holds more than a trifle stays.
pub(super) fn delete(
    members: &mut Members,
    trading: &Trading,
    caller: usize,
    given: &Given,
) -> Result<Outcome, Refusal> {
    let uid = given.integer("subMemberId")?.ok_or_else(|| Refusal::params("subMemberId is required"))?;
    let member = own(members, caller, uid)?;
    let holder = &members.all[member];
    let unified = holder.unified.iter().map(|(coin, own)| own.wallet * trading.dollars(coin));
    let funding = holder.funding.iter().map(|(coin, own)| *own * trading.dollars(coin));
    if unified.chain(funding).sum::<Decimal>() > TRIFLE {
        return Err(Refusal::params("the sub-account still holds assets"));
    }
    members.all[member].deleted = true;
    members.keys.retain(|key| key.member != member);
    Ok(Outcome::silent(json!({})))
}

/// The kinds of wallets that accounts have.
pub(super) fn wallets(members: &Members, caller: usize, given: &Given) -> Result<Outcome, Refusal> {
    let own = members.keys[caller].member;
    let meant: Vec<usize> = match given.text("memberIds") {
        None => vec![own],
        Some(ids) => {
            let one = |id: &str| id.trim().parse().ok().and_then(|uid| members.relative(own, uid));
            let found: Option<Vec<usize>> = ids.split(',').map(one).collect();
            found.ok_or_else(|| Refusal::params("memberIds: no such account"))?
        }
    };
    let account =
        |member: usize| json!({"uid": members.all[member].uid.to_string(), "accountType": ["FUND", "UNIFIED"]});
    Ok(Outcome::silent(json!({"accounts": meant.into_iter().map(account).collect::<Vec<_>>()})))
}

fn own(members: &Members, caller: usize, uid: i64) -> Result<usize, Refusal> {
    members.sub(members.keys[caller].member, uid).ok_or_else(|| Refusal::params("no such sub-account"))
}

fn show(member: &Member) -> Value {
    json!({
        "uid": member.uid.to_string(), "username": member.name, "memberType": member.kind,
        "status": if member.frozen { 4 } else { 1 }, "accountMode": 5, "remark": member.remark,
    })
}
