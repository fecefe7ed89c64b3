//! Declaring variables and taking them away.

use crate::exec::simple::{Arg, Parts};
use crate::expand::split_reference;
use crate::shell::{Run, Shell};
use crate::state::{Function, is_name};
use crate::text::double_quoted;
use crate::vars::{Attributes, Table, Value, Variable};
use crate::word::Index;
use brush_parser::ast::{Assignment, AssignmentName, AssignmentValue};
use std::rc::Rc;

/// What is declared: a name, or an assignment.
enum Item<'a> {
    Text(String),
    Parsed(&'a Assignment),
}

/// What the options ask for.
#[derive(Default)]
struct Wish {
    on: String,
    off: String,
    local: bool,
    global: bool,
    print: bool,
    functions: bool,
    function_names: bool,
}

impl Shell {
    /// `declare`, `local`, `export`, `readonly`: their assignments are not split.
    pub(crate) fn run_declaration(&mut self, name: &str, parts: &Parts<'_>) -> Run {
        let mut items = Vec::new();
        for word in &parts.words[1..] {
            match word {
                Arg::Assignment(assignment, _) => items.push(Item::Parsed(assignment)),
                word => {
                    let texts = self.expand_args(std::slice::from_ref(word))?;
                    items.extend(texts.into_iter().map(Item::Text));
                }
            }
        }
        if self.state.has(crate::state::XTRACE) {
            self.trace(name);
        }
        self.with_redirect_refs(&parts.redirects, |shell| {
            for assignment in &parts.assignments {
                shell.assign_parsed(assignment)?;
            }
            declare(shell, name, &items)
        })
    }
}

pub(super) fn plain(shell: &mut Shell, args: &[String]) -> Run {
    of_texts(shell, "declare", args)
}

pub(super) fn of_texts(shell: &mut Shell, name: &str, args: &[String]) -> Run {
    let items: Vec<Item<'_>> = args.iter().map(|arg| Item::Text(arg.clone())).collect();
    declare(shell, name, &items)
}

fn declare(shell: &mut Shell, name: &str, items: &[Item<'_>]) -> Run {
    let mut wish = Wish::default();
    let mut rest = items;
    while let [Item::Text(text), more @ ..] = rest {
        let (on, letters) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
            (Some(letters), _) if !letters.is_empty() => (true, letters),
            (_, Some(letters)) if !letters.is_empty() => (false, letters),
            _ => break,
        };
        rest = more;
        if text == "--" {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'g' => wish.global = true,
                'p' => wish.print = true,
                'f' => wish.functions = true,
                'F' => wish.function_names = true,
                'n' if name == "export" => wish.off.push('x'),
                'a' | 'A' | 'i' | 'l' | 'n' | 'r' | 'u' | 'x' | 't' | 'I' => {
                    if on { &mut wish.on } else { &mut wish.off }.push(letter)
                }
                _ => {
                    shell.complain(&format!("{name}: -{letter}: invalid option"));
                    return Ok(2);
                }
            }
        }
    }
    match name {
        "export" if wish.off.is_empty() => wish.on.push('x'),
        "readonly" => wish.on.push('r'),
        "local" if !shell.state.vars.in_function() => return shell.fail("local: can only be used in a function"),
        _ => {}
    }
    wish.local =
        name == "local" || (matches!(name, "declare" | "typeset") && shell.state.vars.in_function() && !wish.global);
    if wish.functions || wish.function_names {
        return functions(shell, &wish, rest);
    }
    if rest.is_empty() || wish.print {
        return print(shell, name, &wish, rest);
    }
    let mut status = 0;
    for item in rest {
        status |= declare_one(shell, name, &wish, item)?;
    }
    Ok(status)
}

/// A name to be declared, and what it is given.
struct Target {
    name: String,
    index: Option<Index>,
    value: Option<(String, bool)>,
}

fn target_of(text: &str) -> Target {
    let (left, value) = match text.split_once('=') {
        Some((left, value)) => match left.strip_suffix('+') {
            Some(left) => (left, Some((value.to_owned(), true))),
            None => (left, Some((value.to_owned(), false))),
        },
        None => (text, None),
    };
    let (name, index) = split_reference(left);
    Target { name, index, value }
}

