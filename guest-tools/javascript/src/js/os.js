'use strict';
// `os`: a sandbox has little to tell.

const { process } = internal('process');

module.exports = {
  EOL: '\n', devNull: '/dev/null',
  arch: () => process.arch, platform: () => 'linux', type: () => 'Linux', release: () => '6.0.0', version: () => '#1 handbox',
  machine: () => 'x86_64', hostname: () => 'handbox', endianness: () => 'LE', uptime: () => Math.floor(host.elapsed() / 1e9),
  tmpdir: () => (process.env.TMPDIR || process.env.TMP || process.env.TEMP || '/tmp').replace(/(.)\/$/, '$1'),
  homedir: () => process.env.HOME || '/',
  userInfo: () => ({ uid: 1000, gid: 1000, username: process.env.USER || 'agent', homedir: process.env.HOME || '/tmp', shell: '/bin/bash' }),
  cpus: () => [{ model: 'sandbox', speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }],
  availableParallelism: () => 1, totalmem: () => 1073741824, freemem: () => 536870912, loadavg: () => [0, 0, 0], networkInterfaces: () => ({}),
  constants: { signals: { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15 }, errno: {} },
  getPriority: () => 0, setPriority() {},
};
