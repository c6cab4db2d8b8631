//! One book as a ladder: what a terminal shows of it.
//!
//! A number that does not fit is worse than none: digits are never cut. Columns are as wide as their widest number, and go, the least
//! important one first, where the terminal is too narrow for all of them.

use std::time::{Duration, SystemTime};

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use venuekit_books::{Book, Side, aligned};

use super::board::{Board, BookState, State};
use super::message::clock;
use crate::visible::on_one_line;

/// The widest bar.
const BAR: usize = 30;

/// What stands around the ladder.
#[derive(Clone, Debug)]
pub struct Surroundings<'a> {
    /// Where it comes from, such as `kalshi/demo`.
    pub place: &'a str,
    /// What was subscribed to.
    pub topic: &'a str,
    /// Which of the instruments is shown, from 0.
    pub selected: usize,
    /// Now.
    pub now: SystemTime,
    /// Whether colours are wanted.
    pub colours: bool,
}

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, board: &Board, around: &Surroundings<'_>) {
    let area = frame.area();
    let lines = lines(area, board, around);
    frame.render_widget(Paragraph::new(lines), area);
}

/// The lines of a screen of this size.
fn lines(area: Rect, board: &Board, around: &Surroundings<'_>) -> Vec<Line<'static>> {
    let instruments = board.instruments();
    let selected = around.selected.min(instruments.len().saturating_sub(1));
    let instrument = instruments.get(selected);
    let shown = instrument.and_then(|instrument| board.books.get(instrument));
    let state = board.state(instrument.map(|instrument| &**instrument));
    let paint = Paint { colours: around.colours };
    let width = usize::from(area.width);

    let name = match instrument {
        Some(instrument) if instruments.len() > 1 => {
            format!("{instrument} ({} of {})", selected + 1, instruments.len())
        }
        Some(instrument) => instrument.to_string(),
        None => String::new(),
    };
    let mut head = vec![
        Line::from(format!("{}  {}", around.place, on_one_line(around.topic))),
        Line::from(vec![paint.state(state), Span::raw(format!("  {}", on_one_line(&name)))]),
        Line::from(fitting(&facts(shown, around.now), width)),
        Line::from(fitting(&counts(board), width)),
        Line::from(on_one_line(&reason(state, around.now))),
    ];
    let mut foot = vec![Line::from(if instruments.len() > 1 { "q ends, Tab shows the next book" } else { "q ends" })];

    let height = usize::from(area.height);
    // The two best levels are worth more than what stands around them.
    let rest = height.saturating_sub(head.len() + foot.len());
    if rest < 3 {
        head.truncate(height.min(2));
        foot.clear();
    }
    let room = height.saturating_sub(head.len() + foot.len());
    let ladder = match shown {
        Some(shown) => ladder(&shown.book, room, width, paint, matches!(state, State::Live)),
        None => vec![Line::from("no book yet")],
    };
    let blank = room.saturating_sub(ladder.len());
    head.extend(ladder);
    head.extend(std::iter::repeat_n(Line::default(), blank));
    head.extend(foot);
    head
}

/// Facts side by side, as many whole ones as fit.
fn fitting(facts: &[String], width: usize) -> String {
    let mut line = String::new();
    for fact in facts {
        let gap = if line.is_empty() { "" } else { "  " };
        if line.len() + gap.len() + fact.len() > width {
            break;
        }
        line.push_str(gap);
        line.push_str(fact);
    }
    line
}

/// What is known of a book beside its levels, the most important first.
fn facts(shown: Option<&BookState>, now: SystemTime) -> Vec<String> {
    let Some(shown) = shown else { return Vec::new() };
    let lag = shown.lag.map_or_else(|| "lag unknown".to_owned(), |lag| format!("lag {}", span(lag)));
    let age = now.duration_since(shown.received).unwrap_or_default();
    let mut facts = vec![lag, format!("changed {} ago", span(age))];
    facts.extend(shown.sequence.map(|sequence| format!("seq {sequence}")));
    facts.extend(shown.book.mark().map(|mark| format!("mark {mark}")));
    facts.push(format!("at {} UTC", clock(shown.received)));
    facts
}

/// What happened, the most important first.
fn counts(board: &Board) -> Vec<String> {
    let counts = &board.counts;
    let unknown_removals = board.books.values().map(|shown| shown.book.counts().unknown_removals).sum();
    let counted = [
        ("stale", counts.stale, true),
        ("resynchronized", counts.resynced, true),
        ("changes", counts.changes, true),
        ("dropped", counts.dropped, false),
        ("unknown messages", counts.unknown, false),
        ("unknown removals", unknown_removals, false),
    ];
    let worth = counted.iter().filter(|(_, count, always)| *always || *count > 0);
    worth.map(|(what, count, _)| format!("{what} {count}")).collect()
}

fn reason(state: State<'_>, now: SystemTime) -> String {
    match state {
        State::Live => String::new(),
        State::Waiting => "waiting for a snapshot".to_owned(),
        State::Stale(why, since) => {
            format!("{why}; for {} this book has been uncertain", span(now.duration_since(since).unwrap_or_default()))
        }
        State::Ended(why) => format!("ended: {why}"),
    }
}

/// A span of time, in the unit that shows it in few digits.
pub fn span(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..10_000 => format!("{millis} ms"),
        millis @ 10_000..600_000 => format!("{} s", millis / 1000),
        millis @ 600_000..36_000_000 => format!("{} min", millis / 60_000),
        millis => format!("{} h", millis / 3_600_000),
    }
}

