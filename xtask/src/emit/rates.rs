//! What calls cost, what a venue allows, and the headers in which it says how much is left: a part of the venue's table.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use serde_json::Value;

use super::venue::{option, per_second};
use crate::vocabulary::{self, AllRateHeaders, Per, RateHeaders, Rates, Tier, When};

/// What a call pays, bucket by bucket.
pub(super) fn of_call(word: &Value) -> TokenStream {
    let rates: Rates = vocabulary::read(word).expect("lint has read it");
    let rates = rates.all().iter().map(|rate| {
        let (bucket, cost) = (&rate.bucket, Literal::u32_unsuffixed(rate.cost));
        let each = rate.per_item.as_ref().map(|list| quote!(.each(#list)));
        let rules = rate.costs.iter().filter_map(|row| {
            let (when, cost) = (when(&row.when()?), Literal::u32_unsuffixed(row.cost));
            Some(quote!(CostRule { when: CostWhen::#when, cost: #cost }))
        });
        let rules: Vec<TokenStream> = rules.collect();
        let unless = (!rules.is_empty()).then(|| quote!(.unless(&[#(#rules),*])));
        quote!(Rate::new(#bucket, #cost)#each #unless)
    });
    quote!(&[#(#rates),*])
}

fn when(when: &When<'_>) -> TokenStream {
    match *when {
        When::Without(name) => quote!(Without(#name)),
        When::Given(name) => quote!(Given(#name)),
        When::Is(name, text) => quote!(Is(#name, #text)),
        When::Above(name, bound) => {
            let bound = Literal::i64_unsuffixed(bound);
            quote!(Above(#name, #bound))
        }
        When::ItemsAbove(name, bound) => {
            let bound = Literal::u32_unsuffixed(bound);
            quote!(ItemsAbove(#name, #bound))
        }
    }
}

/// A bucket of `x-buckets`.
pub(super) fn bucket((name, tiers): (&String, &Value)) -> TokenStream {
    let tiers: Vec<Tier> = vocabulary::read(tiers).expect("lint has read it");
    let per_path = tiers.iter().any(|tier| tier.per == Some(Per::Path));
    let tiers = tiers.iter().map(|tier| {
        let name = &tier.tier;
        let refill = tier.refill.map(|refill| {
            let per_second_millis = (refill * 1000.0).round() as u64;
            let capacity = tier.capacity.unwrap_or_default();
            quote!(Limit::Refill { per_second_millis: #per_second_millis, capacity: #capacity })
        });
        let windows = tier.windows.iter().flatten().map(|window| {
            let (count, seconds) = (window.count, window.seconds);
            quote!(Limit::Window { count: #count, seconds: #seconds })
        });
        let limits = refill.into_iter().chain(windows);
        quote!(Tier { name: #name, limits: &[#(#limits),*] })
    });
    quote!(Bucket { name: #name, per_path: #per_path, tiers: &[#(#tiers),*] })
}

/// The headers of `x-rate-headers`.
pub(super) fn headers(word: Option<&Value>) -> TokenStream {
    let word: Option<AllRateHeaders> = word.map(|word| vocabulary::read(word).expect("lint has read it"));
    let headers = word.iter().flat_map(AllRateHeaders::all).map(|headers| {
        let RateHeaders { bucket, remaining, reset, unit, used, window } = headers;
        let lower = |name: &Option<String>| name.as_deref().unwrap_or_default().to_lowercase();
        match (used, window) {
            (Some(_), Some(seconds)) => {
                let (bucket, used) = (bucket.as_deref().unwrap_or_default(), lower(used));
                let seconds = Literal::u64_unsuffixed(*seconds);
                quote!(RateHeaders::Used { bucket: #bucket, used: #used, seconds: #seconds })
            }
            _ => {
                let bucket = option(bucket.as_ref().map(|bucket| quote!(#bucket)));
                let (remaining, reset) = (lower(remaining), lower(reset));
                let per_second = Literal::i64_unsuffixed(per_second(unit.as_deref().unwrap_or("unix-s")));
                quote! {
                    RateHeaders::Left { bucket: #bucket, remaining: #remaining, reset: #reset, per_second: #per_second }
                }
            }
        }
    });
    quote!(&[#(#headers),*])
}
