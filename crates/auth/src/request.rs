//! The thin adapter: puts signatures on a `reqwest::Request`.

use reqwest::{Body, Request};

use crate::{Added, Parts, SignError, Signer};

/// Signs a finished request with all signers, in order, at that time (Unix milliseconds).
///
/// Headers of an earlier signature are replaced, so that a request may be signed again before it is sent again; a signature that adds
/// parameters is made for a request that has none of them yet. On an error the request is unchanged.
pub fn apply<'a>(
    request: &mut Request,
    signers: impl IntoIterator<Item = &'a dyn Signer>,
    now_millis: i64,
) -> Result<(), SignError> {
    let parts = parts(request)?;
    let signed = signers.into_iter().map(|signer| signer.sign(&parts, now_millis)).collect::<Result<Vec<_>, _>>()?;
    for signed in signed {
        match signed.added() {
            Some(Added::Query(text)) => {
                let query = format!("{}{text}", request.url().query().unwrap_or_default());
                request.url_mut().set_query(Some(query.strip_prefix('?').unwrap_or(&query)));
            }
            Some(Added::Body(text)) => {
                let body = request.body().and_then(Body::as_bytes).unwrap_or_default();
                *request.body_mut() = Some([body, text.as_bytes()].concat().into());
            }
            None => {}
        }
        for (name, value) in signed {
            request.headers_mut().insert(name, value);
        }
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
