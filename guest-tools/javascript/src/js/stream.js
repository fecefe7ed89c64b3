'use strict';
// Streams: enough of them for pipes, lines and transforms.

const EventEmitter = internal('events');
const { coded, invalidType } = internal('errors');
const { process } = internal('process');

class Stream extends EventEmitter {
  constructor(options) {
    super(options);
    for (const key of ['_events', '_eventsCount', '_maxListeners']) Object.defineProperty(this, key, { enumerable: false });
  }
  pipe(target, options) {
    this.on('data', (chunk) => {
      if (target.write(chunk) === false && this.pause) {
        this.pause();
        target.once('drain', () => this.resume());
      }
    });
    if (options?.end !== false && target !== process.stdout && target !== process.stderr) this.once('end', () => target.end());
    target.emit('pipe', this);
    return target;
  }
}

function shared(stream, options) {
  stream.destroyed = false;
  stream.closed = false;
  stream.errored = null;
  for (const name of ['construct', 'destroy', 'final']) {
    if (typeof options?.[name] === 'function') stream[`_${name}`] = options[name];
  }
}

function destroy(stream, error) {
  if (stream.destroyed) return stream;
  stream.destroyed = true;
  if (error) stream.errored = error;
  stream._destroy(error ?? null, (failure) => {
    process.nextTick(() => {
      if (failure) stream.emit('error', failure);
      stream.closed = true;
      stream.emit('close');
    });
  });
  return stream;
}

/** Opens what is behind a stream, and calls back when it is ready. */
function construct(stream, ready) {
  if (!stream._construct) {
    ready();
    return;
  }
  stream.opening = true;
  process.nextTick(() => stream._construct((error) => {
    stream.opening = false;
    if (error) destroy(stream, error);
    else {
      ready();
      stream.emit('ready');
    }
  }));
}

