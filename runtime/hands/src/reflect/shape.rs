//! What a value of a WIT type looks like, apart from the engine.
//!
//! A [`Shape`] is a component's type written out once, when the component is
//! loaded: schemas, decoding and encoding read nothing else, so a call touches
//! no engine types, and what a hostile type can cost is bounded here.

use std::collections::HashMap;
use std::fmt;
use wasmtime::component::{Type, Val};

/// How deep types may nest. One level of type is at most four levels of JSON
/// Schema, and serde_json reads 128 levels: every schema and every value that
/// reflection writes can be read back.
pub const DEPTH_MAX: usize = 24;

/// How much one function's types may weigh, in bytes of names and
/// [`NODE_COST`] for each type. Types are shared in a component but written out
/// in a schema, so twenty nested pairs would otherwise be a million entries.
pub(super) const FUNCTION_COST_MAX: usize = 256 * 1024;

/// What one type weighs, in bytes, about what it adds to a schema.
const NODE_COST: usize = 64;

/// A type without handles: everything that JSON can express.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// `bool`.
    Bool,
    /// `s8` to `u64`.
    Int(Int),
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// `char`.
    Char,
    /// `string`.
    String,
    /// `list<u8>`.
    Bytes,
    /// `list<T>` of anything else.
    List(Box<Shape>),
    /// `list<T, N>`.
    Array(Box<Shape>, usize),
    /// `map<K, V>`.
    Map(Box<Shape>, Box<Shape>),
    /// `record`.
    Record(Named<Shape>),
    /// `tuple<…>`.
    Tuple(Vec<Shape>),
    /// `variant`; each case with its payload.
    Variant(Named<Option<Shape>>),
    /// `enum`.
    Enum(Named<()>),
    /// `flags`.
    Flags(Named<()>),
    /// `option<T>`.
    Option(Box<Shape>),
    /// `result<T, E>`.
    Result(Option<Box<Shape>>, Option<Box<Shape>>),
}

/// The integer types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Int {
    /// `s8`.
    S8,
    /// `u8`.
    U8,
    /// `s16`.
    S16,
    /// `u16`.
    U16,
    /// `s32`.
    S32,
    /// `u32`.
    U32,
    /// `s64`.
    S64,
    /// `u64`.
    U64,
}

impl Int {
    /// The name in WIT, the smallest and the largest value.
    pub(super) fn range(self) -> (&'static str, i64, u64) {
        match self {
            Self::S8 => ("s8", i8::MIN.into(), 0x7f),
            Self::U8 => ("u8", 0, u8::MAX.into()),
            Self::S16 => ("s16", i16::MIN.into(), 0x7fff),
            Self::U16 => ("u16", 0, u16::MAX.into()),
            Self::S32 => ("s32", i32::MIN.into(), 0x7fff_ffff),
            Self::U32 => ("u32", 0, u32::MAX.into()),
            Self::S64 => ("s64", i64::MIN, 0x7fff_ffff_ffff_ffff),
            Self::U64 => ("u64", 0, u64::MAX),
        }
    }

    /// Whether it has values that a double cannot hold.
    pub(super) fn is_wide(self) -> bool {
        matches!(self, Self::S64 | Self::U64)
    }

    /// The value of this type, if `number` is one.
    pub(super) fn val(self, number: i128) -> Option<Val> {
        Some(match self {
            Self::S8 => Val::S8(number.try_into().ok()?),
            Self::U8 => Val::U8(number.try_into().ok()?),
            Self::S16 => Val::S16(number.try_into().ok()?),
            Self::U16 => Val::U16(number.try_into().ok()?),
            Self::S32 => Val::S32(number.try_into().ok()?),
            Self::U32 => Val::U32(number.try_into().ok()?),
            Self::S64 => Val::S64(number.try_into().ok()?),
            Self::U64 => Val::U64(number.try_into().ok()?),
        })
    }
}

/// Things with names, in the order of their declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T> {
    items: Vec<(String, T)>,
    places: HashMap<String, usize>,
}

impl<T> Named<T> {
    /// Collects `items`; names are unique in a valid component.
    pub fn new(items: Vec<(String, T)>) -> Self {
        let places = items.iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect();
        Self { items, places }
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> {
        self.items.iter().map(|(name, item)| (name.as_str(), item))
    }

    /// The names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The one called `name`.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.place(name).map(|place| &self.items[place].1)
    }

    /// Where `name` stands.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }
}

/// Why a type cannot be reflected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsupported {
    #[error("a resource handle cannot be written as JSON")]
    Resource,
    #[error("a future cannot be written as JSON")]
    Future,
    #[error("a stream cannot be written as JSON")]
    Stream,
    #[error("an error-context cannot be written as JSON")]
    ErrorContext,
    #[error("its types nest deeper than {DEPTH_MAX} levels")]
    TooDeep,
    #[error("its types are too large to be written out")]
    TooLarge,
}

/// Writes types out and counts what they weigh.
pub(super) struct Shaper {
    left: usize,
}

impl Shaper {
    /// One that may spend `cost`.
    pub(super) fn new(cost: usize) -> Self {
        Self { left: cost }
    }

    /// What it has not spent.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Pays for one type or name.
    pub(super) fn pay_for(&mut self, name: &str) -> Result<(), Unsupported> {
        self.left = self.left.checked_sub(NODE_COST + name.len()).ok_or(Unsupported::TooLarge)?;
        Ok(())
    }

    /// Writes `ty` out.
    pub(super) fn shape(&mut self, ty: &Type) -> Result<Shape, Unsupported> {
        self.nested(ty, 0)
    }

