//! What a shell is told when its user presses Tab.
//!
//! The scripts that `completion` prints call this program with a variable set, and it answers from the command line's own
//! definition and from what lies under claude-reactor's home. So a provider that was added a minute ago completes, and no
//! script ever has to be made anew. An answer comes in a few milliseconds, asks no engine, writes nothing, names no key, and
//! says nothing where something is wrong: an error in the middle of a command line helps nobody.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, EnvCompleter, Shells};

use crate::cli::Cli;
use crate::config::file;
use crate::config::table;
use crate::host::Host;
use crate::inventory;
use crate::provider::catalog::{Catalog, Wire};
use crate::ui;
use crate::variant::Variant;

/// Set by the scripts. Not clap's own `COMPLETE`, which any program may have set for another one.
const VARIABLE: &str = "_CLAUDE_REACTOR_COMPLETE";

/// Answers a shell that asks; `None` where none does.
pub fn answer() -> Option<ExitCode> {
    let env = CompleteEnv::with_factory(command).var(VARIABLE).bin(NAME).completer(NAME);
    match env.try_complete(std::env::args_os(), std::env::current_dir().ok().as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(ExitCode::SUCCESS),
        Err(_) => Some(ExitCode::FAILURE),
    }
}

const NAME: &str = env!("CARGO_PKG_NAME");

/// The script for a shell of this name.
///
/// # Panics
/// If there is no such shell.
pub fn script(shell: &str) -> String {
    let own = match shell {
        "bash" => Some(BASH),
        "powershell" => Some(POWERSHELL),
        _ => None,
    };
    if let Some(script) = own {
        return script.replace("NAME", NAME).replace("VARIABLE", VARIABLE);
    }
    let shells = Shells::builtins();
    let shell: &dyn EnvCompleter = shells.completer(shell).expect("every shell of `completion` is known");
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, NAME, NAME, NAME, &mut script)
        .expect("writing to memory does not fail");
    let mut script = String::from_utf8(script).expect("a script is text").trim().to_owned();
    if shell.is("zsh") {
        // In a folder of `$fpath` the file is a function's body, called for the first completion: it has to answer that.
        script.push_str(
            "\nif [[ \"$funcstack[1]\" = _claude-reactor ]]; then\n    _clap_dynamic_completer_claude_reactor \"$@\"\nfi",
        );
    }
    script.push('\n');
    script
}

/// clap's own script for this shell does not complete `--llm-provider=z`: Bash hands that over as three words, and takes
/// only the last one back. Nor does it keep Bash from taking a `*` in a file's name for a pattern.
const BASH: &str = r#"_claude_reactor() {
    local words=() last=-1 at word prefix=
    for ((at = 0; at <= COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        if ((at == COMP_CWORD)) && [[ $word != [=:] ]]; then word=$2; fi
        if ((last >= 0)) && [[ $word == [=:] || ${words[last]} == *[=:] ]]; then
            words[last]+=$word
            if [[ $word == [=:] ]]; then prefix=${words[last]}; fi
        else
            words[++last]=$word
            prefix=
        fi
    done
    local space=true
    if compopt +o nospace 2>/dev/null; then space=false; fi
    COMPREPLY=()
    IFS=$'\013' read -r -d '' -a COMPREPLY < <(
        VARIABLE=bash _CLAP_IFS=$'\013' _CLAP_COMPLETE_INDEX=$last NAME -- "${words[@]}" 2>/dev/null
    )
    for at in "${!COMPREPLY[@]}"; do COMPREPLY[at]=${COMPREPLY[at]#"$prefix"}; done
    if [[ $space == false && ${COMPREPLY-} =~ [=/:]$ ]]; then compopt -o nospace; fi
}
if ((BASH_VERSINFO[0] > 4 || BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] >= 4)); then
    complete -o nospace -o bashdefault -o nosort -F _claude_reactor NAME
else
    complete -o nospace -o bashdefault -F _claude_reactor NAME
fi
"#;

/// clap's own script for this shell evaluates the command line as it stands, so that Tab would run what `$(…)` says.
const POWERSHELL: &str = r"Register-ArgumentCompleter -Native -CommandName NAME -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursorPosition } | ForEach-Object {
        if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
    })
    if ($wordToComplete -eq '') { $words += '' }
    $before = $env:VARIABLE
    $env:VARIABLE = 'powershell'
    try { $results = @(& NAME -- @words 2>$null) } finally { $env:VARIABLE = $before }
    $results | ForEach-Object {
        $value, $about = $_ -split ([char]9), 2
        if (-not $about) { $about = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
    }
}
";

