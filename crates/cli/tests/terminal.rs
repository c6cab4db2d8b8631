//! The command at a real terminal: what is asked, what is typed unseen, and what becomes of no, of Ctrl-C and of an end of input.

#![cfg(unix)]

mod common;

use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use common::{CODE, MARKER, World};
use pty_process::Size;
use pty_process::blocking::{Pty, open};
use rustix::termios::{LocalModes, tcgetattr};

/// How long an answer may take: opening the store costs a second or two.
const PATIENCE: Duration = Duration::from_secs(120);

const PASSPHRASE: &str = "a passphrase with MARKER";

/// How wide the terminal is: a long table does not fit.
const COLUMNS: u16 = 80;

const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";

/// A command at a terminal that echoes what is typed, as terminals do.
struct Terminal {
    child: Child,
    pty: Arc<Pty>,
    output: Receiver<Vec<u8>>,
    /// What was printed and not yet looked at.
    text: String,
}

impl Terminal {
    /// The command, which asks for its passphrase.
    fn new(world: &World, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_venuekit"));
        world.prepare(&mut command);
        let variables = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(24, COLUMNS)).unwrap();
        let child = pty_process::blocking::Command::new(command.get_program())
            .args(arguments)
            .env_clear()
            .envs(variables)
            .env_remove("VENUEKIT_PASSPHRASE")
            .current_dir(&world.home)
            .spawn(pts)
            .unwrap();
        let pty = Arc::new(pty);
        let (send, output) = channel();
        let reads = pty.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal whose last user has gone fails to be read.
            while let Ok(count @ 1..) = (&*reads).read(&mut buffer) {
                if send.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, pty, output, text: String::new() }
    }

    /// With the passphrase of the store typed.
    fn unlocked(world: &World, arguments: &[&str]) -> Self {
        let mut terminal = Self::new(world, arguments);
        terminal.whisper("passphrase of ", PASSPHRASE);
        terminal
    }

    /// Waits until this was asked, and types the answer.
    fn answer(&mut self, question: &str, answer: &str) {
        self.asked(question);
        self.press(&format!("{answer}\n"));
    }

    /// The same for what is not to be seen: nobody types before the terminal has stopped to echo.
    fn whisper(&mut self, question: &str, answer: &str) {
        self.asked_unseen(question);
        self.press(&format!("{answer}\n"));
    }

    fn asked_unseen(&mut self, question: &str) {
        self.asked(question);
        let end = Instant::now() + PATIENCE;
        while self.echoes() {
            assert!(Instant::now() < end, "the terminal still echoes at `{question}`");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn echoes(&self) -> bool {
        tcgetattr(&*self.pty).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    fn asked(&mut self, question: &str) {
        while !self.text.contains(question) || !self.text.ends_with(' ') {
            let more = self.output.recv_timeout(PATIENCE);
            let more = more.unwrap_or_else(|_| panic!("`{question}` was not asked: {}", self.text));
            self.text.push_str(&String::from_utf8_lossy(&more));
        }
        self.text.clear();
    }

    fn press(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    /// Its exit code, none if it was interrupted, and what was printed since the last question.
    fn end(mut self) -> (Option<i32>, String) {
        while let Ok(more) = self.output.recv_timeout(PATIENCE) {
            self.text.push_str(&String::from_utf8_lossy(&more));
        }
        assert!(!self.text.contains(MARKER), "what is typed unseen is not echoed: {}", self.text);
        (World::end(&mut self.child), self.text)
    }
}

#[test]
fn a_passphrase_is_typed_twice_and_unseen() {
    let world = World::new("terminal-passphrase");
    let create = ["keys", "create", "kalshi/local/bot", "--scope", "read"];
    let mut terminal = Terminal::new(&world, &create);
    terminal.whisper("passphrase for the new store ", "");
    let (code, text) = terminal.end();
    assert!(code == Some(6) && text.contains("an empty passphrase is not accepted"), "{code:?}: {text}");

    let mut terminal = Terminal::new(&world, &create);
    terminal.whisper("passphrase for the new store ", PASSPHRASE);
    terminal.whisper("again: ", "another one with MARKER");
    let (code, text) = terminal.end();
    assert!(code == Some(6) && text.contains("the two passphrases differ"), "{code:?}: {text}");

    let mut terminal = Terminal::new(&world, &create);
    terminal.whisper("passphrase for the new store ", PASSPHRASE);
    terminal.whisper("again: ", PASSPHRASE);
    let (code, text) = terminal.end();
    assert!(code == Some(0) && text.contains("verified"), "{code:?}: {text}");

    // It may be typed three times.
    for right in [false, true] {
        let mut terminal = Terminal::new(&world, &["keys", "list"]);
        terminal.whisper("passphrase of ", "a wrong one with MARKER");
        terminal.whisper("wrong passphrase, try again", "another wrong one with MARKER");
        let last = if right { PASSPHRASE } else { "yet another one with MARKER" };
        terminal.whisper("wrong passphrase, try again", last);
        let (code, text) = terminal.end();
        match right {
            true => assert!(code == Some(0) && text.contains("kalshi/local/bot"), "{code:?}: {text}"),
            false => {
                assert!(code == Some(6) && text.contains(".age: wrong passphrase"), "{code:?}: {text}");
                assert!(text.contains("the right one was chosen when the store was created"), "{text}");
            }
        }
    }
}

#[test]
fn a_key_is_replaced_when_a_person_says_so_and_not_before() {
    let world = World::new("terminal");
    assert!(world.venuekit(&["keys", "create", "kalshi/local/bot", "--scope", "read"]).status.success());

    let before = world.sandbox.executed();
    for no in ["n\n", "\n", "what?\n", CTRL_D] {
        let mut terminal = Terminal::unlocked(&world, &["keys", "revoke", "kalshi/local/bot"]);
        terminal.asked("Revoke the key kalshi/local/bot permanently? [y/N] ");
        terminal.press(no);
        let (code, text) = terminal.end();
        assert!(code == Some(5) && text.contains("cancelled: not confirmed"), "{no:?} {code:?}: {text}");
    }
    let mut terminal = Terminal::unlocked(&world, &["keys", "rotate", "kalshi/local/bot"]);
    terminal.asked("[y/N] ");
    terminal.press(CTRL_C);
    assert_ne!(terminal.end().0, Some(0));
    assert_eq!(world.sandbox.executed(), before, "nothing was sent");

    // The new key is there; the old one stays until the consumer is said to have it.
    let mut terminal = Terminal::unlocked(&world, &["keys", "rotate", "kalshi/local/bot"]);
    terminal.answer("[y/N] ", "y");
    terminal.answer("Does its consumer use it now? [y/N] ", "n");
    let (code, text) = terminal.end();
    assert!(code == Some(5) && text.contains("it was not confirmed; the old one still works"), "{code:?}: {text}");
    let is_revoked = || world.sandbox.executed().keys().any(|call| call.contains("DELETE"));
    assert!(!is_revoked());
    let mut terminal = Terminal::unlocked(&world, &["keys", "resume"]);
    terminal.asked("Does its consumer use it now? [y/N] ");
    terminal.press(CTRL_C);
    let (code, text) = terminal.end();
    assert!(code == Some(4) && text.contains("interrupted; the run bot-"), "{code:?}: {text}");
    assert!(text.contains("continues it") && !is_revoked(), "{text}");
    let mut terminal = Terminal::unlocked(&world, &["keys", "resume", "kalshi/local/bot"]);
    terminal.answer("Does its consumer use it now? [y/N] ", "yes");
    let (code, text) = terminal.end();
    assert!(code == Some(0) && text.contains("proved"), "{code:?}: {text}");
    assert!(is_revoked());
}

#[test]
fn a_table_keeps_within_the_terminal() {
    let world = World::new("terminal-table");
    let (code, text) = Terminal::new(&world, &["watch", "deribit"]).end();
    let widest = text.lines().map(|line| line.trim_end().chars().count()).max();
    assert!(code == Some(0) && text.lines().count() > 20, "{code:?}: {text}");
    assert!(widest.is_some_and(|widest| widest <= usize::from(COLUMNS)), "{widest:?}: {text}");
    // Nowhere else is a line broken: what reads it expects a row.
    let output = world.venuekit(&["watch", "deribit"]);
    assert!(output.stdout.split(|byte| *byte == b'\n').any(|line| line.len() > usize::from(COLUMNS)));
}

#[test]
fn a_terminal_echoes_again_after_an_interrupt() {
    let world = World::new("terminal-echo");
    for from_outside in [false, true] {
        let mut terminal = Terminal::new(&world, &["keys", "create", "kalshi/local/bot", "--scope", "read"]);
        terminal.asked_unseen("passphrase for the new store ");
        if from_outside {
            let id = terminal.child.id().to_string();
            assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        } else {
            terminal.press(CTRL_C);
        }
        World::end(&mut terminal.child);
        assert!(terminal.echoes(), "from outside: {from_outside}");
        let (code, text) = terminal.end();
        assert!(code.is_none() && text.trim_start_matches("^C").trim().is_empty(), "{code:?}: {text}");
    }
}

#[test]
fn a_one_time_code_is_typed_unseen() {
    let world = World::new("terminal-code");
    let mut terminal = Terminal::new(&world, &["keys", "create", "yativo/local/bot", "--scope", "read"]);
    terminal.whisper("passphrase for the new store ", PASSPHRASE);
    terminal.whisper("again: ", PASSPHRASE);
    terminal.whisper("one-time code for yativo/local: ", CODE);
    let (code, text) = terminal.end();
    assert!(code == Some(0) && text.contains("verified") && !text.contains(CODE), "{code:?}: {text}");
}
