//! Looking at containers: which are ours by their labels, what they are doing, who is inside.
//!
//! The answers are read as plain JSON, and only what is needed of them: Podman has states that Docker's API does not
//! know, and one container in such a state would make a whole answer unreadable to bollard's types.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use hyper::header::HOST;
use serde_json::{Value, json};

use super::{Engine, Error, connect};
use crate::container::found::{Found, State};
use crate::container::name::{Identity, home_label};
use crate::container::spec::{spec_digest_label, spec_label};

impl Engine {
    /// The containers with an identity's labels, in whatever state they are; of whatever home, because older versions
    /// did not label it.
    pub async fn find(&self, identity: &Identity) -> Result<Vec<Found>, Error> {
        let labels = identity.labels_of_any_home();
        let labels: Vec<String> = labels.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        Ok(self.list(&labels).await?.into_iter().map(|(found, _)| found).collect())
    }

    /// The containers with labels (`name`, or `name=value`), in whatever state they are, each with all of its labels.
    pub(super) async fn list(&self, labels: &[String]) -> Result<Vec<(Found, Labels)>, Error> {
        let filters = encoded(&json!({ "label": labels }).to_string());
        let listed =
            self.ask("list containers", &format!("/containers/json?all=true&filters={filters}")).await?;
        let with_labels = |listed: &Value| Some((found_container(listed)?, all_labels(listed)));
        let mut found: Vec<(Found, Labels)> =
            listed.as_array().into_iter().flatten().filter_map(with_labels).collect();
        for (found, _) in found.iter_mut().filter(|(found, _)| found.mounted.is_empty()) {
            // Podman does not list mounts.
            found.mounted = self.look(&found.id).await?.map_or_else(Vec::new, |details| places(&details));
        }
        Ok(found)
    }