/// Asks above bids, the best ones in the middle, in so many lines.
fn ladder(book: &Book, room: usize, width: usize, paint: Paint, is_live: bool) -> Vec<Line<'static>> {
    if room == 0 {
        return Vec::new();
    }
    if book.is_empty() {
        return vec![Line::from("the book is empty")];
    }
    // A line for the headings if there is room, and one between the sides.
    let with_headings = room > 4;
    let levels = room.saturating_sub(1 + usize::from(with_headings));
    let (asks, bids) = (book.asks().len(), book.bids().len());
    // A side that is short leaves its room to the other one.
    let half = levels / 2;
    let of_asks = asks.min((levels - half).max(levels.saturating_sub(bids)));
    let of_bids = bids.min(levels - of_asks);

    let (Some(mut above), Some(below)) = (book.depth(Side::Ask, of_asks), book.depth(Side::Bid, of_bids)) else {
        return vec![Line::from("the sizes cannot be added up exactly")];
    };
    above.reverse();
    let all: Vec<_> = above.into_iter().chain(below).collect();
    let columns = [
        ("price", aligned(all.iter().map(|level| level.price))),
        ("size", aligned(all.iter().map(|level| level.size))),
        ("total", aligned(all.iter().map(|level| level.total))),
    ];
    let widths = columns
        .each_ref()
        .map(|(heading, texts)| texts.iter().map(String::len).chain([heading.len()]).max().unwrap_or_default());
    // As many columns as fit; the price alone tells too little.
    let taken = |count: usize| widths[..count].iter().map(|width| width + 2).sum::<usize>();
    let Some(count) = (2..=3).rev().find(|count| taken(*count) <= width) else {
        return vec![Line::from(format!("needs {} columns", taken(2)))];
    };
    let most = all.iter().map(|level| level.total).max().unwrap_or_default();
    let room_of_bar = width.saturating_sub(taken(count)).min(BAR);

    let mut lines = Vec::with_capacity(room);
    if with_headings {
        let headings = columns.iter().zip(widths).take(count);
        let headings: String = headings.map(|((heading, _), width)| format!("  {heading:>width$}")).collect();
        lines.push(Line::styled(headings, paint.style(None, Modifier::DIM)));
    }
    for (row, level) in all.iter().enumerate() {
        if row == of_asks {
            lines.push(middle(book, width, paint));
        }
        let side = if row < of_asks { Side::Ask } else { Side::Bid };
        let texts = columns.iter().zip(widths).take(count);
        let text: String = texts.map(|((_, texts), width)| format!("  {:>width$}", texts[row])).collect();
        let bar = if most.is_zero() { 0 } else { bar(level.total, most, room_of_bar) };
        lines.push(Line::from(vec![
            Span::styled(text, paint.level(side, is_live)),
            Span::styled(format!("  {}", "▇".repeat(bar.saturating_sub(2))), paint.level(side, is_live)),
        ]));
    }
    if of_bids == 0 {
        lines.push(middle(book, width, paint));
    }
    lines
}

