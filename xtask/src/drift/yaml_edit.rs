//! Changes a YAML text in place: what is not changed keeps its form and its comments.

/// What stands behind a key.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Span {
    /// `{...}` or `[...]`, from its bracket to behind the closing one.
    Flow(usize, usize),
    /// Lines that are indented further, from the first one to behind the last one.
    Block(usize, usize),
    /// A scalar on the line of the key.
    Scalar(usize, usize),
}

/// A text that is edited.
#[derive(Clone, Debug)]
pub struct Text(pub String);

impl Text {
    /// The offset of a line and column, both counted from 1.
    pub fn offset(&self, line: usize, column: usize) -> Option<usize> {
        let start = if line == 1 { 0 } else { self.0.match_indices('\n').nth(line.checked_sub(2)?)?.0 + 1 };
        let rest = self.0[start..].lines().next().unwrap_or_default();
        let within = rest.char_indices().nth(column.checked_sub(1)?).map_or(rest.len(), |(at, _)| at);
        Some(start + within)
    }

    fn line_start(&self, at: usize) -> usize {
        self.0[..at].rfind('\n').map_or(0, |end| end + 1)
    }

    fn line_end(&self, at: usize) -> usize {
        self.0[at..].find('\n').map_or(self.0.len(), |end| at + end)
    }

    /// How far a line is indented; a dash of a list counts as part of the indentation of what follows it.
    fn indent(&self, line_start: usize) -> usize {
        self.0[line_start..].chars().take_while(|c| *c == ' ').count()
    }

    /// What stands behind the key at an offset.
    fn span(&self, key: usize) -> Option<Span> {
        let colon = colon(&self.0[key..])? + key;
        let value = colon + 1 + self.0[colon + 1..].chars().take_while(|c| *c == ' ').count();
        let end = self.line_end(key);
        let rest = &self.0[value.min(end)..end];
        if rest.starts_with(['{', '[']) {
            return Some(Span::Flow(value, closing(&self.0, value)?));
        }
        if !rest.is_empty() && !rest.starts_with(['#', '|', '>']) {
            let cut = rest.find(" #").map_or(rest.len(), |at| at);
            return Some(Span::Scalar(value, value + rest[..cut].trim_end().len()));
        }
        self.block(key, key - self.line_start(key))
    }

    /// The lines below the one of an offset that are indented further than so many columns.
    fn block(&self, key: usize, column: usize) -> Option<Span> {
        let start = (self.line_end(key) + 1).min(self.0.len());
        let (mut at, mut end) = (start, start);
        while at < self.0.len() {
            let line = &self.0[at..self.line_end(at)];
            let next = (self.line_end(at) + 1).min(self.0.len());
            let is_blank = line.trim().is_empty();
            let indent = self.indent(at);
            let is_item = indent == column && line.trim_start().starts_with("- ");
            if !is_blank && indent <= column && !is_item {
                break;
            }
            // Comments and empty lines at the end belong to what follows.
            if !is_blank && !line.trim_start().starts_with('#') {
                end = next;
            }
            at = next;
        }
        Some(Span::Block(start, end))
    }

    /// The offset of a member's key in the mapping behind a key.
    pub fn member(&self, key: usize, name: &str) -> Option<usize> {
        self.member_of(self.span(key)?, name)
    }

    /// The same in the mapping that begins at an offset: an item of a list.
    pub fn member_at(&self, start: usize, name: &str) -> Option<usize> {
        if self.0[start..].starts_with('{') {
            return self.member_of(Span::Flow(start, closing(&self.0, start)?), name);
        }
        if key_of(&self.0[start..self.line_end(start)]) == Some(name) {
            return Some(start);
        }
        let column = start - self.line_start(start);
        self.member_of(self.block(start, column.checked_sub(1)?)?, name)
    }

    fn member_of(&self, span: Span, name: &str) -> Option<usize> {
        match span {
            Span::Flow(start, end) => self
                .entries(start, end)
                .into_iter()
                .find(|(from, to)| key_of(&self.0[*from..*to]) == Some(name))
                .map(|(from, _)| from),
            Span::Block(start, end) => {
                let lines = self.block_lines(start, end);
                let first = lines.first().map(|at| self.indent(*at))?;
                let found = lines.into_iter().filter(|at| self.indent(*at) == first);
                found.map(|at| at + first).find(|at| key_of(&self.0[*at..self.line_end(*at)]) == Some(name))
            }
            Span::Scalar(..) => None,
        }
    }

