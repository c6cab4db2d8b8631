//! Arguments that several commands share, read with care.

/// A command for `--hand-over`. An empty one, as a variable that is not set leaves it, would acknowledge without doing anything.
pub fn command(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("the command is empty".to_owned()) } else { Ok(text.to_owned()) }
}

/// One permission.
pub fn scope(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains([',', ' ']) {
        return Err("expected one permission; repeat --scope for several".to_owned());
    }
    Ok(text.to_owned())
}
