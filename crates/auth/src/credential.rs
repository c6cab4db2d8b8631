//! Checks that a credential can be what it is said to be, before anything is signed with it.

use http::HeaderValue;

use crate::SignError;

/// Every id, token and secret here is visible ASCII; a blank or a line end came along from a file or a clipboard.
pub(crate) fn check(what: &'static str, text: &str) -> Result<(), SignError> {
    if text.is_empty() {
        return Err(SignError::Empty(what));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SignError::Unfit(what));
    }
    Ok(())
}

/// A checked text as the value of a header.
pub(crate) fn header(what: &'static str, text: impl AsRef<[u8]>) -> Result<HeaderValue, SignError> {
    HeaderValue::from_bytes(text.as_ref()).map_err(|_| SignError::Unfit(what))
}

/// The time as the venues take it: not negative.
pub(crate) fn check_time(now_millis: i64) -> Result<(), SignError> {
    if now_millis < 0 { Err(SignError::Clock) } else { Ok(()) }
}
