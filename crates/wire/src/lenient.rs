//! What an answer may leave out without being refused.

use serde::{Deserialize, Deserializer};

/// Reads `null` as the type's default: a venue that writes `"markets": null` means an empty list.
///
/// Generated code names it in `deserialize_with` on every list and map.
///
/// # Errors
/// What the type itself makes of a value that is not null.
pub fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
