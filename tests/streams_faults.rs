//! A long run under faults over three venues: what readers got explains everything that the venues did.
//!
//! Nothing is lost without `Stale`, nothing comes twice, and no book is wrong while it says that it is right: it is compared with the
//! sandbox's own book at the same mark. `VENUEKIT_SOAK_FRAMES` sets how many frames the sandbox sends, by default a few thousand.

#[path = "streams/desk.rs"]
#[allow(dead_code, reason = "the other tests of streams use the rest")]
mod desk;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rust_decimal::Decimal;
use venuekit::books::{BookMessage, BookView, Level};
use venuekit::streams::{Event, LiveBook, Missed, StreamMessage, Subscription};
use venuekit_sandbox::{BookLevels, Fault, Rule, Sandbox, Transport};

use desk::{bayse, deribit, in_time, kalshi, markets, sandbox};

const MARKETS: i64 = 100;
const PERPETUAL: &str = "BTC-PERPETUAL";

/// What is to come comes sooner, on a busy machine too.
const QUIET: Duration = Duration::from_secs(20);

/// One test at a time: the memory that one measures is that of the process.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// 5 % of all frames are struck.
fn faults() -> Vec<Rule> {
    let of_all = [
        (Fault::Drop, 0.012),
        (Fault::Duplicate, 0.01),
        (Fault::Reorder, 0.01),
        (Fault::Delay { ms: 1 }, 0.005),
        (Fault::UnknownType, 0.004),
        (Fault::Split { parts: 2 }, 0.005),
        (Fault::Ping, 0.001),
    ];
    let counted = [(Fault::Gap { by: 2 }, 0.002), (Fault::Restart, 0.0005)];
    let rule = |(fault, chance): (Fault, f64)| Rule::new(fault).on("data").over(Transport::Stream).chance(chance);
    let on_kalshi = counted.map(|one| rule(one).at("kalshi"));
    let cuts = [Fault::Close { code: 1001, reason: "going away".to_owned() }, Fault::DropBefore];
    let cuts = cuts.map(|fault| rule((fault, 0.0002)));
    of_all.map(rule).into_iter().chain(on_kalshi).chain(cuts).collect()
}

/// A number from a seed: the run is the same every time, as far as the venues' order of frames is.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What a reader of trades got.
#[derive(Default)]
struct Got {
    /// By trade, the place of its event.
    places: HashMap<String, u64>,
    /// Where something may be missing for good, from the event that says so to the one that ends it.
    gaps: Vec<(u64, u64)>,
    stale_since: Option<u64>,
    events: u64,
    unknown: u64,
}

impl Got {
    fn event<T: StreamMessage>(&mut self, event: Event<T>, id: impl Fn(&T) -> String) {
        self.events += 1;
        match event {
            Event::Message(message) => {
                let id = id(&message.value);
                assert!(self.places.insert(id.clone(), self.events).is_none(), "{id} came twice");
            }
            Event::Stale(_) => {
                self.stale_since.get_or_insert(self.events);
            }
            Event::Resynced(resynced) => {
                let since = self.stale_since.take().expect("it was stale");
                if resynced.missed != Missed::None {
                    self.gaps.push((since, self.events));
                }
            }
            Event::Unknown(_) => self.unknown += 1,
            other => panic!(
                "{}",
                match other {
                    Event::Lagged(count) => format!("{count} messages were dropped, with room for all"),
                    Event::Ended(ended) => format!("ended: {ended}"),
                    _ => "an event that does not belong here".to_owned(),
                }
            ),
        }
    }

    /// Each trade came, or is in a gap that was reported.
    fn explains(&self, trades: &[String]) -> usize {
        assert!(self.stale_since.is_none(), "it is certain again in the end");
        let mut lost = 0;
        for (at, id) in trades.iter().enumerate() {
            if self.places.contains_key(id) {
                continue;
            }
            lost += 1;
            let place = |id: &String| self.places.get(id).copied();
            let before = trades[..at].iter().rev().find_map(place).unwrap_or(0);
            let after = trades[at..].iter().find_map(place).unwrap_or(u64::MAX);
            let is_explained = self.gaps.iter().any(|(begin, end)| *begin <= after && *end >= before);
            assert!(is_explained, "{id} was lost between the events {before} and {after}, and that was not reported");
        }
        lost
    }
}

