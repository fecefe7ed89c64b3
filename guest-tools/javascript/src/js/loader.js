'use strict';
// Finds and loads modules: CommonJS here, ECMAScript modules in the engine, both by the same rules.

const path = internal('path');
const { coded, checkString } = internal('errors');
const { process } = internal('process');

const read = (file) => host.decode(host.readFile(file), 'utf8').replace(/^\uFEFF/, '');

function kindOfFile(file) {
  try {
    return host.stat(file, true)[0];
  } catch {
    return undefined;
  }
}

/** The modules that come with the interpreter, and what each is. */
const builtins = {
  assert: () => internal('assert'), 'assert/strict': () => internal('assert').strict, buffer: () => internal('buffer'),
  child_process: () => internal('child_process'), console: () => globalThis.console, constants: () => internal('os').constants,
  crypto: () => internal('crypto'), events: () => internal('events'), fs: () => internal('fs'),
  'fs/promises': () => internal('fs').promises, module: () => Module, os: () => internal('os'), path: () => path,
  'path/posix': () => path, 'path/win32': () => path, perf_hooks: () => ({ performance: internal('web').performance }),
  process: () => process, punycode: () => internal('url').punycode, querystring: () => internal('querystring'),
  readline: () => internal('readline'), 'readline/promises': () => internal('readline').promises,
  stream: () => internal('stream'), 'stream/promises': () => internal('stream').promises,
  string_decoder: () => internal('string_decoder'), test: () => internal('test'), sys: () => internal('util'), timers: () => timersModule(),
  'timers/promises': () => internal('timers').promises, tty: () => ({ isatty: () => false }), url: () => internal('url'),
  util: () => internal('util'), 'util/types': () => internal('util').types, vm: () => vm, async_hooks: () => internal('web').asyncHooks,
  worker_threads: () => ({ isMainThread: true, parentPort: null, workerData: null, threadId: 0 }),
  v8: () => ({ getHeapStatistics: () => ({}), serialize: unsupported('v8.serialize'), deserialize: unsupported('v8.deserialize') }),
};
/** What a script may name, and cannot have in a sandbox. */
const missing = {
  http: 'network', https: 'network', http2: 'network', net: 'network', tls: 'network', dgram: 'network', dns: 'network',
  'dns/promises': 'network', cluster: 'other threads', inspector: 'debugger', repl: 'terminal', zlib: 'compression',
  diagnostics_channel: 'diagnostics', trace_events: 'diagnostics', wasi: 'WebAssembly',
};
const made = new Map();

function unsupported(what) {
  return () => { throw coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `${what} is not supported in this sandbox`); };
}

function timersModule() {
  const { later, turn, pending, ...rest } = internal('timers');
  return rest;
}

function isBuiltin(name) {
  const bare = name.startsWith('node:') ? name.slice(5) : name;
  if (name === 'test') return false;
  return Object.hasOwn(builtins, bare) || Object.hasOwn(missing, bare);
}

function builtin(name) {
  const bare = name.startsWith('node:') ? name.slice(5) : name;
  if (!isBuiltin(name)) {
    if (name.startsWith('node:')) throw coded(Error, 'ERR_UNKNOWN_BUILTIN_MODULE', `No such built-in module: ${name}`);
    return undefined;
  }
  if (!made.has(bare)) made.set(bare, Object.hasOwn(builtins, bare) ? builtins[bare]() : absent(bare));
  return made.get(bare);
}

/** A module that can be loaded, and says what is wrong only when it is used. */
function absent(name) {
  const say = () => {
    const hint = missing[name] === 'network' ? 'there is no network for scripts here' : `there is no ${missing[name]} here`;
    throw coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `The module '${name}' does nothing in this sandbox: ${hint}`);
  };
  const names = ['request', 'get', 'createServer', 'connect', 'createConnection', 'lookup', 'resolve', 'gzipSync', 'gunzipSync', 'deflateSync', 'inflateSync', 'createGzip', 'createGunzip', 'gzip', 'gunzip', 'Agent', 'Server', 'Socket'];
  return Object.fromEntries(names.map((key) => [key, say]));
}

