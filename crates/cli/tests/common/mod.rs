//! A sandbox with known accounts, and the command in a home of its own.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tokio::runtime::Runtime;
use venuekit_auth::{KeyKind, PrivateKey};
use venuekit_sandbox::{Accounts, BayseAccount, BinanceKey, DeribitKey, KalshiKey, Sandbox, YativoAccount};

/// What stands in every secret, and must never be printed.
pub const MARKER: &str = "MARKER";

/// The one-time code that the accounts with a second factor take.
pub const CODE: &str = "123456";

/// A key id of Kalshi's.
pub const KALSHI_ID: &str = "11111111-1111-4111-8111-111111111111";

/// A key id of Kalshi's that may only read.
pub const READER_ID: &str = "22222222-2222-4222-8222-222222222222";

/// A running sandbox, and a home for the command.
pub struct World {
    runtime: Runtime,
    pub sandbox: Sandbox,
    pub home: PathBuf,
    pub variables: BTreeMap<String, String>,
    /// Whatever must never be printed.
    pub secrets: Vec<String>,
}

impl World {
    /// Keys of one Ed25519 pair and of a fixed name; secrets that hold the marker.
    pub fn new(name: &str) -> Self {
        let home = std::env::temp_dir().join(format!("venuekit-cli-{}-{name}", std::process::id()));
        _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (key, reader) =
            (PrivateKey::generate(KeyKind::Ed25519).unwrap(), PrivateKey::generate(KeyKind::Ed25519).unwrap());
        let accounts = accounts(&key, &reader);
        let sandbox = runtime.block_on(Sandbox::start(accounts.clone())).unwrap();
        fs::write(home.join("kalshi.pem"), key.private_key_pem().expose()).unwrap();
        fs::write(home.join("kalshi.pub.pem"), key.public_key_pem()).unwrap();
        fs::write(home.join("reader.pem"), reader.private_key_pem().expose()).unwrap();
        let mut secrets = vec![MARKER.to_owned()];
        for pem in [key.private_key_pem(), reader.private_key_pem()] {
            secrets.extend(pem.expose().lines().filter(|line| !line.starts_with('-')).map(str::to_owned));
        }
        let mut world = Self { runtime, sandbox, home, variables: BTreeMap::new(), secrets };
        world.set_variables(&key, &accounts);
        world
    }

    fn set_variables(&mut self, key: &PrivateKey, accounts: &Accounts) {
        let (bayse, yativo, deribit) = (&accounts.bayse[0], &accounts.yativo[0], &accounts.deribit[0]);
        let binance = &accounts.binance[0];
        let secret = deribit.client_secret.clone().unwrap_or_default();
        let pairs = [
            ("VENUEKIT_LOCAL_URL", self.sandbox.base_url()),
            ("KALSHI_LOCAL_KEY_ID", KALSHI_ID.to_owned()),
            ("KALSHI_LOCAL_PRIVATE_KEY", key.private_key_pem().expose().to_owned()),
            ("BAYSE_LOCAL_PUBLIC_KEY", bayse.public_key.clone()),
            ("BAYSE_LOCAL_SECRET_KEY", bayse.secret_key.clone()),
            ("BAYSE_LOCAL_AUTH_TOKEN", bayse.auth_token.clone()),
            ("BAYSE_LOCAL_DEVICE_ID", bayse.device_id.clone()),
            ("YATIVO_LOCAL_API_KEY", yativo.api_key.clone()),
            ("YATIVO_LOCAL_API_SECRET", yativo.api_secret.clone()),
            ("DERIBIT_LOCAL_CLIENT_ID", deribit.client_id.clone()),
            ("DERIBIT_LOCAL_CLIENT_SECRET", secret),
            ("BINANCE_LOCAL_API_KEY", binance.api_key.clone()),
            ("BINANCE_LOCAL_API_SECRET", binance.api_secret.clone().unwrap_or_default()),
            ("VENUEKIT_PASSPHRASE", format!("a passphrase with {MARKER}")),
        ];
        self.variables = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    }

