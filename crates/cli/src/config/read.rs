//! Reads the configuration file. What is wrong with it is said with its place and without its values.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{Config, KeySource};
use crate::failure::Failure;

/// Where the configuration is by default.
pub fn default_path(config_dir: &Path) -> PathBuf {
    config_dir.join("config.toml")
}

/// The configuration; an empty one where there is no file, unless its name was given.
pub fn load(path: &Path, is_given: bool) -> Result<Config, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && !is_given => return Ok(Config::default()),
        Err(error) => return Err(Failure::file(path, &error)),
    };
    let mut config: Config = toml::from_str(&text).map_err(|error| wrong(path, &text, &error))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let resolved = |place: &Path| match place.strip_prefix("~") {
        Ok(below) => etcetera::home_dir().map(|home| home.join(below)).map_err(|_| no_home(path)),
        Err(_) => Ok(folder.join(place)),
    };
    for place in [&mut config.store.path, &mut config.store.identity].into_iter().flatten() {
        *place = resolved(place)?;
    }
    for profile in config.profiles.values_mut() {
        if let Some(KeySource::Elsewhere(key)) = &mut profile.key
            && let Some(pem) = &mut key.pem
        {
            *pem = resolved(pem)?;
        }
    }
    Ok(config)
}

fn no_home(path: &Path) -> Failure {
    Failure::usage(format!("{}: a path begins with ~, and there is no home folder", path.display())).code("config")
}

/// The message without the values that it quotes: somebody may have written a secret in.
fn wrong(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let at = error.span().map_or(0, |span| span.start).min(text.len());
    let before = &text[..at];
    let (line, column) =
        (before.matches('\n').count() + 1, before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1);
    let message = error.message();
    let message = match message.rsplit_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid ") || found.starts_with("unknown variant") => {
            format!("expected {expected}")
        }
        _ => message.to_owned(),
    };
    let help = "`venuekit config example` shows a whole file, `venuekit config schema` all of its words";
    Failure::usage(format!("{}:{line}:{column}: {message}", path.display())).code("config").help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        wrong(Path::new("c.toml"), text, &toml::from_str::<Config>(text).unwrap_err()).to_string()
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_without_its_value() {
        let unknown = refused("[profiles.a]\nvenue = \"kalshi\"\nenvironment = \"demo\"\nsecret = \"MARKER\"\n");
        assert!(unknown.starts_with("error: c.toml:4:1: unknown field `secret`"), "{unknown}");
        let source =
            refused("[profiles.a]\nvenue = \"kalshi\"\nenvironment = \"demo\"\nkey = { secret = \"MARKER\" }\n");
        assert!(source.contains("or a table with `variables`"), "{source}");
        let wrong_type = refused("[store]\npath = 83461527\n");
        assert!(wrong_type.starts_with("error: c.toml:2:8: expected"), "{wrong_type}");
        for text in [unknown, source, wrong_type, refused("[store]\nkind = \"MARKER\"\n"), refused("x = MARKER\n")] {
            assert!(!text.contains("MARKER") && !text.contains("83461527"), "{text}");
        }
    }
}
