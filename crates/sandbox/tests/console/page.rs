//! The files of the page: small, complete, and without requests to other servers.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::client::{Console, sandbox};

/// The page's files may be so large together.
const LARGEST: usize = 300_000;

fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console/static");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()))
        .collect()
}

#[test]
fn the_page_is_small_and_loads_nothing_from_elsewhere() {
    let files = files();
    assert!(files.len() > 8);
    let size: usize = files.iter().map(|(_, text)| text.len()).sum();
    assert!(size < LARGEST, "{size} bytes");
    for (name, text) in &files {
        for (at, _) in text.match_indices("://") {
            let around = &text[at.saturating_sub(5)..(at + 20).min(text.len())];
            // The namespaces of SVG and example addresses are no requests.
            let is_name = ["http://www.w3.org", "https://example"].iter().any(|known| around.contains(&known[..12]));
            assert!(is_name, "{name}: {around}");
        }
        for forbidden in
            ["eval(", "innerHTML", "outerHTML", "document.write", "insertAdjacentHTML", "style=\"", "onclick=\""]
        {
            assert!(!text.contains(forbidden), "{name} has {forbidden}");
        }
    }
}

#[tokio::test]
async fn every_file_is_served_and_every_import_leads_to_one() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let files = files();
    let names: BTreeSet<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    for (name, text) in &files {
        let imports = text.lines().filter_map(|line| line.strip_prefix("import ")?.split("from './").nth(1));
        for import in imports.map(|rest| rest.trim_end_matches("';")) {
            assert!(names.contains(import), "{name} imports {import}");
        }
        let served = console.send("GET", name, None).await;
        assert_eq!(served.status(), 200, "{name} is not embedded");
        assert_eq!(&served.text().await.unwrap(), text, "{name}");
    }
}
