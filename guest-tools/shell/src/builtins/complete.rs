//! `compgen`: what could complete a word. There is no terminal, so nothing is ever completed.

use crate::pattern::Pattern;
use crate::shell::{Run, Shell};
use std::collections::BTreeSet;
use std::path::Path;

/// What is asked for.
#[derive(Default)]
struct Wish {
    actions: BTreeSet<&'static str>,
    words: Option<String>,
    files: Option<String>,
    prefix: String,
    suffix: String,
    filter: Option<String>,
    word: String,
}

/// The actions that are known, in the order in which their words come.
const ACTIONS: &[(&str, Option<char>)] = &[
    ("alias", Some('a')),
    ("keyword", Some('k')),
    ("function", None),
    ("builtin", Some('b')),
    ("command", Some('c')),
    ("variable", Some('v')),
    ("arrayvar", None),
    ("export", Some('e')),
    ("file", Some('f')),
    ("directory", Some('d')),
    ("group", Some('g')),
    ("job", Some('j')),
    ("service", Some('s')),
    ("user", Some('u')),
    ("hostname", None),
    ("signal", None),
    ("setopt", None),
    ("shopt", None),
];

pub(super) fn compgen(shell: &mut Shell, args: &[String]) -> Run {
    let wish = match wish(args) {
        Ok(wish) => wish,
        Err(why) => {
            shell.complain(&format!("compgen: {why}"));
            return Ok(2);
        }
    };
    let mut words = Vec::new();
    for (action, _) in ACTIONS.iter().filter(|(name, _)| wish.actions.contains(name)) {
        words.extend(of_action(shell, action, &wish.word));
    }
    if let Some(pattern) = &wish.files {
        words.extend(shell.glob(pattern));
    }
    if let Some(source) = &wish.words {
        let mut listed = Vec::new();
        shell.expand_into(source, &mut listed)?;
        words.extend(listed.iter().flat_map(|word| word.split_whitespace()).map(str::to_owned));
    }
    words.retain(|word| word.starts_with(&wish.word));
    if let Some(filter) = &wish.filter {
        let (keeps, pattern) = filter.strip_prefix('!').map_or((false, filter.as_str()), |pattern| (true, pattern));
        let pattern = Pattern::new(&pattern.replace('&', &wish.word));
        words.retain(|word| pattern.matches(word) == keeps);
    }
    let text: String = words.iter().map(|word| format!("{}{word}{}\n", wish.prefix, wish.suffix)).collect();
    shell.out(&text)?;
    Ok(i32::from(words.is_empty()))
}

fn wish(args: &[String]) -> Result<Wish, String> {
    let mut wish = Wish::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            wish.word.clone_from(arg);
            continue;
        };
        if letters == "-" {
            continue;
        }
        let mut value = |letter| rest.next().cloned().ok_or_else(|| format!("-{letter}: option requires an argument"));
        for letter in letters.chars() {
            match letter {
                'W' => wish.words = Some(value(letter)?),
                'G' => wish.files = Some(value(letter)?),
                'P' => wish.prefix = value(letter)?,
                'S' => wish.suffix = value(letter)?,
                'X' => wish.filter = Some(value(letter)?),
                // Who would be asked for words; nobody is.
                'F' | 'C' | 'o' => drop(value(letter)?),
                'A' => {
                    let name = value(letter)?;
                    let known = ACTIONS.iter().find(|(known, _)| *known == name);
                    wish.actions.insert(known.ok_or_else(|| format!("{name}: invalid action name"))?.0);
                }
                letter => {
                    let known = ACTIONS.iter().find(|(_, known)| *known == Some(letter));
                    wish.actions.insert(known.ok_or_else(|| format!("-{letter}: invalid option"))?.0);
                }
            }
        }
    }
    Ok(wish)
}

fn of_action(shell: &Shell, action: &str, word: &str) -> Vec<String> {
    let owned = |words: &mut dyn Iterator<Item = &str>| words.map(str::to_owned).collect::<Vec<_>>();
    let visible = shell.state.vars.visible();
    match action {
        "alias" => shell.state.aliases.keys().cloned().collect(),
        "keyword" => owned(&mut super::info::KEYWORDS.iter().copied()),
        "function" => shell.state.functions.keys().cloned().collect(),
        "builtin" => owned(&mut super::ALL.iter().map(|(name, _)| *name)),
        "command" => commands(shell),
        "variable" => visible.into_keys().cloned().collect(),
        "arrayvar" => {
            let lists = visible.into_iter().filter(|(_, variable)| variable.flags().contains(['a', 'A']));
            lists.map(|(name, _)| name.clone()).collect()
        }
        "export" => {
            let exported = visible.into_iter().filter(|(_, variable)| variable.has.exported);
            exported.map(|(name, _)| name.clone()).collect()
        }
        "file" => files(shell, word, false),
        "directory" => files(shell, word, true),
        "signal" => super::kill::names(),
        "setopt" => owned(&mut crate::state::SET.iter().map(|(name, ..)| *name)),
        "shopt" => owned(&mut crate::state::SHOPT.iter().map(|(name, ..)| *name)),
        _ => Vec::new(),
    }
}

/// Everything that can stand first in a command.
fn commands(shell: &Shell) -> Vec<String> {
    let names = ["alias", "keyword", "function", "builtin"].into_iter();
    names.flat_map(|action| of_action(shell, action, "")).chain(crate::system::programs()).collect()
}

fn files(shell: &Shell, word: &str, only_folders: bool) -> Vec<String> {
    let quoted: String = word.chars().flat_map(|c| ['\\', c]).collect();
    let mut found = shell.glob(&format!("{quoted}*"));
    found.retain(|path| !only_folders || Path::new(&shell.absolute(path)).is_dir());
    found
}