const vm = {
  runInThisContext: (text, options) => host.evalScript(String(text), typeof options === 'string' ? options : options?.filename ?? 'evalmachine.<anonymous>'),
  createContext: (object = {}) => object,
  isContext: () => true,
  runInContext: (text, object) => runWith(text, object),
  runInNewContext: (text, object = {}) => runWith(text, object),
  Script: class Script {
    constructor(text, options) {
      this.text = String(text);
      this.name = typeof options === 'string' ? options : options?.filename ?? 'evalmachine.<anonymous>';
      host.checkScript(this.text, this.name);
    }
    runInThisContext() { return host.evalScript(this.text, this.name); }
    runInContext(object) { return runWith(this.text, object); }
    runInNewContext(object = {}) { return runWith(this.text, object); }
  },
};

/** There is one realm only: the object's properties stand before the globals. */
function runWith(text, object) {
  const scope = new Proxy(object, {
    has: (target, key) => typeof key === 'string' && key !== 'arguments' && key !== 'eval' && (key in target || !(key in globalThis)),
    get: (target, key) => {
      if (key === Symbol.unscopables) return undefined;
      if (!(key in target)) throw new ReferenceError(`${String(key)} is not defined`);
      return target[key];
    },
  });
  const run = host.compileFunction('with (arguments[0]) { return eval(arguments[1]); }', 'evalmachine.<anonymous>', '');
  return run(scope, String(text));
}

const packages = new Map();
/** What `package.json` in a folder says; undefined if there is none. */
function packageIn(folder) {
  if (packages.has(folder)) return packages.get(folder);
  const file = path.join(folder, 'package.json');
  let found;
  if (kindOfFile(file) === 'file') {
    try {
      found = JSON.parse(read(file));
    } catch (error) {
      throw coded(Error, 'ERR_INVALID_PACKAGE_CONFIG', `Invalid package config ${file}.\n${error.message}`);
    }
  }
  packages.set(folder, found);
  return found;
}

/** The next `package.json` above a file, with its folder. */
function packageAbove(file) {
  let folder = path.dirname(file);
  for (;;) {
    if (!folder.endsWith('/node_modules')) {
      const found = packageIn(folder);
      if (found) return { folder, found };
    }
    if (folder === '/') return undefined;
    folder = path.dirname(folder);
  }
}

function isModule(file) {
  if (file.endsWith('.mjs')) return true;
  if (file.endsWith('.cjs') || !file.endsWith('.js')) return false;
  return packageAbove(file)?.found.type === 'module';
}

/** The target of an entry of `exports` or `imports`, by conditions. */
function pick(target, conditions, star) {
  if (typeof target === 'string') return star === undefined ? target : target.replaceAll('*', star);
  if (Array.isArray(target)) {
    for (const one of target) {
      const found = pick(one, conditions, star);
      if (found) return found;
    }
    return undefined;
  }
  if (target === null || typeof target !== 'object') return undefined;
  for (const [condition, inner] of Object.entries(target)) {
    if (condition !== 'default' && !conditions.includes(condition)) continue;
    const found = pick(inner, conditions, star);
    if (found) return found;
  }
  return undefined;
}

function pickEntry(entries, key, conditions) {
  if (Object.hasOwn(entries, key)) return pick(entries[key], conditions);
  let best;
  for (const pattern of Object.keys(entries)) {
    const at = pattern.indexOf('*');
    if (at < 0) continue;
    const [before, after] = [pattern.slice(0, at), pattern.slice(at + 1)];
    if (!key.startsWith(before) || !key.endsWith(after) || key.length < pattern.length) continue;
    if (best === undefined || before.length > best.before.length) {
      best = { before, target: entries[pattern], star: key.slice(before.length, key.length - after.length) };
    }
  }
  return best && pick(best.target, conditions, best.star);
}

function exported(folder, found, subpath, conditions) {
  let entries = found.exports;
  if (typeof entries === 'string' || Array.isArray(entries) || !Object.keys(entries)[0]?.startsWith('.')) entries = { '.': entries };
  const target = pickEntry(entries, subpath, conditions);
  if (target) return path.join(folder, target);
  const file = path.join(folder, 'package.json');
  if (subpath === '.') throw coded(Error, 'ERR_PACKAGE_PATH_NOT_EXPORTED', `No "exports" main defined in ${file}`);
  throw coded(Error, 'ERR_PACKAGE_PATH_NOT_EXPORTED', `Package subpath '${subpath}' is not defined by "exports" in ${file}`);
}

