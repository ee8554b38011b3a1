//! By what checks are known to be those of the far end.

use std::fmt::{self, Debug};

use rand::Rng;

/// Characters of RFC 8839, section 5.4: 64 of them, so a random byte picks each as often as the others.
const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Of ours: 48 bits. Four characters would do, if nobody ever had to find a leg by it.
const UFRAG_CHARS: usize = 8;
/// Of ours: 144 bits; the least are 128.
const PASSWORD_CHARS: usize = 24;
/// The longest of either that is read.
const MAX_CHARS: usize = 256;

/// A user name fragment and its password (RFC 8839, section 5.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    ufrag: String,
    password: String,
}

impl Credentials {
    /// Those that a session description has; `None` if they are too short to keep anybody out, or too long.
    pub fn new(ufrag: &str, password: &str) -> Option<Self> {
        let fits = |text: &str, least| (least..=MAX_CHARS).contains(&text.len()) && text.is_ascii();
        let sound = fits(ufrag, 4) && fits(password, 22) && !ufrag.contains(':');
        sound.then(|| Self { ufrag: ufrag.to_owned(), password: password.to_owned() })
    }

    /// New ones.
    pub fn generate(random: &mut impl Rng) -> Self {
        let mut text = |chars: usize| {
            let mut bytes = vec![0; chars];
            random.fill_bytes(&mut bytes);
            bytes.iter().map(|byte| char::from(CHARACTERS[usize::from(byte % 64)])).collect()
        };
        Self { ufrag: text(UFRAG_CHARS), password: text(PASSWORD_CHARS) }
    }

    /// The user name fragment, which everybody on the way sees.
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// The password, which only signalling tells.
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credentials").field(&self.ufrag).finish()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn our_own_are_as_long_as_they_have_to_be_and_not_twice_the_same() {
        let mut random = StdRng::seed_from_u64(1);
        let [one, other] = [(); 2].map(|()| Credentials::generate(&mut random));
        assert_ne!(one, other);
        assert_eq!(Credentials::new(one.ufrag(), one.password()), Some(one.clone()));
        assert_eq!(format!("{one:?}"), format!("Credentials({:?})", one.ufrag()), "no password is shown");
    }

    #[test]
    fn what_keeps_nobody_out_is_not_taken() {
        let long = "p".repeat(22);
        for (ufrag, password) in
            [("abc", long.as_str()), ("abcd", &long[1..]), ("a:cd", &long), (&"a".repeat(257), &long)]
        {
            assert_eq!(Credentials::new(ufrag, password), None);
        }
    }
}
