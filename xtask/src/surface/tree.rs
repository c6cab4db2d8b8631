//! Reads JSON and YAML that others wrote, with the order of members kept. Our own specs are read by `source`, which is stricter.

use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use yaml_rust2::parser::{Event, EventReceiver, Parser, Tag};
use yaml_rust2::scanner::TScalarStyle;

use crate::source::step;

/// A file and the order of what stands in it.
#[derive(Debug, Default)]
pub struct Tree {
    /// What it says.
    pub value: Value,
    /// The places of members by their pointers.
    order: HashMap<String, usize>,
}

/// The largest file: vendors' documents have a few megabytes, recorded traffic is read in another way.
pub const LARGEST: usize = 64 << 20;

/// Levels of a document. Vendors' have about thirty.
const DEEPEST: usize = 96;

/// Nodes of a document, aliases written out.
const MOST: usize = 4_000_000;

impl Tree {
    /// Reads a document: JSON where it begins as such, YAML otherwise.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.len() > LARGEST {
            return Err(format!("larger than {} MiB", LARGEST >> 20));
        }
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with(['{', '[']) {
            let mut order = HashMap::new();
            let mut reader = serde_json::Deserializer::from_str(text);
            let seed = Ordered { at: String::new(), order: &mut order };
            if let Ok(value) = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value)) {
                return Ok(Self { value, order });
            }
        }
        yaml(text)
    }

    /// A document that was made here, whose members have no order.
    pub fn of(value: Value) -> Self {
        Self { value, order: HashMap::new() }
    }

    /// Where a member stands among the others.
    pub fn order(&self, pointer: &str) -> Option<(usize, usize)> {
        self.order.get(pointer).map(|place| (*place, 0))
    }
}

/// Reads JSON and notes the order of members.
struct Ordered<'a> {
    at: String,
    order: &'a mut HashMap<String, usize>,
}

impl<'de> DeserializeSeed<'de> for Ordered<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Ordered<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(value) = {
            let at = step(&self.at, &all.len().to_string());
            list.next_element_seed(Ordered { at, order: &mut *self.order })?
        } {
            all.push(value);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let at = step(&self.at, &name);
            self.order.insert(at.clone(), all.len());
            all.insert(name, map.next_value_seed(Ordered { at, order: &mut *self.order })?);
        }
        Ok(Value::Object(all))
    }
}

/// Reads YAML 1.2, with anchors and tags; of several documents in a file the first.
fn yaml(text: &str) -> Result<Tree, String> {
    let mut loader = Loader::default();
    Parser::new_from_str(text).load(&mut loader, false).map_err(|error| error.to_string())?;
    match (loader.problem, loader.done) {
        (Some(problem), _) => Err(problem.to_owned()),
        (None, None) => Err("the file is empty".to_owned()),
        (None, Some(value)) => {
            let mut order = HashMap::new();
            let value = value.into_value("", &mut order);
            Ok(Tree { value, order })
        }
    }
}

/// A YAML node with its order.
#[derive(Clone)]
enum Node {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    fn into_value(self, at: &str, order: &mut HashMap<String, usize>) -> Value {
        match self {
            Self::Scalar(value) => value,
            Self::List(items) => {
                let items = items.into_iter().enumerate();
                items.map(|(i, item)| item.into_value(&step(at, &i.to_string()), order)).collect()
            }
            Self::Map(members) => {
                let mut all = Map::new();
                for (place, (name, value)) in members.into_iter().enumerate() {
                    let below = step(at, &name);
                    order.insert(below.clone(), place);
                    all.insert(name, value.into_value(&below, order));
                }
                Value::Object(all)
            }
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Scalar(_) => 1,
            Self::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Self::Map(members) => 1 + members.iter().map(|(_, value)| value.size()).sum::<usize>(),
        }
    }
}

/// What is not closed yet.
enum Open {
    List(Vec<Node>, usize),
    Map(Vec<(String, Node)>, Option<String>, usize),
}

#[derive(Default)]
struct Loader {
    stack: Vec<Open>,
    /// Nodes with anchors, and how many values they have.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    done: Option<Node>,
    problem: Option<&'static str>,
}