function asFile(file) {
  if (kindOfFile(file) === 'file') return file;
  for (const extension of Object.keys(Module._extensions)) {
    if (kindOfFile(file + extension) === 'file') return file + extension;
  }
  return undefined;
}

function asFolder(folder) {
  if (kindOfFile(folder) !== 'dir') return undefined;
  const main = packageIn(folder)?.main;
  if (typeof main === 'string' && main !== '') {
    const target = path.resolve(folder, main);
    const found = asFile(target) ?? asFile(path.join(target, 'index'));
    if (found) return found;
  }
  return asFile(path.join(folder, 'index'));
}

function real(file) {
  try {
    return host.realpath(file);
  } catch {
    return file;
  }
}

function modulePaths(folder) {
  const paths = [];
  for (;;) {
    if (path.basename(folder) !== 'node_modules') paths.push(path.join(folder, 'node_modules'));
    if (folder === '/') return paths;
    folder = path.dirname(folder);
  }
}

/** A file of a package in one of the folders `node_modules`. */
function inPackages(request, folder, conditions) {
  const words = request.split('/');
  const name = words.splice(0, request.startsWith('@') ? 2 : 1).join('/');
  const subpath = ['.', ...words].join('/');
  const own = packageAbove(path.join(folder, 'x'));
  if (own && own.found.name === name && own.found.exports !== undefined) return exported(own.folder, own.found, subpath, conditions);
  const more = (process.env.NODE_PATH ?? '').split(':').filter((entry) => entry !== '');
  for (const modules of [...modulePaths(folder), ...more]) {
    const target = path.join(modules, name);
    if (kindOfFile(target) === undefined && asFile(target) === undefined) continue;
    const found = kindOfFile(target) === 'dir' ? packageIn(target) : undefined;
    if (found?.exports !== undefined && found.exports !== null) return exported(target, found, subpath, conditions);
    const file = path.join(modules, request);
    const known = asFile(file) ?? asFolder(file);
    if (known) return known;
  }
  return undefined;
}

const required = ['node', 'require', 'module-sync'];
const imported = ['node', 'import', 'module-sync'];

/** Where a request leads, with extensions tried; undefined if nowhere. */
function locate(request, folder, conditions) {
  if (request.startsWith('#')) {
    const own = packageAbove(path.join(folder, 'x'));
    const target = own?.found.imports && pickEntry(own.found.imports, request, conditions);
    if (!target) return undefined;
    return target.startsWith('.') ? path.join(own.folder, target) : locate(target, folder, conditions);
  }
  if (/^(\.{0,2}\/|\.{1,2}$)/.test(request)) {
    const target = path.resolve(folder, request);
    return (request.endsWith('/') ? undefined : asFile(target)) ?? asFolder(target);
  }
  return inPackages(request, folder, conditions);
}

function Module(id = '', parent) {
  this.id = id;
  this.path = path.dirname(id);
  this.exports = {};
  this.filename = null;
  this.loaded = false;
  this.children = [];
  this.paths = [];
  Object.defineProperty(this, 'parent', { value: parent, enumerable: false, configurable: true, writable: true });
  parent?.children.push(this);
}

Module._cache = Object.create(null);
Module._extensions = {
  '.js'(module, file) { module._compile(read(file), file); },
  '.json'(module, file) {
    try {
      module.exports = JSON.parse(read(file));
    } catch (error) {
      error.message = `${file}: ${error.message}`;
      throw error;
    }
  },
};
Object.defineProperty(Module._extensions, '.cjs', { value: (module, file) => module._compile(read(file), file, 'commonjs') });
Object.defineProperty(Module._extensions, '.mjs', { value: (module, file) => { module.exports = requireModule(file); } });
Module.builtinModules = [...Object.keys(builtins), ...Object.keys(missing)].filter((name) => name !== 'test').sort();
Module.isBuiltin = isBuiltin;
Module.Module = Module;
Module.globalPaths = [];
Module.wrap = (text) => `(function (exports, require, module, __filename, __dirname) { ${text}\n});`;
Module._nodeModulePaths = modulePaths;
Module.syncBuiltinESMExports = () => {};

