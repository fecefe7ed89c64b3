'use strict';
// Shows values the way Node's console does.

const { header } = internal('errors');
const custom = Symbol.for('nodejs.util.inspect.custom');
const defaults = {
  showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100,
  maxStringLength: 10000, breakLength: 128, compact: 3, sorted: false, getters: false, numericSeparator: false,
};
const styles = {
  number: 33, bigint: 33, boolean: 33, string: 32, symbol: 32, undefined: 90, null: 1, special: 36, date: 35, regexp: 31,
};
/** An element of an array has no name before it. */
const ELEMENT = 0, PROPERTY = 1, HIDDEN = 2;

function inspect(value, options, ...old) {
  const context = { seen: [], indent: 0, level: 0, circular: undefined, ...defaults, breakLength: 80 };
  if (typeof options === 'boolean') {
    context.showHidden = options;
    if (old[0] !== undefined) context.depth = old[0];
    if (old[1] !== undefined) context.colors = old[1];
  } else if (options) {
    Object.assign(context, options);
  }
  if (context.maxArrayLength === null) context.maxArrayLength = Infinity;
  if (context.maxStringLength === null) context.maxStringLength = Infinity;
  return show(context, value, 0, true);
}

function paint(context, text, style) {
  if (!context.colors || styles[style] === undefined) return text;
  return `\x1b[${styles[style]}m${text}\x1b[${style === 'null' ? 22 : 39}m`;
}

const escapes = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\' };

function quote(text) {
  let mark = "'";
  if (text.includes("'")) {
    if (!text.includes('"')) mark = '"';
    else if (!text.includes('`') && !text.includes('${')) mark = '`';
  }
  let plain = true;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 32 || unit === 39 || unit === 92 || (unit > 126 && unit < 160) || (unit >= 0xd800 && unit < 0xe000)) {
      plain = false;
      break;
    }
  }
  if (plain) return mark + text + mark;
  let shown = '';
  for (const letter of text) {
    const unit = letter.charCodeAt(0);
    if (letter === mark) shown += `\\${mark}`;
    else if (escapes[letter]) shown += escapes[letter];
    else if (unit < 32 || (unit > 126 && unit < 160)) shown += `\\x${unit.toString(16).toUpperCase().padStart(2, '0')}`;
    else if (letter.length === 1 && unit >= 0xd800 && unit < 0xe000) shown += `\\u${unit.toString(16).toUpperCase()}`;
    else shown += letter;
  }
  return mark + shown + mark;
}

function showNumber(value) {
  return Object.is(value, -0) ? '-0' : String(value);
}

function showPrimitive(context, value) {
  switch (typeof value) {
    case 'string': {
      let rest = '';
      if (value.length > context.maxStringLength) {
        const more = value.length - context.maxStringLength;
        value = value.slice(0, context.maxStringLength);
        rest = `... ${more} more character${more > 1 ? 's' : ''}`;
      }
      if (value.length > 16 && value.length > context.breakLength - context.indent - 4 && value.includes('\n')) {
        const lines = value.match(/[^\n]*\n|[^\n]+$/g);
        const joint = ` +\n${' '.repeat(context.indent + 2)}`;
        return lines.map((line) => paint(context, quote(line), 'string')).join(joint) + rest;
      }
      return paint(context, quote(value), 'string') + rest;
    }
    case 'number': return paint(context, showNumber(value), 'number');
    case 'bigint': return paint(context, `${value}n`, 'bigint');
    case 'boolean': return paint(context, String(value), 'boolean');
    case 'undefined': return paint(context, 'undefined', 'undefined');
    case 'symbol': return paint(context, value.toString(), 'symbol');
    default: return paint(context, 'null', 'null');
  }
}

/** How many columns a text takes on a terminal. */
function width(text) {
  let width = 0;
  for (const letter of text) {
    const code = letter.codePointAt(0);
    const wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) || (code >= 0xac00 && code <= 0xd7a3)
      || (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) || code >= 0x1f300;
    width += wide ? 2 : 1;
  }
  return width;
}

function isIdentifier(name) {
  return /^[a-zA-Z_][a-zA-Z_0-9]*$/.test(name);
}

