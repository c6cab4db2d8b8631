//! A subscription as a value.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use venuekit_wire::stream::{Access, Channel, Parameter, ParameterKind, Streams as Table};

/// The longest value that is taken. No venue has longer ids, and what is sent is bounded.
const LONGEST: usize = 256;

/// A subscription as a value: a channel and what it is given.
///
/// The same value subscribes, prints, compares and unsubscribes. Where the venue's channels have names with holes, `Display` fills them;
/// elsewhere the values follow the name.
///
/// ```
/// use venuekit_streams::Topic;
/// use venuekit_wire::stream::{Channel, Parameter};
///
/// static BOOK: Channel = Channel {
///     name: "book.{instrument_name}.{interval}",
///     id: "book",
///     parameters: &[
///         Parameter { name: "instrument_name", is_required: true, ..Parameter::EMPTY },
///         Parameter { name: "interval", values: &["raw", "100ms"], is_required: true, ..Parameter::EMPTY },
///     ],
///     ..Channel::EMPTY
/// };
/// let topic = Topic::new(&BOOK).set("instrument_name", "XRP_USDC-PERPETUAL").set("interval", "100ms");
/// assert_eq!(topic.to_string(), "book.XRP_USDC-PERPETUAL.100ms");
/// assert!(topic.check().is_ok());
/// assert!(topic.set("interval", "50ms").check().is_err());
/// ```
#[derive(Clone)]
pub struct Topic {
    channel: &'static Channel,
    /// By the parameter's place in the channel's list, in that order. At most one for each.
    values: Vec<(usize, Value)>,
    /// A name that the channel does not have.
    stray: Option<Arc<str>>,
}

/// What a parameter is given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// One value, as text whatever its kind.
    One(Arc<str>),
    /// A list, each value once.
    List(Vec<Arc<str>>),
}

/// What is wrong with a [`Topic`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopicError {
    /// The venue has no such channel.
    UnknownChannel(String),
    /// The channel has no such parameter.
    UnknownParameter {
        /// The channel.
        channel: &'static str,
        /// The name.
        parameter: String,
    },
    /// A parameter is missing.
    Missing {
        /// The channel.
        channel: &'static str,
        /// The parameter.
        parameter: &'static str,
    },
    /// A list without values. To ask for everything, leave the parameter out where that is possible.
    Empty {
        /// The channel.
        channel: &'static str,
        /// The parameter.
        parameter: &'static str,
    },
    /// A value is not one of those that the venue accepts.
    Invalid {
        /// The channel.
        channel: &'static str,
        /// The parameter.
        parameter: &'static str,
        /// The value.
        value: String,
        /// What is taken.
        wanted: String,
    },
}

impl fmt::Display for TopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownChannel(name) => write!(f, "unknown channel {name:?}"),
            Self::UnknownParameter { channel, parameter } => {
                write!(f, "channel {channel} has no parameter {parameter:?}")
            }
            Self::Missing { channel, parameter } => write!(f, "channel {channel} needs {parameter}"),
            Self::Empty { channel, parameter } => {
                write!(f, "channel {channel} needs at least one value of {parameter}")
            }
            Self::Invalid { channel, parameter, value, wanted } => {
                write!(f, "invalid {parameter} {value:?} of channel {channel}: {wanted}")
            }
        }
    }
}

impl std::error::Error for TopicError {}

impl Topic {
    /// The channel, without values.
    pub fn new(channel: &'static Channel) -> Self {
        Self { channel, values: Vec::new(), stray: None }
    }