Module._resolveFilename = function (request, parent) {
  if (isBuiltin(request)) return request;
  const folder = parent?.filename ? path.dirname(parent.filename) : parent?.path ?? process.cwd();
  const found = locate(request, folder, required);
  if (found) return real(found);
  const stack = [];
  for (let above = parent; above; above = above.parent) stack.push(above.filename ?? above.id);
  let text = `Cannot find module '${request}'`;
  if (stack.length > 0) text += `\nRequire stack:\n- ${stack.join('\n- ')}`;
  const error = new Error(text);
  error.code = 'MODULE_NOT_FOUND';
  error.requireStack = stack;
  throw error;
};

Module._load = function (request, parent, isMain) {
  const known = builtin(request);
  if (known !== undefined) return known;
  const file = Module._resolveFilename(request, parent);
  const cached = Module._cache[file];
  if (cached !== undefined) {
    if (parent && !parent.children.includes(cached)) parent.children.push(cached);
    return cached.exports;
  }
  const module = new Module(file, parent);
  if (isMain) {
    process.mainModule = main = module;
    module.id = '.';
  }
  Module._cache[file] = module;
  let good = false;
  try {
    module.load(file);
    good = true;
  } finally {
    if (!good) delete Module._cache[file];
  }
  return module.exports;
};

Module.prototype.load = function (file) {
  this.filename = file;
  this.paths = modulePaths(path.dirname(file));
  const extension = path.extname(file);
  (Module._extensions[extension] ?? Module._extensions['.js'])(this, file);
  this.loaded = true;
};

Module.prototype.require = function (id) {
  checkString(id, 'id');
  if (id === '') throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', "The argument 'id' must be a non-empty string. Received ''");
  return Module._load(id, this, false);
};

Module.prototype._compile = function (text, file, format) {
  if (format !== 'commonjs' && isModule(file)) {
    this.exports = requireModule(file);
    return undefined;
  }
  let body;
  try {
    body = host.compileFunction(shebang(text), file, 'exports, require, module, __filename, __dirname');
  } catch (error) {
    if (format !== 'commonjs' && !file.endsWith('.cjs') && reallyModule(text, file)) {
      this.exports = requireModule(file);
      return undefined;
    }
    throw error;
  }
  return body.call(this.exports, this.exports, requireFor(this), this, file, path.dirname(file));
};

let main;

function requireFor(module) {
  const require = (id) => module.require(id);
  Object.defineProperty(require, 'name', { value: 'require' });
  require.resolve = (request, options) => {
    checkString(request, 'request');
    for (const folder of options?.paths ?? []) {
      const found = isBuiltin(request) ? request : locate(request, path.resolve(folder), required);
      if (found) return found;
    }
    return Module._resolveFilename(request, module);
  };
  require.resolve.paths = (request) => (isBuiltin(request) ? null : modulePaths(module.path));
  require.main = main;
  require.extensions = Module._extensions;
  require.cache = Module._cache;
  return require;
}

Module.createRequire = (from) => {
  const file = internal('url').toPath(from);
  const module = new Module(file);
  module.filename = file;
  module.paths = modulePaths(path.dirname(file));
  return requireFor(module);
};

function shebang(text) {
  return text.startsWith('#!') ? `//${text}` : text;
}

/** Whether a text that is no script is a module. */
function reallyModule(text, file) {
  if (!/\b(import|export|await)\b/.test(text)) return false;
  try {
    host.checkModule(shebang(text), file);
    return true;
  } catch {
    return false;
  }
}

/** Loads a module at once, for `require`. */
function requireModule(file) {
  const [namespace, promise] = host.evalModule(shebang(read(file)), file);
  host.runJobs();
  const [state, reason] = host.promiseState(promise);
  if (state === 'rejected') {
    promise.catch(() => {});
    throw reason;
  }
  if (state === 'pending') throw coded(Error, 'ERR_REQUIRE_ASYNC_MODULE', 'require() cannot be used on an ESM graph with top-level await. Use import() instead.');
  return namespace;
}

