//! The thin adapter: puts signatures on a `reqwest::Request`.

use reqwest::Request;

use crate::{Parts, SignError, Signer};

/// Signs a finished request with all signers, in order, at that time (Unix milliseconds).
///
/// Headers of an earlier signature are replaced, so that a request may be signed again before it is sent again. On an error the
/// request is unchanged.
pub fn apply<'a>(
    request: &mut Request,
    signers: impl IntoIterator<Item = &'a dyn Signer>,
    now_millis: i64,
) -> Result<(), SignError> {
    let parts = parts(request)?;
    let signed = signers.into_iter().map(|signer| signer.sign(&parts, now_millis)).collect::<Result<Vec<_>, _>>()?;
    for (name, value) in signed.into_iter().flatten() {
        request.headers_mut().insert(name, value);
    }
    Ok(())
}

/// What of a request is signed.
pub fn parts(request: &Request) -> Result<Parts<'_>, SignError> {
    let body = match request.body() {
        None => &[][..],
        Some(body) => body.as_bytes().ok_or(SignError::StreamingBody)?,
    };
    let url = request.url();
    Ok(Parts { method: request.method().as_str(), path: url.path(), query: url.query(), body })
}
