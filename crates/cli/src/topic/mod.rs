//! What was written, as a topic: the channel by its name, its method or a whole name of the venue's, and its parameters.

#[cfg(test)]
pub mod example;

use serde_json::json;
use venuekit_streams::{Topic, TopicError};
use venuekit_wire::stream::{Channel, Streams};

use crate::failure::Failure;
use crate::similar::{closest, plain, suggestions};
use crate::venue::Venue;

/// The topic, or what is wrong with it.
pub fn read(venue: Venue, table: &'static Streams, name: &str, parameters: &[String]) -> Result<Topic, Failure> {
    let (channel, mut pairs) = channel(venue, table, name)?;
    for parameter in parameters {
        let Some((name, value)) = parameter.split_once('=') else {
            let help = format!("write {}", form(venue, channel));
            return Err(Failure::usage(format!("`{parameter}` is not NAME=VALUE")).code("parameter").help(help));
        };
        let known = channel.parameters.iter().find(|one| plain(one.name) == plain(name));
        pairs.push((known.map_or(name, |known| known.name).to_owned(), value.to_owned()));
    }
    let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Topic::parse(table, channel.id, pairs).map_err(|error| wrong(venue, channel, &error))
}

/// A channel, and the parameters that its whole name says.
type Named = (&'static Channel, Vec<(String, String)>);

/// The channel of this name, and what a whole name of the venue's says of its parameters.
pub fn channel(venue: Venue, table: &'static Streams, name: &str) -> Result<Named, Failure> {
    let same = || table.channels.iter().find(|one| plain(one.id) == plain(name));
    if let Some(channel) = table.channel(name).or_else(same) {
        return Ok((channel, Vec::new()));
    }
    filled(table, name).ok_or_else(|| unknown(venue, table, name))
}

/// The channel whose template this is with its holes filled, and what they are filled with. Of several that fit, the one with the
/// fewest holes is meant.
fn filled(table: &'static Streams, name: &str) -> Option<Named> {
    let words: Vec<&str> = name.split('.').collect();
    let fits = |channel: &'static Channel| {
        let parts: Vec<&str> = channel.name.split('.').collect();
        if parts.len() != words.len() {
            return None;
        }
        let mut pairs = Vec::new();
        for (part, word) in parts.into_iter().zip(&words) {
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(hole) if !word.is_empty() => pairs.push((hole.to_owned(), (*word).to_owned())),
                None if part.eq_ignore_ascii_case(word) => {}
                _ => return None,
            }
        }
        Some((channel, pairs))
    };
    table.channels.iter().filter_map(fits).min_by_key(|(_, pairs)| pairs.len())
}

fn unknown(venue: Venue, table: &'static Streams, name: &str) -> Failure {
    let mut near = suggestions(name, table.channels.iter().map(|channel| channel.id), 3);
    if near.is_empty() {
        // The first part of a whole name.
        let first = name.split('.').next().unwrap_or_default();
        near = suggestions(first, table.channels.iter().map(|channel| channel.id), 3);
    }
    let help = match near.as_slice() {
        [] => format!("`venuekit watch {venue}` lists them all"),
        [one] => format!("did you mean `{one}`?"),
        several => format!("did you mean one of these?\n{}", several.join("\n")),
    };
    Failure::usage(format!("{venue} has no channel `{name}`")).code("unknown_channel").help(help).detail("near", near)
}

fn wrong(venue: Venue, channel: &'static Channel, error: &TopicError) -> Failure {
    let mut help = format!("write {}", form(venue, channel));
    let mut names: Vec<&str> = Vec::new();
    match error {
        TopicError::UnknownParameter { parameter, .. } => {
            let own: Vec<&str> = settable(channel).map(|one| one.name).collect();
            if let Some(near) = closest(parameter, own.iter().copied()) {
                help = format!("did you mean `{near}`?");
            } else if own.is_empty() {
                help = "the channel has no parameters".to_owned();
            }
            names = own;
        }
        TopicError::Missing { parameter, .. } | TopicError::Empty { parameter, .. } => names.push(parameter),
        TopicError::Invalid { parameter, .. } => {
            help = format!("`venuekit watch {venue} {} --help` lists its parameters", channel.id);
            names.push(parameter);
        }
        _ => {}
    }
    Failure::usage(error.to_string()).code("topic").help(help).detail("parameters", json!(names))
}

/// The parameters that are not always the same.
pub fn settable(channel: &'static Channel) -> impl Iterator<Item = &'static venuekit_wire::stream::Parameter> {
    channel.parameters.iter().filter(|one| one.fixed.is_none())
}

/// How the command is written for a channel: what it needs, and in brackets what may be left out.
pub fn form(venue: Venue, channel: &'static Channel) -> String {
    let mut form = format!("venuekit watch {venue} {}", channel.id);
    for parameter in settable(channel) {
        let value = match parameter.values {
            [] if parameter.is_list => "A,B".to_owned(),
            [] => "VALUE".to_owned(),
            values => values.join("|"),
        };
        let pair = format!("{}={value}", parameter.name);
        form.push_str(&if parameter.is_required { format!(" {pair}") } else { format!(" [{pair}]") });
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str, parameters: &[&str]) -> Result<String, String> {
        let parameters: Vec<String> = parameters.iter().map(|&one| one.to_owned()).collect();
        let topic = read(Venue::named("kalshi"), &example::TABLE, name, &parameters);
        topic.map(|topic| topic.to_string()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_channel_has_several_names() {
        let book = Ok("book.XRP_USDC-PERPETUAL.100ms".to_owned());
        let values = ["instrument-name=XRP_USDC-PERPETUAL", "interval=100ms"];
        assert_eq!(topic("book", &values), book);
        assert_eq!(topic("Book", &values), book);
        assert_eq!(topic("book.{instrument_name}.{interval}", &values), book);
        assert_eq!(topic("book.XRP_USDC-PERPETUAL.100ms", &[]), book);
        // What is written last counts.
        assert_eq!(topic("BOOK.A.raw", &values), book);
        assert_eq!(topic("orders.A.raw", &[]), Ok("orders.A.raw".to_owned()));
        assert_eq!(topic("orders.A.100ms", &[]), Ok("orders.A.100ms".to_owned()));
        assert_eq!(
            topic("trade", &["market_tickers=A,B", "market_tickers=C"]),
            Ok("trade market_tickers=A,B,C".to_owned())
        );
    }

    #[test]
    fn what_is_wrong_says_what_is_meant() {
        for (name, parameters, said) in [
            ("trades", &[][..], "kalshi has no channel `trades`\n help: did you mean `trade`?"),
            ("bok.A.raw", &[], "did you mean `book`?"),
            ("withdrawals", &[], "`venuekit watch kalshi` lists them all"),
            ("trade", &["market_ticker=A"], "did you mean `market_tickers`?"),
            ("trade", &["A"], "`A` is not NAME=VALUE\n help: write venuekit watch kalshi trade [market_tickers=A,B]"),
            ("book", &["interval=raw"], "write venuekit watch kalshi book instrument_name=VALUE interval=raw|100ms"),
            ("book.A.50ms", &[], "one of raw, 100ms"),
            ("trade", &["market_tickers="], "needs at least one value of market_tickers"),
            ("trade", &["use_yes_price=false"], "has no parameter"),
        ] {
            let error = topic(name, parameters).unwrap_err();
            assert!(error.contains(said), "{name}: {error}");
        }
    }
}
