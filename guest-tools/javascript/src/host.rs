//! What JavaScript is given of the system: plain functions, with which `js/` makes what Node has.

mod bytes;
pub(crate) mod compile;
mod files;
mod json;
mod links;
pub(crate) mod output;
mod spawn;
mod strings;
pub(crate) mod system;

use boa_engine::builtins::array_buffer::AlignedVec;
use boa_engine::native_function::NativeFunctionPointer;
use boa_engine::object::builtins::{JsArrayBuffer, JsTypedArray, JsUint8Array};
use boa_engine::object::{FunctionObjectBuilder, JsObject};
use boa_engine::{Context, JsArgs, JsError, JsNativeError, JsResult, JsString, JsValue, NativeFunction, js_string};

/// A name and what it does.
type Named = (&'static str, NativeFunctionPointer);

/// The object of all those functions.
pub(crate) fn object(context: &mut Context) -> JsResult<JsObject> {
    let object = JsObject::with_object_proto(context.intrinsics());
    let all = [
        bytes::FUNCTIONS,
        compile::FUNCTIONS,
        files::FUNCTIONS,
        json::FUNCTIONS,
        links::FUNCTIONS,
        output::FUNCTIONS,
        spawn::FUNCTIONS,
        system::FUNCTIONS,
    ];
    for (name, function) in all.into_iter().flatten() {
        let function = FunctionObjectBuilder::new(context.realm(), NativeFunction::from_fn_ptr(*function))
            .name(js_string!(*name))
            .build();
        object.set(js_string!(*name), function, true, context)?;
    }
    files::prepare(context);
    strings::prepare(context)?;
    Ok(object)
}

/// An argument as text.
fn text(args: &[JsValue], index: usize, context: &mut Context) -> JsResult<String> {
    Ok(args.get_or_undefined(index).to_string(context)?.to_std_string_lossy())
}

/// An argument as bytes: of a string in UTF-8, or of what looks at a buffer.
fn bytes_of(args: &[JsValue], index: usize, context: &mut Context) -> JsResult<Vec<u8>> {
    let value = args.get_or_undefined(index);
    let Some(object) = value.as_object() else {
        return Ok(utf8(&value.to_string(context)?));
    };
    if let Ok(buffer) = JsArrayBuffer::from_object(object.clone()) {
        return Ok(buffer.to_vec().unwrap_or_default());
    }
    let view = JsTypedArray::from_object(object.clone())?;
    let (offset, length) = (view.byte_offset(context)?, view.byte_length(context)?);
    let buffer = JsArrayBuffer::from_object(view.buffer(context)?.to_object(context)?)?;
    let data = buffer.data().ok_or_else(|| JsNativeError::typ().with_message("the buffer is detached"))?;
    Ok(data.get(offset..offset + length).unwrap_or_default().to_vec())
}

/// A string in UTF-8. Most are ASCII, and need no more than a copy.
fn utf8(string: &JsString) -> Vec<u8> {
    match string.as_str().as_latin1() {
        Some(bytes) if bytes.is_ascii() => bytes.to_vec(),
        _ => string.to_std_string_lossy().into_bytes(),
    }
}

/// Bytes as a `Uint8Array`.
fn array(bytes: &[u8], context: &mut Context) -> JsResult<JsValue> {
    let block = AlignedVec::from_slice(64, bytes);
    let buffer = JsArrayBuffer::from_byte_block(block, context)?;
    Ok(JsUint8Array::from_array_buffer(buffer, context)?.into())
}

/// An error whose message is a code of the system; JavaScript adds the rest.
fn code(code: &str) -> JsError {
    JsNativeError::error().with_message(code.to_owned()).into()
}

/// The code of a system's error, as Node names it.
fn failed(error: &std::io::Error) -> JsError {
    code(code_of(error))
}

fn code_of(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::NotFound => "ENOENT",
        Kind::PermissionDenied => "EACCES",
        Kind::AlreadyExists => "EEXIST",
        Kind::NotADirectory => "ENOTDIR",
        Kind::IsADirectory => "EISDIR",
        Kind::DirectoryNotEmpty => "ENOTEMPTY",
        Kind::ReadOnlyFilesystem => "EROFS",
        Kind::InvalidInput => "EINVAL",
        Kind::CrossesDevices => "EXDEV",
        Kind::StorageFull => "ENOSPC",
        Kind::QuotaExceeded => "EDQUOT",
        Kind::FileTooLarge => "EFBIG",
        Kind::InvalidFilename => "ENAMETOOLONG",
        Kind::BrokenPipe => "EPIPE",
        Kind::ResourceBusy => "EBUSY",
        Kind::TooManyLinks => "EMLINK",
        _ if error.to_string().contains("ymbolic links") => "ELOOP",
        _ if error.to_string().contains("open files") => "EMFILE",
        _ => "EIO",
    }
}
