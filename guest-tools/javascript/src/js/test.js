'use strict';
// `node:test`: tests run one after another once the script has been read, and are told of as TAP. `node --test` reads all
// files into one script: they are not kept apart as Node keeps them.

const { process, write } = internal('process');
const { inspect } = internal('inspect');
const { later } = internal('timers');

const counts = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };
const hookNames = ['before', 'after', 'beforeEach', 'afterEach'];

class Item {
  constructor(name, options, act, parent, suite = false) {
    Object.assign(this, { name, options, act, parent, suite, children: [], next: 0, failed: 0 });
    this.hooks = Object.fromEntries(hookNames.map((hook) => [hook, []]));
    this.depth = parent ? parent.depth + 1 : -1;
  }
  say(text) {
    const indent = '    '.repeat(this.depth);
    write(1, `${text.split('\n').map((line) => indent + line).join('\n')}\n`);
  }
}

const root = new Item('root', {}, undefined, undefined, true);
let current = root;
let begun = false;

/** The context that a test is called with. */
class TestContext {
  constructor(item) {
    Object.defineProperty(this, 'item', { value: item });
    this.name = item.name;
    this.signal = new globalThis.AbortController().signal;
    this.mock = { fn: mockFunction };
  }
  diagnostic(text) { this.item.say(`# ${text}`); }
  skip(reason) { this.item.options.skip = reason ?? true; }
  todo(reason) { this.item.options.todo = reason ?? true; }
  plan() {}
  async test(name, options, act) {
    const child = made(name, options, act, this.item, false);
    await runItem(child);
  }
}
for (const hook of hookNames) TestContext.prototype[hook] = function (act) { this.item.hooks[hook].push(act); };

/** A function that notes its calls. */
function mockFunction(act = () => {}) {
  const calls = [];
  const mocked = function (...args) {
    const call = { arguments: args, this: this, result: undefined, error: undefined };
    calls.push(call);
    try {
      return (call.result = act.apply(this, args));
    } catch (error) {
      call.error = error;
      throw error;
    }
  };
  mocked.mock = { calls, callCount: () => calls.length, resetCalls() { calls.length = 0; } };
  return mocked;
}

function made(name, options, act, parent, suite) {
  if (typeof name === 'function') [name, options, act] = [name.name, {}, name];
  else if (typeof name === 'object' && name !== null) [name, options, act] = [name.name, name, options];
  if (typeof options === 'function') [options, act] = [{}, options];
  return new Item(name || act?.name || '<anonymous>', { ...options }, act, parent, suite);
}

function add(name, options, act, suite, extra) {
  const item = made(name, options, act, current, suite);
  Object.assign(item.options, extra);
  current.children.push(item);
  if (!begun) {
    begun = true;
    later(() => { runAll(); });
  }
  // A suite is read at once; its tests run when it is its turn.
  if (suite && item.act && !item.options.skip) {
    current = item;
    try {
      item.act(new TestContext(item));
    } catch (error) {
      item.broken = error;
    } finally {
      current = item.parent;
    }
  }
  return Promise.resolve();
}

/** Calls a test; one that takes a callback ends with that. */
function called(act, context) {
  if (act === undefined) return undefined;
  if (act.length < 2) return act.call(context, context);
  return new Promise((resolve, reject) => act.call(context, context, (error) => (error ? reject(error) : resolve())));
}

async function inTime(promise, limit) {
  if (!(limit < Infinity)) return promise;
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error(`test timed out after ${limit}ms`), { code: 'ERR_TEST_FAILURE' })), limit);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function around(item, hook) {
  const all = [];
  for (let above = item.parent; above; above = above.parent) all.unshift(...above.hooks[hook]);
  return all;
}

async function body(item, context) {
  if (item.broken) throw item.broken;
  if (item.suite) {
    for (const hook of item.hooks.before) await hook(context);
    for (const child of item.children) await runItem(child);
    for (const hook of item.hooks.after) await hook(context);
    return;
  }
  for (const hook of around(item, 'beforeEach')) await hook(context);
  try {
    await inTime(called(item.act, context), item.options.timeout);
  } finally {
    for (const hook of [...around(item, 'afterEach'), ...item.hooks.after]) await hook(context);
  }
}

async function runItem(item) {
  const number = ++item.parent.next;
  const start = host.elapsed();
  item.say(`# Subtest: ${item.name}`);
  let problem;
  if (!item.options.skip) {
    try {
      await body(item, new TestContext(item));
    } catch (error) {
      problem = error ?? new Error('failed');
    }
  }
  if (item.next > 0) item.say(`    1..${item.next}`);
  if (!problem && item.failed > 0) problem = Object.assign(new Error(`${item.failed} subtest${item.failed > 1 ? 's' : ''} failed`), { code: 'ERR_TEST_FAILURE', quiet: true });
  told(item, number, problem, (host.elapsed() - start) / 1e6);
}

