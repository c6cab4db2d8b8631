//! Our spec against a vendor's document, by meaning: what differs for somebody who calls.

use std::collections::{BTreeMap, BTreeSet};

use super::fields;
use super::finding::{Change, Drift};
use super::parameters;
use crate::judgement::Judgement;
use crate::surface::pairs::{Direction, Pairs, Root};
use crate::surface::vendor::Vendor;
use crate::surface::{Channel, Message, Operation, Surface, TypeId, Use, channel_key, fits};

/// How much was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Operations that both documents have.
    pub operations: usize,
    /// Channels that both documents have.
    pub channels: usize,
    /// Members and parameters of ours that were held against the vendor's.
    pub fields: usize,
}

/// A comparison that is being made.
pub struct Comparison<'a> {
    pub(super) ours: &'a Surface,
    pub(super) theirs: &'a Surface,
    pub(super) found: Vec<Drift>,
    pub(super) roots: Vec<Root>,
    /// Types of ours that the vendor has as one: messages that only a member's value distinguishes.
    siblings: Vec<BTreeSet<TypeId>>,
    pub(super) extent: Extent,
}

/// Every difference, and how much was compared.
pub fn compare(ours: &Surface, vendor: &Vendor) -> (Vec<Drift>, Extent) {
    let prefixes: BTreeSet<String> = ours.prefixes.union(&vendor.surface.prefixes).cloned().collect();
    let (ours, theirs) = (ours.clone().without_prefixes(&prefixes), vendor.surface.clone().without_prefixes(&prefixes));
    let mut comparison = Comparison {
        ours: &ours,
        theirs: &theirs,
        found: Vec::new(),
        roots: Vec::new(),
        siblings: Vec::new(),
        extent: Extent::default(),
    };
    if vendor.calls {
        comparison.operations();
    }
    if vendor.streams {
        comparison.channels();
    }
    let pairs = Pairs::of(&ours, &theirs, &comparison.roots);
    fields::compare(&mut comparison, &pairs);
    let Comparison { found, extent, .. } = comparison;
    (joined(found), extent)
}