/// Reads until nothing more can come: the run is over, and the last trade of each market has come. One that will never come is waited
/// for until all has been quiet for long.
async fn read<T: StreamMessage>(
    mut reader: Subscription<T>,
    last: Arc<OnceLock<Vec<String>>>,
    id: fn(&T) -> String,
) -> Got {
    let mut got = Got::default();
    let mut heard = Instant::now();
    loop {
        match tokio::time::timeout(Duration::from_millis(100), reader.next()).await {
            Ok(Some(event)) => {
                got.event(event, id);
                heard = Instant::now();
            }
            Ok(None) => panic!("it ended"),
            Err(_) => {
                let Some(last) = last.get().filter(|_| got.stale_since.is_none()) else { continue };
                if last.iter().all(|id| got.places.contains_key(id)) || heard.elapsed() > QUIET {
                    return got;
                }
            }
        }
    }
}

fn is_same(view: &BookView, venue: &BookLevels) -> bool {
    let ours = |levels: &mut dyn Iterator<Item = Level>| {
        levels.map(|level| (level.price, level.size)).collect::<BTreeMap<_, _>>()
    };
    let theirs = |levels: &[(Decimal, Decimal)]| levels.iter().copied().collect::<BTreeMap<_, _>>();
    ours(&mut view.bids()) == theirs(&venue.bids) && ours(&mut view.asks()) == theirs(&venue.asks)
}

/// Compares each book that says it is right with the venue's own at the same mark. Returns how often, and how many became uncertain.
async fn prove<T: StreamMessage + BookMessage>(
    mut book: LiveBook<T>,
    is_over: Arc<AtomicBool>,
    of: impl Fn(&str, i64) -> Option<BookLevels>,
) -> (u64, u64) {
    let (mut compared, mut stale, mut all_stale, mut stale_items) = (0, 0, false, HashSet::new());
    loop {
        match tokio::time::timeout(Duration::from_secs(3), book.next()).await {
            Ok(Some(Event::Message(change))) => {
                let Some(view) = book.live(&change.instrument) else { continue };
                let Some(mark) = view.mark() else { continue };
                // The sandbox keeps books of the past for a while.
                let Some(venue) = of(&change.instrument, mark) else { continue };
                assert!(is_same(&view, &venue), "{} at {mark}: {view:?} is not {venue:?}", change.instrument);
                compared += 1;
            }
            Ok(Some(Event::Stale(now))) => {
                stale += 1;
                all_stale |= now.item.is_none();
                stale_items.extend(now.item);
            }
            Ok(Some(Event::Resynced(resynced))) => match resynced.item {
                Some(item) => _ = stale_items.remove(&item),
                None => {
                    all_stale = false;
                    stale_items.clear();
                }
            },
            Ok(Some(Event::Ended(ended))) => panic!("ended: {ended}"),
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ended"),
            Err(_) if is_over.load(Ordering::Relaxed) && !all_stale && stale_items.is_empty() => break,
            Err(_) => {}
        }
    }
    // After a calm they are the venue's books of now.
    for instrument in book.instruments() {
        let view = book.live(&instrument).unwrap_or_else(|| panic!("{instrument} is certain in the end"));
        if let Some(venue) = view.mark().and_then(|mark| of(&instrument, mark)) {
            assert!(is_same(&view, &venue), "{instrument}");
        }
    }
    (compared, stale)
}

/// The trades of a market, the oldest first.
async fn trades_of(client: &venuekit::kalshi::Client, ticker: &str) -> Vec<String> {
    use futures_util::TryStreamExt;
    let all = client.get_trades().ticker(ticker).limit(1000).stream();
    let mut all: Vec<String> = all.map_ok(|trade| trade.trade_id.to_string()).try_collect().await.unwrap();
    all.reverse();
    all
}

/// Waits until the clients have taken what the venues have sent. A venue that is simulated makes frames faster than anybody reads them: what
/// is on its way would grow with the length of the run.
async fn taken(counts: impl Fn() -> u64) {
    let mut before = counts();
    for _ in 0..60_000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let now = counts();
        if now == before {
            return;
        }
        before = now;
    }
    panic!("frames that were sent before still come");
}

