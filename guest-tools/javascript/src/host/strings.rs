//! Searching in strings. The engine walks from the beginning of a text to each place it is to search from, and copies the
//! whole text for each match of an expression in it, so that a text of a megabyte takes minutes. These answer the same.

use boa_engine::object::{FunctionObjectBuilder, JsObject};
use boa_engine::property::PropertyDescriptor;
use boa_engine::string::{JsStr, JsStrVariant};
use boa_engine::{Context, JsArgs, JsResult, JsString, JsValue, NativeFunction, js_string};
use std::cell::RefCell;

/// From how many characters on a text is worth a second copy.
const WIDE_LENGTH_MIN: usize = 512;

/// What is called instead of one of the engine's own functions, which it gets.
type Instead = fn(&JsValue, &[JsValue], &JsObject, &mut Context) -> JsResult<JsValue>;

/// The text that was last searched with an expression, and the same in the form that the engine does not copy.
#[derive(Default)]
struct Widened(RefCell<Option<(JsString, JsString)>>);

pub(super) fn prepare(context: &mut Context) -> JsResult<()> {
    context.insert_data(Widened::default());
    let constructors = context.intrinsics().constructors();
    let (string, regexp) = (constructors.string().prototype(), constructors.regexp().prototype());
    replace(&string, "split", 2, split, context)?;
    replace(&string, "indexOf", 1, index_of, context)?;
    replace(&string, "includes", 1, includes, context)?;
    replace(&regexp, "exec", 1, exec, context)
}

fn replace(prototype: &JsObject, name: &str, length: usize, instead: Instead, context: &mut Context) -> JsResult<()> {
    let own = prototype.get(js_string!(name), context)?.to_object(context)?;
    let call = NativeFunction::from_copy_closure_with_captures(
        move |this, args, own: &JsObject, context| instead(this, args, own, context),
        own,
    );
    let function = FunctionObjectBuilder::new(context.realm(), call).name(js_string!(name)).length(length).build();
    let property = PropertyDescriptor::builder().value(function).writable(true).enumerable(false).configurable(true);
    prototype.define_property_or_throw(js_string!(name), property, context).map(|_| ())
}

/// What is looked for: never empty.
struct Part {
    units: Vec<u16>,
    /// The same in single bytes, where that is possible.
    bytes: Option<Vec<u8>>,
}

impl Part {
    fn new(part: &JsString) -> Option<Self> {
        let units = part.to_vec();
        let bytes = units.iter().map(|unit| u8::try_from(*unit).ok()).collect();
        (!units.is_empty()).then_some(Self { units, bytes })
    }

    fn find(&self, text: JsStr<'_>, from: usize) -> Option<usize> {
        let found = match text.variant() {
            JsStrVariant::Latin1(text) => memchr::memmem::find(text.get(from..)?, self.bytes.as_deref()?),
            JsStrVariant::Utf16(text) => {
                text.get(from..)?.windows(self.units.len()).position(|part| part == self.units)
            }
        };
        found.map(|at| at + from)
    }
}

/// The text and the part of a call, if both are plain strings; all else is the engine's.
fn plain(this: &JsValue, args: &[JsValue]) -> Option<(JsString, Part)> {
    Some((this.as_string()?, Part::new(&args.get_or_undefined(0).as_string()?)?))
}

fn split(this: &JsValue, args: &[JsValue], own: &JsObject, context: &mut Context) -> JsResult<JsValue> {
    let Some((text, part)) = plain(this, args).filter(|_| args.get_or_undefined(1).is_undefined()) else {
        return own.call(this, args, context);
    };
    let (mut parts, mut from) = (Vec::<JsValue>::new(), 0);
    while let Some(at) = part.find(text.as_str(), from) {
        parts.push(text.slice(from, at).into());
        from = at + part.units.len();
    }
    parts.push(text.slice(from, text.len()).into());
    Ok(boa_engine::object::builtins::JsArray::from_iter(parts, context).into())
}

/// Where a part first stands from a place on; outside None if the engine is to be asked.
fn position(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<Option<Option<usize>>> {
    let Some((text, part)) = plain(this, args) else { return Ok(None) };
    let from = args.get_or_undefined(1).to_integer_or_infinity(context)?.clamp_finite(0, i64::MAX);
    Ok(Some(part.find(text.as_str(), usize::try_from(from).unwrap_or(usize::MAX))))
}

fn index_of(this: &JsValue, args: &[JsValue], own: &JsObject, context: &mut Context) -> JsResult<JsValue> {
    match position(this, args, context)? {
        Some(found) => Ok(found.map_or(JsValue::from(-1), JsValue::from)),
        None => own.call(this, args, context),
    }
}

fn includes(this: &JsValue, args: &[JsValue], own: &JsObject, context: &mut Context) -> JsResult<JsValue> {
    match position(this, args, context)? {
        Some(found) => Ok(found.is_some().into()),
        None => own.call(this, args, context),
    }
}

fn exec(this: &JsValue, args: &[JsValue], own: &JsObject, context: &mut Context) -> JsResult<JsValue> {
    match args.get_or_undefined(0).as_string() {
        Some(text) if text.len() >= WIDE_LENGTH_MIN => {
            let text = widened(&text, context);
            own.call(this, &[text.into()], context)
        }
        _ => own.call(this, args, context),
    }
}

/// The same text in two bytes for each character. Who searches it again finds it done.
fn widened(text: &JsString, context: &Context) -> JsString {
    let narrow = text.as_str();
    let (Some(bytes), Some(last)) = (narrow.as_latin1(), context.get_data::<Widened>()) else { return text.clone() };
    let mut last = last.0.borrow_mut();
    if let Some((known, wide)) = &*last
        && known.as_str().as_latin1().is_some_and(|known| std::ptr::eq(known, bytes))
    {
        return wide.clone();
    }
    let units: Vec<u16> = bytes.iter().copied().map(u16::from).collect();
    let wide = JsString::from(units.as_slice());
    *last = Some((text.clone(), wide.clone()));
    wide
}
