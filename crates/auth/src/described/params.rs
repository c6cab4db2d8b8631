//! The signature of a call that travels as a message with params, and not as a request.

use std::borrow::Cow;
use std::fmt;

use venuekit_wire::operation::SignedCall;

use super::DescribedSigner;
use crate::SignError;
use crate::credential::check_time;

/// One parameter of a call.
#[derive(Clone)]
pub struct CallParam<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its value: the text itself, or anything else as JSON.
    pub value: Cow<'a, str>,
    /// Whether the value is a text, which is sent in quotes and signed without.
    pub is_text: bool,
}

impl CallParam<'_> {
    /// The same parameter without a copy of its texts.
    pub fn by_ref(&self) -> CallParam<'_> {
        CallParam { name: Cow::Borrowed(&self.name), value: Cow::Borrowed(&self.value), is_text: self.is_text }
    }
}

/// The value may be a secret, so it is not shown.
impl fmt::Debug for CallParam<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallParam").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Adds parameters that a description lists, apart from the signature. What the caller has given stays. `time` is in the unit of the
/// description.
pub fn add_params(adds: &'static [(&'static str, &'static str)], id: &str, time: i64, params: &mut Vec<CallParam<'_>>) {
    for (name, template) in adds.iter().filter(|(_, template)| *template != SIGNATURE) {
        if params.iter().any(|param| param.name == *name) {
            continue;
        }
        let (value, is_text) = match *template {
            "{id}" => (id.to_owned().into(), true),
            "{time}" => (time.to_string().into(), false),
            fixed => (Cow::Borrowed(fixed), !fixed.bytes().all(|byte| byte.is_ascii_digit())),
        };
        params.push(CallParam { name: Cow::Borrowed(name), value, is_text });
    }
}

const SIGNATURE: &str = "{signature}";

impl DescribedSigner {
    /// Adds a signature, and what goes with it, to the params of a call, in the order in which they are signed. The time is that of the
    /// signature (Unix milliseconds).
    pub(super) fn sign_call(
        &self,
        call: &SignedCall,
        params: &mut Vec<CallParam<'_>>,
        now_millis: i64,
    ) -> Result<(), SignError> {
        check_time(now_millis)?;
        add_params(call.adds, &self.id, self.time(now_millis), params);
        params.sort_by(|a, b| a.name.cmp(&b.name));
        let value = self.sign_text(&text_of(params))?.into();
        if let Some((name, _)) = call.adds.iter().find(|(_, template)| *template == SIGNATURE) {
            params.push(CallParam { name: Cow::Borrowed(name), value, is_text: true });
        }
        Ok(())
    }
}

