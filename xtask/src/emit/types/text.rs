//! Text of generated types. Lines are not broken: a field is one line, however long its type is.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{Attribute, File, Item, Meta, Token, Type};

use crate::emit::items::lines;

/// Lines, each with its indentation.
pub struct Text {
    text: String,
    depth: usize,
}

/// How long a line of words becomes.
const WIDTH: usize = 118;

/// What stands for longer paths in the module: names of the prelude, which no schema may have, and what the module imports.
const SHORT: [(&str, &str); 7] = [
    ("::std::option::Option", "Option"),
    ("::std::string::String", "String"),
    ("::std::vec::Vec", "Vec"),
    ("::std::boxed::Box", "Box"),
    ("::std::collections::HashMap", "HashMap"),
    ("::venuekit_wire::lenient::", "lenient::"),
    ("::venuekit_wire::", "wire::"),
];

impl Text {
    /// The inside of a module.
    pub fn new() -> Self {
        Self { text: String::new(), depth: 1 }
    }

    /// A file.
    pub fn top() -> Self {
        Self { text: String::new(), depth: 0 }
    }

    pub fn finish(self) -> String {
        self.text
    }

    pub fn line(&mut self, line: &str) {
        if !line.is_empty() {
            (0..self.depth).for_each(|_| self.text.push_str("    "));
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    pub fn indented<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        self.depth += 1;
        let written = write(self);
        self.depth -= 1;
        written
    }

    /// Words, as many as a line holds.
    pub fn filled(&mut self, words: impl Iterator<Item = String>) {
        let room = WIDTH.saturating_sub(4 * self.depth);
        let mut line = String::new();
        for word in words {
            if !line.is_empty() && line.len() + 1 + word.len() > room {
                self.line(&std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
        if !line.is_empty() {
            self.line(&line);
        }
    }

    /// The documentation among attributes.
    pub fn docs(&mut self, attributes: &[Attribute]) {
        for line in lines(attributes).iter().flat_map(|text| text.split('\n')) {
            match line.trim_end() {
                "" => self.line("///"),
                line if line.starts_with(' ') => self.line(&format!("///{line}")),
                line => self.line(&format!("/// {line}")),
            }
        }
    }

    /// All attributes but the documentation, what is said to serde in one.
    pub fn attributes(&mut self, all: &[Attribute]) {
        attributes(all).iter().for_each(|attribute| self.line(attribute));
    }

    /// An item as it is.
    pub fn item(&mut self, item: &Item) {
        let file = File { shebang: None, attrs: Vec::new(), items: vec![item.clone()] };
        prettyplease::unparse(&file).lines().for_each(|line| self.line(line));
    }
}

/// All attributes but the documentation, what is said to serde in one.
pub fn attributes(all: &[Attribute]) -> Vec<String> {
    let (serde, others): (Vec<&Attribute>, Vec<&Attribute>) = all
        .iter()
        .filter(|attribute| !attribute.path().is_ident("doc"))
        .partition(|attribute| attribute.path().is_ident("serde"));
    let mut written: Vec<String> = others.into_iter().map(|attribute| code(attribute.to_token_stream())).collect();
    let mut said: Vec<String> = Vec::new();
    for attribute in serde {
        let parts = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).unwrap_or_default();
        for part in parts.iter().map(|part| code(part.to_token_stream())) {
            if !said.contains(&part) {
                said.push(part);
            }
        }
    }
    if !said.is_empty() {
        written.push(format!("#[serde({})]", said.join(", ")));
    }
    written
}

/// A type as a person writes it.
pub fn kind(kind: &Type) -> String {
    code(kind.to_token_stream())
}

/// Tokens of types and attributes, with as few spaces and as short paths as they need.
pub fn code(tokens: TokenStream) -> String {
    let spaced = tokens.to_string();
    let mut code = String::with_capacity(spaced.len());
    let mut rest = spaced.as_str();
    // From one space to the next, of which few are needed.
    while let Some((word, behind)) = rest.split_once(' ') {
        push(&mut code, word);
        let is_opened =
            code.ends_with(['<', '(']) || code.ends_with("::") || code.ends_with('#') && behind.starts_with('[');
        let is_closed = behind.starts_with(['<', '>', '(', ')', ',']);
        let is_path = behind.starts_with("::") && !code.ends_with(',');
        if !(is_opened || is_closed || is_path) {
            code.push(' ');
        }
        rest = behind;
    }
    push(&mut code, rest);
    if !code.contains("::") {
        return code;
    }
    SHORT.iter().fold(code, |code, (long, short)| if code.contains(long) { code.replace(long, short) } else { code })
}

/// Appends what stands between two spaces. Lists of arguments end without a comma.
fn push(code: &mut String, word: &str) {
    if word.starts_with('>') && code.ends_with(',') {
        code.pop();
    }
    code.push_str(word);
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn types_and_attributes_are_written_as_a_person_does() {
        for (long, short) in [
            (parse_quote!(::std::option::Option<::std::boxed::Box<super::Leg>>), "Option<Box<super::Leg>>"),
            (
                parse_quote!(::std::collections::HashMap<::std::string::String, ::std::vec::Vec<::venuekit_wire::Open<Side>>>),
                "HashMap<String, Vec<wire::Open<Side>>>",
            ),
            (
                parse_quote!(::serde_json::Map<::std::string::String, ::serde_json::Value>),
                "::serde_json::Map<String, ::serde_json::Value>",
            ),
        ] {
            assert_eq!(kind(&long), short);
        }
        let all: Vec<Attribute> = vec![
            parse_quote!(#[doc = "said"]),
            parse_quote!(#[serde(default, skip_serializing_if = "::std::vec::Vec::is_empty")]),
            parse_quote!(#[derive(::serde::Serialize, Clone)]),
            parse_quote!(#[serde(default, rename = "a, b")]),
        ];
        let expected = [
            "#[derive(::serde::Serialize, Clone)]",
            "#[serde(default, skip_serializing_if = \"::std::vec::Vec::is_empty\", rename = \"a, b\")]",
        ];
        assert_eq!(attributes(&all), expected.map(|line| line.replace("::std::vec::Vec", "Vec")));
    }
}
