//! Where nonces come from.

use std::cell::RefCell;
use std::sync::Arc;
use std::{fmt, process, str};

use crate::SignError;
use crate::backend::{Refused, fill_random};

/// Makes a nonce for each signature: random ones, unless a test or an example needs known ones.
#[derive(Clone)]
pub struct Nonces(Source);

#[derive(Clone)]
enum Source {
    Random,
    Own(Arc<dyn Fn() -> String + Send + Sync>),
}

impl Nonces {
    /// Sixteen random bytes in hex, from a cryptographic generator.
    pub fn random() -> Self {
        Self(Source::Random)
    }

    /// Your own nonces. A venue accepts each of them once.
    pub fn from_fn(next: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Source::Own(Arc::new(next)))
    }

    pub(crate) fn next(&self) -> Result<Nonce, SignError> {
        match &self.0 {
            Source::Random => {
                let bytes = POOL.with_borrow_mut(Pool::take).map_err(|_| SignError::Nonce)?;
                let mut digits = [0; 32];
                base16ct::lower::encode(&bytes, &mut digits).map_err(|_| SignError::Nonce)?;
                Ok(Nonce::Random(digits))
            }
            Source::Own(next) => {
                let nonce = next();
                let fits = !nonce.is_empty() && nonce.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
                if fits { Ok(Nonce::Own(nonce)) } else { Err(SignError::Nonce) }
            }
        }
    }
}

/// A nonce, to be used once.
pub(crate) enum Nonce {
    Random([u8; 32]),
    Own(String),
}

impl Nonce {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Random(digits) => str::from_utf8(digits).unwrap_or_default(),
            Self::Own(nonce) => nonce,
        }
    }
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; POOLED], left: 0, process: 0 }) };
}

/// Bytes that are drawn at once: asking the generator costs as much as a signature does, however little is asked for.
const POOLED: usize = 512;

/// Random bytes that are there already.
struct Pool {
    bytes: [u8; POOLED],
    left: usize,
    /// The process that drew them: one that was forked off has the same bytes, and must not use them.
    process: u32,
}

impl Pool {
    /// Bytes that were not used before, and are not kept.
    fn take(&mut self) -> Result<[u8; 16], Refused> {
        let process = process::id();
        if self.left == 0 || self.process != process {
            self.left = 0;
            fill_random(&mut self.bytes)?;
            (self.left, self.process) = (POOLED, process);
        }
        let mut taken = [0; 16];
        let from = self.left - taken.len();
        taken.copy_from_slice(&self.bytes[from..self.left]);
        self.bytes[from..self.left].fill(0);
        self.left = from;
        Ok(taken)
    }
}

impl Default for Nonces {
    fn default() -> Self {
        Self::random()
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_nonce_comes_twice_on_any_thread() {
        let draw = || (0..1000).map(|_| Nonces::random().next().unwrap().as_str().to_owned()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(draw)).collect();
        let all: Vec<String> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert!(all.iter().all(|nonce| nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit())));
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 4000);
    }

    #[test]
    fn a_forked_process_draws_its_own() {
        let mut pool = Pool { bytes: [0; POOLED], left: 0, process: 0 };
        pool.take().unwrap();
        let mut forked = Pool { bytes: pool.bytes, left: pool.left, process: process::id().wrapping_add(1) };
        assert_ne!(forked.take().unwrap(), pool.take().unwrap());
        assert_eq!((forked.process, forked.left), (process::id(), POOLED - 16));
        let mut same = Pool { bytes: pool.bytes, left: pool.left, process: process::id() };
        assert_eq!(same.take().unwrap(), pool.take().unwrap(), "what makes the first half say something");
    }

    #[test]
    fn what_was_taken_is_not_kept() {
        let mut pool = Pool { bytes: [0; POOLED], left: 0, process: 0 };
        for round in 1..=POOLED / 16 {
            pool.take().unwrap();
            assert!(pool.bytes[POOLED - 16 * round..].iter().all(|byte| *byte == 0));
        }
        assert_eq!(pool.left, 0);
    }
}
