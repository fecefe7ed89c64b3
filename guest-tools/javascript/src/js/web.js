'use strict';
// What Node has of browsers.

const { coded } = internal('errors');
const { custom } = internal('inspect');

class TextEncoder {
  get encoding() { return 'utf-8'; }
  encode(text = '') { return host.encode(String(text), 'utf8'); }
  encodeInto(text, target) {
    let read = 0, written = 0;
    for (const letter of text) {
      const bytes = host.encode(letter, 'utf8');
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      written += bytes.length;
      read += letter.length;
    }
    return { read, written };
  }
}

const labels = { 'utf-8': 'utf8', utf8: 'utf8', 'utf-16le': 'utf16le', 'utf-16': 'utf16le', latin1: 'latin1', 'iso-8859-1': 'latin1', ascii: 'latin1', 'windows-1252': 'latin1' };

class TextDecoder {
  #rest;
  constructor(label = 'utf-8', options = {}) {
    this.encoding = String(label).toLowerCase().trim();
    if (!labels[this.encoding]) throw coded(RangeError, 'ERR_ENCODING_NOT_SUPPORTED', `The "${label}" encoding is not supported`);
    if (this.encoding === 'utf8') this.encoding = 'utf-8';
    this.fatal = Boolean(options.fatal);
    this.ignoreBOM = Boolean(options.ignoreBOM);
  }
  decode(data, options) {
    let bytes = data === undefined ? new Uint8Array(0) : ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
    if (options?.stream || this.#rest) {
      const { StringDecoder } = internal('string_decoder');
      this.#rest ??= new StringDecoder(labels[this.encoding]);
      const text = options?.stream ? this.#rest.write(Buffer.from(bytes)) : this.#rest.end(Buffer.from(bytes));
      if (!options?.stream) this.#rest = undefined;
      return text;
    }
    if (this.fatal && labels[this.encoding] === 'utf8' && !host.isUtf8(bytes)) {
      throw coded(TypeError, 'ERR_ENCODING_INVALID_ENCODED_DATA', 'The encoded data was not valid for encoding utf-8');
    }
    if (!this.ignoreBOM && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3);
    return host.decode(bytes, labels[this.encoding]);
  }
}

const codes = { IndexSizeError: 1, NotFoundError: 8, NotSupportedError: 9, InvalidStateError: 11, SyntaxError: 12, InvalidCharacterError: 5, DataCloneError: 25, AbortError: 20, TimeoutError: 23 };