    /// Another sandbox of the same accounts' owner with other keys, as another environment is one.
    pub fn other_environment(&mut self) -> Sandbox {
        let other = self.runtime.block_on(Sandbox::start(Accounts::default())).unwrap();
        self.variables.insert("OTHER_URL".to_owned(), other.base_url());
        other
    }

    /// A command line, in the home.
    pub fn shell(&self, line: &str) -> Output {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        self.run(command)
    }

    /// The command with these arguments.
    pub fn venuekit(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_venuekit"));
        command.args(arguments);
        self.run(command)
    }

    /// The same, with another variable.
    pub fn with(&self, name: &str, value: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_venuekit"));
        command.args(arguments);
        self.prepare(&mut command);
        command.env(name, value).stdin(Stdio::null()).output().unwrap()
    }

    fn run(&self, mut command: Command) -> Output {
        self.prepare(&mut command);
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// A clean environment: nothing of the machine's own configuration counts.
    pub fn prepare(&self, command: &mut Command) {
        let folder = Path::new(env!("CARGO_BIN_EXE_venuekit")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
        command.env_clear().env("PATH", std::env::join_paths(paths).unwrap());
        command.env("HOME", &self.home).envs(&self.variables).current_dir(&self.home);
    }

    /// Waits until a child has ended, and kills it if it does not.
    pub fn end(child: &mut std::process::Child) -> Option<i32> {
        for _ in 0..2400 {
            if let Some(status) = child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        child.kill().unwrap();
        None
    }
}

impl Drop for World {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.home);
    }
}

fn accounts(key: &PrivateKey, reader: &PrivateKey) -> Accounts {
    let pem = |key: &PrivateKey| Some(key.private_key_pem().expose().to_owned());
    let kalshi = vec![
        KalshiKey { key_id: KALSHI_ID.to_owned(), private_key_pem: pem(key), ..KalshiKey::default() },
        KalshiKey {
            key_id: READER_ID.to_owned(),
            private_key_pem: pem(reader),
            scopes: Some(vec!["read".to_owned()]),
            ..KalshiKey::default()
        },
    ];
    let bayse = vec![BayseAccount {
        email: "trader@example.com".to_owned(),
        password: format!("{MARKER}-password"),
        auth_token: format!("{MARKER}-auth-token"),
        device_id: "d_1".to_owned(),
        public_key: "pk_live_0123456789abcdef".to_owned(),
        secret_key: format!("sk_live_{MARKER}secret"),
    }];
    let yativo = vec![YativoAccount {
        api_key: "yativo_0123456789abcdef0123456789abcdef0123456789abcdef".to_owned(),
        api_secret: format!("{MARKER}0123456789abcdef"),
        access_token: Some(format!("{MARKER}-access-token")),
        totp_code: Some(CODE.to_owned()),
    }];
    let deribit = vec![
        DeribitKey {
            client_id: "AbCdEfGh".to_owned(),
            client_secret: Some(format!("{MARKER}-client-secret")),
            ..DeribitKey::default()
        },
        DeribitKey {
            client_id: "SecondFa".to_owned(),
            client_secret: Some(format!("{MARKER}-client-secret-2")),
            totp_code: Some(CODE.to_owned()),
            ..DeribitKey::default()
        },
    ];
    let binance = vec![BinanceKey {
        api_key: "binance0123456789abcdef".to_owned(),
        api_secret: Some(format!("{MARKER}-binance-secret")),
        ..BinanceKey::default()
    }];
    Accounts { kalshi, bayse, yativo, deribit, binance, ..Accounts::default() }
}

/// Both streams as text.
pub fn texts(output: &Output) -> (String, String) {
    (String::from_utf8(output.stdout.clone()).unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

/// The one JSON document on standard output.
pub fn document(output: &Output) -> serde_json::Value {
    let (stdout, stderr) = texts(output);
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}\n{stderr}"))
}
