use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn remote(reference: &str) -> Remote {
    Remote::of(&reference.parse().unwrap())
}

fn encoded(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Name and password, or nothing and a token.
fn shown(credential: Option<Credential>) -> Option<(String, String)> {
    Some(match credential? {
        Credential::Login { username, password } => (username, password.expose_secret().to_owned()),
        Credential::Identity(token) => (String::new(), token.expose_secret().to_owned()),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with what `shown` gives")]
fn login(username: &str, password: &str) -> Option<(String, String)> {
    Some((username.to_owned(), password.to_owned()))
}

fn of_file(text: &str, reference: &str) -> Result<Option<(String, String)>, Problem> {
    let path = Path::new("/home/alice/.docker/config.json");
    AuthFile::parse(path, text)?.entry(path, &remote(reference)).map(shown)
}

#[test]
fn entries_of_every_form() {
    let text = serde_json::json!({
        "auths": {
            "https://index.docker.io/v1/": { "auth": encoded("hub:p:w") },
            "ghcr.io": { "auth": encoded("gh:secret\0\0"), "email": "x" },
            "ghcr.io/acme": { "username": "acme", "password": "narrow" },
            "azure.example": { "auth": encoded("0:"), "identitytoken": "long-lived" },
            "empty.example": {},
            "broken.example": { "auth": "not base64!" },
            "half.example": { "username": "x" },
        },
        "credHelpers": { "helped.example": "one" },
        "credsStore": "all",
        "HttpHeaders": { "User-Agent": "x" },
    })
    .to_string();
    for (reference, expected) in [
        ("debian", login("hub", "p:w")),
        ("ghcr.io/x/y", login("gh", "secret")),
        ("ghcr.io/acme/tools", login("acme", "narrow")),
        ("azure.example/i", login("", "long-lived")),
        ("empty.example/i", None),
        ("other.example/i", None),
    ] {
        assert_eq!(of_file(&text, reference).unwrap(), expected, "{reference}");
    }
    for broken in ["broken.example/i", "half.example/i"] {
        let problem = of_file(&text, broken).unwrap_err().to_string();
        assert!(problem.contains("is no credential") && !problem.contains("not base64"), "{problem}");
    }
    let file = AuthFile::parse(Path::new("/f"), &text).unwrap();
    assert_eq!(file.helper(&remote("helped.example/i")), Some("one"));
    assert_eq!(file.helper(&remote("debian")), Some("all"));
}

#[test]
fn a_malformed_file_is_not_quoted() {
    for text in ["{\"auths\": \"s3cret\"}", "{\"auths\": {\"x\": [\"s3cret\"]}}", "s3cret", "{\"s3cret"] {
        let problem = of_file(text, "debian").unwrap_err();
        assert!(!format!("{problem} {problem:?}").contains("s3cret"), "{problem:?}");
        assert!(problem.to_string().starts_with("/home/alice/.docker/config.json:1:"), "{problem}");
    }
}

#[test]
fn nothing_shows_a_secret() {
    let text = r#"{"auths":{"docker.io":{"username":"u","password":"s3cret"}}}"#;
    let path = Path::new("/f");
    let credential = AuthFile::parse(path, text).unwrap().entry(path, &remote("debian")).unwrap();
    assert!(!format!("{credential:?}").contains("s3cret"));
    let header = credential.unwrap().header(&remote("debian").registry);
    assert!(!format!("{header:?}").contains(header.expose_secret()));
}

#[test]
fn files_are_looked_for_where_the_tools_put_them() {
    let vars = |vars: &[(&str, &str)]| {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        files(&Host::new("/home/alice", "/work", vars.collect::<Vec<_>>()))
    };
    assert_eq!(
        vars(&[]),
        ["/home/alice/.docker/config.json", "/home/alice/.config/containers/auth.json"].map(PathBuf::from)
    );
    assert_eq!(
        vars(&[
            ("REGISTRY_AUTH_FILE", "/a.json"),
            ("DOCKER_CONFIG", "/d"),
            ("XDG_RUNTIME_DIR", "/run/user/1000"),
            ("XDG_CONFIG_HOME", "/c"),
        ]),
        ["/a.json", "/d/config.json", "/run/user/1000/containers/auth.json", "/c/containers/auth.json"]
            .map(PathBuf::from)
    );
}

/// A program that stands for a helper.
fn helper(folder: &Path, script: &str) -> String {
    let path = folder.join("helper");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Asks it. A program that was just written is busy for as long as a child that another test forks in that moment holds
/// the file open.
async fn ask(program: &str, limit: Duration) -> Result<Option<Credential>, helper::Failure> {
    loop {
        match helper::ask_program(program, "reg:443", limit).await {
            Err(helper::Failure::Start(std::io::ErrorKind::ExecutableFileBusy)) => {
                tokio::task::yield_now().await;
            }
            answer => return answer,
        }
    }
}

#[tokio::test]
async fn a_helper_is_asked_and_may_do_anything() {
    const LONG: Duration = Duration::from_secs(60);
    let folder = tempfile::tempdir().unwrap();
    let answers = [
        (
            r#"[ "$1" = get ] && printf '{"ServerURL":"x","Username":"%s","Secret":"pw"}' "$(cat)""#,
            Ok(login("reg:443", "pw")),
        ),
        (r#"echo '{"Username":"<token>","Secret":"tok"}'"#, Ok(login("", "tok"))),
        ("cat >/dev/null; echo 'credentials not found in native keychain'; exit 1", Ok(None)),
        ("echo s3cret; exit 7", Err(helper::Failure::Failed(Some(7)))),
        ("echo s3cret", Err(helper::Failure::Answer)),
        ("kill -KILL $$", Err(helper::Failure::Failed(None))),
        ("exec yes", Err(helper::Failure::Failed(None))),
    ];
    for (script, expected) in answers {
        let answer = ask(&helper(folder.path(), script), LONG).await;
        assert_eq!(answer.map(shown), expected, "{script}");
    }
    let silent = Duration::from_millis(50);
    let answer = ask(&helper(folder.path(), "exec sleep 1000"), silent).await;
    assert_eq!(answer.map(shown), Err(helper::Failure::Silent(silent)));

    let missing = helper::ask("of-nobody-s-own", "reg:443").await;
    assert_eq!(missing.map(shown), Err(helper::Failure::Start(std::io::ErrorKind::NotFound)));
    for path in ["../../tmp/x", "a/b", ".", "a b"] {
        assert_eq!(helper::ask(path, "reg:443").await.map(shown), Err(helper::Failure::Name));
    }
}

#[tokio::test]
async fn a_helper_that_fails_leaves_the_other_places() {
    let home = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(".docker/config.json", r#"{"credsStore":"of-nobody-s-own"}"#);
    let entry = serde_json::json!({ "auths": { "reg:443": { "auth": encoded("p:w") } } });
    write(".config/containers/auth.json", &entry.to_string());
    let host = Host::new(home.path(), home.path(), []);
    let found = find(&host, &remote("reg:443/i")).await;
    assert_eq!(shown(found.credential), login("p", "w"));
    let [problem] = &found.problems[..] else { panic!("{:?}", found.problems) };
    let problem = problem.to_string();
    assert!(problem.contains("docker-credential-of-nobody-s-own (named in "), "{problem}");

    let other = find(&host, &remote("elsewhere:443/i")).await;
    assert_eq!(shown(other.credential), None);
}

proptest! {
    #[test]
    fn an_engine_reads_every_password(username in "\\PC{1,20}", password in "\\PC{0,40}[~>?]{0,6}") {
        let credential =
            Credential::Login { username: username.clone(), password: password.clone().into() };
        let header = credential.header(&remote("reg:443/i").registry);
        let text = header.expose_secret();
        prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=".contains(&b)));
        let json: serde_json::Value = serde_json::from_slice(&URL_SAFE.decode(text).unwrap()).unwrap();
        prop_assert_eq!(&json["username"], &username);
        prop_assert_eq!(&json["password"], &password);
        prop_assert_eq!(&json["serveraddress"], "reg:443");
    }
}
