//! A program that does not read for a while, because it was suspended or keeps its runtime from running.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use venuekit_sandbox::{Fault, Rule, Transport};

use crate::desk::{buy, deribit, deribit_over_http, message_with, sandbox, until};

const PERPETUAL: &str = "BTC-PERPETUAL";

/// Longer than what is asked for again in any case, which is five seconds.
const BLOCKED: Duration = Duration::from_secs(7);

/// Deribit does not date what it says of orders. What is read late was not sent late, so that a loss after it is asked for.
#[test]
fn what_is_lost_while_the_program_is_blocked_is_caught_up() {
    let elsewhere = Runtime::new().unwrap();
    let sandbox = elsewhere.block_on(sandbox());
    for over_http in [false, true] {
        let venue = || {
            elsewhere.block_on(async {
                let trader = deribit_over_http(&sandbox);
                let read = buy(&trader, "20000").await;
                let rule = Rule::new(Fault::Drop).over(Transport::Stream).on("user.orders.BTC-PERPETUAL.raw").times(1);
                sandbox.faults().set(vec![rule]);
                let lost = buy(&trader, "20001").await;
                until("the second order's message is lost", || sandbox.faults().strikes() == [1]).await;
                sandbox.cut_connections();
                tokio::time::sleep(BLOCKED).await;
                [read.order_id, lost.order_id]
            })
        };
        let bot = Builder::new_current_thread().enable_all().build().unwrap();
        bot.block_on(async {
            let client = if over_http { deribit_over_http(&sandbox) } else { deribit(&sandbox) };
            let mut orders = client.streams().user_orders_raw(PERPETUAL).subscribe().await.unwrap();
            // This thread, which is all that the client's runtime has, waits.
            let [read, lost] = std::thread::scope(|scope| scope.spawn(venue).join().unwrap());
            for id in [read, lost] {
                message_with(&mut orders, |order| order.order_id == id).await;
            }
        });
    }
}
