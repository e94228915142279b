use super::*;
use crate::config::file;
use proptest::prelude::*;
use std::path::Path;

fn layer(source: Source, values: Values) -> Layer {
    Layer { source, values }
}

fn llm(provider: Option<&str>, model: Option<&str>) -> Values {
    Values {
        provider: provider.map(|name| name.parse().unwrap()),
        model: model.map(str::to_owned),
        ..Values::default()
    }
}

#[test]
fn nothing_said_means_claude_without_danger() {
    let settings = resolve(&[]);
    assert_eq!(settings.provider.value.as_str(), "claude");
    assert_eq!(settings.provider.source, Source::Default);
    assert!(!settings.danger.value);
    assert_eq!(settings.model, None);
    assert_eq!(settings.env.value, EnvMode::Session);
}

#[test]
fn a_model_stays_with_the_provider_it_was_chosen_for() {
    let file = layer(Source::SessionFile("s".into()), llm(Some("zai"), Some("glm-4.6")));
    let kept = resolve(std::slice::from_ref(&file));
    assert_eq!(kept.model.unwrap().value, "glm-4.6");

    let other = layer(Source::Environment, llm(Some("deepseek"), None));
    assert_eq!(resolve(&[file.clone(), other]).model, None);

    let same = layer(Source::Environment, llm(Some("zai"), None));
    assert_eq!(resolve(&[file.clone(), same]).model.unwrap().value, "glm-4.6");

    let model_only = layer(Source::Flag, llm(None, Some("glm-5.2")));
    assert_eq!(resolve(&[file, model_only]).model.unwrap().value, "glm-5.2");
}

#[test]
fn a_model_chosen_without_a_provider_is_claudes() {
    let file = layer(Source::ProjectFile("p".into()), llm(None, Some("opus")));
    assert_eq!(resolve(std::slice::from_ref(&file)).model.unwrap().value, "opus");
    let other = layer(Source::Flag, llm(Some("zai"), None));
    assert_eq!(resolve(&[file, other]).model, None);
}

fn sources() -> [Source; 5] {
    [
        Source::UserFile("u".into()),
        Source::ProjectFile("p".into()),
        Source::SessionFile("s".into()),
        Source::Environment,
        Source::Flag,
    ]
}

/// What a file of the user's says.
fn said(text: &str) -> Values {
    file::user_file(Path::new("/h/config.yaml"), text).unwrap().values
}

#[test]
fn mounts_of_all_layers_count_and_variables_are_merged_name_by_name() {
    let settings = resolve(&[
        layer(Source::UserFile("u".into()), said("mounts: [/a]\nenv: {A: low, B: low}\n")),
        layer(Source::AccountFile("a".into()), said("mounts: [/b, /c]\nenv: {B: mid, C: mid}\n")),
        layer(Source::Flag, said("mounts: [/d]\n")),
    ]);
    let mounts: Vec<_> =
        settings.mounts.iter().map(|mount| (mount.value.given.as_str(), mount.source.to_string())).collect();
    let expected = [("/a", "u"), ("/b", "a"), ("/c", "a"), ("/d", "flag")];
    assert_eq!(mounts, expected.map(|(given, source)| (given, source.to_owned())));
    let variables: Vec<_> = settings
        .variables
        .iter()
        .map(|(name, setting)| (name.as_str(), setting.value.value.as_str(), setting.source.to_string()))
        .collect();
    let expected = [("A", "low", "u"), ("B", "mid", "a"), ("C", "mid", "a")];
    assert_eq!(variables, expected.map(|(name, value, source)| (name, value, source.to_owned())));
}

#[test]
fn each_limit_is_chosen_for_itself() {
    let settings = resolve(&[
        layer(Source::UserFile("u".into()), said("limits: {cpus: 1, memory: 1g}\n")),
        layer(Source::SessionFile("s".into()), said("limits: {memory: 2g}\n")),
    ]);
    let Limits { cpus, memory, pids } = settings.limits;
    assert_eq!(cpus.unwrap().source, Source::UserFile("u".into()));
    assert_eq!(memory.unwrap().value.to_string(), "2g");
    assert_eq!(pids, None);
}

proptest! {
    #[test]
    fn the_highest_layer_that_speaks_wins_and_is_remembered(
        dangers in proptest::array::uniform5(any::<Option<bool>>()),
        providers in proptest::array::uniform5(proptest::option::of("[a-z]{1,4}")),
    ) {
        let layers: Vec<Layer> = sources()
            .into_iter()
            .enumerate()
            .map(|(i, source)| {
                let provider = providers[i].as_ref().map(|name| name.parse().unwrap());
                layer(source, Values { danger: dangers[i], provider, ..Values::default() })
            })
            .collect();
        let settings = resolve(&layers);
        let highest = |spoke: &dyn Fn(usize) -> bool| (0..5).rev().find(|i| spoke(*i));
        let danger = highest(&|i| dangers[i].is_some());
        prop_assert_eq!(settings.danger.value, danger.and_then(|i| dangers[i]).unwrap_or(false));
        prop_assert_eq!(settings.danger.source, danger.map_or(Source::Default, |i| sources()[i].clone()));
        let provider = highest(&|i| providers[i].is_some());
        let name = provider.and_then(|i| providers[i].as_deref()).unwrap_or("claude");
        prop_assert_eq!(settings.provider.value.as_str(), name);
        prop_assert_eq!(settings.provider.source, provider.map_or(Source::Default, |i| sources()[i].clone()));
    }
}
