//! Names as the generator writes them in Rust.

use heck::{ToPascalCase, ToSnakeCase};

/// The name of a method, a field or a parameter.
pub fn snake(name: &str) -> String {
    rust(name, |text| text.to_snake_case())
}

/// The name of a type or a variant.
pub fn pascal(name: &str) -> String {
    rust(name, |text| text.to_pascal_case())
}

/// As in the generator, except that a letter outside ASCII counts as none: two names that it keeps apart may be one here, and
/// never the other way round.
fn rust(name: &str, case: impl Fn(&str) -> String) -> String {
    let cased = match name {
        "+1" => "plus1".to_owned(),
        "-1" => "minus1".to_owned(),
        _ => case(&name.replace('\'', "").replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "-")),
    };
    let cased = match cased.chars().next() {
        None => case("x"),
        Some(first) if first.is_ascii_digit() => format!("{}{cased}", case("x")),
        Some(_) => cased,
    };
    // `gen` and the raw identifiers are reserved by the edition, the others always.
    match syn::parse_str::<syn::Ident>(&cased) {
        Ok(_) if cased != "gen" => cased,
        _ => format!("{cased}_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_generator() {
        for (name, rust) in [
            ("startTime", "start_time"),
            ("_id", "id"),
            ("type", "type_"),
            ("gen", "gen_"),
            ("1d", "x1d"),
            ("<=", "x"),
            ("", "x"),
            ("won't", "wont"),
            ("-1", "minus1"),
            ("a.b[c]", "a_b_c"),
        ] {
            assert_eq!(snake(name), rust);
        }
        for (name, rust) in [("api_key", "ApiKey"), ("self", "Self_"), ("1d", "X1d"), ("", "X")] {
            assert_eq!(pascal(name), rust);
        }
    }
}
