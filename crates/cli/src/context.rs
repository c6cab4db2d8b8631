//! What all commands share: options, configuration, the store, the key to use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use etcetera::BaseStrategy;
use venuekit_keys::Reference;
use venuekit_keys::record::Record;
use venuekit_keys::store::{Store, StoreError};
use venuekit_wire::Secret;

use crate::args::Global;
use crate::confirm;
use crate::credential::{self, Credential, Wanted};
use crate::descriptor::Lines;
use crate::failure::{Exit, Failure};
use crate::network::{Network, Proxy};
use crate::output::Output;
use crate::profile::{self, Config, Profile};
use crate::store;
use crate::subject::{Subject, unknown_environment};
use crate::target::Target;
use crate::totp::Codes;
use crate::venue::{LOCAL, Venue};

/// Where the server on this machine is, if nothing else is said.
pub const LOCAL_URL: &str = "VENUEKIT_LOCAL_URL";

/// The server on this machine, where the environment is that and a variable names it.
pub fn local_url(environment: &str) -> Option<String> {
    std::env::var(LOCAL_URL).ok().filter(|url| environment == LOCAL && !url.is_empty())
}

/// Where an option's value stands: on the command line, or in the variable that stands for it.
fn place_of(option: &'static str, variable: &'static str) -> &'static str {
    let is_typed = std::env::args_os().any(|argument| {
        let argument = argument.to_string_lossy();
        argument.strip_prefix(option).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    });
    if is_typed { option } else { variable }
}

/// Where the key's name stands that is not part of what the command is about.
pub fn key_place() -> &'static str {
    place_of("--key", "VENUEKIT_KEY")
}

fn env_place() -> &'static str {
    place_of("--env", "VENUEKIT_ENV")
}

/// What all commands share.
pub struct Context {
    out: Output,
    global: Global,
    config: Config,
    config_path: PathBuf,
    folders: Folders,
    store: OnceLock<Arc<dyn Store>>,
    codes: Codes,
    pem_passphrase: Option<Lines>,
    typed: Mutex<BTreeMap<String, Secret>>,
}

struct Folders {
    data: PathBuf,
    state: PathBuf,
}

impl Context {
    /// Reads the configuration; nothing else is opened yet.
    pub fn new(global: Global, out: Output) -> Result<Self, Failure> {
        // Most likely a variable of the shell that is not set: another key must not take its place.
        if global.key.as_deref() == Some("") && key_place() == "--key" {
            let help = "name a stored key, or leave --key out";
            return Err(Failure::usage("--key is empty").code("empty_key").help(help));
        }
        let global = global.without_blanks();
        let base = etcetera::choose_base_strategy()
            .map_err(|_| Failure::usage("there is no home folder: set HOME, or XDG_CONFIG_HOME and XDG_DATA_HOME"))?;
        let ours = |folder: PathBuf| folder.join("venuekit");
        let (data, config_dir) = (ours(base.data_dir()), ours(base.config_dir()));
        let state = base.state_dir().map_or_else(|| data.clone(), ours);
        let config_path = global.config.clone().unwrap_or_else(|| profile::default_path(&config_dir));
        let config = profile::load(&config_path, global.config.is_some())?;
        let codes = Codes::new(global.totp_fd);
        let pem_passphrase = global.pem_passphrase_fd.map(|number| Lines::new("--pem-passphrase-fd", number));
        let folders = Folders { data, state };
        Ok(Self {
            out,
            global,
            config,
            config_path,
            folders,
            store: OnceLock::new(),
            codes,
            pem_passphrase,
            typed: Mutex::default(),
        })
    }

    /// Where it is printed.
    pub fn out(&self) -> &Output {
        &self.out
    }

