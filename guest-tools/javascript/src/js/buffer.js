'use strict';
// Buffer.

const { coded, invalidType } = internal('errors');
const { custom } = internal('inspect');

function encodingOf(name) {
  if (name === undefined || name === null || name === '') return 'utf8';
  switch (String(name).toLowerCase()) {
    case 'utf8': case 'utf-8': return 'utf8';
    case 'hex': return 'hex';
    case 'base64': return 'base64';
    case 'base64url': return 'base64url';
    case 'latin1': case 'binary': return 'latin1';
    case 'ascii': return 'ascii';
    case 'ucs2': case 'ucs-2': case 'utf16le': case 'utf-16le': return 'utf16le';
    default: return undefined;
  }
}

function known(name) {
  const encoding = encodingOf(name);
  if (encoding === undefined) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${name}`);
  return encoding;
}

function encoded(text, encoding) {
  const kind = known(encoding);
  return host.encode(text, kind === 'ascii' ? 'latin1' : kind);
}

function view(bytes) {
  Object.setPrototypeOf(bytes, Buffer.prototype);
  return bytes;
}

function checkSize(size) {
  if (typeof size !== 'number') throw invalidType('size', 'of type number', size);
  if (!(size >= 0 && size <= 2 ** 32)) {
    throw coded(RangeError, 'ERR_OUT_OF_RANGE', `The value of "size" is out of range. It must be >= 0 && <= 4294967296. Received ${size}`);
  }
}

function outOfRange(name, range, value) {
  return coded(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be ${range}. Received ${value}`);
}

function Buffer(value, encoding, length) {
  if (typeof value === 'number') return Buffer.alloc(value);
  return Buffer.from(value, encoding, length);
}
Object.setPrototypeOf(Buffer, Uint8Array);
Buffer.prototype = Object.create(Uint8Array.prototype, {
  constructor: { value: Buffer, writable: true, configurable: true },
});

Object.assign(Buffer, {
  poolSize: 8192,
  from(value, encoding, length) {
    if (typeof value === 'string') return view(encoded(value, encoding));
    if (value !== null && typeof value === 'object') {
      if (host.kindOf(value) === 'ArrayBuffer') return view(new Uint8Array(value, encoding, length));
      if (value.type === 'Buffer' && Array.isArray(value.data)) return view(new Uint8Array(value.data));
      if (ArrayBuffer.isView(value) || typeof value.length === 'number' || value[Symbol.iterator]) return view(Uint8Array.from(value));
      const primitive = value.valueOf?.();
      if (primitive !== value && primitive !== null && primitive !== undefined) return Buffer.from(primitive, encoding, length);
    }
    throw invalidType('first argument', 'of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object', value);
  },
  alloc(size, fill, encoding) {
    checkSize(size);
    const buffer = view(new Uint8Array(size));
    return fill === undefined || fill === 0 ? buffer : buffer.fill(fill, encoding);
  },
  allocUnsafe: (size) => Buffer.alloc(size),
  allocUnsafeSlow: (size) => Buffer.alloc(size),
  isBuffer: (value) => value instanceof Buffer,
  isEncoding: (name) => typeof name === 'string' && name !== '' && encodingOf(name) !== undefined,
  byteLength(value, encoding) {
    if (typeof value !== 'string') {
      if (value?.byteLength === undefined) throw invalidType('string', 'of type string or an instance of Buffer or ArrayBuffer', value);
      return value.byteLength;
    }
    return encoded(value, encoding).length;
  },
  compare: (a, b) => compare(a, b),
  concat(list, total) {
    if (!Array.isArray(list)) throw invalidType('list', 'an instance of Array', list);
    total ??= list.reduce((sum, part) => sum + part.length, 0);
    const whole = Buffer.alloc(total);
    let at = 0;
    for (const part of list) {
      if (!(part instanceof Uint8Array)) throw invalidType('list[0]', 'an instance of Buffer or Uint8Array', part);
      if (at >= total) break;
      whole.set(at + part.length > total ? part.subarray(0, total - at) : part, at);
      at += part.length;
    }
    return whole;
  },
});

