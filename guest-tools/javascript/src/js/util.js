'use strict';
// `util`.

const { inspect, format, formatWith } = internal('inspect');
const { coded, checkFunction, numbers } = internal('errors');
const { isDeepEqual } = internal('assert');

const custom = Symbol.for('nodejs.util.promisify.custom');

function promisify(original) {
  checkFunction(original, 'original');
  if (original[custom]) return original[custom];
  function promised(...args) {
    return new Promise((resolve, reject) => {
      original.call(this, ...args, (error, ...values) => {
        if (error) reject(error);
        else resolve(values[0]);
      });
    });
  }
  Object.defineProperty(promised, 'name', { value: original.name });
  return Object.assign(promised, original);
}
promisify.custom = custom;

function callbackify(original) {
  checkFunction(original, 'original');
  return function (...args) {
    const done = args.pop();
    checkFunction(done, 'last argument');
    const { process } = internal('process');
    original.apply(this, args).then(
      (value) => process.nextTick(done, null, value),
      (error) => process.nextTick(done, error || coded(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value')),
    );
  };
}

function inherits(constructor, parent) {
  Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(constructor.prototype, parent.prototype);
}

function deprecate(act, message, code) {
  let told = false;
  return function (...args) {
    if (!told) {
      told = true;
      internal('process').process.emitWarning(message, 'DeprecationWarning', code);
    }
    return new.target ? Reflect.construct(act, args, new.target) : act.apply(this, args);
  };
}

const kind = (name) => (value) => host.kindOf(value) === name;
const tagged = (...names) => (value) => typeof value === 'object' && value !== null && names.includes(Object.prototype.toString.call(value).slice(8, -1));
const typed = (name) => (value) => ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === `[object ${name}]`;
const makes = (name) => (value) => typeof value === 'function' && Object.prototype.toString.call(value).slice(8, -1).includes(name);
const types = {
  isDate: kind('Date'), isRegExp: kind('RegExp'), isMap: kind('Map'), isSet: kind('Set'), isPromise: kind('Promise'), isProxy: kind('Proxy'),
  isNativeError: kind('Error'), isTypedArray: kind('TypedArray'), isDataView: kind('DataView'), isArrayBuffer: kind('ArrayBuffer'),
  isAnyArrayBuffer: tagged('ArrayBuffer', 'SharedArrayBuffer'), isSharedArrayBuffer: tagged('SharedArrayBuffer'),
  isWeakMap: tagged('WeakMap'), isWeakSet: tagged('WeakSet'), isArgumentsObject: tagged('Arguments'), isArrayBufferView: ArrayBuffer.isView,
  isGeneratorObject: tagged('Generator', 'AsyncGenerator'), isMapIterator: tagged('Map Iterator'), isSetIterator: tagged('Set Iterator'),
  isAsyncFunction: makes('Async'), isGeneratorFunction: makes('Generator'), isModuleNamespaceObject: tagged('Module'), isExternal: () => false,
  isNumberObject: tagged('Number'), isStringObject: tagged('String'), isBooleanObject: tagged('Boolean'), isSymbolObject: tagged('Symbol'),
  isBigIntObject: tagged('BigInt'), isBoxedPrimitive: tagged('Number', 'String', 'Boolean', 'Symbol', 'BigInt'),
};
for (const name of ['Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array', 'Int8Array', 'Int16Array', 'Int32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array']) {
  types[`is${name}`] = typed(name);
}

const marks = {
  reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], inverse: [7, 27], hidden: [8, 28], strikethrough: [9, 29],
  black: [30, 39], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39], white: [37, 39],
  gray: [90, 39], grey: [90, 39], bgRed: [41, 49], bgGreen: [42, 49], bgYellow: [43, 49], bgBlue: [44, 49],
};

