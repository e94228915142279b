//! What a pull says while it runs, turned into how far it is.
//!
//! Pure: events of the engine go in, and what is worth showing comes out.

use std::collections::BTreeMap;

use super::engine::pull::PullEvent;

/// What the engines say of a layer that is there.
const DONE: [&str; 2] = ["Pull complete", "Already exists"];

/// How far a pull is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullState {
    /// The layers that are there.
    pub done: usize,
    /// The layers that are known of.
    pub layers: usize,
    /// What is being done at the moment.
    pub now: String,
}

/// Follows a pull from its events.
#[derive(Debug, Default)]
pub struct PullLog {
    layers: BTreeMap<String, Layer>,
}

#[derive(Debug, Default)]
struct Layer {
    done: bool,
    /// Bytes fetched and bytes in all.
    fetched: Option<(u64, u64)>,
}

impl PullLog {
    /// Takes an event in, and says how far the pull is.
    pub fn push(&mut self, event: PullEvent) -> PullState {
        let PullEvent { layer, status, bytes } = event;
        // The first report names the tag where others name a layer.
        let of_image = status.starts_with("Pulling from ");
        if let Some(id) = layer.filter(|_| !of_image) {
            let layer = self.layers.entry(id).or_default();
            layer.done |= DONE.contains(&status.as_str());
            if let Some((_, total)) = bytes.filter(|_| status == "Downloading") {
                layer.fetched = bytes.filter(|_| total > 0);
            } else if status != "Downloading"
                && let Some((fetched, total)) = &mut layer.fetched
            {
                *fetched = *total;
            }
        }
        PullState { done: self.done(), layers: self.layers.len(), now: self.now(&status) }
    }

    fn done(&self) -> usize {
        self.layers.values().filter(|layer| layer.done).count()
    }

    fn now(&self, status: &str) -> String {
        let (fetched, total) = self
            .layers
            .values()
            .filter_map(|layer| layer.fetched)
            .fold((0_u64, 0_u64), |(a, b), (c, d)| (a.saturating_add(c), b.saturating_add(d)));
        if total == 0 {
            return status.chars().filter(|c| !c.is_control()).collect();
        }
        let megabytes = |bytes: u64| format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10);
        let doing = if fetched < total { "Downloading" } else { "Extracting" };
        format!("{doing}: {} of {}", megabytes(fetched), megabytes(total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(
        log: &mut PullLog,
        layer: &str,
        status: &str,
        bytes: Option<(u64, u64)>,
    ) -> (usize, usize, String) {
        let layer = (!layer.is_empty()).then(|| layer.to_owned());
        let state = log.push(PullEvent { layer, status: status.to_owned(), bytes });
        (state.done, state.layers, state.now)
    }

    #[test]
    fn layers_and_bytes_add_up() {
        let mut log = PullLog::default();
        let mut push = |layer, status, bytes| push(&mut log, layer, status, bytes);
        let now = str::to_owned;
        assert_eq!(push("1.2", "Pulling from acme/tools", None), (0, 0, now("Pulling from acme/tools")));
        assert_eq!(push("aa", "Pulling fs layer", None), (0, 1, now("Pulling fs layer")));
        assert_eq!(push("bb", "Already exists", None), (1, 2, now("Already exists")));
        let half = Some((6_000_000, 12_000_000));
        assert_eq!(push("aa", "Downloading", half), (1, 2, now("Downloading: 6.0 MB of 12.0 MB")));
        push("cc", "Downloading", Some((500_000, 8_000_000)));
        assert_eq!(push("aa", "Download complete", None), (1, 3, now("Downloading: 12.5 MB of 20.0 MB")));
        push("cc", "Verifying Checksum", None);
        assert_eq!(push("aa", "Extracting", half), (1, 3, now("Extracting: 20.0 MB of 20.0 MB")));
        assert_eq!(push("aa", "Pull complete", None).0, 2);
        assert_eq!(push("cc", "Pull complete", None).0, 3);
        assert_eq!(push("", "Status: Downloaded newer image", None).0, 3);
    }
}
