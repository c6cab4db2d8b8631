//! What all commands share: options, configuration, the stored keys, the key to use.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use venuekit_transport::flaw::is_key_text;
use venuekit_wire::Secret;

use crate::config::{self, Config, Profile};
use crate::confirm;
use crate::credential::pem::Passphrases;
use crate::credential::{self, Credential, Sources, Wanted};
use crate::failure::{Exit, Failure};
use crate::network::{Network, Proxy};
use crate::options::{self, Global};
use crate::output::Output;
use crate::similar::closest;
use crate::store::{Keys, StoreOptions};
use crate::subject::Subject;
use crate::target::{Target, local_url};
use crate::totp::Codes;
use crate::venue::{Venue, unknown_environment};

/// What all commands share.
pub struct Context {
    out: Output,
    global: Global,
    config: Config,
    config_path: PathBuf,
    keys: Keys,
    codes: Codes,
    passphrases: Passphrases,
    command_line: fn() -> clap::Command,
}

impl Context {
    /// Reads the configuration; nothing else is opened yet. `command_line` is what help and manual pages are made of.
    pub fn new(global: Global, out: Output, command_line: fn() -> clap::Command) -> Result<Self, Failure> {
        // Most likely a variable of the shell that is not set: another key must not take its place.
        if global.key.as_deref() == Some("") && options::key_source() == "--key" {
            let help = "name a stored key, or omit --key";
            return Err(Failure::usage("--key is empty").code("empty_key").help(help));
        }
        let global = global.without_blanks();
        let base = etcetera::choose_base_strategy()
            .map_err(|_| Failure::usage("there is no home folder: set HOME, or XDG_CONFIG_HOME and XDG_DATA_HOME"))?;
        let ours = |folder: PathBuf| folder.join("venuekit");
        let (data, config_dir) = (ours(base.data_dir()), ours(base.config_dir()));
        let state = base.state_dir().map_or_else(|| data.clone(), ours);
        let config_path = global.config.clone().unwrap_or_else(|| config::default_path(&config_dir));
        let config = config::load(&config_path, global.config.is_some())?;
        Ok(Self {
            keys: Keys::new(StoreOptions::new(&global, &config.store, &data), &state),
            codes: Codes::new(global.totp_fd),
            passphrases: Passphrases::new(global.pem_passphrase_fd),
            out,
            global,
            config,
            config_path,
            command_line,
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

    /// The stored keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The whole command line.
    pub fn command_line(&self) -> clap::Command {
        (self.command_line)()
    }

    /// Prints the help of a command that has its own use for `--help`.
    pub fn print_help_of(&self, name: &str) {
        let mut command = self.command_line();
        command.build();
        let help = command.find_subcommand_mut(name).map(|command| command.render_long_help().to_string());
        self.out.raw(&help.unwrap_or_default());
    }

    /// The profile for a venue: the one that was named, or the one with the venue's name.
    pub fn profile(&self, venue: Venue) -> Result<Option<&Profile>, Failure> {
        let profiles = &self.config.profiles;
        let Some(name) = &self.global.profile else { return Ok(profiles.get(venue.name())) };
        let Some(profile) = profiles.get(name) else {
            let near = closest(name, profiles.keys().map(String::as_str));
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
            return Err(Failure::usage(format!("the profile `{name}` is for {}, not for {venue}", profile.venue)));
        }
        Ok(Some(profile))
    }

    /// The profile for a venue, for a sentence that says where something is set.
    pub fn profile_name(&self, venue: Venue) -> String {
        format!("the profile `{}`", self.global.profile.as_deref().unwrap_or(venue.name()))
    }

    /// Venue, environment and server: by the subject, `--env`, `--key`, `--base-url` and the profile.
    pub fn target(&self, subject: &Subject) -> Result<Target, Failure> {
        let venue = subject.venue;
        if let (Some(one), Some(other)) = (&subject.environment, &self.global.env)
            && one != other
        {
            let source = match options::env_source() {
                option @ "--env" => format!("{option} {other}"),
                variable => format!("{variable}={other}"),
            };
            let message = format!("`{subject}` and {source} contradict each other");
            return Err(Failure::usage(message).code("wrong_environment").help("omit one of them"));
        }
        let of_key = self.global.key.as_deref().filter(|key| key.contains('/') && !is_key_text(key));
        let of_key = of_key.map(str::parse::<Subject>);
        let of_key = of_key
            .transpose()
            .map_err(|fault| Failure::usage(fault).help(format!("it comes from {}", options::key_source())))?;
        let of_key = of_key.and_then(|key| key.environment);
        let said = subject.environment.as_deref().or(self.global.env.as_deref()).or(of_key.as_deref());
        let profile = self.profile_within(venue, said)?;
        let Some(environment) = said.or(profile.map(|profile| profile.environment.as_str())) else {
            let known = venue.environments().join(" | ");
            let help = format!("pass --env {known}, or write a profile: `venuekit config example`");
            return Err(Failure::usage(format!("no environment was given for {venue}"))
                .code("no_environment")
                .help(help));
        };
        if !venue.environments().contains(&environment) {
            let place = match said {
                Some(_) if self.global.env.is_some() => options::env_source().to_owned(),
                Some(_) => options::key_source().to_owned(),
                None => self.profile_name(venue),
            };
            return Err(Failure::usage(unknown_environment(venue, environment)).help(format!("it comes from {place}")));
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
                    let message = format!("the profile `{name}` is for {}, not for {environment}", profile.environment);
                    Err(Failure::usage(message).code("wrong_environment"))
                }
                None => Ok(None),
            },
            _ => Ok(profile),
        }
    }

    /// What to say where no keys are found.
    pub fn no_keys(&self) -> String {
        let store = self.keys.options();
        match store.exists() {
            true => "no keys".to_owned(),
            false => format!("no keys: the store {} does not exist yet", store.shown()),
        }
    }

    /// The credential for a target: that of `--key` or of the subject, of the profile, or of environment variables.
    pub async fn credential(&self, target: &Target, subject: &Subject) -> Result<Credential, Failure> {
        self.sources(target, subject)?.find(target, Wanted::Caller).await
    }

    /// The same for what manages keys: where a session does that, the session or a login, never the key.
    pub async fn manager(&self, target: &Target, subject: &Subject) -> Result<Credential, Failure> {
        self.sources(target, subject)?.find(target, Wanted::Manager).await
    }

    /// Refuses two different keys for one command: if one of them were ignored, an order could reach the wrong account. `VENUEKIT_KEY`
    /// is a default, which a key that is named on the command line replaces.
    pub fn check_key(&self, subject: &Subject) -> Result<(), Failure> {
        let (Some(name), Some(key)) = (&subject.name, &self.global.key) else { return Ok(()) };
        if options::key_source() != "--key" {
            return Ok(());
        }
        if is_key_text(key) {
            return Err(credential::key_text());
        }
        let is_same = match key.contains('/') {
            false => key == name,
            true => {
                let other: Subject =
                    key.parse().map_err(|fault: String| Failure::usage(fault).help("it comes from --key"))?;
                let is_here = other.venue.of_keys() == subject.venue.of_keys();
                is_here && other.environment == subject.environment && other.name.as_ref() == Some(name)
            }
        };
        if is_same {
            return Ok(());
        }
        let message = format!("two keys were named for one command: `{subject}` and `--key {key}`");
        Err(Failure::usage(message).code("two_keys").help("name only the key that is meant"))
    }

    fn sources<'a>(&'a self, target: &Target, subject: &'a Subject) -> Result<Sources<'a>, Failure> {
        self.check_key(subject)?;
        let of_profile = self.profile_for(target)?.and_then(|profile| profile.key.as_ref());
        let named = subject.name.as_deref().map(|name| (name, None));
        let of_options = || self.global.key.as_deref().map(|name| (name, Some(options::key_source().to_owned())));
        Ok(Sources {
            keys: &self.keys,
            passphrases: &self.passphrases,
            named: named.or_else(of_options),
            of_profile: of_profile.map(|key| (key, self.profile_name(target.venue))),
        })
    }

    /// What the environment's variables hold for a target, where they hold anything.
    pub fn credential_of_variables(&self, target: &Target) -> Result<Option<Credential>, Failure> {
        credential::from_environment(&self.passphrases, target)
    }

    /// The passphrases of private keys.
    pub fn passphrases(&self) -> &Passphrases {
        &self.passphrases
    }

    /// A one-time code: of `--totp-fd`, of the stored seed, or from the terminal.
    pub async fn code(&self, target: &Target) -> Result<Secret, Failure> {
        self.codes.next(&self.keys, &self.out, target).await
    }

    /// Whether a code is available without asking anybody.
    pub fn has_codes(&self) -> bool {
        self.global.totp_fd.is_some()
    }

    /// Asks for confirmation, unless `--yes` was given.
    pub fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.global.yes { Ok(()) } else { confirm::ask(question) }
    }
}