fn declare_one(shell: &mut Shell, command: &str, wish: &Wish, item: &Item<'_>) -> Run {
    let mut array = None;
    let target = match item {
        Item::Text(text) => {
            let target = target_of(text);
            if let Some((value, append)) = &target.value
                && value.starts_with('(')
                && value.ends_with(')')
                && (wish.on.contains(['a', 'A']))
            {
                return eval_array(shell, wish, command, &target, value, *append);
            }
            target
        }
        Item::Parsed(assignment) => {
            let (name, index) = match &assignment.name {
                AssignmentName::VariableName(name) => (name.clone(), None),
                AssignmentName::ArrayElementName(name, index) => (name.clone(), Some(Index::At(index.clone()))),
            };
            let value = match &assignment.value {
                AssignmentValue::Scalar(word) => Some((shell.expand_assigned(&word.value)?, assignment.append)),
                AssignmentValue::Array(items) => {
                    array = Some((items, assignment.append));
                    None
                }
            };
            Target { name, index, value }
        }
    };
    if !is_name(&target.name) {
        let shown = target.value.as_ref().map_or(target.name.clone(), |(value, _)| format!("{}={value}", target.name));
        return shell.fail(&format!("{command}: `{shown}': not a valid identifier"));
    }
    let assigns = target.value.is_some() || array.is_some();
    if assigns && !wish.local && shell.refuse_readonly(&target.name).is_err() {
        return Ok(1);
    }
    prepare(shell, wish, &target, array.is_some());
    if let Some((items, append)) = array {
        shell.assign_array(&target.name, items, append)?;
    } else if let Some((value, append)) = &target.value {
        if wish.on.contains('n') {
            shell.vars().entry(&target.name).value = Value::Scalar(value.clone());
        } else if shell.assign((&target.name, target.index.as_ref()), value, *append).is_err() {
            return Ok(1);
        }
    }
    let entry = entry(shell, wish, &target.name);
    entry.has.readonly |= wish.on.contains('r');
    entry.has.nameref |= wish.on.contains('n');
    Ok(0)
}

/// `declare -a "x=(…)"`: the text is read as an assignment.
fn eval_array(shell: &mut Shell, wish: &Wish, command: &str, target: &Target, value: &str, append: bool) -> Run {
    prepare(shell, wish, target, true);
    let _ = command;
    let sign = if append { "+=" } else { "=" };
    shell.run_text(&format!("{}{sign}{value}", target.name))
}

fn entry<'a>(shell: &'a mut Shell, wish: &Wish, name: &str) -> &'a mut Variable {
    let vars = shell.vars();
    if wish.local {
        vars.local_entry(name)
    } else if wish.global {
        vars.global_entry(name)
    } else {
        vars.entry(name)
    }
}

/// Makes the variable, of the kind and with the attributes that are asked for.
fn prepare(shell: &mut Shell, wish: &Wish, target: &Target, array: bool) {
    let fresh = wish.local && !shell.state.vars.is_local(&target.name);
    let name = if wish.on.contains('n') || wish.off.contains('n') || fresh {
        target.name.clone()
    } else {
        shell.target(&target.name).0
    };
    let outer = fresh.then(|| shell.state.vars.get(&name).map(|variable| variable.has.exported)).flatten();
    let variable = entry(shell, wish, &name);
    if fresh && outer == Some(true) {
        variable.has.exported = true;
    }
    if wish.on.contains('A') && !matches!(variable.value, Value::Table(_)) {
        variable.value = Value::Table(Table::default());
    } else if (wish.on.contains('a') || array || matches!(target.index, Some(Index::At(_))))
        && matches!(variable.value, Value::Unset | Value::Scalar(_))
    {
        crate::assign::indexed(&mut variable.value);
    }
    set_attributes(&mut variable.has, &wish.on, true);
    set_attributes(&mut variable.has, &wish.off, false);
}

fn set_attributes(has: &mut Attributes, letters: &str, on: bool) {
    for letter in letters.chars() {
        match letter {
            'i' => has.integer = on,
            'l' => (has.lower, has.upper) = (on, false),
            'u' => (has.upper, has.lower) = (on, false),
            'x' => has.exported = on,
            'n' if !on => has.nameref = false,
            _ => {}
        }
    }
}