function compare(a, b) {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    if (a[at] !== b[at]) return a[at] < b[at] ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

/** Where a part stands, from the left or from the right. */
function find(buffer, value, from, encoding, last) {
  if (typeof from === 'string') [from, encoding] = [undefined, from];
  if (typeof value === 'number') value = [value & 255];
  else if (typeof value === 'string') value = encoded(value, encoding);
  let at = from === undefined || Number.isNaN(Number(from)) ? (last ? buffer.length : 0) : Math.trunc(Number(from));
  if (at < 0) at += buffer.length;
  if (last) at = Math.min(at, buffer.length - value.length);
  const step = last ? -1 : 1;
  for (at = Math.max(at, last ? at : 0); at >= 0 && at + value.length <= buffer.length; at += step) {
    let same = 0;
    while (same < value.length && buffer[at + same] === value[same]) same++;
    if (same === value.length) return at;
  }
  return -1;
}

const methods = {
  toString(encoding, start = 0, end = this.length) {
    const kind = known(encoding);
    start = Math.max(0, Math.trunc(start) || 0);
    end = Math.min(this.length, Math.trunc(end) || 0);
    if (end <= start) return '';
    return host.decode(start === 0 && end === this.length ? this : Uint8Array.prototype.subarray.call(this, start, end), kind);
  },
  toJSON() { return { type: 'Buffer', data: Array.from(this) }; },
  equals(other) {
    if (!(other instanceof Uint8Array)) throw invalidType('otherBuffer', 'an instance of Buffer or Uint8Array', other);
    return compare(this, other) === 0;
  },
  compare(other, start = 0, end = other.length, from = 0, to = this.length) {
    return compare(this.subarray(from, to), other.subarray(start, end));
  },
  slice(start, end) { return this.subarray(start, end); },
  subarray(start, end) {
    const part = Uint8Array.prototype.subarray.call(new Uint8Array(this.buffer, this.byteOffset, this.length), start, end);
    return view(part);
  },
  write(text, offset, length, encoding) {
    if (typeof offset === 'string') [encoding, offset, length] = [offset, 0, undefined];
    else if (typeof length === 'string') [encoding, length] = [length, undefined];
    offset ??= 0;
    const bytes = encoded(String(text), encoding);
    const count = Math.min(bytes.length, length ?? Infinity, this.length - offset);
    this.set(bytes.subarray(0, count), offset);
    return count;
  },
  fill(value, start, end, encoding) {
    if (typeof start === 'string') [encoding, start, end] = [start, undefined, undefined];
    else if (typeof end === 'string') [encoding, end] = [end, undefined];
    if (typeof value === 'number' || typeof value === 'boolean') return Uint8Array.prototype.fill.call(this, Number(value) & 255, start, end);
    const bytes = typeof value === 'string' ? encoded(value, encoding) : value;
    if (bytes.length === 0) return Uint8Array.prototype.fill.call(this, 0, start, end);
    for (let at = start ?? 0, next = 0; at < (end ?? this.length); at++, next++) this[at] = bytes[next % bytes.length];
    return this;
  },
  copy(target, targetStart = 0, start = 0, end = this.length) {
    const count = Math.max(0, Math.min(end - start, target.length - targetStart, this.length - start));
    target.set(Uint8Array.prototype.subarray.call(this, start, start + count), targetStart);
    return count;
  },
  indexOf(value, from, encoding) { return find(this, value, from, encoding, false); },
  lastIndexOf(value, from, encoding) { return find(this, value, from, encoding, true); },
  includes(value, from, encoding) { return find(this, value, from, encoding, false) >= 0; },
  swap16() { return swapped(this, 2); },
  swap32() { return swapped(this, 4); },
  swap64() { return swapped(this, 8); },
  [custom](depth, options) {
    const bytes = Array.from(Uint8Array.prototype.subarray.call(this, 0, 50)).map((byte) => byte.toString(16).padStart(2, '0'));
    const rest = this.length > 50 ? ` ... ${this.length - 50} more byte${this.length > 51 ? 's' : ''}` : '';
    return `<${this.constructor.name} ${bytes.join(' ')}${rest}>`.replace(' >', '>');
  },
};
for (const name of ['latin1', 'utf8', 'hex', 'base64', 'ascii', 'utf16le']) {
  methods[`${name}Slice`] = function (start, end) { return this.toString(name, start, end); };
  methods[`${name}Write`] = function (text, offset, length) { return this.write(text, offset, length, name); };
}

function swapped(buffer, size) {
  for (let at = 0; at + size <= buffer.length; at += size) buffer.subarray(at, at + size).reverse();
  return buffer;
}

/** Numbers of one width, in both orders of bytes. */
function numbers(name, method, size, check) {
  for (const [suffix, little] of size === 1 ? [['', true]] : [['LE', true], ['BE', false]]) {
    const read = function (offset = 0) {
      if (typeof offset !== 'number') throw invalidType('offset', 'of type number', offset);
      if (offset < 0 || offset + size > this.length) {
        throw this.length < size
          ? coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds')
          : outOfRange('offset', `>= 0 and <= ${this.length - size}`, offset);
      }
      return new DataView(this.buffer, this.byteOffset, this.length)[`get${method}`](offset, little);
    };
    const write = function (value, offset = 0) {
      if (check && (value < check[0] || value > check[1])) throw outOfRange('value', `>= ${check[0]}${typeof check[0] === 'bigint' ? 'n' : ''} and <= ${check[1]}${typeof check[0] === 'bigint' ? 'n' : ''}`, value);
      if (offset < 0 || offset + size > this.length) throw outOfRange('offset', `>= 0 and <= ${this.length - size}`, offset);
      new DataView(this.buffer, this.byteOffset, this.length)[`set${method}`](offset, value, little);
      return offset + size;
    };
    methods[`read${name}${suffix}`] = read;
    methods[`write${name}${suffix}`] = write;
    if (name.startsWith('UInt') || name.startsWith('BigUInt')) {
      methods[`read${name.replace('UI', 'Ui')}${suffix}`] = read;
      methods[`write${name.replace('UI', 'Ui')}${suffix}`] = write;
    }
  }
}
for (const size of [1, 2, 4]) {
  numbers(`UInt${size * 8}`, `Uint${size * 8}`, size, [0, 2 ** (size * 8) - 1]);
  numbers(`Int${size * 8}`, `Int${size * 8}`, size, [-(2 ** (size * 8 - 1)), 2 ** (size * 8 - 1) - 1]);
}
numbers('BigUInt64', 'BigUint64', 8, [0n, 2n ** 64n - 1n]);
numbers('BigInt64', 'BigInt64', 8, [-(2n ** 63n), 2n ** 63n - 1n]);
numbers('Float', 'Float32', 4);
numbers('Double', 'Float64', 8);
for (const [suffix, little] of [['LE', true], ['BE', false]]) {
  const places = (count) => [...Array(count).keys()].map((at) => (little ? at : count - 1 - at));
  methods[`readUInt${suffix}`] = methods[`readUint${suffix}`] = function (offset, count) {
    return places(count).reduce((sum, place, at) => sum + this[offset + place] * 256 ** at, 0);
  };
  methods[`readInt${suffix}`] = function (offset, count) {
    const value = this[`readUInt${suffix}`](offset, count);
    return value >= 2 ** (count * 8 - 1) ? value - 2 ** (count * 8) : value;
  };
  methods[`writeUInt${suffix}`] = methods[`writeInt${suffix}`] = methods[`writeUint${suffix}`] = function (value, offset, count) {
    places(count).forEach((place, at) => { this[offset + place] = Math.floor(value / 256 ** at) & 255; });
    return offset + count;
  };
}

for (const key of Reflect.ownKeys(methods)) {
  Object.defineProperty(Buffer.prototype, key, { value: methods[key], writable: true, configurable: true, enumerable: false });
}
Object.defineProperty(Buffer.prototype, 'toLocaleString', { value: methods.toString, writable: true, configurable: true });
Object.defineProperty(Buffer.prototype, 'parent', { get() { return this.buffer; }, configurable: true });
Object.defineProperty(Buffer, Symbol.species, { get: () => Uint8Array, configurable: true });

function invalidCharacter() {
  const { DOMException } = internal('web');
  return new DOMException('Invalid character', 'InvalidCharacterError');
}

function btoa(text) {
  text = String(text);
  if (/[^\u0000-\u00ff]/.test(text)) throw invalidCharacter();
  return host.decode(host.encode(text, 'latin1'), 'base64');
}

function atob(text) {
  text = String(text).replace(/[\t\n\f\r ]/g, '');
  if (/[^A-Za-z0-9+/=]/.test(text)) throw invalidCharacter();
  return host.decode(host.encode(text, 'base64'), 'latin1');
}

module.exports = {
  Buffer, atob, btoa, kMaxLength: 2 ** 32, constants: { MAX_LENGTH: 2 ** 32, MAX_STRING_LENGTH: 2 ** 29 - 24 },
  isUtf8: (bytes) => host.isUtf8(bytes), isAscii: (bytes) => bytes.every((byte) => byte < 128), SlowBuffer: Buffer,
  get Blob() { return internal('web').Blob; },
  view,
};