/// How long a bar is. Of the numbers in this program this is one that need not be exact.
fn bar(total: venuekit_wire::rust_decimal::Decimal, most: venuekit_wire::rust_decimal::Decimal, room: usize) -> usize {
    let share = total.checked_div(most).and_then(|share| share.checked_mul(room.into()));
    share.and_then(|cells| usize::try_from(cells.trunc()).ok()).unwrap_or_default().min(room)
}

/// What stands between the sides.
fn middle(book: &Book, width: usize, paint: Paint) -> Line<'static> {
    let text = match (book.spread(), book.mid()) {
        (Some(spread), Some(mid)) => format!("  spread {}  mid {}", spread.normalize(), mid.normalize()),
        _ if book.asks().len() == 0 => "  no asks".to_owned(),
        _ => "  no bids".to_owned(),
    };
    let text = if text.len() > width { String::new() } else { text };
    Line::styled(text, paint.style(None, Modifier::BOLD))
}

#[derive(Clone, Copy, Debug)]
struct Paint {
    colours: bool,
}

impl Paint {
    fn style(self, colour: Option<Color>, modifier: Modifier) -> Style {
        match (self.colours, colour) {
            (true, Some(colour)) => Style::new().fg(colour).add_modifier(modifier),
            (true, None) => Style::new().add_modifier(modifier),
            (false, _) => Style::new(),
        }
    }

    fn level(self, side: Side, is_live: bool) -> Style {
        let colour = if side == Side::Ask { Color::Red } else { Color::Green };
        self.style(Some(colour), if is_live { Modifier::empty() } else { Modifier::DIM })
    }

    fn state(self, state: State<'_>) -> Span<'static> {
        let (word, colour) = match state {
            State::Live => ("LIVE", Color::Green),
            State::Waiting => ("WAITING", Color::Yellow),
            State::Stale(..) => ("STALE", Color::Red),
            State::Ended(_) => ("ENDED", Color::Red),
        };
        Span::styled(word, self.style(Some(colour), Modifier::BOLD))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::UNIX_EPOCH;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use venuekit_books::BookView;
    use venuekit_streams::{Missed, Reason};
    use venuekit_wire::rust_decimal::Decimal;

    use super::*;
    use crate::commands::watch::status::StreamStatus;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_796_000_000 + seconds)
    }

    fn book(levels: &[(Side, &str, &str)]) -> BookState {
        let mut book = Book::new();
        for (side, price, size) in levels {
            book.set(*side, number(price), number(size)).unwrap();
        }
        book.set_mark(917);
        let (received, lag) = (at(0), Some(Duration::from_millis(35)));
        BookState { book: BookView::from(book), received, lag, sequence: Some(42) }
    }

    fn deep() -> BookState {
        book(&[
            (Side::Ask, "61240", "3"),
            (Side::Ask, "61235", "1200.25"),
            (Side::Ask, "61234.5", "7"),
            (Side::Bid, "9999.5", "11"),
            (Side::Bid, "9998", "0.5"),
        ])
    }

    fn board(books: &[(&str, BookState)]) -> Board {
        let mut board = Board::default();
        for (instrument, shown) in books {
            board.change(Arc::from(*instrument), shown.clone(), 1);
        }
        board
    }

    /// The screen as text, without what is blank at the ends of its lines.
    fn screen(board: &Board, selected: usize, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let around = Surroundings { place: "deribit/test", topic: "book.A.100ms", selected, now: at(3), colours: true };
        terminal.draw(|frame| draw(frame, board, &around)).unwrap();
        let buffer = terminal.backend().buffer();
        let cells: Vec<&str> = buffer.content().iter().map(|cell| cell.symbol()).collect();
        let lines: Vec<String> =
            cells.chunks(usize::from(width)).map(|line| line.concat().trim_end().to_owned()).collect();
        lines.join("\n").trim_end().to_owned()
    }

