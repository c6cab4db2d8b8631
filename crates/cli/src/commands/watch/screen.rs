//! The terminal while a ladder is drawn: its keys, and when it is drawn again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::board::Board;
use super::ladder::{Surroundings, draw};

/// No more often than this is it drawn, however fast the book changes.
const SOONEST: Duration = Duration::from_millis(50);
/// At least this often, because ages are shown.
const LATEST: Duration = Duration::from_secs(1);
/// So long is a key waited for before it is looked whether anybody still wants one.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Watching ends.
    End,
    /// The next book.
    Next,
    /// The one before.
    Previous,
    /// It is to be drawn again.
    Draw,
}

/// The terminal. It is as it was before once this is dropped.
pub struct Screen {
    terminal: DefaultTerminal,
    wishes: mpsc::Receiver<Wish>,
    is_over: Arc<AtomicBool>,
    drawn: Option<Instant>,
    is_changed: bool,
    selected: usize,
    place: String,
    topic: String,
    colours: bool,
}

impl Screen {
    /// Takes the terminal over.
    pub fn open(place: String, topic: String, colours: bool) -> io::Result<Self> {
        let terminal = ratatui::try_init()?;
        let (send, wishes) = mpsc::channel(16);
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        // Keys can only be waited for by blocking.
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                match event::poll(PATIENCE) {
                    Ok(false) => {}
                    Ok(true) => match event::read() {
                        Ok(event) => {
                            if let Some(wish) = wish(&event)
                                && send.blocking_send(wish).is_err()
                            {
                                return;
                            }
                        }
                        Err(_) => return,
                    },
                    Err(_) => return,
                }
            }
        });
        Ok(Self { terminal, wishes, is_over, drawn: None, is_changed: true, selected: 0, place, topic, colours })
    }

    /// Something that it shows has changed.
    pub fn changed(&mut self) {
        self.is_changed = true;
    }

    /// The next key. Never, once the terminal has gone.
    pub async fn wish(&mut self) -> Wish {
        match self.wishes.recv().await {
            Some(wish) => wish,
            None => std::future::pending().await,
        }
    }

    /// Another book of so many.
    pub fn turn(&mut self, wish: Wish, books: usize) {
        let last = books.saturating_sub(1);
        self.selected = match wish {
            Wish::Next if self.selected >= last => 0,
            Wish::Next => self.selected + 1,
            Wish::Previous if self.selected == 0 => last,
            Wish::Previous => self.selected.min(last).saturating_sub(1),
            _ => self.selected,
        };
        self.is_changed = true;
    }

    /// When it is to be drawn again.
    pub fn due(&self) -> Instant {
        match self.drawn {
            None => Instant::now(),
            Some(drawn) => drawn + if self.is_changed { SOONEST } else { LATEST },
        }
    }

    /// Draws it.
    pub fn draw(&mut self, board: &Board) -> io::Result<()> {
        let (place, topic, selected, colours) = (&*self.place, &*self.topic, self.selected, self.colours);
        let around = Surroundings { place, topic, selected, now: SystemTime::now(), colours };
        self.terminal.draw(|frame| draw(frame, board, &around))?;
        self.drawn = Some(Instant::now());
        self.is_changed = false;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        ratatui::restore();
    }
}

/// What a key means. In the mode that a ladder needs, Ctrl-C is a key like any other.
fn wish(event: &Event) -> Option<Wish> {
    let key = match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key,
        Event::Resize(..) => return Some(Wish::Draw),
        _ => return None,
    };
    match key {
        KeyEvent { code: KeyCode::Char('c' | 'd'), modifiers, .. } if modifiers.contains(KeyModifiers::CONTROL) => {
            Some(Wish::End)
        }
        KeyEvent { code: KeyCode::Char('q') | KeyCode::Esc, .. } => Some(Wish::End),
        KeyEvent { code: KeyCode::Tab | KeyCode::Right | KeyCode::Down, .. } => Some(Wish::Next),
        KeyEvent { code: KeyCode::BackTab | KeyCode::Left | KeyCode::Up, .. } => Some(Wish::Previous),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_end_it_and_turn_to_other_books() {
        let key = |code, modifiers| wish(&Event::Key(KeyEvent::new(code, modifiers)));
        let none = KeyModifiers::NONE;
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Wish::End));
        assert_eq!(key(KeyCode::Char('c'), none), None);
        assert_eq!(key(KeyCode::Char('q'), none), Some(Wish::End));
        assert_eq!(key(KeyCode::Tab, none), Some(Wish::Next));
        assert_eq!(key(KeyCode::BackTab, KeyModifiers::SHIFT), Some(Wish::Previous));
        assert_eq!(wish(&Event::Resize(80, 24)), Some(Wish::Draw));
        assert_eq!(wish(&Event::FocusGained), None);
    }
}
