use std::thread::{self, ThreadId};

use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};
use url::Url;
use venuekit_auth::Headers;
use venuekit_wire::UnixMillis;
use venuekit_wire::operation::SignatureAge;

use super::*;
use crate::fixtures;

const ORDER: (&str, &str) = ("POST", "/prefix/orders");
const BALANCE: (&str, &str) = ("GET", "/prefix/balance");

/// What a signature was made of.
#[derive(Clone, Debug)]
struct Stroke {
    line: (String, String),
    millis: i64,
    at: Instant,
    thread: ThreadId,
}

/// Signs with the number of the signature, and writes down what it was asked for.
#[derive(Clone, Debug, Default)]
struct Numbered(Arc<Mutex<Vec<Stroke>>>);

impl Numbered {
    fn strokes(&self) -> Vec<Stroke> {
        self.0.lock().unwrap().clone()
    }

    /// The signatures that the thread of the calls has made.
    fn on_the_spot(&self) -> usize {
        self.strokes().iter().filter(|stroke| stroke.thread == thread::current().id()).count()
    }
}

impl Signer for Numbered {
    fn sign(&self, parts: &Parts<'_>, millis: i64) -> Result<Signed, SignError> {
        let mut strokes = self.0.lock().unwrap();
        let line = (parts.method.to_owned(), parts.path.to_owned());
        strokes.push(Stroke { line, millis, at: Instant::now(), thread: thread::current().id() });
        Headers::new("number", http::HeaderName::from_static("x-number"), (strokes.len() - 1).to_string())?
            .sign(parts, millis)
    }
}

const fn operation(id: &'static str, path: &'static str, access: &'static [&'static [&'static str]]) -> Operation {
    Operation { id, path, access, ..fixtures::OPERATION }
}

static VENUE: Venue = Venue {
    name: "some_venue",
    operations: &[
        operation("amend", "/orders/{id}", &[&["signature"]]),
        operation("create", "/orders", &[&["other"], &["signature"]]),
        operation("list", "/orders", &[&[]]),
        operation("pay", "/payments", &[&["other"]]),
    ],
    signature_ages: &[SignatureAge { credential: "signature", seconds: 5 }],
    credentials: venuekit_wire::credentials::CredentialRules::NONE,
    ..fixtures::VENUE
};

fn planned(ahead: impl Into<SignAhead>) -> Result<Vec<Plan>, String> {
    ahead
        .into()
        .plan(&VENUE, &Base::new(&Url::parse("https://host/prefix").unwrap()))
        .map_err(|error| error.to_string())
}

#[test]
fn what_cannot_be_signed_ahead_is_named() {
    let refused = |name: &str| planned([name]).err().unwrap_or_else(|| panic!("{name} is refused"));
    for (name, why) in [
        ("nothing", "some_venue has no such operation"),
        ("amend", "its path `/orders/{id}`"),
        ("list", "no lifetime for its signature"),
        ("pay", "no lifetime for its signature"),
    ] {
        let error = refused(name);
        assert!(error.contains(&format!("`{name}`")) && error.contains(why), "{error}");
    }
    let short = SignAhead::from(["create"]).oldest(Duration::from_millis(99));
    assert!(planned(short).err().unwrap().contains("100ms"));
}

#[test]
fn no_age_is_more_than_half_of_what_the_venue_takes() {
    let oldest = |seconds| {
        let [plan] = planned(SignAhead::from(["create", "create"]).oldest(Duration::from_secs(seconds)))
            .unwrap()
            .try_into()
            .unwrap_or_else(|_| panic!("one plan"));
        assert_eq!((plan.credential, plan.lines.len(), &*plan.lines[0].path), ("signature", 1, ORDER.1));
        plan.oldest
    };
    assert_eq!(oldest(2), Duration::from_secs(2));
    assert_eq!(oldest(3600), Duration::from_millis(2500));
    assert_eq!(planned(["create"]).unwrap()[0].oldest, Duration::from_secs(1));
}

/// The order's signature kept by a client, and what makes it.
struct World {
    ahead: Ahead,
    signer: Numbered,
    clock: Clock,
}

impl World {
    fn new(oldest: Duration) -> Self {
        let (signer, clock) = (Numbered::default(), Clock::default());
        let plan = planned(SignAhead::from(["create"]).oldest(oldest)).unwrap().remove(0);
        Self { ahead: Ahead::start(Arc::new(signer.clone()), plan, clock.clone()), signer, clock }
    }

    /// The signature that a call carries.
    fn call(&self, (method, path): (&str, &str)) -> Stroke {
        let parts = Parts { method, path, query: Some("a=b"), body: b"body" };
        let signed = self.ahead.sign(&parts, self.clock.now().get()).unwrap();
        let number: usize = signed.headers()[0].1.to_str().unwrap().parse().unwrap();
        let stroke = self.signer.strokes().swap_remove(number);
        assert_eq!((&*stroke.line.0, &*stroke.line.1), (method, path), "of this call");
        stroke
    }
}

/// A runtime whose time is the test's.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

const SECOND: Duration = Duration::from_secs(1);

async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[test]
fn a_call_finds_a_fresh_signature_whenever_it_comes() {
    runtime().block_on(async {
        let world = World::new(SECOND);
        pass(1).await;
        for _ in 0..20 {
            let age = world.call(ORDER).at.elapsed();
            assert!(age <= SECOND, "{age:?}");
            pass(730).await;
        }
        assert_eq!(world.signer.on_the_spot(), 0);
    });
}

#[test]
fn calls_share_a_signature_while_it_is_fresh() {
    let world = World::new(SECOND);
    for _ in 0..5 {
        world.call(ORDER);
    }
    assert_eq!(world.signer.strokes().len(), 1, "without a runtime too");
}

#[test]
fn another_call_is_signed_on_the_spot() {
    runtime().block_on(async {
        let world = World::new(SECOND);
        pass(1).await;
        for line in [BALANCE, ("GET", ORDER.1), ("POST", "/orders"), ("POST", "/prefix/orders/")] {
            world.call(line);
            world.call(line);
        }
        assert_eq!(world.signer.on_the_spot(), 8);
        assert!(world.signer.strokes().iter().filter(|stroke| stroke.line.1 == ORDER.1).count() >= 3);
    });
}

#[test]
fn a_corrected_clock_leaves_no_signature() {
    runtime().block_on(async {
        let world = World::new(SECOND);
        pass(1).await;
        for (round, offset) in [5, 0, -5, 5_000, -5_000].into_iter().enumerate() {
            world.clock.set_offset_millis(offset);
            let millis = world.call(ORDER).millis;
            let off = millis - (UnixMillis::now().get() + offset);
            assert!(off.abs() < 1_000, "{off} ms");
            assert_eq!(world.signer.on_the_spot(), round + 1);
            world.call(ORDER);
            assert_eq!(world.signer.on_the_spot(), round + 1, "the one that was made is kept");
        }
    });
}

/// The caller looked at the clock before it was corrected: what is made for that time is not kept.
#[test]
fn a_signature_of_another_time_is_not_kept() {
    let world = World::new(SECOND);
    let parts = Parts { method: ORDER.0, path: ORDER.1, query: None, body: &[] };
    world.ahead.sign(&parts, world.clock.now().get() - 600).unwrap();
    world.call(ORDER);
    assert_eq!(world.signer.strokes().len(), 2);
}

#[test]
fn a_client_that_signs_nothing_is_left_alone_until_it_does() {
    runtime().block_on(async {
        let world = World::new(SECOND);
        pass(3_600_000).await;
        let made = world.signer.strokes().len();
        assert!((600..=602).contains(&made), "five minutes, twice a second: {made}");
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
        // Whatever the call is: the next one may be an order.
        world.call(BALANCE);
        pass(1).await;
        world.call(ORDER);
        assert_eq!(world.signer.on_the_spot(), 1);
    });
}

#[test]
fn the_last_client_ends_it() {
    runtime().block_on(async {
        let world = World::new(SECOND);
        let clone = world.ahead.clone();
        drop(world.ahead);
        pass(5_000).await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 1);
        drop(clone);
        pass(1_000).await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    });
}

