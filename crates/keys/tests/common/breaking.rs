//! A journal whose disk is full at a step that a test chooses.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use venuekit_keys::journal::{Entry, FolderJournal, Guard, Journal, JournalError, RunId, Step};
use venuekit_keys::{Account, Engine};

use crate::common::{journal, open_store, settings};

/// Whether a step cannot be noted, and how often the venue was about to be asked for a key.
type Choose = fn(&Step, usize) -> bool;

struct Breaking {
    inner: FolderJournal,
    breaks: Choose,
    asked: AtomicUsize,
}

/// An engine with such a journal.
pub fn engine(folder: &Path, breaks: Choose) -> Engine {
    let journal = Breaking { inner: journal(folder), breaks, asked: AtomicUsize::new(0) };
    Engine::new(Arc::new(open_store(folder)), Arc::new(journal)).settings(settings())
}

impl Journal for Breaking {
    fn lock(&self, account: &Account) -> Result<Guard, JournalError> {
        self.inner.lock(account)
    }

    fn begin(&self, run: &RunId, entry: &Entry) -> Result<(), JournalError> {
        self.inner.begin(run, entry)
    }

    fn append(&self, run: &RunId, entry: &Entry) -> Result<(), JournalError> {
        let is_asking = matches!(entry.step, Step::Asking { .. });
        let times = self.asked.fetch_add(usize::from(is_asking), Ordering::SeqCst) + usize::from(is_asking);
        if (self.breaks)(&entry.step, times) {
            let source = io::Error::from(io::ErrorKind::StorageFull);
            return Err(JournalError::Io { path: "journal".into(), source });
        }
        self.inner.append(run, entry)
    }

    fn read(&self, run: &RunId) -> Result<Vec<Entry>, JournalError> {
        self.inner.read(run)
    }

    fn runs(&self) -> Result<Vec<RunId>, JournalError> {
        self.inner.runs()
    }
}
