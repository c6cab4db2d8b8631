//! What the collector of drift costs when pages of 1,000 markets are decoded: with a collector, and as a client without one decodes them.

#![allow(clippy::print_stdout)]

#[path = "pair/markets.rs"]
mod markets;
mod pair;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pair::{compare, way};
use venuekit::kalshi::operations;
use venuekit::kalshi::types::GetMarketsResponse;
use venuekit::transport::drift::DriftCollector;
use venuekit::wire::json;

fn pages(criterion: &mut Criterion) {
    let page = markets::page(1000);
    println!("a page of 1000 markets, {} bytes", page.len());
    let collector = DriftCollector::new();
    // The first look is paid for by those after it: a program that runs has that behind it.
    let collected = || {
        let read = collector.read::<GetMarketsResponse>("kalshi", operations::GET_MARKETS, black_box(&page));
        black_box(read.unwrap());
    };
    (0..200).for_each(|_| collected());
    let plain = way("without", || {
        black_box(json::from_slice::<GetMarketsResponse>(black_box(&page)).unwrap());
    });
    compare(criterion, "drift", way("with_collector", collected), vec![plain]);
    println!("{:?}", collector.summary());
}

criterion_group!(benches, pages);
criterion_main!(benches);
