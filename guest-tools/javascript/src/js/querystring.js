'use strict';
// `querystring`.

const escape = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (letter) => letter);

function unescape(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function parse(text, separator = '&', equals = '=', options = {}) {
  const found = Object.create(null);
  const decode = options.decodeURIComponent ?? unescape;
  const most = options.maxKeys ?? 1000;
  if (typeof text !== 'string' || text === '') return found;
  let parts = text.split(separator);
  if (most > 0) parts = parts.slice(0, most);
  for (const part of parts) {
    if (part === '') continue;
    const at = part.indexOf(equals);
    const [key, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + equals.length)];
    const [name, decoded] = [key, value].map((word) => decode(word.replaceAll('+', ' ')));
    if (name in found) found[name] = [].concat(found[name], decoded);
    else found[name] = decoded;
  }
  return found;
}

function stringify(object, separator = '&', equals = '=', options = {}) {
  const encode = options.encodeURIComponent ?? escape;
  const text = (value) => (typeof value === 'string' ? value : ['bigint', 'boolean'].includes(typeof value) || Number.isFinite(value) ? String(value) : '');
  const pairs = Object.entries(object ?? {}).flatMap(([key, value]) => [].concat(value).map((one) => encode(key) + equals + encode(text(one))));
  return pairs.join(separator);
}

module.exports = { parse, stringify, escape, unescape, decode: parse, encode: stringify };
