//! The image before a container: there already, or built now, one build at a time.

use std::path::Path;

use super::build_progress::BuildProgress;
use super::lock::lock;
use crate::container::engine::Engine;
use crate::container::image::{self, BuildOptions};
use crate::container::proxies::Proxies;
use crate::error::Error;
use crate::host::Host;
use crate::private_file;
use crate::variant::Variant;

/// Makes sure that a variant's image is there, and shows its build if one is needed.
pub async fn ensure(
    engine: &Engine,
    variant: Variant,
    ca_file: Option<&Path>,
    host: &Host,
) -> Result<(), Error> {
    if engine.image_id(&variant.tag()).await?.is_some() {
        return Ok(());
    }
    // One build of an image at a time: a second one would do the same work beside it, and take the machine from it. The
    // tag is part of the name, for another version of this program builds another image. No account can have this
    // folder's name.
    let folder = host.reactor_home()?.join(".run");
    private_file::create_dir(&host.reactor_home()?, &folder)?;
    let _lock = lock(&folder.join(lock_name(&variant.tag())), "another build of this image").await?;
    let read = |path: &Path| {
        std::fs::read(path).map_err(|source| Error::Io { action: "read the CA certificates", source })
    };
    let options = BuildOptions { ca: ca_file.map(read).transpose()?, proxies: Proxies::from_host(host) };
    let mut display = BuildProgress::stderr(host.terminal.stderr);
    image::ensure(engine, variant, &options, &mut |progress| display.show(&progress)).await?;
    Ok(())
}

/// The file by which builds of an image wait for each other.
fn lock_name(tag: &str) -> String {
    format!("build-{}", tag.replace(['/', ':'], "-"))
}