function show(context, value, level, top) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return showPrimitive(context, value);
  if (context.customInspect) {
    const own = value[custom];
    if (typeof own === 'function' && own !== inspect) {
      const depth = context.depth === null ? null : context.depth - level;
      const { seen, indent, level: _, circular, ...options } = context;
      const result = own.call(value, depth, { ...options, depth, stylize: (text, style) => paint(context, String(text), style) }, inspect);
      if (result !== value) {
        if (typeof result !== 'object' || result === null) {
          return typeof result === 'string' ? result.replaceAll('\n', `\n${' '.repeat(context.indent)}`) : show(context, result, level);
        }
        return show(context, result, level);
      }
    }
  }
  if (context.seen.includes(value)) {
    context.circular ??= new Map();
    if (!context.circular.has(value)) context.circular.set(value, context.circular.size + 1);
    return paint(context, `[Circular *${context.circular.get(value)}]`, 'special');
  }
  return showObject(context, value, level);
}

function constructorName(value) {
  let object = value;
  while (object !== null && object !== undefined) {
    const found = Object.getOwnPropertyDescriptor(object, 'constructor');
    if (found && typeof found.value === 'function' && found.value.name !== '') return found.value.name;
    object = Object.getPrototypeOf(object);
  }
  return null;
}

function prefix(name, tag, fallback, size = '') {
  if (name === null) {
    return tag !== '' && tag !== fallback ? `[${fallback}${size}: null prototype] [${tag}] ` : `[${fallback}${size}: null prototype] `;
  }
  return tag !== '' && tag !== name ? `${name}${size} [${tag}] ` : `${name}${size} `;
}

function ownKeys(context, value) {
  if (context.showHidden) return Reflect.ownKeys(value);
  const keys = Object.keys(value);
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    if (Object.prototype.propertyIsEnumerable.call(value, symbol)) keys.push(symbol);
  }
  return keys;
}

function isIndex(key) {
  return typeof key === 'string' && /^(0|[1-9][0-9]{0,9})$/.test(key) && Number(key) < 4294967295;
}

const builtin = new Set(Object.getOwnPropertyNames(globalThis).map((name) => globalThis[name]));

/** Whether a function is a class of a script's: one whose prototype is fixed, and which is not the engine's. */
function isClass(value) {
  return Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false && !builtin.has(value)
    && !/Generator/.test(Object.prototype.toString.call(value));
}

function functionBase(value, name, tag) {
  if (isClass(value)) {
    const called = Object.prototype.hasOwnProperty.call(value, 'name') && value.name ? value.name : '(anonymous)';
    let base = `[class ${called}`;
    if (name !== 'Function' && name !== null) base += ` [${name}]`;
    const parent = Object.getPrototypeOf(value);
    if (parent && parent.name) base += ` extends ${parent.name}`;
    else if (parent === null) base += ' extends [null prototype]';
    return `${base}]`;
  }
  let kind = 'Function';
  const what = Object.prototype.toString.call(value).slice(8, -1);
  if (/^(Async|Generator|AsyncGenerator)/.test(what)) kind = what;
  let base = `[${kind}`;
  if (name === null) base += ' (null prototype)';
  base += value.name === '' || typeof value.name !== 'string' ? ' (anonymous)]' : `: ${value.name}]`;
  if (name !== kind && name !== null && name !== 'Function') base += ` ${name}`;
  if (tag !== '' && name !== tag && tag !== what) base += ` [${tag}]`;
  return base;
}

/** The text of an error: its stack, with the name that it really has, and without what is a property too. */
function errorBase(context, error, name, keys) {
  let stack = error.stack;
  stack = typeof stack === 'string' && stack !== '' ? stack : header(error);
  for (const key of ['name', 'message', 'stack']) {
    const at = keys.indexOf(key);
    if (at >= 0 && (typeof error[key] !== 'string' || stack.includes(error[key]))) keys.splice(at, 1);
  }
  const said = typeof error.name === 'string' ? error.name : 'Error';
  if (name !== null && name !== said && said === 'Error' && stack.startsWith('Error') && name !== 'Error') {
    stack = name + stack.slice(5);
  } else if (name !== null && said.endsWith('Error') && name !== said && stack.startsWith(said) && !name.includes(said) && name.endsWith('Error')) {
    stack = `${name}${stack.slice(said.length)}`;
  }
  if ('cause' in error && Object.prototype.hasOwnProperty.call(error, 'cause') && !keys.includes('cause')) keys.push('cause');
  if (Array.isArray(error.errors) && !keys.includes('errors')) keys.push('errors');
  const at = stack.indexOf('\n    at');
  if (at < 0) stack = `[${stack}]`;
  if (context.indent > 0) stack = stack.replaceAll('\n', `\n${' '.repeat(context.indent)}`);
  return stack;
}