/// The command line, each of its values with what may stand there.
fn command() -> Command {
    with_values(Cli::command(), None)
}

/// `group` is the command right below the program that this one stands under.
fn with_values(command: Command, group: Option<&str>) -> Command {
    let name = command.get_name().to_owned();
    let group = group.unwrap_or(&name);
    command
        .mut_args(|arg| match values(group, &arg) {
            Some(Values::Known(known)) => {
                arg.add(ArgValueCompleter::new(move |current: &OsStr| matching(known(), current)))
            }
            Some(Values::Paths(hint)) => arg.value_hint(hint),
            None => arg,
        })
        .mut_subcommands(|below| with_values(below, Some(group).filter(|_| name != NAME)))
}

/// What may stand as a value.
#[derive(Clone, Copy)]
enum Values {
    Known(fn() -> Vec<CompletionCandidate>),
    Paths(ValueHint),
}

/// What may stand as the value of this argument of a command, or of one below it.
fn values(group: &str, arg: &Arg) -> Option<Values> {
    let name = arg.get_value_names().and_then(|names| Some(names.first()?.as_str()));
    Some(match (group, arg.get_id().as_str(), name.unwrap_or_default()) {
        (_, "account", _) => Values::Known(accounts),
        (_, "llm_provider" | "provider", _) | ("llm", _, "NAME") => Values::Known(providers),
        (_, "image" | "variant" | "variants", _) => Values::Known(variants),
        (_, "engine", _) => Values::Known(engines),
        (_, _, "HASH-PREFIX" | "HASH_PREFIX" | "HASH") => Values::Known(projects),
        ("config", "key" | "keys", _) => Values::Known(keys),
        ("config", "value", _) => Values::Known(key_values),
        ("man", "command", _) => Values::Known(commands),
        (_, "mount", _) | (_, _, "DIR") => Values::Paths(ValueHint::DirPath),
        (_, "claude_args", _) => Values::Paths(ValueHint::AnyPath),
        (_, "file", _) | (_, _, "FILE") => Values::Paths(ValueHint::FilePath),
        _ => return None,
    })
}

fn matching(mut known: Vec<CompletionCandidate>, current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    known.retain(|candidate| candidate.get_value().to_str().is_some_and(|value| value.starts_with(current)));
    known
}

fn candidate(value: impl Into<String>, about: Option<&str>) -> CompletionCandidate {
    CompletionCandidate::new(value.into()).help(about.map(|about| StyledStr::from(ui::one_line(about))))
}

/// Where there is no home, or none that can be read, there is nothing to name.
fn reactor_home() -> Option<PathBuf> {
    Host::from_process().ok()?.reactor_home().ok()
}

fn accounts() -> Vec<CompletionCandidate> {
    let known = reactor_home().and_then(|home| inventory::accounts(&home).ok()).unwrap_or_default();
    known.iter().map(|account| candidate(account.as_str(), None)).collect()
}

/// The providers that a session can talk to: our rows and the user's. A file of the user's that cannot be read takes
/// nothing away from ours.
fn providers() -> Vec<CompletionCandidate> {
    let of_user = || {
        let path = Catalog::user_file(&reactor_home()?);
        let text = file::read_text(&path).ok()?;
        Catalog::load(Some((&path, &text))).ok()
    };
    let catalog = of_user().unwrap_or_else(Catalog::built_in);
    let usable = catalog.iter().filter(|provider| provider.wire == Wire::Anthropic);
    usable.map(|provider| candidate(provider.id.as_str(), Some(&provider.name))).collect()
}

fn variants() -> Vec<CompletionCandidate> {
    Variant::ALL.iter().map(|variant| candidate(variant.name(), None)).collect()
}

fn engines() -> Vec<CompletionCandidate> {
    ["docker", "podman"].iter().map(|engine| candidate(*engine, None)).collect()
}

