//! The name of the caller's machine inside: `host.docker.internal`, on every engine.
//!
//! Docker, and Podman from 4.7 on, give it its address. Before that, Podman writes the word `host-gateway` where the
//! address should be, and knows the machine under a name of its own; that one's address is then given to the other.

use super::engine::exec::ExecRequest;
use super::engine::facts::Kind;
use super::engine::{Engine, Error};

/// Repairs the file of known hosts. Podman writes it anew at each start, and the session's user may not change it.
const SCRIPT: &str = r#"
hosts=/etc/hosts
grep -Eq '^[0-9a-fA-F]*[.:][0-9a-fA-F.:]*[[:space:]].*host\.docker\.internal' $hosts && exit
line=$(sed -En 's/^([0-9a-fA-F]*[.:][0-9a-fA-F.:]*)[[:space:]].*host\.containers\.internal.*/\1\thost.docker.internal/p' $hosts)
[ -z "$line" ] || echo "$line" >>$hosts"#;

/// Makes the name known in a container that was just started.
pub(super) async fn make_known(engine: &Engine, container: &str) -> Result<(), Error> {
    if engine.facts().kind != Kind::Podman {
        return Ok(());
    }
    let request = ExecRequest {
        command: ["sh", "-c", SCRIPT].map(str::to_owned).to_vec(),
        env: Vec::new(),
        tty: false,
        size: None,
        user: "0:0".to_owned(),
        workdir: "/",
    };
    let mut exec = engine.exec(container, request).await?;
    // An image without these programs is one without this name.
    let _ = tokio::io::copy(&mut exec.output, &mut tokio::io::sink()).await;
    Ok(())
}
