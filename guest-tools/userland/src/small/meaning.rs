//! What a program of jq means where jaq takes it otherwise.

use jaq_all::jaq_core::load::lex::StrPart;
use jaq_all::jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_all::jaq_core::ops::Math;
use jaq_all::jaq_core::path::{Part, Path};

type Program = Term<&'static str>;

/// A whole number that came out of a division is one, what is set is made with all above it, and what is deleted leaves the
/// others in their order. None of it may hold on to what it changes: that would be copied then, as often as it is changed.
const DEFINITIONS: &str = r#"
def handbox_whole: if isnumber and . == floor and . < 1e16 and . > -1e16 then floor end;
def handbox_lacks($path):
  if ($path | length) == 0 then false
  else getpath($path[:-1]) as $above
    | $above == null or (($path[-1] | isnumber) and ($above | isarray) and $path[-1] >= ($above | length)) end;
def handbox_may_lack: . == null or isarray;
def handbox_grow($path):
  if ($path | length) == 0 then .
  else $path[0] as $key
    | if . == null and ($key | isstring) then {} elif . == null and ($key | isnumber) then [] end
    | if isobject and ($key | isstring) then .[$key] = (.[$key] | handbox_grow($path[1:]))
      elif isarray and ($key | isnumber) and $key >= 0 then
        . + [range(length; $key + 1) | null] | .[$key] = (.[$key] | handbox_grow($path[1:]))
      end
  end;
def handbox_grown(paths):
  if isempty(path(paths)? as $path | select(handbox_lacks($path))) then .
  else reduce path(paths) as $path (.; handbox_grow($path)) end;
def setpath($path; $value): if handbox_lacks($path) then handbox_grow($path) end | getpath($path) = $value;
def handbox_array_without($path): delpaths([$path]);
def handbox_without($path):
  if . == null then .
  elif ($path | length) == 0 then null
  elif isobject and ($path[0] | isstring) then
    if has($path[0]) | not then .
    elif ($path | length) == 1 then $path[0] as $name | with_entries(select(.key != $name))
    else .[$path[0]] |= handbox_without($path[1:]) end
  elif ($path | length) == 1 then handbox_array_without($path)
  elif getpath([$path[0]]) == null then .
  else .[$path[0]] |= handbox_without($path[1:]) end;
def delpaths($paths): reduce ($paths | sort | reverse[]) as $path (.; handbox_without($path));
def del(f): delpaths([path(f)]);
"#;

/// What the program is called that is meant.
pub(super) const NAME: &str = "handbox_program";

/// What a value is called that is set.
const VALUE: &str = "$handbox_value";

/// The definitions that programs find.
pub(super) fn definitions() -> Vec<Def> {
    jaq_all::jaq_core::load::parse(DEFINITIONS, |parser| parser.defs()).unwrap_or_default()
}

/// A program under [`NAME`]. None if it cannot be read, or names modules.
pub(super) fn program(text: &str) -> Option<Def> {
    // It lives as long as the process, which runs no other.
    let text: &'static str = text.to_owned().leak();
    let body = jaq_all::jaq_core::load::parse(text, |parser| parser.term())?;
    Some(Def { name: NAME, args: Vec::new(), body: meant(body) })
}

#[expect(clippy::boxed_local, reason = "what it is called with is in a box")]
fn boxed(term: Box<Program>) -> Box<Program> {
    Box::new(meant(*term))
}

fn all(terms: Vec<Program>) -> Vec<Program> {
    terms.into_iter().map(meant).collect()
}

fn meant(term: Program) -> Program {
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) => term,
        Term::Str(format, parts) => text(format, parts),
        Term::Arr(inner) => Term::Arr(inner.map(boxed)),
        Term::Obj(entries) => {
            Term::Obj(entries.into_iter().map(|(key, value)| (meant(key), value.map(meant))).collect())
        }
        Term::Neg(inner) => Term::Neg(boxed(inner)),
        Term::BinOp(left, operator, right) => operation(boxed(left), operator, boxed(right)),
        Term::Label(name, inner) => Term::Label(name, boxed(inner)),
        Term::Fold(name, over, pattern, parts) => Term::Fold(name, boxed(over), taken_apart(pattern), all(parts)),
        Term::TryCatch(tried, caught) => Term::TryCatch(boxed(tried), caught.map(boxed)),
        Term::IfThenElse(cases, other) => {
            let cases = cases.into_iter().map(|(test, then)| (meant(test), meant(then)));
            Term::IfThenElse(cases.collect(), other.map(boxed))
        }
        Term::Def(definitions, inner) => {
            let definitions = definitions.into_iter().map(|known| Def { body: meant(known.body), ..known });
            Term::Def(definitions.collect(), boxed(inner))
        }
        Term::Call(name, values) => Term::Call(name, all(values)),
        Term::Path(from, path) => {
            let parts = path.0.into_iter().map(|(part, may_fail)| {
                let part = match part {
                    Part::Index(at) => Part::Index(meant(at)),
                    Part::Range(start, end) => Part::Range(start.map(meant), end.map(meant)),
                };
                (part, may_fail)
            });
            Term::Path(boxed(from), Path(parts.collect()))
        }
    }
}

