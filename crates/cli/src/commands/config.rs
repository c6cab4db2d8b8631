//! `venuekit config`: the configuration, its schema and an example.

use clap::Subcommand;
use serde_json::json;

use crate::config::{Config, Elsewhere, KeySource, Profile};
use crate::context::Context;
use crate::failure::Failure;
use crate::subject::Subject;
use crate::target::{Target, local_url};

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the JSON Schema of the configuration file
    Schema,
    /// Print the path of the configuration, and its profiles
    Show,
    /// Print an example configuration
    Example,
}

const EXAMPLE: &str = include_str!("../config/example.toml");

/// `venuekit config`.
pub fn run(context: &Context, command: &ConfigCommand) -> Result<(), Failure> {
    let out = context.out();
    match command {
        ConfigCommand::Schema => {
            let schema = schemars::schema_for!(Config);
            match out.is_json() {
                true => out.document(&schema),
                false => out.line(&serde_json::to_string_pretty(&schema).unwrap_or_default()),
            }
        }
        ConfigCommand::Example => match out.is_json() {
            true => out.document(&json!({ "example": EXAMPLE })),
            false => out.raw(EXAMPLE),
        },
        ConfigCommand::Show => show(context),
    }
    Ok(())
}

fn show(context: &Context) {
    let (out, path) = (context.out(), context.config_path());
    let found = if path.exists() { "" } else { " (does not exist)" };
    out.step("config", &format!("{}{found}", path.display()));
    out.step("store", &context.keys().options().shown());
    let profiles = context.config().profiles.iter();
    let shown: Vec<_> = profiles.map(|(name, profile)| (name, profile, target(profile))).collect();
    let rows: Vec<Vec<String>> = shown
        .iter()
        .map(|(name, profile, target)| {
            let server = target.as_ref().map_or("-", |target| &target.base_url);
            let key = profile.key.as_ref().map_or_else(|| "-".to_owned(), KeySource::shown);
            vec![name.to_string(), profile.venue.to_string(), profile.environment.clone(), server.to_owned(), key]
        })
        .collect();
    if !rows.is_empty() {
        out.line("");
        out.table(&["profile", "venue", "environment", "server", "key"], &rows);
    }
    for (name, _, target) in &shown {
        if let Err(fault) = target {
            out.note(&format!("profile {name}: {fault}"));
        }
    }
    let profiles: Vec<_> = shown
        .iter()
        .map(|(name, profile, target)| {
            let (url, fault) = (target.as_ref().ok().map(|target| &target.base_url), target.as_ref().err());
            json!({"name": name, "venue": profile.venue.name(), "environment": profile.environment,
                "key": profile.key.as_ref().map(KeySource::shown), "base_url": url, "timeout": profile.timeout,
                "proxy": profile.proxy.as_ref().map(ToString::to_string), "known_keys": profile.known_keys, "fault": fault})
        })
        .collect();
    out.document(
        &json!({"config": path, "exists": path.exists(), "store": context.keys().options().shown(), "profiles": profiles}),
    );
}

/// Where a profile goes, or what is wrong with it.
fn target(profile: &Profile) -> Result<Target, String> {
    let base_url = profile.base_url.clone().or_else(|| local_url(&profile.environment));
    let target = Target::new(profile.venue, &profile.environment, base_url.as_deref());
    let target = target.map_err(|failure| failure.message().to_owned())?;
    match &profile.key {
        Some(KeySource::Stored(name)) if name.contains('/') => {
            let key: Subject = name.parse()?;
            if key.venue.of_keys() != profile.venue.of_keys() || key.environment.as_ref() != Some(&profile.environment)
            {
                return Err(format!("its key {name} is not of {}/{}", profile.venue, profile.environment));
            }
        }
        Some(KeySource::Elsewhere(place)) if !place.is_whole() => return Err(Elsewhere::PARTS.to_owned()),
        _ => {}
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_keeps_to_the_schema_and_is_read() {
        let config: Config = toml::from_str(EXAMPLE).unwrap();
        assert!(config.profiles.len() >= 3);
        for profile in config.profiles.values() {
            assert!(target(profile).is_ok(), "{profile:?}");
        }
        let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
        let profile = &schema["$defs"]["Profile"];
        assert_eq!(profile["additionalProperties"], false);
        assert!(profile["properties"]["base-url"].is_object() && profile["required"][0] == "venue", "{profile}");
    }

    #[test]
    fn a_profile_that_goes_nowhere_says_why() {
        for (key, said) in [
            ("{ id = 'a' }", "`pem` together with `id`"),
            ("{ pem = 'a', variables = 'B' }", "`pem` together with `id`"),
            ("'kalshi/production/bot'", "is not of kalshi/demo"),
            ("'deribit/demo/bot'", "has no environment"),
        ] {
            let text = format!("venue = 'kalshi'\nenvironment = 'demo'\nkey = {key}");
            let fault = target(&toml::from_str::<Profile>(&text).unwrap()).unwrap_err();
            assert!(fault.contains(said), "{fault}");
        }
    }
}
