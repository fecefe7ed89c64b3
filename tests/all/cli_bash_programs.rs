//! What programs of the shell know of each other: numbers, signals, where they are looked for, and what they use together.

use handbox_tests::{Machine, Ran};
use serde_json::json;

fn bash(machine: &Machine, command: &str) -> Ran {
    let input = json!({ "command": command }).to_string();
    machine.run(&["call", "std", "bash", &input, "--write"])
}

/// Runs a command line; gives what it printed.
#[track_caller]
fn prints(machine: &Machine, command: &str, expected: &str) {
    let ran = bash(machine, command).ok();
    assert_eq!(ran.out().trim_end(), expected, "{command}");
}

#[test]
fn processes_have_numbers_and_get_signals() {
    let machine = Machine::warmed();
    prints(&machine, "for i in 1 2 3; do sh -c 'echo $$'; done | sort -u | wc -l", "3");
    prints(&machine, "sh -c 'echo $PPID; sh -c \"echo \\$PPID\"; echo $$' | uniq | wc -l", "2");
    let by_file =
        "sh -c 'echo $$ > p; sleep 9' & while [ ! -s p ]; do sleep 0.02; done; kill -0 $(cat p) && kill $(cat p)
wait $!; echo $?; kill $(cat p) 2>&1 | grep -c 'No such process'";
    prints(&machine, by_file, "143\n1");
    let trapped = "echo 'trap \"echo bye\" EXIT; trap \"exit 9\" TERM; while :; do sleep .02; done' > s.sh
timeout 0.3 bash s.sh; echo $?; timeout --preserve-status 0.3 bash s.sh; echo $?
timeout -k 0.1 0.2 bash -c 'trap \"\" TERM; while :; do sleep .02; done'; echo $?";
    prints(&machine, trapped, "bye\n124\nbye\n9\n137");
    let at_end = "bash -c 'trap \"echo end\" EXIT; echo go; while :; do sleep .02; done' > out & until [ -s out ]; do sleep 0.02; done
kill $!; wait $!; echo $?; cat out";
    prints(&machine, at_end, "143\ngo\nend");
    let waited = "bash -c 'trap \"echo usr\" USR1; sleep 5 & (sleep 0.2; kill -USR1 $$) & wait %1; echo $?; kill %1'";
    prints(&machine, waited, "usr\n138");
    prints(&machine, "bash -c 'kill -9 $$' 2>&1 | grep -c Killed; sh -c 'kill $$' 2>/dev/null; echo $?", "0\n143");
    let python = "python3 -c \"
import os, signal, subprocess
p = subprocess.Popen(['sleep', '9']); os.kill(p.pid, signal.SIGTERM); print(p.wait(), os.getpid() > 1, os.getppid() >= 1)
try: os.kill(99999, 0)
except ProcessLookupError: print('none')\"";
    prints(&machine, python, "-15 True True\nnone");
}

#[test]
fn the_shell_is_called_as_bash_is() {
    let machine = Machine::warmed();
    let calls = "bash -euo pipefail -c 'echo $-; false | true; echo no'; echo $?; bash -lc 'echo login'
echo 'set -o | grep pipefail; echo $1' > s.sh; bash -eo pipefail s.sh one; bash -ceu 'echo two'; echo 'echo $1' | bash -s three";
    prints(&machine, calls, "ehuBc\n1\nlogin\npipefail       \ton\none\ntwo\nthree");
    let path = "mkdir b; printf '#!/bin/sh\\necho T $1\\n' > b/t; cp b/t b/sort; chmod +x b/*; PATH=$PWD/b:$PATH t x; PATH=$PWD/b:$PATH sort y
t 2>/dev/null || echo none; uname; case $(uname -s) in Linux*) echo known;; esac";
    prints(&machine, path, "T x\nT y\nnone\nLinux\nknown");
    let rounded = "printf '%.2f %.1f %.0f %.3f\\n' 2.345 2.25 0.5 1e-3; env -i env; x=$(printf 'a\\0b'); env -i sh -c 'echo [$HOME]'";
    prints(
        &machine,
        rounded,
        "2.35 2.2 0 0.001\nbash: line 1: warning: command substitution: ignored null byte in input\n[]",
    );
    let masked =
        "umask 077; awk 'BEGIN { print > \"m\" }'; mkdir d; python3 -c 'import os; os.umask(0o022); open(\"w\", \"w\")'
node -e 'process.umask(0o027); require(\"fs\").writeFileSync(\"n\", \"\")'; stat -c '%a %n' m d w n";
    prints(&machine, masked, "600 m\n700 d\n644 w\n640 n");
}

#[test]
fn what_one_call_starts_beside_itself_shares_its_budgets() {
    let machine = Machine::warmed();
    let each = "for i in 1 2 3 4; do head -c 3000000 /dev/zero > f$i & wait; done; du -cb f* | tail -n 1 | cut -f1";
    let input = json!({ "command": each }).to_string();
    let ran = machine.run(&["call", "std", "bash", &input, "--write", "--limit", "file-bytes=5MiB"]).ok();
    let written: u64 = ran.out().lines().find_map(|line| line.parse().ok()).expect("a number");
    assert!(written <= 5 << 20, "{ran:?}");
}
