//! What `CHANGELOG.md` has to say of a changed spec, and whether it does.

use std::collections::BTreeMap;

use super::compare::Change;
use crate::judgement::Judgement;

/// Places that a line names before it counts.
const NAMED: usize = 12;

/// How a line begins.
pub fn word(judgement: Judgement) -> Option<&'static str> {
    match judgement {
        Judgement::Breaking => Some("breaking"),
        Judgement::Behaviour => Some("fixed"),
        Judgement::Addition => Some("added"),
        Judgement::Docs => None,
    }
}

/// The lines for the changes of a venue; those of documentation need none.
pub fn lines(title: &str, changes: &[Change]) -> Vec<String> {
    let mut grouped: BTreeMap<(u8, &str), Vec<&str>> = BTreeMap::new();
    for change in changes {
        let order = match change.rule.overall() {
            Judgement::Breaking => 0,
            Judgement::Addition => 1,
            Judgement::Behaviour => 2,
            Judgement::Docs => continue,
        };
        grouped.entry((order, change.rule.name)).or_default().push(&change.place);
    }
    let line = |((_, rule), places): ((u8, &str), Vec<&str>)| {
        let rule = super::rules::Rule::named(rule);
        let mut named: Vec<String> = places.iter().take(NAMED).map(|place| format!("`{place}`")).collect();
        if places.len() > NAMED {
            named.push(format!("{} more", places.len() - NAMED));
        }
        let word = word(rule.overall()).unwrap_or("fixed");
        format!("- **{word}:** {title}: {}: {}.", rule.says, named.join(", "))
    };
    grouped.into_iter().map(line).collect()
}

/// The lines that a changelog has gained, each joined with the lines that go on below it.
pub fn gained(before: &str, now: &str) -> Vec<String> {
    let old = entries(before);
    entries(now).into_iter().filter(|entry| !old.contains(entry)).collect()
}

fn entries(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with("- ") {
            all.push(line.to_owned());
        } else if line.starts_with("  ")
            && let Some(last) = all.last_mut()
        {
            last.push(' ');
            last.push_str(line.trim());
        } else if line.starts_with('#') {
            all.push(String::new());
        }
    }
    all.retain(|entry| !entry.is_empty());
    all
}

/// What a venue is called: its folder, and its title.
#[derive(Clone, Debug)]
pub struct Called {
    /// The name of its folder.
    pub venue: String,
    /// What it is called in sentences.
    pub title: String,
}

impl Called {
    /// Each way in which a line may write it, in lower case.
    fn names(&self) -> Vec<String> {
        let all = [&self.venue, &self.title].map(|name| name.to_lowercase());
        all.iter().flat_map(|name| [" ", "-", "_"].map(|sign| name.replace([' ', '-', '_'], sign))).collect()
    }
}

/// What a changelog lacks for the changes of a venue: nothing, or what to write. `others` are all other venues.
pub fn lacks(own: &Called, others: &[Called], changes: &[Change], gained: &[String]) -> Option<String> {
    let heaviest = changes.iter().map(|change| change.rule.overall()).max()?;
    word(heaviest)?;
    let names = own.names();
    // Names of two venues begin alike: a line about the longer one is not about the shorter one.
    let mut longer: Vec<String> = others.iter().flat_map(Called::names).collect();
    longer.retain(|other| names.iter().any(|name| other != name && mentions(&other.replace(['-', '_'], " "), name)));
    longer.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let is_about = |entry: &&String| {
        let said = entry.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        let about_all = said.contains("every venue") || said.contains("all venues");
        let masked = longer.iter().fold(said, |said, other| masked(&said, other));
        about_all || names.iter().any(|name| mentions(&masked, name))
    };
    let own: Vec<&String> = gained.iter().filter(is_about).collect();
    if own.is_empty() {
        return Some("no line of CHANGELOG.md names it".to_owned());
    }
    let is_breaking = own.iter().any(|entry| entry.starts_with("- **breaking:**"));
    (heaviest == Judgement::Breaking && !is_breaking).then(|| "no line about it begins with **breaking:**".to_owned())
}

fn mentions(said: &str, name: &str) -> bool {
    places(said, name).next().is_some()
}

/// A text without the mentions of a name.
fn masked(said: &str, name: &str) -> String {
    let mut left = said.to_owned();
    // From behind, so that places stay where they are.
    for at in places(said, name).collect::<Vec<_>>().into_iter().rev() {
        left.replace_range(at..at + name.len(), "...");
    }
    left
}

/// Where a text has a name as a word.
fn places<'a>(said: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let at = said.match_indices(name).map(|(at, _)| at);
    at.filter(|at| {
        let before = said[..*at].chars().next_back();
        let after = said[at + name.len()..].chars().next();
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !is_word(before) && !is_word(after)
    })
}
