//! What a list says of a key.

use serde_json::Value;
use venuekit_wire::key_lifecycle::{KeyEntry, TextsForm, Time, TimeForm};
use venuekit_wire::{DateTime, UnixMillis};

use crate::keys::KeyInfo;

/// A text, or a number as one.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The text of the first place that has one.
pub(super) fn text_at(value: &Value, places: &[&str]) -> Option<String> {
    places.iter().find_map(|place| plain(value.pointer(place)?)).filter(|text| !text.is_empty())
}

fn flag_at(value: &Value, places: &[&str]) -> Option<bool> {
    places.iter().find_map(|place| match value.pointer(place)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.parse().ok(),
        _ => None,
    })
}

/// A time after 1970: venues write its beginning for "never".
pub(super) fn time_at(value: &Value, time: Time) -> Option<UnixMillis> {
    let found = value.pointer(time.at)?;
    let number = || plain(found)?.parse::<i64>().ok();
    let at = match time.form {
        TimeForm::DateTime => DateTime::from(found.as_str()?.to_owned()).millis()?,
        TimeForm::UnixSeconds => UnixMillis(number()?.saturating_mul(1000)),
        TimeForm::UnixMillis => UnixMillis(number()?),
    };
    (at.get() > 0).then_some(at)
}

/// Several texts in any form.
fn texts_at(value: &Value, places: &[&str], form: TextsForm) -> Vec<String> {
    if form == TextsForm::Flags {
        let is_set = |place: &&&str| value.pointer(place).and_then(Value::as_bool) == Some(true);
        let name = |place: &&str| place.rsplit('/').next().unwrap_or_default().to_owned();
        return places.iter().filter(is_set).map(name).collect();
    }
    let found = places.iter().find_map(|place| value.pointer(place).filter(|found| !found.is_null()));
    let Some(found) = found else { return Vec::new() };
    let separated = |separator: char| {
        let parts = found.as_str().unwrap_or_default().split(separator).map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    match form {
        TextsForm::List => found.as_array().into_iter().flatten().filter_map(plain).collect(),
        TextsForm::Blanks => separated(' '),
        TextsForm::Commas => separated(','),
        TextsForm::Groups => {
            let groups = found.as_object().into_iter().flatten();
            let words = |(group, words): (&String, &Value)| {
                let words = words.as_array().into_iter().flatten().filter_map(plain);
                words.map(|word| format!("{group}:{word}")).collect::<Vec<_>>()
            };
            groups.flat_map(words).collect()
        }
        TextsForm::One | TextsForm::Flags => plain(found).filter(|text| !text.is_empty()).into_iter().collect(),
    }
}

/// A key as the table says that an entry shows it. None without an id.
pub(super) fn info(rules: &KeyEntry, entry: &Value) -> Option<KeyInfo> {
    Some(described(rules, entry, text_at(entry, rules.id)?))
}

/// The same of a key whose id is known.
pub(super) fn described(rules: &KeyEntry, entry: &Value, id: String) -> KeyInfo {
    let mut info = KeyInfo::new(id);
    info.public_id = text_at(entry, rules.public_id);
    info.name = text_at(entry, rules.name);
    info.scopes = texts_at(entry, rules.scopes, rules.scopes_form);
    let disabled = flag_at(entry, rules.disabled);
    info.status = match rules.disabled_is.filter(|_| disabled == Some(true)) {
        Some(word) => Some(word.to_owned()),
        None => text_at(entry, rules.status),
    };
    // A key that was not switched off may have expired: the word says more than the flag.
    let by_word = info.status.as_ref().map(|status| rules.working.contains(&status.as_str()));
    let by_flag = flag_at(entry, rules.enabled).or(disabled.map(|disabled| !disabled));
    info.enabled = by_word.or(by_flag).or(rules.all_work.then_some(true));
    info.public_key = text_at(entry, rules.public_key);
    let time = |time: Option<Time>| time_at(entry, time?);
    (info.created, info.expires, info.last_used) = (time(rules.created), time(rules.expires), time(rules.last_used));
    info.addresses = texts_at(entry, rules.addresses, rules.addresses_form);
    info.addresses.retain(|address| !ANY.contains(&address.as_str()));
    let addresses = info.addresses.iter().map(|address| format!("address {address}"));
    let hidden = info.addresses.is_empty() && flag_at(entry, rules.bound) == Some(true);
    let hidden = hidden.then(|| "addresses that are not shown".to_owned());
    let limits = rules.limits.iter().flat_map(|(place, says)| limits(entry, place, says));
    info.restrictions = addresses.chain(hidden).chain(limits).collect();
    info
}

/// Words for any address, which limit nothing.
const ANY: [&str; 2] = ["*", "0.0.0.0"];

/// What one limit says.
pub(super) fn limits(entry: &Value, place: &str, says: &str) -> Vec<String> {
    let Some(found) = entry.pointer(place) else { return Vec::new() };
    let said = |text: String| match says.contains("{day}") {
        true => {
            DateTime::from(text.clone()).millis()?;
            Some(says.replace("{day}", text.get(..10).unwrap_or(&text)))
        }
        false => (!ANY.contains(&text.as_str())).then(|| says.replace("{}", &text)),
    };
    match found {
        // A fact without a text, such as that there are addresses.
        Value::Bool(true) => vec![says.to_owned()],
        Value::Number(number) if !says.contains('{') => {
            (number.as_f64() != Some(0.0)).then(|| says.to_owned()).into_iter().collect()
        }
        Value::Array(texts) => texts.iter().filter_map(plain).filter_map(said).collect(),
        other => plain(other).filter(|text| !text.is_empty()).and_then(said).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RULES: KeyEntry = KeyEntry {
        id: &["/id", "/_id", "/key_id"],
        public_id: &["/api_key"],
        name: &["/key_name", "/name"],
        scopes: &["/scopes"],
        scopes_form: TextsForm::List,
        addresses: &["/ips"],
        addresses_form: TextsForm::Commas,
        bound: &["/is_bound"],
        enabled: &[],
        disabled: &["/is_revoked"],
        status: &["/status"],
        working: &["active", "3"],
        disabled_is: Some("revoked"),
        all_work: false,
        public_key: &[],
        created: None,
        expires: Some(Time { at: "/expires_at", form: TimeForm::DateTime }),
        last_used: Some(Time { at: "/used", form: TimeForm::UnixSeconds }),
        limits: &[("/allowed_ips", "address {}"), ("/expires_at", "an end on {day}"), ("/reads", "reads only")],
    };

    #[test]
    fn the_word_for_a_state_counts_before_the_flag() {
        for (key, enabled, status) in [
            (json!({"id": "a", "is_revoked": false, "status": "expired"}), Some(false), Some("expired")),
            (json!({"id": "a", "is_revoked": true, "status": "active"}), Some(false), Some("revoked")),
            (json!({"id": "a", "is_revoked": false, "status": "active"}), Some(true), Some("active")),
            (json!({"id": "a", "is_revoked": false}), Some(true), None),
            (json!({"id": "a", "status": 3}), Some(true), Some("3")),
            (json!({"id": "a"}), None, None),
        ] {
            let info = info(&RULES, &key).unwrap();
            assert_eq!((info.enabled, info.status.as_deref()), (enabled, status), "{key}");
        }
    }

    #[test]
    fn limits_are_said_in_words() {
        let of = |entry: Value| info(&RULES, &entry).unwrap();
        let limited = of(
            json!({"id": 7, "allowed_ips": ["192.0.2.1", "*"], "expires_at": "2027-01-31T12:00:00.000Z", "used": "5"}),
        );
        assert_eq!(limited.restrictions, ["address 192.0.2.1", "an end on 2027-01-31"]);
        assert_eq!((limited.id.as_str(), limited.last_used), ("7", Some(UnixMillis(5000))));
        for never in ["never", "1970-01-01T00:00:00Z"] {
            let entry = of(json!({"_id": "a", "expires_at": never}));
            assert_eq!(entry.expires, None, "{never}");
        }
        assert!(info(&RULES, &json!({"id": null, "key_id": ""})).is_none());
        let bound = of(json!({"id": 7, "ips": "192.0.2.1, *,0.0.0.0", "allowed_ips": ["192.0.2.2"]}));
        assert_eq!(
            (bound.addresses.concat(), bound.restrictions.join(", ")),
            ("192.0.2.1".to_owned(), "address 192.0.2.1, address 192.0.2.2".to_owned())
        );
    }

    #[test]
    fn a_fact_is_a_boolean_or_a_number() {
        for (entry, expected) in [
            (json!({"id": 7, "reads": true}), "reads only"),
            (json!({"id": 7, "reads": 1}), "reads only"),
            (json!({"id": 7, "reads": false}), ""),
            (json!({"id": 7, "reads": 0}), ""),
            (json!({"id": 7, "reads": null}), ""),
            (json!({"id": 7, "is_bound": true}), "addresses that are not shown"),
            (json!({"id": 7, "is_bound": "true"}), "addresses that are not shown"),
            (json!({"id": 7, "is_bound": "false"}), ""),
            (json!({"id": 7, "is_bound": "true", "ips": "192.0.2.1"}), "address 192.0.2.1"),
        ] {
            assert_eq!(info(&RULES, &entry).unwrap().restrictions.join(", "), expected, "{entry}");
        }
    }

    #[test]
    fn scopes_are_read_in_each_form() {
        let entry = json!({"list": ["a", "b"], "blanks": " a  b ", "commas": "a, b", "groups": {"Spot": ["Trade"], "Wallet": []}, "mode": "a", "on": true, "off": false});
        for (place, form, expected) in [
            ("/list", TextsForm::List, &["a", "b"][..]),
            ("/blanks", TextsForm::Blanks, &["a", "b"]),
            ("/commas", TextsForm::Commas, &["a", "b"]),
            ("/groups", TextsForm::Groups, &["Spot:Trade"]),
            ("/none", TextsForm::List, &[]),
            ("/mode", TextsForm::One, &["a"]),
            ("/on", TextsForm::Flags, &["on"]),
            ("/off", TextsForm::Flags, &[]),
        ] {
            assert_eq!(texts_at(&entry, &[place], form), expected, "{place}");
        }
    }
}
