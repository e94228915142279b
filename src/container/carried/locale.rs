//! The caller's locale, as far as the image can follow.
//!
//! The images have `C.UTF-8` and no other locale. A name that is not there would make perl and bash warn at every start
//! and fall back to ASCII, so it becomes `C.UTF-8`; the language goes along in `LANGUAGE`, which needs no locale.

use crate::host::Host;

/// The one locale of the images beside the two that every C library has.
const UTF8: &str = "C.UTF-8";

/// The variables that choose a locale. `LC_ALL` beats the others, `LANG` stands in for those that are not set.
const VARIABLES: [&str; 14] = [
    "LANG",
    "LC_ALL",
    "LC_ADDRESS",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_IDENTIFICATION",
    "LC_MEASUREMENT",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NAME",
    "LC_NUMERIC",
    "LC_PAPER",
    "LC_TELEPHONE",
    "LC_TIME",
];

/// The variables that choose the session's locale.
pub fn vars(host: &Host) -> Vec<(String, String)> {
    let mut vars: Vec<(String, String)> = VARIABLES
        .into_iter()
        .filter_map(|name| Some((name, host.var(name)?)))
        .map(|(name, value)| (name.to_owned(), if is_there(value) { value } else { UTF8 }.to_owned()))
        .collect();
    vars.extend(languages(host).map(|languages| ("LANGUAGE".to_owned(), languages)));
    vars
}

/// Whether every image has this locale.
fn is_there(name: &str) -> bool {
    ["C", "POSIX", UTF8, "C.utf8"].contains(&name)
}

/// The caller's languages, most wanted first: `de_AT:de` for `de_AT.UTF-8`.
fn languages(host: &Host) -> Option<String> {
    let plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:@-.".contains(&byte));
    if let Some(languages) = host.var("LANGUAGE") {
        return plain(languages).then(|| languages.to_owned());
    }
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| host.var(name))?;
    let territory = locale.split(['.', '@']).next()?;
    let language = territory.split('_').next()?;
    if is_there(locale) || !plain(territory) || language.len() < 2 {
        return None;
    }
    Some(if language == territory { language.to_owned() } else { format!("{territory}:{language}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(stated: &[(&str, &str)]) -> String {
        let stated = stated.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let vars = vars(&Host::new("/", "/", stated));
        vars.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_locale_that_the_image_lacks_becomes_its_utf_8_and_the_language_goes_along() {
        assert_eq!(inside(&[]), "");
        assert_eq!(inside(&[("LANG", "C.UTF-8")]), "LANG=C.UTF-8");
        assert_eq!(inside(&[("LANG", "de_AT.UTF-8")]), "LANG=C.UTF-8 LANGUAGE=de_AT:de");
        assert_eq!(
            inside(&[("LANG", "en_US.UTF-8"), ("LC_TIME", "de_DE.UTF-8"), ("LC_COLLATE", "C")]),
            "LANG=C.UTF-8 LC_COLLATE=C LC_TIME=C.UTF-8 LANGUAGE=en_US:en"
        );
        assert_eq!(inside(&[("LANG", "sr_RS@latin"), ("LC_ALL", "C")]), "LANG=C.UTF-8 LC_ALL=C");
    }

    #[test]
    fn languages_of_the_callers_own_choice_stay() {
        assert_eq!(inside(&[("LANGUAGE", "fr:de"), ("LANG", "fr_FR")]), "LANG=C.UTF-8 LANGUAGE=fr:de");
        assert_eq!(inside(&[("LANGUAGE", "../../x")]), "");
        assert_eq!(inside(&[("LC_CTYPE", "UTF-8")]), "LC_CTYPE=C.UTF-8", "as a Mac's terminal says it");
    }
}
