//! What calls cost, and how a venue limits their rate (`x-rate` and `x-buckets` of its spec).

use std::borrow::Cow;

/// What a call costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The bucket it is taken from.
    pub bucket: &'static str,
    /// Tokens a call, or an item.
    pub cost: u32,
    /// The request list whose every element costs [`cost`](Self::cost).
    pub per_item: Option<&'static str>,
    /// What the whole call costs for certain parameters, in place of the above. The last rule that applies counts.
    pub costs: &'static [CostRule],
}

impl Rate {
    /// A number of tokens of a bucket.
    pub const fn new(bucket: &'static str, cost: u32) -> Self {
        Self { bucket, cost, per_item: None, costs: &[] }
    }

    /// The same for each element of a list of the request.
    #[must_use]
    pub const fn each(mut self, list: &'static str) -> Self {
        self.per_item = Some(list);
        self
    }

    /// With other costs for certain parameters. The last rule that applies counts.
    #[must_use]
    pub const fn unless(mut self, costs: &'static [CostRule]) -> Self {
        self.costs = costs;
        self
    }

    /// What a call costs. `given` finds a parameter of the request by its name.
    pub fn tokens<'v>(&self, given: impl Fn(&str) -> Option<Given<'v>>) -> u64 {
        if let Some(rule) = self.costs.iter().rev().find(|rule| rule.when.holds(&given)) {
            return rule.cost.into();
        }
        let items = self.per_item.map_or(1, |list| given(list).map_or(1, |given| given.items.max(1)));
        u64::from(self.cost).saturating_mul(items as u64)
    }
}

/// A parameter that a request gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<'a> {
    /// Its text. For a list it is unspecified.
    pub text: Cow<'a, str>,
    /// How many items it has, where it is a list.
    pub items: usize,
}

/// What a call costs if a condition on its parameters holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CostRule {
    /// The condition.
    pub when: CostWhen,
    /// The tokens of the whole call.
    pub cost: u32,
}

/// A condition on a parameter, whose name comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostWhen {
    /// It is left out.
    Without(&'static str),
    /// It is given.
    Given(&'static str),
    /// It is given as this text.
    Is(&'static str, &'static str),
    /// It is a number greater than this.
    Above(&'static str, i64),
    /// It is a list of more than this many items.
    ItemsAbove(&'static str, u32),
}

impl CostWhen {
    fn holds<'v>(self, given: &impl Fn(&str) -> Option<Given<'v>>) -> bool {
        match self {
            Self::Without(name) => given(name).is_none(),
            Self::Given(name) => given(name).is_some(),
            Self::Is(name, text) => given(name).is_some_and(|given| given.text == text),
            // A number too large to be read is above every bound.
            Self::Above(name, bound) => given(name).is_some_and(|given| match given.text.parse::<i64>() {
                Ok(number) => number > bound,
                Err(_) => !given.text.is_empty() && given.text.bytes().all(|byte| byte.is_ascii_digit()),
            }),
            Self::ItemsAbove(name, bound) => given(name).is_some_and(|given| given.items > bound as usize),
        }
    }
}

/// One bucket of a venue's limiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name, as in [`Rate::bucket`].
    pub name: &'static str,
    /// Whether each path has a separate bucket.
    pub per_path: bool,
    /// Its size for each of the venue's account tiers; the first is the one a new account has.
    pub tiers: &'static [Tier],
}

/// A bucket's size for one account tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The venue's name for the tier.
    pub name: &'static str,
    /// What it allows. All of them hold at once.
    pub limits: &'static [Limit],
}

/// One limit of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Tokens that come back evenly.
    Refill {
        /// Tokens that come back in a second, in thousandths.
        per_second_millis: u64,
        /// Tokens that fit.
        capacity: u64,
    },
    /// So many tokens in any span of this length.
    Window {
        /// Tokens.
        count: u64,
        /// The span.
        seconds: u64,
    },
}

/// Response headers in which a venue says how much of a limit is left, or was used. Names are in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateHeaders {
    /// What is left until the limit resets.
    Left {
        /// The bucket; none where the call pays into one alone.
        bucket: Option<&'static str>,
        /// Tokens that are left.
        remaining: &'static str,
        /// When the limit resets.
        reset: &'static str,
        /// How many of the units of that time make a second: 1 for Unix seconds.
        per_second: i64,
    },
    /// What was used of a window that begins at a full multiple of its length.
    Used {
        /// The bucket.
        bucket: &'static str,
        /// Tokens that were used.
        used: &'static str,
        /// The window's length.
        seconds: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_row_that_holds_is_what_a_call_costs() {
        const RATE: Rate = Rate::new("weight", 4).each("symbols").unless(&[
            CostRule { when: CostWhen::Without("symbols"), cost: 80 },
            CostRule { when: CostWhen::ItemsAbove("symbols", 50), cost: 200 },
            CostRule { when: CostWhen::Above("limit", 100), cost: 25 },
            CostRule { when: CostWhen::Above("limit", 500), cost: 50 },
            CostRule { when: CostWhen::Is("full", "true"), cost: 9 },
            CostRule { when: CostWhen::Given("orderId"), cost: 5 },
        ]);
        let cost = |parameters: &[(&str, &str, usize)]| {
            RATE.tokens(|name| {
                let (_, text, items) = *parameters.iter().find(|(own, _, _)| *own == name)?;
                Some(Given { text: text.to_owned().into(), items })
            })
        };
        assert_eq!(cost(&[]), 80);
        assert_eq!(cost(&[("symbols", "", 0)]), 4, "an empty list costs one");
        assert_eq!(cost(&[("symbols", "", 50)]), 200, "each of the items");
        assert_eq!(cost(&[("symbols", "", 51)]), 200, "no more than that");
        for (limit, tokens) in
            [("100", 12), ("101", 25), ("501", 50), ("99999999999999999999", 50), ("-7", 12), ("", 12), ("many", 12)]
        {
            assert_eq!(cost(&[("symbols", "", 3), ("limit", limit, 1)]), tokens, "{limit}");
        }
        assert_eq!(cost(&[("full", "false", 1)]), 80);
        assert_eq!(cost(&[("full", "true", 1)]), 9);
        assert_eq!(cost(&[("full", "true", 1), ("orderId", "7", 1)]), 5);
        assert_eq!(Rate::new("all", 3).tokens(|_| None), 3);
    }
}
