//! Numbers as venues write them: what is read is exact, and is written back as the same number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use venuekit_wire::{Decimal, DecimalNumber, DecimalOrText, IntegerOrText};

fuzz_target!(|text: &str| {
    if let Ok(number) = text.parse::<Decimal>() {
        let again: Decimal = number.to_string().parse().expect("a number that was written is read");
        assert_eq!(number, again);
    }
    if let Ok(number) = serde_json::from_str::<Decimal>(text) {
        let written = serde_json::to_string(&number).expect("a number can be written");
        assert_eq!(serde_json::from_str::<Decimal>(&written).expect("a number that was written is read"), number);
    }
    if let Ok(number) = serde_json::from_str::<DecimalNumber>(text) {
        let written = serde_json::to_string(&number).expect("a number can be written");
        assert_eq!(serde_json::from_str::<DecimalNumber>(&written).expect("a number that was written is read"), number);
    }
    let _ = serde_json::from_str::<DecimalOrText>(text);
    let _ = serde_json::from_str::<IntegerOrText>(text);
});
