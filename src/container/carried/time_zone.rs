//! The caller's time zone: its name where it has one, since Claude Code and most libraries want a name; else its rule as
//! POSIX writes it, which C libraries follow without a database of zones.

use std::path::Path;

use crate::host::Host;
use crate::wary_file::{self, Links};

/// What a machine's own zone is read from.
const LOCALTIME: &str = "/etc/localtime";
const TIMEZONE: &str = "/etc/timezone";
/// The folder of the database of zones, whatever lies above it.
const DATABASE: &str = "zoneinfo/";
/// The largest zone of the database has 4 KiB.
const LARGEST: u64 = 64 * 1024;

/// The value of `TZ` for a session; nothing where the machine does not say.
pub fn zone(host: &Host) -> Option<String> {
    match host.var("TZ") {
        Some(stated) => from_variable(stated),
        None => of_machine(Path::new(LOCALTIME), Path::new(TIMEZONE)),
    }
}

/// `Europe/Berlin`, `:Europe/Berlin`, a file of the database, or a POSIX rule.
fn from_variable(stated: &str) -> Option<String> {
    let stated = stated.strip_prefix(':').unwrap_or(stated);
    let named = if stated.starts_with('/') { name_in(stated)? } else { stated };
    let printable = named.len() <= 64 && named.bytes().all(|byte| byte.is_ascii_graphic());
    printable.then(|| named.to_owned())
}

fn of_machine(localtime: &Path, timezone: &Path) -> Option<String> {
    // Links all the way, because the name at the end is the one that every database has: Asia/Kolkata for Asia/Calcutta.
    let real = localtime.canonicalize().ok()?;
    if let Some(name) = real.to_str().and_then(name_in) {
        return Some(name.to_owned());
    }
    let written = wary_file::read(timezone, Links::Followed, LARGEST).ok().flatten();
    let written = written.and_then(|opened| from_variable(opened.text.trim()));
    written.or_else(|| rule_of(&std::fs::read(&real).ok()?))
}

/// The zone's name in the path of its file.
fn name_in(path: &str) -> Option<&str> {
    let name = path.rsplit_once(DATABASE)?.1;
    let name = name.strip_prefix("posix/").or_else(|| name.strip_prefix("right/")).unwrap_or(name);
    // What distributions call a copy of the machine's own zone says nothing elsewhere.
    (!name.is_empty() && name != "localtime").then_some(name)
}

/// The rule for times to come: the last line of a zone's file since version 2 of the format (RFC 9636).
fn rule_of(zone: &[u8]) -> Option<String> {
    if !zone.starts_with(b"TZif") {
        return None;
    }
    let body = zone.strip_suffix(b"\n")?;
    let start = body.iter().rposition(|byte| *byte == b'\n')? + 1;
    from_variable(std::str::from_utf8(&body[start..]).ok()?).filter(|rule| !rule.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_forms_of_the_variable() {
        for (stated, zone) in [
            ("Europe/Berlin", Some("Europe/Berlin")),
            (":Europe/Berlin", Some("Europe/Berlin")),
            ("/usr/share/zoneinfo/posix/Asia/Tokyo", Some("Asia/Tokyo")),
            ("<+0330>-3:30", Some("<+0330>-3:30")),
            ("/home/alice/zone", None),
            ("two words", None),
        ] {
            assert_eq!(from_variable(stated).as_deref(), zone, "{stated}");
        }
    }

    #[test]
    fn the_machines_own_zone() {
        let dir = tempfile::tempdir().unwrap();
        let [localtime, timezone] = ["localtime", "timezone"].map(|name| dir.path().join(name));
        assert_eq!(of_machine(&localtime, &timezone), None);

        let zone = dir.path().join("zoneinfo/Asia/Kolkata");
        fs::create_dir_all(zone.parent().unwrap()).unwrap();
        fs::write(&zone, b"TZif2\0\n\0\nIST-5:30\n").unwrap();
        std::os::unix::fs::symlink("Kolkata", dir.path().join("zoneinfo/Asia/Calcutta")).unwrap();
        std::os::unix::fs::symlink("zoneinfo/Asia/Calcutta", &localtime).unwrap();
        assert_eq!(of_machine(&localtime, &timezone).as_deref(), Some("Asia/Kolkata"));

        fs::remove_file(&localtime).unwrap();
        fs::copy(&zone, &localtime).unwrap();
        assert_eq!(
            of_machine(&localtime, &timezone).as_deref(),
            Some("IST-5:30"),
            "a copy has its rule only"
        );
        fs::write(&timezone, "Asia/Kolkata\n").unwrap();
        assert_eq!(of_machine(&localtime, &timezone).as_deref(), Some("Asia/Kolkata"));
        fs::write(&localtime, b"TZif\n").unwrap();
        fs::remove_file(&timezone).unwrap();
        assert_eq!(of_machine(&localtime, &timezone), None);
    }
}