function boxed(value) {
  for (const [type, prototype] of [['Number', Number], ['String', String], ['Boolean', Boolean], ['BigInt', BigInt], ['Symbol', Symbol]]) {
    try {
      return [type, prototype.prototype.valueOf.call(value)];
    } catch {
      // It is of another kind.
    }
  }
  return undefined;
}

/** How an object is shown: its base, its braces, and what gives its parts. */
function layout(context, value, level, keys, name, tag) {
  const kind = host.kindOf(value);
  const plain = { base: '', braces: ['{', '}'], parts: () => [], array: false, whole: false };
  if (kind === 'Array') {
    plain.braces = [name !== 'Array' || tag !== '' ? `${prefix(name, tag, 'Array', `(${value.length})`)}[` : '[', ']'];
    plain.array = true;
    plain.empty = value.length === 0;
    plain.parts = () => arrayParts(context, value, level);
    return plain;
  }
  if (kind === 'TypedArray') {
    const type = Object.getPrototypeOf(Uint8Array.prototype);
    const real = Object.getOwnPropertyDescriptor(type, Symbol.toStringTag).get.call(value);
    plain.braces = [`${prefix(name, tag === real ? '' : tag, real, `(${value.length})`)}[`, ']'];
    plain.array = true;
    plain.empty = value.length === 0;
    plain.parts = () => typedParts(context, value);
    return plain;
  }
  if (kind === 'Map' || kind === 'Set') {
    const size = Object.getOwnPropertyDescriptor(globalThis[kind].prototype, 'size').get.call(value);
    plain.braces[0] = `${prefix(name, tag === kind ? '' : tag, kind, `(${size})`)}{`;
    plain.empty = size === 0;
    plain.parts = () => (kind === 'Map' ? mapParts : setParts)(context, value, level);
    return plain;
  }
  if (kind === 'Error') {
    const base = errorBase(context, value, name, keys);
    return { ...plain, base, empty: true, whole: true };
  }
  if (typeof value === 'function') {
    return { ...plain, base: paint(context, functionBase(value, name, tag), 'special'), empty: true, whole: true };
  }
  if (kind === 'RegExp') {
    return { ...plain, base: paint(context, RegExp.prototype.toString.call(value), 'regexp'), empty: true, whole: true };
  }
  if (kind === 'Date') {
    const time = Date.prototype.getTime.call(value);
    const base = Number.isNaN(time) ? 'Invalid Date' : Date.prototype.toISOString.call(value);
    return { ...plain, base: paint(context, base, 'date'), empty: true, whole: true };
  }
  if (kind === 'Promise') {
    plain.braces[0] = `${prefix(name, tag === 'Promise' ? '' : tag, 'Promise')}{`;
    plain.parts = () => {
      const [state, result] = host.promiseState(value);
      if (state === 'pending') return [paint(context, '<pending>', 'special')];
      context.indent += 2;
      const shown = show(context, result, level + 1);
      context.indent -= 2;
      return [state === 'rejected' ? `${paint(context, '<rejected>', 'special')} ${shown}` : shown];
    };
    return plain;
  }
  if (kind === 'ArrayBuffer') {
    plain.braces[0] = `${prefix(name, tag === 'ArrayBuffer' ? '' : tag, 'ArrayBuffer')}{`;
    plain.parts = () => {
      const bytes = [...new Uint8Array(value).subarray(0, 50)].map((byte) => byte.toString(16).padStart(2, '0'));
      const more = value.byteLength > 50 ? ` ... ${value.byteLength - 50} more byte${value.byteLength > 51 ? 's' : ''}` : '';
      return [`[Uint8Contents]: <${bytes.join(' ')}${more}>`, `byteLength: ${paint(context, String(value.byteLength), 'number')}`];
    };
    return plain;
  }
  return ordinary(context, value, keys, name, tag, plain);
}