function styleText(style, text) {
  const names = Array.isArray(style) ? style : [style];
  for (const name of names) {
    if (!marks[name]) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'format' must be one of: ${Object.keys(marks).join(', ')}. Received ${inspect(name)}`);
  }
  return names.map((name) => `\x1b[${marks[name][0]}m`).join('') + text + names.map((name) => `\x1b[${marks[name][1]}m`).reverse().join('');
}

/** Reads arguments as a command line. */
function parseArgs({ args = internal('process').process.argv.slice(2), options = {}, strict = true, allowPositionals = !strict } = {}) {
  const values = Object.create(null), positionals = [];
  const put = (name, value) => {
    if (options[name]?.multiple) (values[name] ??= []).push(value);
    else values[name] = value;
  };
  const rest = [...args];
  const take = (name, shown, value) => {
    const type = options[name]?.type;
    if (strict && type === undefined) {
      throw coded(TypeError, 'ERR_PARSE_ARGS_UNKNOWN_OPTION', `Unknown option '${shown}'${allowPositionals ? `. To specify a positional argument starting with a '-', place it at the end of the command after '--', as in '-- "${shown}"` : ''}`);
    }
    if (type === 'string') {
      value ??= rest.shift();
      if (value === undefined || (strict && value.startsWith?.('-') && value.length > 1)) {
        throw coded(TypeError, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', `Option '${short(name)}--${name} <value>' argument missing`);
      }
      put(name, value);
    } else {
      if (strict && value !== undefined) throw coded(TypeError, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', `Option '${short(name)}--${name}' does not take an argument`);
      put(name, value ?? true);
    }
  };
  const short = (name) => (options[name]?.short ? `-${options[name].short}, ` : '');
  while (rest.length > 0) {
    const word = rest.shift();
    if (word === '--') {
      positionals.push(...rest.splice(0));
    } else if (word.startsWith('--')) {
      const at = word.indexOf('=');
      const name = at < 0 ? word.slice(2) : word.slice(2, at);
      take(name, at < 0 ? word : word.slice(0, at), at < 0 ? undefined : word.slice(at + 1));
    } else if (word.startsWith('-') && word.length > 1) {
      for (let at = 1; at < word.length; at++) {
        const name = Object.keys(options).find((key) => options[key].short === word[at]) ?? word[at];
        const value = options[name]?.type === 'string' && at + 1 < word.length ? word.slice(at + 1) : undefined;
        take(name, `-${word[at]}`, value);
        if (value !== undefined) break;
      }
    } else {
      if (!allowPositionals) throw coded(TypeError, 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL', `Unexpected argument '${word}'. This command does not take positional arguments`);
      positionals.push(word);
    }
  }
  for (const [name, option] of Object.entries(options)) {
    if (option.default !== undefined && values[name] === undefined) values[name] = option.default;
  }
  return { values, positionals };
}

module.exports = {
  inspect, format, formatWithOptions: (options, ...args) => formatWith(options, ...args), promisify, callbackify, inherits, deprecate, types,
  styleText, parseArgs, isDeepStrictEqual: (a, b) => isDeepEqual(a, b, true),
  stripVTControlCharacters: (text) => text.replace(/\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07/g, ''),
  toUSVString: (text) => String(text).toWellFormed(), isArray: Array.isArray,
  debuglog: () => Object.assign(() => {}, { enabled: false }), debug: () => () => {},
  getSystemErrorName: (number) => Object.keys(numbers).find((name) => numbers[name][0] === number),
  aborted: (signal) => new Promise((resolve) => signal.addEventListener('abort', resolve)),
  get TextEncoder() { return internal('web').TextEncoder; },
  get TextDecoder() { return internal('web').TextDecoder; },
  isString: (value) => typeof value === 'string', isFunction: (value) => typeof value === 'function',
  isObject: (value) => typeof value === 'object' && value !== null, isError: (value) => value instanceof Error,
  isRegExp: types.isRegExp, isDate: types.isDate, isNullOrUndefined: (value) => value === null || value === undefined,
  _extend: (target, source) => Object.assign(target, source),
};