class DOMException extends Error {
  #name;
  constructor(message = '', name = 'Error') {
    super(message);
    this.#name = typeof name === 'object' ? name.name ?? 'Error' : name;
  }
  get name() { return this.#name; }
  get code() { return codes[this.#name] ?? 0; }
}

class Event {
  constructor(type, options = {}) {
    this.type = String(type);
    this.cancelable = Boolean(options.cancelable);
    this.bubbles = Boolean(options.bubbles);
    this.defaultPrevented = false;
    this.target = null;
    this.timeStamp = host.elapsed() / 1e6;
  }
  preventDefault() { if (this.cancelable) this.defaultPrevented = true; }
  stopPropagation() {}
  stopImmediatePropagation() { this.stopped = true; }
}

class EventTarget {
  #listeners = new Map();
  addEventListener(type, listener, options = {}) {
    const list = this.#listeners.get(type) ?? [];
    if (!list.some((other) => other.listener === listener)) list.push({ listener, once: options.once });
    this.#listeners.set(type, list);
  }
  removeEventListener(type, listener) {
    this.#listeners.set(type, (this.#listeners.get(type) ?? []).filter((other) => other.listener !== listener));
  }
  dispatchEvent(event) {
    event.target = event.currentTarget = this;
    for (const { listener, once } of [...(this.#listeners.get(event.type) ?? [])]) {
      if (once) this.removeEventListener(event.type, listener);
      if (typeof listener === 'function') listener.call(this, event);
      else listener.handleEvent(event);
      if (event.stopped) break;
    }
    return !event.defaultPrevented;
  }
}

class AbortSignal extends EventTarget {
  constructor() {
    super();
    this.aborted = false;
    this.reason = undefined;
    this.onabort = null;
  }
  throwIfAborted() { if (this.aborted) throw this.reason; }
  static abort(reason) { const signal = new AbortSignal(); abort(signal, reason); return signal; }
  static timeout(after) {
    const signal = new AbortSignal();
    setTimeout(() => abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')), after).unref();
    return signal;
  }
  static any(signals) {
    const signal = new AbortSignal();
    for (const other of signals) {
      if (other.aborted) abort(signal, other.reason);
      else other.addEventListener('abort', () => abort(signal, other.reason));
    }
    return signal;
  }
  [custom]() { return `AbortSignal { aborted: ${this.aborted} }`; }
}

function abort(signal, reason = new DOMException('This operation was aborted', 'AbortError')) {
  if (signal.aborted) return;
  signal.aborted = true;
  signal.reason = reason;
  const event = new Event('abort');
  signal.onabort?.(event);
  signal.dispatchEvent(event);
}

class AbortController {
  signal = new AbortSignal();
  abort(reason) { abort(this.signal, reason); }
}

class Blob {
  #bytes;
  constructor(parts = [], options = {}) {
    this.#bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part instanceof Blob ? part.#bytes : Buffer.from(part))));
    this.type = options.type ?? '';
  }
  get size() { return this.#bytes.length; }
  async text() { return this.#bytes.toString(); }
  async arrayBuffer() { return new Uint8Array(this.#bytes).buffer; }
  slice(start, end, type) { return new Blob([this.#bytes.subarray(start, end)], { type }); }
}

function uncloneable(value) {
  const shown = typeof value === 'symbol' ? value.toString() : typeof value === 'function' ? Function.prototype.toString.call(value) : `#<${value.constructor?.name ?? 'Object'}>`;
  return new DOMException(`${shown} could not be cloned.`, 'DataCloneError');
}

function clone(value, seen) {
  if (typeof value === 'function' || typeof value === 'symbol') throw uncloneable(value);
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const keep = (copy) => { seen.set(value, copy); return copy; };
  switch (host.kindOf(value)) {
    case 'Date': return keep(new Date(value.getTime()));
    case 'RegExp': return keep(new RegExp(value.source, value.flags));
    case 'ArrayBuffer': return keep(value.slice(0));
    case 'TypedArray': {
      const Base = globalThis[Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get.call(value)];
      return keep(new Base(value));
    }
    case 'DataView': return keep(new DataView(clone(value.buffer, seen), value.byteOffset, value.byteLength));
    case 'Map': {
      const copy = keep(new Map());
      for (const [key, item] of value) copy.set(clone(key, seen), clone(item, seen));
      return copy;
    }
    case 'Set': {
      const copy = keep(new Set());
      for (const item of value) copy.add(clone(item, seen));
      return copy;
    }
    case 'Error': {
      const Base = { TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError }[value.name] ?? Error;
      const copy = keep(new Base(value.message));
      copy.stack = value.stack;
      if ('cause' in value) Object.defineProperty(copy, 'cause', { value: clone(value.cause, seen), writable: true, configurable: true });
      return copy;
    }
    case 'Promise': throw uncloneable(value);
    default:
  }
  if (['[object WeakMap]', '[object WeakSet]', '[object WeakRef]'].includes(Object.prototype.toString.call(value))) throw uncloneable(value);
  for (const type of [Number, String, Boolean, BigInt]) if (value instanceof type) return keep(Object(value.valueOf()));
  const copy = keep(Array.isArray(value) ? new Array(value.length) : {});
  for (const key of Object.keys(value)) copy[key] = clone(value[key], seen);
  return copy;
}

function structuredClone(...args) {
  if (args.length === 0) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "value" argument must be specified');
  return clone(args[0], new Map());
}

const marks = new Map();
const performance = {
  timeOrigin: host.now() - host.elapsed() / 1e6,
  now: () => host.elapsed() / 1e6,
  mark(name) {
    const entry = { name, entryType: 'mark', startTime: host.elapsed() / 1e6, duration: 0 };
    marks.set(name, entry);
    return entry;
  },
  measure(name, from, to) {
    const start = marks.get(from)?.startTime ?? 0;
    return { name, entryType: 'measure', startTime: start, duration: (marks.get(to)?.startTime ?? host.elapsed() / 1e6) - start };
  },
  clearMarks: () => marks.clear(), clearMeasures() {}, getEntriesByName: (name) => [marks.get(name)].filter(Boolean), getEntries: () => [...marks.values()],
  eventLoopUtilization: () => ({ idle: 0, active: 0, utilization: 0 }), timerify: (act) => act,
  toJSON() { return { timeOrigin: this.timeOrigin }; },
};

async function fetch(address) {
  const cause = coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `there is no network for scripts here: ${typeof address === 'string' ? address : address?.href ?? address?.url}`);
  throw new TypeError('fetch failed', { cause });
}

/** Only within one call: nothing here follows what is put off. */
class AsyncLocalStorage {
  #value;
  run(value, act, ...args) {
    const before = this.#value;
    this.#value = value;
    try {
      return act(...args);
    } finally {
      this.#value = before;
    }
  }
  exit(act, ...args) { return this.run(undefined, act, ...args); }
  getStore() { return this.#value; }
  enterWith(value) { this.#value = value; }
  disable() { this.#value = undefined; }
}

module.exports = {
  TextEncoder, TextDecoder, DOMException, Event, EventTarget, AbortController, AbortSignal, Blob, structuredClone, performance, fetch,
  navigator: { hardwareConcurrency: 1, language: 'en-US', languages: ['en-US'], userAgent: 'Node.js/20', platform: 'linux' },
  asyncHooks: { AsyncLocalStorage, executionAsyncId: () => 1, AsyncResource: class AsyncResource { runInAsyncScope(act, self, ...args) { return act.apply(self, args); } } },
};