    /// Reads a channel's id or name and `name=value` pairs. Values of lists are separated by commas, and a name that comes again adds
    /// to its list.
    ///
    /// ```
    /// # use venuekit_streams::Topic;
    /// # use venuekit_wire::stream::{Channel, Parameter, Streams};
    /// # fn read(table: &'static Streams) -> Result<(), venuekit_streams::TopicError> {
    /// let topic = Topic::parse(table, "trade", [("market_tickers", "KXRAIN-26DEC01-T0.5,KXRAIN-26DEC01-T1.0")])?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What [`check`](Self::check) says, or an unknown channel.
    pub fn parse<'a>(
        table: &'static Table,
        channel: &str,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, TopicError> {
        let channel = table.channel(channel).ok_or_else(|| TopicError::UnknownChannel(channel.to_owned()))?;
        let mut topic = Self::new(channel);
        for (name, text) in pairs {
            let is_list = channel.parameters.iter().any(|parameter| parameter.name == name && parameter.is_list);
            if !is_list {
                topic = topic.set(name, text);
                continue;
            }
            let mut list = match topic.value(name) {
                Some(Value::List(list)) => list.clone(),
                _ => Vec::new(),
            };
            list.extend(text.split(',').map(str::trim).filter(|value| !value.is_empty()).map(Arc::from));
            topic = topic.list(name, list);
        }
        topic.check()?;
        Ok(topic)
    }

    /// Gives a parameter its value, in place of the one that it has. A list gets this one value.
    #[must_use]
    pub fn set(self, name: &str, value: impl Into<String>) -> Self {
        let value: Arc<str> = value.into().into();
        self.put(name, |parameter| if parameter.is_list { Value::List(vec![value]) } else { Value::One(value) })
    }

    /// Gives a list its values, in place of those that it has. One that comes twice counts once.
    #[must_use]
    pub fn list<T: Into<Arc<str>>>(self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        let mut seen = std::collections::HashSet::new();
        let values: Vec<Arc<str>> =
            values.into_iter().map(Into::into).filter(|value| seen.insert(value.clone())).collect();
        self.put(name, |_| Value::List(values))
    }

    fn put(mut self, name: &str, value: impl FnOnce(&Parameter) -> Value) -> Self {
        let Some(index) = self.channel.parameters.iter().position(|parameter| parameter.name == name) else {
            self.stray = Some(name.into());
            return self;
        };
        let value = value(&self.channel.parameters[index]);
        match self.values.binary_search_by_key(&index, |(index, _)| *index) {
            Ok(at) => self.values[at].1 = value,
            Err(at) => self.values.insert(at, (index, value)),
        }
        self
    }

