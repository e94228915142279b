//! The part of the Dockerfile that one stage is made of.
//!
//! A classic builder builds every stage that stands before the one that is asked for, needed or not; and the tag of a small
//! image must not change with what only a big one has. So an engine is sent the needed stages alone, and the tag is
//! a digest of just that text.

use std::collections::BTreeSet;

/// The Dockerfile with the stages that `target` needs, without comments and blank lines: what stands before the first
/// stage, then the target, what it is made from, and what it copies from, as they stood.
pub fn stage(dockerfile: &str, target: &str) -> String {
    let instructions = instructions(dockerfile);
    let stages: Vec<_> = instructions.iter().map(|instruction| Stage::begun_by(instruction)).collect();
    let first = stages.iter().position(Option::is_some).unwrap_or(instructions.len());
    // Which instructions belong to which stage.
    let mut of_stage: Vec<(&Stage<'_>, Vec<&String>)> = Vec::new();
    for (instruction, begun) in instructions.iter().zip(&stages).skip(first) {
        match (begun, of_stage.last_mut()) {
            (Some(stage), _) => of_stage.push((stage, vec![instruction])),
            (None, Some((_, body))) => body.push(instruction),
            (None, None) => unreachable!("the first one begins a stage"),
        }
    }
    let mut needed = BTreeSet::new();
    let mut wanted = vec![target];
    while let Some(name) = wanted.pop() {
        // Any other name is an image's.
        let Some((stage, body)) = of_stage.iter().find(|(stage, _)| stage.name == name) else { continue };
        if needed.insert(name) {
            wanted.push(stage.from);
            wanted.extend(body.iter().filter_map(|instruction| copied_from(instruction)));
        }
    }
    let kept = of_stage.iter().filter(|(stage, _)| needed.contains(stage.name)).flat_map(|(_, body)| body);
    let lines: Vec<&str> = instructions[..first].iter().chain(kept.copied()).map(String::as_str).collect();
    lines.join("\n") + "\n"
}

struct Stage<'d> {
    name: &'d str,
    from: &'d str,
}

impl<'d> Stage<'d> {
    /// The stage that an instruction begins; one without a name can be nobody's target.
    fn begun_by(instruction: &'d str) -> Option<Self> {
        let mut words = instruction.split_whitespace();
        if words.next()? != "FROM" {
            return None;
        }
        let from = words.next().unwrap_or_default();
        let name = if words.next() == Some("AS") { words.next() } else { None };
        Some(Self { name: name.unwrap_or_default(), from })
    }
}

fn copied_from(instruction: &str) -> Option<&str> {
    let mut words = instruction.split_whitespace();
    if words.next()? != "COPY" {
        return None;
    }
    words.find_map(|word| word.strip_prefix("--from="))
}

/// The instructions, each with the lines it goes on in, without comments and blank lines.
fn instructions(dockerfile: &str) -> Vec<String> {
    let mut instructions: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in dockerfile.lines() {
        let line = line.trim_end();
        if line.is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        match instructions.last_mut() {
            Some(instruction) if goes_on => {
                instruction.push('\n');
                instruction.push_str(line);
            }
            _ => instructions.push(line.to_owned()),
        }
        goes_on = line.ends_with('\\');
    }
    instructions
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# What it is.
ARG GLOBAL=1

FROM debian AS tools
RUN a \\
    # why
    && FROM-like

FROM debian AS unused
RUN b

FROM debian AS base
COPY --from=tools /x /x
USER one

# More.
FROM base AS go
RUN c
FROM go AS full
FROM full AS k8s
COPY --chown=1 --from=unused /y /y
";

    #[test]
    fn a_stage_brings_what_it_is_made_of_and_nothing_else() {
        assert_eq!(
            stage(TEXT, "go"),
            "ARG GLOBAL=1\nFROM debian AS tools\nRUN a \\\n    && FROM-like\nFROM debian AS base\n\
             COPY --from=tools /x /x\nUSER one\nFROM base AS go\nRUN c\n"
        );
        assert_eq!(stage(TEXT, "unused"), "ARG GLOBAL=1\nFROM debian AS unused\nRUN b\n");
        let all: String = TEXT
            .lines()
            .filter(|line| !line.is_empty() && !line.trim().starts_with('#'))
            .fold(String::new(), |all, line| all + line + "\n");
        assert_eq!(stage(TEXT, "k8s"), all);
        assert_eq!(stage(TEXT, "absent"), "ARG GLOBAL=1\n");
    }

    #[test]
    fn a_stage_is_the_same_whatever_is_added_behind_it_or_said_about_it() {
        let more = TEXT.replace("# More.", "# Others.\n\n") + "RUN d\nFROM k8s AS more\n";
        for target in ["base", "go", "full", "unused"] {
            assert_eq!(stage(TEXT, target), stage(&more, target));
        }
        assert_ne!(stage(TEXT, "k8s"), stage(&more, "k8s"));
        assert_ne!(stage(TEXT, "go"), stage(&TEXT.replace("RUN a", "RUN z"), "go"));
    }
}