impl EventReceiver for Loader {
    fn on_event(&mut self, event: Event) {
        if self.problem.is_some() || (self.done.is_some() && self.stack.is_empty()) {
            return;
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(text, style, tag.as_ref());
                self.put(Node::Scalar(value), anchor);
            }
            Event::SequenceStart(anchor, _) => self.open(Open::List(Vec::new(), anchor)),
            Event::MappingStart(anchor, _) => self.open(Open::Map(Vec::new(), None, anchor)),
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Open::List(items, anchor)) => self.put(Node::List(items), anchor),
                Some(Open::Map(members, _, anchor)) => self.put(Node::Map(members), anchor),
                None => {}
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                // Looked at before it is copied: aliases of aliases grow without bounds.
                Some((_, size)) if self.nodes + size > MOST => self.problem = Some("too many values"),
                Some((node, size)) => {
                    let node = node.clone();
                    self.nodes += size;
                    self.put(node, 0);
                }
                None => self.problem = Some("an alias without its anchor"),
            },
            _ => {}
        }
    }
}

impl Loader {
    fn open(&mut self, open: Open) {
        if self.stack.len() >= DEEPEST {
            self.problem = Some("too many levels");
        }
        self.stack.push(open);
    }

    fn put(&mut self, node: Node, anchor: usize) {
        self.nodes += 1;
        if self.nodes > MOST {
            self.problem = Some("too many values");
            return;
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), node.size()));
        }
        match self.stack.last_mut() {
            None => self.done = Some(node),
            Some(Open::List(items, _)) => items.push(node),
            Some(Open::Map(members, name, _)) => match name.take() {
                None => {
                    *name = Some(match node {
                        Node::Scalar(Value::String(text)) => text,
                        Node::Scalar(other) => other.to_string(),
                        _ => String::new(),
                    });
                }
                // A key that is written twice has its last value, as most readers have it.
                Some(name) => match members.iter_mut().find(|(own, _)| *own == name) {
                    Some((_, old)) => *old = node,
                    None => members.push((name, node)),
                },
            },
        }
    }
}

fn scalar(text: String, style: TScalarStyle, tag: Option<&Tag>) -> Value {
    let is_text =
        tag.is_some_and(|tag| matches!(tag.suffix.as_str(), "str" | "binary" | "python/unicode" | "python/str"));
    if style != TScalarStyle::Plain || is_text {
        return Value::String(text);
    }
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(&text);
    if !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(number) = text.parse::<i64>()
    {
        return number.into();
    }
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') && digits.contains(['.', 'e', 'E']);
    if numeric && let Some(number) = text.parse::<f64>().ok().and_then(Number::from_f64) {
        return Value::Number(number);
    }
    Value::String(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_notations_keep_the_order_of_members() {
        for text in ["{\"b\": {\"z\": 1, \"a\": [true]}, \"a\": null}", "b: { z: 1, a: [true] }\na:\n"] {
            let tree = Tree::read(text).unwrap();
            assert_eq!(tree.value, json!({"b": {"z": 1, "a": [true]}, "a": null}));
            assert!(tree.order("/b/z") < tree.order("/b/a") && tree.order("/b") < tree.order("/a"), "{text}");
        }
    }

    #[test]
    fn anchors_and_tags_are_read_and_bombs_are_not() {
        let tree = Tree::read("a: &x {k: 1}\nb: *x\nc: !!str 12\nd: '1'\ne: 1.50\nf: no\n").unwrap();
        assert_eq!(tree.value, json!({"a": {"k": 1}, "b": {"k": 1}, "c": "12", "d": "1", "e": 1.5, "f": "no"}));
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..10 {
            let of = level - 1;
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{of}"); 10].join(",")));
        }
        assert_eq!(Tree::read(&bomb).map(|tree| tree.value).unwrap_err(), "too many values");
        assert!(Tree::read(&format!("a: {}", "[".repeat(1000) + &"]".repeat(1000))).is_err());
        assert!(Tree::read("").is_err() && Tree::read("a: [").is_err());
    }
}
