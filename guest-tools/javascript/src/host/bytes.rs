//! Text and bytes.

use super::{Named, array, bytes_of, text, utf8};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use boa_engine::{Context, JsArgs, JsNativeError, JsResult, JsString, JsValue, js_string};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

pub(super) const FUNCTIONS: &[Named] =
    &[("encode", encode), ("decode", decode), ("isUtf8", is_utf8), ("digest", digest), ("random", random)];

/// Takes text with or without padding, and with bits too many at its end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// From a string to bytes, in an encoding.
fn encode(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let string = args.get_or_undefined(0).to_string(context)?;
    let bytes = match text(args, 1, context)?.as_str() {
        "hex" => unhex(&string.to_std_string_lossy()),
        "base64" | "base64url" => unbase64(&string.to_std_string_lossy()),
        "latin1" => string.to_vec().into_iter().map(|unit| unit.to_le_bytes()[0]).collect(),
        "utf16le" => string.to_vec().into_iter().flat_map(u16::to_le_bytes).collect(),
        _ => utf8(&string),
    };
    array(&bytes, context)
}

/// As many bytes as there are pairs of digits, as Node has it.
fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?);
    text.as_bytes().chunks(2).map_while(pair).collect()
}

/// Both alphabets, and whatever is in neither left out.
fn unbase64(text: &str) -> Vec<u8> {
    let kept = text.bytes().take_while(|byte| *byte != b'=').filter_map(|byte| match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'+' | b'/' => Some(byte),
        _ => byte.is_ascii_alphanumeric().then_some(byte),
    });
    let mut kept: Vec<u8> = kept.collect();
    // A single letter at the end is not even one byte.
    if kept.len() % 4 == 1 {
        kept.pop();
    }
    LENIENT.decode(&kept).unwrap_or_default()
}

/// From bytes to a string, in an encoding.
fn decode(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let bytes = bytes_of(args, 0, context)?;
    let string = match text(args, 1, context)?.as_str() {
        "hex" => js_string!(hex(&bytes).as_str()),
        "base64" => js_string!(general_purpose::STANDARD.encode(&bytes).as_str()),
        "base64url" => js_string!(general_purpose::URL_SAFE_NO_PAD.encode(&bytes).as_str()),
        "latin1" => units(bytes.into_iter().map(u16::from)),
        "ascii" => units(bytes.into_iter().map(|byte| u16::from(byte & 0x7f))),
        "utf16le" => units(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]))),
        _ => js_string!(&*String::from_utf8_lossy(&bytes)),
    };
    Ok(string.into())
}

fn units(units: impl Iterator<Item = u16>) -> JsString {
    JsString::from(units.collect::<Vec<u16>>().as_slice())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_utf8(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    Ok(std::str::from_utf8(&bytes_of(args, 0, context)?).is_ok().into())
}

fn digest(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (name, bytes) = (text(args, 0, context)?, bytes_of(args, 1, context)?);
    let digest = match name.as_str() {
        "md5" => Md5::digest(&bytes).to_vec(),
        "sha1" => Sha1::digest(&bytes).to_vec(),
        "sha224" => Sha224::digest(&bytes).to_vec(),
        "sha256" => Sha256::digest(&bytes).to_vec(),
        "sha384" => Sha384::digest(&bytes).to_vec(),
        "sha512" => Sha512::digest(&bytes).to_vec(),
        _ => return Ok(JsValue::null()),
    };
    array(&digest, context)
}

fn random(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut bytes = vec![0; args.get_or_undefined(0).to_length(context)? as usize];
    getrandom::fill(&mut bytes)
        .map_err(|error| JsNativeError::error().with_message(format!("no random bytes: {error}")))?;
    array(&bytes, context)
}
