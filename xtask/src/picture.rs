//! The terminal picture in the README: a session with the sandbox, run here and drawn as SVG.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Where the picture is, relative to the workspace.
pub const FILE: &str = "docs/terminal.svg";

/// What is typed. The session ends at the first command that exits with another code than the one beside it.
const SESSION: [(&str, i32); 6] = [
    ("venuekit doctor kalshi/local", 0),
    (
        "venuekit call deribit/local get_book_summary_by_currency currency=BTC --table \\
    --columns instrument_name,bid_price,ask_price,mark_price",
        0,
    ),
    ("venuekit keys create deribit/local/bot --scope account:read --scope trade:read_write", 0),
    ("venuekit keys rotate deribit/local/bot --hand-over 'systemctl restart bot' --yes", 0),
    ("head -1 captured.txt  # a request of another client, which the venue refused", 0),
    ("venuekit verify-signature kalshi/local --headers captured.txt", 8),
];

/// What happens before the picture begins: a client that signs the query too, and a stand-in for systemd.
const PREPARATION: &str = r#"
set -eu
printf '#!/bin/sh\n' > systemctl && chmod +x systemctl
printf '%s' "$KALSHI_LOCAL_PRIVATE_KEY" > key.pem
path='/trade-api/v2/portfolio/orders?limit=5'
time="$(date +%s)000"
signature="$(printf '%s' "${time}GET$path" | openssl dgst -sha256 -sign key.pem \
  -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest | openssl base64 -A)"
printf 'GET %s HTTP/1.1\n%s: %s\n%s: %s\n%s: %s\n' "$path" \
  kalshi-access-key "$KALSHI_LOCAL_KEY_ID" kalshi-access-timestamp "$time" kalshi-access-signature "$signature" > captured.txt
"#;

const COLUMNS: usize = 100;

