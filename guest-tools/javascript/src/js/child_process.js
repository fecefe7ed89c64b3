'use strict';
// `child_process`: programs are started by the host, and waited for; what looks as if it ran beside the script has ended
// before its first event.

const EventEmitter = internal('events');
const { Buffer, view } = internal('buffer');
const { system, coded, checkString } = internal('errors');
const { process, write } = internal('process');
const { later } = internal('timers');

const signals = Object.fromEntries(Object.entries(internal('os').constants.signals).map(([name, number]) => [number, name]));

function ways(options, fallback) {
  let { stdio = fallback } = options;
  if (typeof stdio === 'string') stdio = [stdio, stdio, stdio];
  return [0, 1, 2].map((at) => {
    const way = stdio[at] ?? 'pipe';
    if (way === 'inherit' || way === at || way === process.stdout || way === process.stderr || way === process.stdin) return 'i';
    return way === 'ignore' ? 'n' : 'k';
  });
}

/** Runs a program to its end. */
function run(file, args, options, fallback) {
  const kept = ways(options, fallback);
  if (kept[0] === 'k' && options.input === undefined) kept[0] = 'n';
  // The usual one needs no word.
  const mask = { HANDBOX_UMASK: process.umask() === 0o022 ? undefined : process.umask().toString(8) };
  const env = Object.entries({ ...(options.env ?? process.env), ...mask }).filter(([, value]) => value !== undefined).flat().map(String);
  const cwd = options.cwd === undefined ? process.cwd() : internal('url').toPath(options.cwd);
  const input = options.input ?? '';
  // This interpreter is a program like any other, whatever path it seems to have.
  const program = file === process.execPath ? 'node' : file;
  try {
    const [status, signal, late, stdout, stderr] = host.spawn(program, args.map(String), env, internal('path').resolve(cwd), kept.join(''), input, options.timeout ?? 0);
    return { status, signal: signal === null ? null : signals[signal] ?? `SIG${signal}`, late, stdout: kept[1] === 'k' ? view(stdout) : null, stderr: kept[2] === 'k' ? view(stderr) : null };
  } catch (error) {
    if (!/^E[A-Z]+$/.test(error?.message)) throw error;
    return { failed: error.message };
  }
}

function shell(options) {
  return typeof options.shell === 'string' ? options.shell : 'sh';
}

function arranged(file, args, options) {
  if (!Array.isArray(args)) [args, options] = [[], args];
  options = { ...options };
  checkString(file, 'file');
  if (options.shell) [file, args] = [shell(options), ['-c', [file, ...(args ?? [])].join(' ')]];
  return [file, args ?? [], options];
}

function failure(code, file, args) {
  const error = system(code, `spawn ${file}`);
  error.message = `spawn ${file} ${code}`;
  error.syscall = `spawn ${file}`;
  error.path = file;
  error.spawnargs = args;
  return error;
}

function sync(file, args, options, fallback) {
  const result = run(file, args, options, fallback);
  const text = (bytes) => (bytes !== null && options.encoding && options.encoding !== 'buffer' ? bytes.toString(options.encoding) : bytes);
  if (result.failed) {
    const error = failure(result.failed, file, args);
    error.message = error.message.replace('spawn ', 'spawnSync ');
    error.syscall = error.syscall.replace('spawn ', 'spawnSync ');
    return { error, status: null, signal: null, output: null, pid: 0, stdout: null, stderr: null };
  }
  const [stdout, stderr] = [text(result.stdout), text(result.stderr)];
  const done = { status: result.status, signal: result.signal, output: [null, stdout, stderr], pid: 3, stdout, stderr };
  if (result.late) {
    done.status = null;
    done.error = Object.assign(system('ETIMEDOUT', `spawnSync ${file}`), { path: file, spawnargs: args });
    done.error.message = `spawnSync ${file} ETIMEDOUT`;
  }
  return done;
}

function spawnSync(file, args, options) {
  [file, args, options] = arranged(file, args, options);
  return sync(file, args, options, ['pipe', 'pipe', 'pipe']);
}

/** What was written, or an error that says how it ended. */
function checked(result, command, options) {
  if (result.stderr && !options.stdio) write(2, result.stderr);
  if (result.error) throw Object.assign(result.error, result.error.code === 'ETIMEDOUT' ? result : {});
  if (result.status === 0) return result.stdout;
  const words = result.stderr ? result.stderr.toString() : '';
  const error = new Error(`Command failed: ${command}${words ? `\n${words}` : ''}`);
  throw Object.assign(error, { status: result.status, signal: result.signal, output: result.output, pid: result.pid, stdout: result.stdout, stderr: result.stderr });
}