    #[test]
    fn a_ladder_shows_every_digit_of_every_column() {
        let shown = screen(&board(&[("A", deep())]), 0, 110, 14);
        let lines: Vec<&str> = shown.lines().collect();
        let expected = [
            "deribit/test  book.A.100ms",
            "LIVE  A",
            "lag 35 ms  changed 3000 ms ago  seq 42  mark 917  at 00:53:20.000 UTC",
            "stale 0  resynchronized 0  changes 1",
            "",
        ];
        assert_eq!(lines[..5], expected, "{shown}");
        let ladder: Vec<String> = lines[5..].iter().map(|line| line.trim_end_matches(['▇', ' ']).to_owned()).collect();
        assert_eq!(
            ladder[..7],
            [
                "    price     size    total",
                "  61240       3     1210.25",
                "  61235    1200.25  1207.25",
                "  61234.5     7        7",
                "  spread 51235  mid 35617",
                "   9999.5    11       11",
                "   9998       0.5     11.5",
            ],
            "{shown}"
        );
        assert_eq!(*lines.last().unwrap(), "q ends");
        // The bar of the largest total is the longest.
        assert!(lines[6].matches('▇').count() > lines[7].matches('▇').count(), "{shown}");
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_never_cut() {
        let board = board(&[("A", deep())]);
        let narrow = screen(&board, 0, 24, 14);
        assert!(narrow.contains("  61235    1200.25") && !narrow.contains("total"), "{narrow}");
        let too_narrow = screen(&board, 0, 12, 14);
        assert!(too_narrow.contains("needs 18 col") && !too_narrow.contains("61235"), "{too_narrow}");
        for height in 1..=14 {
            for width in 1..=60 {
                let shown = screen(&board, 0, width, height);
                for line in shown.lines().filter(|line| line.starts_with("  6") || line.starts_with("   9")) {
                    let numbers: Vec<&str> =
                        line.split_whitespace().take_while(|word| !word.starts_with('▇')).collect();
                    assert!(["61240", "61235", "61234.5", "9999.5", "9998"].contains(&numbers[0]), "{width}: {line}");
                    assert!(["3", "1200.25", "7", "11", "0.5"].contains(&numbers[1]), "{width}: {line}");
                }
            }
        }
        assert!(screen(&board, 0, 12, 14).contains("lag 35 ms\nstale 0\n"), "a fact is whole or not there");
        // Few lines: the best levels stay.
        let low = screen(&board, 0, 60, 9);
        assert!(low.contains("61234.5") && low.contains("9999.5") && !low.contains("61240"), "{low}");
    }

    #[test]
    fn a_book_that_is_uncertain_says_why_and_since_when() {
        let mut board = board(&[("A", deep()), ("B", book(&[(Side::Bid, "1", "2")]))]);
        let (reason, item) = (Reason::Overflow, Arc::from("A"));
        board.status(&StreamStatus::Stale { reason: &reason, item: Some(&item), since: at(1) });
        let shown = screen(&board, 0, 100, 14);
        assert!(shown.contains("STALE  A (1 of 2)"), "{shown}");
        assert!(shown.contains("the reader was too slow; for 2000 ms this book has been uncertain"), "{shown}");
        let other = screen(&board, 1, 100, 14);
        assert!(
            other.contains("LIVE  B (2 of 2)") && other.contains("no asks") && other.contains("Tab shows"),
            "{other}"
        );
        assert!(screen(&board, 9, 100, 14).contains("B (2 of 2)"));

        board.status(&StreamStatus::Stale { reason: &reason, item: None, since: at(2) });
        assert!(screen(&board, 1, 100, 14).contains("STALE  B"));
        board.status(&StreamStatus::Resynced { item: None, missed: Missed::None, caught_up: 0 });
        assert!(screen(&board, 0, 100, 14).contains("LIVE  A"));
        assert_eq!((board.counts.stale, board.counts.resynced), (2, 1));
    }

    #[test]
    fn before_the_first_snapshot_there_is_nothing_to_show() {
        let empty = screen(&Board::default(), 0, 80, 10);
        assert!(empty.contains("WAITING") && empty.contains("no book yet"), "{empty}");
        let gone = board(&[("A", book(&[]))]);
        assert!(screen(&gone, 0, 80, 10).contains("the book is empty"));
    }
}