    /// The beginnings of lines that are no comments.
    fn block_lines(&self, start: usize, end: usize) -> Vec<usize> {
        let mut all = Vec::new();
        let mut at = start;
        while at < end {
            let line = self.0[at..self.line_end(at)].trim_start();
            if !line.is_empty() && !line.starts_with('#') {
                all.push(at);
            }
            at = self.line_end(at) + 1;
        }
        all
    }

    /// The entries between the brackets of a flow.
    fn entries(&self, start: usize, end: usize) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        let mut from = start + 1;
        let mut scan = Scan::default();
        for (at, c) in self.0[start + 1..end - 1].char_indices().map(|(at, c)| (at + start + 1, c)) {
            if scan.step(c) && scan.depth == 0 && c == ',' {
                all.push((from, at));
                from = at + 1;
            }
        }
        all.push((from, end - 1));
        let trimmed = |(from, to): (usize, usize)| {
            let said = &self.0[from..to];
            let start = from + (said.len() - said.trim_start().len());
            (start, (from + said.trim_end().len()).max(start))
        };
        all.into_iter().map(trimmed).filter(|(from, to)| from < to).collect()
    }

    /// Adds a member to the mapping behind a key.
    pub fn add_member(&mut self, key: usize, name: &str, value: &str) -> Option<()> {
        let entry = format!("{name}: {value}");
        match self.span(key)? {
            Span::Flow(start, end) => self.add_entry(start, end, &entry),
            Span::Block(start, end) if start < end => {
                let first = *self.block_lines(start, end).first()?;
                let indent = self.indent(first);
                self.insert_line(end, indent, &entry);
                Some(())
            }
            _ => None,
        }
    }

    fn add_entry(&mut self, start: usize, end: usize, entry: &str) -> Option<()> {
        let entries = self.entries(start, end);
        let is_map = self.0[start..].starts_with('{');
        let text = match entries.last() {
            Some((_, last)) => {
                self.0.insert_str(*last, &format!(", {entry}"));
                return Some(());
            }
            None if is_map => format!(" {entry} "),
            None => entry.to_owned(),
        };
        self.0.replace_range(start + 1..end - 1, &text);
        Some(())
    }

    fn insert_line(&mut self, at: usize, indent: usize, line: &str) {
        let before = if at > 0 && !self.0[..at].ends_with('\n') { "\n" } else { "" };
        self.0.insert_str(at, &format!("{before}{}{line}\n", " ".repeat(indent)));
    }

    /// Puts lines in front of the line of a key, indented like it.
    pub fn insert_before(&mut self, key: usize, lines: &[String]) {
        let start = self.line_start(key);
        let indent = self.indent(start);
        let text: String = lines.iter().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect();
        self.0.insert_str(start, &text);
    }

    /// Gives a key another name.
    pub fn rename_key(&mut self, key: usize, to: &str) -> Option<()> {
        let end = colon(&self.0[key..])? + key;
        self.0.replace_range(key..end, to);
        Some(())
    }

    /// Takes a member out, with everything behind its key.
    pub fn remove_member(&mut self, parent: usize, name: &str) -> Option<()> {
        let span = self.span(parent)?;
        let key = self.member_of(span, name)?;
        match span {
            Span::Flow(start, end) => self.remove_entry(start, end, |text| key_of(text) == Some(name)),
            Span::Block(..) => {
                let from = self.line_start(key);
                let to = match self.span(key)? {
                    Span::Flow(_, end) | Span::Scalar(_, end) => {
                        // A text may go on in lines that are indented further.
                        let column = key - from;
                        let below = self.block(end.max(key), column);
                        match below {
                            Some(Span::Block(start, end)) if start < end => end,
                            _ => (self.line_end(end) + 1).min(self.0.len()),
                        }
                    }
                    Span::Block(_, end) => end,
                };
                self.0.replace_range(from..to, "");
                Some(())
            }
            Span::Scalar(..) => None,
        }
    }

    fn remove_entry(&mut self, start: usize, end: usize, is_it: impl Fn(&str) -> bool) -> Option<()> {
        let entries = self.entries(start, end);
        let index = entries.iter().position(|(from, to)| is_it(&self.0[*from..*to]))?;
        let (from, to) = entries[index];
        let range = match (entries.get(index + 1), index.checked_sub(1).and_then(|before| entries.get(before))) {
            (Some((next, _)), _) => from..*next,
            (None, Some((_, before))) => *before..to,
            (None, None) => from..to,
        };
        self.0.replace_range(range, "");
        Some(())
    }

    /// Adds a value to the list behind a key.
    pub fn add_item(&mut self, key: usize, item: &str) -> Option<()> {
        match self.span(key)? {
            Span::Flow(start, end) => self.add_entry(start, end, item),
            Span::Block(start, end) if start < end => {
                let first = *self.block_lines(start, end).first()?;
                let indent = self.indent(first);
                self.insert_line(end, indent, &format!("- {item}"));
                Some(())
            }
            _ => None,
        }
    }

    /// Takes a plain value out of the list behind a key.
    pub fn remove_item(&mut self, key: usize, item: &str) -> Option<()> {
        match self.span(key)? {
            Span::Flow(start, end) => self.remove_entry(start, end, |text| unquoted(text) == item),
            Span::Block(start, end) => {
                let is_it = |at: &usize| {
                    let line = self.0[*at..self.line_end(*at)].trim_start();
                    line.strip_prefix("- ")
                        .is_some_and(|text| unquoted(text.split(" #").next().unwrap_or_default().trim()) == item)
                };
                let at = self.block_lines(start, end).into_iter().find(is_it)?;
                let to = (self.line_end(at) + 1).min(self.0.len());
                self.0.replace_range(at..to, "");
                Some(())
            }
            Span::Scalar(..) => None,
        }
    }

    /// Takes the item out that begins at an offset.
    pub fn remove_item_at(&mut self, start: usize) -> Option<()> {
        let line = self.line_start(start);
        let is_block = self.0[line..start].trim() == "-";
        if !is_block {
            return None;
        }
        let dash = self.indent(line);
        let Span::Block(_, end) = self.block(start, dash)? else { return None };
        // The next item begins at the same column, and does not belong to this one.
        let mut to = (self.line_end(start) + 1).min(self.0.len());
        while to < end && self.indent(to) > dash {
            to = (self.line_end(to) + 1).min(self.0.len());
        }
        self.0.replace_range(line..to, "");
        Some(())
    }

    /// Puts another scalar behind a key.
    pub fn set_scalar(&mut self, key: usize, to: &str) -> Option<()> {
        let (start, end) = self.scalar_span(key)?;
        self.0.replace_range(start..end, to);
        Some(())
    }

    fn scalar_span(&self, key: usize) -> Option<(usize, usize)> {
        let colon = colon(&self.0[key..])? + key;
        let value = colon + 1 + self.0[colon + 1..].chars().take_while(|c| *c == ' ').count();
        // In a flow the scalar ends before the next entry.
        let mut scan = Scan::default();
        let line = self.line_end(value);
        let end = self.0[value..line]
            .char_indices()
            .find(|(_, c)| scan.step(*c) && (scan.depth < 0 || scan.depth == 0 && *c == ','));
        let end = end.map_or(line, |(at, _)| value + at);
        let said = &self.0[value..end];
        let cut = said.find(" #").map_or(said.len(), |at| at);
        let said = said[..cut].trim_end();
        (!said.is_empty() && !said.starts_with(['{', '['])).then_some((value, value + said.len()))
    }
}

