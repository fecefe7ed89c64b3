//! `bash`: a shell whose programs are sandboxes, as an agent uses it.

use handbox_tests::agents::{events, script, session, wait_for};
use handbox_tests::{Machine, Ran, skipped};
use serde_json::{Value, json};

fn bash(machine: &Machine, command: &str) -> Ran {
    let input = json!({ "command": command }).to_string();
    machine.run(&["call", "std", "bash", &input, "--write"])
}

/// What a command prints that ends well.
#[track_caller]
fn prints(machine: &Machine, command: &str, expected: &str) {
    let ran = bash(machine, command).ok();
    assert_eq!(ran.out().trim_end(), expected, "{command}");
}

#[test]
fn programs_of_a_pipeline_work_on_the_folder_together() {
    let machine = Machine::warmed();
    machine.file("src/a.txt", "one TODO\ntwo\n");
    machine.file("src/b.txt", "TODO three\n");
    prints(&machine, "grep -rl TODO src | sort", "src/a.txt\nsrc/b.txt");
    prints(&machine, "cat src/*.txt | tr a-z A-Z | sort -r | head -n 1", "TWO");
    prints(&machine, "find . -name '*.txt' | wc -l | tr -d ' '", "2");
    prints(&machine, "seq 1 200000 | tail -n 1; yes | head -n 2 | paste -sd,", "200000\ny,y");
    prints(&machine, "sed -i 's/TODO/DONE/' src/*.txt && cat src/b.txt", "DONE three");
    assert_eq!(machine.read("src/a.txt"), "one DONE\ntwo\n");
    prints(
        &machine,
        "mkdir -p out && for f in src/*; do wc -c < $f > out/$(basename $f); done; ls out",
        "a.txt\nb.txt",
    );
    prints(&machine, "cd src && cat ../out/a.txt | tr -d ' '", "13");
}

#[test]
fn what_is_written_to_both_streams_comes_in_its_order_and_the_status_is_said() {
    let machine = Machine::warmed();
    let ran = bash(&machine, "echo one; echo two >&2; ls nothing; echo three; (exit 3)").ok();
    let lines: Vec<&str> = ran.out().lines().collect();
    assert_eq!((lines[0], lines[1], lines[3]), ("one", "two", "three"), "{ran:?}");
    assert!(lines[2].contains("nothing"), "{ran:?}");
    assert!(ran.out().contains("exit status 3"), "{ran:?}");
}

#[test]
fn no_program_of_the_host_is_ever_started() {
    let machine = Machine::warmed();
    // A program of the host that would leave a trace, in the folder, on the path, and by every name.
    let trap = format!("#!/bin/sh\ntouch {}\n", machine.path("started").display());
    for name in ["trap", "ls", "git", "python9"] {
        let path = machine.file(name, &trap);
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it is ours");
    }
    let tries =
        "./trap; trap; PATH=. trap; exec ./trap; python9; git status; /bin/ls / ; /usr/bin/env trap; env ./trap";
    for command in tries.split("; ") {
        bash(&machine, command).ok();
        assert!(!machine.path("started").exists(), "{command} started a program of the host");
    }
    let ran = bash(&machine, "git status").ok();
    assert!(ran.out().contains("127") && ran.out().contains("git"), "{ran:?}");
}

#[test]
fn a_folder_that_is_only_read_stays_as_it_is() {
    let machine = Machine::warmed();
    machine.file("kept.txt", "kept\n");
    for command in
        ["echo x > kept.txt", "rm kept.txt", "mv kept.txt other", "sed -i s/kept/lost/ kept.txt", "touch new"]
    {
        let input = json!({ "command": command }).to_string();
        let ran = machine.run(&["call", "std", "bash", &input]).ok();
        assert!(ran.out().contains("exit status"), "{command}: {ran:?}");
        assert_eq!(machine.read("kept.txt"), "kept\n", "{command}");
    }
    assert!(!machine.path("new").exists() && !machine.path("other").exists());
}

#[test]
fn nothing_outside_the_granted_folders_exists() {
    let machine = Machine::warmed();
    std::fs::write(machine.beside("secret.txt"), "hidden").expect("a file");
    let command = "cat /etc/passwd ../secret.txt /proc/self/environ /dev/sda /workspace/../../secret.txt; ls / 2>&1; \
                   echo x > /etc/x; echo x > ../x; ln -s /etc e; cat e/passwd";
    let ran = bash(&machine, command).ok();
    assert!(!ran.out().contains("hidden") && !ran.out().contains("daemon:"), "{ran:?}");
    assert!(!machine.beside("x").exists());
}

