//! `venuekit keys export`: the one command that lets a secret out, and says where to by name.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use clap::{Args, ValueEnum};
use serde_json::json;
use tempfile::NamedTempFile;
use venuekit_keys::record::{Kind, StoredKey};
use venuekit_wire::Secret;
use venuekit_wire::variables::VariableKind;

use super::account_client::AccountClient;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::subject::Subject;
use crate::variables;

#[derive(Args, Debug)]
pub struct ExportArgs {
    /// VENUE/ENVIRONMENT/NAME
    subject: Subject,
    /// The file to write, readable by its owner only; - is standard output
    #[arg(long, value_name = "FILE")]
    to: String,
    /// The format; by default that of FILE's extension, otherwise environment variables
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
}

/// How a key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Environment variables, to be sourced by a shell: .env, .sh
    Env,
    /// The private key of a pair: .pem, .key
    Pem,
    /// The secret alone, whatever it is: PEM, or the shared secret
    Secret,
    /// One JSON object: .json
    Json,
}

impl Format {
    /// What the ending of a file's name says.
    fn of_ending(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "env" | "sh" => Some(Self::Env),
            "pem" | "key" => Some(Self::Pem),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether a file of one format is a good file of the other: PEM is what the secret of a pair is.
    fn agrees(self, other: Self, key: &StoredKey) -> bool {
        let pem = |format| format == Self::Pem || format == Self::Secret && key.kind == Kind::PrivateKeyPem;
        self == other || pem(self) && pem(other)
    }
}

/// How to write a key, where what is said and the name of the file agree.
fn format(arguments: &ExportArgs, key: &StoredKey, is_json: bool) -> Result<Format, Failure> {
    let to_screen = arguments.to == "-";
    let (of_place, place) = match to_screen {
        true => (is_json.then_some(Format::Json), "--json".to_owned()),
        false => (Format::of_ending(Path::new(&arguments.to)), format!("the name `{}`", arguments.to)),
    };
    let format = match (arguments.format, of_place) {
        (Some(said), Some(other)) if !said.agrees(other, key) => {
            let (said, other) = (said.name(), other.name());
            let message = format!("--format {said} does not fit {place}, which is for --format {other}");
            let help = match to_screen {
                true => "omit one of them".to_owned(),
                false => format!("omit --format, or give the file another name, such as key.{said}"),
            };
            return Err(Failure::usage(message).code("format").help(help));
        }
        (Some(format), _) | (None, Some(format)) => format,
        (None, None) => Format::Env,
    };
    if format == Format::Pem && key.kind != Kind::PrivateKeyPem {
        let message = "this key is a shared secret, not a PEM";
        return Err(Failure::usage(message)
            .code("format")
            .help("--format secret writes it into a file such as key.txt"));
    }
    Ok(format)
}

/// `venuekit keys export`.
pub async fn run(context: &Context, arguments: &ExportArgs) -> Result<(), Failure> {
    context.check_key(&arguments.subject)?;
    let client = AccountClient::reading(context, &arguments.subject)?;
    let reference = client.reference(&arguments.subject, None)?;
    let record = context.keys().record(&reference, None).await?;
    let key = record.active().filter(|key| !key.secret.is_empty());
    let key = key.ok_or_else(|| Failure::new(Exit::Store, format!("{reference} holds no key that is in use")))?;
    let out = context.out();
    let to_screen = arguments.to == "-";
    let format = format(arguments, key, out.is_json())?;
    let text = match format {
        Format::Env => variables(&client, key),
        Format::Pem | Format::Secret => with_end(&key.secret),
        Format::Json => Secret::new(format!(
            "{}\n",
            json!({
                "reference": reference.to_string(),
                "public_id": key.public_id,
                "secret_kind": key.kind,
                "secret": key.secret.expose(),
            })
        )),
    };
    if to_screen {
        out.raw(text.expose());
        return Ok(());
    }
    let path = Path::new(&arguments.to);
    write(path, text.expose(), arguments.force).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::usage(format!("{} already exists", path.display())).code("exists").help("--force overwrites it")
        }
        _ => Failure::file(path, &error),
    })?;
    out.step("exported", &format!("{reference} to {}, as {}", path.display(), format.name()));
    out.document(&json!({ "reference": reference.to_string(), "written": path, "format": format.name() }));
    Ok(())
}

fn with_end(secret: &Secret) -> Secret {
    let text = secret.expose();
    Secret::new(if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") })
}

/// The names that this command itself looks for.
fn variables(client: &AccountClient<'_>, key: &StoredKey) -> Secret {
    let kind = if key.kind == Kind::PrivateKeyPem { VariableKind::PrivateKey } else { VariableKind::Key };
    let line = |name: &str, value: &str| format!("export {name}='{}'\n", value.replace('\'', r"'\''"));
    let names = variables::of_kind(client.target.venue, &variables::prefix(&client.target), kind);
    let (id, secret) = names.map(|(id, secret)| (id.unwrap_or_default(), secret)).unwrap_or_default();
    let public_id = key.public_id.as_deref().unwrap_or_default();
    Secret::new(line(&id, public_id) + &line(&secret, key.secret.expose()))
}

/// The error alone: the file that it names is a temporary one.
fn without_path(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.split_once(" at path ") {
        Some((plain, _)) => io::Error::new(error.kind(), plain),
        None => error,
    }
}

/// Writes a file that only its owner may read, whole or not at all.
fn write(path: &Path, text: &str, force: bool) -> io::Result<()> {
    // What a link leads to is written over, and no pipe or device is replaced by a file.
    let there = if force { fs::canonicalize(path).ok() } else { None };
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        return Err(io::Error::other("it is not a regular file; `--to -` prints the secret"));
    }
    let path = there.as_deref().unwrap_or(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder).map_err(without_path)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    let placed = if force { file.persist(path) } else { file.persist_noclobber(path) };
    placed.map(drop).map_err(|error| error.error)
}