#[test]
fn the_end_of_a_runtime_is_not_the_end() {
    let first = runtime();
    let world = first.block_on(async {
        let world = World::new(SECOND);
        pass(1).await;
        world
    });
    drop(first);
    let before = world.signer.on_the_spot();
    world.clock.set_offset_millis(1);
    world.call(ORDER);
    assert_eq!(world.signer.on_the_spot(), before + 1, "on the spot");
    runtime().block_on(async {
        world.call(BALANCE);
        pass(1).await;
        world.clock.set_offset_millis(2);
        pass(2_000).await;
        let before = world.signer.on_the_spot();
        world.call(ORDER);
        assert_eq!(world.signer.on_the_spot(), before, "in the background of the next one");
    });
}

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Correct(i64),
    Call(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0_u64..2_500).prop_map(Step::Pass),
        1 => (-3_i64..=3).prop_map(|seconds| Step::Correct(seconds * 1_000)),
        4 => any::<bool>().prop_map(Step::Call),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever passes between calls: no signature is older than it may be, of another time, or of another call.
    #[test]
    fn no_call_carries_an_old_signature(steps in steps(), oldest in 100_u64..2_500, in_background: bool) {
        let (runtime, oldest) = (runtime(), Duration::from_millis(oldest));
        let world = if in_background {
            runtime.block_on(async { World::new(oldest) })
        } else {
            // As if it were at work and got no time.
            let world = World::new(oldest);
            world.ahead.0.is_kept_up.store(true, Ordering::Release);
            world
        };
        runtime.block_on(async {
            for step in steps {
                match step {
                    Step::Pass(millis) => pass(millis).await,
                    Step::Correct(offset) => world.clock.set_offset_millis(offset),
                    Step::Call(order) => {
                        let stroke = world.call(if order { ORDER } else { BALANCE });
                        assert!(stroke.at.elapsed() <= oldest, "{:?}", stroke.at.elapsed());
                        let off = stroke.millis - world.clock.now().get();
                        assert!(off.abs() < 500, "the clock stands still, but for its correction: {off} ms");
                    }
                }
            }
        });
    }
}

#[test]
fn an_age_is_told_by_both_clocks() {
    let at = Instant::now();
    let made = Moment { millis: 1_000_000, offset: 7, at };
    let after = |millis: i64, offset, passed| {
        let now = Moment { millis: made.millis + millis, offset, at: at + Duration::from_millis(passed) };
        now.may_use(made, SECOND)
    };
    assert!(after(0, 7, 0) && after(1_000, 7, 1_000) && after(-100, 7, 0));
    assert!(!after(1_001, 7, 0), "the system's clock was set, or the machine slept");
    assert!(!after(0, 7, 1_001), "the system's clock was set back");
    assert!(!after(-101, 7, 0));
    assert!(!after(0, 8, 0));
    let edge = |millis| Moment { millis, ..made };
    assert!(!edge(i64::MIN).may_use(edge(i64::MAX), SECOND) && !edge(i64::MAX).may_use(edge(i64::MIN), SECOND));
}
