//! Security keys: a marked method answers with a challenge first, and is carried out when called again with a code.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::error::Error;
use super::params::Params;
use super::state::{Outcome, Session, State, done};

const CHALLENGE_MILLIS: i64 = 60_000;
/// So many wrong codes in a row lock the account's second factor.
const MAX_FAILURES: u32 = 5;
const LOCK_MILLIS: i64 = 60_000;

/// The challenges that wait for a code, and how often each account got one wrong.
#[derive(Default)]
pub(super) struct Challenges {
    open: HashMap<String, Challenge>,
    failures: HashMap<usize, Failures>,
}

struct Challenge {
    account: usize,
    method: &'static str,
    params: BTreeMap<String, String>,
    expires_at: i64,
    used: bool,
}

#[derive(Default)]
struct Failures {
    in_a_row: u32,
    locked_until: i64,
}

/// What a marked method does next.
pub(super) enum Step {
    /// The code was right, or the account has no second factor.
    Go,
    /// Answer with this and wait for the code.
    Ask(Outcome),
}

/// Checks the second factor of one call.
pub(super) fn check(
    state: &mut State,
    session: &Session,
    method: &'static str,
    params: &Params,
) -> Result<Step, Error> {
    let Some(expected) = state.accounts[session.account].totp_code.clone() else { return Ok(Step::Go) };
    let now = state.now();
    let params_without = params.texts_without(&["authorization_data", "challenge"]);
    let Some(name) = params.text("challenge")? else {
        return Ok(Step::Ask(ask(state, session.account, method, params_without)));
    };
    let refused = |reason: &'static str| Error::new(Error::SECURITY_KEY).because(reason);

    let failures = state.challenges.failures.entry(session.account).or_default();
    if now < failures.locked_until {
        let wait = (failures.locked_until - now + 999) / 1000;
        return Err(Error::new(Error::SECURITY_KEY_OVER_LIMIT).wait(wait));
    }
    let code = params.text("authorization_data")?.ok_or_else(|| refused("tfa_code_is_required"))?;
    let challenge = state.challenges.open.get_mut(&name).filter(|challenge| {
        challenge.account == session.account
            && challenge.method == method
            && challenge.params == params_without
            && now < challenge.expires_at
    });
    let challenge = challenge.ok_or_else(|| refused("challenge_timeout"))?;
    if challenge.used {
        return Err(refused("used_tfa_code"));
    }
    if code != expected {
        // After an error the caller starts again with a new challenge.
        state.challenges.open.remove(&name);
        failures.in_a_row += 1;
        if failures.in_a_row >= MAX_FAILURES {
            *failures = Failures { in_a_row: 0, locked_until: now + LOCK_MILLIS };
        }
        return Err(refused("tfa_code_not_matched"));
    }
    challenge.used = true;
    failures.in_a_row = 0;
    Ok(Step::Go)
}

fn ask(state: &mut State, account: usize, method: &'static str, params: BTreeMap<String, String>) -> Outcome {
    let now = state.now();
    let name = STANDARD.encode(rand::random::<[u8; 32]>());
    let open = &mut state.challenges.open;
    open.retain(|_, challenge| now < challenge.expires_at);
    open.insert(name.clone(), Challenge { account, method, params, expires_at: now + CHALLENGE_MILLIS, used: false });
    done(&json!({
        "security_key_authorization_required": true,
        "security_keys": [{"type": "tfa", "name": "tfa"}],
        "rp_id": "test.deribit.com",
        "challenge": name,
    }))
}
