'use strict';
// `fs`: every function once, at once; callbacks and promises are made of those.

const path = internal('path');
const { Buffer, view } = internal('buffer');
const { system, coded, invalidType, checkFunction } = internal('errors');
const { later } = internal('timers');

/** Calls the host; a failure becomes an error as Node's. */
function call(syscall, name, args, file, dest) {
  try {
    return host[name](...args);
  } catch (error) {
    if (!/^E[A-Z0-9]+$/.test(error?.message)) throw error;
    throw system(error.message, syscall, file, dest);
  }
}

function toPath(value, name = 'path') {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument '${name}' must be a string, Uint8Array, or URL without null bytes. Received ${internal('inspect').inspect(value)}`);
    return value;
  }
  if (value instanceof Uint8Array) return host.decode(value, 'utf8');
  if (value?.href !== undefined && value.protocol) return internal('url').fileURLToPath(value);
  throw invalidType(name, 'of type string or an instance of Buffer or URL', value);
}

function settings(options, defaults = {}) {
  if (typeof options === 'function' || options === undefined || options === null) return defaults;
  if (typeof options === 'string') return { ...defaults, encoding: options };
  return { ...defaults, ...options };
}

function given(bytes, encoding) {
  const buffer = view(bytes);
  return encoding && encoding !== 'buffer' ? buffer.toString(encoding) : buffer;
}

function toBytes(data, encoding) {
  if (typeof data === 'string') return !encoding || encoding === 'utf8' || encoding === 'utf-8' ? data : Buffer.from(data, encoding);
  if (ArrayBuffer.isView(data)) return data;
  throw invalidType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
}

const types = { file: 0o100000, dir: 0o040000, link: 0o120000, other: 0o020000 };

class Stats {
  constructor([kind, size, bits, read, changed, made, number, device, links], big) {
    const value = big ? (field) => BigInt(Math.trunc(field)) : (field) => field;
    this.dev = value(device);
    this.mode = value(types[kind] | bits);
    this.nlink = value(links);
    this.uid = value(0);
    this.gid = value(0);
    this.rdev = value(0);
    this.blksize = value(4096);
    this.ino = value(number);
    this.size = value(size);
    this.blocks = value(Math.ceil(size / 512));
    this.atimeMs = value(read);
    this.mtimeMs = value(changed);
    this.ctimeMs = value(changed);
    this.birthtimeMs = value(made);
    if (big) for (const [name, time] of [['atimeNs', read], ['mtimeNs', changed], ['ctimeNs', changed], ['birthtimeNs', made]]) this[name] = BigInt(Math.trunc(time)) * 1000000n;
    this.atime = new Date(read);
    this.mtime = new Date(changed);
    this.ctime = new Date(changed);
    this.birthtime = new Date(made);
  }
}
/** What stats and entries of folders can be asked. */
const questions = {
  isFile: 'file', isDirectory: 'dir', isSymbolicLink: 'link', isFIFO: undefined, isSocket: undefined, isBlockDevice: undefined,
  isCharacterDevice: 'other',
};
for (const [name, kind] of Object.entries(questions)) {
  Stats.prototype[name] = function () { return kind !== undefined && (Number(this.mode) & 0o170000) === types[kind]; };
}

class Dirent {
  constructor(name, parent, kind) {
    this.name = name;
    this.parentPath = parent;
    this.path = parent;
    this[kindKey] = kind;
  }
}
const kindKey = Symbol('type');
for (const [name, kind] of Object.entries(questions)) {
  Dirent.prototype[name] = function () { return kind !== undefined && this[kindKey] === kind; };
}

const flagsOf = (flags = 'r') => {
  if (typeof flags === 'string') return flags.replace('s', '');
  const access = flags & 3;
  if (flags & constants.O_APPEND) return access === 2 ? 'a+' : 'a';
  const base = access === 0 ? 'r' : flags & constants.O_CREAT ? (access === 2 ? 'w+' : 'w') : 'r+';
  return flags & constants.O_EXCL ? `${base[0]}x${base.slice(1)}` : base;
};

const constants = {
  F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_TRUNC: 512, O_APPEND: 1024,
  S_IFMT: 61440, S_IFREG: 32768, S_IFDIR: 16384, S_IFLNK: 40960, COPYFILE_EXCL: 1, COPYFILE_FICLONE: 2, COPYFILE_FICLONE_FORCE: 4,
};

function allStdin() {
  const parts = [];
  for (let part = host.readStdin(65536); part !== null; part = host.readStdin(65536)) parts.push(part);
  return Buffer.concat(parts);
}

function millis(time) {
  if (time instanceof Date) return time.getTime();
  return Number(time) * 1000;
}

function names(folder) {
  const words = call('scandir', 'readdir', [folder], folder);
  const found = [];
  for (let at = 0; at < words.length; at += 2) found.push([words[at], words[at + 1]]);
  return found;
}

function exists(file) {
  try {
    return host.stat(file, true);
  } catch {
    return undefined;
  }
}

function removeTree(file) {
  const kind = call('rm', 'stat', [file, false], file)[0];
  if (kind !== 'dir') {
    call('unlink', 'unlink', [file], file);
    return;
  }
  for (const [name] of names(file)) removeTree(`${file}/${name}`);
  call('rmdir', 'rmdir', [file], file);
}

function refusedCopy(code, what, cause, reason, to, number) {
  const error = coded(Error, code, `${what}: cp returned ${cause} (${reason}) ${to}`);
  error.name = 'SystemError';
  return Object.assign(error, { errno: number, syscall: 'cp', path: to });
}

/** A folder is not copied into itself: the copy would grow while it is copied. */
function checkCopy(from, to, kind, options) {
  const invalid = (reason) => refusedCopy('ERR_FS_CP_EINVAL', 'Invalid src or dest', 'EINVAL', reason, to, 22);
  const source = host.realpath(from);
  const target = to === '' ? undefined : exists(to) && host.realpath(to);
  if (source === target) throw invalid('src and dest cannot be the same');
  const there = target && exists(target)[0];
  if (kind !== 'dir') {
    if (there === 'dir') throw refusedCopy('ERR_FS_CP_NON_DIR_TO_DIR', 'Cannot overwrite directory with non-directory', 'ENOTDIR', `cannot overwrite directory ${to} with non-directory ${from}`, to, 20);
    return;
  }
  if (!options.recursive) return;
  if (target && there !== 'dir') throw refusedCopy('ERR_FS_CP_DIR_TO_NON_DIR', 'Cannot overwrite non-directory with directory', 'EISDIR', `cannot overwrite non-directory ${to} with directory ${from}`, to, 21);
  let above = path.resolve(to);
  while (!exists(above)) above = path.dirname(above);
  if (`${host.realpath(above)}/`.startsWith(source === '/' ? source : `${source}/`)) throw invalid(`cannot copy ${from} to a subdirectory of self ${to}`);
}

function copyTree(from, to, options) {
  if (options.filter && !options.filter(from, to)) return;
  const kind = call('cp', 'stat', [from, options.dereference ?? false], from)[0];
  if (kind === 'dir') {
    if (!options.recursive) throw coded(Error, 'ERR_FS_EISDIR', `Recursive option not enabled, cannot copy a directory: cp returned EISDIR (${from} is a directory (not copied)) ${from}`);
    sync.mkdir(to, { recursive: true });
    for (const [name] of names(from)) copyTree(path.join(from, name), path.join(to, name), options);
  } else if (exists(to) && options.force === false) {
    if (options.errorOnExist) throw coded(Error, 'ERR_FS_CP_EEXIST', `Target already exists: cp returned EEXIST (${to} already exists) ${to}`);
  } else if (kind === 'link') {
    if (exists(to)) host.unlink(to);
    call('symlink', 'symlink', [host.readlink(from), to], from, to);
  } else {
    if (to !== '') sync.mkdir(path.dirname(to), { recursive: true });
    copyOne(from, to);
  }
}

/** Copies a file with its permission bits. Onto itself it stays as it is: what is written to is emptied first. */
function copyOne(from, to) {
  const found = call('copyfile', 'stat', [from, true], from, to);
  const there = exists(to);
  if (there !== undefined && (host.realpath(from) === host.realpath(to) || isSame(found, there))) return;
  call('copyfile', 'copyFile', [from, to], from, to);
  sync.chmod(to, found[2]);
}

/** Whether two of what `stat` gives are of one file. */
function isSame(one, other) {
  return one[6] === other[6] && one[7] === other[7];
}

/** Writes to standard output or error, and keeps none of it back. */
function writeOut(number, bytes) {
  const problem = host.write(number, bytes) ?? host.flush();
  if (problem !== undefined) throw system(problem.split(' ')[0], 'write');
}

/** The permission bits of what is made with this mode, or with none. */
function bits(mode, usual) {
  const wanted = typeof mode === 'string' ? Number.parseInt(mode, 8) : mode ?? usual;
  return wanted & ~internal('process').process.umask();
}

/** Whether these are others than what is made has anyway, by the mask that the host has. */
function special(mode, usual) {
  return bits(mode, usual) !== (usual & ~internal('process').givenMask);
}

/** Each under its name without `Sync`. */
const sync = {
  readFile(file, options) {
    const { encoding, flag } = settings(options);
    if (file === 0 || file === '/dev/stdin') return given(allStdin(), encoding);
    if (typeof file === 'number') {
      const parts = [];
      for (let part = call('read', 'read', [file, 65536, -1]); part.length > 0; part = call('read', 'read', [file, 65536, -1])) parts.push(part);
      return given(Buffer.concat(parts), encoding);
    }
    const name = toPath(file);
    if (flag !== undefined && flag !== 'r') sync.close(sync.open(name, flag));
    let bytes;
    try {
      bytes = host.readFile(name);
    } catch (error) {
      if (error.message === 'EISDIR') throw system('EISDIR', 'read');
      throw system(error.message, 'open', name);
    }
    return given(bytes, encoding);
  },
  writeFile(file, data, options) {
    const { encoding, flag = 'w', mode } = settings(options);
    const bytes = toBytes(data, encoding);
    if (typeof file === 'number') {
      sync.write(file, bytes);
      return;
    }
    if (file === '/dev/stdout' || file === '/dev/stderr') {
      writeOut(file === '/dev/stdout' ? 1 : 2, bytes);
      return;
    }
    const number = sync.open(file, flag, mode);
    try {
      call('write', 'writeFd', [number, bytes, -1], undefined);
    } finally {
      host.close(number);
    }
  },
  appendFile(file, data, options) { sync.writeFile(file, data, { flag: 'a', ...settings(options) }); },
  exists(file) {
    try {
      return exists(toPath(file)) !== undefined;
    } catch {
      return false;
    }
  },
  access(file, mode = 0) {
    const name = toPath(file);
    const found = call('access', 'stat', [name, true], name);
    if ((mode & 1) && found[0] === 'file' && !(found[2] & 0o111)) throw system('EACCES', 'access', name);
  },
  stat(file, options) {
    const name = toPath(file);
    if (options?.throwIfNoEntry === false && !exists(name)) return undefined;
    return new Stats(call('stat', 'stat', [name, true], name), options?.bigint);
  },
  lstat(file, options) {
    const name = toPath(file);
    try {
      return new Stats(call('lstat', 'stat', [name, false], name), options?.bigint);
    } catch (error) {
      if (options?.throwIfNoEntry === false && error.code === 'ENOENT') return undefined;
      throw error;
    }
  },
  fstat(number, options) {
    if (number <= 2) return new Stats(['other', 0, 0o620, 0, 0, 0, 0, 0, 1], options?.bigint);
    return new Stats(call('fstat', 'fstat', [number]), options?.bigint);
  },
  readdir(file, options) {
    const { withFileTypes, recursive, encoding } = settings(options);
    const root = toPath(file);
    const found = [];
    const walk = (folder, prefix) => {
      for (const [name, kind] of names(folder)) {
        found.push(withFileTypes ? new Dirent(name, folder, kind) : prefix + name);
        if (recursive && kind === 'dir') deeper.push([path.join(folder, name), `${prefix}${name}/`]);
      }
    };
    const deeper = [[root, '']];
    while (deeper.length > 0) walk(...deeper.shift());
    return encoding === 'buffer' ? found.map((name) => Buffer.from(name)) : found;
  },
  mkdir(file, options) {
    const { recursive, mode } = typeof options === 'object' && options !== null ? options : { mode: options };
    const name = toPath(file);
    if (!recursive) {
      call('mkdir', 'mkdir', [name], name);
    } else {
      const first = makeAll(name);
      if (first !== undefined && special(mode, 0o777)) sync.chmod(name, bits(mode, 0o777));
      return first;
    }
    if (special(mode, 0o777)) sync.chmod(name, bits(mode, 0o777));
    return undefined;
  },
  rmdir(file, options) {
    const name = toPath(file);
    if (options?.recursive) removeTree(name);
    else call('rmdir', 'rmdir', [name], name);
  },
  rm(file, options = {}) {
    const name = toPath(file);
    let kind;
    try {
      [kind] = call('rm', 'stat', [name, false], name);
    } catch (error) {
      if (options.force && error.code === 'ENOENT') return;
      error.message = error.message.replace(', rm ', ', lstat ');
      error.syscall = 'lstat';
      throw error;
    }
    if (kind === 'dir' && !options.recursive) {
      const error = coded(Error, 'ERR_FS_EISDIR', `Path is a directory: rm returned EISDIR (is a directory) ${name}`);
      error.name = 'SystemError';
      throw Object.assign(error, { errno: 21, syscall: 'rm', path: name });
    }
    removeTree(name);
  },
  unlink(file) { const name = toPath(file); call('unlink', 'unlink', [name], name); },
  rename(from, to) { const names = [toPath(from, 'oldPath'), toPath(to, 'newPath')]; call('rename', 'rename', names, ...names); },
  copyFile(from, to, mode = 0) {
    const names = [toPath(from, 'src'), toPath(to, 'dest')];
    if (mode & constants.COPYFILE_EXCL && exists(names[1])) throw system('EEXIST', 'copyfile', ...names);
    copyOne(...names);
  },
  cp(from, to, options = {}) {
    const names = [toPath(from, 'src'), toPath(to, 'dest')];
    const [kind] = call('lstat', 'stat', [names[0], false], names[0]);
    checkCopy(...names, kind, options);
    copyTree(...names, options);
  },
  readlink(file) { const name = toPath(file); return call('readlink', 'readlink', [name], name); },
  symlink(target, file) { const names = [toPath(target, 'target'), toPath(file)]; call('symlink', 'symlink', names, ...names); },
  link(from, to) { const names = [toPath(from), toPath(to)]; call('link', 'link', names, ...names); },
  realpath(file) { const name = toPath(file) || '.'; return call('realpath', 'realpath', [name], name); },
  utimes(file, read, changed) { const name = toPath(file); call('utime', 'utimes', [name, millis(read), millis(changed)], name); },
  chmod(file, mode) {
    const name = toPath(file);
    call('chmod', 'chmod', [name, typeof mode === 'string' ? Number.parseInt(mode, 8) : mode], name);
  },
  chown() {},
  lchown() {},
  fchown() {},
  fchmod() {},
  fsync() {},
  fdatasync() {},
  truncate(file, length = 0) {
    const number = sync.open(file, 'r+');
    try {
      sync.ftruncate(number, length);
    } finally {
      host.close(number);
    }
  },
  ftruncate(number, length = 0) { call('ftruncate', 'ftruncate', [number, length]); },
  mkdtemp(prefix) {
    for (;;) {
      const letters = host.decode(host.random(6), 'base64url').replace(/[-_]/g, 'x').slice(0, 6);
      try {
        host.mkdir(prefix + letters);
        sync.chmod(prefix + letters, 0o700);
        return prefix + letters;
      } catch (error) {
        if (error.message !== 'EEXIST') throw system(error.message, 'mkdtemp', `${prefix}XXXXXX`);
      }
    }
  },
  open(file, flags, mode) {
    const name = toPath(file);
    const fresh = special(mode, 0o666) && !exists(name);
    const number = call('open', 'open', [name, flagsOf(flags)], name);
    if (fresh && exists(name)) sync.chmod(name, bits(mode, 0o666));
    return number;
  },
  close(number) { if (number > 2) call('close', 'close', [number]); },
  read(number, buffer, offset = 0, length, position) {
    if (typeof offset === 'object' && offset !== null) ({ offset = 0, length, position } = offset);
    length ??= buffer.byteLength - offset;
    const bytes = number === 0 ? host.readStdin(length) ?? new Uint8Array(0) : call('read', 'read', [number, length, typeof position === 'number' ? position : typeof position === 'bigint' ? Number(position) : -1]);
    new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).set(bytes, offset);
    return bytes.length;
  },
  write(number, data, offset, length, position) {
    let bytes;
    if (typeof data === 'string') {
      position = offset;
      bytes = Buffer.from(data, typeof length === 'string' ? length : 'utf8');
    } else {
      if (typeof offset === 'object' && offset !== null) ({ offset, length, position } = offset);
      bytes = new Uint8Array(data.buffer, data.byteOffset + (offset ?? 0), length ?? data.byteLength - (offset ?? 0));
    }
    if (number === 1 || number === 2) {
      writeOut(number, bytes);
      return bytes.length;
    }
    return call('write', 'writeFd', [number, bytes, typeof position === 'number' ? position : -1]);
  },
  readv(number, buffers) { return buffers.reduce((sum, buffer) => sum + sync.read(number, buffer), 0); },
  writev(number, buffers) { return buffers.reduce((sum, buffer) => sum + sync.write(number, buffer), 0); },
  opendir(file) {
    const folder = toPath(file);
    const entries = sync.readdir(folder, { withFileTypes: true });
    return {
      path: folder,
      readSync: () => entries.shift() ?? null,
      read: async () => entries.shift() ?? null,
      closeSync() {},
      async close() {},
      async* [Symbol.asyncIterator]() { yield* entries; },
    };
  },
  statfs: () => ({ type: 0, bsize: 4096, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0 }),
};

/** Makes a folder and those above it; the first that it made. */
function makeAll(name) {
  const found = exists(name);
  if (found) {
    if (found[0] !== 'dir') throw system('EEXIST', 'mkdir', name);
    return undefined;
  }
  const above = path.dirname(path.resolve(name));
  const first = above === path.resolve(name) ? undefined : makeAll(above);
  try {
    call('mkdir', 'mkdir', [name], name);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  return first ?? path.resolve(name);
}

const fs = module.exports = { constants, Stats, Dirent, ...constants };
const promises = { constants };

for (const [name, act] of Object.entries(sync)) {
  fs[`${name}Sync`] = { [`${name}Sync`]: (...args) => act(...args) }[`${name}Sync`];
  fs[name] = {
    [name](...args) {
      const callback = args.pop();
      checkFunction(typeof callback === 'function' ? callback : undefined, 'cb');
      const result = attempt(act, args);
      later(() => {
        if (name === 'exists') callback(result.value);
        else if (result.error) callback(result.error);
        else if (name === 'read' || name === 'write') callback(null, result.value, args[1]);
        else if (result.value === undefined) callback(null);
        else callback(null, result.value);
      });
    },
  }[name];
  promises[name] = {
    async [name](...args) {
      const result = attempt(act, args);
      await new Promise((resolve) => later(resolve));
      if (result.error) throw result.error;
      return result.value;
    },
  }[name];
}
fs.realpath.native = fs.realpath;
fs.realpathSync.native = fs.realpathSync;
fs.exists[Symbol.for('nodejs.util.promisify.custom')] = async (file) => sync.exists(file);
fs.lutimesSync = sync.utimes;
for (const name of ['exists', 'close', 'read', 'write', 'fstat', 'ftruncate', 'readv', 'writev']) delete promises[name];

function attempt(act, args) {
  try {
    return { value: act(...args) };
  } catch (error) {
    // A wrong argument is the caller's own fault, and told at once.
    if (error.code === 'ERR_INVALID_ARG_TYPE') throw error;
    return { error };
  }
}

class FileHandle extends internal('events') {
  constructor(number) {
    super();
    Object.defineProperty(this, 'fd', { value: number, writable: true, enumerable: true });
  }
  async readFile(options) { return sync.readFile(this.fd, options); }
  async writeFile(data, options) { sync.writeFile(this.fd, data, options); }
  async appendFile(data, options) { sync.writeFile(this.fd, data, options); }
  async read(buffer, ...rest) {
    if (!ArrayBuffer.isView(buffer)) [buffer, rest] = [buffer?.buffer ?? Buffer.alloc(16384), [buffer ?? {}]];
    return { bytesRead: sync.read(this.fd, buffer, ...rest), buffer };
  }
  async write(data, ...rest) { return { bytesWritten: sync.write(this.fd, data, ...rest), buffer: data }; }
  async stat(options) { return sync.fstat(this.fd, options); }
  async truncate(length) { sync.ftruncate(this.fd, length); }
  async sync() {}
  async datasync() {}
  async close() {
    if (this.fd >= 0) sync.close(this.fd);
    this.fd = -1;
    this.emit('close');
  }
  createReadStream(options) { return fs.createReadStream(null, { ...options, fd: this.fd }); }
  createWriteStream(options) { return fs.createWriteStream(null, { ...options, fd: this.fd }); }
  readLines(options) { return internal('readline').createInterface({ input: this.createReadStream(options), crlfDelay: Infinity }); }
  async [Symbol.asyncDispose ?? Symbol.for('asyncDispose')]() { await this.close(); }
}
promises.open = async (...args) => new FileHandle(sync.open(...args));
fs.promises = promises;

fs.createReadStream = (file, options) => {
  const { Readable } = internal('stream');
  const { encoding, fd, start, end = Infinity, highWaterMark = 65536, autoClose = true } = settings(options);
  let number = fd?.fd ?? fd;
  let at = start;
  const stream = new Readable({
    encoding, highWaterMark,
    construct(done) {
      try {
        number ??= sync.open(file);
      } catch (error) {
        done(error);
        return;
      }
      stream.fd = number;
      later(() => stream.emit('open', number));
      done();
    },
    read() {
      const most = Math.min(highWaterMark, end === Infinity ? highWaterMark : end - (at ?? 0) + 1);
      let bytes;
      try {
        bytes = most <= 0 ? new Uint8Array(0) : call('read', 'read', [number, most, at ?? -1]);
      } catch (error) {
        this.destroy(error);
        return;
      }
      if (at !== undefined) at += bytes.length;
      else if (end !== Infinity) at = bytes.length;
      stream.bytesRead += bytes.length;
      this.push(bytes.length === 0 ? null : view(bytes));
    },
    destroy(error, done) {
      if (number !== undefined && autoClose) host.close(number);
      number = undefined;
      done(error);
    },
  });
  stream.path = file;
  stream.bytesRead = 0;
  return stream;
};

fs.createWriteStream = (file, options) => {
  const { Writable } = internal('stream');
  const { encoding, fd, flags = 'w', mode, start } = settings(options);
  let number = fd?.fd ?? fd;
  let at = start;
  const stream = new Writable({
    decodeStrings: true, defaultEncoding: encoding ?? 'utf8',
    construct(done) {
      try {
        number ??= sync.open(file, flags, mode);
      } catch (error) {
        done(error);
        return;
      }
      stream.fd = number;
      later(() => stream.emit('open', number));
      done();
    },
    write(chunk, _, done) {
      try {
        stream.bytesWritten += call('write', 'writeFd', [number, chunk, at ?? -1]);
        if (at !== undefined) at += chunk.length;
      } catch (error) {
        done(error);
        return;
      }
      done();
    },
    destroy(error, done) {
      if (number !== undefined) sync.close(number);
      number = undefined;
      done(error);
    },
  });
  stream.path = file;
  stream.bytesWritten = 0;
  return stream;
};

fs.watch = fs.watchFile = () => { throw coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', 'Files cannot be watched in this sandbox'); };
fs.unwatchFile = () => {};