/// Runs the session with the command in `binary`, and returns the picture.
pub fn draw(binary: &Path) -> Result<String, String> {
    let folder = env::temp_dir().join(format!("venuekit-picture-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let lines = session(binary, &folder);
    let removed = fs::remove_dir_all(&folder);
    let lines = lines?;
    removed.map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
    Ok(svg(&lines))
}

/// A process that ends with the value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is no fault here.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn session(binary: &Path, folder: &Path) -> Result<Vec<String>, String> {
    let binary = binary.canonicalize().map_err(|error| {
        format!("cannot find {}: {error}; build it with `cargo build -p venuekit-cli`", binary.display())
    })?;
    let sandbox = Command::new(&binary)
        .args(["sandbox", "--port", "0", "--env-file", "sandbox.env"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn();
    let mut sandbox = Running(sandbox.map_err(|error| format!("cannot start the sandbox: {error}"))?);
    let output = sandbox.0.stdout.take().ok_or("the sandbox has no standard output")?;
    // It prints what it listens on when it is ready, and then where its keys are.
    let ready = BufReader::new(output).lines().map_while(Result::ok).any(|line| line.starts_with("keys"));
    if !ready {
        return Err("the sandbox ended before it was ready".to_owned());
    }
    let shell = Shell { binary, folder: folder.to_owned() };
    shell.expect(PREPARATION, 0)?;
    let mut lines = Vec::new();
    for (command, code) in SESSION {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        // What is typed goes on in the next line after a backslash.
        lines.extend(format!("$ {command}").lines().map(str::to_owned));
        lines.extend(shell.expect(command, code)?.lines().map(str::to_owned));
    }
    Ok(lines)
}

struct Shell {
    binary: PathBuf,
    folder: PathBuf,
}

impl Shell {
    /// What a command prints, on either stream, if it exits with this code.
    fn expect(&self, command: &str, code: i32) -> Result<String, String> {
        let script = format!(". ./sandbox.env\n{{ {command}\n}} 2>&1");
        let mut path = vec![self.folder.clone()];
        path.extend(self.binary.parent().map(Path::to_owned));
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let path = env::join_paths(path).map_err(|error| format!("PATH: {error}"))?;
        let output = Command::new("sh")
            .args(["-c", &script])
            .current_dir(&self.folder)
            .env("PATH", path)
            .env("COLUMNS", COLUMNS.to_string())
            .env("HOME", &self.folder)
            .env("XDG_DATA_HOME", &self.folder)
            .env("XDG_CONFIG_HOME", &self.folder)
            .env("VENUEKIT_PASSPHRASE", "correct horse battery staple")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cannot run sh: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.code() == Some(code) {
            Ok(text)
        } else {
            let errors = String::from_utf8_lossy(&output.stderr);
            Err(format!("`{command}` exited with {:?}, not {code}:\n{text}{errors}", output.status.code()))
        }
    }
}

const LINE: usize = 19;
const MARGIN: usize = 20;
const TITLE: usize = 34;

/// A terminal window with these lines. Characters have a fixed place, so that no font moves a column.
fn svg(lines: &[String]) -> String {
    let rows: Vec<String> = lines.iter().flat_map(|line| wrapped(line)).collect();
    let width = MARGIN * 2 + COLUMNS * 42 / 5;
    let height = TITLE + MARGIN * 2 + rows.len() * LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-label=\"A terminal session with venuekit\">\n\
         <style>text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; \
         white-space: pre; fill: #c9d1d9 }} .prompt {{ fill: #7ee787 }} .typed {{ fill: #f0f6fc; font-weight: 600 }} \
         .good {{ fill: #7ee787 }} .bad {{ fill: #ff7b72 }} .dim {{ fill: #8b949e }}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"10\" fill=\"#0d1117\"/>\n\
         <g fill=\"#30363d\"><circle cx=\"22\" cy=\"19\" r=\"6\"/><circle cx=\"42\" cy=\"19\" r=\"6\"/>\
         <circle cx=\"62\" cy=\"19\" r=\"6\"/></g>\n"
    );
    for (index, row) in rows.iter().enumerate() {
        if row.is_empty() {
            continue;
        }
        let y = TITLE + MARGIN + index * LINE + LINE / 2;
        let spans: String = colored(row)
            .into_iter()
            .map(|(class, text)| match class {
                "" => escaped(text),
                class => format!("<tspan class=\"{class}\">{}</tspan>", escaped(text)),
            })
            .collect();
        let length = row.chars().count() * 42 / 5;
        let _ = writeln!(
            svg,
            "<text x=\"{MARGIN}\" y=\"{y}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\" \
             xml:space=\"preserve\">{spans}</text>"
        );
    }
    svg + "</svg>\n"
}

/// A line in pieces that fit, broken at spaces where there are any.
fn wrapped(line: &str) -> Vec<String> {
    let mut rest: Vec<char> = line.chars().collect();
    let mut rows = Vec::new();
    while rest.len() > COLUMNS {
        let at = rest[..COLUMNS].iter().rposition(|c| *c == ' ').map_or(COLUMNS, |at| at + 1);
        let tail = rest.split_off(at);
        rows.push(rest.into_iter().collect::<String>().trim_end().to_owned());
        rest = "    ".chars().chain(tail).collect();
    }
    rows.push(rest.into_iter().collect());
    rows
}

/// The parts of a row and their colors.
fn colored(row: &str) -> Vec<(&'static str, &str)> {
    if let Some(command) = row.strip_prefix("$ ") {
        let (command, comment) = command.find("  #").map_or((command, ""), |at| command.split_at(at));
        return vec![("prompt", "$ "), ("typed", command), ("dim", comment)];
    }
    // What is typed after a backslash.
    if row.starts_with("    --") {
        return vec![("typed", row)];
    }
    let word = row.split(' ').next().unwrap_or_default();
    let (class, word) = match word {
        "ok" | "verified" | "proved" => ("good", word),
        "FAIL" | "error:" => ("bad", word),
        "note:" => return vec![("dim", row)],
        _ => ("", word),
    };
    vec![(class, word), ("", &row[word.len()..])]
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_broken_at_a_space_and_loses_no_word() {
        let line = "word ".repeat(50);
        let rows = wrapped(line.trim_end());
        assert!(rows.len() > 2 && rows.iter().all(|row| row.chars().count() <= COLUMNS), "{rows:?}");
        assert_eq!(rows.join(" ").split_whitespace().count(), 50);
        assert_eq!(wrapped(&"x".repeat(150)).concat().replace(' ', ""), "x".repeat(150));
    }

    #[test]
    fn text_is_escaped_and_nothing_of_a_row_is_left_out() {
        let picture = svg(&["$ a <b> & c  # why".to_owned(), "FAIL  x".to_owned()]);
        assert!(picture.contains("a &lt;b&gt; &amp; c"), "{picture}");
        assert!(picture.contains("<tspan class=\"dim\">  # why</tspan>"), "{picture}");
        for row in ["$ a  # b", "ok    x", "plain", "FAIL  y", "note: z"] {
            assert_eq!(colored(row).into_iter().map(|(_, text)| text).collect::<String>(), row);
        }
    }
}
