//! `node` in the shell: JavaScript in a sandbox.

use handbox_tests::Machine;
use serde_json::json;

/// Runs a command line; gives what it printed.
#[track_caller]
fn answers(machine: &Machine, command: &str, expected: &str) {
    let input = json!({ "command": command }).to_string();
    let ran = machine.run(&["call", "std", "bash", &input, "--write"]).ok();
    assert_eq!(ran.out().trim_end(), expected, "{command}");
}

#[test]
fn scripts_modules_and_files_are_those_of_the_workspace() {
    let machine = Machine::warmed();
    answers(&machine, "node -p '[1, 2].map(x => x * 2)'; echo 'console.log(3)' | node", "[ 2, 4 ]\n3");
    answers(&machine, "node -e 'process.exit(7)'; echo $?; node -e 'throw new Error(1)' 2>/dev/null; echo $?", "7\n1");
    machine.file("lib/sum.js", "module.exports = (...n) => n.reduce((a, b) => a + b, 0);\n");
    machine.file("main.js", "const sum = require('./lib/sum');\nconsole.log(sum(1, 2), process.argv.slice(2));\n");
    machine.file("main.mjs", "import { readFileSync } from 'node:fs';\nconst t = await Promise.resolve(1);\nconsole.log(t, readFileSync('a.txt', 'utf8').trim());\n");
    machine.file("a.txt", "héllo\n");
    answers(&machine, "node main.js a b; node main.mjs", "3 [ 'a', 'b' ]\n1 héllo");
    let script = "const fs = require('fs'), path = require('path');
fs.mkdirSync('out/x', { recursive: true });
fs.writeFileSync(path.join('out', 'x', 'o.json'), JSON.stringify({ a: [1] }));
fs.chmodSync('out/x/o.json', 0o750);
console.log(require('./out/x/o.json'), fs.readdirSync('out', { recursive: true }), (fs.statSync('out/x/o.json').mode & 0o777).toString(8));
";
    machine.file("files.js", script);
    answers(&machine, "node files.js", "{ a: [ 1 ] } [ 'x', 'x/o.json' ] 750");
    assert_eq!(machine.read("out/x/o.json"), r#"{"a":[1]}"#);
}

#[test]
fn it_starts_the_programs_of_the_sandbox_and_reaches_no_network() {
    let machine = Machine::warmed();
    let script = "const { execSync, spawnSync } = require('child_process');
console.log(execSync('seq 3 | tail -n 1').toString().trim(), spawnSync('sh', ['-c', 'exit 3']).status);
try { execSync('cargo --version', { stdio: 'pipe' }); } catch (error) { console.log(error.status); }
console.log(spawnSync('cargo').error.code);
try { require('http').get('http://localhost'); } catch (error) { console.log('refused'); }
function f(n) { return n ? 1 + f(n - 1) : 0; }
console.log(f(2000));
";
    machine.file("programs.js", script);
    answers(&machine, "node programs.js", "3 3\n127\nENOENT\nrefused\n2000");
    let ran = machine.run(&[
        "call",
        "std",
        "bash",
        r#"{"command":"node -e 'function f() { f() } f()' 2>&1 | grep -c RangeError"}"#,
    ]);
    assert_eq!(ran.ok().out().trim(), "1");
}

#[test]
fn what_it_writes_keeps_its_order_and_scripts_by_path_are_started() {
    let machine = Machine::warmed();
    let lines = "for (let i = 0; i < 5000; i++) console.log(i); console.error('err'); console.log('end')";
    answers(&machine, &format!("node -e \"{lines}\" 2>&1 | tail -n 3"), "4999\nerr\nend");
    machine.file("say.sh", "#!/bin/sh\necho \"said $1\"\n");
    let script = "const { execFileSync } = require('child_process');
console.log(execFileSync('./say.sh', ['it']).toString().trim());
try { require('fs').cpSync('.', 'inner', { recursive: true }); } catch (error) { console.log(error.code); }
";
    machine.file("start.js", script);
    answers(&machine, "chmod +x say.sh; node start.js", "said it\nERR_FS_CP_EINVAL");
    machine.file("a.test.js", "const { test } = require('node:test');\ntest('well', () => {});\ntest('ill', () => { throw new Error('x'); });\n");
    answers(&machine, "node --test > out; echo $?; grep -E '^# (pass|fail)' out", "1\n# pass 1\n# fail 1");
}
