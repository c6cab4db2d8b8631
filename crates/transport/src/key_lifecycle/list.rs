//! Lists of keys and of sub-accounts, with all their pages.

use serde_json::Value;
use venuekit_wire::key_lifecycle::{Field, KeyCall};
use venuekit_wire::operation::Page;

use super::SessionKeys;
use super::entry::{described, info, text_at};
use super::request::{Answer, Request};
use crate::error::Error;
use crate::keys::KeyInfo;
use crate::session::Session;

/// The most pages that are read: no account has as many keys.
const PAGES: usize = 1000;

/// A key of a list, and its entry there.
pub(super) struct Listed {
    pub(super) info: KeyInfo,
    pub(super) entry: Value,
}

/// A list, and where it is.
struct List<'a> {
    operation: &'static str,
    with: &'static [(&'static str, &'static str)],
    of: Option<(Field, &'a str)>,
    at: &'static [&'static str],
    total: Option<&'static str>,
    what: &'static str,
}

impl SessionKeys<'_> {
    /// The sub-accounts whose keys are managed.
    ///
    /// # Errors
    /// The venue's refusal.
    pub async fn sub_accounts(&self) -> Result<Vec<String>, Error> {
        let Some(all) = self.rules.sub_accounts else { return Ok(Vec::new()) };
        self.check_environment()?;
        let (operation, with, at, what) = (all.operation, all.with, all.at, "list of sub-accounts");
        let list = List { operation, with, of: None, at, total: None, what };
        let mut found = Vec::new();
        let visit = |answer: &Answer, entries: &[Value]| {
            for one in entries {
                found.push(text_at(one, all.id).ok_or_else(|| answer.lacks("id of a sub-account"))?);
            }
            Ok(())
        };
        list.read(&self.reading(), visit).await.map(|()| found)
    }

    /// The account's keys, and the one that asks.
    pub(super) async fn listed(&self, session: &Session) -> Result<Vec<Listed>, Error> {
        self.check_environment()?;
        let mut found = Vec::new();
        match self.rules.list.sub_account {
            None => self.list_of(session, None, &mut found).await?,
            Some(field) => {
                for account in self.sub_accounts().await? {
                    self.list_of(session, Some((field, &account)), &mut found).await?;
                }
            }
        }
        if let Some(own) = self.listed_own(session).await? {
            let has_id = self.rules.own.is_some_and(|rules| !rules.entry.id.is_empty());
            match found.iter_mut().find(|one| one.info.id == own.info.id) {
                Some(listed) if has_id => *listed = own,
                // The list says more than a response without an id.
                Some(_) => {}
                None => found.insert(0, own),
            }
        }
        Ok(found)
    }

    async fn list_of(
        &self,
        session: &Session,
        of: Option<(Field, &str)>,
        found: &mut Vec<Listed>,
    ) -> Result<(), Error> {
        let rules = &self.rules.list;
        let (operation, with, at, total) = (rules.operation, rules.with, rules.at, rules.total);
        let list = List { operation, with, of, at, total, what: "list of keys" };
        let visit = |answer: &Answer, entries: &[Value]| {
            for entry in entries {
                // A caller that looks for a key in the list must not take one that cannot be read for one that does not exist.
                let mut info =
                    info(&rules.entry, entry).ok_or_else(|| answer.incomplete("the list holds a key without an id"))?;
                info.sub_account = of.map(|(_, account)| account.to_owned());
                found.push(Listed { info, entry: entry.clone() });
            }
            Ok(())
        };
        list.read(session, visit).await
    }

    /// The key that asks. Where the response shows no id, it has that of the caller.
    pub(super) async fn listed_own(&self, session: &Session) -> Result<Option<Listed>, Error> {
        let Some(own) = self.rules.own else { return Ok(None) };
        let answer = Request::new(session, own.operation)?.send(session).await?;
        let found = answer.value.pointer(own.at).filter(|found| found.is_object());
        let entry = found.ok_or_else(|| answer.lacks("key that asks"))?.clone();
        if !own.entry.id.is_empty() {
            let info = info(&own.entry, &entry).ok_or_else(|| answer.lacks("id of the key that asks"))?;
            return Ok(Some(Listed { info, entry }));
        }
        let Some(id) = session.caller_id() else { return Ok(None) };
        let mut info = described(&own.entry, &entry, id.clone());
        info.public_id = Some(id);
        Ok(Some(Listed { info, entry }))
    }

    /// A key of the list with the addresses that a call about it alone shows, where the venue's list leaves them out.
    ///
    /// # Errors
    /// The venue's refusal.
    pub async fn with_detail(&self, mut info: KeyInfo) -> Result<KeyInfo, Error> {
        let Some(KeyCall { operation, id, sub_account, .. }) = self.rules.list.detail else { return Ok(info) };
        let session = self.reading();
        let mut request = Request::new(&session, operation)?;
        match (sub_account, &info.sub_account) {
            (Some(field), Some(account)) => request.set(field, account)?,
            // The key that asks, which the list leaves out.
            (Some(_), None) => return Ok(info),
            (None, _) => {}
        }
        request.set(id, &info.id)?;
        let answer = request.send(&session).await?;
        let shown = described(&self.rules.list.entry, &answer.value, info.id.clone());
        if info.addresses.is_empty() {
            info.addresses = shown.addresses;
            info.restrictions.extend(shown.restrictions);
        }
        Ok(info)
    }
}

impl List<'_> {
    /// Reads all pages, and passes the entries of each.
    async fn read(
        &self,
        session: &Session,
        mut visit: impl FnMut(&Answer, &[Value]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (mut read, mut cursor, mut before) = (0, None::<String>, Vec::new());
        for number in 1..=PAGES {
            let mut request = Request::new(session, self.operation)?;
            for (name, value) in self.with {
                request.set_named(name, value);
            }
            if let Some((field, account)) = self.of {
                request.set(field, account)?;
            }
            let page = request.row().page;
            match (page, &cursor) {
                (Some(Page::Cursor { param, .. }), Some(cursor)) => request.set_named(param, cursor),
                (Some(Page::Number { param, .. }), _) if number > 1 => request.set_named(param, &number.to_string()),
                (Some(Page::Offset { param, .. }), _) if number > 1 => request.set_named(param, &read.to_string()),
                _ => {}
            }
            let answer = request.send(session).await?;
            let entries = answer.list(self.at).ok_or_else(|| answer.lacks(self.what))?;
            read += entries.len() as u64;
            visit(&answer, entries)?;
            let total = self.total.and_then(|at| answer.value.pointer(at)?.as_u64());
            let next = match page {
                Some(Page::Cursor { next, end, .. }) => {
                    answer.dotted(next).filter(|one| Some(one.as_str()) != end && !one.is_empty())
                }
                _ => None,
            };
            let is_counted = matches!(page, Some(Page::Number { .. } | Page::Offset { .. }));
            let has_more = is_counted && !entries.is_empty() && total.is_none_or(|total| read < total);
            if next.is_none() && !has_more {
                // A caller that looks for a key must not take a partial list for a complete one.
                return match total.filter(|total| *total > read) {
                    Some(total) => Err(answer.incomplete(format!("the response shows {read} of {total} keys"))),
                    None => Ok(()),
                };
            }
            if next.is_some() && cursor == next {
                return Err(answer.incomplete("the cursor repeats: the list would never end"));
            }
            if has_more && before == *entries {
                return Err(answer.incomplete("a page repeats: the list would never end"));
            }
            if number == PAGES {
                return Err(answer.incomplete(format!("the list has more than {PAGES} pages")));
            }
            before.clone_from(entries);
            cursor = next;
        }
        Ok(())
    }
}
