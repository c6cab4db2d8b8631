//! Steps through a text.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::error::{Error, ErrorKind};

/// The deepest nesting that is read, which is that of `serde_json`.
const DEEPEST: u8 = 127;

/// Stands for a byte that is not UTF-8. A string may contain it, so that one which nobody reads is skipped.
pub(super) const MASK: char = '\u{7f}';

/// A text, and how far it has been read.
pub(super) struct Reader<'de> {
    text: &'de str,
    pub(super) at: usize,
    depth: u8,
    /// Bytes that are not UTF-8 are masked.
    is_masked: bool,
}

impl<'de> Reader<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { text, at: 0, depth: 0, is_masked: false }
    }

    /// A text in which each byte that is not UTF-8 is masked.
    pub(super) fn masked(text: &'de str) -> Self {
        Self { is_masked: true, ..Self::new(text) }
    }

    /// The next byte that is not whitespace.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, Error> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(self.wrong("")),
            }
        }
    }

    /// Whether nothing but whitespace is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.text.as_bytes()[self.at..].iter().all(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))
    }

    /// The next byte is not what JSON has here.
    #[cold]
    pub(super) fn wrong(&self, expected: &str) -> Error {
        let error = match self.at < self.text.len() {
            true => Error::new(ErrorKind::Syntax, expected),
            false => Error::new(ErrorKind::Incomplete, "it ends too early"),
        };
        error.at(self.text.len().min(self.at + 1))
    }

    /// There is more after the value.
    #[cold]
    pub(super) fn trailing(&mut self) -> Error {
        let at = if self.peek().is_ok() { self.at + 1 } else { self.at };
        self.place(Error::new(ErrorKind::Trailing, "there is more after the value").at(at))
    }

    /// Adds to an error where in the text it is.
    #[cold]
    pub(super) fn place(&self, error: Error) -> Error {
        error.at(self.at).within(self.text)
    }

    #[inline]
    pub(super) fn since(&self, start: usize) -> Result<&'de str, Error> {
        let text = self.text.get(start..self.at).unwrap_or_default();
        if self.is_masked && text.contains(MASK) { Err(Error::new(ErrorKind::Syntax, "not UTF-8")) } else { Ok(text) }
    }

    /// Skips the string that begins here, and says whether it has an escape.
    #[inline]
    fn skip_string(&mut self) -> Result<bool, Error> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        let mut has_escape = false;
        loop {
            // Eight bytes at a time, until one of them is a quote, a backslash or a control character.
            while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
                let found = special(u64::from_le_bytes(*eight));
                if found != 0 {
                    at += (found.trailing_zeros() / 8) as usize;
                    break;
                }
                at += 8;
            }
            match bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(has_escape);
                }
                Some(b'\\') => {
                    has_escape = true;
                    at += 2;
                }
                Some(0..=0x1f) | None => {
                    self.at = at.min(bytes.len());
                    return Err(self.wrong("a control character in a string"));
                }
                Some(_) => at += 1,
            }
        }
    }

    /// Skips the string that begins here, whose text is not wanted.
    #[inline]
    fn skip_text(&mut self) -> Result<(), Error> {
        let start = self.at;
        if self.skip_string()? {
            let text = self.text.get(start..self.at).unwrap_or_default();
            serde_json::from_str::<IgnoredAny>(text).map_err(|error| Error::of_part(&error))?;
        }
        Ok(())
    }

    /// The text of the string that begins here.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'de, str>, Error> {
        let start = self.at;
        let has_escape = self.skip_string()?;
        let text = self.since(start)?;
        if has_escape {
            return serde_json::from_str(text).map(Cow::Owned).map_err(|error| Error::of_part(&error));
        }
        Ok(Cow::Borrowed(text.get(1..text.len() - 1).unwrap_or_default()))
    }

    fn skip_digits(&mut self) -> Result<(), Error> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(self.wrong("expected a value")) } else { Ok(()) }
    }

    fn next_is(&self, bytes: &[u8]) -> bool {
        self.text.as_bytes().get(self.at).is_some_and(|byte| bytes.contains(byte))
    }

    /// Skips the number that begins here, and says whether it is whole.
    pub(super) fn skip_number(&mut self) -> Result<bool, Error> {
        self.at += usize::from(self.next_is(b"-"));
        if self.next_is(b"0") {
            self.at += 1;
        } else {
            self.skip_digits()?;
        }
        let mut is_whole = true;
        if self.next_is(b".") {
            is_whole = false;
            self.at += 1;
            self.skip_digits()?;
        }
        if self.next_is(b"eE") {
            is_whole = false;
            self.at += 1;
            self.at += usize::from(self.next_is(b"+-"));
            self.skip_digits()?;
        }
        // A digit behind a zero is one too many.
        match self.text.as_bytes().get(self.at) {
            Some(b'0'..=b'9') => Err(self.wrong("a number with a zero in front")),
            _ => Ok(is_whole),
        }
    }

    pub(super) fn skip_word(&mut self, word: &str) -> Result<(), Error> {
        let rest = &self.text.as_bytes()[self.at..];
        let same = rest.iter().zip(word.as_bytes()).take_while(|(read, wanted)| read == wanted).count();
        self.at += same;
        if same == word.len() { Ok(()) } else { Err(self.wrong("expected a value")) }
    }

    /// Skips the value that begins here.
    pub(super) fn skip(&mut self) -> Result<(), Error> {
        match self.peek()? {
            b'"' => self.skip_text(),
            b'{' => self.skip_all(b'}', true),
            b'[' => self.skip_all(b']', false),
            b't' => self.skip_word("true"),
            b'f' => self.skip_word("false"),
            b'n' => self.skip_word("null"),
            _ => self.skip_number().map(drop),
        }
    }

    fn skip_all(&mut self, end: u8, has_names: bool) -> Result<(), Error> {
        self.nested(|own| {
            let mut is_first = true;
            while own.more(end, &mut is_first)?.is_some() {
                if has_names {
                    own.name()?;
                    own.skip_text()?;
                    own.colon()?;
                }
                own.skip()?;
            }
            Ok(())
        })
    }

    /// The first byte of the next part of a list or an object; none at its end, which is skipped.
    #[inline]
    pub(super) fn more(&mut self, end: u8, is_first: &mut bool) -> Result<Option<u8>, Error> {
        let mut byte = self.peek()?;
        if byte == end {
            self.at += 1;
            return Ok(None);
        }
        if !std::mem::take(is_first) {
            if byte != b',' {
                return Err(self.wrong("expected a comma or the end of a list or an object"));
            }
            self.at += 1;
            byte = self.peek()?;
            if byte == end {
                return Err(self.wrong("a comma at the end of a list or an object"));
            }
        }
        Ok(Some(byte))
    }

    /// A name is next.
    #[inline]
    pub(super) fn name(&mut self) -> Result<(), Error> {
        if self.peek()? == b'"' { Ok(()) } else { Err(self.wrong("expected a name in quotes")) }
    }

    /// The name that is next, with its quotes.
    pub(super) fn written_name(&mut self) -> Result<&'de str, Error> {
        self.name()?;
        let start = self.at;
        self.skip_text()?;
        self.since(start)
    }

    /// Skips the text that is guessed to be next, if it is.
    #[inline]
    pub(super) fn skip_guess(&mut self, guess: &str) -> bool {
        let is_next = self.text.as_bytes()[self.at..].starts_with(guess.as_bytes());
        if is_next {
            self.at += guess.len();
        }
        is_next
    }

    #[inline]
    pub(super) fn colon(&mut self) -> Result<(), Error> {
        if self.peek()? != b':' {
            return Err(self.wrong("expected a colon"));
        }
        self.at += 1;
        Ok(())
    }

    /// Skips the bracket that begins here, and reads what is inside it.
    #[inline]
    pub(super) fn nested<T>(&mut self, does: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth == DEEPEST {
            return Err(Error::new(ErrorKind::Syntax, "nested too deeply").at(self.at + 1));
        }
        self.depth += 1;
        self.at += 1;
        let done = does(self)?;
        self.depth -= 1;
        Ok(done)
    }
}

/// In each byte that is a quote, a backslash or a control character, the highest bit; above the first of them there may be more.
#[inline]
fn special(eight: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let below = |byte: u64, limit: u64| byte.wrapping_sub(ONES * limit) & !byte & HIGH;
    let quote = below(eight ^ (ONES * u64::from(b'"')), 1);
    let backslash = below(eight ^ (ONES * u64::from(b'\\')), 1);
    quote | backslash | below(eight, 0x20)
}