/// Where in a flow one is: quotes and brackets.
#[derive(Default)]
struct Scan {
    depth: i32,
    quote: Option<char>,
}

impl Scan {
    /// Goes on by a character. Whether it stands outside of quotes.
    fn step(&mut self, c: char) -> bool {
        match (self.quote, c) {
            (Some(open), c) if open == c => self.quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => self.quote = Some(c),
            (None, '{' | '[') => self.depth += 1,
            (None, '}' | ']') => self.depth -= 1,
            (None, _) => return true,
        }
        self.quote.is_none()
    }
}

/// Behind the bracket that closes the one at an offset.
fn closing(text: &str, open: usize) -> Option<usize> {
    let mut scan = Scan::default();
    text[open..].char_indices().find_map(|(at, c)| {
        scan.step(c);
        (scan.depth == 0).then_some(open + at + c.len_utf8())
    })
}

/// The colon that ends the key at the beginning of a text.
fn colon(text: &str) -> Option<usize> {
    let line = text.lines().next()?;
    let mut scan = Scan::default();
    line.char_indices().find_map(|(at, c)| {
        let is_outside = scan.step(c);
        let ends = line[at + c.len_utf8()..].starts_with(' ') || line.len() == at + c.len_utf8();
        (is_outside && c == ':' && scan.depth <= 0 && ends).then_some(at)
    })
}

fn key_of(text: &str) -> Option<&str> {
    Some(unquoted(text[..colon(text)?].trim()))
}

fn unquoted(text: &str) -> &str {
    let quoted = |quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    quoted('\'').or_else(|| quoted('"')).unwrap_or(text)
}
