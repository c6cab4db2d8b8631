//! What a run would do, in sentences.

use super::account_client::AccountClient;
use crate::task::{Origin, Plan, Preview, Work};

pub(super) fn preview(client: &AccountClient<'_>, plan: &Plan) -> Preview {
    let facts = client.facts();
    let (mut steps, mut warnings) = (Vec::new(), Vec::new());
    let reference = plan.reference.as_deref().unwrap_or_default();
    let scopes = match plan.scopes.as_slice() {
        [] => "the venue's default scopes".to_owned(),
        scopes => format!("the scopes {}", scopes.join(", ")),
    };
    let scopes = match plan.addresses.as_slice() {
        [] => scopes,
        addresses => format!("{scopes}, bound to {}", addresses.join(", ")),
    };
    let scopes = match &plan.old {
        Some(old) if old.restricted => format!("{scopes}, restricted as the key {}", old.id),
        _ => scopes,
    };
    let old = plan.old.as_ref().map(|old| old.id.as_str()).unwrap_or_default();
    match plan.work {
        Work::Create | Work::Rotate => {
            let ours = facts.takes_pairs() && plan.origin != Origin::Venue;
            if ours {
                steps.push(format!("generate a key pair locally and store it as {reference}"));
                steps.push(format!("register its public key as `{}` with {scopes}", plan.label));
            } else {
                steps.push(format!("reserve {reference} in the store"));
                let with = if facts.no_scopes() { String::new() } else { format!(" with {scopes}") };
                steps.push(format!("have the venue generate a key `{}`{with}, and store its secret", plan.label));
            }
            if ours && plan.origin == Origin::Best {
                warnings.push("if the venue refuses the local key pair, it generates the key itself".to_owned());
            }
            steps.push(format!("verify it: {}", facts.check()));
            if plan.work == Work::Rotate {
                steps.push("make it the stored key, and hand it over".to_owned());
            }
        }
        Work::RotateInPlace => {
            steps.push(format!("reserve a place in the store for the new secret of {reference}"));
            steps.push(format!("have the venue replace the secret of the key {old}, and store it"));
            steps.push(format!("verify it: {}", facts.check()));
            steps.push("hand it over".to_owned());
            warnings.push("the venue rejects the old secret at once, before the consumer has the new one".to_owned());
        }
        Work::Revoke => {}
    }
    if matches!(plan.work, Work::Rotate | Work::Revoke) {
        steps.push(format!("revoke the key {old}"));
    }
    match &plan.old {
        Some(old) if old.label.is_some() => {
            steps.push("verify that the venue rejects the old secret, and remove it from the store".to_owned());
        }
        Some(_) => steps.push("check that the account's list no longer has it".to_owned()),
        None => {}
    }
    Preview { steps, warnings }
}