/// A text; what is put into it without a format is written as `tostring` writes it.
fn text(format: Option<&'static str>, parts: Vec<StrPart<&'static str, Program>>) -> Program {
    let mut is_filled = false;
    let parts = parts.into_iter().map(|part| match part {
        StrPart::Term(term) => {
            is_filled = true;
            StrPart::Term(meant(term))
        }
        other => other,
    });
    let parts = parts.collect();
    Term::Str(format.or(is_filled.then_some("@text")), parts)
}

fn operation(left: Box<Program>, operator: BinaryOp<&'static str>, right: Box<Program>) -> Program {
    match operator {
        BinaryOp::Math(Math::Div) => {
            let whole = Box::new(Term::Call("handbox_whole", Vec::new()));
            Term::BinOp(Box::new(Term::BinOp(left, operator, right)), BinaryOp::Pipe(None), whole)
        }
        BinaryOp::Update => grown(left, |left| Term::BinOp(left, operator, right)),
        BinaryOp::Assign | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
            // The value is of what was there before.
            let value = Box::new(Term::Var(VALUE));
            let set = match operator {
                BinaryOp::UpdateMath(Math::Div) => {
                    let divided = operation(Box::new(Term::Id), BinaryOp::Math(Math::Div), value);
                    grown(left, |left| Term::BinOp(left, BinaryOp::Update, Box::new(divided)))
                }
                _ => grown(left, |left| Term::BinOp(left, operator, value)),
            };
            Term::BinOp(right, BinaryOp::Pipe(Some(Pattern::Var(VALUE))), Box::new(set))
        }
        BinaryOp::Pipe(pattern) => Term::BinOp(left, BinaryOp::Pipe(pattern.map(taken_apart)), right),
        _ => Term::BinOp(left, operator, right),
    }
}

/// What a place is in, where it is one place by a plain name or number each step of the way.
fn above(place: &Program) -> Option<Program> {
    let Term::Path(from, Path(parts)) = place else { return None };
    let is_plain = |at: &Program| match at {
        Term::Num(_) | Term::Var(_) => true,
        Term::Str(None, parts) => !parts.iter().any(|part| matches!(part, StrPart::Term(_))),
        _ => false,
    };
    let all_plain = parts.iter().all(|(part, _)| matches!(part, Part::Index(at) if is_plain(at)));
    let (_, above) = parts.split_last().filter(|_| all_plain && matches!(**from, Term::Id))?;
    Some(if above.is_empty() { Term::Id } else { Term::Path(from.clone(), Path(above.to_vec())) })
}

/// A change, behind what makes the place of it.
fn grown(place: Box<Program>, change: impl FnOnce(Box<Program>) -> Program) -> Program {
    let grow = Term::Call("handbox_grown", vec![(*place).clone()]);
    let grow = match above(&place) {
        // Most places have something above them, which is seen sooner than all that is there is looked at.
        Some(above) => {
            let lacks = Box::new(Term::Call("handbox_may_lack", Vec::new()));
            let test = Term::BinOp(Box::new(above), BinaryOp::Pipe(None), lacks);
            Term::IfThenElse(vec![(test, grow)], None)
        }
        None => grow,
    };
    Term::BinOp(Box::new(grow), BinaryOp::Pipe(None), Box::new(change(place)))
}

fn taken_apart(pattern: Pattern<&'static str>) -> Pattern<&'static str> {
    match pattern {
        Pattern::Var(_) => pattern,
        Pattern::Arr(parts) => Pattern::Arr(parts.into_iter().map(taken_apart).collect()),
        Pattern::Obj(entries) => {
            Pattern::Obj(entries.into_iter().map(|(key, part)| (meant(key), taken_apart(part))).collect())
        }
    }
}
