//! What is wrong with a request, in one sentence with the place. Values are never shown: one may be a secret in the wrong place.

use std::fmt;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

/// Which part of a request is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestPart {
    /// The method.
    Method,
    /// The path.
    Path,
    /// The query.
    Query,
    /// A header.
    Header,
    /// The header that says what the body is.
    ContentType,
    /// The body.
    Body,
    /// Where the body should be JSON and is not.
    Json,
    /// The params of a JSON-RPC call.
    Params,
}

impl RequestPart {
    fn name(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::ContentType => "header/content-type",
            Self::Body | Self::Json => "body",
            Self::Params => "params",
        }
    }
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The part of the request.
    pub place: RequestPart,
    /// The name of a parameter, or the way into a body without a slash in front, such as `orders/0/price`.
    pub at: String,
    /// What is wrong, as the end of a sentence.
    pub reason: String,
    /// Whether a value is there and has another JSON type.
    pub wrong_type: bool,
    /// Whether a value is present and is not one of the listed words.
    pub wrong_word: bool,
}

impl Problem {
    /// Something is wrong there.
    pub fn new(place: RequestPart, at: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place, at: at.into(), reason: reason.into(), wrong_type: false, wrong_word: false }
    }

    pub(super) fn missing(place: RequestPart, at: impl Into<String>) -> Self {
        Self::new(place, at, "is required")
    }

    /// What a schema says about a value that stands below `at`.
    pub(super) fn of(place: RequestPart, at: &str, error: &ValidationError<'_>) -> Self {
        let error = closest(error);
        let mut way = error.instance_path().as_str().to_owned();
        if let ValidationErrorKind::Required { property } = error.kind() {
            way.push('/');
            way.push_str(property.as_str().unwrap_or_default());
        }
        let at = format!("{at}{way}");
        let wrong_type = matches!(error.kind(), ValidationErrorKind::Type { .. });
        Self { wrong_type, wrong_word: is_word(error), ..Self::new(place, at.trim_start_matches('/'), reason(error)) }
    }

    /// The parameter or member that is concerned; empty where it is the whole.
    pub fn field(&self) -> &str {
        self.at.split('/').next().unwrap_or_default()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.place.name())?;
        if !self.at.is_empty() {
            write!(formatter, "/{}", self.at)?;
        }
        write!(formatter, ": {}", self.reason)
    }
}

/// Of the alternatives that a value may fit, the error of the one that it fits best: where the way into the value is longest,
/// or of the first.
fn closest<'a, 'b>(error: &'a ValidationError<'b>) -> &'a ValidationError<'b>
where
    'b: 'a,
{
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) = error.kind() else {
        return error;
    };
    let depth = |error: &ValidationError<'_>| error.instance_path().as_str().matches('/').count();
    let inner = context.iter().filter_map(|errors| errors.first()).max_by_key(|error| depth(error));
    match (inner, context.first().and_then(|errors| errors.first())) {
        (Some(inner), _) if depth(inner) > depth(error) => closest(inner),
        // It contains the name of what is missing.
        (_, Some(first)) if matches!(first.kind(), ValidationErrorKind::Required { .. }) => first,
        _ => error,
    }
}

/// Whether a value would only have to be another of some words.
fn is_word(error: &ValidationError<'_>) -> bool {
    match error.kind() {
        ValidationErrorKind::Enum { .. } => true,
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            context.iter().filter_map(|errors| errors.first()).any(is_word)
        }
        _ => false,
    }
}

fn reason(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::Required { .. } => "is required".to_owned(),
        ValidationErrorKind::Type { kind } => format!("must be {}", types(kind)),
        ValidationErrorKind::Enum { options } => format!("must be {}", either(options)),
        ValidationErrorKind::Constant { expected_value } => format!("must be {}", shown(expected_value)),
        ValidationErrorKind::Pattern { pattern } => format!("must match {pattern}"),
        ValidationErrorKind::Format { format } => format!("must be {}", format_name(format)),
        ValidationErrorKind::Minimum { limit } => format!("must be at least {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("must be at most {limit}"),
        ValidationErrorKind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        ValidationErrorKind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        ValidationErrorKind::MinLength { limit } => format!("must have at least {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("must have at most {limit} characters"),
        ValidationErrorKind::MinItems { limit } => format!("must have at least {limit} items"),
        ValidationErrorKind::MaxItems { limit } => format!("must have at most {limit} items"),
        ValidationErrorKind::MinProperties { limit } => format!("must have at least {limit} members"),
        ValidationErrorKind::MaxProperties { limit } => format!("must have at most {limit} members"),
        ValidationErrorKind::UniqueItems => "must not have duplicate items".to_owned(),
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            alternatives(context)
        }
        other => format!("violates `{}` of its schema", other.keyword()),
    }
}

/// What a value may be whose alternatives all failed.
fn alternatives(context: &[Vec<ValidationError<'static>>]) -> String {
    let mut reasons: Vec<String> = context.iter().filter_map(|errors| errors.first()).map(reason).collect();
    reasons.dedup();
    reasons.join(" or ")
}

fn types(kind: &TypeKind) -> String {
    let named = |name: &str| match name {
        "null" => "null".to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    };
    match kind {
        TypeKind::Single(kind) => named(&kind.to_string()),
        TypeKind::Multiple(kinds) => kinds.iter().map(|kind| named(&kind.to_string())).collect::<Vec<_>>().join(" or "),
    }
}

fn either(options: &Value) -> String {
    let options: Vec<String> = options.as_array().into_iter().flatten().map(shown).collect();
    match options.as_slice() {
        [one] => one.clone(),
        _ => format!("one of {}", options.join(", ")),
    }
}

/// A value of the spec as a sentence shows it.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn format_name(format: &str) -> String {
    match format {
        "decimal" => "a decimal number in a JSON string".to_owned(),
        "date-time" => "an RFC 3339 time".to_owned(),
        "date" => "a date such as 2026-01-31".to_owned(),
        "uuid" => "a UUID".to_owned(),
        other => format!("of the format {other}"),
    }
}
