//! Variables of the environment that name a proxy: it sees nothing of what is sent to this machine.

mod common;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::World;

#[test]
fn no_variable_puts_a_proxy_before_this_machine() {
    let world = World::new("proxies");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let trap = format!("http://{}", listener.local_addr().unwrap());
    let came = Arc::new(AtomicUsize::new(0));
    let count = came.clone();
    std::thread::spawn(move || listener.incoming().for_each(|_| drop(count.fetch_add(1, Ordering::SeqCst))));
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        for arguments in [
            &["call", "kalshi/local", "get_balance"][..],
            &["call", "deribit/local", "get_account_summary", "currency=BTC"],
            &["doctor", "yativo/local"],
        ] {
            let run = world.with(name, &trap, arguments);
            assert!(run.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
        }
        assert_eq!(came.load(Ordering::SeqCst), 0, "{name}");
    }
}