    /// The options of all commands.
    pub fn global(&self) -> &Global {
        &self.global
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where the configuration is, or would be.
    pub fn config_path(&self) -> &Path {
        &self.config_path
    }

    /// Where the store is, unless something else is said.
    pub fn data_dir(&self) -> PathBuf {
        self.folders.data.clone()
    }

    /// Where journals are.
    pub fn state_dir(&self) -> PathBuf {
        self.folders.state.clone()
    }

    /// The profile for a venue: the one that was named, or the one with the venue's name.
    pub fn profile(&self, venue: Venue) -> Result<Option<&Profile>, Failure> {
        let profiles = &self.config.profiles;
        let Some(name) = &self.global.profile else { return Ok(profiles.get(venue.name())) };
        let Some(profile) = profiles.get(name) else {
            let near = crate::similar::closest(name, profiles.keys().map(String::as_str));
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    let (path, count) = (self.config_path.display(), profiles.len());
                    let word = if count == 1 { "profile" } else { "profiles" };
                    format!("{path} has {count} {word}; `venuekit config show` lists them")
                }
            };
            return Err(Failure::new(Exit::NotFound, format!("there is no profile `{name}`")).help(help));
        };
        if profile.venue.of_keys() != venue.of_keys() {
            return Err(Failure::usage(format!("the profile `{name}` is of {}, not of {venue}", profile.venue)));
        }
        Ok(Some(profile))
    }

    /// The profile for a venue, for a sentence that says where something stands.
    pub fn profile_place(&self, venue: Venue) -> String {
        format!("the profile `{}`", self.global.profile.as_deref().unwrap_or(venue.name()))
    }

    /// Venue, environment and server: by the subject, `--env`, `--key`, `--base-url` and the profile.
    pub fn target(&self, subject: &Subject) -> Result<Target, Failure> {
        let venue = subject.venue;
        if let (Some(one), Some(other)) = (&subject.environment, &self.global.env)
            && one != other
        {
            return Err(Failure::usage(format!("`{subject}` says {one}, and {} says {other}", env_place())));
        }
        let of_key = self.global.key.as_deref().filter(|key| key.contains('/') && !credential::is_key_text(key));
        let of_key = of_key.map(str::parse::<Subject>);
        let of_key = of_key.transpose().map_err(|fault| Failure::usage(fault).help(stands_in(key_place())))?;
        let of_key = of_key.and_then(|key| key.environment);
        let said = subject.environment.as_deref().or(self.global.env.as_deref()).or(of_key.as_deref());
        let profile = self.profile_within(venue, said)?;
        let Some(environment) = said.or(profile.map(|profile| profile.environment.as_str())) else {
            let known = venue.environments().join(" | ");
            let help = format!("say --env {known}, or write a profile: `venuekit config example`");
            return Err(Failure::usage(format!("which environment of {venue}?")).code("no_environment").help(help));
        };
        if !venue.environments().contains(&environment) {
            let place = match said {
                Some(_) if self.global.env.is_some() => env_place().to_owned(),
                Some(_) => key_place().to_owned(),
                None => self.profile_place(venue),
            };
            return Err(Failure::usage(unknown_environment(venue, environment)).help(stands_in(&place)));
        }
        let given = self.global.base_url.clone().or_else(|| profile.and_then(|profile| profile.base_url.clone()));
        let base_url = given.or_else(|| local_url(environment));
        let target = Target::new(venue, environment, base_url.as_deref())?;
        Ok(Target { network: self.network(profile)?, ..target })
    }

    /// How long calls may take and what they go through: by the options, or else by the profile.
    fn network(&self, profile: Option<&Profile>) -> Result<Network, Failure> {
        let said = &self.global.network;
        if let Some(Err(why)) = said.proxy.as_ref().map(Proxy::url) {
            return Err(Failure::usage(format!("--proxy: {why}")).code("proxy"));
        }
        let of_profile = profile.map(Profile::network).unwrap_or_default();
        Ok(Network { timeout: said.timeout.or(of_profile.timeout), proxy: said.proxy.clone().or(of_profile.proxy) })
    }

    /// The profile for a target, where there is one.
    pub fn profile_for(&self, target: &Target) -> Result<Option<&Profile>, Failure> {
        self.profile_within(target.venue, Some(&target.environment))
    }

    /// The profile for an environment of a venue. One of another environment does not count, unless it was named: that is an error.
    fn profile_within(&self, venue: Venue, environment: Option<&str>) -> Result<Option<&Profile>, Failure> {
        let profile = self.profile(venue)?;
        match (profile, environment) {
            (Some(profile), Some(environment)) if profile.environment != environment => match &self.global.profile {
                Some(name) => {
                    let message = format!("the profile `{name}` is of {}, not of {environment}", profile.environment);
                    Err(Failure::usage(message).code("wrong_environment"))
                }
                None => Ok(None),
            },
            _ => Ok(profile),
        }
    }

    /// The store, to read: what `--store` or the configuration says, an encrypted file if nothing does. Asks for the passphrase
    /// once.
    pub fn store(&self) -> Result<Arc<dyn Store>, Failure> {
        if self.store.get().is_none() && !store::is_there(self) {
            return match &self.global.store_file {
                Some(file) => Err(no_store(file)),
                None => Ok(Arc::new(store::Absent::new(self))),
            };
        }
        self.open_store(false)
    }

    /// The same for what keeps something there: it is made where there is none.
    pub fn store_to_write(&self) -> Result<Arc<dyn Store>, Failure> {
        self.open_store(true)
    }

    /// What to say where no keys are found.
    pub fn no_keys(&self) -> String {
        match store::is_there(self) {
            true => "no keys".to_owned(),
            false => format!("no keys: the store {} is not there yet", self.store_shown()),
        }
    }

    fn open_store(&self, to_write: bool) -> Result<Arc<dyn Store>, Failure> {
        if let Some(store) = self.store.get() {
            return Ok(Arc::clone(store));
        }
        let opened = store::open(self, to_write)?;
        Ok(Arc::clone(self.store.get_or_init(|| opened)))
    }

    /// What is stored of a key. `place` is where its name stands, if not in what the command is about.
    pub async fn record(&self, reference: &Reference, place: Option<&str>) -> Result<Record, Failure> {
        let store = self.store()?;
        let error = match store.get(reference).await {
            Err(error @ StoreError::NotFound(_)) => error,
            result => return Ok(result?),
        };
        if let Some(left) = crate::keys::unfinished_of(self, &store, reference) {
            let message = format!("`{reference}` is being made: its run {} has not ended", left.run);
            return Err(Failure::new(Exit::NotFound, message).code("not_found").help(left.advice()));
        }
        let mut message = error.to_string();
        message.extend(place.map(|place| format!(", which {place} names")));
        if !store::is_there(self) {
            message.push_str(&format!("; {} is not there", self.store_shown()));
        }
        let mut stored = store.list().await.unwrap_or_default();
        stored.retain(|one| one.venue == reference.venue && one.is_a_key());
        let of_account = stored.iter().filter(|one| one.environment == reference.environment);
        let near = crate::similar::closest(&reference.name, of_account.map(|one| one.name.as_str()));
        let meant = stored.iter().find(|one| one.name == near.unwrap_or(&reference.name));
        let meant = meant.map(|one| format!("did you mean `{one}`?\n")).unwrap_or_default();
        let rest = format!("`venuekit keys list` shows what is stored, `venuekit keys create {reference}` makes a key");
        let help = format!("{meant}{rest}");
        Err(Failure::new(Exit::NotFound, message).code("not_found").help(help))
    }

    /// Where the store is, in words.
    pub fn store_shown(&self) -> String {
        store::shown(self)
    }

    /// The credential for a target: that of `--key` or of the subject, of the profile, or of environment variables.
    pub async fn credential(&self, target: &Target, subject: &Subject) -> Result<Credential, Failure> {
        let profile = self.profile_for(target)?;
        credential::find(self, target, subject, profile, Wanted::Caller).await
    }

    /// The same for what cares for keys: with Bayse a session or a login, never the key.
    pub async fn manager(&self, target: &Target, subject: &Subject) -> Result<Credential, Failure> {
        let profile = self.profile_for(target)?;
        credential::find(self, target, subject, profile, Wanted::Manager).await
    }

    /// A one-time code: of `--totp-fd`, of the stored seed, or from the terminal.
    pub async fn code(&self, target: &Target) -> Result<Secret, Failure> {
        self.codes.next(self, target).await
    }

    /// Whether a code can be had without asking anybody.
    pub fn has_codes(&self) -> bool {
        self.global.totp_fd.is_some()
    }

    /// The passphrase that `--pem-passphrase-fd` gives for an encrypted private key.
    pub fn pem_passphrase(&self) -> Result<Option<Secret>, Failure> {
        self.pem_passphrase.as_ref().map_or(Ok(None), Lines::first)
    }

    /// Asks for a secret that several parts of a command may want, once. None where nobody is there.
    pub fn typed_once(&self, prompt: &str) -> Result<Option<Secret>, Failure> {
        let mut typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(secret) = typed.get(prompt) {
            return Ok(Some(secret.clone()));
        }
        let secret = confirm::secret(prompt)?;
        typed.extend(secret.clone().map(|secret| (prompt.to_owned(), secret)));
        Ok(secret)
    }

    /// Asks a person, unless `--yes` was said.
    pub fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.global.yes { Ok(()) } else { confirm::ask(question) }
    }
}

/// A store that is named and not there: what it should hold is somewhere else.
fn no_store(file: &Path) -> Failure {
    let place = place_of("--store-file", "VENUEKIT_STORE_FILE");
    let message = format!("there is no store {}, which {place} names", file.display());
    let help = "look at the name; `venuekit keys create` makes a store where there is none";
    Failure::new(Exit::Store, message).code("no_store").help(help)
}

fn stands_in(place: &str) -> String {
    format!("it stands in {place}")
}
