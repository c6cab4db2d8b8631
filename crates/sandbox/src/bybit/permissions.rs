//! What a key may do: words by product.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::category::Category;
use super::reply::Refusal;

/// The products that every response lists, and their words. Those of the last two are always dropped.
const KNOWN: [(&str, &[&str]); 17] = [
    ("ContractTrade", &["Order", "Position"]),
    ("Spot", &["SpotTrade"]),
    ("Wallet", &["AccountTransfer", "SubMemberTransfer", "SubMemberTransferList", "Withdraw"]),
    ("Options", &["OptionsTrade"]),
    ("Derivatives", &["DerivativesTrade"]),
    ("Exchange", &["ExchangeHistory"]),
    ("Earn", &["Earn"]),
    ("FiatP2P", &["FiatP2POrder", "Advertising"]),
    ("FiatBitPay", &["FaitPayOrder"]),
    ("FiatGlobalPay", &[]),
    ("FiatConvertBroker", &["FiatConvertBrokerOrder"]),
    ("BitCard", &["BitCard"]),
    ("ByXPost", &["ByXPost"]),
    ("Affiliate", &["Affiliate"]),
    ("BlockTrade", &["BlockTrade"]),
    ("NFT", &[]),
    ("CopyTrading", &[]),
];

/// The words of each product; a product without one is left out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Permissions(BTreeMap<String, Vec<String>>);

impl Permissions {
    /// Everything that an account may have.
    pub(super) fn all(is_master: bool) -> Self {
        let words = |(product, words): &(&str, &[&str])| {
            let own = words.iter().filter(|word| may_have(is_master, word));
            ((*product).to_owned(), own.map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        Self(KNOWN.iter().map(words).filter(|(_, words)| !words.is_empty()).collect())
    }

    /// Reads the map of a request.
    pub(super) fn read(given: &Map<String, Value>, is_master: bool) -> Result<Self, Refusal> {
        let mut read = BTreeMap::new();
        for (product, words) in given {
            let known = KNOWN.iter().find(|(name, _)| name == product);
            let known = known.ok_or_else(|| Refusal::params(format!("unknown permission {product}")))?.1;
            let words = words.as_array().ok_or_else(|| Refusal::params(format!("permissions/{product}")))?;
            let mut own = Vec::new();
            for word in words {
                let word = word.as_str().ok_or_else(|| Refusal::params(format!("permissions/{product}")))?;
                if known.is_empty() {
                    continue;
                }
                if !known.contains(&word) || !may_have(is_master, word) {
                    return Err(Refusal::params(format!("unknown permission {product}.{word}")));
                }
                own.push(word.to_owned());
            }
            if !own.is_empty() {
                read.insert(product.clone(), own);
            }
        }
        Ok(Self(read))
    }

    pub(super) fn of(map: &BTreeMap<String, Vec<String>>) -> Self {
        Self(map.clone())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, product: &str, word: &str) -> bool {
        self.0.get(product).is_some_and(|words| words.iter().any(|one| one == word))
    }

    /// Whether the key may manage keys: those of sub-accounts, and itself.
    pub(super) fn manages(&self) -> bool {
        // The two of one kind of account are never those of the other.
        ["AccountTransfer", "SubMemberTransfer", "SubMemberTransferList", "Withdraw"]
            .into_iter()
            .any(|word| self.has("Wallet", word))
    }

    /// Whether the key may trade a product, or see what it has traded.
    pub(super) fn trades(&self, category: Category) -> bool {
        match category {
            Category::Spot => self.has("Spot", "SpotTrade"),
            Category::Option => self.has("Options", "OptionsTrade"),
            Category::Linear | Category::Inverse => {
                self.has("ContractTrade", "Order") || self.has("Derivatives", "DerivativesTrade")
            }
        }
    }

    /// Whether the key may see and set up positions.
    pub(super) fn holds(&self, category: Category) -> bool {
        self.trades(category) || category != Category::Spot && self.has("ContractTrade", "Position")
    }

    /// The words with their products.
    pub(super) fn words(&self) -> Vec<String> {
        let of = |(product, words): (&String, &Vec<String>)| {
            words.iter().map(|word| format!("{product}.{word}")).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of).collect()
    }

    /// Every product, those without a word too.
    pub(super) fn show(&self) -> Value {
        let words = |product: &str| self.0.get(product).cloned().unwrap_or_default();
        KNOWN.iter().map(|(product, _)| ((*product).to_owned(), Value::from(words(product)))).collect()
    }
}

/// Some words are for one kind of account only.
fn may_have(is_master: bool, word: &str) -> bool {
    match word {
        "SubMemberTransfer" | "Withdraw" => is_master,
        "SubMemberTransferList" => !is_master,
        _ => true,
    }
}
