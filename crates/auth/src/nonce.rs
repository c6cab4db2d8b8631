//! Where nonces come from.

use std::fmt;
use std::sync::Arc;

use crate::SignError;
use crate::backend::fill_random;

type Source = dyn Fn() -> Result<String, SignError> + Send + Sync;

/// Makes a nonce for each signature: random ones, unless a test or an example needs known ones.
#[derive(Clone)]
pub struct Nonces(Arc<Source>);

impl Nonces {
    /// Sixteen random bytes in hex, from the operating system.
    pub fn random() -> Self {
        Self(Arc::new(|| {
            let mut bytes = [0; 16];
            fill_random(&mut bytes).map_err(|_| SignError::Nonce)?;
            Ok(hex::encode(bytes))
        }))
    }

    /// Nonces of one's own. A venue takes each of them once.
    pub fn from_fn(next: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(move || Ok(next())))
    }

    pub(crate) fn next(&self) -> Result<String, SignError> {
        let nonce = (self.0)()?;
        let fits = !nonce.is_empty() && nonce.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
        if fits { Ok(nonce) } else { Err(SignError::Nonce) }
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