function exportNames(value) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return [];
  const names = new Set(Object.keys(value));
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) {
    for (const name of Object.getOwnPropertyNames(value)) {
      if (typeof value !== 'function' || !['length', 'name', 'prototype', 'arguments', 'caller'].includes(name)) names.add(name);
    }
  }
  names.delete('default');
  return [...names];
}

/** What an import means: its kind, its path, and its text or its exports. */
function resolveImport(specifier, referrer) {
  const folder = !referrer || referrer.startsWith('[') ? process.cwd() : path.dirname(referrer);
  if (isBuiltin(specifier)) {
    const value = builtin(specifier);
    return { kind: 'value', path: specifier.replace(/^node:/, 'node:builtin/'), value, names: exportNames(value) };
  }
  if (specifier.startsWith('node:')) builtin(specifier);
  if (specifier.startsWith('data:')) return dataModule(specifier);
  const request = specifier.startsWith('file:') ? internal('url').fileURLToPath(specifier) : specifier.replace(/[?#].*$/, (rest) => (specifier.startsWith('#') ? rest : ''));
  let file;
  if (/^\.{0,2}\//.test(request)) {
    const target = path.resolve(folder, request);
    if (kindOfFile(target) === 'dir') {
      throw coded(Error, 'ERR_UNSUPPORTED_DIR_IMPORT', `Directory import '${target}' is not supported resolving ES modules imported from ${referrer}`);
    }
    if (kindOfFile(target) === 'file') file = real(target);
    if (!file) throw coded(Error, 'ERR_MODULE_NOT_FOUND', `Cannot find module '${target}' imported from ${referrer || process.cwd()}`);
  } else {
    file = locate(request, folder, imported);
    if (!file) throw coded(Error, 'ERR_MODULE_NOT_FOUND', `Cannot find package '${request}' imported from ${referrer || process.cwd()}`);
    file = real(file);
  }
  if (file.endsWith('.json')) {
    return { kind: 'value', path: file, value: JSON.parse(read(file)), names: [] };
  }
  const text = read(file);
  if (file.endsWith('.cjs') || (!isModule(file) && !looksLikeModule(text, file))) {
    const value = Module._load(file, undefined, false);
    return { kind: 'value', path: file, value: value?.__esModule ? value.default ?? value : value, names: value?.__esModule ? [] : exportNames(value) };
  }
  return { kind: 'module', path: file, source: shebang(text) };
}

function looksLikeModule(text, file) {
  if (!/\b(import|export|await)\b/.test(text)) return false;
  try {
    host.compileFunction(shebang(text), file, 'exports, require, module, __filename, __dirname');
    return false;
  } catch {
    return reallyModule(text, file);
  }
}

function dataModule(specifier) {
  const [, type, base64, text] = /^data:([^,;]*)[^,]*?(;base64)?,(.*)$/s.exec(specifier) ?? [];
  const source = base64 ? host.decode(host.encode(text, 'base64'), 'utf8') : decodeURIComponent(text);
  if (type === 'application/json') return { kind: 'value', path: specifier, value: JSON.parse(source), names: [] };
  return { kind: 'module', path: specifier, source };
}

function importMeta(meta, file) {
  const { pathToFileURL } = internal('url');
  const isFile = file.startsWith('/');
  meta.dirname = path.dirname(file);
  meta.filename = file;
  meta.resolve = (specifier) => {
    if (isBuiltin(specifier)) return specifier.startsWith('node:') ? specifier : `node:${specifier}`;
    if (/^\.{0,2}\//.test(specifier)) return pathToFileURL(path.resolve(path.dirname(file), specifier)).href;
    const found = locate(specifier, path.dirname(file), imported);
    if (!found) throw coded(Error, 'ERR_MODULE_NOT_FOUND', `Cannot find package '${specifier}' imported from ${file}`);
    return pathToFileURL(found).href;
  };
  meta.url = isFile ? pathToFileURL(file).href : file;
}

let awaited;
/** Whether the main module still waits for something, with nothing left that could come. */
function unsettled() {
  return awaited !== undefined && host.promiseState(awaited)[0] === 'pending';
}

function runModule(text, file) {
  const [, promise] = host.evalModule(shebang(text), file);
  awaited = promise;
  host.runJobs();
}

/** Loads a file of either kind to its end. */
async function load(file) {
  const text = read(file);
  if (isModule(file) || (!file.endsWith('.cjs') && looksLikeModule(text, file))) await host.evalModule(shebang(text), file)[1];
  else Module._load(file, null, false);
}

function readAllStdin() {
  const parts = [];
  for (let part = host.readStdin(65536); part !== null; part = host.readStdin(65536)) parts.push(part);
  return host.decode(internal('buffer').Buffer.concat(parts), 'utf8');
}

function runText(wanted, text, name) {
  const wantsModule = wanted.inputType === 'module';
  if (wantsModule) {
    if (wanted.print) throw coded(Error, 'ERR_EVAL_ESM_CANNOT_PRINT', '--print cannot be used with ESM input');
    runModule(text, path.join(process.cwd(), '[eval1]'));
    return;
  }
  const module = new Module(name);
  module.filename = path.join(process.cwd(), name);
  module.paths = modulePaths(process.cwd());
  const own = { exports: module.exports, require: requireFor(module), module, __filename: name, __dirname: '.' };
  for (const [key, value] of Object.entries(own)) Object.defineProperty(globalThis, key, { value, writable: true, configurable: true });
  shortcuts();
  let result;
  try {
    result = host.evalScript(text, name);
  } catch (error) {
    if (error?.name !== 'SyntaxError' || error.sourcePath !== name || wanted.inputType !== '' || !reallyModule(text, name)) throw error;
    runModule(text, path.join(process.cwd(), '[eval1]'));
    return;
  }
  if (wanted.print) globalThis.console.log(result);
}

/** Scripts that are no files find the modules of Node by their names. */
function shortcuts() {
  for (const name of Object.keys(builtins)) {
    if (name.includes('/') || Object.hasOwn(globalThis, name) || ['sys', 'constants', 'test'].includes(name)) continue;
    let other;
    Object.defineProperty(globalThis, name, {
      configurable: true, enumerable: false, get: () => other ?? builtin(name), set: (value) => { other = value; },
    });
  }
}

function check(text, file) {
  if (file && isModule(file)) {
    host.checkModule(shebang(text), file);
    return;
  }
  try {
    host.compileFunction(shebang(text), file ?? '[stdin]', 'exports, require, module, __filename, __dirname');
  } catch (error) {
    if (!reallyModule(text, file ?? '[stdin]')) throw error;
  }
}

function start(wanted, note) {
  for (const name of wanted.preload) Module._load(name, { filename: path.join(process.cwd(), '[preload]'), path: process.cwd(), children: [] }, false);
  if (wanted.kind === 'test') {
    internal('test').runFiles(wanted.args).catch((error) => { setTimeout(() => { throw error; }); });
    return;
  }
  if (wanted.kind !== 'file') {
    const text = wanted.kind === 'stdin' ? readAllStdin() : wanted.script;
    note(text);
    if (wanted.kind === 'stdin') process.argv.splice(1, 0, '-');
    if (wanted.check) check(text);
    else runText(wanted, text, wanted.kind === 'stdin' ? '[stdin]' : '[eval]');
    return;
  }
  const target = path.resolve(wanted.script);
  const found = asFile(target) ?? asFolder(target);
  if (!found) {
    const error = new Error(`Cannot find module '${target}'`);
    error.code = 'MODULE_NOT_FOUND';
    error.requireStack = [];
    throw error;
  }
  const file = real(found);
  process.argv.splice(1, 0, target);
  if (wanted.check) {
    check(read(file), file);
    return;
  }
  if (isModule(file)) {
    runModule(read(file), file);
    return;
  }
  const text = file.endsWith('.json') ? '' : read(file);
  if (!file.endsWith('.cjs') && looksLikeModule(text, file)) runModule(text, file);
  else Module._load(file, null, true);
}

module.exports = { start, load, builtin, isBuiltin, resolveImport, importMeta, unsettled, Module };
