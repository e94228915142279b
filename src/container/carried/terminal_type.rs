//! The terminal's type, in words that the image understands.

use crate::host::Host;

/// What the images' terminal database (`ncurses-base`) describes.
const KNOWN: [&str; 41] = [
    "Eterm",
    "ansi",
    "cons25",
    "cygwin",
    "dumb",
    "hurd",
    "linux",
    "mach",
    "mach-bold",
    "mach-color",
    "mach-gnu",
    "mach-gnu-color",
    "pcansi",
    "rxvt",
    "rxvt-basic",
    "rxvt-unicode",
    "rxvt-unicode-256color",
    "screen",
    "screen-256color",
    "screen-256color-bce",
    "screen-bce",
    "screen-s",
    "screen-w",
    "screen.xterm-256color",
    "sun",
    "tmux",
    "tmux-256color",
    "vt100",
    "vt102",
    "vt220",
    "vt52",
    "wsvt25",
    "wsvt25m",
    "xterm",
    "xterm-256color",
    "xterm-color",
    "xterm-mono",
    "xterm-r5",
    "xterm-r6",
    "xterm-vt220",
    "xterm-xfree86",
];

/// Parts of the names of terminals that show 24-bit colours. Under their own name, programs would know that.
const TRUE_COLOUR: [&str; 8] =
    ["kitty", "alacritty", "ghostty", "wezterm", "foot", "contour", "rio", "-direct"];

/// `TERM` and `COLORTERM` for a session with a terminal.
///
/// A type that the image does not describe would leave programs without keys and colours ("unknown terminal type"), so the
/// nearest one it does describe takes its place: what such terminals imitate.
pub fn vars(host: &Host) -> Vec<(String, String)> {
    let Some(term) = host.var("TERM") else { return Vec::new() };
    let colours = host.var("COLORTERM").map(str::to_owned).or_else(|| {
        let is_true_colour = !KNOWN.contains(&term) && TRUE_COLOUR.iter().any(|name| term.contains(name));
        is_true_colour.then(|| "truecolor".to_owned())
    });
    let mut vars = vec![("TERM".to_owned(), described(term).to_owned())];
    vars.extend(colours.map(|colours| ("COLORTERM".to_owned(), colours)));
    vars
}

fn described(term: &str) -> &str {
    match term {
        known if KNOWN.contains(&known) => known,
        _ if term.starts_with("tmux") => "tmux-256color",
        _ if term.starts_with("screen") => "screen-256color",
        _ => "xterm-256color",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars_of(term: &str, colorterm: &str) -> Vec<(String, String)> {
        let stated = [("TERM", term), ("COLORTERM", colorterm)];
        vars(&Host::new("/", "/", stated.map(|(name, value)| (name.to_owned(), value.to_owned()))))
    }

    #[test]
    fn a_known_type_is_kept_and_an_unknown_one_replaced_by_what_it_imitates() {
        for (term, inside, colours) in [
            ("xterm-256color", "xterm-256color", None),
            ("dumb", "dumb", None),
            ("screen.xterm-256color", "screen.xterm-256color", None),
            ("xterm-kitty", "xterm-256color", Some("truecolor")),
            ("alacritty", "xterm-256color", Some("truecolor")),
            ("xterm-ghostty", "xterm-256color", Some("truecolor")),
            ("tmux-direct", "tmux-256color", Some("truecolor")),
            ("screen.linux", "screen-256color", None),
            ("konsole-256color", "xterm-256color", None),
        ] {
            let mut expected = vec![("TERM".to_owned(), inside.to_owned())];
            expected.extend(colours.map(|colours| ("COLORTERM".to_owned(), colours.to_owned())));
            assert_eq!(vars_of(term, ""), expected, "{term}");
        }
    }

    #[test]
    fn colours_that_the_caller_states_stay() {
        assert_eq!(vars_of("alacritty", "24bit")[1].1, "24bit");
        assert_eq!(vars_of("", "24bit"), []);
    }
}
