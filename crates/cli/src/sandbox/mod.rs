//! `venuekit sandbox`: all venues on this machine.

mod env_file;
#[cfg(test)]
mod faults;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use clap::Args;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use venuekit_sandbox::{Accounts, MarketMakerSettings, Recording, Rule, Sandbox};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::interrupt::stopped;
use crate::number;
use crate::target::SANDBOX_PORT;

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct SandboxArgs {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = SANDBOX_PORT, value_parser = number::port)]
    port: u16,
    /// A JSON file with the accounts; whatever it omits is generated
    #[arg(long, value_name = "FILE")]
    accounts: Option<PathBuf>,
    /// A JSON file with a list of faults: which calls fail, how, and how often
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Move the markets of every venue: a random walk with this seed, or a recording of quotes and trades
    #[arg(long, value_name = "SEED|FILE", num_args = 0..=1, default_missing_value = "0")]
    market_maker: Option<String>,
    /// Write the accounts' keys to FILE, as environment variables for `--env local`
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Print the accounts with their secrets, in the format that --accounts reads
    #[arg(long)]
    show_accounts: bool,
}

const AFTER_HELP: &str = "\
It runs until it is interrupted, and keeps nothing. In another terminal:
  . ./sandbox.env
  venuekit call kalshi get_balance --env local

It keeps accounts, keys, orders, positions, transfers and webhooks, each where the venue has them. Operations without state respond with an example generated from the spec; `venuekit call` says so.