#[test]
fn hostile_scripts_end_and_the_shell_lives_on() {
    let machine = Machine::warmed();
    for (command, sign) in [
        (":(){ :|:& };:; sleep 0.3; echo alive", "alive"),
        ("yes | head -n 1 > /dev/null; echo alive", "alive"),
        ("f() { f; }; (f) 2>/dev/null; echo alive", "alive"),
        ("for i in $(seq 1 2000); do sleep 100 & done 2>/dev/null; echo alive", "alive"),
        ("cat < /dev/zero | head -c 10 | wc -c; echo alive", "alive"),
        ("x=$(head -c 3000000 < /dev/zero | tr '\\0' x); true \"$x\"; echo alive", "alive"),
        ("kill -9 2 4000 2>/dev/null; echo alive", "alive"),
    ] {
        let ran = bash(&machine, command).ok();
        assert!(ran.out().lines().any(|line| line == sign), "{command}: {ran:?}");
    }
}

#[test]
fn endless_output_and_endless_loops_end_at_a_limit() {
    let machine = Machine::warmed();
    let input = |command: &str| json!({ "command": command, "timeout_ms": 1500 }).to_string();
    for command in
        ["yes", "while :; do :; done", "cat /dev/zero > /dev/null", "sleep 1000", "mkfifo p; cat p; sleep 1000"]
    {
        let ran = machine.run(&["call", "std", "bash", &input(command)]);
        assert!(ran.code.is_some_and(|code| code <= 4), "{command}: {ran:?}");
        assert!(ran.stdout.len() < 200_000, "{command} filled the answer");
    }
}

/// An agent that runs these commands, one a call.
fn agent(commands: &[Value]) -> String {
    let mut replies: Vec<Value> = Vec::new();
    for (place, input) in commands.iter().enumerate() {
        let call = json!({ "tool_use": { "name": "bash", "input": input } });
        replies.push(json!({ "when": { "step": place + 1 }, "reply": [call] }));
    }
    replies.push(json!({ "when": { "step": commands.len() + 1 }, "reply": [{ "text": "Done." }] }));
    Value::from(replies).to_string()
}

