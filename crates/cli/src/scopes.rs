//! The permissions of a venue's keys, as the spec's operations ask for them. The venue decides: it may know more of them.

use std::collections::BTreeSet;

use venuekit_wire::key_lifecycle::TextsForm;

use crate::output::Output;
use crate::similar;
use crate::venue::Venue;

/// What no key can be given: the venue sets it by the account that the key is of.
pub const OF_ACCOUNT: &str = "mainaccount";

/// What a key can be given of what an operation asks for.
pub fn grantable(scope: &str) -> &str {
    scope.strip_suffix(OF_ACCOUNT).map_or(scope, str::trim_end)
}

/// Whether only keys of the whole account are given what an operation asks for.
pub fn is_of_account(scope: &str) -> bool {
    grantable(scope) != scope
}

/// The permissions of a venue's keys, in the order of their names: those of its table, or those that its operations ask for.
pub fn known(venue: Venue) -> BTreeSet<&'static str> {
    let keys = venue.of_keys().keys();
    let scopes = keys.and_then(|keys| keys.create.or(keys.register)?.scopes);
    if let Some(flags) = scopes.filter(|scopes| scopes.form == TextsForm::Flags) {
        return flags.fields.iter().map(|field| field.name).collect();
    }
    let asked = venue.table().operations.iter().filter_map(|operation| operation.scope);
    asked.flat_map(|scope| grantable(scope).split_whitespace()).collect()
}

/// All venues' permissions, for the help of commands that take some.
pub fn help() -> String {
    let venues = Venue::all().filter(|venue| venue.of_keys() == *venue);
    let lines = venues.map(|venue| {
        let known: Vec<&str> = known(venue).into_iter().collect();
        let known = if known.is_empty() { "none: a key may do everything".to_owned() } else { known.join(", ") };
        format!("  {:<9} {known}", venue.name())
    });
    format!("Scopes that operations require:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// Reports permissions that no operation needs.
pub fn note_unknown(out: &Output, venue: Venue, scopes: &[String]) {
    let known = known(venue);
    for scope in scopes.iter().filter(|scope| !known.is_empty() && !known.contains(scope.as_str())) {
        let near = match &meant(scope, &known)[..] {
            _ if scope == OF_ACCOUNT => "the venue sets it itself, for keys of the main account".to_owned(),
            [] => format!("they ask for {}", known.iter().copied().collect::<Vec<_>>().join(", ")),
            near => format!("did you mean `{}`?", near.join("` or `")),
        };
        out.note(&format!("note: no operation of {venue} asks for the scope `{scope}`; {near}"));
    }
}

/// The permissions that somebody may have meant: of the part that is named, those whose level is written in short, or all.
fn meant<'a>(written: &str, known: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let written = written.to_ascii_lowercase();
    let parts: BTreeSet<&str> = known.iter().map(|scope| split(scope).0).collect();
    let (part, level) = split(&written);
    let Some(part) = similar::closest(part, parts.iter().copied()) else {
        return similar::closest(&written, known.iter().copied()).into_iter().collect();
    };
    let of_part = || known.iter().copied().filter(|scope| split(scope).0 == part);
    let level = similar::plain(level);
    // The shortest of them has the least that was not written.
    let short = of_part().filter(|scope| !level.is_empty() && is_short_for(&level, &similar::plain(split(scope).1)));
    if let Some(short) = short.min_by_key(|scope| scope.len()) {
        return vec![short];
    }
    match similar::closest(split(&written).1, of_part().map(|scope| split(scope).1)) {
        Some(near) => of_part().filter(|scope| split(scope).1 == near).collect(),
        None => of_part().collect(),
    }
}

/// The part of an account that a permission is of, and what may be done there.
fn split(scope: &str) -> (&str, &str) {
    let end = scope.find([':', '.', '/']).unwrap_or(scope.len());
    (&scope[..end], scope[end..].trim_start_matches([':', '.', '/']))
}

/// Whether the word contains the letters, in their order.
fn is_short_for(letters: &str, word: &str) -> bool {
    let mut word = word.chars();
    letters.chars().all(|letter| word.any(|own| own == letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_permissions_of_a_venue_are_those_of_its_operations() {
        assert!(
            known(Venue::named("kalshi")).contains("write::trade")
                && known(Venue::named("deribit")).contains("wallet:read_write")
        );
        assert!(known(Venue::named("yativo")).contains("transactions") && known(Venue::named("bayse")).is_empty());
        assert!(!known(Venue::named("deribit")).contains(OF_ACCOUNT), "no key can be given it");
        assert!(is_of_account("wallet:read_write mainaccount") && !is_of_account("wallet:read_write"));
        let help = help();
        assert!(
            help.contains("  deribit   account:read, account:read_write, ") && help.contains("bayse     none"),
            "{help}"
        );
    }

    #[test]
    fn what_is_meant_has_the_level_that_was_written() {
        for (venue, written, expected) in [
            (Venue::named("deribit"), "trade:rw", &["trade:read_write"][..]),
            (Venue::named("deribit"), "TRADE:RW", &["trade:read_write"]),
            (Venue::named("deribit"), "trad:rw", &["trade:read_write"]),
            (Venue::named("deribit"), "trade:readwrite", &["trade:read_write"]),
            (Venue::named("deribit"), "trade:read-write", &["trade:read_write"]),
            (Venue::named("deribit"), "trade:write", &["trade:read_write"]),
            (Venue::named("deribit"), "trade.read_write", &["trade:read_write"]),
            (Venue::named("deribit"), "wallet:r", &["wallet:read"]),
            (Venue::named("deribit"), "wallets:read", &["wallet:read"]),
            (Venue::named("deribit"), "account:raed", &["account:read"]),
            (Venue::named("deribit"), "account", &["account:read", "account:read_write"]),
            (Venue::named("deribit"), "trade:all", &["trade:read", "trade:read_write"]),
            (Venue::named("kalshi"), "write:trade", &["write::trade"]),
            (Venue::named("kalshi"), "write::trading", &["write::trade"]),
            (Venue::named("kalshi"), "raed", &["read"]),
            (Venue::named("deribit"), "nothing", &[]),
        ] {
            assert_eq!(meant(written, &known(venue)), expected, "{written}");
        }
    }
}
