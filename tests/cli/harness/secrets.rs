//! Canaries are found wherever they are, and nowhere else.

use std::path::PathBuf;

use crate::support::secrets::{Canary, find_in_bytes, find_in_files};

#[test]
fn canaries_are_long_and_unique() {
    let (one, other) = (Canary::new("zai"), Canary::new("zai"));
    assert!(one.key().len() >= 60);
    assert_ne!(one, other);
    assert_ne!(one.tail(), other.tail());
    assert!(!format!("{one:?}").contains(one.tail()));
}

#[test]
fn a_secret_is_found_in_content_names_and_links_of_any_depth() {
    let canary = Canary::new("files");
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::create_dir_all(root.join("a/b")).unwrap();
    std::fs::write(root.join("a/b/deep"), [b"\0\xff".as_slice(), canary.key().as_bytes(), b"\n"].concat())
        .unwrap();
    std::fs::write(root.join(format!("a/{}", canary.key())), "").unwrap();
    std::os::unix::fs::symlink(format!("/nowhere/{}", canary.key()), root.join("link")).unwrap();
    std::fs::write(root.join("innocent"), Canary::new("files").key()).unwrap();

    let found = find_in_files(root, canary.key());
    let expected: Vec<PathBuf> = [format!("a/{}", canary.key()), "a/b/deep".to_owned(), "link".to_owned()]
        .iter()
        .map(|path| root.join(path))
        .collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    assert!(expected.iter().all(|path| found.contains(path)), "{found:?}");
}

#[test]
fn a_secret_is_found_at_both_ends_of_bytes() {
    assert_eq!(find_in_bytes(b"key and more", "key"), Some(0));
    assert_eq!(find_in_bytes(b"the key", "key"), Some(4));
    assert_eq!(find_in_bytes(b"ke", "key"), None);
}

#[test]
fn the_last_twenty_characters_of_a_canary_give_it_away() {
    let canary = Canary::new("tail");
    assert!(canary.is_in(format!("approved: [{}]", canary.tail())));
    assert!(!canary.is_in(&canary.tail()[1..]));
}
