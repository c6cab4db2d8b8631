//! The reference documentation as static pages: the console's own page, with the specs as data beside it.
//!
//! The pages open from a folder as well as from a server. A browser loads no modules and no JSON from a folder, so the modules are
//! joined into one script, and each spec is a script that sets a variable.

use std::fs;
use std::path::Path;

use crate::codegen::venues;

/// The page's files, in the sandbox.
const PAGE: &str = "crates/sandbox/src/console/static";
/// Other files of the static pages.
const OWN: &str = "crates/sandbox/src/console/reference";
/// The joined documents.
const SPECS: &str = "crates/spec/src/generated";
/// The modules, each after those that it imports.
const MODULES: [&str; 6] = ["dom.js", "schema.js", "snippets.js", "operation.js", "reference.js", "static.js"];
/// Where scripts with data belong in the page.
const DATA: &str = "<!-- data -->";

/// Writes the pages of a workspace into a folder. Gives the names of the files.
pub fn write(root: &Path, out: &Path) -> Result<Vec<String>, String> {
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let page = |name: &str| {
        let own = root.join(OWN).join(name);
        read(&if own.exists() { own } else { root.join(PAGE).join(name) })
    };
    let mut files = vec![("style.css".to_owned(), page("style.css")?)];
    let modules = MODULES.iter().map(|name| Ok((*name, page(name)?)));
    files.push(("reference.js".to_owned(), join(&modules.collect::<Result<Vec<_>, String>>()?)?));
    let mut scripts = Vec::new();
    for venue in venues(root) {
        let document = read(&root.join(SPECS).join(format!("{venue}.json")))?;
        let name = format!("data/{venue}.js");
        let text = format!("(globalThis.venuekitSpecs ??= {{}})[\"{venue}\"] = {};\n", document.trim_end());
        scripts.push(format!("<script defer src=\"{name}\"></script>"));
        files.push((name, text));
    }
    let html = page("index.html")?;
    if !html.contains(DATA) {
        return Err(format!("{OWN}/index.html: `{DATA}` is missing"));
    }
    files.push(("index.html".to_owned(), html.replace(DATA, &scripts.join("\n"))));
    for (name, text) in &files {
        let path = out.join(name);
        let folder = path.parent().unwrap_or(out);
        let failed = |error| format!("{}: {error}", path.display());
        fs::create_dir_all(folder).map_err(failed)?;
        fs::write(&path, text).map_err(failed)?;
    }
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

/// One script of modules that import from each other and from nothing else.
fn join(modules: &[(&str, String)]) -> Result<String, String> {
    let mut joined = String::from("'use strict';\n(() => {\n");
    let mut known: Vec<&str> = Vec::new();
    for (name, text) in modules {
        for line in text.lines() {
            if let Some(import) = line.strip_prefix("import ") {
                let from = import.split("from './").nth(1).and_then(|rest| rest.strip_suffix("';"));
                match from {
                    Some(module) if known.contains(&module) => continue,
                    _ => return Err(format!("{name}: `{line}` is not an import of an earlier module on one line")),
                }
            }
            joined.push_str(line.strip_prefix("export ").unwrap_or(line));
            joined.push('\n');
        }
        known.push(name);
    }
    joined.push_str("})();\n");
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tests::{Scratch, root};

    #[test]
    fn the_pages_of_this_workspace_are_written() {
        let root = root();
        let scratch = Scratch::new();
        let files = write(&root, scratch.path()).unwrap();
        let html = fs::read_to_string(scratch.path().join("index.html")).unwrap();
        let script = fs::read_to_string(scratch.path().join("reference.js")).unwrap();
        assert!(!script.lines().any(|line| line.starts_with("import ") || line.starts_with("export ")));
        for file in files.iter().filter(|file| file.ends_with(".js")) {
            assert!(html.contains(&format!("src=\"{file}\"")), "{file}");
        }
        assert!(files.contains(&"data/kalshi.js".to_owned()), "{files:?}");
        let kalshi = fs::read_to_string(scratch.path().join("data/kalshi.js")).unwrap();
        let json = kalshi.split_once("] = ").unwrap().1.trim_end().trim_end_matches(';');
        let document: serde_json::Value = serde_json::from_str(json).unwrap();
        assert!(document["paths"].as_object().unwrap().len() > 50);
    }

    #[test]
    fn modules_share_no_names() {
        let root = root();
        let mut names = BTreeSet::new();
        for module in MODULES {
            let folder = if module == "static.js" { OWN } else { PAGE };
            let text = fs::read_to_string(root.join(folder).join(module)).unwrap();
            for line in text.lines() {
                let line = line.strip_prefix("export ").unwrap_or(line);
                let line = line.strip_prefix("async ").unwrap_or(line);
                let declared = ["function ", "const ", "let "].into_iter().find_map(|word| line.strip_prefix(word));
                let list = declared.unwrap_or_default().split([';', '(']).next().unwrap_or_default();
                for part in list.split(", ") {
                    let name = part.split([' ', '=']).next().unwrap_or_default();
                    let is_name = !name.is_empty() && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_');
                    assert!(!is_name || names.insert(name.to_owned()), "{module} declares {name} again");
                }
            }
        }
        assert!(names.contains("operationsOf") && names.contains("openReference"), "{names:?}");
    }

    #[test]
    fn an_import_of_something_else_is_an_error() {
        let modules = [("one.js", "import { x } from './elsewhere.js';".to_owned())];
        assert!(join(&modules).unwrap_err().starts_with("one.js: `import"));
    }
}
