//! Addresses of the web, over the `url` crate.

use super::{Named, text};
use boa_engine::object::builtins::JsArray;
use boa_engine::{Context, JsArgs, JsResult, JsValue, js_string};
use url::{Position, Url, quirks};

pub(super) const FUNCTIONS: &[Named] = &[("parseUrl", parse_url), ("setUrl", set_url)];

/// The parts of an address, or null.
fn parse_url(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let address = text(args, 0, context)?;
    let parsed = if args.get_or_undefined(1).is_undefined() {
        Url::parse(&address)
    } else {
        Url::parse(&text(args, 1, context)?).and_then(|base| base.join(&address))
    };
    Ok(parsed.map_or(JsValue::null(), |url| parts(&url, context)))
}

/// The parts of an address with one of them changed; one that cannot be so stays.
fn set_url(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (address, part, value) = (text(args, 0, context)?, text(args, 1, context)?, text(args, 2, context)?);
    let Ok(mut url) = Url::parse(&address) else { return Ok(JsValue::null()) };
    match part.as_str() {
        "hash" => quirks::set_hash(&mut url, &value),
        "search" => quirks::set_search(&mut url, &value),
        "pathname" => quirks::set_pathname(&mut url, &value),
        // A value that does not fit is passed over, as the standard wants.
        "host" => drop(quirks::set_host(&mut url, &value)),
        "hostname" => drop(quirks::set_hostname(&mut url, &value)),
        "port" => drop(quirks::set_port(&mut url, &value)),
        "protocol" => drop(quirks::set_protocol(&mut url, &value)),
        "username" => drop(quirks::set_username(&mut url, &value)),
        "password" => drop(quirks::set_password(&mut url, &value)),
        _ => {}
    }
    Ok(parts(&url, context))
}

fn parts(url: &Url, context: &mut Context) -> JsValue {
    let origin = quirks::origin(url);
    let all = [
        &url[..],
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        &url[Position::BeforePath..Position::AfterPath],
        quirks::search(url),
        quirks::hash(url),
        origin.as_str(),
    ];
    let all: Vec<JsValue> = all.iter().map(|part| js_string!(*part).into()).collect();
    JsArray::from_iter(all, context).into()
}
