'use strict';
// `readline`: lines of a stream. There is no terminal to edit on.

const EventEmitter = internal('events');
const { process } = internal('process');

class Interface extends EventEmitter {
  constructor(options, output) {
    super();
    const { input, output: to, prompt = '> ', terminal, signal } = options.input ? options : { input: options, output };
    const state = { rest: '', waiting: [], lines: [], paused: false, ended: false };
    Object.defineProperty(this, 'state', { value: state });
    this.input = input;
    this.output = to;
    this.terminal = Boolean(terminal);
    this.closed = false;
    this.line = '';
    this.promptText = prompt;
    const { StringDecoder } = internal('string_decoder');
    const decoder = new StringDecoder('utf8');
    input.on('data', (chunk) => this.take(decoder.write(chunk)));
    input.on('end', () => {
      this.take(decoder.end());
      if (state.rest !== '') this.give(state.rest.replace(/\r$/, ''));
      state.rest = '';
      state.ended = true;
      if (!state.paused || state.lines.length === 0) this.close();
    });
    input.on('error', (error) => { if (this.listenerCount('error') > 0) this.emit('error', error); });
    signal?.addEventListener('abort', () => this.close());
    input.resume?.();
  }
  take(text) {
    const lines = (this.state.rest + text).split('\n');
    this.state.rest = lines.pop();
    for (const line of lines) this.give(line.replace(/\r$/, ''));
  }
  give(line) {
    const state = this.state;
    if (state.paused || state.lines.length > 0) {
      state.lines.push(line);
      return;
    }
    if (this.closed) return;
    this.tell(line);
  }
  tell(line) {
    if (this.state.waiting.length > 0) this.state.waiting.shift()(line);
    else this.emit('line', line);
  }
  question(text, options, done) {
    const answer = typeof options === 'function' ? options : done;
    this.write_(text);
    this.state.waiting.push(answer);
    this.resume();
  }
  write_(text) { (this.output ?? { write() {} }).write(text); }
  prompt() { this.write_(this.promptText); this.resume(); }
  setPrompt(text) { this.promptText = text; }
  getPrompt() { return this.promptText; }
  write() {}
  pause() {
    this.state.paused = true;
    this.input.pause?.();
    this.emit('pause');
    return this;
  }
  resume() {
    const state = this.state;
    if (!state.paused) return this;
    state.paused = false;
    this.emit('resume');
    while (!state.paused && state.lines.length > 0) this.tell(state.lines.shift());
    if (state.ended && state.lines.length === 0) this.close();
    else this.input.resume?.();
    return this;
  }
  close() {
    if (this.closed) return;
    this.closed = true;
    this.input.pause?.();
    this.emit('close');
  }
  [Symbol.asyncIterator]() {
    const lines = [], waiting = [];
    let over = this.closed;
    this.on('line', (line) => {
      if (waiting.length > 0) waiting.shift()({ value: line, done: false });
      else lines.push(line);
    });
    this.on('close', () => {
      over = true;
      for (const resolve of waiting) resolve({ value: undefined, done: true });
    });
    return {
      next: () => {
        if (lines.length > 0) return Promise.resolve({ value: lines.shift(), done: false });
        if (over) return Promise.resolve({ value: undefined, done: true });
        return new Promise((resolve) => waiting.push(resolve));
      },
      return: () => {
        this.close();
        return Promise.resolve({ value: undefined, done: true });
      },
      [Symbol.asyncIterator]() { return this; },
    };
  }
}

const createInterface = (options, output) => new Interface(options, output);

const escapes = {
  clearLine: (stream, direction, done) => told(stream, ['\x1b[1K', '\x1b[2K', '\x1b[0K'][direction + 1], done),
  clearScreenDown: (stream, done) => told(stream, '\x1b[0J', done),
  cursorTo: (stream, x, y, done) => told(stream, typeof y === 'number' ? `\x1b[${y + 1};${x + 1}H` : `\x1b[${x + 1}G`, done ?? y),
  moveCursor: (stream, x, y, done) => told(stream, (x ? `\x1b[${Math.abs(x)}${x > 0 ? 'C' : 'D'}` : '') + (y ? `\x1b[${Math.abs(y)}${y > 0 ? 'B' : 'A'}` : ''), done),
};

function told(stream, text, done) {
  stream.write(text);
  if (typeof done === 'function') process.nextTick(done);
  return true;
}

class Promised extends Interface {
  question(text, options) {
    return new Promise((resolve) => super.question(text, options, resolve));
  }
}

module.exports = {
  Interface, createInterface, ...escapes, emitKeypressEvents() {},
  promises: { Interface: Promised, createInterface: (options, output) => new Promised(options, output) },
};
