//! How the generator, and the compiler with what it makes, grow with a spec: both should cost the same an operation,
//! whatever the number of operations.

pub mod synthetic;

mod scratch;

use std::path::Path;
use std::time::{Duration, Instant};

use self::scratch::Workspace;
use crate::codegen::codegen;

/// How often each is measured; the least counts, since whatever else runs only adds.
const ROUNDS: usize = 2;

/// What a spec of so many operations costs.
#[derive(Debug)]
pub struct Row {
    /// How many operations it has.
    pub operations: usize,
    /// How many lines of Rust it became.
    pub lines: usize,
    /// To generate the client.
    pub codegen: Duration,
    /// To check the generated client, without its dependencies; nothing where that was not asked for.
    pub check: Option<Duration>,
}

/// Measures specs of these numbers of operations, in a workspace below `folder`.
pub fn measure(home: &Path, folder: &Path, sizes: &[usize], with_check: bool) -> Result<Vec<Row>, String> {
    let workspace = Workspace::new(home, folder)?;
    let mut venues = Vec::new();
    for &operations in sizes {
        let venue = workspace.add(operations)?;
        let generate = || {
            let outcome = codegen(workspace.folder(), &venue, false).map_err(|findings| findings[0].to_string())?;
            Ok(outcome.size.lines)
        };
        let (codegen, lines) = least(own_time, generate)?;
        venues.push((venue, Row { operations, lines, codegen, check: None }));
    }
    if with_check {
        // The first one has the dependencies checked.
        if let Some((venue, _)) = venues.first() {
            workspace.check(venue)?;
        }
        for (venue, row) in &mut venues {
            row.check = Some(least(childrens_time, || workspace.check(venue))?.0);
        }
    }
    Ok(venues.into_iter().map(|(_, row)| row).collect())
}

/// The least time that some work took, and what it gave the last time.
fn least<T>(
    clock: fn() -> Option<Duration>,
    mut work: impl FnMut() -> Result<T, String>,
) -> Result<(Duration, T), String> {
    let mut best: Option<(Duration, T)> = None;
    for _ in 0..ROUNDS {
        let (wall, before) = (Instant::now(), clock());
        let made = work()?;
        let took = match (before, clock()) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            _ => wall.elapsed(),
        };
        let least = best.as_ref().map_or(took, |(least, _)| took.min(*least));
        best = Some((least, made));
    }
    best.ok_or_else(|| "nothing was measured".to_owned())
}

/// Whether processor time can be told; where not, the clock on the wall counts.
pub fn counts_processor_time() -> bool {
    own_time().is_some() && childrens_time().is_some()
}

/// The processor time of this thread, as Linux tells it.
fn own_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// The processor time of the programs that this one has run and waited for, as Linux tells it.
fn childrens_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, which may have spaces, ends with the last bracket. The times are its fields 16 and 17, in
    // hundredths of a second.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(13)?.parse::<u64>().ok()? + fields.get(14)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

/// The rows as a table, with what an operation costs, and how much more it costs in the last row than in the first.
pub fn table(rows: &[Row]) -> String {
    let each = |row: &Row, time: Duration| time.as_secs_f64() * 1e3 / row.operations as f64;
    let mut lines = vec![format!(
        "{:>10} {:>8} {:>10} {:>12} {:>10} {:>12}",
        "operations", "lines", "codegen", "an operation", "check", "an operation"
    )];
    let shown = |row: &Row, time: Option<Duration>| match time {
        Some(time) => format!("{:>8.2} s {:>9.2} ms", time.as_secs_f64(), each(row, time)),
        None => format!("{:>10} {:>12}", "-", "-"),
    };
    for row in rows {
        let (codegen, check) = (shown(row, Some(row.codegen)), shown(row, row.check));
        lines.push(format!("{:>10} {:>8} {codegen} {check}", row.operations, row.lines));
    }
    if let [first, .., last] = rows {
        let ratio = |first_time, last_time| each(last, last_time) / each(first, first_time);
        let mut said = format!("codegen {:.2}", ratio(first.codegen, last.codegen));
        if let (Some(of_first), Some(of_last)) = (first.check, last.check) {
            said.push_str(&format!(", check {:.2}", ratio(of_first, of_last)));
        }
        lines.push(format!(
            "an operation of {} costs so many times one of {}: {said}",
            last.operations, first.operations
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Row, table};

    #[test]
    fn a_table_compares_an_operation_of_the_largest_with_one_of_the_smallest() {
        let row = |operations, seconds| Row {
            operations,
            lines: operations * 300,
            codegen: Duration::from_secs(seconds),
            check: (operations != 7).then(|| Duration::from_secs(2 * operations as u64)),
        };
        let text = table(&[row(100, 1), row(200, 3)]);
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["100", "30000", "1.00", "s", "10.00", "ms", "200.00", "s", "2000.00", "ms"]);
        assert!(
            text.ends_with("an operation of 200 costs so many times one of 100: codegen 1.50, check 1.00"),
            "{text}"
        );
        assert!(table(&[row(7, 1)]).ends_with('-'), "what was not measured is not told");
    }
}
