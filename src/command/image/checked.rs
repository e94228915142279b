//! The images of the user's that were looked at and found fit, so that each is looked at once.
//!
//! What is remembered saves time and decides nothing else: a file that is lost, or cannot be read, costs another look.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::container::image_check::RULES;
use crate::container::local_image::LocalImage;
use crate::container::spec::User;
use crate::private_file;
use crate::wary_file::{self, Links};

/// The most that is remembered: images go without a word.
const MOST: usize = 200;
/// Far more than that takes.
const LARGEST: u64 = 256 * 1024;

#[derive(Default, Serialize, Deserialize)]
struct File {
    /// The newest last.
    checked: Vec<String>,
}

/// What a look was at: the image by its id, the user, and the rules.
pub fn key(image: &LocalImage, user: User) -> String {
    format!("{} {}:{} {RULES}", image.id, user.uid, user.gid)
}

/// Whether this look was had, and well.
pub fn has(file: &Path, key: &str) -> bool {
    match wary_file::read(file, Links::Refused, LARGEST) {
        Ok(Some(opened)) => parse(&opened.text).checked.iter().any(|checked| checked == key),
        _ => false,
    }
}

/// Remembers a look.
pub fn add(file: &Path, key: &str) -> Result<(), private_file::Error> {
    private_file::update(file, |text| {
        let File { mut checked } = parse(text.unwrap_or_default());
        checked.retain(|other| other != key);
        checked.push(key.to_owned());
        let checked = checked.split_off(checked.len().saturating_sub(MOST));
        Ok(serde_json::to_string_pretty(&File { checked }).expect("it is plain data") + "\n")
    })
}

fn parse(text: &str) -> File {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(id: &str) -> LocalImage {
        LocalImage { id: id.to_owned(), ..LocalImage::default() }
    }

    #[test]
    fn a_look_is_remembered_for_its_image_and_its_user() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run/checked-images.json");
        let user = User { uid: 1000, gid: 1000 };
        let first = key(&image("sha256:1"), user);
        assert!(!has(&file, &first));
        add(&file, &first).unwrap();
        assert!(has(&file, &first));
        assert!(!has(&file, &key(&image("sha256:2"), user)));
        assert!(!has(&file, &key(&image("sha256:1"), User { uid: 0, gid: 0 })));

        for number in 0..=MOST {
            add(&file, &key(&image(&number.to_string()), user)).unwrap();
        }
        assert!(!has(&file, &first), "the oldest go");
        assert!(file.metadata().unwrap().len() < LARGEST);

        std::fs::write(&file, "{").unwrap();
        assert!(!has(&file, &first));
        add(&file, &first).unwrap();
        assert!(has(&file, &first), "a broken file is begun anew");
    }
}
