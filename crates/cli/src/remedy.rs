//! Help that several commands give: what finds out more. It names all that `venuekit doctor` needs.

/// For a call that the venue refuses because of the key, the clock or the environment.
pub fn of_key(doctor: &str) -> String {
    format!("`venuekit doctor {doctor}` finds out what is wrong with the key, the clock or the environment")
}

/// For a server that cannot be reached.
pub fn of_server(url: &str, doctor: &str) -> String {
    format!("the server is {url}; `venuekit doctor {doctor}` finds out whether it can be reached")
}
