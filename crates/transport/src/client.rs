//! What generated code names.

pub use crate::call::{Call, CallBody, JsonBody, encode_segment};
pub use crate::error::Error;
pub use crate::response::ResponseValue;
pub use crate::session::Session;