    /// The same topic without this parameter.
    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        let parameters = self.channel.parameters;
        self.values.retain(|(index, _)| parameters[*index].name != name);
        self
    }

    /// The channel.
    pub fn channel(&self) -> &'static Channel {
        self.channel
    }

    /// What a parameter is given.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values().find(|(parameter, _)| parameter.name == name).map(|(_, value)| value)
    }

    /// Every parameter that is given something, in the channel's order.
    pub fn values(&self) -> impl Iterator<Item = (&'static Parameter, &Value)> {
        let parameters = self.channel.parameters;
        self.values.iter().map(move |(index, value)| (&parameters[*index], value))
    }

    /// The values that are subscribed to one by one; none where the topic is for everything, or its channel has no such parameter.
    pub fn items(&self) -> Option<&[Arc<str>]> {
        match self.value(self.channel.items?)? {
            Value::List(list) => Some(list),
            Value::One(value) => Some(std::slice::from_ref(value)),
        }
    }

    /// Whether it takes a login.
    pub fn is_private(&self) -> bool {
        match self.channel.access {
            Access::Public => false,
            Access::Private => true,
            Access::PrivateWhen { parameter, value } => {
                matches!(self.value(parameter), Some(Value::One(own)) if &**own == value)
            }
        }
    }

    /// Holds the values against the venue's table.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), TopicError> {
        let channel = self.channel.id;
        if let Some(stray) = &self.stray {
            return Err(TopicError::UnknownParameter { channel, parameter: stray.to_string() });
        }
        for parameter in self.channel.parameters {
            match self.value(parameter.name) {
                None if parameter.is_required && parameter.fixed.is_none() => {
                    return Err(TopicError::Missing { channel, parameter: parameter.name });
                }
                None => {}
                Some(_) if parameter.fixed.is_some() => {
                    return Err(TopicError::UnknownParameter { channel, parameter: parameter.name.to_owned() });
                }
                Some(Value::One(value)) => self.check_value(parameter, value)?,
                Some(Value::List(list)) if list.is_empty() => {
                    return Err(TopicError::Empty { channel, parameter: parameter.name });
                }
                Some(Value::List(list))
                    if !parameter.is_list && list.len() > 1 && self.channel.items != Some(parameter.name) =>
                {
                    let value = list.join(",");
                    return Err(self.invalid(parameter, &value, "it takes one value".to_owned()));
                }
                Some(Value::List(list)) => list.iter().try_for_each(|value| self.check_value(parameter, value))?,
            }
        }
        Ok(())
    }

    fn check_value(&self, parameter: &'static Parameter, value: &str) -> Result<(), TopicError> {
        let wanted = match parameter.kind {
            ParameterKind::Integer if value.parse::<i64>().is_err() => "a whole number".to_owned(),
            ParameterKind::Boolean if !matches!(value, "true" | "false") => "true or false".to_owned(),
            _ if value.is_empty() || value.len() > LONGEST => format!("1 to {LONGEST} bytes"),
            _ if value.chars().any(|c| c.is_control() || c.is_whitespace()) => {
                "no blanks and no control characters".to_owned()
            }
            _ if !parameter.is_open && !parameter.values.is_empty() && !parameter.values.contains(&value) => {
                format!("one of {}", parameter.values.join(", "))
            }
            _ => match parameter.pattern {
                Some(pattern) if !matches(pattern, value) => format!("the form of {pattern}"),
                _ => return Ok(()),
            },
        };
        Err(self.invalid(parameter, value, wanted))
    }

    fn invalid(&self, parameter: &'static Parameter, value: &str, wanted: String) -> TopicError {
        // What is shown of a value is bounded too.
        let value = value.chars().take(LONGEST).collect();
        TopicError::Invalid { channel: self.channel.id, parameter: parameter.name, value, wanted }
    }
}

/// Compiling a pattern costs more than matching it, and a list of a thousand values has one.
fn matches(pattern: &'static str, value: &str) -> bool {
    use std::cell::RefCell;
    thread_local! {
        static LAST: RefCell<Option<(&'static str, Option<venuekit_wire::regress::Regex>)>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|(own, _)| *own != pattern) {
            *last = Some((pattern, venuekit_wire::ids::pattern(pattern)));
        }
        let form = last.as_ref().and_then(|(_, form)| form.as_ref());
        venuekit_wire::ids::check(value, form, pattern).is_ok()
    })
}

impl PartialEq for Topic {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.channel, other.channel) && self.values == other.values && self.stray == other.stray
    }
}

impl Eq for Topic {}

impl Hash for Topic {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::hash(self.channel, state);
        self.values.hash(state);
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(value) => f.write_str(value),
            Self::List(list) => {
                for (index, value) in list.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    f.write_str(value)?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.channel.name;
        let mut filled = Vec::new();
        while let Some((before, name, after)) = hole(rest) {
            f.write_str(before)?;
            let is_lower_case = |parameter: &&Parameter| parameter.name == name && parameter.is_lower_case;
            match self.value(name) {
                Some(value) if self.channel.parameters.iter().any(|own| is_lower_case(&own)) => {
                    f.write_str(&value.to_string().to_lowercase())?;
                }
                Some(value) => write!(f, "{value}")?,
                None => write!(f, "{{{name}}}")?,
            }
            filled.push(name);
            rest = after;
        }
        f.write_str(rest)?;
        for (parameter, value) in self.values().filter(|(parameter, _)| !filled.contains(&parameter.name)) {
            write!(f, " {}={value}", parameter.name)?;
        }
        Ok(())
    }
}

/// The text before the next hole, the hole's name, and the text behind it.
fn hole(template: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let (before, rest) = template.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic({self})")
    }
}
