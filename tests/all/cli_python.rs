//! `python3` in the shell: CPython with its standard library, in a sandbox.

use handbox_tests::{Machine, Ran};
use serde_json::json;

fn bash(machine: &Machine, command: &str) -> Ran {
    let input = json!({ "command": command }).to_string();
    machine.run(&["call", "std", "bash", &input, "--write"])
}

/// Runs a script as a file; gives what it printed.
#[track_caller]
fn prints(machine: &Machine, script: &str, expected: &str) {
    machine.file("script.py", script);
    let ran = bash(machine, "python3 script.py one two").ok();
    assert_eq!(ran.out().trim_end(), expected, "{script}");
}

/// Runs a command line; gives what it printed.
#[track_caller]
fn answers(machine: &Machine, command: &str, expected: &str) {
    let ran = bash(machine, command).ok();
    assert_eq!(ran.out().trim_end(), expected, "{command}");
}

#[test]
fn its_command_line_is_pythons() {
    let machine = Machine::warmed();
    answers(&machine, "python3 -c 'import sys; print(sys.argv, 1 + 1)' a b", "['-c', 'a', 'b'] 2");
    answers(&machine, "echo 'print(2)' | python3; echo 'print(3)' | python3 - x", "2\n3");
    answers(&machine, r#"echo '{"b": 1, "a": 2}' | python3 -m json.tool --sort-keys --compact"#, r#"{"a":2,"b":1}"#);
    answers(&machine, "printf '1\\n2\\n' | python3 -c 'print(int(input()) + int(input()))'", "3");
    answers(&machine, "python3 -c 'import sys; sys.exit(7)'; echo $?; python3 -c 'exit(5)'; echo $?", "7\n5");
    answers(&machine, "python3 -c 'x ='  2>/dev/null; echo $?; python3 nothing.py 2>/dev/null; echo $?", "1\n2");
    answers(
        &machine,
        "python3 --bogus 2>&1 | head -n 1; python3 -c 'while True: print(1)' | head -n 1",
        "unknown option --bogus\n1",
    );
    answers(&machine, "FOO=bar python3 -c 'import os; print(os.environ[\"FOO\"], os.getcwd())'", "bar /workspace");
    machine.file("pk/__init__.py", "def f():\n    return 42\n");
    machine.file("pk/__main__.py", "from pk import f\nprint(f())\n");
    answers(&machine, "python3 -m pk; cd pk && PYTHONPATH=.. python3 -c 'import pk; print(pk.f())'", "42\n42");
    machine.file("tool.py", "#!/usr/bin/env python3\nimport sys\nprint(sys.argv[1:], __name__)\n");
    answers(&machine, "chmod +x tool.py && ./tool.py x", "['x'] __main__");
    let on_path = "mkdir bin && mv tool.py bin/mytool && export PATH=$PWD/bin:$PATH && python3 -c \"
import subprocess
subprocess.run(['mytool', 'y'])
try: subprocess.run(['mytool'], env={'PATH': '/usr/bin'})
except FileNotFoundError as error: print(error)\"";
    answers(&machine, on_path, "['y'] __main__\n[Errno 44] No such file or directory: 'mytool'");
}

#[test]
fn sqlite3_answers_as_its_command_line_does() {
    let machine = Machine::warmed();
    machine.file("f.csv", "id,name\n1,al\n2,\"bo,\"\"b\"\n");
    let made = "sqlite3 t.db '.import --csv f.csv t' \"insert into t values(3, null)\" && sqlite3 -header t.db 'select * from t' && \
                sqlite3 t.db .tables .schema && echo 'select count(*), 1.0/3, 1e20 from t; select nope;' | sqlite3 t.db 2>&1; echo $?";
    let expected = "id|name\n1|al\n2|bo,\"b\n3|\nt\nCREATE TABLE IF NOT EXISTS \"t\"(\n\"id\" TEXT, \"name\" TEXT);
3|0.333333333333333|1.0e+20
Parse error near line 1: no such column: nope\n1";
    answers(&machine, made, expected);
    let shown =
        "for mode in csv json line column box; do sqlite3 -$mode -header t.db 'select * from t where id > 1'; done";
    let expected = "id,name\n2,\"bo,\"\"b\"\n3,
[{\"id\":\"2\",\"name\":\"bo,\\\"b\"},\n{\"id\":\"3\",\"name\":null}]
   id = 2\n name = bo,\"b\n\n   id = 3\n name = 
id  name \n--  -----\n2   bo,\"b\n3        
┌────┬───────┐\n│ id │ name  │\n├────┼───────┤\n│ 2  │ bo,\"b │\n│ 3  │       │\n└────┴───────┘";
    answers(&machine, shown, expected);
    let dump = "sqlite3 t.db .dump | sqlite3 u.db && sqlite3 u.db 'select count(*) from t'; sqlite3 no/x.db 'select 1' 2>&1; echo $?";
    answers(&machine, dump, "3\nError: unable to open database \"no/x.db\": unable to open database file\n1");
    let refused = "sqlite3 u.db 'create table k(a primary key); insert into k values(1),(1)' 2>&1; echo $?; sqlite3 -readonly u.db 'delete from t' 2>&1";
    let expected = "Error: stepping, UNIQUE constraint failed: k.a (19)\n19\nError: stepping, attempt to write a readonly database (8)\n(exit status 8)";
    answers(&machine, refused, expected);
}

#[test]
fn a_database_in_wal_mode_can_be_read_and_a_reader_that_stops_leaves_no_lock() {
    let machine = Machine::warmed();
    let made = "with recursive c(n) as (select 1 union all select n + 1 from c where n < 20000) insert into t select n, hex(n) from c";
    bash(&machine, &format!("sqlite3 w.db 'create table t(a, b)' \"{made}\"")).ok();
    // As one that its last user closed; see https://sqlite.org/fileformat2.html, 1.3.3.
    let wal = || {
        let mut bytes = std::fs::read(machine.path("w.db")).expect("a database");
        bytes[18..20].copy_from_slice(&[2, 2]);
        std::fs::write(machine.path("w.db"), bytes).expect("it is written");
    };
    wal();
    machine.file("w.db-wal", "changes");
    let refused = bash(
        &machine,
        "sqlite3 w.db .tables 2>&1; python3 -c 'import sqlite3; sqlite3.connect(\"w.db\")' 2>&1 | tail -n 1",
    )
    .ok();
    assert_eq!(refused.out().matches("is in WAL mode and its last changes are in w.db-wal").count(), 2, "{refused:?}");
    answers(
        &machine,
        "rm w.db-wal; sqlite3 w.db 'select * from t' | head -n 1; sqlite3 w.db .dump | grep -q t; ls",
        "1|31\nw.db",
    );
    wal();
    let python =
        "python3 -c 'import sqlite3; print(sqlite3.connect(\"w.db\").execute(\"select count(*) from t\").fetchone())'";
    answers(&machine, python, "(20000,)");
}

#[test]
fn what_nobody_caught_is_shown_as_python_shows_it() {
    let machine = Machine::warmed();
    machine.file("bad.py", "def f():\n    raise ValueError('boom')\n\nf()\n");
    let ran = bash(&machine, "python3 bad.py").ok();
    let lines: Vec<&str> = ran.out().lines().collect();
    assert_eq!(lines[0], "Traceback (most recent call last):", "{ran:?}");
    assert!(lines[1].contains("\"bad.py\", line 4") && ran.out().contains("ValueError: boom"), "{ran:?}");
    assert!(ran.out().contains("exit status 1") && !ran.out().contains("handbox_python"), "{ran:?}");
}

#[test]
fn files_and_their_modes_are_the_workspaces() {
    let machine = Machine::warmed();
    let script = "
import os, pathlib, shutil, tempfile, csv, glob
p = pathlib.Path('a/b'); p.mkdir(parents=True)
(p / 'x.txt').write_text('héllo\\n')
with open('a/t.csv', 'w', newline='') as f:
    csv.writer(f).writerows([['k', 'v'], ['1', 'a,b']])
print(sorted(map(str, pathlib.Path('a').rglob('*'))), list(csv.DictReader(open('a/t.csv'))))
os.chmod('a/b/x.txt', 0o750)
shutil.copy('a/b/x.txt', 'copy.txt'); shutil.copytree('a', 'c'); shutil.rmtree('a')
print(oct(os.stat('copy.txt').st_mode), sorted(glob.glob('c/**/*.txt', recursive=True)), os.path.exists('a'))
with tempfile.TemporaryDirectory() as d:
    print(d.startswith('/tmp'), os.listdir(d))
";
    let expected = "['a/b', 'a/b/x.txt', 'a/t.csv'] [{'k': '1', 'v': 'a,b'}]\n0o100750 ['c/b/x.txt'] False\nTrue []";
    prints(&machine, script, expected);
    assert_eq!(machine.read("copy.txt"), "héllo\n");
}

#[test]
fn permission_bits_are_told_wherever_a_status_comes_from() {
    let machine = Machine::warmed();
    let script = "
import fileinput, os, pathlib, shutil, stat, tarfile, tempfile, zipfile
bits = lambda p: oct(os.lstat(p).st_mode & 0o777)
os.makedirs('build/sub'); pathlib.Path('build/a.sh').write_text('x'); pathlib.Path('build/sub/s.txt').write_text('low\\n')
os.chmod('build/a.sh', 0o755); os.chmod('build/sub/s.txt', 0o600); os.chmod('build/sub', 0o750); os.symlink('a.sh', 'build/link')
shutil.copytree('build', 'cc'); shutil.copytree('build', 'cd', symlinks=True, copy_function=shutil.copy)
print(*(bits(d + name) for d in ('cc', 'cd') for name in ('', '/a.sh', '/sub', '/sub/s.txt', '/link')))
print(*(oct(e.stat().st_mode) for e in sorted(os.scandir('build'), key=lambda e: e.name)))
with open('build/a.sh') as f: print(oct(os.fstat(f.fileno()).st_mode))
with open('gone', 'w') as f: os.unlink('gone'); print(oct(os.fstat(f.fileno()).st_mode))
for line in fileinput.input('build/sub/s.txt', inplace=True): print(line.upper(), end='')
print(bits('build/sub/s.txt'), open('build/sub/s.txt').read().strip())
with tarfile.open('t.tar', 'w') as t: t.add('build')
with tarfile.open('t.tar') as t: t.extractall('x')
with zipfile.ZipFile('z.zip', 'w') as z: z.write('build/a.sh'); print(bits('x/build/a.sh'), oct(z.infolist()[0].external_attr >> 16))
try: shutil.copy('build/link', 'build/a.sh')
except shutil.SameFileError: print('same')
try: shutil.rmtree('')
except FileNotFoundError: print('refused')
";
    let expected = "0o755 0o755 0o750 0o600 0o755 0o755 0o755 0o750 0o600 0o777
0o100755 0o100755 0o40750
0o100755
0o100644
0o600 LOW
0o755 0o100755
same
refused";
    prints(&machine, script, expected);
}

#[test]
fn what_is_made_has_the_mode_that_was_asked_for_but_for_the_mask() {
    let machine = Machine::warmed();
    let script = "
import os, pathlib, pwd, tempfile
bits = lambda p: oct(os.stat(p).st_mode & 0o777)
os.close(os.open('o', os.O_CREAT | os.O_WRONLY, 0o640)); os.close(os.open('o', os.O_CREAT | os.O_WRONLY, 0o600))
pathlib.Path('t').touch(mode=0o600); os.mkdir('d', 0o700); os.makedirs('m/n', mode=0o711); made = tempfile.mkstemp()[1]
print(bits('o'), bits('t'), bits('d'), bits('m/n'), bits(made))
print(oct(os.umask(0o027))); open('u', 'w').close(); os.mkdir('v'); print(bits('u'), bits('v'), os.popen('umask').read().strip())
with open('u') as f: os.fchmod(f.fileno(), 0o604)
print(bits('u'), pwd.getpwuid(os.stat('u').st_uid).pw_name)
";
    prints(&machine, script, "0o640 0o600 0o700 0o711 0o600\n0o22\n0o640 0o750 0027\n0o604 agent");
    let masked = "umask 077; python3 -c \"open('w', 'w')\"; stat -c %a w";
    answers(&machine, masked, "600");
}

#[test]
fn threads_run_when_somebody_waits() {
    let machine = Machine::warmed();
    let script = "
import concurrent.futures, queue, threading, time
def worker(tasks, done):
    while True:
        item = tasks.get()
        if item is None: break
        done.append(item); tasks.task_done()
    done.append('end')
tasks, done = queue.Queue(2), []
threads = [threading.Thread(target=worker, args=(tasks, done)) for _ in range(2)]
for thread in threads: thread.start()
for item in range(4): tasks.put(item)
tasks.join(); print(done)
for thread in threads: tasks.put(None)
for thread in threads: thread.join()
print(done, [thread.is_alive() for thread in threads])
event, ready = threading.Event(), []
thread = threading.Thread(target=lambda: (event.wait(), ready.append(1))); thread.start(); event.set(); thread.join(); print(ready)
def produce():
    for item in (1, 2, None): tasks.put(item)
threading.Thread(target=produce).start(); print(list(iter(tasks.get, None)))
stop, ticks = threading.Event(), []
def tick():
    while not stop.wait(0.05): ticks.append(1)
threading.Thread(target=tick, daemon=True).start(); time.sleep(0.3); stop.set(); print(len(ticks) > 2)
timer = threading.Timer(0.01, print, ['timer']); timer.start(); timer.join()
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    print([f.result() for f in concurrent.futures.as_completed([pool.submit(pow, 2, n) for n in range(3)])])
try: threading.Event().wait()
except RuntimeError as error: print(error)
";
    let expected = "[0, 1, 2, 3]
[0, 1, 2, 3, 'end', 'end'] [False, False]
[1]
[1, 2]
True
timer
[1, 2, 4]
there are no threads here: this would wait for ever for another thread";
    prints(&machine, script, expected);
    answers(&machine, "python3 -c 'import queue; queue.Queue().get()' 2>/dev/null; echo $?", "1");
}

#[test]
fn asyncio_starts_programs_and_multiprocessing_is_one_process() {
    let machine = Machine::warmed();
    let script = "
import asyncio, multiprocessing, sys
from asyncio.subprocess import PIPE
async def main():
    p = await asyncio.create_subprocess_shell('echo out; echo err >&2; exit 3', stdout=PIPE, stderr=PIPE)
    print(await p.communicate(), p.returncode)
    p = await asyncio.create_subprocess_exec('sed', '-u', 's/a/b/', stdin=PIPE, stdout=PIPE)
    p.stdin.write(b'banana\\n'); await p.stdin.drain(); print(await p.stdout.readline()); p.stdin.close(); print(await p.wait())
    p = await asyncio.create_subprocess_exec('sleep', '20')
    try: await asyncio.wait_for(p.wait(), 0.1)
    except TimeoutError: p.kill(); print(await p.wait())
asyncio.run(main())
def work(results, n): results.put(n)
results = multiprocessing.Queue(); processes = [multiprocessing.Process(target=work, args=(results, n)) for n in range(2)]
for p in processes: p.start()
for p in processes: p.join()
p = multiprocessing.Process(target=sys.exit, args=(3,)); p.start(); p.join()
print([results.get() for _ in processes], [p.exitcode for p in processes], p.exitcode)
";
    let expected = "(b'out\\n', b'err\\n') 3\nb'bbnana\\n'\n0\n-9\n[0, 1] [0, 0] 3";
    prints(&machine, script, expected);
}

#[test]
fn it_starts_the_programs_of_the_sandbox_and_no_other() {
    let machine = Machine::warmed();
    let script = "
import os, subprocess, shutil, sys
run = lambda *a, **k: subprocess.run(*a, capture_output=True, text=True, **k)
print(run(['seq', '2']).stdout.split(), run('echo e >&2; exit 3', shell=True))
print(subprocess.check_output(['wc', '-c'], input=b'12345'), len(run(['cat'], input='x' * 3000000).stdout))
p = subprocess.Popen(['sed', '-u', 's/a/b/'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
p.stdin.write('banana\\n'); p.stdin.flush(); print(p.stdout.readline().strip()); p.stdin.close(); print(p.wait())
a = subprocess.Popen(['seq', '9'], stdout=subprocess.PIPE)
print(subprocess.run(['tail', '-n1'], stdin=a.stdout, capture_output=True).stdout)
with open('o.txt', 'w') as f:
    subprocess.run(['echo', 'to a file'], stdout=f, check=True)
print(open('o.txt').read().strip(), os.system('exit 4') >> 8, os.popen('echo hi').read().strip())
print(run([sys.executable, '-c', 'print(1 + 1)']).stdout.strip(), shutil.which('ls'), shutil.which('cargo'))
for command in (['cargo'], ['./o.txt2']):
    try: subprocess.run(command)
    except FileNotFoundError as error: print(error.filename)
try: subprocess.run(['sleep', '20'], timeout=0.2)
except subprocess.TimeoutExpired as error: print(error)
try: subprocess.run(['false'], check=True)
except subprocess.CalledProcessError as error: print(error.returncode)
";
    let expected = "['1', '2'] CompletedProcess(args='echo e >&2; exit 3', returncode=3, stdout='', stderr='e\\n')
b'5\\n' 3000000
bbnana
0
b'9\\n'
to a file 4 hi
2 /usr/bin/ls None
cargo
./o.txt2
Command '['sleep', '20']' timed out after 0.2 seconds
1";
    prints(&machine, script, expected);
}

#[test]
fn its_standard_library_is_there() {
    let machine = Machine::warmed();
    let script = "
import asyncio, base64, collections, concurrent.futures, datetime, decimal, difflib, hashlib, html, json, multiprocessing
import re, sqlite3, statistics, string, textwrap, threading, tomllib, unittest, urllib.parse, xml.etree.ElementTree, zipfile, zoneinfo, zlib
db = sqlite3.connect('t.db'); db.execute('create table t (a)'); db.executemany('insert into t values (?)', [(1,), (2,)]); db.commit()
print(db.execute('select sum(a) from t').fetchone(), tomllib.loads('a = 1'), decimal.Decimal('0.1') + decimal.Decimal('0.2'))
print(datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin')).isoformat(), hashlib.sha256(b'x').hexdigest()[:8])
async def work(n): await asyncio.sleep(0.01); return n
async def main(): return await asyncio.gather(*(work(n) for n in range(3)))
print(asyncio.run(main()))
with concurrent.futures.ThreadPoolExecutor(4) as pool: print(list(pool.map(abs, [-1, 2])))
with multiprocessing.Pool(2) as pool: print(pool.map(len, ['a', 'bb']))
seen = []; thread = threading.Thread(target=seen.append, args=(1,)); thread.start(); thread.join(); print(seen)
with zipfile.ZipFile('z.zip', 'w') as z: z.writestr('a.txt', 'hi')
print(zipfile.ZipFile('z.zip').read('a.txt'), urllib.parse.urlparse('https://a.b/c?d=e').query, xml.etree.ElementTree.fromstring('<a><b/></a>')[0].tag)
print(re.sub(r'(\\w+) (\\w+)', r'\\2 \\1', 'hello world'), textwrap.shorten('a b c d', 5), statistics.mean([1, 2]), list(difflib.ndiff('a', 'b'))[0])
";
    let expected = "(3,) {'a': 1} 0.3
2024-07-01T12:00:00+02:00 2d711642
[0, 1, 2]
[1, 2]
[1, 2]
[1]
b'hi' d=e b
world hello [...] 1.5 - a";
    prints(&machine, script, expected);
    let two = "python3 -c 'import random, uuid; print(random.random(), uuid.uuid4())'";
    let ran = bash(&machine, &format!("{two}; {two}")).ok();
    let lines: Vec<&str> = ran.out().trim_end().lines().collect();
    assert!(lines.len() == 2 && lines[0] != lines[1], "chance is another one each time: {ran:?}");
}

#[test]
fn what_was_written_to_a_file_that_nobody_closed_is_there() {
    let machine = Machine::warmed();
    for end in ["", "import sys; sys.exit(0)", "raise SystemExit", "1 / 0"] {
        let script = format!(
            "import csv, gzip, zipfile\nf = open('a.txt', 'w'); f.write('text')\nw = csv.writer(open('b.csv', 'w')); \
             w.writerow([1, 2])\nz = zipfile.ZipFile('c.zip', 'w'); z.writestr('x', 'in it')\ndef g():\n    h = \
             open('d.txt', 'w'); h.write('local'); {}\ng()\n",
            if end.is_empty() { "pass" } else { end }
        );
        for name in ["a.txt", "b.csv", "c.zip", "d.txt"] {
            machine.file(name, "");
        }
        machine.file("script.py", script);
        bash(&machine, "python3 script.py").ok();
        let read = ["a.txt", "b.csv", "d.txt"].map(|name| machine.read(name));
        assert_eq!(read, ["text", "1,2\r\n", "local"], "{end}");
        answers(&machine, "python3 -c \"import zipfile; print(zipfile.ZipFile('c.zip').read('x'))\"", "b'in it'");
    }
}

#[test]
fn what_goes_too_deep_or_too_far_is_an_error_of_pythons() {
    let machine = Machine::warmed();
    let script = "
import json, socket, urllib.request
def f(n): return 0 if n == 0 else 1 + f(n - 1)
print(f(900), eval('(' * 60 + '1' + ')' * 60))
for act in (lambda: f(10 ** 6), lambda: json.loads('[' * 900), lambda: 'x' * (1 << 30), lambda: socket.socket(),
            lambda: urllib.request.urlopen('http://localhost'), lambda: open('/etc/shadow')):
    try: act()
    except Exception as error: print(type(error).__name__)
";
    let expected = "900 1\nRecursionError\nJSONDecodeError\nMemoryError\nPermissionError\nURLError\nFileNotFoundError";
    prints(&machine, script, expected);
}
