//! A key that is changed: its name, its scopes, the addresses that it may be used from.

use std::collections::BTreeSet;

use venuekit_wire::key_lifecycle::{EditKey, TextsForm};
use venuekit_wire::operation::{ErrorKind, Operation};

use super::list::Listed;
use super::request::Request;
use super::{SessionKeys, no_key};
use crate::error::Error;
use crate::keys::{KeyEdit, KeyInfo};

impl SessionKeys<'_> {
    /// Makes the calls of the table, and returns the key as the venue shows it afterwards.
    pub(super) async fn change(&self, id: &str, edit: &KeyEdit) -> Result<KeyInfo, Error> {
        self.check_environment()?;
        let venue = self.venue();
        if self.rules.edit.is_empty() {
            return Err(Error::invalid_request(format!(
                "{venue} has no call that changes a key: create a new key, then revoke this one"
            )));
        }
        if edit.is_empty() {
            return Err(Error::invalid_request("the change is empty: set scopes, addresses or a name"));
        }
        let known = self.shown(id).await?;
        let calls = self.calls_for(&known)?;
        self.check(&calls, edit)?;
        let mut last = None;
        for call in calls {
            match (self.send_change(call, edit, &known).await, last) {
                (Ok(row), _) => last = row.or(last),
                // The same change with a one-time code repeats what was done.
                (Err(error), Some(row)) if error.kind() != ErrorKind::Challenge => {
                    let why = error.message();
                    let message = format!(
                        "the venue has accepted a part of the change of the key `{id}`, and not the rest: {why}"
                    );
                    return Err(Error::incomplete(row, message));
                }
                (Err(error), _) => return Err(error),
            }
        }
        let Some(row) = last else { return Ok(known.info) };
        // The responses repeat what was sent, or say nothing: what the venue shows from now on counts.
        let shown = match self.shown(id).await {
            Ok(shown) => shown.info,
            Err(error) => {
                let why = error.message();
                let message =
                    format!("the venue has accepted the change of the key `{id}`, and does not show it: {why}");
                return Err(Error::incomplete(row, message));
            }
        };
        match self.differences(edit, &shown) {
            differences if differences.is_empty() => Ok(shown),
            differences => {
                let differences = differences.join("; ");
                let message = format!("the venue has accepted the change of the key `{id}`, and shows {differences}");
                Err(Error::incomplete(row, message))
            }
        }
    }

    /// Makes one of the calls, if something of it is to change. Returns its operation.
    async fn send_change(
        &self,
        call: &EditKey,
        edit: &KeyEdit,
        known: &Listed,
    ) -> Result<Option<&'static Operation>, Error> {
        let Some(request) = self.changing(call, edit, known).await? else { return Ok(None) };
        let row = request.row();
        request.send_unread(self.session, call.returns).await?;
        Ok(Some(row))
    }

    /// A key with all that the venue shows of it.
    async fn shown(&self, id: &str) -> Result<Listed, Error> {
        let found = self.listed(&self.reading()).await?.into_iter().find(|one| one.info.id == id);
        let mut found = found.ok_or_else(|| no_key(format!("the account has no key `{id}`")))?;
        found.info = self.with_detail(found.info).await?;
        Ok(found)
    }

    /// The calls for this key. Those for a key of a sub-account name the key; the calling key may have others that do not.
    fn calls_for(&self, known: &Listed) -> Result<Vec<&'static EditKey>, Error> {
        let names_key = self.rules.list.sub_account.is_none() || known.info.sub_account.is_some();
        let calls: Vec<&EditKey> = self.rules.edit.iter().filter(|call| call.id.is_some() == names_key).collect();
        if calls.is_empty() { Err(self.not_of_sub_account(&known.info.id, "change")) } else { Ok(calls) }
    }

    /// Refuses what no call can change, before anything is sent.
    fn check(&self, calls: &[&EditKey], edit: &KeyEdit) -> Result<(), Error> {
        let refuse = |what: &str| Err(Error::invalid_request(format!("{} cannot change {what}", self.venue())));
        let has = |is_field: fn(&EditKey) -> bool| calls.iter().any(|call| is_field(call));
        if edit.name.is_some() && !has(|call| call.name.is_some()) {
            return refuse("the name of this key");
        }
        if edit.scopes.is_some() && !has(|call| call.scopes.is_some()) {
            return refuse("the scopes of this key");
        }
        let is_flags = |call: &&EditKey| call.scopes.is_some_and(|scopes| scopes.form == TextsForm::Flags);
        if edit.scopes.as_ref().is_some_and(Vec::is_empty) && !calls.iter().any(is_flags) {
            return Err(Error::invalid_request("a key needs a scope: to end it, revoke it"));
        }
        match &edit.addresses {
            Some(_) if !has(|call| call.addresses.is_some()) => refuse("the addresses of this key"),
            Some(all) if all.is_empty() && !has(|call| !call.unbound.is_empty()) => {
                refuse("this key so that any address may use it")
            }
            _ => Ok(()),
        }
    }

    /// The request of a call, if something of it is to change.
    async fn changing(&self, call: &EditKey, edit: &KeyEdit, known: &Listed) -> Result<Option<Request>, Error> {
        let mut request = Request::new(self.session, call.operation)?;
        if let Some(removes) = call.removes {
            let wanted = match &edit.addresses {
                // A key that is to be bound to none needs no removal.
                Some(wanted) if !wanted.is_empty() => wanted,
                _ => return Ok(None),
            };
            // An earlier call may have replaced the list, or added to it.
            let mut left = self.shown(&known.info.id).await?.info.addresses;
            left.retain(|address| !wanted.contains(address));
            if left.is_empty() {
                return Ok(None);
            }
            request.set_texts(removes, &left)?;
        } else {
            let name = edit.name.as_ref().filter(|_| call.name.is_some());
            let scopes = edit.scopes.as_ref().filter(|_| call.scopes.is_some());
            let addresses = edit.addresses.as_ref().filter(|_| call.addresses.is_some());
            if name.is_none() && scopes.is_none() && addresses.is_none() {
                return Ok(None);
            }
            if let Some(field) = call.name
                && let Some(name) = name.or(known.info.name.as_ref().filter(|_| field.is_required))
            {
                request.set(field, name)?;
            }
            if let Some(field) = call.scopes {
                match scopes {
                    Some(scopes) if field.form == TextsForm::Flags => request.set_all_flags(field.fields, scopes)?,
                    Some(scopes) => request.set_texts(field, scopes)?,
                    None if field.fields.iter().any(|field| field.is_required) => {
                        request.set_texts(field, &known.info.scopes)?;
                    }
                    None => {}
                }
            }
            if let Some(field) = call.addresses {
                let stay = (call.always_addresses || field.fields.iter().any(|field| field.is_required))
                    .then_some(&known.info.addresses);
                match addresses.or(stay) {
                    Some(none) if none.is_empty() => {
                        call.unbound.iter().for_each(|(name, value)| request.set_json(name, value));
                    }
                    Some(addresses) => request.set_texts(field, addresses)?,
                    None => {}
                }
            }
        }
        for (field, place) in call.copies {
            if let Some(value) = known.entry.pointer(place).filter(|value| !value.is_null()) {
                request.copy(*field, value);
            }
        }
        if let Some(field) = call.id {
            request.set(field, &known.info.id)?;
        }
        if let (Some(field), Some(account)) = (call.sub_account, &known.info.sub_account) {
            request.set(field, account)?;
        }
        Ok(Some(request))
    }

    /// How the key that the venue shows differs from what was asked for.
    fn differences(&self, edit: &KeyEdit, shown: &KeyInfo) -> Vec<String> {
        let entry = &self.rules.list.entry;
        let mut found = Vec::new();
        if let Some(name) = edit.name.as_ref().filter(|name| shown.name.as_ref() != Some(name)) {
            found.push(format!("the name `{}` in place of `{name}`", shown.name.as_deref().unwrap_or_default()));
        }
        let is_shown = |scope: &&String| {
            entry.scopes_form != TextsForm::Flags
                || entry.scopes.iter().any(|place| place.strip_prefix('/') == Some(scope.as_str()))
        };
        let mut compare = |what: &str, wanted: BTreeSet<&String>, shown: &[String]| {
            let shown: BTreeSet<&String> = shown.iter().collect();
            if wanted != shown {
                let list = |texts: BTreeSet<&String>| texts.into_iter().cloned().collect::<Vec<_>>().join(", ");
                found.push(format!("the {what} [{}] in place of [{}]", list(shown), list(wanted)));
            }
        };
        if let Some(scopes) = &edit.scopes {
            compare("scopes", scopes.iter().filter(is_shown).collect(), &shown.scopes);
        }
        if let Some(addresses) = &edit.addresses {
            compare("addresses", addresses.iter().collect(), &shown.addresses);
        }
        found
    }
}