/// How many frames a run has.
fn wanted() -> u64 {
    std::env::var("VENUEKIT_SOAK_FRAMES").ok().and_then(|text| text.parse().ok()).unwrap_or(4000)
}

/// The memory of this process, in bytes.
#[cfg(target_os = "linux")]
fn memory() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// A reader that does not read costs what its queue holds, however much comes.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_stops_reading_costs_no_more_than_its_queue() {
    let _alone = ALONE.lock().await;
    let sandbox = sandbox().await;
    sandbox.frames().keep(0);
    let client = kalshi(&sandbox);
    let ticker = markets(&client, 1).await.remove(0);
    let reader = client.streams().trade([ticker.clone()]).capacity(1000).subscribe().await.unwrap();
    let wanted = wanted() * 5;
    let (mut after_warm_up, mut sent) = (0, 0);
    while sent < wanted {
        for _ in 0..100 {
            let trade =
                serde_json::json!({"trade_id": sent.to_string(), "market_ticker": &*ticker, "note": "x".repeat(400)});
            assert_eq!(sandbox.kalshi_notify("trade", "trade", &trade), 1);
            sent += 1;
        }
        desk::until("the reader's side has what was sent", || client.streams().shared().stats().messages >= sent).await;
        if sent >= wanted / 4 && after_warm_up == 0 {
            after_warm_up = memory();
        }
    }
    let grown = memory().saturating_sub(after_warm_up);
    let stats = reader.stats();
    assert_eq!((stats.queued, stats.lagged), (1000, sent - 1000));
    assert!(grown < 16 * 1024 * 1024, "{grown} bytes for {sent} messages that were not read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_explain_every_frame_of_three_venues() {
    let _alone = ALONE.lock().await;
    let wanted = wanted();
    let sandbox: &'static Sandbox = Box::leak(Box::new(sandbox().await));
    let (on_kalshi, on_deribit, on_bayse) = (kalshi(sandbox), deribit(sandbox), bayse(sandbox));
    let tickers = markets(&on_kalshi, MARKETS).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let room = usize::try_from(wanted).unwrap() * 2;

    let mut trades = Vec::new();
    let mut books = Vec::new();
    for some in tickers.chunks(25) {
        let reader = on_kalshi.streams().trade(some.to_vec()).capacity(room).subscribe().await.unwrap();
        let last = Arc::new(OnceLock::new());
        let task = tokio::spawn(read(reader, last.clone(), |trade| trade.trade_id.to_string()));
        trades.push((some.to_vec(), last, task));
        let book = on_kalshi.streams().orderbook_delta(some.to_vec()).book().subscribe().await.unwrap();
        books.push(tokio::spawn(prove(book, is_over.clone(), |item, mark| sandbox.kalshi_book(item, Some(mark)))));
    }
    let interval = venuekit::deribit::types::Interval::Raw;
    let book = on_deribit.streams().book(PERPETUAL, interval).book().subscribe().await.unwrap();
    books.push(tokio::spawn(prove(book, is_over.clone(), |item, mark| sandbox.deribit_book(item, mark))));
    let on_rooms = on_bayse.streams();
    let page = on_bayse.list_events().send().await.unwrap().into_inner();
    let event = page.events[0].id.clone();
    let mut prices = on_rooms.prices(event.clone()).capacity(room).subscribe().await.unwrap();
    let bayse_room = format!("prices:{}", &*event);
    let sent_prices = Arc::new(AtomicU64::new(0));
    let (counter, over) = (sent_prices.clone(), is_over.clone());
    let priced = tokio::spawn(async move {
        // What is not counted may be lost without a word, but never comes out of order or when it was not sent.
        let (mut got, mut last) = (0_u64, 0);
        loop {
            match tokio::time::timeout(Duration::from_secs(3), prices.next()).await {
                Ok(Some(Event::Message(message))) => {
                    let frame: serde_json::Value = serde_json::from_slice(&message.raw).unwrap();
                    last = frame["data"]["number"].as_u64().unwrap_or(last);
                    assert!(last <= counter.load(Ordering::SeqCst));
                    got += 1;
                }
                Ok(Some(Event::Ended(ended))) => panic!("ended: {ended}"),
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended"),
                Err(_) if over.load(Ordering::Relaxed) => return got,
                Err(_) => {}
            }
        }
    });

    // What happened before the readers came is not theirs.
    let mut old = HashSet::new();
    for ticker in &tickers {
        old.extend(trades_of(&on_kalshi, ticker).await);
    }
    sandbox.faults().set_seeded(faults(), 7);
    let (mut random, mut frames, mut round) = (Random(0x5eed), 0_u64, 0_u64);
    let begin = Instant::now();
    while frames < wanted {
        round += 1;
        let ticker = &tickers[random.below(tickers.len() as u64) as usize];
        // The bids of the first half of the scale and the asks of the second: no quote meets another one.
        let price = Decimal::new(i64::try_from(random.below(20)).unwrap() + 20, 2);
        let size = Decimal::from(random.below(50));
        match random.below(10) {
            0 | 1 => {
                let book = sandbox.kalshi_book(ticker, None).expect("it is a market");
                if let Some(best) = book.bids.iter().map(|(price, _)| *price).max() {
                    sandbox.kalshi_trade(ticker, best, Decimal::ONE);
                }
            }
            2..6 => _ = sandbox.kalshi_quote(ticker, true, price, size),
            _ => _ = sandbox.kalshi_quote(ticker, false, price + Decimal::new(50, 2), size),
        }
        if round % 20 == 0 {
            let number = sent_prices.fetch_add(1, Ordering::SeqCst) + 1;
            sandbox.bayse_notify(&bayse_room, "price_update", &serde_json::json!({"id": *event, "number": number}));
        }
        if round % 50 == 0 {
            let price = (10_000 + random.below(5000)).to_string();
            let call =
                on_deribit.buy().body_map(|order| order.instrument_name(PERPETUAL).amount("10").price(price.as_str()));
            // The connection of the calls is cut too, with what is in flight.
            let _ = call.send().await;
            let before = frames;
            frames += sandbox.frames().take().len() as u64;
            taken(|| {
                on_kalshi.streams().shared().stats().frames
                    + on_deribit.streams().shared().stats().frames
                    + on_bayse.streams().shared().stats().frames
            })
            .await;
            #[allow(clippy::print_stdout)]
            if before / 50_000 < frames / 50_000 {
                println!("{frames} frames after {:.0?}", begin.elapsed());
            }
        }
    }
    sandbox.faults().clear();
    // One more frame of each shows what the last ones have lost.
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for ticker in &tickers {
            let book = sandbox.kalshi_book(ticker, None).expect("it is a market");
            if let Some(best) = book.bids.iter().map(|(price, _)| *price).max() {
                sandbox.kalshi_trade(ticker, best, Decimal::ONE);
            }
        }
        let call = on_deribit.buy().body_map(|order| order.instrument_name(PERPETUAL).amount("10").price("9000"));
        let _ = call.send().await;
    }
    is_over.store(true, Ordering::Relaxed);

    let (mut delivered, mut lost, mut compared, mut stale) = (0, 0, 0, 0);
    for (tickers, last, task) in trades {
        let mut of_markets = Vec::new();
        for ticker in tickers {
            let mut own = trades_of(&on_kalshi, &ticker).await;
            own.retain(|id| !old.contains(id));
            of_markets.push(own);
        }
        last.set(of_markets.iter().filter_map(|own| own.last().cloned()).collect()).unwrap();
        let got = in_time("a reader of trades is certain again", task).await.unwrap();
        delivered += got.places.len();
        lost += of_markets.iter().map(|own| got.explains(own)).sum::<usize>();
    }
    for task in books {
        let (own, uncertain) = in_time("books are certain again", task).await.unwrap();
        (compared, stale) = (compared + own, stale + uncertain);
    }
    let priced = in_time("prices have come", priced).await.unwrap();
    let stats = on_kalshi.streams().shared().stats();
    #[allow(clippy::print_stdout)]
    {
        println!(
            "{frames} frames; {delivered} trades delivered, {lost} reported as missed; {compared} books compared, uncertain {stale} times; {priced} prices"
        );
        println!("{stats:?}");
    }
    assert!(delivered > 0 && compared > 0 && stale > 0 && priced > 0);
    assert!(stats.gaps > 0 && stats.duplicates > 0, "{stats:?}");
}
