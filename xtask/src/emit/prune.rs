//! Removes what Progenitor writes and codegen does not use from its tokens before they are parsed: of operations and of builders only signatures
//! are read, and the defaults of builders. Their bodies are more than half of what it writes.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Where tokens stand.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// At the top of the client, or in a module or an implementation there.
    Operations,
    /// In the module of types, whose functions may be kept.
    Types,
    /// In the module of the builders of types.
    Builders,
}

/// The tokens of a client without unused function bodies.
pub fn prune(client: TokenStream) -> TokenStream {
    pruned(client, Place::Operations)
}

fn pruned(tokens: TokenStream, place: Place) -> TokenStream {
    let mut last = [None, None];
    // The name of the function whose body comes next.
    let mut function: Option<String> = None;
    let mut kept = Vec::new();
    for token in tokens {
        let word = match &token {
            TokenTree::Ident(word) => Some(word.to_string()),
            _ => None,
        };
        let token = match (token, &last) {
            (TokenTree::Group(group), [keyword, name]) if group.delimiter() == Delimiter::Brace => {
                let module = name.as_deref().filter(|_| keyword.as_deref() == Some("mod"));
                let content = match (function.take(), module, place) {
                    (Some(name), _, Place::Operations) if name != "default" => TokenStream::new(),
                    (Some(name), _, Place::Builders) if name != "default" => TokenStream::new(),
                    (Some(_), ..) | (None, None, Place::Types) => group.stream(),
                    (None, Some("types"), Place::Operations) => pruned(group.stream(), Place::Types),
                    (None, Some("builder"), Place::Types) => pruned(group.stream(), Place::Builders),
                    (None, Some(_), Place::Types) => group.stream(),
                    (None, ..) => pruned(group.stream(), place),
                };
                let mut kept = Group::new(Delimiter::Brace, content);
                kept.set_span(group.span());
                TokenTree::Group(kept)
            }
            (token, _) => token,
        };
        if let ([_, Some(keyword)], Some(name)) = (&last, &word)
            && keyword == "fn"
        {
            function = Some(name.clone());
        }
        last = [last[1].take(), word];
        kept.push(token);
    }
    kept.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::prune;

    #[test]
    fn only_what_is_read_is_left() {
        let client = "
            impl Client { pub fn a(&self) -> builder::A { builder::A::new(self) } }
            pub mod types {
                impl From<A> for String { fn from(value: A) -> Self { value.0 } }
                pub mod builder {
                    impl Default for A { fn default() -> Self { Self { a: Err(\"no value\".to_string()) } } }
                    impl A { pub fn a<T>(mut self, value: T) -> Self where T: Into<String> { self.a = value.into(); self } }
                }
            }
            pub mod builder {
                pub struct A { client: i64 }
                impl A { pub async fn send(self) -> Result<ResponseValue<i64>, Error<()>> { let Self { a } = self; a } }
            }
        ";
        let expected = client
            .replace("{ builder::A::new(self) }", "{}")
            .replace("{ self.a = value.into(); self }", "{}")
            .replace("{ let Self { a } = self; a }", "{}");
        let tokens = |text: &str| text.parse::<proc_macro2::TokenStream>().unwrap();
        assert_eq!(prune(tokens(client)).to_string(), tokens(&expected).to_string());
    }
}
