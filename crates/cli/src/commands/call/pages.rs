//! `--all`: one page after the other.

use std::collections::HashSet;

use venuekit_wire::operation::Page;

use super::send::Sender;
use crate::failure::{Exit, Failure};
use crate::lookup::Found;
use crate::raw_json::RawJson;
use crate::request::{self, RequestBuilder};

/// Asks for all pages, and hands over the items of each. Ends early where the receiver says so.
pub async fn all(
    sender: &Sender<'_>,
    mut given: RequestBuilder,
    mut receive: impl FnMut(Vec<RawJson>) -> bool,
) -> Result<(), Failure> {
    let found = sender.found;
    let Some(page) = found.row.page else { return Err(no_pages(found)) };
    let (Page::Cursor { param, items, .. }
    | Page::Number { param, items, .. }
    | Page::Offset { param, items }
    | Page::After { param, items, .. }) = page;
    note_other_lists(sender, items);
    let mut walk = Pager::new(page, given.value_of(param));
    let mut at = None;
    loop {
        let response =
            sender.send(&given.request(found)?).await.map_err(|failure| broken_off(failure, param, at.as_ref()))?;
        let list = items_of(found, &response, items)?;
        walk.check(&list)?;
        let next = walk.next(&response, &list);
        // What is here is handed over, whatever is wrong with the way on.
        let is_wanted = receive(list);
        match next?.filter(|_| is_wanted) {
            Some(next) => {
                given.replace(found.spec, param, &next);
                at = next.as_text();
            }
            None => return Ok(()),
        }
    }
}

/// How far a list has been walked.
struct Pager {
    page: Page,
    /// The number of the page, or of items that were left out.
    number: i64,
    asked: HashSet<String>,
    before: Vec<RawJson>,
}

impl Pager {
    fn new(page: Page, first: Option<String>) -> Self {
        let start = i64::from(matches!(page, Page::Number { .. }));
        let number = first.as_ref().and_then(|text| text.parse().ok()).unwrap_or(start);
        Self { page, number, asked: first.into_iter().collect(), before: Vec::new() }
    }

    /// A venue that does not obey the parameter would return the same page forever.
    fn check(&mut self, list: &[RawJson]) -> Result<(), Failure> {
        if !matches!(self.page, Page::Number { last: None, .. } | Page::Offset { .. }) {
            return Ok(());
        }
        if !list.is_empty() && self.before == list {
            return Err(endless("a page repeats the items of the page before it"));
        }
        self.before = list.to_vec();
        Ok(())
    }

    /// The position of the next page; none after the last.
    fn next(&mut self, response: &RawJson, items: &[RawJson]) -> Result<Option<RawJson>, Failure> {
        let text = |at: &str| response.at(at).and_then(RawJson::as_text);
        let has_more = match self.page {
            Page::Cursor { next, .. } => {
                let Some(cursor) = text(next).filter(|cursor| !cursor.is_empty()) else { return Ok(None) };
                let is_new = self.asked.insert(cursor);
                return if is_new { Ok(response.at(next).cloned()) } else { Err(endless("the cursor repeats")) };
            }
            Page::Number { last: Some(last), .. } => {
                self.number = self.number.saturating_add(1);
                text(last).and_then(|last| last.parse::<i64>().ok()).is_some_and(|last| self.number <= last)
            }
            Page::Number { last: None, .. } => {
                self.number = self.number.saturating_add(1);
                !items.is_empty()
            }
            Page::Offset { .. } => {
                self.number = self.number.saturating_add(i64::try_from(items.len()).unwrap_or(i64::MAX));
                !items.is_empty()
            }
            Page::After { key, .. } => {
                let last = items.last().and_then(|item| item.at(key)?.as_text()?.parse::<i64>().ok());
                let Some(next) = last.and_then(|last| last.checked_add(1)) else { return Ok(None) };
                if next <= self.number {
                    return Err(endless("a page begins before the one that was requested"));
                }
                self.number = next;
                true
            }
        };
        Ok(has_more.then(|| RawJson::Scalar(self.number.to_string())))
    }
}

fn items_of(found: &Found, response: &RawJson, items: &str) -> Result<Vec<RawJson>, Failure> {
    let failed = |what: &str| {
        let message = format!("{}: `{items}` {what}", found.spec.name);
        Err(Failure::new(Exit::Network, message).code("decode"))
    };
    match response.at(items) {
        Some(RawJson::List(items)) => Ok(items.clone()),
        Some(RawJson::Scalar(raw)) if raw == "null" => Ok(Vec::new()),
        None if !is_required(found, items) && matches!(response, RawJson::Object(_)) => Ok(Vec::new()),
        None => failed("is missing in the response"),
        Some(_) => failed("in the response is not a list"),
    }
}

/// Whether the spec says that a response always has its list. Some venues leave out an empty one.
fn is_required(found: &Found, items: &str) -> bool {
    let first = items.split('.').next().unwrap_or_default();
    let fields = found.spec.answer.as_ref().map(venuekit_spec::Schema::fields).unwrap_or_default();
    fields.iter().any(|field| field.name == first && field.required)
}

/// Parameters by which a list without a rule for its pages is requested in parts.
const POSITIONS: [&str; 6] = ["page", "offset", "continuation", "cursor", "start_id", "start_timestamp"];

/// `--all` for what has no pages.
pub fn no_pages(found: &Found) -> Failure {
    let known = request::names(found.spec);
    let position = POSITIONS.into_iter().find(|position| known.iter().any(|name| name == position));
    let help = match position {
        Some(position) => format!("ask for one part after the other with {position}=..."),
        None => "omit --all".to_owned(),
    };
    Failure::usage(format!("`{}` has no pages that --all can follow", found.spec.name)).help(help)
}

/// What is left out must not look like all that there is.
fn note_other_lists(sender: &Sender<'_>, items: &str) {
    let fields = sender.found.spec.answer.as_ref().map(venuekit_spec::Schema::fields).unwrap_or_default();
    let others: Vec<&str> = fields
        .iter()
        .filter(|field| field.schema.types().contains("array") && field.name != items)
        .map(|field| field.name.as_str())
        .collect();
    if !others.is_empty() {
        sender.context.out().note(&format!("note: --all lists {items}; the response also has {}", others.join(", ")));
    }
}

/// Where to go on after a page that did not come.
fn broken_off(failure: Failure, param: &str, at: Option<&String>) -> Failure {
    let Some(at) = at else { return failure };
    let advice = failure.advice().map(|advice| format!("{advice}\n")).unwrap_or_default();
    failure.help(format!("{advice}{param}={at} continues from here")).detail("next", at.as_str())
}

fn endless(what: &str) -> Failure {
    Failure::new(Exit::Network, format!("{what}: the pages do not end")).code("decode")
}