/// One finding for what was found several times, such as in requests and in responses.
fn joined(found: Vec<Drift>) -> Vec<Drift> {
    let mut all: BTreeMap<(&'static str, String), Drift> = BTreeMap::new();
    for mut drift in found {
        let Some(known) = all.get_mut(&(drift.rule, drift.place.clone())) else {
            all.insert((drift.rule, drift.place.clone()), drift);
            continue;
        };
        known.users.append(&mut drift.users);
        if drift.judgement > known.judgement {
            std::mem::swap(&mut known.message, &mut drift.message);
            std::mem::swap(&mut known.change, &mut drift.change);
            known.judgement = drift.judgement;
        }
        // What the other one says more.
        let more = drift.message.split_once(": ").map_or(drift.message.as_str(), |(_, more)| more);
        if !known.message.contains(more) {
            known.message = format!("{}; {more}", known.message);
        }
    }
    let mut all: Vec<Drift> = all.into_values().collect();
    all.sort_by(|one, other| {
        let key = |drift: &Drift| (drift.rule, drift.place.clone());
        other.judgement.cmp(&one.judgement).then_with(|| key(one).cmp(&key(other)))
    });
    all
}

impl Comparison<'_> {
    #[expect(clippy::too_many_arguments, reason = "a finding has that many parts")]
    pub(super) fn find(
        &mut self,
        rule: &'static str,
        place: impl Into<String>,
        judgement: Judgement,
        message: impl Into<String>,
        at: &str,
        users: BTreeSet<String>,
        change: Option<Change>,
    ) {
        let (place, message) = (place.into(), message.into());
        self.found.push(Drift { rule, place, message, judgement, at: at.to_owned(), users, change });
    }

    fn operations(&mut self) {
        let (ours, theirs) = (self.ours, self.theirs);
        let missing = ours.operations.iter().filter(|(key, _)| !theirs.operations.contains_key(*key));
        let missing: Vec<&Operation> = missing.map(|(_, operation)| operation).collect();
        let mut moved: BTreeSet<&String> = BTreeSet::new();
        for operation in missing {
            let is_new = |(other, found): &(&String, &Operation)| {
                !ours.operations.contains_key(*other) && !found.earlier && same_name(&found.name, &operation.name)
            };
            let place = operation.name.as_str();
            match theirs.operations.iter().find(is_new) {
                Some((other, found)) => {
                    moved.insert(other);
                    let message = format!("the vendor has it at `{}`, our spec at `{}`", found.call, operation.call);
                    self.find("moved-operation", place, Judgement::Breaking, message, &operation.at, one(place), None);
                    self.operation(operation, found);
                }
                None => {
                    let message = format!("the vendor does not list `{}` any more", operation.call);
                    self.find(
                        "removed-operation",
                        place,
                        Judgement::Breaking,
                        message,
                        &operation.at,
                        one(place),
                        None,
                    );
                }
            }
        }
        for (key, found) in &theirs.operations {
            if !ours.operations.contains_key(key) && !moved.contains(key) && !found.earlier {
                let name = if found.name.is_empty() { &found.call } else { &found.name };
                let old = if found.deprecated { "; it is deprecated already" } else { "" };
                let message = format!("`{}` is new{old}", found.call);
                self.find("new-operation", name, Judgement::Addition, message, "", BTreeSet::new(), None);
            }
        }
        for (key, operation) in &ours.operations {
            if let Some(found) = theirs.operations.get(key) {
                self.operation(operation, found);
            }
        }
    }

    fn operation(&mut self, ours: &Operation, theirs: &Operation) {
        self.extent.operations += 1;
        let place = ours.name.as_str();
        if theirs.deprecated && !ours.deprecated {
            let message = "the vendor marks it as deprecated";
            self.find("deprecated", place, Judgement::Docs, message, &ours.at, one(place), None);
        }
        if let (Some(signed), Some(theirs)) = (ours.signed, theirs.signed.filter(|_| self.theirs.knows_access))
            && signed != theirs
        {
            let (judgement, message) = if theirs {
                (Judgement::Breaking, "the vendor asks for a credential, and our spec says that anybody may call")
            } else {
                (Judgement::Addition, "the vendor lets anybody call, and our spec asks for a credential")
            };
            self.find("access", place, judgement, message, &ours.at, one(place), None);
        }
        let exact =
            |status: &Option<String>| status.clone().filter(|status| status.bytes().all(|byte| byte.is_ascii_digit()));
        if let (Some(own), Some(other)) = (exact(&ours.success), exact(&theirs.success))
            && own != other
        {
            let message = format!("a good response has {other}, our spec says {own}");
            self.find("status", place, Judgement::Behaviour, message, &ours.at, one(place), None);
        }
        parameters::compare(self, ours, theirs);
        if !parameters::is_form(ours, theirs) {
            self.body(ours, ours.body, theirs.body, Direction::Request);
        }
        match theirs.result {
            // A body of which nothing is described is compared no further.
            Some(result) if self.says_nothing(result) => {}
            result => self.body(ours, ours.result, result, Direction::Response),
        }
    }

    /// Whether neither a type of ours nor one that the vendor has with it as one has a member.
    pub(super) fn is_unknown(&self, id: TypeId, name: &str) -> bool {
        let has = |id: &TypeId| self.ours.of(*id).field(name).is_some();
        let siblings = self.siblings.iter().filter(|all| all.contains(&id)).flatten();
        !has(&id) && !siblings.into_iter().any(has)
    }

    fn says_nothing(&self, value: Use) -> bool {
        let kind = self.theirs.at(value);
        let lists_none = self.theirs.knows_bodies && kind.lists_members && !kind.open;
        !lists_none && kind.is_opaque() && (kind.kinds.is_any() || kind.kinds == crate::surface::Kinds::OBJECT)
    }

    fn body(&mut self, operation: &Operation, ours: Option<Use>, theirs: Option<Use>, direction: Direction) {
        let place = operation.name.as_str();
        let which = if direction == Direction::Request { "request" } else { "response" };
        match (ours, theirs) {
            (Some(one), Some(other)) => {
                self.roots.push(Root {
                    one,
                    other,
                    direction,
                    user: place.to_owned(),
                    place: format!("{place} {which}"),
                });
                fields::kinds(
                    self,
                    &format!("{place} {which}"),
                    one,
                    other,
                    direction,
                    &operation.at,
                    &BTreeSet::from([place.to_owned()]),
                );
            }
            (None, Some(other)) if !self.says_nothing(other) => {
                let judgement = if direction == Direction::Request { Judgement::Breaking } else { Judgement::Addition };
                let message = format!("the vendor's {which} has a body, our spec has none");
                self.find("new-body", format!("{place} {which}"), judgement, message, &operation.at, one(place), None);
            }
            // A body without members is a way to send none.
            (Some(own), None) if self.theirs.knows_bodies && !self.ours.at(own).is_opaque() => {
                let message = format!("the vendor's {which} has no body, our spec has one");
                let name = format!("{place} {which}");
                self.find("removed-body", name, Judgement::Breaking, message, &operation.at, one(place), None);
            }
            _ => {}
        }
    }

    fn channels(&mut self) {
        let (ours, theirs) = (self.ours, self.theirs);
        // Channels of the vendor, and the endpoints at which our spec has them.
        let mut met: BTreeSet<(&str, &str)> = BTreeSet::new();
        for channel in ours.channels.values() {
            let own = channel.endpoints.iter().map(String::as_str).next().unwrap_or_default();
            let key = channel_key(&channel.address);
            let here = || theirs.channels.values().filter(|found| found.is_at(own));
            // Of several channels with the same address, the one that is served at the fewest endpoints.
            let found = here()
                .filter(|found| channel_key(&found.address) == key)
                .min_by_key(|found| (found.endpoints.is_empty(), found.endpoints.len()))
                .or_else(|| here().find(|found| found.id == channel.address))
                .or_else(|| here().find(|found| found.id == channel.id));
            match found {
                Some(found) => {
                    met.insert((&found.id, own));
                    self.channel(channel, found);
                }
                None => {
                    let message = format!("the vendor does not list `{}` any more", channel.address);
                    let name = format!("channel {}", channel.id);
                    self.find("removed-channel", &name, Judgement::Breaking, message, &channel.at, one(&name), None);
                }
            }
        }
        for found in theirs.channels.values() {
            let own: Vec<&str> = met.iter().filter(|(id, _)| *id == found.id).map(|(_, endpoint)| *endpoint).collect();
            let mut find = |at: &str| {
                let message = format!("`{}` is new{at}", found.address);
                let name = format!("channel {}{at}", found.address);
                self.find("new-channel", name, Judgement::Addition, message, "", BTreeSet::new(), None);
            };
            if own.is_empty() && found.endpoints.len() < 2 {
                find("");
            }
            let missing = found.endpoints.iter().filter(|name| !own.contains(&name.as_str()) && !own.contains(&""));
            for endpoint in missing.filter(|_| found.endpoints.len() > 1) {
                find(&format!(" at {endpoint}"));
            }
        }
    }

    fn channel(&mut self, ours: &Channel, theirs: &Channel) {
        self.extent.channels += 1;
        let name = format!("channel {}", ours.id);
        parameters::compare_channel(self, ours, theirs);
        let only = ours.messages.len() == 1 && theirs.messages.len() == 1;
        let mut missing: BTreeSet<usize> = (0..theirs.messages.len()).collect();
        for message in ours.messages.iter().filter(|message| message.when.is_some()) {
            let same = ours.messages.iter().filter(|other| other.name == message.name);
            self.siblings.push(same.map(|other| other.payload.id).collect());
        }
        for message in &ours.messages {
            let is_it = |other: &Message| {
                let same = other.name == message.name || fits(&other.name, &message.name).is_some();
                same || message.name.is_empty() || other.name.is_empty() || only
            };
            let mut found = false;
            for (index, other) in theirs.messages.iter().enumerate().filter(|(_, other)| is_it(other)) {
                found = true;
                missing.remove(&index);
                let place = format!("{name} {}", message.name);
                let (payload, direction) = (message.payload, Direction::Response);
                self.roots.push(Root { one: payload, other: other.payload, direction, user: name.clone(), place });
            }
            if !found {
                let place = format!("{name} {}", message.name);
                let text = "the vendor does not list this message any more";
                self.find("removed-message", place, Judgement::Behaviour, text, &ours.at, one(&name), None);
            }
        }
        for index in missing {
            let place = format!("{name} {}", theirs.messages[index].name);
            let text = "the vendor sends a message that our spec lacks: readers get it as unknown";
            self.find("new-message", place, Judgement::Behaviour, text, &ours.at, one(&name), None);
        }
    }
}

pub(super) fn one(name: &str) -> BTreeSet<String> {
    BTreeSet::from([name.to_owned()])
}

/// `GetMarkets`, `get_markets` and `getMarkets` are one name.
fn same_name(one: &str, other: &str) -> bool {
    let letters =
        |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    !one.is_empty() && letters(one) == letters(other)
}
