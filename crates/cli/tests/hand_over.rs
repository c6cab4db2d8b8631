//! An interrupt while a command hands the new key over: nothing goes on in the background, and no key ends that it hands over.
#![cfg(unix)]

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::{World, texts};

#[test]
fn an_interrupt_is_left_to_the_command_and_waited_for() {
    let world = World::new("hand-over");
    let made = world.venuekit(&["keys", "create", "kalshi/local/bot", "--scope", "read", "--scope", "write"]);
    assert!(made.status.success(), "{}", texts(&made).1);
    let revoked = || world.sandbox.executed().keys().any(|call| call.contains("DELETE"));

    // It ends by itself, after the signal.
    let command = "kill -INT $PPID; sleep 1; echo handed > took.txt";
    let output = world.venuekit(&["keys", "rotate", "kalshi/local/bot", "--yes", "--hand-over", command]);
    let (_, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains("was interrupted, and ended with exit code 0; the old one still works"), "{stderr}");
    assert!(world.home.join("took.txt").exists(), "it was waited for");
    assert!(!revoked());

    // It is told to end, and does.
    let mut command = Command::new(env!("CARGO_BIN_EXE_venuekit"));
    world.prepare(&mut command);
    let hand_over = "touch begun; exec sleep 600";
    command.args(["keys", "resume", "--hand-over", hand_over]).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    for _ in 0..2400 {
        if world.home.join("begun").exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let (_, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains("was interrupted"), "{stderr}");

    let output = world.venuekit(&["keys", "resume", "kalshi/local/bot", "--abandon", "--yes"]);
    assert!(output.status.success() && revoked(), "{}", texts(&output).1);
    assert!(world.venuekit(&["keys", "verify", "kalshi/local/bot"]).status.success());
}