    fn nested(&mut self, ty: &Type, depth: usize) -> Result<Shape, Unsupported> {
        if depth == DEPTH_MAX {
            return Err(Unsupported::TooDeep);
        }
        self.pay_for("")?;
        let depth = depth + 1;
        Ok(match ty {
            Type::Bool => Shape::Bool,
            Type::S8 => Shape::Int(Int::S8),
            Type::U8 => Shape::Int(Int::U8),
            Type::S16 => Shape::Int(Int::S16),
            Type::U16 => Shape::Int(Int::U16),
            Type::S32 => Shape::Int(Int::S32),
            Type::U32 => Shape::Int(Int::U32),
            Type::S64 => Shape::Int(Int::S64),
            Type::U64 => Shape::Int(Int::U64),
            Type::Float32 => Shape::F32,
            Type::Float64 => Shape::F64,
            Type::Char => Shape::Char,
            Type::String => Shape::String,
            Type::List(list) => match list.ty() {
                Type::U8 => Shape::Bytes,
                item => Shape::List(Box::new(self.nested(&item, depth)?)),
            },
            Type::FixedLengthList(list) => {
                // A length that does not fit is longer than any value can be.
                let len = usize::try_from(list.len()).unwrap_or(usize::MAX);
                Shape::Array(Box::new(self.nested(&list.ty(), depth)?), len)
            }
            Type::Map(map) => {
                let key = self.nested(&map.key(), depth)?;
                Shape::Map(Box::new(key), Box::new(self.nested(&map.value(), depth)?))
            }
            Type::Record(record) => {
                let fields = record.fields().map(|field| (field.name, field.ty));
                Shape::Record(self.named(fields, |shaper, ty| shaper.nested(&ty, depth))?)
            }
            Type::Tuple(tuple) => {
                Shape::Tuple(tuple.types().map(|ty| self.nested(&ty, depth)).collect::<Result<_, _>>()?)
            }
            Type::Variant(variant) => {
                let cases = variant.cases().map(|case| (case.name, case.ty));
                let payload = |shaper: &mut Self, ty: Option<Type>| ty.map(|ty| shaper.nested(&ty, depth)).transpose();
                Shape::Variant(self.named(cases, payload)?)
            }
            Type::Enum(names) => Shape::Enum(self.named(names.names().map(|name| (name, ())), |_, ()| Ok(()))?),
            Type::Flags(names) => Shape::Flags(self.named(names.names().map(|name| (name, ())), |_, ()| Ok(()))?),
            Type::Option(option) => Shape::Option(Box::new(self.nested(&option.ty(), depth)?)),
            Type::Result(result) => {
                let ok = result.ok().map(|ty| self.nested(&ty, depth)).transpose()?;
                let err = result.err().map(|ty| self.nested(&ty, depth)).transpose()?;
                Shape::Result(ok.map(Box::new), err.map(Box::new))
            }
            Type::Own(_) | Type::Borrow(_) => return Err(Unsupported::Resource),
            Type::Future(_) => return Err(Unsupported::Future),
            Type::Stream(_) => return Err(Unsupported::Stream),
            Type::ErrorContext => return Err(Unsupported::ErrorContext),
        })
    }

    fn named<'t, I, T>(
        &mut self,
        items: impl Iterator<Item = (&'t str, I)>,
        mut write_out: impl FnMut(&mut Self, I) -> Result<T, Unsupported>,
    ) -> Result<Named<T>, Unsupported> {
        let mut named = Vec::new();
        for (name, item) in items {
            self.pay_for(name)?;
            named.push((name.to_owned(), write_out(self, item)?));
        }
        Ok(Named::new(named))
    }
}

impl Shape {
    /// Whether its JSON can be `null`, so that an option around it needs a wrapper.
    pub(super) fn is_nullable(&self) -> bool {
        matches!(self, Self::Option(_))
    }
}

/// The type as WIT would write it, with records and their kin in place.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int(int) => f.write_str(int.range().0),
            Self::F32 => f.write_str("f32"),
            Self::F64 => f.write_str("f64"),
            Self::Char => f.write_str("char"),
            Self::String => f.write_str("string"),
            Self::Bytes => f.write_str("list<u8>"),
            Self::List(item) => write!(f, "list<{item}>"),
            Self::Array(item, len) => write!(f, "list<{item}, {len}>"),
            Self::Map(key, value) => write!(f, "map<{key}, {value}>"),
            Self::Record(fields) => braced(f, "record", fields.iter().map(|(name, ty)| format!("{name}: {ty}"))),
            Self::Tuple(items) => {
                write!(f, "tuple<{}>", items.iter().map(Self::to_string).collect::<Vec<_>>().join(", "))
            }
            Self::Variant(cases) => braced(
                f,
                "variant",
                cases.iter().map(|(name, payload)| match payload {
                    Some(payload) => format!("{name}({payload})"),
                    None => name.to_owned(),
                }),
            ),
            Self::Enum(names) => braced(f, "enum", names.names().map(str::to_owned)),
            Self::Flags(names) => braced(f, "flags", names.names().map(str::to_owned)),
            Self::Option(some) => write!(f, "option<{some}>"),
            Self::Result(ok, err) => match (ok, err) {
                (None, None) => f.write_str("result"),
                (Some(ok), None) => write!(f, "result<{ok}>"),
                (None, Some(err)) => write!(f, "result<_, {err}>"),
                (Some(ok), Some(err)) => write!(f, "result<{ok}, {err}>"),
            },
        }
    }
}

fn braced(f: &mut fmt::Formatter<'_>, keyword: &str, items: impl Iterator<Item = String>) -> fmt::Result {
    write!(f, "{keyword} {{ {} }}", items.collect::<Vec<_>>().join(", "))
}
