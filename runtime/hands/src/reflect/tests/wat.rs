//! Components as text: functions that give back the list they were given.

use super::*;
use std::fmt::Write;

/// A guest with an allocator and three functions: `echo` gives back the list it was
/// given, `swallow` gives nothing, and `trap` traps.
const CORE: &str = r#"
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 64))
    (func (export "realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
      (local $start i32)
      (local.set $start (i32.and
        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
        (i32.xor (i32.sub (local.get $align) (i32.const 1)) (i32.const -1))))
      (global.set $next (i32.add (local.get $start) (local.get $size)))
      (block $enough (loop $more
        (br_if $enough (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
        (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
        (br $more)))
      (local.get $start))
    (func (export "echo") (param i32 i32) (result i32)
      (i32.store (i32.const 8) (local.get 0))
      (i32.store (i32.const 12) (local.get 1))
      (i32.const 8))
    (func (export "swallow") (param i32 i32))
    (func (export "trap") unreachable))
  (core instance $i (instantiate $m))
"#;

/// How [`CORE`]'s functions are lifted where memory is needed.
pub(super) const LIFTED: &str = r#"(memory (core memory $i "memory")) (realloc (core func $i "realloc"))"#;

/// A component around [`CORE`] with `rest`, in which `LIFT` stands for [`LIFTED`].
pub(super) fn around_core(rest: &str) -> Component {
    component(&format!("(component {CORE} {})", rest.replace("LIFT", LIFTED)))
}

/// A component with functions `echo0`, `echo1` … from `list<shape>` to itself.
pub(super) fn echoes(shapes: &[Shape]) -> Component {
    let mut types = Types::default();
    let mut functions = String::new();
    for (index, shape) in shapes.iter().enumerate() {
        let ty = types.define(shape);
        write!(
            functions,
            r#"(type $l{index} (list {ty}))
            (func (export "echo{index}") (param "v" $l{index}) (result $l{index})
              (canon lift (core func $i "echo") LIFT))"#
        )
        .unwrap();
    }
    around_core(&(types.text + &functions))
}

/// Type definitions, each under a name.
#[derive(Default)]
struct Types {
    text: String,
    count: usize,
}

impl Types {
    /// Defines what `shape` needs and gives the text that refers to it.
    fn define(&mut self, shape: &Shape) -> String {
        let pairs = |types: &mut Self, keyword: &str, items: Vec<(&str, Option<&Shape>)>| {
            let items = items.into_iter().map(|(name, shape)| {
                let ty = shape.map(|shape| types.define(shape)).unwrap_or_default();
                format!("({keyword} \"{name}\" {ty})")
            });
            items.collect::<Vec<_>>().join(" ")
        };
        let quoted = |names: &Named<()>| names.names().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" ");
        let optional = |types: &mut Self, shape: &Option<Box<Shape>>| shape.as_ref().map(|shape| types.define(shape));
        let text = match shape {
            Shape::Bool | Shape::Int(_) | Shape::F32 | Shape::F64 | Shape::Char | Shape::String => {
                return shape.to_string();
            }
            Shape::Bytes => "(list u8)".to_owned(),
            Shape::List(item) => format!("(list {})", self.define(item)),
            Shape::Array(item, len) => format!("(list {} {len})", self.define(item)),
            Shape::Map(key, value) => format!("(map {} {})", self.define(key), self.define(value)),
            Shape::Record(fields) => {
                let fields = fields.iter().map(|(name, shape)| (name, Some(shape))).collect();
                format!("(record {})", pairs(self, "field", fields))
            }
            Shape::Tuple(items) => {
                format!("(tuple {})", items.iter().map(|item| self.define(item)).collect::<Vec<_>>().join(" "))
            }
            Shape::Variant(cases) => {
                let cases = cases.iter().map(|(name, shape)| (name, shape.as_ref())).collect();
                format!("(variant {})", pairs(self, "case", cases))
            }
            Shape::Enum(names) => format!("(enum {})", quoted(names)),
            Shape::Flags(names) => format!("(flags {})", quoted(names)),
            Shape::Option(some) => format!("(option {})", self.define(some)),
            Shape::Result(ok, err) => {
                let ok = optional(self, ok).unwrap_or_default();
                let err = optional(self, err).map(|err| format!("(error {err})")).unwrap_or_default();
                format!("(result {ok} {err})")
            }
        };
        self.exported(&text)
    }

    /// Records and their kin must be exported before a function may use them.
    fn exported(&mut self, text: &str) -> String {
        let n = self.count;
        self.count += 1;
        writeln!(self.text, "(type $raw{n} {text}) (export $t{n} \"t{n}\" (type $raw{n}))").unwrap();
        format!("$t{n}")
    }
}