function ordinary(context, value, keys, name, tag, plain) {
  const what = Object.prototype.toString.call(value).slice(8, -1);
  if (what === 'Arguments' && Object.prototype.hasOwnProperty.call(value, 'length')) {
    return { ...plain, braces: ['[Arguments] {', '}'], empty: true };
  }
  if (what === 'WeakSet' || what === 'WeakMap') {
    return { ...plain, braces: [`${prefix(name, tag === what ? '' : tag, what)}{`, '}'], parts: () => [paint(context, '<items unknown>', 'special')] };
  }
  const box = name === 'Object' || name === null ? undefined : boxed(value);
  if (box) {
    const [type, inner] = box;
    let base = `[${type}`;
    if (type !== name) base += name === null ? ' (null prototype)' : ` (${name})`;
    if (type === 'String') keys.splice(0, inner.length);
    base += `: ${show({ ...context, colors: false, seen: [] }, inner, 0)}]`;
    return { ...plain, base: paint(context, base, type.toLowerCase()), empty: true, whole: true };
  }
  if (tag === 'Module' && name === null) return { ...plain, braces: ['[Module: null prototype] {', '}'], empty: true };
  plain.empty = true;
  if (name === 'Object' && tag === '') return plain;
  plain.braces[0] = `${prefix(name, tag, 'Object')}{`;
  return plain;
}

function more(context, count) {
  return `... ${count} more item${count > 1 ? 's' : ''}`;
}

function arrayParts(context, array, level) {
  const parts = [];
  const most = Math.min(Math.max(0, context.maxArrayLength), array.length);
  let at = 0;
  while (at < array.length && parts.length < most) {
    if (!Object.prototype.hasOwnProperty.call(array, at)) {
      let end = at;
      while (end < array.length && !Object.prototype.hasOwnProperty.call(array, end)) end++;
      parts.push(paint(context, `<${end - at} empty item${end - at > 1 ? 's' : ''}>`, 'undefined'));
      at = end;
    } else {
      parts.push(showProperty(context, array, level, at, ELEMENT));
      at++;
    }
  }
  if (at < array.length) parts.push(more(context, array.length - at));
  return parts;
}

function typedParts(context, array) {
  const most = Math.min(Math.max(0, context.maxArrayLength), array.length);
  const parts = [];
  for (let at = 0; at < most; at++) parts.push(showPrimitive(context, array[at]));
  if (array.length > most) parts.push(more(context, array.length - most));
  return parts;
}

function setParts(context, set, level) {
  const parts = [];
  context.indent += 2;
  for (const item of Set.prototype.values.call(set)) {
    if (parts.length >= context.maxArrayLength) {
      parts.push(more(context, set.size - parts.length));
      break;
    }
    parts.push(show(context, item, level + 1));
  }
  context.indent -= 2;
  return parts;
}

function mapParts(context, map, level) {
  const parts = [];
  context.indent += 2;
  for (const [key, item] of Map.prototype.entries.call(map)) {
    if (parts.length >= context.maxArrayLength) {
      parts.push(more(context, map.size - parts.length));
      break;
    }
    parts.push(`${show(context, key, level + 1)} => ${show(context, item, level + 1)}`);
  }
  context.indent -= 2;
  return parts;
}

function showProperty(context, object, level, key, how) {
  const found = Object.getOwnPropertyDescriptor(object, key) ?? { value: object[key], enumerable: true };
  let shown;
  if (found.get !== undefined || found.set !== undefined) {
    const label = found.get === undefined ? 'Setter' : found.set === undefined ? 'Getter' : 'Getter/Setter';
    if (context.getters && found.get !== undefined) {
      shown = `[${label}: ${show(context, object[key], level + 1)}]`;
    } else {
      shown = paint(context, `[${label}]`, 'special');
    }
  } else {
    context.indent += 2;
    shown = show(context, found.value, level + 1);
    context.indent -= 2;
  }
  if (how === ELEMENT) return shown;
  let name;
  if (typeof key === 'symbol') name = `[${paint(context, key.toString(), 'symbol')}]`;
  else if (key === '__proto__') name = "['__proto__']";
  else if (found.enumerable === false || how === HIDDEN) name = `[${key}]`;
  else if (isIdentifier(key)) name = key;
  else name = paint(context, quote(key), 'string');
  return `${name}: ${shown}`;
}