    /// Whether a container that is being removed is gone within a time.
    pub(super) async fn goes_within(&self, id: &str, time: Duration) -> Result<bool, Error> {
        let mut wait = Duration::from_millis(5);
        let deadline = Instant::now() + time;
        while self.look(id).await?.is_some() {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_millis(200));
        }
        Ok(true)
    }

    /// Whether a container ends, or has ended, within a time.
    pub async fn stops_within(&self, id: &str, time: Duration) -> Result<bool, Error> {
        let mut wait = Duration::from_millis(5);
        let deadline = Instant::now() + time;
        let runs = |details: Value| details["State"]["Running"].as_bool().unwrap_or(false);
        while self.look(id).await?.is_some_and(runs) {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        Ok(true)
    }

    /// How many commands run inside beside the main process: sessions, ours or another tool's.
    pub async fn live_execs(&self, id: &str) -> Result<usize, Error> {
        let details = self.inspect(id).await?;
        let mut live = 0;
        for exec in details["ExecIDs"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            // The engine lists ended ones for a while too, and forgets them at any time.
            match self.exec_state(exec).await {
                Ok(state) => live += usize::from(state.running),
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(live)
    }

    /// What the engine says of a container; nothing of one that is gone.
    pub(super) async fn look(&self, id: &str) -> Result<Option<Value>, Error> {
        match self.inspect(id).await {
            Ok(details) => Ok(Some(details)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the engine says of a container, by its name or id.
    pub(super) async fn inspect(&self, id: &str) -> Result<Value, Error> {
        self.ask("inspect the container", &format!("/containers/{id}/json")).await
    }

    /// The answer to a question.
    pub(super) async fn ask(&self, action: &'static str, path: &str) -> Result<Value, Error> {
        let broken = |source: Box<dyn std::error::Error + Send + Sync>| Error::Broken { action, source };
        let version = self.docker.client_version();
        let (major, minor) = (version.major_version, version.minor_version);
        let request = hyper::Request::get(format!("http://localhost/v{major}.{minor}{path}"))
            .header(HOST, "localhost")
            .body(connect::no_body())
            .map_err(|error| broken(Box::new(error)))?;
        let answer = async {
            let response = self.http.request(request).await.map_err(|error| broken(Box::new(error)))?;
            if !response.status().is_success() {
                return Err(connect::refusal(action, response).await);
            }
            let body = response.into_body().collect().await.map_err(|error| broken(Box::new(error)))?;
            serde_json::from_slice(&body.to_bytes()).map_err(|error| broken(Box::new(error)))
        };
        let answer = tokio::time::timeout(Duration::from_secs(connect::TIMEOUT_SECONDS), answer).await;
        answer.map_err(|late| broken(Box::new(late)))?
    }
}

/// Labels by name.
pub(super) type Labels = BTreeMap<String, String>;

/// The labels of a container or an image of the engine's lists.
pub(super) fn all_labels(listed: &Value) -> Labels {
    let labels = listed["Labels"].as_object().into_iter().flatten();
    labels.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// A value for a query.
pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// A container of the engine's list.
fn found_container(listed: &Value) -> Option<Found> {
    let label = |key: &str| listed["Labels"][key].as_str().map(str::to_owned);
    Some(Found {
        id: listed["Id"].as_str()?.to_owned(),
        name: listed["Names"][0].as_str()?.trim_start_matches('/').to_owned(),
        state: state(listed["State"].as_str()?),
        created: listed["Created"].as_i64().unwrap_or_default(),
        image: listed["Image"].as_str().unwrap_or_default().to_owned(),
        mounted: places(listed),
        home: label(&home_label()),
        spec_digest: label(&spec_digest_label()).unwrap_or_default(),
        spec: label(&spec_label()).unwrap_or_default(),
    })
}

pub(super) fn state(word: &str) -> State {
    match word {
        "running" => State::Running,
        "paused" => State::Paused,
        // Podman says `stopped` until it has cleaned up behind the main process.
        "exited" | "stopped" | "stopping" => State::Stopped,
        "restarting" => State::Restarting,
        "removing" => State::Removing,
        "dead" => State::Dead,
        // Podman's words for one whose main process is prepared, or not even that.
        "created" | "initialized" | "configured" | "" => State::NeverStarted,
        _ => State::Unknown,
    }
}

/// Where host folders stand in a container.
fn places(described: &Value) -> Vec<String> {
    let mounts = described["Mounts"].as_array().into_iter().flatten();
    mounts.filter_map(|mount| mount["Destination"].as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_in_a_state_that_docker_does_not_know_hides_no_other() {
        let container = |state: &str| {
            json!({
                "Id": "c0ffee", "Names": ["/name"], "Image": "debian", "Created": 7, "State": state,
                "Labels": { home_label(): "home", spec_digest_label(): "digest", spec_label(): "{}" },
                "Mounts": [{ "Type": "bind", "Destination": "/app" }],
            })
        };
        let listed = ["running", "stopped", "stopping", "initialized", "unknown", "bad state"].map(container);
        let found: Vec<Found> = listed.iter().filter_map(found_container).collect();
        let expected = Found {
            id: "c0ffee".to_owned(),
            name: "name".to_owned(),
            state: State::Running,
            created: 7,
            image: "debian".to_owned(),
            mounted: vec!["/app".to_owned()],
            home: Some("home".to_owned()),
            spec_digest: "digest".to_owned(),
            spec: "{}".to_owned(),
        };
        assert_eq!(found[0], expected);
        let states: Vec<State> = found.iter().map(|found| found.state).collect();
        let stopped = State::Stopped;
        assert_eq!(
            states,
            [State::Running, stopped, stopped, State::NeverStarted, State::Unknown, State::Unknown]
        );
    }

    #[test]
    fn a_value_for_a_query() {
        assert_eq!(encoded("{\"a b\":\"/é&~\"}"), "%7B%22a%20b%22%3A%22%2F%C3%A9%26~%22%7D");
    }
}