`--show-accounts > FILE` writes what --accounts reads: the same accounts again. Two members are never generated: `totp_code`, of an account of Yativo or a key of Deribit, is the one-time code that it requires and accepts; `scopes`, of a key of Kalshi, is a list such as [\"read\", \"write::trade\"] of what it may do. Without them there is no second factor, and the key may do everything.

A file with faults contains a list such as
  [{\"operation\": \"private/buy\", \"fault\": \"drop-after\", \"times\": 1},
   {\"venue\": \"kalshi\", \"fault\": \"delay\", \"ms\": 500, \"chance\": 0.1},
   {\"operation\": \"get_balance\", \"fault\": \"status\", \"status\": 429}]

An operation is a name of `venuekit describe`, at each venue that has an operation of that name; or a JSON-RPC method, or method and path. Further members: venue, transport (http or websocket), skip (the number of calls that pass first), times, chance (0 to 1).

Faults:
  delay              the response is delayed by `ms`
  drop-before        the connection is closed, the call is not executed
  drop-after         the call is executed, the connection is closed
                     without a response
  silence-before     no response, the call is not executed
  silence-after      no response, the call is executed
  close-mid-answer   the connection is closed in the middle of the
                     response
  status             HTTP: another response, with `status`, and
                     optionally `body`, `content_type`, `retry_after`,
                     `executed`
  reorder, duplicate, unknown-id, split (into `parts`)
                     WebSocket: frames

delay, drop-before, close-mid-answer, reorder, duplicate and split also apply to frames of streams, where the operation is a channel, such as \
`trade` or `orderbook_delta/orderbook_snapshot`, or `data`, `reply`, `subscribe/CHANNEL`; or where the transport is stream. Faults of \
streams only:
  drop               the frame is not sent, its sequence number is missing
  gap, restart       sequence numbers skip by `by`, or start again
  close, stall       the connection is closed (`code`, `reason`), or
                     pauses for `ms`
  error, slow-reader the venue's error in place of the frame (`code`,
                     `text`), or what the venue does to a slow reader
  leave-out          one channel of a command is silently left out
  several, ping      `count` messages in one frame, a ping after it
  unknown-type, set, exponents
                     a type that the spec does not have, another value
                     (`to`) at a JSON pointer (`at`), numbers with
                     exponents

The URL after `console` opens a page in the browser: every request with the part of its signature that is wrong, a reference of all operations with which they can be tried, accounts, books and streams, and switches for faults. Only those who have the URL can open it.

A recording for --market-maker has one JSON object per line, with milliseconds since the start:
  {\"at_millis\": 0, \"venue\": \"kalshi\", \"market\": \"TICKER\", \"bids\": [[\"0.41\", 100]], \"asks\": [[\"0.43\", 100]]}
  {\"at_millis\": 250, \"venue\": \"kalshi\", \"market\": \"TICKER\", \"side\": \"buy\", \"price\": \"0.43\", \"size\": 5}

Examples:
  venuekit sandbox --env-file sandbox.env
  venuekit sandbox --market-maker          # moving prices, and other traders to trade with";

/// `venuekit sandbox`.
pub async fn run(context: &Context, arguments: &SandboxArgs) -> Result<(), Failure> {
    let given = accounts(arguments.accounts.as_deref())?;
    let faults = faults(arguments.faults.as_deref())?;
    let rules = faults.len();
    let faults: Vec<Rule> = faults.into_iter().flatten().collect();
    let market_maker = arguments.market_maker.as_deref().map(market_maker).transpose()?;
    let complete = given.complete().map_err(|error| {
        let file = arguments.accounts.as_deref().unwrap_or(Path::new("accounts"));
        Failure::usage(format!("{}: {error}", file.display())).code("accounts")
    })?;
    let started = Sandbox::start_on(arguments.port, complete).await;
    let sandbox = started.map_err(|error| in_use(arguments.port, &error))?;
    sandbox.faults().set(faults);
    sandbox.set_market_maker(market_maker).map_err(|message| Failure::usage(message).code("market-maker"))?;
    if let Some(file) = &arguments.env_file {
        env_file::write(file, &sandbox)?;
    }
    let internal = |error: io::Error| Failure::new(Exit::Internal, error.to_string());
    let stopped = stopped().map_err(internal)?;
    show(context, arguments, &sandbox, rules);
    stopped.await.map_err(internal)
}

/// What a file says of the accounts: as they are, or as `--show-accounts` prints them with `--json`.
fn accounts(file: Option<&Path>) -> Result<Accounts, Failure> {
    #[derive(Deserialize)]
    struct Printed {
        accounts: Accounts,
    }
    let value = file.and_then(|file| serde_json::from_slice::<serde_json::Value>(&fs::read(file).ok()?).ok());
    match value.is_some_and(|value| value.get("accounts").is_some()) {
        true => Ok(read_json::<Printed>(file, "accounts")?.map(|printed| printed.accounts).unwrap_or_default()),
        false => Ok(read_json(file, "accounts")?.unwrap_or_default()),
    }
}

/// The faults of a file, each once for every venue that it strikes.
fn faults(file: Option<&Path>) -> Result<Vec<Vec<Rule>>, Failure> {
    let help = "`venuekit sandbox --help` lists the faults and their members";
    let rules: Option<Vec<Rule>> = read_json(file, "faults").map_err(|failure| failure.help(help))?;
    let shown = file.unwrap_or(Path::new("faults")).display();
    let rules = rules.unwrap_or_default().into_iter().enumerate().map(|(index, rule)| {
        rule.resolve().map_err(|why| Failure::usage(format!("{shown}: fault {}: {why}", index + 1)).code("faults"))
    });
    rules.collect()
}

/// A seed of the random walk, or the file of a recording.
fn market_maker(text: &str) -> Result<MarketMakerSettings, Failure> {
    let mut settings = MarketMakerSettings::default();
    match text.parse() {
        Ok(seed) => settings.seed = seed,
        Err(_) => {
            let file = Path::new(text);
            let lines = fs::read_to_string(file).map_err(|error| {
                Failure::file(file, &error)
                    .help("--market-maker takes a seed, which is a whole number, or the file of a recording")
            })?;
            let recording = Recording::read(&lines).map_err(|error| {
                let help = "`venuekit sandbox --help` shows what a line holds";
                Failure::usage(format!("{text}: {error}")).code("market-maker").help(help)
            })?;
            settings.recording = Some(Arc::new(recording));
        }
    }
    Ok(settings)
}

fn in_use(port: u16, error: &io::Error) -> Failure {
    let failure = Failure::usage(format!("127.0.0.1:{port}: {error}")).code("port");
    match error.kind() {
        io::ErrorKind::AddrInUse => failure.help("the port is in use: --port 0 chooses a free one"),
        _ => failure,
    }
}

/// How many accounts each venue has.
fn counts(accounts: &Accounts) -> String {
    let Ok(serde_json::Value::Object(venues)) = serde_json::to_value(accounts) else { return String::new() };
    let count =
        |(venue, list): (&String, &serde_json::Value)| format!("{venue} {}", list.as_array().map_or(0, Vec::len));
    let mut counts: Vec<String> = venues.iter().map(count).collect();
    counts.sort_unstable();
    counts.join(", ")
}

fn show(context: &Context, arguments: &SandboxArgs, sandbox: &Sandbox, rules: usize) {
    let (out, accounts) = (context.out(), sandbox.accounts());
    // What --accounts reads has standard output to itself.
    let step = |word: &str, text: &str| match arguments.show_accounts {
        true => out.note(&format!("{word:<10} {text}")),
        false => out.step(word, text),
    };
    step("listening", &sandbox.base_url());
    step("console", &sandbox.console_url());
    step("accounts", &counts(accounts));
    if let Some(source) = &arguments.market_maker {
        let moves = match source.parse::<u64>() {
            Ok(seed) => format!("random walk, seed {seed}"),
            Err(_) => format!("recording {source}"),
        };
        step("markets", &moves);
    }
    if rules > 0 {
        step("faults", &rules.to_string());
    }
    if let Some(file) = &arguments.env_file {
        step("keys", &format!("{}: read it into a shell, and use --env local", file.display()));
    }
    let shown = arguments.show_accounts.then_some(accounts);
    if let Some(accounts) = shown {
        out.line(&serde_json::to_string_pretty(accounts).unwrap_or_default());
    }
    out.document(&json!({"base_url": sandbox.base_url(), "console_url": sandbox.console_url(), "env_file": arguments.env_file, "accounts": shown,
        "faults": rules}));
}

/// What a file says, or where it is wrong.
fn read_json<T: DeserializeOwned>(file: Option<&Path>, code: &'static str) -> Result<Option<T>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let text = fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?;
    serde_json::from_str(&text).map(Some).map_err(|error| {
        let message = error.to_string();
        // serde_json puts the place at the end of its text; here it stands in front, as compilers write it.
        let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
        // A value of a wrong type may be a secret in the wrong place: only what was expected is said.
        let reason = match reason.rsplit_once(", expected ") {
            Some((found, expected)) if found.starts_with("invalid ") => match expected {
                "u16" | "u64" | "usize" => "expected a whole number".to_owned(),
                "f64" => "expected a number".to_owned(),
                _ => format!("expected {expected}"),
            },
            // Members of a single kind of fault are not members of every fault.
            Some((unknown, _)) if code == "faults" && unknown.starts_with("unknown field ") => unknown.to_owned(),
            _ if error.is_syntax() || error.is_eof() => format!("is not JSON: {reason}"),
            _ => reason.to_owned(),
        };
        Failure::usage(format!("{}:{}:{}: {reason}", file.display(), error.line(), error.column())).code(code)
    })
}

#[cfg(test)]
mod tests {
    use super::AFTER_HELP;
    use crate::venue::Venue;

    #[test]
    fn the_help_calls_no_venue_stateless_that_keeps_state() {
        for venue in Venue::all() {
            let mut operations = venue.spec().operations();
            let has_state = operations.any(|one| venuekit_sandbox::keeps_state(venue.spec().venue, &one.id));
            assert!(!(has_state && AFTER_HELP.contains(&format!("all of {venue}"))), "{venue} keeps state");
        }
    }
}
