'use strict';
// Errors as Node makes them: with a code, and with a stack that begins with what they say.

const numbers = {
  EPERM: [-1, 'operation not permitted'], ENOENT: [-2, 'no such file or directory'], EIO: [-5, 'i/o error'],
  EBADF: [-9, 'bad file descriptor'], ECHILD: [-10, 'no child processes'], EAGAIN: [-11, 'resource temporarily unavailable'],
  EACCES: [-13, 'permission denied'], EBUSY: [-16, 'resource busy or locked'], EEXIST: [-17, 'file already exists'],
  EXDEV: [-18, 'cross-device link not permitted'], ENOTDIR: [-20, 'not a directory'],
  EISDIR: [-21, 'illegal operation on a directory'], EINVAL: [-22, 'invalid argument'], EMFILE: [-24, 'too many open files'],
  EFBIG: [-27, 'file too large'], ENOSPC: [-28, 'no space left on device'], EROFS: [-30, 'read-only file system'],
  EMLINK: [-31, 'too many links'], EPIPE: [-32, 'broken pipe'], ENAMETOOLONG: [-36, 'name too long'],
  ENOTEMPTY: [-39, 'directory not empty'], ELOOP: [-40, 'too many symbolic links encountered'],
  EDQUOT: [-122, 'disk quota exceeded'], ETIMEDOUT: [-110, 'connection timed out'],
};

/** An error of a system call. */
function system(code, syscall, path, dest) {
  const [errno, words] = numbers[code] ?? [-5, 'unknown error'];
  let text = `${code}: ${words}, ${syscall}`;
  if (path !== undefined) text += ` '${path}'`;
  if (dest !== undefined) text += ` -> '${dest}'`;
  const error = new Error(text);
  error.errno = errno;
  error.code = code;
  error.syscall = syscall;
  if (path !== undefined) error.path = path;
  if (dest !== undefined) error.dest = dest;
  return error;
}

/** An error with a code of Node's own. */
function coded(Base, code, message) {
  const error = new Base(message);
  error.code = code;
  Object.defineProperty(error, 'toString', {
    value() { return `${this.name} [${code}]: ${this.message}`; }, enumerable: false, configurable: true, writable: true,
  });
  Object.defineProperty(error, codedMark, { value: code });
  return error;
}
const codedMark = Symbol('code');

function received(value) {
  if (value === null || value === undefined) return ` Received ${value}`;
  if (typeof value === 'function') return ` Received function ${value.name}`;
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    return name ? ` Received an instance of ${name}` : ' Received [Object: null prototype] {}';
  }
  let shown = typeof value === 'string' ? `'${value.length > 25 ? `${value.slice(0, 25)}...` : value}'` : String(value);
  if (typeof value === 'bigint') shown += 'n';
  return ` Received type ${typeof value} (${shown})`;
}

function invalidType(name, expected, value) {
  const kind = name.includes('.') ? 'property' : 'argument';
  return coded(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${name}" ${kind} must be ${expected}.${received(value)}`);
}

function checkString(value, name) {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
}

function checkFunction(value, name) {
  if (typeof value !== 'function') throw invalidType(name, 'of type function', value);
}

const engineStack = Object.getOwnPropertyDescriptor(Error.prototype, 'stack').get;

/** The places of the engine's stack that are a script's, as Node writes them. */
function frames(error) {
  const places = [];
  for (const line of (engineStack.call(error) ?? '').split('\n')) {
    const match = /^ {4}at (.*) \((.*):(\d+):(\d+)\)$/.exec(line);
    if (!match || match[2].startsWith('node:')) continue;
    const [, name, path, row, column] = match;
    const place = path === '[eval]' || path.startsWith('[') ? path : path;
    places.push(name === '<main>' || name === '' ? `    at ${place}:${row}:${column}` : `    at ${name} (${place}:${row}:${column})`);
  }
  return places.slice(0, typeof Error.stackTraceLimit === 'number' ? Error.stackTraceLimit : 10);
}

function header(error) {
  let name = error.name;
  name = name === undefined ? 'Error' : String(name);
  const message = error.message === undefined ? '' : String(error.message);
  if (error[codedMark]) name += ` [${error[codedMark]}]`;
  if (name === '') return message;
  return message === '' ? name : `${name}: ${message}`;
}

Error.stackTraceLimit = 10;
Object.defineProperty(Error.prototype, 'stack', {
  configurable: true,
  get() {
    if (host.kindOf(this) !== 'Error') return undefined;
    return [header(this), ...frames(this)].join('\n');
  },
  set(value) {
    Object.defineProperty(this, 'stack', { value, writable: true, configurable: true, enumerable: false });
  },
});
Object.defineProperty(Error, 'captureStackTrace', {
  value: function captureStackTrace(object) {
    const places = frames(new Error());
    const title = typeof object.message === 'string' || object instanceof Error ? header(object) : 'Error';
    Object.defineProperty(object, 'stack', {
      value: [title, ...places].join('\n'), writable: true, configurable: true, enumerable: false,
    });
  },
  writable: true, configurable: true, enumerable: false,
});

/** What a reviver makes of a value, from the innermost out. */
function revive(holder, key, reviver) {
  const value = holder[key];
  if (typeof value === 'object' && value !== null) {
    for (const name of Object.keys(value)) {
      const made = revive(value, name, reviver);
      if (made === undefined) delete value[name];
      else value[name] = made;
    }
  }
  return reviver.call(holder, key, value);
}

Object.defineProperty(JSON, 'parse', {
  value: function parse(text, reviver) {
    const value = host.parseJson(text);
    return typeof reviver === 'function' ? revive({ '': value }, '', reviver) : value;
  },
  writable: true, configurable: true, enumerable: false,
});

module.exports = { system, coded, received, invalidType, checkString, checkFunction, frames, header, numbers };
