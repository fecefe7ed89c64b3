'use strict';
// Paths of Unix.

const { checkString } = internal('errors');

/** Takes `.` and `..` out; those above the start stay if it is not absolute. */
function collapse(path, absolute) {
  const kept = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.length > 0 && kept[kept.length - 1] !== '..') kept.pop();
    else if (!absolute) kept.push('..');
  }
  return kept.join('/');
}

function normalize(path) {
  checkString(path, 'path');
  if (path === '') return '.';
  const absolute = path.startsWith('/');
  let result = collapse(path, absolute);
  if (result === '') return absolute ? '/' : path.endsWith('/') ? './' : '.';
  if (path.endsWith('/')) result += '/';
  return absolute ? `/${result}` : result;
}

function join(...parts) {
  for (const part of parts) checkString(part, 'path');
  const joined = parts.filter((part) => part !== '').join('/');
  return joined === '' ? '.' : normalize(joined);
}

function resolve(...parts) {
  let path = '';
  for (let at = parts.length - 1; at >= 0 && !path.startsWith('/'); at--) {
    checkString(parts[at], `paths[${at}]`);
    if (parts[at] !== '') path = path === '' ? parts[at] : `${parts[at]}/${path}`;
  }
  if (!path.startsWith('/')) path = `${host.cwd()}/${path}`;
  return `/${collapse(path, true)}`;
}

function isAbsolute(path) {
  checkString(path, 'path');
  return path.startsWith('/');
}

/** Without slashes at its end, unless it is nothing else. */
function trimmed(path) {
  let end = path.length;
  while (end > 1 && path[end - 1] === '/') end--;
  return path.slice(0, end);
}

function dirname(path) {
  checkString(path, 'path');
  if (path === '') return '.';
  const whole = trimmed(path);
  const at = whole.lastIndexOf('/');
  if (at < 0) return '.';
  if (at === 0) return '/';
  return trimmed(whole.slice(0, at));
}

function basename(path, suffix) {
  checkString(path, 'path');
  if (suffix !== undefined) checkString(suffix, 'suffix');
  const whole = trimmed(path);
  const name = whole === '/' ? '' : whole.slice(whole.lastIndexOf('/') + 1);
  return suffix && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

function extname(path) {
  const name = basename(path);
  const at = name.lastIndexOf('.');
  return at <= 0 || name === '..' ? '' : name.slice(at);
}

function relative(from, to) {
  checkString(from, 'from');
  checkString(to, 'to');
  const [a, b] = [from, to].map((path) => resolve(path).split('/').filter((part) => part !== ''));
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  return [...a.slice(same).map(() => '..'), ...b.slice(same)].join('/');
}

function parse(path) {
  checkString(path, 'path');
  const root = path.startsWith('/') ? '/' : '';
  const base = basename(path);
  const ext = extname(path);
  let dir = dirname(path);
  if (dir === '.' && !path.startsWith('.')) dir = '';
  if (dir === '.' && !trimmed(path).includes('/')) dir = '';
  if (path === '') dir = '';
  return { root, dir, base, ext, name: ext ? base.slice(0, -ext.length) : base };
}

function format(parts) {
  if (parts === null || typeof parts !== 'object') throw internal('errors').invalidType('pathObject', 'of type object', parts);
  const dir = parts.dir || parts.root;
  const ext = parts.ext ? (parts.ext.startsWith('.') ? parts.ext : `.${parts.ext}`) : '';
  const base = parts.base || `${parts.name || ''}${ext}`;
  if (!dir) return base;
  return dir === parts.root ? `${dir}${base}` : `${dir}/${base}`;
}

const path = {
  resolve, normalize, isAbsolute, join, relative, toNamespacedPath: (path) => path, dirname, basename, extname, format, parse,
  sep: '/', delimiter: ':',
};
path.posix = path;
// Windows' are not here: a script for this system has no use for them.
path.win32 = path;
module.exports = path;