fn functions(shell: &mut Shell, wish: &Wish, items: &[Item<'_>]) -> Run {
    let names: Vec<String> = if items.is_empty() {
        shell.state.functions.keys().cloned().collect()
    } else {
        items.iter().filter_map(|item| if let Item::Text(text) = item { Some(text.clone()) } else { None }).collect()
    };
    let mut status = 0;
    for name in names {
        let Some(function) = shell.state.functions.get(&name).cloned() else {
            if !wish.on.is_empty() {
                shell.complain(&format!("export: {name}: not a function"));
            }
            status = 1;
            continue;
        };
        if !items.is_empty() && (wish.on.contains('x') || wish.off.contains('x')) {
            let exported = Function { exported: wish.on.contains('x'), ..(*function).clone() };
            Rc::make_mut(&mut shell.state.functions).insert(name, Rc::new(exported));
            continue;
        }
        let text = match (wish.function_names, items.is_empty()) {
            (true, true) => format!("declare -f{} {name}\n", if function.exported { "x" } else { "" }),
            (true, false) => format!("{name}\n"),
            _ => format!("{name} () \n{}\n", function.body),
        };
        shell.out(&text)?;
    }
    Ok(status)
}

fn print(shell: &mut Shell, command: &str, wish: &Wish, items: &[Item<'_>]) -> Run {
    let mut status = 0;
    let mut text = String::new();
    if items.is_empty() {
        for (name, variable) in shell.state.vars.visible() {
            let flags = variable.flags();
            let fits = wish.on.chars().all(|letter| flags.contains(letter));
            let local = command != "local" || shell.state.vars.locals().any(|(local, _)| local == name);
            if fits && local {
                text += &(shown(name, variable) + "\n");
            }
        }
    }
    for item in items {
        let Item::Text(name) = item else { continue };
        match shell.state.vars.get(name) {
            Some(variable) => text += &(shown(name, variable) + "\n"),
            None => {
                shell.complain(&format!("{command}: {name}: not found"));
                status = 1;
            }
        }
    }
    shell.out(&text)?;
    Ok(status)
}

/// A variable as `declare -p` shows it.
pub(crate) fn shown(name: &str, variable: &Variable) -> String {
    let flags = variable.flags();
    let flags = if flags.is_empty() { "-".to_owned() } else { flags };
    let value = match &variable.value {
        Value::Unset => return format!("declare -{flags} {name}"),
        Value::Scalar(text) => double_quoted(text),
        Value::Indexed(items) => {
            let items: Vec<String> = items.iter().map(|(at, text)| format!("[{at}]={}", double_quoted(text))).collect();
            format!("({})", items.join(" "))
        }
        Value::Table(items) => {
            let key = |key: &str| {
                if key.chars().all(|c| c.is_alphanumeric() || "_.-/".contains(c)) && !key.is_empty() {
                    key.to_owned()
                } else {
                    double_quoted(key)
                }
            };
            let items: String =
                items.iter().map(|(name, text)| format!("[{}]={} ", key(name), double_quoted(text))).collect();
            format!("({items})")
        }
    };
    format!("declare -{flags} {name}={value}")
}

pub(super) fn unset(shell: &mut Shell, args: &[String]) -> Run {
    let (mut only_functions, mut only_variables, mut reference) = (false, false, false);
    let mut status = 0;
    for arg in args {
        match arg.as_str() {
            "-f" => only_functions = true,
            "-v" => only_variables = true,
            "-n" => reference = true,
            "--" => {}
            text => status |= unset_one(shell, text, (only_functions, only_variables, reference))?,
        }
    }
    Ok(status)
}

fn unset_one(shell: &mut Shell, text: &str, (only_functions, only_variables, reference): (bool, bool, bool)) -> Run {
    if only_functions {
        Rc::make_mut(&mut shell.state.functions).remove(text);
        return Ok(0);
    }
    let (name, index) = split_reference(text);
    let (name, index) = if reference {
        (name, index)
    } else {
        let (target, own) = shell.target(&name);
        (target, own.or(index))
    };
    if !is_name(&name) && !only_variables && Rc::make_mut(&mut shell.state.functions).remove(text).is_some() {
        return Ok(0);
    }
    let Some(variable) = shell.state.vars.get(&name) else {
        if !only_variables {
            Rc::make_mut(&mut shell.state.functions).remove(text);
        }
        return Ok(0);
    };
    if variable.has.readonly {
        return shell.fail(&format!("unset: {name}: cannot unset: readonly variable"));
    }
    match (index, variable.value.clone()) {
        (None | Some(Index::Each | Index::Joined), _) => {
            shell.vars().remove(&name);
        }
        (Some(Index::At(source)), Value::Table(mut items)) => {
            let key = shell.expand_one(&source)?;
            items.remove(&key);
            shell.vars().entry(&name).value = Value::Table(items);
        }
        (Some(Index::At(source)), Value::Indexed(mut items)) => {
            let source = shell.expand_one(&source)?;
            let at = shell.arithmetic(&source)?;
            let end = items.keys().next_back().map_or(0, |last| last + 1);
            let at = if at < 0 { end + at } else { at };
            if at < 0 {
                return shell.fail(&format!("unset: [{source}]: bad array subscript"));
            }
            items.remove(&at);
            shell.vars().entry(&name).value = Value::Indexed(items);
        }
        (Some(Index::At(_)), _) => {
            shell.vars().remove(&name);
        }
    }
    Ok(0)
}
