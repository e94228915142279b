//! What a pull or a push says while it runs, turned into how far it is.
//!
//! Pure: events of the engine go in, and what is worth showing comes out.

use std::collections::BTreeMap;

use super::engine::transfer::TransferEvent;

/// What the engines say of a layer that is there.
const DONE: [&str; 4] = ["Pull complete", "Already exists", "Pushed", "Layer already exists"];
/// What they say of one on its way, and what is left to do once all bytes are there.
const ON_THE_WAY: [(&str, &str); 2] = [("Downloading", "Extracting"), ("Pushing", "Pushing")];

/// How far a pull or a push is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullState {
    /// The layers that are there.
    pub done: usize,
    /// The layers that are known of.
    pub layers: usize,
    /// What is being done at the moment.
    pub now: String,
}

/// Follows a pull or a push from its events.
#[derive(Debug, Default)]
pub struct PullLog {
    layers: BTreeMap<String, Layer>,
    /// The words for what is being done.
    words: Option<(&'static str, &'static str)>,
}

#[derive(Debug, Default)]
struct Layer {
    done: bool,
    /// Bytes fetched and bytes in all.
    fetched: Option<(u64, u64)>,
}

impl PullLog {
    /// Takes an event in, and says how far the pull is.
    pub fn push(&mut self, event: TransferEvent) -> PullState {
        let TransferEvent { layer, status, bytes } = event;
        // The first report names the tag where others name a layer.
        let of_image = status.starts_with("Pulling from ");
        let moves = ON_THE_WAY.iter().find(|(word, _)| *word == status);
        self.words = moves.copied().or(self.words);
        if let Some(id) = layer.filter(|_| !of_image) {
            let layer = self.layers.entry(id).or_default();
            layer.done |= DONE.contains(&status.as_str()) || status.starts_with("Mounted from ");
            if let Some((_, total)) = bytes.filter(|_| moves.is_some()) {
                layer.fetched = bytes.filter(|_| total > 0);
            } else if moves.is_none()
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
        let (under_way, at_the_end) = self.words.unwrap_or(ON_THE_WAY[0]);
        let doing = if fetched < total { under_way } else { at_the_end };
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
        let state = log.push(TransferEvent { layer, status: status.to_owned(), bytes });
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

    #[test]
    fn a_push_is_followed_by_its_own_words() {
        let mut log = PullLog::default();
        let mut push = |layer, status, bytes| push(&mut log, layer, status, bytes);
        push("", "The push refers to repository [ghcr.io/acme/tools]", None);
        assert_eq!(push("aa", "Preparing", None), (0, 1, "Preparing".to_owned()));
        assert_eq!(push("bb", "Layer already exists", None).0, 1);
        let sent = push("aa", "Pushing", Some((1_000_000, 2_000_000)));
        assert_eq!(sent, (1, 2, "Pushing: 1.0 MB of 2.0 MB".to_owned()));
        assert_eq!(push("aa", "Pushed", None).0, 2);
        assert_eq!(
            push("cc", "Mounted from acme/other", None),
            (3, 3, "Pushing: 2.0 MB of 2.0 MB".to_owned())
        );
    }
}
