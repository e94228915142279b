//! Whether an endpoint answers at all: one request without a key, for which any answer is good news.

use std::time::{Duration, SystemTime};

use ureq::http::header::DATE;

use super::network::{self, Network};

/// An endpoint that answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// The HTTP status. Without a key most endpoints refuse, which is an answer too.
    pub status: u16,
    /// What time it is there, by the answer's `Date`.
    pub date: Option<SystemTime>,
}

/// Asks an endpoint for an answer, without a key. Blocks for at most `timeout`; the error says what kept it from answering.
pub fn reach(base_url: &str, network: &Network, timeout: Duration) -> Result<Reached, String> {
    reach_at(&messages_url(base_url), network, timeout)
}

/// The same for a whole address.
pub fn reach_at(url: &str, network: &Network, timeout: Duration) -> Result<Reached, String> {
    let (url, agent) = super::way_to(&super::on_this_machine(url), network, timeout)?;
    let request = agent.head(&url).header("user-agent", super::USER_AGENT);
    match request.call() {
        Ok(response) => {
            let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
            Ok(Reached { status: response.status().as_u16(), date: date.and_then(http_date) })
        }
        Err(error) => Err(network::explain(&error, &url, &agent)),
    }
}

/// The address that is asked: the one that sessions send their messages to, as this machine calls it.
pub fn messages_url(base_url: &str) -> String {
    format!("{}/v1/messages", super::on_this_machine(base_url.trim_end_matches('/')))
}

/// Reads the time of a `Date` header: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
fn http_date(text: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    humantime::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_an_answer() {
        let date = |text| http_date(text).map(|time| humantime::format_rfc3339_seconds(time).to_string());
        assert_eq!(date("Sun, 06 Nov 1994 08:49:37 GMT").as_deref(), Some("1994-11-06T08:49:37Z"));
        for other in ["", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "x, 1 Nov"] {
            assert_eq!(date(other), None, "{other}");
        }
    }

    #[test]
    fn this_machine_is_called_by_its_own_name() {
        assert_eq!(messages_url("http://host.docker.internal:11434/"), "http://localhost:11434/v1/messages");
        assert_eq!(
            messages_url("https://api.z.ai/api/anthropic"),
            "https://api.z.ai/api/anthropic/v1/messages"
        );
    }
}
