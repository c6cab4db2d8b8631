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
pub enum KeyAction {
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
    wishes: mpsc::Receiver<KeyAction>,
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
                            if let Some(action) = action(&event)
                                && send.blocking_send(action).is_err()
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
    pub async fn action(&mut self) -> KeyAction {
        match self.wishes.recv().await {
            Some(action) => action,
            None => std::future::pending().await,
        }
    }

    /// Another book of so many.
    pub fn turn(&mut self, action: KeyAction, books: usize) {
        let last = books.saturating_sub(1);
        self.selected = match action {
            KeyAction::Next if self.selected >= last => 0,
            KeyAction::Next => self.selected + 1,
            KeyAction::Previous if self.selected == 0 => last,
            KeyAction::Previous => self.selected.min(last).saturating_sub(1),
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
fn action(event: &Event) -> Option<KeyAction> {
    let key = match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key,
        Event::Resize(..) => return Some(KeyAction::Draw),
        _ => return None,
    };
    match key {
        KeyEvent { code: KeyCode::Char('c' | 'd'), modifiers, .. } if modifiers.contains(KeyModifiers::CONTROL) => {
            Some(KeyAction::End)
        }
        KeyEvent { code: KeyCode::Char('q') | KeyCode::Esc, .. } => Some(KeyAction::End),
        KeyEvent { code: KeyCode::Tab | KeyCode::Right | KeyCode::Down, .. } => Some(KeyAction::Next),
        KeyEvent { code: KeyCode::BackTab | KeyCode::Left | KeyCode::Up, .. } => Some(KeyAction::Previous),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_end_it_and_turn_to_other_books() {
        let key = |code, modifiers| action(&Event::Key(KeyEvent::new(code, modifiers)));
        let none = KeyModifiers::NONE;
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(KeyAction::End));
        assert_eq!(key(KeyCode::Char('c'), none), None);
        assert_eq!(key(KeyCode::Char('q'), none), Some(KeyAction::End));
        assert_eq!(key(KeyCode::Tab, none), Some(KeyAction::Next));
        assert_eq!(key(KeyCode::BackTab, KeyModifiers::SHIFT), Some(KeyAction::Previous));
        assert_eq!(action(&Event::Resize(80, 24)), Some(KeyAction::Draw));
        assert_eq!(action(&Event::FocusGained), None);
    }
}