/// The hashes of the projects that any account was used in.
fn projects() -> Vec<CompletionCandidate> {
    let Some(home) = reactor_home() else { return Vec::new() };
    let accounts = inventory::accounts(&home).unwrap_or_default();
    let known = accounts.iter().flat_map(|account| inventory::projects(&home, account).unwrap_or_default());
    let mut candidates: Vec<_> = known
        .map(|project| candidate(project.hash, Some(project.root.as_deref().unwrap_or(&project.name))))
        .collect();
    candidates.sort();
    candidates.dedup_by(|one, other| one.get_value() == other.get_value());
    candidates
}

fn keys() -> Vec<CompletionCandidate> {
    table::paths().map(|key| candidate(key, None)).collect()
}

/// The values of the key that stands before them on the command line.
fn key_values() -> Vec<CompletionCandidate> {
    let words = words();
    let key = words.iter().find_map(|word| table::all().find(|key| key.is(word) || key.alias == Some(word)));
    key.map(values_of).unwrap_or_default()
}

fn values_of(key: &table::Key) -> Vec<CompletionCandidate> {
    let these = |words: &[&'static str]| words.iter().map(|word| candidate(*word, None)).collect();
    match (key.path, key.kind) {
        ("account", _) => accounts(),
        ("llm.provider", _) => providers(),
        (_, table::Kind::Bool) => these(&["true", "false"]),
        (_, table::Kind::EnvMode) => these(&["session", "container"]),
        (_, table::Kind::Image) => variants(),
        (_, table::Kind::AgentSocket) => these(&["auto"]),
        (_, table::Kind::Engine) => engines(),
        _ => Vec::new(),
    }
}

/// The commands, or those below the one that stands before them.
fn commands() -> Vec<CompletionCandidate> {
    let program = Cli::command();
    let group =
        words().iter().find_map(|word| program.find_subcommand(word).filter(|it| it.has_subcommands()));
    let below = group.unwrap_or(&program).get_subcommands().filter(|below| !below.is_hide_set());
    below.map(|below| candidate(below.get_name(), None)).collect()
}

/// The command line that is being completed: what the script hands over after `--`, without the program and without the
/// word that is not finished.
fn words() -> Vec<String> {
    let mut words: Vec<String> = std::env::args_os()
        .skip_while(|word| word != "--")
        .skip(2)
        .filter_map(|word| word.into_string().ok())
        .collect();
    words.pop();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_that_names_something_known_completes() {
        let command = command();
        let run = command.find_subcommand("run").unwrap();
        for id in ["account", "llm_provider", "image", "engine"] {
            let arg = run.get_arguments().find(|arg| arg.get_id() == id).unwrap();
            assert!(arg.get::<ArgValueCompleter>().is_some(), "{id}");
        }
    }

    #[test]
    fn what_a_value_is_depends_on_the_command_it_stands_under() {
        let below = |name: &'static str, arg: Arg| {
            let leaf = Command::new("leaf").arg(arg);
            let program = Command::new(NAME).subcommand(Command::new(name).subcommand(leaf));
            let program = with_values(program, None);
            let leaf = program.find_subcommand(name).unwrap().find_subcommand("leaf").unwrap();
            let arg = leaf.get_arguments().next().unwrap();
            arg.get::<ArgValueCompleter>().map(|completer| {
                let all = completer.complete(OsStr::new("l"));
                all.iter().map(|one| one.get_value().to_string_lossy().into_owned()).collect::<Vec<_>>()
            })
        };
        let keys = ["llm.provider", "llm.model", "llm.small_model", "llm.env", "llm.export_key"];
        let limits = ["limits.cpus", "limits.memory", "limits.pids"];
        let all = keys.iter().chain(&limits).map(|key| (*key).to_owned()).collect::<Vec<_>>();
        assert_eq!(below("config", Arg::new("key")), Some(all));
        assert_eq!(below("exec", Arg::new("key")), None);
        let providers = below("llm", Arg::new("provider").value_name("NAME")).unwrap();
        assert!(providers.contains(&"lmstudio".to_owned()), "{providers:?}");
    }

    #[test]
    fn every_shell_has_a_script_that_finds_the_program_by_its_name() {
        for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
            let script = script(shell);
            assert!(script.contains(VARIABLE) && script.contains(NAME), "{shell}: {script}");
            assert!(
                !script.contains('/') || !script.contains(env!("CARGO_MANIFEST_DIR")),
                "{shell}: {script}"
            );
        }
    }
}