function execFileSync(file, args, options) {
  [file, args, options] = arranged(file, args, options);
  return checked(sync(file, args, options, ['pipe', 'pipe', 'pipe']), [file, ...args].join(' '), options);
}

function execSync(command, options = {}) {
  checkString(command, 'command');
  return checked(sync(shell(options), ['-c', command], options, ['pipe', 'pipe', 'pipe']), command, options);
}

class ChildProcess extends EventEmitter {
  kill() { return false; }
  ref() {}
  unref() {}
}

function begin(file, args, options) {
  const { PassThrough, Writable } = internal('stream');
  const child = new ChildProcess();
  const kept = ways(options, ['pipe', 'pipe', 'pipe']);
  const parts = [];
  Object.assign(child, { pid: 3, exitCode: null, signalCode: null, killed: false, spawnfile: file, spawnargs: [file, ...args], connected: false });
  child.stdout = kept[1] === 'k' ? new PassThrough() : null;
  child.stderr = kept[2] === 'k' ? new PassThrough() : null;
  let started = false;
  const start = () => {
    if (started) return;
    started = true;
    const result = run(file, args, { ...options, input: kept[0] === 'k' ? Buffer.concat(parts) : undefined }, ['pipe', 'pipe', 'pipe']);
    if (result.failed) {
      child.pid = undefined;
      child.emit('error', failure(result.failed, file, args));
      return;
    }
    child.emit('spawn');
    let open = 1;
    const over = () => {
      if (--open === 0) child.emit('close', child.exitCode, child.signalCode);
    };
    for (const [name, bytes] of [['stdout', result.stdout], ['stderr', result.stderr]]) {
      const stream = child[name];
      if (!stream) continue;
      open++;
      stream.once('end', over);
      stream.end(bytes);
      if (stream.listenerCount('data') === 0 && stream.listenerCount('readable') === 0 && !stream.asked) later(() => { if (stream.readableFlowing === null && !stream.asked) stream.resume(); });
    }
    later(() => {
      child.exitCode = result.signal ? null : result.status;
      child.signalCode = result.signal;
      child.emit('exit', child.exitCode, child.signalCode);
      over();
    });
  };
  child.stdin = kept[0] === 'k' ? new Writable({
    write(chunk, _, done) { parts.push(chunk); done(); },
    final(done) { later(start); done(); },
  }) : null;
  // Without input it starts in the next turn; with input, when that has ended.
  later(() => { if (parts.length === 0 && !child.stdin?.writableEnded) later(() => { if (parts.length === 0) start(); }); });
  child.stdio = [child.stdin, child.stdout, child.stderr];
  return child;
}

function spawn(file, args, options) {
  return begin(...arranged(file, args, options));
}

function gathered(child, command, options, done) {
  const texts = { stdout: [], stderr: [] };
  for (const name of ['stdout', 'stderr']) child[name]?.on('data', (chunk) => texts[name].push(chunk));
  const text = (name) => {
    const whole = Buffer.concat(texts[name]);
    return options.encoding === 'buffer' || options.encoding === null ? whole : whole.toString(options.encoding ?? 'utf8');
  };
  child.on('error', (error) => done?.(Object.assign(error, { cmd: command }), text('stdout'), text('stderr')));
  child.on('close', (code, signal) => {
    if (code === 0) {
      done?.(null, text('stdout'), text('stderr'));
      return;
    }
    const error = new Error(`Command failed: ${command}\n${text('stderr')}`);
    done?.(Object.assign(error, { code, killed: false, signal, cmd: command, stdout: text('stdout'), stderr: text('stderr') }), text('stdout'), text('stderr'));
  });
  return child;
}

function exec(command, options, done) {
  if (typeof options === 'function') [options, done] = [{}, options];
  return gathered(begin(shell(options ?? {}), ['-c', command], { ...options, shell: undefined }), command, options ?? {}, done);
}

function execFile(file, args, options, done) {
  if (!Array.isArray(args)) [args, options, done] = [[], args, options];
  if (typeof options === 'function') [options, done] = [{}, options];
  const [program, list, settings] = arranged(file, args, options);
  return gathered(begin(program, list, settings), [file, ...args].join(' '), settings, done);
}

for (const act of [exec, execFile]) {
  act[Symbol.for('nodejs.util.promisify.custom')] = (...args) => new Promise((resolve, reject) => {
    act(...args, (error, stdout, stderr) => (error ? reject(error) : resolve({ stdout, stderr })));
  });
}

function fork() {
  throw coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', 'fork() is not supported in this sandbox; start `node` with spawnSync or execFileSync instead');
}

module.exports = { spawn, spawnSync, exec, execSync, execFile, execFileSync, fork, ChildProcess };
