//! `--table`: the list in a response as rows, with every value as it came.

use venuekit_spec::Schema;

use crate::failure::Failure;
use crate::lookup::Found;
use crate::output::{EMPTY_CELL, Output};
use crate::raw_json::RawJson;
use crate::similar::suggestions;

/// What is the heading of items that are not objects.
const VALUE: &str = "value";

/// A response as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableView {
    /// Where the list is, with dots; empty where the response itself is one.
    at: String,
    /// The columns that are wanted; none for all that are neither lists nor objects.
    columns: Vec<String>,
}

impl TableView {
    /// For an operation whose response holds a list with these columns. Checked by the spec, before anything is sent.
    pub fn new(found: &Found, columns: &[String], takes_unknown: bool) -> Result<Self, Failure> {
        let (at, item) = list(found)?;
        if !takes_unknown && !item.fields().is_empty() {
            for column in columns {
                check(found, &item, column)?;
            }
        }
        Ok(Self { at, columns: columns.to_vec() })
    }

    /// The items of a response; none where it has no list.
    pub fn items(&self, response: &RawJson) -> Option<Vec<RawJson>> {
        match response.at(&self.at)? {
            RawJson::List(items) => Some(items.clone()),
            RawJson::Scalar(raw) if raw == "null" => Some(Vec::new()),
            _ => None,
        }
    }

    /// Prints items as rows.
    pub fn print(&self, out: &Output, items: &[RawJson]) {
        let columns = if self.columns.is_empty() { columns_of(items) } else { self.columns.clone() };
        let rows: Vec<Vec<String>> =
            items.iter().map(|item| columns.iter().map(|column| cell(item, column)).collect()).collect();
        match rows.is_empty() {
            true => out.note("no rows"),
            false => out.wide_table(&columns.iter().map(String::as_str).collect::<Vec<_>>(), &rows),
        }
    }
}

/// Where the response of an operation has its list, and what is in that: the list whose pages the venue serves, or the only one.
fn list(found: &Found) -> Result<(String, Schema), Failure> {
    let name = &found.spec.name;
    let none = |why: String| {
        let help = "omit --table and --columns: the response is then printed as JSON";
        Failure::usage(format!("{name}: {why}")).code("no_list").help(help)
    };
    let Some(response) = &found.spec.answer else {
        return Err(none("its response has no list to print as a table".to_owned()));
    };
    if let Some(at) = found.page_items()
        && let Some(item) = response.at(&at.replace('.', "/")).and_then(|list| list.items())
    {
        return Ok((at.to_owned(), item));
    }
    if let Some(item) = response.items() {
        return Ok((String::new(), item));
    }
    let lists: Vec<(String, Schema)> =
        response.fields().into_iter().filter_map(|field| Some((field.name, field.schema.items()?))).collect();
    match <[_; 1]>::try_from(lists) {
        Ok([only]) => Ok(only),
        Err(lists) if lists.is_empty() => Err(none("its response has no list to print as a table".to_owned())),
        Err(lists) => {
            let names: Vec<&str> = lists.iter().map(|(name, _)| name.as_str()).collect();
            Err(none(format!("its response has several lists ({}), and a table shows one", names.join(", "))))
        }
    }
}

/// Rejects a column that the items do not have.
fn check(found: &Found, item: &Schema, column: &str) -> Result<(), Failure> {
    let way = column.replace('.', "/");
    if item.at(&way).is_some() {
        return Ok(());
    }
    let (above, last) = way.rsplit_once('/').unwrap_or(("", &way));
    let known = item.at(above).map(|inner| inner.fields()).unwrap_or_default();
    let known: Vec<&str> = known.iter().map(|field| field.name.as_str()).collect();
    let before = if above.is_empty() { String::new() } else { format!("{}.", above.replace('/', ".")) };
    let help = match suggestions(last, known.iter().copied(), 3).as_slice() {
        [] => format!("the columns are {}", known.join(", ")),
        near => format!(
            "did you mean `{}`?",
            near.iter().map(|name| format!("{before}{name}")).collect::<Vec<_>>().join("` or `")
        ),
    };
    let message = format!("{}: the items of its response have no `{column}`", found.spec.name);
    Err(Failure::usage(message).code("unknown_column").help(help))
}

/// What the items have that is neither a list nor an object, in the order in which it appears.
fn columns_of(items: &[RawJson]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for item in items {
        let RawJson::Object(members) = item else { return vec![VALUE.to_owned()] };
        for (name, value) in members.iter().filter(|(_, value)| matches!(value, RawJson::Scalar(_))) {
            if *value != RawJson::null() && !columns.contains(name) {
                columns.push(name.clone());
            }
        }
    }
    columns
}

/// One value, with its digits as they came.
fn cell(item: &RawJson, column: &str) -> String {
    let value = match item {
        RawJson::Object(_) => item.at(column),
        other => Some(other).filter(|_| column == VALUE),
    };
    match value {
        None => EMPTY_CELL.to_owned(),
        Some(value) if *value == RawJson::null() => EMPTY_CELL.to_owned(),
        Some(value) => value.as_text().filter(|text| !text.is_empty()).unwrap_or_else(|| value.compact()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::operation;
    use crate::venue::Venue;

    fn view(venue: &str, name: &str, columns: &[&str]) -> Result<TableView, String> {
        let found = operation(Venue::named(venue), name).unwrap();
        let columns: Vec<String> = columns.iter().map(|&one| one.to_owned()).collect();
        TableView::new(&found, &columns, false).map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_list_of_a_response_is_found_by_the_spec() {
        assert_eq!(view("kalshi", "get_markets", &[]).unwrap().at, "markets");
        assert_eq!(view("deribit", "get_instruments", &["tick_size"]).unwrap().at, "");
        let none = view("deribit", "get_time", &[]).unwrap_err();
        assert!(none.contains("get_time: its response has no list"), "{none}");
        let several = view("kalshi", "get_event_metadata", &[]).unwrap_err();
        assert!(several.contains("several lists (market_details, settlement_sources)"), "{several}");
        let error = view("kalshi", "get_markets", &["tiker"]).unwrap_err();
        assert!(error.contains("have no `tiker`\n help: did you mean `ticker`?"), "{error}");
    }

    #[test]
    fn cells_keep_their_digits() {
        let text = r#"[{"a":"0.5600","b":1.50,"c":{"d":true,"e":[1.10]},"f":null},{"b":2,"g":""},{"a":"x"}]"#;
        let RawJson::List(items) = RawJson::parse(text).unwrap() else { unreachable!() };
        assert_eq!(columns_of(&items), ["a", "b", "g"]);
        let row =
            |item: usize, columns: &[&str]| columns.iter().map(|column| cell(&items[item], column)).collect::<Vec<_>>();
        assert_eq!(row(0, &["a", "b", "c.d", "c.e", "f", "none"]), ["0.5600", "1.50", "true", "[1.10]", "-", "-"]);
        assert_eq!(row(1, &["a", "b", "g"]), ["-", "2", "\"\""]);
        let words = [RawJson::text("A"), RawJson::Scalar("1.50".to_owned())];
        assert_eq!(columns_of(&words), ["value"]);
        assert_eq!(words.map(|word| cell(&word, "value")), ["A", "1.50"]);
    }
}
