//! Who is in the containers that are to be stopped or removed.

use crate::container::engine::{self, Engine};
use crate::container::ours::Ours;
use crate::ui;

/// A container and the programs of the sessions in it.
#[derive(Debug, Clone)]
pub struct Occupied {
    /// The container's name.
    pub name: String,
    /// A program each.
    pub sessions: Vec<String>,
}

impl Occupied {
    /// `1 session is in NAME: claude`.
    pub fn words(&self) -> String {
        let count = self.sessions.len();
        let are = if count == 1 { " is" } else { "s are" };
        format!("{count} session{are} in {}: {}", self.name, ui::one_line(&self.sessions.join(", ")))
    }
}

/// Those of some containers that somebody is in.
pub async fn occupied(engine: &Engine, containers: &[Ours]) -> Result<Vec<Occupied>, engine::Error> {
    let mut occupied = Vec::new();
    for ours in containers.iter().filter(|ours| ours.found.state.is_live()) {
        let sessions = engine.inside(&ours.found.id).await?.unwrap_or_default().sessions;
        if !sessions.is_empty() {
            occupied.push(Occupied { name: ours.found.name.clone(), sessions });
        }
    }
    Ok(occupied)
}

/// All of them in a line.
pub fn in_words(occupied: &[Occupied]) -> String {
    occupied.iter().map(Occupied::words).collect::<Vec<_>>().join("; ")
}
