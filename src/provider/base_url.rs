//! What a URL must be like before a key is sent to it, or before a user is sent to it.

/// What is wrong with a URL. Never quotes it: a user info part may be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Another scheme, or none.
    #[error("it does not begin with http:// or https://")]
    Scheme,
    /// A character that no URL has; readers of URLs disagree on what it means.
    #[error("it holds a space, a control character, or another character that no URL has")]
    Character,
    /// Nothing to connect to.
    #[error("it names no host")]
    Host,
    /// Not a port.
    #[error("its port is not a number from 1 to 65535")]
    Port,
    /// A user name or password.
    #[error("it holds a user name or password")]
    UserInfo,
    /// Something behind the path, which an appended path would become part of.
    #[error("it holds a query or a fragment")]
    Query,
    /// Claude Code appends `/v1/messages`, so that the request would go to `/v1/v1/messages`.
    #[error("it ends in {0}, which Claude Code appends itself")]
    Appended(&'static str),
}

impl Problem {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Scheme | Self::Character | Self::Host | Self::Port => {
                "give it in the form https://host/path or http://host:port"
            }
            Self::UserInfo => "leave it out, and put the key into the provider's .env",
            Self::Query => "leave out everything from the first ? or # on",
            Self::Appended(_) => "give the address without that end",
        }
    }
}

/// Checks a page's address: one that can be shown, and opened by whoever reads it.
pub fn check_page(url: &str) -> Result<(), Problem> {
    split(url).map(drop)
}

/// Checks an address that a path will be appended to.
pub fn check_base(url: &str) -> Result<(), Problem> {
    if split(url)?.contains(['?', '#']) { Err(Problem::Query) } else { Ok(()) }
}

/// Checks an address that Claude Code will append `/v1/messages` to.
pub fn check_messages_base(url: &str) -> Result<(), Problem> {
    check_base(url)?;
    let end = url.trim_end_matches('/');
    match ["/v1", "/v1/messages"].into_iter().find(|appended| end.ends_with(appended)) {
        Some(appended) => Err(Problem::Appended(appended)),
        None => Ok(()),
    }
}

/// Checks everything up to the path, and returns what follows the host and port.
fn split(url: &str) -> Result<&str, Problem> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).ok_or(Problem::Scheme)?;
    // RFC 3986 has none of these. `\` matters most: some readers take it for `/`, and so see another host.
    if !rest.bytes().all(|byte| byte.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&byte)) {
        return Err(Problem::Character);
    }
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(Problem::UserInfo);
    }
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address stand inside brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.is_empty() {
        return Err(Problem::Host);
    }
    match port {
        Some(port) if !is_port(port) => Err(Problem::Port),
        _ => Ok(tail),
    }
}

fn is_port(text: &str) -> bool {
    // Rust's own parser takes a leading `+`.
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_http_address_that_a_path_can_be_appended_to() {
        for (url, expected) in [
            ("https://api.z.ai/api/anthropic", Ok(())),
            ("https://api.kimi.com/coding/", Ok(())),
            ("http://host.docker.internal:11434", Ok(())),
            ("http://[::1]:8080/x", Ok(())),
            ("http://[::1]", Ok(())),
            ("https://llm.acme.example/v1beta", Ok(())),
            ("", Err(Problem::Scheme)),
            ("ftp://x", Err(Problem::Scheme)),
            ("api.z.ai", Err(Problem::Scheme)),
            ("https://", Err(Problem::Host)),
            ("https:///x", Err(Problem::Host)),
            ("http://:80", Err(Problem::Host)),
            ("http://x:", Err(Problem::Port)),
            ("http://x:0", Err(Problem::Port)),
            ("http://x:+1", Err(Problem::Port)),
            ("http://x:65536", Err(Problem::Port)),
            ("https://u:p@x", Err(Problem::UserInfo)),
            (r"https://good.example\@evil.example", Err(Problem::Character)),
            ("https://x y", Err(Problem::Character)),
            ("https://x\u{1b}[2J", Err(Problem::Character)),
            ("https://x?key=1", Err(Problem::Query)),
            ("https://x/#y", Err(Problem::Query)),
            ("https://x/v1", Err(Problem::Appended("/v1"))),
            ("https://x/v1//", Err(Problem::Appended("/v1"))),
            ("https://x/v1/messages", Err(Problem::Appended("/v1/messages"))),
        ] {
            assert_eq!(check_messages_base(url), expected, "{url}");
        }
    }

    #[test]
    fn a_page_may_have_a_query_and_another_api_may_end_in_v1() {
        assert_eq!(check_page("https://acme.example/keys?tab=1#new"), Ok(()));
        assert_eq!(check_base("https://api.openai.com/v1"), Ok(()));
    }
}