class Readable extends Stream {
  constructor(options = {}) {
    super();
    shared(this, options);
    if (typeof options.read === 'function') this._read = options.read;
    const state = {
      buffer: [], length: 0, flowing: null, ended: false, emitted: false, reading: false, scheduled: false,
      objectMode: Boolean(options.objectMode ?? options.readableObjectMode), decoder: null, autoDestroy: options.autoDestroy !== false,
      most: options.highWaterMark ?? (options.objectMode ? 16 : 65536), encoding: null,
    };
    Object.defineProperty(this, '_readableState', { value: state });
    this.readable = true;
    if (options.encoding) this.setEncoding(options.encoding);
    construct(this, () => {
      if (state.flowing) this.schedule();
      else if (this.asked) this.demand();
    });
  }
  _read() { throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _read() method is not implemented'); }
  _destroy(error, done) { done(error); }
  destroy(error) { return destroy(this, error); }
  get readableEnded() { return this._readableState.emitted; }
  get readableFlowing() { return this._readableState.flowing; }
  get readableLength() { return this._readableState.length; }
  get readableObjectMode() { return this._readableState.objectMode; }
  get readableHighWaterMark() { return this._readableState.most; }
  setEncoding(encoding) {
    const { StringDecoder } = internal('string_decoder');
    this._readableState.decoder = new StringDecoder(encoding);
    this._readableState.encoding = encoding;
    return this;
  }
  push(chunk, encoding) {
    const state = this._readableState;
    state.reading = false;
    if (chunk === null) {
      state.ended = true;
      const rest = state.decoder?.end();
      if (rest) this.keep(rest);
      this.schedule();
      return false;
    }
    if (!state.objectMode) {
      if (typeof chunk === 'string') chunk = internal('buffer').Buffer.from(chunk, encoding);
      else if (!(chunk instanceof Uint8Array)) throw invalidType('chunk', 'of type string or an instance of Buffer or Uint8Array', chunk);
      else if (!Buffer.isBuffer(chunk)) chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      if (state.decoder) chunk = state.decoder.write(chunk);
      if (chunk.length === 0) return true;
    }
    this.keep(chunk);
    this.schedule();
    return state.length < state.most;
  }
  unshift(chunk) {
    this._readableState.buffer.unshift(typeof chunk === 'string' && !this._readableState.decoder ? Buffer.from(chunk) : chunk);
    this.schedule();
  }
  keep(chunk) {
    const state = this._readableState;
    state.buffer.push(chunk);
    state.length += state.objectMode ? 1 : chunk.length;
  }
  schedule() {
    const state = this._readableState;
    if (state.scheduled) return;
    state.scheduled = true;
    process.nextTick(() => {
      state.scheduled = false;
      this.flow();
    });
  }
  /** Gives out what there is, asks for more, and says when there is no more. */
  flow() {
    const state = this._readableState;
    if (this.destroyed || this.opening) return;
    while (state.flowing && state.buffer.length > 0 && !this.destroyed) {
      const chunk = state.buffer.shift();
      state.length -= state.objectMode ? 1 : chunk.length;
      this.emit('data', chunk);
    }
    if (!state.flowing && this.listenerCount('readable') > 0 && (state.buffer.length > 0 || state.ended) && !state.emitted) this.emit('readable');
    if (state.ended) {
      if (state.buffer.length === 0 && !state.emitted && (state.flowing || this.asked)) this.finish();
    } else if ((state.flowing || this.listenerCount('readable') > 0) && !state.reading && state.length < state.most) {
      this.demand();
    }
  }
  demand() {
    const state = this._readableState;
    if (state.reading || state.ended || this.destroyed || this.opening) return;
    state.reading = true;
    // A turn between two reads, so that a long file does not hold up everything else.
    const ask = () => {
      if (!this.destroyed) this._read(state.most);
    };
    if (this.turnsFree) ask();
    else internal('timers').later(ask);
  }
  finish() {
    const state = this._readableState;
    state.emitted = true;
    this.readable = false;
    this.emit('end');
    if (state.autoDestroy && (!this._writableState || this._writableState.finished)) this.destroy();
  }
  read(size) {
    const state = this._readableState;
    this.asked = true;
    if (state.buffer.length === 0) {
      if (state.ended) this.schedule();
      else this.demand();
      return null;
    }
    if (state.objectMode) {
      state.length--;
      return state.buffer.shift();
    }
    const whole = state.decoder ? state.buffer.join('') : Buffer.concat(state.buffer);
    if (size !== undefined && size < whole.length) {
      state.buffer = [whole.slice(size)];
      state.length = whole.length - size;
      return whole.slice(0, size);
    }
    state.buffer = [];
    state.length = 0;
    this.schedule();
    return whole;
  }
  on(name, listener) {
    super.on(name, listener);
    if (name === 'data' && this._readableState.flowing !== false) this.resume();
    if (name === 'readable') this.schedule();
    return this;
  }
  resume() {
    this._readableState.flowing = true;
    this.schedule();
    return this;
  }
  pause() {
    this._readableState.flowing = false;
    return this;
  }
  isPaused() { return this._readableState.flowing === false; }
  unpipe() { return this; }
  wrap() { return this; }
  async* [Symbol.asyncIterator]() {
    const state = this._readableState;
    let wake, failure;
    const ring = () => wake?.();
    this.on('error', (error) => { failure = error; ring(); });
    this.on('close', ring);
    this.on('end', ring);
    this.pause();
    this.asked = true;
    const push = this.push;
    this.push = function (...args) {
      const result = push.apply(this, args);
      ring();
      return result;
    };
    try {
      for (;;) {
        if (failure) throw failure;
        if (state.buffer.length > 0) {
          const chunk = state.buffer.shift();
          state.length -= state.objectMode ? 1 : chunk.length;
          yield chunk;
          continue;
        }
        if (state.ended || this.destroyed) break;
        await new Promise((resolve) => {
          wake = resolve;
          this.demand();
        });
      }
      if (!state.emitted && !this.destroyed) this.finish();
    } finally {
      if (!this.destroyed) this.destroy();
    }
  }
  async toArray() { const all = []; for await (const item of this) all.push(item); return all; }
  map(act) { return derived(this, async function* (from) { for await (const item of from) yield await act(item); }); }
  filter(test) { return derived(this, async function* (from) { for await (const item of from) if (await test(item)) yield item; }); }
  take(count) { return derived(this, async function* (from) { if (count > 0) for await (const item of from) { yield item; if (--count <= 0) return; } }); }
  async forEach(act) { for await (const item of this) await act(item); }
  async reduce(act, value) { for await (const item of this) value = await act(value, item); return value; }
  static from(items, options) {
    if (typeof items === 'string' || items instanceof Uint8Array) items = [items];
    const iterator = items[Symbol.asyncIterator]?.() ?? items[Symbol.iterator]();
    return new Readable({
      objectMode: true, highWaterMark: 1, ...options,
      read() {
        Promise.resolve(iterator.next()).then(async ({ value, done }) => {
          this.push(done ? null : await value);
        }).catch((error) => this.destroy(error));
      },
      destroy(error, done) {
        Promise.resolve(iterator.return?.()).then(() => done(error), done);
      },
    });
  }
}

function derived(stream, generate) {
  return Readable.from(generate(stream));
}

const writableMethods = {
  _write(chunk, encoding, done) { done(coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _write() method is not implemented')); },
  _destroy(error, done) { done(error); },
  destroy(error) { return destroy(this, error); },
  setDefaultEncoding(encoding) { this._writableState.encoding = encoding; return this; },
  cork() { this._writableState.corked++; },
  uncork() { if (this._writableState.corked > 0) this._writableState.corked--; pump(this); },
  write(chunk, encoding, done) {
    if (typeof encoding === 'function') [encoding, done] = [undefined, encoding];
    const state = this._writableState;
    if (state.ending || this.destroyed) {
      const error = this.destroyed
        ? coded(Error, 'ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed')
        : coded(Error, 'ERR_STREAM_WRITE_AFTER_END', 'write after end');
      process.nextTick(() => {
        done?.(error);
        if (!this.destroyed) destroy(this, error);
      });
      return false;
    }
    if (chunk === null) throw coded(TypeError, 'ERR_STREAM_NULL_VALUES', 'May not write null values to stream');
    if (!state.objectMode) {
      if (typeof chunk === 'string') {
        if (state.decodeStrings) [chunk, encoding] = [Buffer.from(chunk, encoding ?? state.encoding), 'buffer'];
      } else if (!(chunk instanceof Uint8Array)) {
        throw invalidType('chunk', 'of type string or an instance of Buffer or Uint8Array', chunk);
      } else {
        encoding = 'buffer';
      }
    }
    state.length += state.objectMode ? 1 : chunk.length;
    state.buffer.push({ chunk, encoding: encoding ?? state.encoding, done });
    const room = state.length < state.most;
    if (!room) state.drain = true;
    pump(this);
    return room;
  },
  end(chunk, encoding, done) {
    if (typeof chunk === 'function') [chunk, done] = [undefined, chunk];
    else if (typeof encoding === 'function') [encoding, done] = [undefined, encoding];
    if (chunk !== undefined && chunk !== null) this.write(chunk, encoding);
    const state = this._writableState;
    if (typeof done === 'function') {
      if (state.finished) process.nextTick(done);
      else this.once('finish', done);
    }
    state.ending = true;
    state.corked = 0;
    pump(this);
    return this;
  },
};

function writable(stream, options = {}) {
  if (typeof options.write === 'function') stream._write = options.write;
  if (typeof options.writev === 'function') stream._writev = options.writev;
  const objectMode = Boolean(options.objectMode ?? options.writableObjectMode);
  const state = {
    buffer: [], length: 0, writing: false, ending: false, finished: false, finishing: false, drain: false, corked: 0, objectMode,
    most: options.highWaterMark ?? options.writableHighWaterMark ?? (objectMode ? 16 : 16384), decodeStrings: options.decodeStrings !== false,
    encoding: options.defaultEncoding ?? 'utf8', autoDestroy: options.autoDestroy !== false,
  };
  Object.defineProperty(stream, '_writableState', { value: state });
  stream.writable = true;
}

/** Writes what waits, one after another, and ends when that was asked for. */
function pump(stream) {
  const state = stream._writableState;
  if (state.writing || stream.opening || stream.destroyed || state.corked > 0) return;
  if (state.buffer.length === 0) {
    if (state.drain && !state.ending) {
      state.drain = false;
      process.nextTick(() => stream.emit('drain'));
    }
    if (state.ending && !state.finishing) finish(stream);
    return;
  }
  const { chunk, encoding, done } = state.buffer.shift();
  state.writing = true;
  let here = true;
  const wrote = (error) => {
    const next = () => {
      state.writing = false;
      if (error) {
        done?.(error);
        destroy(stream, error);
        return;
      }
      state.length -= state.objectMode ? 1 : chunk.length;
      done?.(null);
      pump(stream);
    };
    if (here) process.nextTick(next);
    else next();
  };
  stream._write(chunk, encoding, wrote);
  here = false;
}

function finish(stream) {
  const state = stream._writableState;
  state.finishing = true;
  const ended = (error) => {
    if (error) {
      destroy(stream, error);
      return;
    }
    process.nextTick(() => {
      state.finished = true;
      stream.writable = false;
      stream.emit('finish');
      if (state.autoDestroy && (!stream._readableState || stream._readableState.emitted)) stream.destroy();
    });
  };
  if (stream._final) stream._final(ended);
  else ended();
}

class Writable extends Stream {
  constructor(options) {
    super();
    shared(this, options);
    writable(this, options);
    construct(this, () => pump(this));
  }
}

class Duplex extends Readable {
  constructor(options) {
    super(options);
    writable(this, options);
    pump(this);
  }
}

const getters = {
  writableEnded() { return this._writableState.ending; },
  writableFinished() { return this._writableState.finished; },
  writableLength() { return this._writableState.length; },
  writableNeedDrain() { return this._writableState.drain; },
  writableObjectMode() { return this._writableState.objectMode; },
  writableHighWaterMark() { return this._writableState.most; },
};
for (const type of [Writable, Duplex]) {
  for (const [name, value] of Object.entries(writableMethods)) {
    Object.defineProperty(type.prototype, name, { value, writable: true, configurable: true });
  }
  for (const [name, get] of Object.entries(getters)) Object.defineProperty(type.prototype, name, { get, configurable: true });
}

class Transform extends Duplex {
  constructor(options = {}) {
    super(options);
    if (typeof options.transform === 'function') this._transform = options.transform;
    if (typeof options.flush === 'function') this._flush = options.flush;
  }
  _transform() { throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _transform() method is not implemented'); }
  _read() {}
  _write(chunk, encoding, done) {
    this._transform(chunk, encoding, (error, result) => {
      if (!error && result !== undefined && result !== null) this.push(result);
      done(error);
    });
  }
  _final(done) {
    if (!this._flush) {
      this.push(null);
      done();
      return;
    }
    this._flush((error, result) => {
      if (!error && result !== undefined && result !== null) this.push(result);
      this.push(null);
      done(error);
    });
  }
}

class PassThrough extends Transform {
  _transform(chunk, _, done) { done(null, chunk); }
}

/** Calls back once a stream has ended, finished or failed. */
function finished(stream, options, done) {
  if (typeof options === 'function') [options, done] = [{}, options];
  let called = false;
  const end = (error) => {
    if (!called) {
      called = true;
      done(error);
    }
  };
  const over = () => (!stream._readableState || stream._readableState.emitted || options.readable === false)
    && (!stream._writableState || stream._writableState.finished || options.writable === false);
  stream.on('end', () => over() && end());
  stream.on('finish', () => over() && end());
  stream.on('error', end);
  stream.on('close', () => (over() ? end() : end(coded(Error, 'ERR_STREAM_PREMATURE_CLOSE', 'Premature close'))));
  if (over()) process.nextTick(end);
  return () => { called = true; };
}

function pipeline(...streams) {
  const done = typeof streams[streams.length - 1] === 'function' && !streams[streams.length - 1].constructor.name.includes('Generator') && streams.length > 1
    ? streams.pop() : () => {};
  if (Array.isArray(streams[0]) && streams.length === 1) [streams] = streams;
  let called = false;
  const end = (error) => {
    if (called) return;
    called = true;
    if (error) for (const stream of streams) stream.destroy?.();
    done(error);
  };
  const nodes = [];
  for (const [at, stream] of streams.entries()) {
    if (typeof stream === 'function') {
      const result = at === 0 ? stream() : stream(nodes[at - 1]);
      nodes.push(typeof result?.then === 'function' ? result : Readable.from(result));
    } else {
      nodes.push(typeof stream.on === 'function' ? stream : Readable.from(stream));
    }
  }
  const last = nodes[nodes.length - 1];
  for (let at = 0; at < nodes.length - 1; at++) {
    nodes[at].on('error', end);
    if (typeof streams[at + 1] !== 'function') nodes[at].pipe(nodes[at + 1]);
  }
  if (typeof last?.then === 'function') last.then(() => end(), end);
  else if (last === process.stdout || last === process.stderr) nodes[nodes.length - 2].on('end', () => end());
  else {
    finished(last, last._writableState ? { readable: false } : {}, end);
    if (!last._writableState) last.resume();
  }
  return last;
}

const promisified = (act) => (...args) => new Promise((resolve, reject) => {
  const options = args[args.length - 1];
  if (options && typeof options === 'object' && !options.on && !options[Symbol.asyncIterator] && !options[Symbol.iterator]) args.pop();
  act(...args, (error, value) => (error ? reject(error) : resolve(value)));
});

/** Has no buffer of its own: what is kept back is the host's. */
function standardOutput(number) {
  const stream = new Writable({ decodeStrings: false, autoDestroy: false });
  Object.assign(stream, { fd: number, isTTY: undefined, columns: undefined, _type: 'fs' });
  delete stream.isTTY;
  delete stream.columns;
  stream.write = (chunk, encoding, done) => {
    if (typeof encoding === 'function') [encoding, done] = [undefined, encoding];
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) {
      throw invalidType('chunk', 'of type string or an instance of Buffer or Uint8Array', chunk);
    }
    const { write, flush, broken } = internal('process');
    write(number, typeof chunk === 'string' && encoding && encoding !== 'utf8' ? Buffer.from(chunk, encoding) : chunk);
    if (done) {
      flush();
      process.nextTick(done, broken.get(number) ?? null);
    }
    return true;
  };
  stream.end = (chunk, encoding, done) => {
    if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') stream.write(chunk, encoding);
    const callback = [chunk, encoding, done].find((value) => typeof value === 'function');
    process.nextTick(() => {
      stream.emit('finish');
      callback?.();
    });
    return stream;
  };
  stream.getColorDepth = () => 1;
  stream.hasColors = () => false;
  return stream;
}

function standardInput() {
  const stream = new Readable({
    read() {
      const bytes = host.readStdin(65536);
      this.push(bytes === null ? null : internal('buffer').view(bytes));
    },
  });
  stream.fd = 0;
  stream.setRawMode = () => stream;
  stream.ref = stream.unref = () => stream;
  return stream;
}

module.exports = Object.assign(Stream, {
  Stream, Readable, Writable, Duplex, Transform, PassThrough, finished, pipeline, standardOutput, standardInput,
  promises: { pipeline: promisified(pipeline), finished: promisified(finished) },
  isReadable: (stream) => Boolean(stream?.readable), addAbortSignal: (_, stream) => stream,
});
for (const name of ['standardOutput', 'standardInput']) Object.defineProperty(Stream, name, { enumerable: false });
