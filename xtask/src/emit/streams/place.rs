//! Places in a message: the expression that a JSON pointer becomes on the generated types.

use syn::Type;

use super::Structs;
use crate::emit::items::{field, named, of, option};

/// What a pointer leads to.
pub struct Found<'a> {
    /// An option of a reference to it.
    pub expression: String,
    /// Its type.
    pub kind: &'a Type,
}

/// The value at a pointer below `value`, which is a reference to the struct `owner`.
pub fn at<'a>(structs: &'a Structs, owner: &str, value: &str, pointer: &str) -> Result<Found<'a>, String> {
    let missing = || format!("`{owner}` has nothing at `{pointer}`");
    let mut expression = String::new();
    let mut owner = structs.get(owner).ok_or_else(missing)?;
    let mut steps = pointer.strip_prefix('/').ok_or_else(missing)?.split('/').peekable();
    loop {
        let name = steps.next().ok_or_else(missing)?;
        let field = field(owner, name).ok_or_else(missing)?;
        let ident = field.ident.as_ref().ok_or_else(missing)?;
        let inner = option(&field.ty);
        let kind = inner.unwrap_or(&field.ty);
        expression = match (expression.is_empty(), inner.is_some()) {
            (true, true) => format!("{value}.{ident}.as_ref()"),
            (true, false) => format!("Some(&{value}.{ident})"),
            (false, true) => format!("{expression}.and_then(|at| at.{ident}.as_ref())"),
            (false, false) => format!("{expression}.map(|at| &at.{ident})"),
        };
        if steps.peek().is_none() {
            return Ok(Found { expression, kind });
        }
        let kind = of("Box", kind).unwrap_or(kind);
        owner = named(kind).and_then(|name| structs.get(&name.to_string())).ok_or_else(missing)?;
    }
}

impl Found<'_> {
    /// An option of its text.
    pub fn text(&self) -> String {
        format!("{}.map(AsRef::<str>::as_ref)", self.expression)
    }

    /// An option of it as a number.
    pub fn whole_number(&self) -> Result<String, String> {
        let name = named(self.kind).map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "i64" => Ok(format!("{}.copied()", self.expression)),
            "UnixSeconds" | "UnixMillis" | "UnixMicros" | "UnixNanos" => {
                Ok(format!("{}.map(|at| at.0)", self.expression))
            }
            _ => Err(format!("`{name}` is no whole number")),
        }
    }

    /// The elements, where it is a list.
    pub fn elements(&self) -> Result<(String, &Type), String> {
        let one = of("Vec", self.kind).ok_or("this is no list")?;
        Ok((format!("{}.into_iter().flatten()", self.expression), one))
    }
}

#[cfg(test)]
mod tests {
    use syn::{Item, parse_file};

    use super::*;

    fn structs() -> Structs {
        let file = parse_file(
            "pub struct A { pub b: ::std::option::Option<::std::boxed::Box<B>>, pub n: i64, #[serde(rename = \"eventId\")] pub event_id: String }
             pub struct B { pub c: String, pub d: Option<C>, pub list: Vec<C> }
             pub struct C { pub e: Option<wire::UnixMillis> }",
        );
        let items = file.unwrap().items.into_iter().filter_map(|item| match item {
            Item::Struct(item) => Some((item.ident.to_string(), item)),
            _ => None,
        });
        items.collect()
    }

    #[test]
    fn pointers_become_expressions() {
        let structs = structs();
        for (pointer, expression) in [
            ("/eventId", "Some(&message.event_id)"),
            ("/n", "Some(&message.n)"),
            ("/b/c", "message.b.as_ref().map(|at| &at.c)"),
            ("/b/d/e", "message.b.as_ref().and_then(|at| at.d.as_ref()).and_then(|at| at.e.as_ref())"),
        ] {
            assert_eq!(at(&structs, "A", "message", pointer).unwrap().expression, expression);
        }
        assert!(at(&structs, "A", "message", "/b/d/e").unwrap().whole_number().unwrap().ends_with(".map(|at| at.0)"));
        assert!(at(&structs, "A", "message", "/b/c").unwrap().whole_number().is_err());
        assert_eq!(
            at(&structs, "B", "message", "/list").unwrap().elements().unwrap().0,
            "Some(&message.list).into_iter().flatten()"
        );
        for nowhere in ["", "/x", "/n/x", "/b/list/e", "b"] {
            assert!(at(&structs, "A", "message", nowhere).is_err(), "{nowhere}");
        }
    }
}
