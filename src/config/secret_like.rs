//! Whether a variable is a secret in all likelihood: then it belongs into a provider's `.env`, and not into a file that
//! others read, or that a repository carries.

/// Words that make a variable's name a secret's, wherever they stand in it.
const WORDS: [&str; 8] = ["SECRET", "SECRETS", "TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "APIKEY", "PAT"];
/// Words that name a secret, or the file that it is in (`GOOGLE_APPLICATION_CREDENTIALS`).
const SECRET_OR_FILE: [&str; 2] = ["CREDENTIAL", "CREDENTIALS"];
/// Words that do so at its end.
const LAST_WORDS: [&str; 3] = ["KEY", "PASS", "AUTH"];
/// Words without a separator before them (`PGPASSWORD`).
const ENDINGS: [&str; 4] = ["PASSWORD", "APIKEY", "TOKEN", "SECRET"];
/// Where such a word is followed by one of these, the variable says where the secret is, or how long.
const HARMLESS_LAST_WORDS: [&str; 6] = ["FILE", "PATH", "DIR", "URL", "TTL", "LIFETIME"];

/// How the keys and tokens of well-known services begin.
const PREFIXES: [&str; 24] = [
    "sk-",
    "sk_",
    "rk_live_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "xoxs-",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "hf_",
    "npm_",
    "dckr_pat_",
    "gsk_",
    "pypi-",
    "eyJ",
];
/// The shortest value that a prefix makes a secret.
const SHORTEST: usize = 16;
/// The shortest value that its looks alone make one.
const SHORTEST_UNKNOWN: usize = 32;

/// Whether a variable is a secret in all likelihood, by its name or its value.
pub fn is_secret(name: &str, value: &str) -> bool {
    let is_path = value.starts_with(['/', '~', '.']);
    name_is_secret(name) || (!is_path && name_may_be_secret(name)) || value_is_secret(value)
}

fn name_may_be_secret(name: &str) -> bool {
    name.to_ascii_uppercase().split('_').any(|word| SECRET_OR_FILE.contains(&word))
}

/// Whether the name is one that secrets have.
fn name_is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
    let Some(last) = words.last() else { return false };
    if HARMLESS_LAST_WORDS.contains(last) {
        return false;
    }
    words.iter().any(|word| WORDS.contains(word))
        || LAST_WORDS.contains(last)
        || ENDINGS.iter().any(|ending| last.ends_with(ending))
}

/// Whether the value is one that secrets have.
fn value_is_secret(value: &str) -> bool {
    let value = value.trim();
    value.contains("-----BEGIN ")
        || ["bearer ", "basic "]
            .iter()
            .any(|scheme| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
        || has_password(value)
        || (value.len() >= SHORTEST && PREFIXES.iter().any(|prefix| value.starts_with(prefix)))
        || looks_random(value)
}

/// `scheme://user:password@host`.
fn has_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else { return false };
    user.split_once(':').is_some_and(|(_, password)| !password.is_empty())
}

/// One long word of letters in both cases and digits, without order. Words, paths, versions and digests in hexadecimal
/// have more order than that.
fn looks_random(value: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b"+/=_-.~:".contains(&b);
    let has = |test: fn(&u8) -> bool| value.bytes().any(|b| test(&b));
    value.len() >= SHORTEST_UNKNOWN
        && !value.starts_with(['/', '~', '.'])
        && !value.contains("://")
        && value.bytes().all(is_word)
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && entropy(value) > 4.2
}

/// Bits a character.
#[expect(clippy::cast_precision_loss, reason = "a value's length is far below 2^52")]
fn entropy(value: &str) -> f64 {
    let mut counts = [0_usize; 256];
    value.bytes().for_each(|b| counts[usize::from(b)] += 1);
    let length = value.len() as f64;
    counts
        .into_iter()
        .filter(|count| *count > 0)
        .map(|count| count as f64 / length)
        .map(|share| -share * share.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "ZAI_API_KEY",
            "GITHUB_TOKEN",
            "PGPASSWORD",
            "db_password",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_BEARER_TOKEN_BEDROCK",
            "KEY",
            "APIKEY",
            "NPM_AUTH",
            "GITHUB_PAT",
            "CLIENT_SECRET",
        ] {
            assert!(name_is_secret(name), "{name}");
        }
        for name in [
            "EDITOR",
            "KEYBOARD",
            "MAX_THINKING_TOKENS",
            "TOKENIZERS_PARALLELISM",
            "GOPATH",
            "MONKEY",
            "SSL_KEY_FILE",
            "AUTHOR",
            "TOKEN_URL",
            "COMPASS",
            "PATCH",
            "",
        ] {
            assert!(!name_is_secret(name), "{name}");
        }
    }

    #[test]
    fn credentials_may_be_a_file() {
        assert!(!is_secret("GOOGLE_APPLICATION_CREDENTIALS", "/mnt/adc.json"));
        assert!(is_secret("GOOGLE_APPLICATION_CREDENTIALS", "x"));
        assert!(is_secret("DEPLOY_TOKEN", "/x") && is_secret("NOTE", "Bearer x") && !is_secret("NOTE", "x"));
    }

    #[test]
    fn values_of_secrets() {
        for value in [
            "sk-ant-api03-abcdefghijkl",
            "ghp_0123456789abcdefghij",
            "AKIAIOSFODNN7EXAMPLE",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
            "Bearer abc",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            "postgres://me:hunter2@db/app",
            "8f14e45fceea167a5a36dedd4bea2543.Xy7PqLk29dMz0QwE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ] {
            assert!(value_is_secret(value), "{value}");
        }
        for value in [
            "",
            "1",
            "en_GB.UTF-8",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "/usr/local/share/some/Very/long/path/to/1234/a/file",
            "https://user@example.com/path?with=Query0123456789abcdefXYZ",
            "postgres://me@db/app",
            "-Xmx4g -Dfile.encoding=UTF-8 -Djava.awt.headless=true",
            "sk-short",
            "some-long-feature-branch-name-with-words-2026",
        ] {
            assert!(!value_is_secret(value), "{value}");
        }
    }
}
