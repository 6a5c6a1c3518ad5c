//! Names of providers.

use std::fmt;
use std::str::FromStr;

use crate::error::AuthorError;

/// Most letters that a name may have.
const LONGEST: usize = 64;

/// Words that mean something else on hyp's command line, or to cargo.
const TAKEN: [&str; 7] = ["list", "plan", "test", "hyp-sdk", "hyp-sqlite", "core", "std"];

/// The name of a provider: lower case letters, digits and hyphens, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl FromStr for Name {
    type Err = AuthorError;

    fn from_str(name: &str) -> Result<Self, AuthorError> {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let reason = if name.is_empty() || name.len() > LONGEST {
            "it has 1 to 64 letters"
        } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            "it begins with a lower case letter"
        } else if !name.chars().all(is_allowed) {
            "it has lower case letters, digits and hyphens only"
        } else if name.ends_with('-') || name.contains("--") {
            "a hyphen stands between letters"
        } else if TAKEN.contains(&name) {
            "the word is taken"
        } else {
            return Ok(Self(name.to_owned()));
        };
        Err(AuthorError::Name { name: name.to_owned(), reason })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Name {
    /// Returns the name as a type has it: `my-client` is `MyClient`.
    pub(crate) fn of_type(&self) -> String {
        self.words().concat()
    }

    /// Returns the name as people write it: `my-client` is `My Client`.
    pub(crate) fn title(&self) -> String {
        self.words().join(" ")
    }

    fn words(&self) -> Vec<String> {
        let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
        self.0.split('-').map(capital).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_the_host_takes() {
        for good in ["a", "notebook", "my-client", "v2", "a-1"] {
            assert_eq!(good.parse::<Name>().unwrap().to_string(), good);
        }
        let long = "a".repeat(65);
        for bad in
            ["", "A", "1a", "-a", "a-", "a--b", "a_b", "a b", "../a", "é", "list", "plan", &long]
        {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_has_other_forms() {
        let name: Name = "my-client2".parse().unwrap();
        assert_eq!((name.of_type(), name.title()), ("MyClient2".into(), "My Client2".into()));
    }
}
