//! One-time codes: from a file descriptor, from a stored seed, or from a person at the terminal.

use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use totp_rs::{Algorithm, Builder, Totp};
use url::Url;
use venuekit_keys::store::StoreError;
use venuekit_wire::Secret;

use crate::confirm;
use crate::descriptor::Lines;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::store::{self, Keys};
use crate::target::Target;
use crate::variables;

/// How long a code lives if the seed does not say it, in seconds.
const STEP: u64 = 30;

/// What a seed is stored under.
pub const NAME: &str = "@totp";

/// Where codes come from.
#[derive(Debug)]
pub struct Codes {
    lines: Option<Lines>,
    /// The span of time that the last code was made for: a venue takes a code once.
    spent: Mutex<Option<u64>>,
}

impl Codes {
    /// Codes from a descriptor, or from wherever they can be had.
    pub fn new(descriptor: Option<u32>) -> Self {
        Self { lines: descriptor.map(|number| Lines::new("--totp-fd", number)), spent: Mutex::default() }
    }

    /// The next code for an environment of a venue.
    pub async fn next(&self, keys: &Keys, out: &Output, target: &Target) -> Result<Secret, Failure> {
        if let Some(lines) = &self.lines {
            let none = || Failure::new(Exit::NeedsPerson, "--totp-fd has no more codes");
            return lines.next()?.filter(|code| !code.is_empty()).ok_or_else(none);
        }
        match seed(keys, target).await {
            Ok(Some(seed)) => return self.generated(out, &seed).await,
            // With a person at the terminal the store is not needed.
            Err(failure) if !confirm::is_attended() || failure.word() != "no_store" => return Err(failure),
            Ok(None) | Err(_) => {}
        }
        let prompt = format!("one-time code for {}/{}: ", target.venue, target.environment);
        let typed = confirm::secret(&prompt)?.map(|code| Secret::new(code.expose().trim()));
        if typed.as_ref().is_some_and(Secret::is_empty) {
            return Err(Failure::new(Exit::NeedsPerson, "no one-time code was typed").code("second_factor"));
        }
        typed.ok_or_else(|| {
            let help = "pass it with --totp-fd N, or store the seed with `venuekit totp set`";
            Failure::new(Exit::NeedsPerson, "the venue requires a one-time code, and there is no terminal to ask at")
                .code("second_factor")
                .help(help)
        })
    }

    async fn generated(&self, out: &Output, seed: &Secret) -> Result<Secret, Failure> {
        let generator = generator(seed)?;
        let step = generator.step();
        loop {
            let now = now();
            let is_spent = |spent: &mut Option<u64>| spent.replace(now / step) == Some(now / step);
            if !self.spent.lock().is_ok_and(|mut spent| is_spent(&mut spent)) {
                return Ok(Secret::new(generator.generate(now).to_string()));
            }
            out.note(&format!("waiting {} s for the next one-time code", step - now % step));
            tokio::time::sleep(Duration::from_secs(step - now % step)).await;
        }
    }
}

/// The seed: of an environment variable, or of the store where there is one already.
pub async fn seed(keys: &Keys, target: &Target) -> Result<Option<Secret>, Failure> {
    let name = format!("{}_TOTP_SEED", variables::prefix(target));
    if let Some(seed) = variables::secret(&name)? {
        return Ok(Some(seed));
    }
    match keys.to_read()?.get(&store::reference(target, NAME)?).await {
        Ok(record) => Ok(record.active().map(|key| key.secret.clone())),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What makes codes from a seed.
pub fn generator(seed: &Secret) -> Result<Totp, Failure> {
    let wrong = || {
        let help = "expected the text that the venue shows beside the QR code: base32, or an otpauth://totp address";
        Failure::new(Exit::Store, "invalid seed of one-time codes").code("totp_seed").help(help)
    };
    let text = seed.expose().trim();
    let generator = match text.starts_with("otpauth:") {
        true => of_address(text),
        false => of_seed(text, Algorithm::SHA1, 6, STEP),
    };
    let generator = generator.ok_or_else(wrong)?;
    let makes_codes = !generator.secret().is_empty() && generator.step() > 0 && (6..=8).contains(&generator.digits());
    if makes_codes { Ok(generator) } else { Err(wrong()) }
}

fn of_seed(text: &str, algorithm: Algorithm, digits: u8, step: u64) -> Option<Totp> {
    let plain = Secret::new(text.replace([' ', '-', '='], "").to_ascii_uppercase());
    let seed = totp_rs::Secret::try_from_base32(plain.expose()).ok()?;
    // Some venues give seeds that are shorter than the standard wants.
    Some(
        Builder::new()
            .with_algorithm(algorithm)
            .with_digits(digits)
            .with_secret(seed)
            .with_step_duration(step)
            .build_noncompliant(),
    )
}

/// Label and issuer are for people: whether they agree says nothing about the codes.
fn of_address(text: &str) -> Option<Totp> {
    let address = Url::parse(text).ok().filter(|address| address.host_str() == Some("totp"))?;
    let value = |name| address.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value);
    let algorithm = match value("algorithm").map(|name| name.to_ascii_uppercase()).as_deref() {
        None | Some("SHA1") => Algorithm::SHA1,
        Some("SHA256") => Algorithm::SHA256,
        Some("SHA512") => Algorithm::SHA512,
        Some(_) => return None,
    };
    let digits = value("digits").map_or(Some(6), |text| text.parse().ok())?;
    let step = value("period").map_or(Some(STEP), |text| text.parse().ok())?;
    of_seed(&value("secret")?, algorithm, digits, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_that_of_the_standard() {
        // RFC 6238, appendix B: the last six of the eight digits for SHA-1, and all of those for SHA-256.
        let seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        let code = |text: &str, time| generator(&Secret::new(text)).unwrap().generate(time).to_string();
        let address = |seed: &str, more| format!("otpauth://totp/Venue:me%40example.com?secret={seed}{more}");
        for text in [
            seed.to_owned(),
            seed.to_lowercase(),
            address(seed, "&issuer=Venue"),
            address(seed, "&issuer=Another&period=30&algorithm=sha1"),
            address(&seed.to_lowercase(), "&digits=6"),
        ] {
            for (time, expected) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
                assert_eq!(code(&text, time), expected);
            }
        }
        let long = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA";
        let address = format!("otpauth://totp/me?secret={long}&digits=8&algorithm=SHA256");
        assert_eq!((code(&address, 59).as_str(), code(&address, 1_111_111_109).as_str()), ("46119246", "68084774"));
        assert_eq!(code(&format!("{address}&period=60"), 119), "46119246");
    }

    #[test]
    fn a_seed_that_makes_no_codes_is_refused() {
        let seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for text in [
            String::new(),
            "no base32!".to_owned(),
            "otpauth://totp/x".to_owned(),
            format!("otpauth://hotp/x?secret={seed}&counter=5"),
            format!("otpauth://totp/x?secret={seed}&algorithm=MD5"),
            format!("otpauth://totp/x?secret={seed}&period=0"),
            format!("otpauth://totp/x?secret={seed}&digits=0"),
        ] {
            let error = generator(&Secret::new(&text)).unwrap_err().to_string();
            assert!(error.contains("invalid seed") && !error.contains(seed), "{error}");
        }
    }
}
