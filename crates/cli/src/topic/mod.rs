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
    match filled(table, name).as_slice() {
        [] => Err(unknown(venue, table, name)),
        [one] => Ok(one.clone()),
        several => Err(ambiguous(venue, name, several)),
    }
}

/// The channels whose template this is with its holes filled, and what they are filled with. Of several that fit, those with the
/// fewest holes are meant.
fn filled(table: &'static Streams, name: &str) -> Vec<Named> {
    let fits = |channel: &'static Channel| {
        let mut pairs = holes(channel.name, name)?;
        for (hole, value) in &mut pairs {
            // The name has it in lower case, and the parameter as every other call.
            if channel.parameters.iter().any(|one| one.name == *hole && one.is_lower_case) {
                *value = value.to_ascii_uppercase();
            }
        }
        Some((channel, pairs))
    };
    let mut fitting: Vec<Named> = table.channels.iter().filter_map(fits).collect();
    let fewest = fitting.iter().map(|(_, pairs)| pairs.len()).min();
    fitting.retain(|(_, pairs)| Some(pairs.len()) == fewest);
    fitting
}

/// What the holes of a template such as `book.{instrument_name}.{interval}` or `{symbol}@depth` are in a name.
fn holes(template: &str, name: &str) -> Option<Vec<(String, String)>> {
    let (fixed, mut template) = template.split_once('{').unwrap_or((template, ""));
    let mut rest = after(name, fixed)?;
    let mut pairs = Vec::new();
    while !template.is_empty() {
        let (hole, behind) = template.split_once('}')?;
        let (fixed, next) = behind.split_once('{').unwrap_or((behind, ""));
        let end = match fixed {
            "" => rest.len(),
            _ => rest.to_ascii_lowercase().find(&fixed.to_ascii_lowercase())?,
        };
        let value = &rest[..end];
        if value.is_empty() || value.contains(SEPARATORS) {
            return None;
        }
        pairs.push((hole.to_owned(), value.to_owned()));
        rest = after(&rest[end..], fixed)?;
        template = next;
    }
    rest.is_empty().then_some(pairs)
}

/// What separates the parts of a channel's name.
const SEPARATORS: [char; 2] = ['.', '@'];

/// What is behind a beginning, in whatever case that is written.
fn after<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    let (begin, rest) = text.split_at_checked(beginning.len())?;
    begin.eq_ignore_ascii_case(beginning).then_some(rest)
}

/// Products of a venue that have channels of one name.
fn ambiguous(venue: Venue, name: &str, channels: &[Named]) -> Failure {
    let line = |(channel, pairs): &Named| {
        let pairs: String = pairs.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        format!("venuekit watch {venue} {}{pairs}", channel.id)
    };
    let lines: Vec<String> = channels.iter().map(line).collect();
    Failure::usage(format!("several channels of {venue} are named `{name}`"))
        .code("ambiguous_channel")
        .help(format!("write one of these:\n{}", lines.join("\n")))
        .detail("channels", json!(channels.iter().map(|(channel, _)| channel.id).collect::<Vec<_>>()))
}

fn unknown(venue: Venue, table: &'static Streams, name: &str) -> Failure {
    let similar = |text: &str| suggestions(text, table.channels.iter().map(|channel| channel.id), 3);
    let mut near = similar(name);
    if near.is_empty() {
        // A part of a whole name.
        near = name.split(SEPARATORS).map(similar).find(|near| !near.is_empty()).unwrap_or_default();
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
    fn a_whole_name_fills_the_holes_of_its_template() {
        let binance = Venue::named("binance");
        let table = binance.streams().unwrap();
        let found = |name: &str| {
            channel(binance, table, name).map(|(channel, pairs)| (channel.id, pairs)).map_err(|error| error.to_string())
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let symbol = pair("symbol", "BTCUSDT");
        assert_eq!(found("btcusdt@depth"), Ok(("depth", vec![symbol.clone()])));
        assert_eq!(found("btcusdt@depth@100ms"), Ok(("depth_fast", vec![symbol.clone()])));
        assert_eq!(found("btcusdt@depth20"), Ok(("partial_depth", vec![symbol.clone(), pair("levels", "20")])));
        assert_eq!(found("btcusdt@kline_1M"), Ok(("klines", vec![symbol.clone(), pair("interval", "1M")])));
        assert_eq!(found("btcusdt@kline_1m@+08:00"), Ok(("klines_utc8", vec![symbol, pair("interval", "1m")])));
        assert_eq!(found("!ticker_1h@arr"), Ok(("all_rolling_tickers", vec![pair("window", "1h")])));
        let error = found("btcusdt@dept").unwrap_err();
        assert!(error.contains("binance has no channel `btcusdt@dept`") && error.contains("depth_fast"), "{error}");
    }

    #[test]
    fn a_name_that_several_products_have_is_not_guessed() {
        let bybit = Venue::named("bybit");
        let table = bybit.streams().unwrap();
        let error = channel(bybit, table, "tickers.BTCUSDT").unwrap_err().to_string();
        for line in
            ["venuekit watch bybit linear_ticker symbol=BTCUSDT", "venuekit watch bybit spot_ticker symbol=BTCUSDT"]
        {
            assert!(error.contains(line), "{error}");
        }
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