/// What the agent's commands answered, in their order.
fn answers(machine: &Machine) -> Vec<String> {
    let all = events(machine, &session(machine));
    let results = all.iter().filter(|event| event["type"] == "agent.tool_result");
    results.map(|event| event["content"][0]["text"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn an_agents_shell_is_kept_over_its_calls_and_outlives_a_timeout() {
    let machine = Machine::warmed();
    machine.file("sub/x.txt", "found\n");
    let command = |command: &str| json!({ "command": command });
    let model = agent(&[
        command("cd sub; X=kept; f() { echo f $1; }; declare -A m=([a]=b); set -o pipefail"),
        json!({ "command": "sleep 100", "timeout_ms": 300 }),
        command("pwd; echo $X ${m[a]}; f 1; cat x.txt; false | true; echo $?"),
        json!({ "restart": true }),
        command("pwd; echo \"[$X]\""),
    ]);
    let model = script(&machine, "shell.json", &model);
    machine.run(&["run", "--model", &model, "--write", "--allow", "bash", "Work."]).ok();
    let answers = answers(&machine);
    assert!(answers[1].contains("time"), "{answers:?}");
    assert_eq!(answers[2].trim_end(), "/workspace/sub\nkept b\nf 1\nfound\n1");
    assert_eq!(answers[4].trim_end(), "/workspace\n[]");
}

#[test]
fn jobs_and_open_files_stay_with_the_shell_until_it_is_restarted() {
    let machine = Machine::warmed();
    let command = |command: &str| json!({ "command": command });
    let model = agent(&[
        command(
            "{ sleep 1; echo from the job; exit 3; } & sleep 1000 & coproc cat; echo to it >&${COPROC[1]}; exec 5>log",
        ),
        json!({ "command": "sleep 100", "timeout_ms": 300 }),
        command("wait %1; echo status $?; read -t 5 line <&${COPROC[0]}; echo \"$line\" >&5; echo \"$line\""),
        json!({ "command": "wait %2", "timeout_ms": 300 }),
        command("jobs %2; kill %2; wait %2; echo status $?; cat log"),
        command("(while :; do echo x >> loop; sleep 0.05; done) & while ! [ -s loop ]; do sleep 0.05; done"),
        command("before=$(wc -l < loop); sleep 1; [ $(wc -l < loop) -gt $before ] && echo it runs on"),
        json!({ "restart": true }),
        command("jobs; before=$(wc -l < loop); sleep 1; echo $(($(wc -l < loop) - before)) more"),
    ]);
    let model = script(&machine, "jobs.json", &model);
    machine.run(&["run", "--model", &model, "--write", "--allow", "bash", "Work."]).ok();
    let answers = answers(&machine);
    assert!(answers[1].contains("stopped after 300 ms"), "{answers:?}");
    assert_eq!(answers[2], "from the job\nstatus 3\nto it\n");
    assert!(answers[3].contains("stopped after 300 ms"), "{answers:?}");
    let lines: Vec<&str> = answers[4].lines().collect();
    assert!(lines[0].starts_with("[2]") && lines[0].contains("Running"), "{answers:?}");
    assert_eq!(lines[lines.len() - 2..], ["status 143", "to it"], "{answers:?}");
    assert_eq!(answers[6], "it runs on\n");
    assert_eq!(answers[8], "0 more\n");
}

#[test]
fn an_interrupt_ends_what_a_shell_started() {
    let machine = Machine::warmed();
    let slow = json!([
        { "when": { "step": 1 }, "reply": [{ "tool_use": { "name": "bash", "input": { "command": "sleep 1000" } } }] },
        { "reply": [{ "text": "Done." }] }
    ]);
    let model = script(&machine, "slow.json", &slow.to_string());
    let running = machine.line(&["run", "--model", &model, "--allow", "bash", "--json", "Wait."]).start();
    wait_for(&running, "agent.tool_use");
    let id = session(&machine);
    machine.run(&["interrupt", &id]).ok();
    assert!(running.code().is_some(), "it rests, and the command ends");
    let all = events(&machine, &id);
    assert!(all.iter().any(|event| event["type"] == "session.status_idle"), "{all:#?}");
}

#[test]
fn a_program_reads_the_streams_and_the_status_apart() {
    let machine = Machine::warmed();
    let input = json!({ "command": "echo one; echo two >&2; printf three; (exit 3)" }).to_string();
    let answer = machine.run(&["call", "std", "bash", &input, "--json"]).ok().json();
    assert_eq!(answer["stdout"], "one\nthree");
    assert_eq!(answer["stderr"], "two\n");
    assert_eq!(answer["exit_code"], 3);
    assert_eq!(answer["output"], "one\ntwo\nthree\n(exit status 3)");
    assert_eq!(answer["attachments"], json!([]), "what is for programs is no part of the result");
}

#[test]
fn programs_see_a_root_with_their_folders_and_few_devices() {
    let machine = Machine::warmed();
    machine.file("etc/passwd", "mine\n");
    machine.file("a.txt", "one\n");
    prints(&machine, "ls /; ls /etc", "dev\netc\nmnt\ntmp\nworkspace\ngroup\nhostname\nhosts\nos-release\npasswd");
    prints(&machine, "ls /dev", "null\nrandom\nurandom\nzero");
    let user =
        "grep ^$(whoami): /etc/passwd | cut -d: -f3; id -u; cat etc/passwd; cat /etc/shadow 2>/dev/null || echo none";
    prints(&machine, user, "1000\n1000\nmine\nnone");
    prints(&machine, "cd / && ls workspace; cd workspace && cat a.txt", "a.txt\netc\none");
    prints(
        &machine,
        "grep -H one a.txt /dev/null; cat /dev/null | wc -c; cat /dev/null > e; wc -c < e",
        "a.txt:one\n0\n0",
    );
    prints(&machine, "head -c 5 /dev/zero | od -An -tx1 | tr -d ' '; head -c 9 /dev/urandom | wc -c", "0000000000\n9");
    prints(&machine, "cat /dev/zero | head -c 5 | wc -c; cat /dev/urandom | head -c 7 | wc -c", "5\n7");
    let passed_by =
        "grep -rl one /dev a.txt; find /dev -type c | wc -l; [ -c /dev/null ] && [ ! -f /dev/null ] && echo device";
    prints(&machine, passed_by, "a.txt\n4\ndevice");
    prints(&machine, "tee /dev/null < a.txt; echo x > /dev/null && echo ok", "one\nok");
    for command in [
        "touch /new",
        "mkdir /new",
        "echo x > /etc/passwd",
        "rm /etc/hosts",
        "rm /dev/null",
        "echo x > /dev/new",
        "cat /dev/sda",
        "mv /dev/zero /dev/null",
    ] {
        let ran = bash(&machine, command).ok();
        assert!(ran.out().contains("exit status"), "{command}: {ran:?}");
    }
    prints(&machine, "ls /dev | wc -l | tr -d ' '", "4");
}

#[test]
fn a_shell_outlives_a_program_and_a_loop_that_compute_without_end() {
    let machine = Machine::warmed();
    let command = |command: &str| json!({ "command": command });
    let model = agent(&[
        command("X=kept; cd /tmp"),
        command("awk 'BEGIN { while (1) ; }'; echo after $?"),
        command("while :; do :; done"),
        command("pwd; echo $X"),
    ]);
    let model = script(&machine, "busy.json", &model);
    // The reserve of less would be burnt between two looks at the clock.
    let limits = ["--limit", "cpu=10G,time=60s"];
    let line = ["run", "--model", &model, "--allow", "bash", "Work."];
    machine.run(&[&line[..], &limits].concat()).ok();
    let answers = answers(&machine);
    assert!(answers[1].contains("cpu limit"), "{answers:?}");
    assert!(answers[2].contains("all that one call may compute is used up"), "{answers:?}");
    assert_eq!(answers[3].trim_end(), "/tmp\nkept");
}

#[test]
fn the_shell_is_opened_for_people_too() {
    let machine = Machine::warmed();
    machine.file("a.txt", "one\n");
    let sh = |text: &str| machine.run(&["sh", "-c", text]);
    let ran = sh("cat a.txt; echo two >&2; exit 7").code(7);
    assert_eq!((ran.out(), ran.err()), ("one\n", "two\n"));
    let ran = machine
        .line(&["sh", "--write"])
        .stdin("x=5\nfor i in 1 2; do\n  echo $((i * x)) | tee -a b.txt\ndone\n")
        .run()
        .ok();
    assert_eq!((ran.out(), machine.read("b.txt").as_str()), ("5\n10\n", "5\n10\n"));
    let answer = machine.run(&["sh", "--json", "-c", "echo a; false"]).code(1).json();
    assert_eq!((answer["stdout"].as_str(), answer["exit_code"].as_u64()), (Some("a\n"), Some(1)));
    let path = machine.file("s.sh", "echo \"$1, $#\"\nexit 4\n");
    let ran = machine.run(&["sh", &path.display().to_string(), "it's one", "-x"]).code(4);
    assert_eq!(ran.out(), "it's one, 2\n");
    machine.run(&["sh", "no.sh"]).code(2).says(&["no.sh cannot be read: No such file", "-c TEXT"]);
    machine.run(&["sh", "--bundle", "http", "-c", "true"]).code(2).says(&["has no tool `bash`", "--bundle"]);
    sh("touch a.txt").code(1);
}

#[test]
fn what_a_shell_prints_is_seen_while_it_runs() {
    let machine = Machine::warmed();
    let running = machine.line(&["sh", "-c", "echo first; sleep 1000"]).start();
    assert_eq!(running.line(), "first");
    running.kill();
}

#[test]
fn a_line_that_comes_in_pieces_is_whole_on_a_terminal() {
    let machine = Machine::warmed();
    let Some(ran) = machine.line(&["sh", "-c", "printf a; sleep 0.3; printf 'b\\n'"]).on_a_terminal() else {
        return skipped("there is no terminal to be had, so what a shell prints there was not looked at");
    };
    assert!(ran.out().contains("ab"), "{ran:?}");
}

#[test]
fn a_path_that_is_empty_and_a_folder_that_is_gone_mean_no_other() {
    let machine = Machine::warmed();
    machine.file("kept.txt", "kept\n");
    for command in [
        "rm -rf \"\"",
        "rm -r -- \"\"",
        "find \"\" -name kept.txt -delete",
        "mkdir k; cd k; rm -rf ../k; find . -name kept.txt -delete; rm -rf *; ls",
        "mkdir k; cd k; rm -rf ../k; python3 -c \"import os; print(os.listdir('.'))\"",
        "python3 -c \"import shutil; shutil.rmtree('')\"",
    ] {
        let ran = bash(&machine, command).ok();
        assert!(!ran.out().contains("kept"), "{command}: {ran:?}");
        assert_eq!(machine.read("kept.txt"), "kept\n", "{command}");
    }
    prints(&machine, "rm -f \"\"; echo $?; ls \"\" 2>/dev/null; echo $?", "0\n2");
}

#[test]
fn links_lead_to_new_files_and_never_to_what_is_loaded() {
    let machine = Machine::warmed();
    machine.file("sub/bundle.toml", "old\n");
    prints(
        &machine,
        "ln -s new dangling; echo made > dangling; cat new; ln -s ../up sub/up; echo up > sub/up; cat up",
        "made\nup",
    );
    for command in [
        "ln -s bundle.toml sub/a; echo x > sub/a",
        "ln -s sub/b c; ln -s bundle.toml sub/b; echo x > c",
        "chmod 777 sub/bundle.toml",
        "ln -s sub/bundle.toml d; chmod 777 d",
        "touch -d 2001-01-01 sub/bundle.toml",
        "ln -s ../outside e; echo x > e",
    ] {
        let ran = bash(&machine, command).ok();
        assert!(ran.out().contains("exit status"), "{command}: {ran:?}");
    }
    assert_eq!(machine.read("sub/bundle.toml"), "old\n");
    prints(
        &machine,
        "stat -c %a sub/bundle.toml; find sub -name bundle.toml -newermt 2002-01-01",
        "644\nsub/bundle.toml",
    );
}

// Other systems have no such names.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_with_a_name_that_cannot_be_told_is_shown_but_for_that_and_said() {
    use std::os::unix::ffi::OsStrExt;
    let machine = Machine::warmed();
    for number in 0..20 {
        machine.file(&format!("d/f{number:02}"), "text\n");
    }
    let nameless = machine.path("d").join(std::ffi::OsStr::from_bytes(b"a\xff"));
    std::fs::write(nameless, "text\n").expect("a file");
    prints(
        &machine,
        "ls d 2>/dev/null | wc -l; find d -type f 2>/dev/null | wc -l; grep -rl text d 2>/dev/null | wc -l",
        "20\n20\n20",
    );
    prints(&machine, "echo d/* | wc -w; for f in d/*; do cat $f; done | wc -l", "20\n20");
    for command in
        ["ls d", "find d", "grep -r text d", "cp -r d e", "tar cf e.tar d", "zip -qr e.zip d", "du d", "diff -r d d"]
    {
        let ran = bash(&machine, command).ok();
        assert!(ran.out().contains("exit status") && ran.out().contains("not Unicode"), "{command}: {ran:?}");
    }
}

#[test]
fn a_full_disk_is_said_to_be_a_limit() {
    let machine = Machine::warmed();
    let input = json!({ "command": "head -c 3000000 /dev/zero | tr '\\0' a > big; echo status $?" }).to_string();
    let ran = machine.run(&["call", "std", "bash", &input, "--write", "--limit", "file-bytes=1MiB"]).ok();
    assert!(ran.out().contains("status 1") && ran.out().contains("limit file-bytes"), "{ran:?}");
}

#[test]
fn a_slash_at_the_end_of_a_name_means_a_folder() {
    let machine = Machine::warmed();
    machine.file("a", "one\n");
    machine.file("b", "two\n");
    for command in [
        "mv a new/",
        "mv a b/",
        "python3 -c \"import os; os.rename('a', 'new/')\"",
        "python3 -c \"open('new/', 'w')\"",
        "node -e \"require('fs').renameSync('a', 'new/')\"",
        "rm b/",
        "touch new/",
        "ln a new/",
        "echo x | tee b/ >/dev/null",
    ] {
        let ran = bash(&machine, command).ok();
        assert!(ran.out().contains("exit status"), "{command}: {ran:?}");
        assert_eq!((machine.read("a").as_str(), machine.read("b").as_str()), ("one\n", "two\n"), "{command}");
        assert!(!machine.path("new").exists(), "{command}");
    }
    prints(&machine, "mkdir d e; mv a d/; mv d f/; mv b f/; ls f; mkdir g/; touch g/; ls -d g; rmdir g/", "a\nb\ng");
}

#[test]
fn copies_of_node_and_gzip_keep_the_bits_and_what_is_copied() {
    let machine = Machine::warmed();
    prints(
        &machine,
        "echo one > a; chmod 700 a; node -e \"const fs = require('fs'); fs.copyFileSync('a', 'a'); fs.copyFileSync('a', 'b'); \
         fs.cpSync('a', 'c')\"; cat a; chmod 600 b; gzip b; stat -c %a a c b.gz; gunzip b.gz; stat -c %a b",
        "one\n700\n700\n600\n600",
    );
}

#[test]
fn jobs_that_compute_leave_room_for_others() {
    let machine = Machine::warmed();
    let jobs = "for i in 1 2 3 4 5 6 7 8; do while :; do :; done & done";
    prints(&machine, &format!("{jobs}; for i in 1 2 3; do ls -d .; done; kill $(jobs -p)"), ".\n.\n.");
}

#[test]
fn what_runs_beside_is_not_lost_without_a_word() {
    let machine = Machine::warmed();
    prints(&machine, "{ for i in 1 2 3 4 5 6; do python3 -c \"print($i)\" & done; wait; } | sort", "1\n2\n3\n4\n5\n6");
    let input = json!({ "command": "for i in 1 2 3 4 5 6; do python3 -c \"print($i)\" & done; wait" }).to_string();
    let ran = machine.run(&["call", "std", "bash", &input, "--limit", "memory=100MiB"]).ok();
    let done = ran.out().lines().filter(|line| line.len() == 1).count();
    assert!(done == 6 || ran.out().contains("memory limit"), "{ran:?}");
}

#[test]
fn scripts_are_found_by_who_starts_programs_and_programs_by_scripts() {
    let machine = Machine::warmed();
    machine.file("s.sh", "#!/bin/sh\necho \"ran $1\"\n");
    prints(
        &machine,
        "chmod +x s.sh; env ./s.sh a; timeout 5 ./s.sh b; echo c | xargs ./s.sh; find s.sh -exec ./{} d \\;",
        "ran a\nran b\nran c\nran d",
    );
    prints(
        &machine,
        "[ -x \"$(command -v python3)\" ] && [ -x /usr/bin/env ] && [ ! -e /usr/bin/cargo ] && echo there",
        "there",
    );
    prints(&machine, "env | grep -c ^PATH=; sed -i s/ran/run/ s.sh && ./s.sh e; stat -c %a s.sh", "1\nrun e\n755");
}

#[cfg(unix)]
#[test]
fn a_call_that_is_told_to_end_leaves_no_folder_behind() {
    let machine = Machine::warmed();
    let temporary = machine.home("tmp");
    std::fs::create_dir_all(&temporary).expect("a folder");
    let folders = || std::fs::read_dir(&temporary).expect("a folder").flatten().collect::<Vec<_>>();
    let command = "echo private > /tmp/p; sleep 20";
    let input = json!({ "command": command }).to_string();
    for args in [&["call", "std", "bash", &input][..], &["sh", "-c", command]] {
        let running = machine.line(args).env("TMPDIR", &temporary).start();
        for _ in 0..2_000 {
            if folders().iter().any(|folder| folder.path().join("p").exists()) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        use std::os::unix::fs::PermissionsExt;
        assert!(!folders().is_empty(), "it has folders");
        for folder in folders() {
            let mode = folder.metadata().expect("it is there").permissions().mode() & 0o777;
            assert_eq!(mode, 0o700, "{folder:?}");
        }
        let told = std::process::Command::new("kill").args(["-TERM", &running.process().to_string()]).status();
        assert!(told.expect("kill is here").success());
        assert_eq!(running.code(), Some(143));
        assert!(folders().is_empty(), "{:?}", folders());
    }
    let beside = "while :; do echo > /tmp/$RANDOM; done & sleep 0.3";
    machine.line(&["sh", "-c", beside]).env("TMPDIR", &temporary).run().ok();
    assert!(folders().is_empty(), "what ran beside left {:?}", folders());
}
