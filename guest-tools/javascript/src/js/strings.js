'use strict';
// What is slow in the engine's own strings and is not mended in `host/strings.rs`: splitting by an expression, which tries it
// at every single place, and replacing all of a part.

const { exec } = RegExp.prototype;
const engineSplit = RegExp.prototype[Symbol.split];
const engineReplaceAll = String.prototype.replaceAll;

function put(object, name, value) {
  Object.defineProperty(object, name, { value, writable: true, configurable: true, enumerable: false });
}

put(RegExp.prototype, Symbol.split, Object.defineProperty(function (text, limit) {
  // An expression that somebody changed is split with in the standard's own steps.
  if (host.kindOf(this) !== 'RegExp' || this.exec !== exec || this.constructor !== RegExp || limit !== undefined) {
    return Reflect.apply(engineSplit, this, [text, limit]);
  }
  text = String(text);
  // Made of the expression itself: the engine's `source` escapes what is escaped already.
  const every = new RegExp(this, `${this.flags.replace(/[gy]/g, '')}g`);
  if (text === '') return every.test(text) ? [] : [text];
  const parts = [];
  let from = 0;
  for (let found = every.exec(text); found !== null && found.index < text.length; found = every.exec(text)) {
    const end = found.index + found[0].length;
    // Nothing is no separator where the last one ended.
    if (end === from) {
      every.lastIndex = from + (every.unicode && text.codePointAt(from) > 0xffff ? 2 : 1);
      if (every.lastIndex >= text.length) break;
      continue;
    }
    parts.push(text.slice(from, found.index));
    for (let at = 1; at < found.length; at++) parts.push(found[at]);
    from = end;
  }
  parts.push(text.slice(from));
  return parts;
}, 'name', { value: '[Symbol.split]' }));

put(String.prototype, 'replaceAll', Object.defineProperty(function (part, replacement) {
  if (typeof this !== 'string' || typeof part !== 'string' || part === '' || typeof replacement !== 'string' || replacement.includes('$')) {
    return Reflect.apply(engineReplaceAll, this, [part, replacement]);
  }
  return this.split(part).join(replacement);
}, 'name', { value: 'replaceAll' }));
