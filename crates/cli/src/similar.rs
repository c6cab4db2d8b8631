//! "Did you mean": the nearest of several names.

/// Below this, two names have nothing to do with each other.
const NEAR: f64 = 0.8;

/// The name that is nearest to what was written, where one is near.
pub fn closest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.into_iter().map(|name| (strsim::jaro_winkler(written, name), name));
    near.filter(|(nearness, _)| *nearness >= NEAR)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

/// The names that hold all words of what was written, in their order.
pub fn holding<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let words = words(written);
    names.into_iter().filter(|name| holds(name, &words)).collect()
}

fn words(written: &str) -> Vec<String> {
    let words = written.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect()
}

fn holds(name: &str, words: &[String]) -> bool {
    !words.is_empty() && words.iter().all(|word| name.contains(word.as_str()))
}

/// The names that hold all words of what was written, or the long ones among them, or are near it: the nearest first.
pub fn suggestions<'a>(written: &str, names: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    let (written, words) = (written.to_ascii_lowercase(), words(written));
    // A verb such as `get` says little: `get_klines` means `klines`.
    let long: Vec<&String> = words.iter().filter(|word| word.len() > 4).collect();
    let share = |name: &str| {
        let held = long.iter().filter(|word| name.contains(word.as_str())).count();
        held as f64 / long.len().max(1) as f64
    };
    let rate = |name: &str| {
        strsim::jaro_winkler(&written, name) + share(name) / 2.0 + if holds(name, &words) { 1.0 } else { 0.0 }
    };
    let mut rated: Vec<(f64, &str)> = names.into_iter().map(|name| (rate(name), name)).collect();
    rated.retain(|(rate, _)| *rate >= NEAR);
    rated.sort_by(|(one, name), (other, other_name)| other.total_cmp(one).then(name.cmp(other_name)));
    rated.into_iter().take(most).map(|(_, name)| name).collect()
}

/// `orderId`, `order_id` and `order-id` are one name.
pub fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_stranger_is_not() {
        let names = ["create_order", "cancel_order", "get_balance"];
        assert_eq!(closest("creat_order", names), Some("create_order"));
        assert_eq!(closest("withdraw", names), None);
        assert_eq!(suggestions("balance", names, 3), ["get_balance"]);
        assert_eq!(suggestions("order create", names, 1), ["create_order"]);
        assert_eq!(suggestions("get_klines", ["get_region_list", "klines", "ticker"], 1), ["klines"]);
        assert_eq!(holding("Order", names), ["create_order", "cancel_order"]);
        assert!(holding("balanc orders", names).is_empty());
    }
}