function showObject(context, value, level) {
  const name = constructorName(value);
  let tag = '';
  try {
    tag = value[Symbol.toStringTag];
  } catch {
    // A getter that fails is no tag.
  }
  if (typeof tag !== 'string' || tag === name || Object.prototype.propertyIsEnumerable.call(value, Symbol.toStringTag)) tag = '';
  let keys = ownKeys(context, value);
  const indexed = Array.isArray(value) || ArrayBuffer.isView(value);
  if (indexed) keys = keys.filter((key) => !isIndex(key) && !(context.showHidden && ArrayBuffer.isView(value) && key === 'length'));
  if (context.depth !== null && level > context.depth) return tooDeep(context, value, name, tag);
  const { base, braces, parts, array, empty, whole } = layout(context, value, level, keys, name, tag);
  if (empty && keys.length === 0) {
    if (whole) return base;
    return `${braces[0]}${braces[1]}`;
  }
  context.seen.push(value);
  context.level = level;
  const shown = parts();
  for (const key of keys) {
    const hidden = base !== '' && (key === 'cause' || key === 'errors') && host.kindOf(value) === 'Error';
    shown.push(showProperty(context, value, level, key, hidden ? HIDDEN : PROPERTY));
  }
  context.seen.pop();
  if (context.sorted && !array) shown.sort(typeof context.sorted === 'function' ? context.sorted : undefined);
  let head = base;
  if (context.circular?.has(value)) {
    const mark = paint(context, `<ref *${context.circular.get(value)}>`, 'special');
    if (context.compact !== true) head = base === '' ? mark : `${mark} ${base}`;
  }
  return arrange(context, shown, head, braces, array, level, value);
}

function tooDeep(context, value, name, tag) {
  if (Array.isArray(value)) return paint(context, '[Array]', 'special');
  const shown = prefix(name, tag, 'Object').slice(0, -1);
  return paint(context, `[${shown}]`, 'special');
}

/** One line if it fits and is not nested too deeply, else a line for each part. */
function arrange(context, parts, base, braces, array, level, value) {
  const head = base === '' ? '' : `${base} `;
  if (context.compact !== true && context.compact !== false) {
    const count = parts.length;
    if (array && count > 6) parts = columns(context, parts, value);
    if (context.level - level < context.compact && count === parts.length) {
      const start = parts.length + context.indent + braces[0].length + base.length + 10;
      let length = parts.length + start;
      for (const part of parts) length += bare(context, part).length;
      if (length <= context.breakLength && !base.includes('\n')) {
        const line = parts.join(', ');
        if (!line.includes('\n')) return `${head}${braces[0]} ${line} ${braces[1]}`;
      }
    }
  }
  if (context.compact === true) return `${head}${braces[0]} ${parts.join(', ')} ${braces[1]}`;
  const lead = `\n${' '.repeat(context.indent)}`;
  return `${head}${braces[0]}${lead}  ${parts.join(`,${lead}  `)}${lead}${braces[1]}`;
}

