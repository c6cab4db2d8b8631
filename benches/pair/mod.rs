//! Measures two ways of doing the same, and how they relate.
//!
//! Criterion measures one after the other, so on a machine that does something else meanwhile their quotient is chance. Here
//! the two take turns in short rounds as well, and the quotient of each round is taken: of the processor time of this thread,
//! which neither a busy machine nor a server in another thread adds to.

use std::time::{Duration, Instant};

use criterion::Criterion;

/// One way, and its name.
pub struct Way<'a> {
    name: &'a str,
    run: Box<dyn FnMut() + 'a>,
}

/// A way of doing it. What it computes has to go through `black_box` there.
pub fn way<'a>(name: &'a str, run: impl FnMut() + 'a) -> Way<'a> {
    Way { name, run: Box::new(run) }
}

/// Measures ours beside the others by criterion, then prints for each of the others how many times its time ours takes.
pub fn compare(criterion: &mut Criterion, group: &str, mut ours: Way<'_>, others: Vec<Way<'_>>) {
    let mut measured = criterion.benchmark_group(group);
    let mut wanted = bench(&mut measured, &mut ours);
    let others: Vec<Way<'_>> = others
        .into_iter()
        .map(|mut other| {
            wanted &= bench(&mut measured, &mut other);
            other
        })
        .collect();
    measured.finish();
    // `cargo bench` says `--bench`. Without it, as under `cargo test`, every way runs once, to see that it still does.
    let said = |flag: &str| std::env::args().any(|argument| argument == flag);
    if wanted && said("--bench") && !said("--test") {
        for mut other in others {
            print_ratio(group, &mut ours, &mut other);
        }
    }
}

/// Whether the filter on the command line took it.
fn bench(measured: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>, way: &mut Way<'_>) -> bool {
    let mut ran = false;
    measured.bench_function(way.name, |bencher| {
        ran = true;
        bencher.iter(|| (way.run)());
    });
    ran
}

const ROUNDS: usize = 101;
const ROUND: Duration = Duration::from_millis(5);

fn print_ratio(group: &str, ours: &mut Way<'_>, other: &mut Way<'_>) {
    let times = times_in(ours, ROUND).max(1);
    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|round| {
            // The first one meets a colder cache: take turns in that too.
            if round % 2 == 0 {
                let ours = seconds(ours, times);
                (ours, seconds(other, times))
            } else {
                let other = seconds(other, times);
                (seconds(ours, times), other)
            }
        })
        .collect();
    let micros = |seconds: f64| seconds / f64::from(times) * 1e6;
    let ours_micros = micros(median(&mut rounds, |round| round.0));
    let other_micros = micros(median(&mut rounds, |round| round.1));
    let ratio = median(&mut rounds, |round| round.0 / round.1);
    let tenth = rounds[ROUNDS / 10];
    let ninetieth = rounds[ROUNDS - 1 - ROUNDS / 10];
    println!(
        "{group}: {} {ours_micros:.3} µs, {} {other_micros:.3} µs, ratio {ratio:.3} ({:.3} to {:.3} in eight rounds of ten)\n",
        ours.name,
        other.name,
        tenth.0 / tenth.1,
        ninetieth.0 / ninetieth.1,
    );
}

/// Leaves the rounds in the order of what was asked for.
fn median(rounds: &mut [(f64, f64)], of: impl Fn(&(f64, f64)) -> f64) -> f64 {
    rounds.sort_by(|a, b| of(a).total_cmp(&of(b)));
    of(&rounds[rounds.len() / 2])
}

fn times_in(way: &mut Way<'_>, span: Duration) -> u32 {
    let begin = Instant::now();
    let mut times = 0;
    while begin.elapsed() < span {
        (way.run)();
        times += 1;
    }
    times
}

fn seconds(way: &mut Way<'_>, times: u32) -> f64 {
    let begin = processor_time();
    for _ in 0..times {
        (way.run)();
    }
    processor_time() - begin
}

fn processor_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
