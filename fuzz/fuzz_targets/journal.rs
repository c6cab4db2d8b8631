//! Files of the key engine's journal, damaged ones too: what is read is written as the same steps, and a step that is added to a
//! readable journal is read after them.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use venuekit_keys::journal::{Entry, FolderJournal, Journal, RunId, Step};

fuzz_target!(|bytes: &[u8]| {
    static JOURNAL: OnceLock<(FolderJournal, RunId)> = OnceLock::new();
    let (journal, run) = JOURNAL.get_or_init(|| {
        // A folder of this process: several may run at once.
        let folder = std::env::temp_dir().join(format!("venuekit-fuzz-journal-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        (FolderJournal::new(folder), RunId::new("bot-7f3a"))
    });
    std::fs::write(journal.path(run), bytes).expect("a file");
    let _ = journal.glimpse(run);
    assert_eq!(journal.runs().expect("the folder can be read"), [run.clone()]);
    let entries = match journal.read(run) {
        Ok(entries) => entries,
        Err(error) => return drop(error.to_string()),
    };
    for entry in &entries {
        let written = serde_json::to_string(entry).expect("an entry can be written");
        let again: Entry = serde_json::from_str(&written).expect("an entry that was written is read");
        assert_eq!(*entry, again);
    }
    let done = Entry::now(Step::Done);
    journal.append(run, &done).expect("the file can be written");
    let longer = journal.read(run).expect("a journal that was read is read again");
    assert_eq!(longer.split_last(), Some((&done, &entries[..])));
    // A run begins with what it is about, which is no last step.
    assert!(entries.is_empty() || journal.glimpse(run).ended);
});
