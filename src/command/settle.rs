//! Everything before the container, for `run` and `exec` alike.

use super::keys::{self, KeyArgs};
use super::target::Target;
use super::{launch, old_home, trust};
use crate::error::Error;
use crate::host::Host;
use crate::provider::session_env::SessionEnv;
use crate::ui;

/// Settles the key, what is remembered, and the session's variables. Choices that await an image are remembered where
/// it is seen to be one for sessions (`launch::enter`).
pub async fn settle(target: &Target, key: &KeyArgs, host: &Host) -> Result<SessionEnv, Error> {
    target.warnings.iter().for_each(|warning| ui::warn(warning));
    trust::confirm(target, host).await?;
    target.forward.find_agent(&target.settings, host)?;
    old_home::take_over(target, key, host).await?;
    let (provider, credentials) = keys::obtain(target, key, host).await?;
    let env = launch::session_env(target, &provider, &credentials)?;
    trust::keep_up(target)?;
    if !target.chosen.await_the_image() {
        target.remember()?;
    }
    Ok(env)
}