/// The text to sign: `name=value` with `&` between them, as it is sent and not percent-encoded.
fn text_of(params: &[CallParam<'_>]) -> Vec<u8> {
    let size = params.iter().map(|param| param.name.len() + param.value.len() + 2).sum();
    let mut text = Vec::with_capacity(size);
    for param in params {
        if !text.is_empty() {
            text.push(b'&');
        }
        text.extend_from_slice(param.name.as_bytes());
        text.push(b'=');
        text.extend_from_slice(param.value.as_bytes());
    }
    text
}

#[cfg(test)]
mod tests {
    use venuekit_wire::signature::{Algorithm, Encoding, KeyType, Piece, Place, Signature, SigningRule, TimeUnit};

    use super::*;
    use crate::PrivateKey;
    use crate::described::SigningKey;

    const fn rule(key: KeyType, algorithm: Algorithm, encoding: Encoding) -> SigningRule {
        SigningRule { key, algorithm, encoding, is_unsure: false }
    }

    static SIGNATURE: Signature = Signature {
        keys: &[
            rule(KeyType::Shared, Algorithm::HmacSha256, Encoding::Hex),
            rule(KeyType::Rsa, Algorithm::Pkcs1v15Sha256, Encoding::Base64),
            rule(KeyType::Ed25519, Algorithm::Ed25519, Encoding::Base64),
        ],
        name: "signature",
        text: &[Piece::Query, Piece::Body],
        separator: "",
        end: "",
        time: TimeUnit::Millis,
        ahead_millis: 0,
        fields: &[("X-MBX-APIKEY", "{id}")],
        place: Place::Headers,
        adds: &[],
    };

    static WORDS: SignedCall = SignedCall {
        credential: "signature",
        adds: &[("apiKey", "{id}"), ("recvWindow", "5000"), ("timestamp", "{time}"), ("signature", "{signature}")],
    };

    /// An order of the venue's documentation.
    fn order(symbol: &'static str, side: &'static str, quantity: &'static str, price: &'static str) -> Params {
        let text = |name: &'static str, value: &'static str| CallParam {
            name: name.into(),
            value: value.into(),
            is_text: true,
        };
        vec![
            text("symbol", symbol),
            text("side", side),
            text("type", "LIMIT"),
            text("timeInForce", "GTC"),
            text("quantity", quantity),
            text("price", price),
        ]
    }

    type Params = Vec<CallParam<'static>>;

    /// The first example, whose recvWindow is 100.
    fn first() -> Params {
        let mut params = order("BTCUSDT", "SELL", "0.01000000", "52000.00");
        params.push(CallParam { name: "recvWindow".into(), value: "100".into(), is_text: false });
        params
    }

    fn signed(id: &str, key: SigningKey, mut params: Params) -> (String, String) {
        let signer = DescribedSigner::new(&SIGNATURE, id, key).unwrap();
        signer.sign_call(&WORDS, &mut params, 1_645_423_376_532).unwrap();
        let last = params.pop().unwrap();
        assert_eq!((&*last.name, last.is_text), ("signature", true));
        (String::from_utf8(text_of(&params)).unwrap(), last.value.into_owned())
    }

    #[test]
    fn the_published_answers_come_out() {
        let id = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
        let secret = || SigningKey::Shared("NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j".into());
        let (text, signature) = signed(id, secret(), first());
        assert_eq!(
            text,
            format!(
                "apiKey={id}&price=52000.00&quantity=0.01000000&recvWindow=100&side=SELL&symbol=BTCUSDT\
                 &timeInForce=GTC&timestamp=1645423376532&type=LIMIT"
            )
        );
        assert_eq!(signature, "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24");
        let (text, signature) = signed(id, secret(), order("１２３４５６", "BUY", "1.00000000", "0.10000000"));
        assert!(text.contains("symbol=１２３４５６&"), "not percent-encoded: {text}");
        assert_eq!(signature, "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd");
    }

    #[test]
    fn what_the_caller_gives_stays_and_the_rest_is_added_once() {
        let mut params = vec![CallParam { name: "timestamp".into(), value: "7".into(), is_text: false }];
        add_params(WORDS.adds, "me", 9, &mut params);
        let shown: Vec<_> = params.iter().map(|param| (&*param.name, &*param.value, param.is_text)).collect();
        assert_eq!(shown, [("timestamp", "7", false), ("apiKey", "me", true), ("recvWindow", "5000", false)]);
        assert!(!format!("{params:?}").contains("5000"));
    }

    #[test]
    fn each_kind_of_key_signs_in_its_own_way() {
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u\n-----END PRIVATE KEY-----\n";
        let pair = SigningKey::Pair(PrivateKey::from_pem(pem).unwrap());
        let id = "4yNzx3yWC5bS6YTwEkSRaC0nRmSQIIStAUOh1b6kqaBrTLIhjCpI5lJH8q8R8WNO";
        let (_, signature) = signed(id, pair, first());
        assert_eq!(
            signature,
            "82wlF5RobwT7JZehRQgOaupNEm5GrAqJj5tqZeCCE6ZxkhlUbWBThOx00q3FVnCKn882P+9p85phztjk4bOMAQ=="
        );
        let rsa = SigningKey::Pair(PrivateKey::generate(crate::KeyKind::Rsa2048).unwrap());
        let (_, signature) = signed("me", rsa, first());
        assert_eq!(signature.len(), 344, "base64 of 256 bytes");
        let (_, signature) = signed("me", SigningKey::Shared("secret".into()), first());
        assert!(signature.len() == 64 && signature.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    }
}
