//! Everything of ours that an engine has, whichever project it belongs to, and stopping it.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use bollard::query_parameters::StopContainerOptionsBuilder;
use serde_json::Value;

use super::exec::ExecRequest;
use super::{Engine, Error};
use crate::container::name::Home;
use crate::container::ours::{Inside, Ours, program, project_label};

/// Ends what runs in a container beside its main process; the file says how it knows it.
const EMPTY_SCRIPT: &str = include_str!("../empty_container.sh");
/// How long, in seconds, what runs in a container may take to end after a signal: once the sessions, then the rest.
const GRACE: i32 = 5;
/// How long the engine may take for the former.
const LONGEST_END: Duration = Duration::from_secs(8);

impl Engine {
    /// The containers of a home, in whatever state they are.
    pub async fn ours(&self, home: &Home) -> Result<Vec<Ours>, Error> {
        let listed = self.list(&[project_label()]).await?;
        Ok(listed.into_iter().filter_map(|(found, labels)| Ours::of(found, &labels, home)).collect())
    }

    /// What goes on in a container; nothing of one that is gone.
    pub async fn inside(&self, id: &str) -> Result<Option<Inside>, Error> {
        let Some(details) = self.look(id).await? else { return Ok(None) };
        let mut sessions = Vec::new();
        for exec in details["ExecIDs"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            // The engine lists ended ones for a while too, and forgets them at any time.
            match self.ask("look at a session", &format!("/exec/{exec}/json")).await {
                Ok(exec) if exec["Running"] == true => sessions.push(exec_program(&exec["ProcessConfig"])),
                Ok(_) => {}
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error),
            }
        }
        let started = details["State"]["StartedAt"].as_str().and_then(time);
        Ok(Some(Inside { started, sessions }))
    }

    /// What a container wrote into its own files, in bytes. The engine has to look at them for it, so it takes a while.
    pub async fn writable_size(&self, id: &str) -> Result<Option<u64>, Error> {
        let asked = self.ask("measure the container", &format!("/containers/{id}/json?size=true")).await;
        match asked {
            Ok(details) => Ok(details["SizeRw"].as_u64()),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stops a container: what runs in it is asked to end first, which its main process's end would not do. One that is
    /// gone, or does not run, is no error.
    pub async fn stop(&self, id: &str) -> Result<(), Error> {
        // A frozen process takes no signal. Refused where it is not frozen.
        let _ = self.docker.unpause_container(id).await;
        let ended = tokio::time::timeout(LONGEST_END, self.empty(id)).await;
        tracing::debug!(?ended, "the sessions inside were asked to end");
        let options = StopContainerOptionsBuilder::default().t(GRACE).build();
        match self
            .docker
            .stop_container(id, Some(options))
            .await
            .map_err(|source| Error::api("stop the container", source))
        {
            Err(error) if !error.is_missing() => Err(error),
            _ => Ok(()),
        }
    }

    async fn empty(&self, id: &str) -> Result<(), Error> {
        let request = ExecRequest {
            command: ["sh", "-c", EMPTY_SCRIPT, "sh", &GRACE.to_string()].map(str::to_owned).to_vec(),
            env: Vec::new(),
            tty: false,
            size: None,
            user: "0:0".to_owned(),
            workdir: "/",
        };
        let mut exec = self.exec(id, request).await?;
        // What counts is the end of its output.
        let _ = tokio::io::copy(&mut exec.output, &mut tokio::io::sink()).await;
        Ok(())
    }

    /// The images that containers were made from, by their ids, each with the containers' ids and names; also those of others.
    pub async fn images_in_use(&self) -> Result<HashMap<String, Vec<(String, String)>>, Error> {
        let listed = self.ask("list containers", "/containers/json?all=true").await?;
        let mut used: HashMap<String, Vec<(String, String)>> = HashMap::new();
        for container in listed.as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let name = text(&container["Names"][0]).trim_start_matches('/').to_owned();
            let image = bare_id(&text(&container["ImageID"])).to_owned();
            used.entry(image).or_default().push((text(&container["Id"]), name));
        }
        Ok(used)
    }
}

/// An image's id without the name of the digest, which Podman leaves out.
pub(super) fn bare_id(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

fn exec_program(process: &Value) -> String {
    let arguments = process["arguments"].as_array().into_iter().flatten();
    let command: Vec<&str> =
        std::iter::once(&process["entrypoint"]).chain(arguments).filter_map(Value::as_str).collect();
    program(&command)
}

/// A time as the engines write it: Docker in UTC, Podman with the machine's offset. The year 1 stands for never.
fn time(text: &str) -> Option<SystemTime> {
    if let Ok(time) = humantime::parse_rfc3339(text) {
        return Some(time);
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let local = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let offset_by =
        Duration::from_secs(hours.parse::<u64>().ok()? * 3600 + minutes.parse::<u64>().ok()? * 60);
    match offset.as_bytes()[0] {
        b'+' => local.checked_sub(offset_by),
        b'-' => local.checked_add(offset_by),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_both_engines_write_them() {
        let utc = time("2026-11-27T21:33:44.123456789Z").unwrap();
        assert_eq!(time("2026-11-27T23:03:44.123456789+01:30").unwrap(), utc);
        assert_eq!(time("2026-11-27T16:33:44.123456789-05:00").unwrap(), utc);
        for none in ["0001-01-01T00:00:00Z", "", "never", "2026"] {
            assert_eq!(time(none), None, "{none}");
        }
    }
}
