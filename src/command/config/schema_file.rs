//! The JSON Schemas that claude-reactor keeps for editors, and the line by which an editor finds one.
//!
//! The line is the modeline of the YAML language server
//! (`github.com/redhat-developer/yaml-language-server`, "Using inlined schema"): it takes a URL, or a path that is absolute
//! or relative to the file, up to the first blank.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::config::file::Kind;
use crate::config::{schema, table};
use crate::error::Error;
use crate::private_file;

/// What the line begins with, for us and for the language server.
const MODELINE: &str = "# yaml-language-server:";

/// The schema of a layer's file.
pub fn schema_of(kind: Kind) -> Value {
    let title = match kind {
        Kind::User => "claude-reactor: your defaults (~/.claude-reactor/config.yaml)",
        Kind::Account => {
            "claude-reactor: the defaults of an account (~/.claude-reactor/{account}/config.yaml)"
        }
        Kind::Project | Kind::Session => "claude-reactor: the choices for a project (.claude-reactor)",
    };
    schema::schema(title, kind.keys(), &table::schema_of)
}

/// Writes the schema of a layer's file where editors find it, if it is not there as it is now. Says where.
pub fn keep(reactor_home: &Path, kind: Kind) -> Result<PathBuf, Error> {
    // No account can have this folder's name.
    let folder = reactor_home.join(".run").join("schema");
    private_file::create_dir(reactor_home, &folder)?;
    let path = folder.join(match kind {
        Kind::User => "user.json",
        Kind::Account => "account.json",
        Kind::Project | Kind::Session => "choices.json",
    });
    let text = format!("{:#}\n", schema_of(kind));
    if private_file::read(&path)?.as_deref() != Some(&text) {
        private_file::write(&path, text.as_bytes())?;
    }
    Ok(path)
}

/// The text with the line that names its schema as its first, if it has none yet.
pub fn with_modeline(text: &str, schema: &Path) -> String {
    if text.lines().any(|line| line.starts_with(MODELINE)) {
        return text.to_owned();
    }
    let (mark, rest) = text.strip_prefix('\u{feff}').map_or(("", text), |rest| ("\u{feff}", rest));
    let end = if rest.contains("\r\n") { "\r\n" } else { "\n" };
    format!("{mark}{MODELINE} $schema={}{end}{rest}", reference(schema))
}

/// A path as the line takes it: with a blank in it, it has to be a URL.
fn reference(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~@+".contains(&byte);
    if text.bytes().all(plain) {
        return text.into_owned();
    }
    text.bytes().fold("file://".to_owned(), |mut url, byte| {
        if plain(byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
        url
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_comes_first_and_once() {
        let schema = Path::new("/home/alice/.claude-reactor/.run/schema/choices.json");
        let line = "# yaml-language-server: $schema=/home/alice/.claude-reactor/.run/schema/choices.json";
        let once = with_modeline("danger: true\n", schema);
        assert_eq!(once, format!("{line}\ndanger: true\n"));
        assert_eq!(with_modeline(&once, schema), once);
        assert_eq!(
            with_modeline("\u{feff}danger: true\r\n", schema),
            format!("\u{feff}{line}\r\ndanger: true\r\n")
        );
        let another = "danger: true\n# yaml-language-server: $schema=x.json\n";
        assert_eq!(with_modeline(another, schema), another);
    }

    #[test]
    fn a_path_with_a_blank_is_a_url() {
        assert_eq!(reference(Path::new("/home/a b/é#1.json")), "file:///home/a%20b/%C3%A9%231.json");
    }
}
