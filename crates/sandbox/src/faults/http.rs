//! Faults of HTTP answers.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

use super::Fault;
use crate::stream::Disconnector;

const PAGE: &str = "<html><head><title>Error</title></head><body><h1>Error</h1></body></html>";

/// The response to a call that meets a fault.
pub(crate) async fn answer(fault: Fault, cut: &Disconnector, carry_out: impl Future<Output = Response>) -> Response {
    match fault {
        Fault::Delay { ms } => {
            let response = carry_out.await;
            tokio::time::sleep(Duration::from_millis(ms)).await;
            response
        }
        Fault::DropBefore => drop_connection(cut),
        Fault::DropAfter => {
            carry_out.await;
            drop_connection(cut)
        }
        Fault::SilenceBefore => match never().await {},
        Fault::SilenceAfter => {
            carry_out.await;
            match never().await {}
        }
        Fault::CloseMidAnswer => half(carry_out.await).await,
        Fault::Status { status, body, content_type, retry_after, executed } => {
            if executed {
                carry_out.await;
            }
            other(status, body, content_type.as_deref(), retry_after)
        }
        // These are of frames, and no rule with them is for HTTP.
        _ => carry_out.await,
    }
}

/// The server lets go of a call when its caller hangs up.
async fn never() -> Infallible {
    pending().await
}

/// What is answered over a connection that is cut reaches nobody.
fn drop_connection(cut: &Disconnector) -> Response {
    cut.cut();
    Response::new(Body::empty())
}

async fn half(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    // An empty body breaks off too: it is announced with one byte that never comes.
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len().max(1)));
    let first_half = body.slice(..body.len() / 2);
    let chunks = stream::unfold(Some(first_half), |rest| async move {
        match rest {
            Some(bytes) if !bytes.is_empty() => Some((Ok(bytes), Some(Bytes::new()))),
            Some(_) => {
                // What was written so far is to go out before the connection ends.
                tokio::task::yield_now().await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), None))
            }
            None => None,
        }
    });
    Response::from_parts(parts, Body::from_stream(chunks))
}

fn other(status: u16, body: Option<String>, content_type: Option<&str>, retry_after: Option<u64>) -> Response {
    let mut response = Response::new(Body::from(body.unwrap_or_else(|| PAGE.to_owned())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = content_type.and_then(|text| HeaderValue::from_str(text).ok());
    let content_type = content_type.unwrap_or(HeaderValue::from_static("text/html; charset=utf-8"));
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
