//! The files of the page.

use axum::response::Response;

use super::text_response;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

macro_rules! files {
    ($($name:literal: $kind:ident),* $(,)?) => {
        /// Name, content type and text of each file.
        pub(super) const FILES: &[(&str, &str, &str)] = &[$(($name, $kind, include_str!(concat!("static/", $name)))),*];
    };
}

files! {
    "index.html": HTML,
    "style.css": CSS,
    "main.js": JS,
    "dom.js": JS,
    "log.js": JS,
    "state.js": JS,
    "faults.js": JS,
    "reference.js": JS,
    "operation.js": JS,
    "schema.js": JS,
    "snippets.js": JS,
    "try-it.js": JS,
}

/// The file at a path; the page itself at the empty one.
pub(super) fn find(path: &str) -> Option<Response> {
    let name = if path.is_empty() { "index.html" } else { path };
    let (_, kind, text) = FILES.iter().find(|(known, ..)| *known == name)?;
    Some(text_response(200, kind, *text))
}