/** The line of a test, what is known of it, and the counts. */
function told(item, number, problem, time) {
  const { skip, todo } = item.options;
  const reason = (word, value) => ` # ${word}${typeof value === 'string' ? ` ${value}` : ''}`;
  const mark = skip ? reason('SKIP', skip) : todo ? reason('TODO', todo) : '';
  item.say(`${problem ? 'not ok' : 'ok'} ${number} - ${item.name}${mark}`);
  const lines = [`duration_ms: ${time.toFixed(6)}`];
  if (item.suite) lines.push("type: 'suite'");
  if (problem) lines.push(...reasons(problem));
  item.say(`  ---\n${lines.map((line) => `  ${line}`).join('\n')}\n  ...`);
  if (problem && !todo) {
    item.parent.failed++;
    process.exitCode = 1;
  }
  if (item.suite) counts.suites++;
  else counts.tests++;
  if (!item.suite) counts[skip ? 'skipped' : todo ? 'todo' : problem ? 'fail' : 'pass']++;
}

function reasons(problem) {
  const block = (name, text) => [`${name}: |-`, ...String(text).split('\n').map((line) => `  ${line}`)];
  const isError = problem instanceof Error;
  const text = isError ? problem.message : inspect(problem);
  const lines = text.includes('\n') ? block('error', text) : [`error: '${text}'`];
  if (problem.code) lines.push(`code: '${problem.code}'`);
  if (problem.quiet || !isError) return lines;
  lines.push(`name: '${problem.name}'`);
  for (const key of ['expected', 'actual', 'operator']) if (key in problem) lines.push(`${key}: ${inspect(problem[key], { breakLength: Infinity })}`);
  return [...lines, ...block('stack', (problem.stack ?? '').split('\n').filter((line) => line.startsWith('    at ')).map((line) => line.slice(7)).join('\n'))];
}

async function runAll() {
  const start = host.elapsed();
  write(1, 'TAP version 13\n');
  for (const hook of root.hooks.before) await hook();
  for (let at = 0; at < root.children.length; at++) await runItem(root.children[at]);
  for (const hook of root.hooks.after) await hook();
  write(1, `1..${root.next}\n`);
  for (const [name, count] of Object.entries(counts)) write(1, `# ${name} ${count}\n`);
  write(1, `# duration_ms ${((host.elapsed() - start) / 1e6).toFixed(6)}\n`);
}

function variants(suite) {
  const act = (name, options, body) => add(name, options, body, suite);
  act.skip = (name, options, body) => add(name, options, body, suite, { skip: true });
  act.todo = (name, options, body) => add(name, options, body, suite, { todo: true });
  act.only = act;
  return act;
}

const test = variants(false), suite = variants(true);
const hooks = Object.fromEntries(hookNames.map((hook) => [hook, (act) => { current.hooks[hook].push(act); }]));

/** Files that Node takes for tests, below a folder. */
function testFiles(folder, inTest = false) {
  const words = host.readdir(folder);
  const found = [];
  for (let at = 0; at < words.length; at += 2) {
    const [name, kind] = [words[at], words[at + 1]];
    if (kind === 'dir' && name !== 'node_modules') found.push(...testFiles(`${folder}/${name}`, inTest || name === 'test'));
    else if (kind === 'file' && /\.[cm]?js$/.test(name) && (inTest || /^test[-.]|^test\.|[._-]test\.[cm]?js$/.test(name))) found.push(`${folder}/${name}`);
  }
  return found;
}

/** `node --test`: a file that cannot be loaded is a test that failed. */
async function runFiles(names) {
  const path = internal('path');
  const wanted = (name) => (host.stat(name, true)[0] === 'dir' ? testFiles(name) : [name]);
  begun = true;
  const files = names.length > 0 ? names.flatMap(wanted) : testFiles('.');
  for (const file of files.map((name) => path.resolve(name)).sort()) {
    try {
      await internal('loader').load(file);
    } catch (error) {
      add(path.relative(process.cwd(), file), {}, () => { throw error; }, false);
    }
  }
  await runAll();
}

module.exports = Object.assign(test, { test, it: test, describe: suite, suite, ...hooks, mock: { fn: mockFunction }, runFiles });
Object.defineProperty(module.exports, 'runFiles', { enumerable: false });