function bare(context, text) {
  return context.colors ? text.replace(/\x1b\[\d+m/g, '') : text;
}

/** Puts the elements of a long array into columns, so that the whole is about as wide as it is high. */
function columns(context, parts, value) {
  const rest = context.maxArrayLength < parts.length ? 1 : 0;
  const count = parts.length - rest;
  const lengths = parts.slice(0, count).map((part) => width(bare(context, part)));
  const total = lengths.reduce((sum, length) => sum + length + 2, 0);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const widest = longest + 2;
  if (widest * 3 + context.indent >= context.breakLength || !(total / widest > 5 || longest <= 6)) return parts;
  const biased = Math.max(widest - 3 - Math.sqrt(widest - total / count), 1);
  const across = Math.min(
    Math.round(Math.sqrt(2.5 * biased * count) / biased),
    Math.floor((context.breakLength - context.indent) / widest),
    context.compact * 4,
    15,
  );
  if (across <= 1) return parts;
  const widths = [];
  for (let column = 0; column < across; column++) {
    let width = 0;
    for (let at = column; at < count; at += across) width = Math.max(width, lengths[at]);
    widths.push(width + 2);
  }
  const numbers = value !== undefined && parts.every((_, at) => typeof value[at] === 'number' || typeof value[at] === 'bigint');
  const lines = [];
  for (let row = 0; row < count; row += across) {
    const end = Math.min(row + across, count);
    let line = '';
    for (let at = row; at < end; at++) {
      const paints = parts[at].length - lengths[at];
      const width = widths[at - row] + paints;
      if (at === end - 1) line += numbers ? parts[at].padStart(width - 2) : parts[at];
      else line += numbers ? `${parts[at]}, `.padStart(width) : `${parts[at]}, `.padEnd(width);
    }
    lines.push(line);
  }
  if (rest) lines.push(parts[count]);
  return lines;
}

/** `%s`, `%d` and their like, then all that is left, with spaces between. */
/** The plainest values as they are shown without colours; most lines of a script hold no others. */
function quick(value, options) {
  if (options?.colors) return undefined;
  if (typeof value === 'number') return options?.numericSeparator ? undefined : showNumber(value);
  return typeof value === 'boolean' || value === undefined || value === null ? String(value) : undefined;
}

function formatWith(options, ...args) {
  let text = '';
  let next = 0;
  if (typeof args[0] === 'string') {
    if (args.length === 1) return args[0];
    next = 1;
    text = !args[0].includes('%') ? args[0] : args[0].replace(/%([sdifjoOc%])/g, (whole, letter) => {
      if (letter === '%') return '%';
      if (next >= args.length) return whole;
      return directive(options, letter, args[next++]);
    });
  }
  while (next < args.length) {
    const value = args[next];
    if (next > 0) text += ' ';
    text += typeof value === 'string' ? value : quick(value, options) ?? inspect(value, { ...options, compact: 3 });
    next++;
  }
  return text;
}

function hasOwnText(value) {
  if (typeof value.toString !== 'function') return false;
  if (Object.prototype.hasOwnProperty.call(value, 'toString')) return true;
  const plain = ['Object', 'Array', 'Map', 'Set', 'Date', 'Function', 'RegExp', 'Promise'];
  return !plain.includes(constructorName(value)) && value.toString !== Object.prototype.toString && !Array.isArray(value);
}

function directive(options, letter, value) {
  switch (letter) {
    case 's':
      if (typeof value === 'bigint') return `${value}n`;
      if (typeof value === 'number') return showNumber(value);
      if (typeof value === 'object' && value !== null) {
        if (hasOwnText(value)) return String(value);
        return inspect(value, { ...options, depth: 0, colors: false, compact: 3 });
      }
      if (typeof value !== 'function') return String(value);
      return isClass(value) ? inspect(value, { depth: 0 }).replace(/^\[(.*)\]$/, '$1 {}') : String(value);
    case 'd':
      if (typeof value === 'bigint') return `${value}n`;
      return typeof value === 'symbol' || (typeof value === 'object' && value !== null) ? String(typeof value === 'symbol' ? NaN : Number(value)) : showNumber(Number(value));
    case 'i':
      if (typeof value === 'bigint') return `${value}n`;
      return typeof value === 'symbol' ? 'NaN' : showNumber(Number.parseInt(value, 10));
    case 'f': return typeof value === 'symbol' ? 'NaN' : showNumber(Number.parseFloat(value));
    case 'j':
      try {
        return JSON.stringify(value);
      } catch (error) {
        if (String(error.message).includes('circular') || String(error.message).includes('cyclic')) return '[Circular]';
        throw error;
      }
    case 'o': return inspect(value, { ...options, showHidden: true, showProxy: true, depth: 4 });
    case 'O': return inspect(value, options);
    default: return '';
  }
}

inspect.custom = custom;
inspect.defaultOptions = defaults;
inspect.styles = Object.fromEntries(Object.keys(styles).map((key) => [key, key]));
inspect.colors = { reset: [0, 0], bold: [1, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], cyan: [36, 39], gray: [90, 39] };

module.exports = { inspect, width, format: (...args) => formatWith(undefined, ...args), formatWith, custom, quote };
