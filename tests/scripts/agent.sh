### list sources but not vendored ones
mkdir -p app/core node_modules/left-pad venv/lib
touch app/main.py app/core/db.py node_modules/left-pad/build.py venv/lib/site.py
find . -name '*.py' -not -path '*/node_modules/*' -not -path '*/venv/*' | sort | head
### grep with include and line numbers
mkdir -p src tests; printf 'import os\nDEBUG = True\n' > src/settings.py; printf 'DEBUG = False\n' > tests/conf.py; echo 'DEBUG' > notes.md
grep -rn --include='*.py' 'DEBUG' . | sort
grep -rl DEBUG . | sort | wc -l
### read a slice of a file
for i in $(seq 1 40); do echo "line $i: $((i * i))"; done > big.txt
sed -n '10,14p' big.txt
head -20 big.txt | tail -3
awk 'NR>=38 && NR<=39' big.txt
cat -n big.txt | sed -n '5,6p'
### replace a symbol over many files
mkdir -p lib; for f in lib/a.js lib/b.js; do printf 'const oldName = 1;\nuse(oldName);\n' > $f; done; echo 'keep' > lib/c.js
grep -rl oldName lib | sort | xargs sed -i 's/\boldName\b/newName/g'
grep -rn newName lib | sort
grep -rc oldName lib | sort
### write files with here-docs
mkdir -p pkg
cat > pkg/__init__.py <<'EOF'
"""A package."""
__version__ = "0.1.0"
EOF
cat > pkg/cli.py <<'EOF'
import sys


def main(argv=None):
    args = argv or sys.argv[1:]
    print(f"args: {args}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
EOF
wc -l pkg/*.py
grep -n 'def ' pkg/cli.py
tail -2 pkg/cli.py
### lines of code by extension
mkdir -p s; printf 'a\nb\n' > s/x.py; printf 'c\n' > s/y.py; printf 'd\ne\nf\n' > s/z.js
for e in py js; do n=$(find s -name "*.$e" -exec cat {} + | wc -l); printf '%-4s %d\n' "$e" "$n"; done
wc -l $(find s -name '*.py' | sort) | tail -1 | awk '{print $1}'
### count todos by tag
mkdir src; printf '// TODO: one\n// FIXME: two\n' > src/a.ts; printf '# TODO(bob): three\n' > src/b.py
grep -rnoE '(TODO|FIXME)' src | sort
grep -rhoE 'TODO|FIXME' src | sort | uniq -c | sort -rn | awk '{print $2": "$1}'
### extract a function with awk
cat > m.py <<'EOF'
def first():
    return 1

def second(x):
    y = x + 1
    return y

def third():
    pass
EOF
awk '/^def second/{p=1} /^def / && !/second/{p=0} p' m.py
grep -n '^def' m.py | cut -d: -f1 | paste -sd,
### extract a brace function
cat > m.js <<'EOF'
function a() { return 1; }
function big(x) {
  if (x) {
    return 2;
  }
  return 3;
}
function c() {}
EOF
awk '/function big/{p=1} p{print; n+=gsub(/{/,"{"); n-=gsub(/}/,"}"); if(n==0) exit}' m.js
### bump a version everywhere
echo '{"name":"x","version":"1.4.9"}' > package.json; printf '[project]\nversion = "1.4.9"\n' > pyproject.toml; echo '__version__ = "1.4.9"' > v.py
old=$(jq -r .version package.json); IFS=. read -r a b c <<< "$old"; new="$a.$b.$((c + 1))"
sed -i "s/${old//./\\.}/$new/g" package.json pyproject.toml v.py
grep -h 1.4 package.json pyproject.toml v.py
### edit a json config in place
cat > tsconfig.json <<'EOF'
{
  "compilerOptions": { "target": "es5", "strict": false },
  "include": ["src"]
}
EOF
tmp=$(mktemp); jq '.compilerOptions.strict = true | .compilerOptions.target = "es2022" | .include += ["tests"]' tsconfig.json > "$tmp" && mv "$tmp" tsconfig.json
cat tsconfig.json
### loop over a globstar
shopt -s globstar
mkdir -p src/deep/er; touch src/a.ts src/deep/b.ts src/deep/er/c.ts src/x.js
for f in **/*.ts; do echo "$(basename "$f" .ts) in $(dirname "$f")"; done
### temp folder with cleanup
d=$(mktemp -d) || exit 1
trap 'rm -rf "$d"' EXIT
echo '#include <stdio.h>' > "$d/a.c"
(cd "$d" && ls && wc -c < a.c)
[ -d "$d" ] && echo there
### a small test runner
cat > add.sh <<'EOF'
add() { echo $(( $1 + $2 )); }
EOF
. ./add.sh
pass=0 fail=0
check() { local d=$1 want=$2 got=$3; if [[ "$got" == "$want" ]]; then pass=$((pass+1)); echo "ok - $d"; else fail=$((fail+1)); echo "not ok - $d (want $want, got $got)"; fi; }
check "adds" 5 "$(add 2 3)"
check "negatives" -1 "$(add 2 -3)"
check "wrong" 7 "$(add 3 3)"
echo "# $pass passed, $fail failed"
exit $(( fail > 0 ))
### discover and run test functions
test_one() { [ 1 -eq 1 ]; }
test_two() { [ a = b ]; }
test_three() { grep -q x <<< xyz; }
for t in $(declare -F | awk '$3 ~ /^test_/ {print $3}'); do
  if "$t"; then echo "PASS $t"; else echo "FAIL $t"; fi
done
### run test files and sum
mkdir t; printf 'exit 0\n' > t/a.sh; printf 'echo boom >&2; exit 1\n' > t/b.sh; printf 'exit 0\n' > t/c.sh
ok=0 bad=()
for f in t/*.sh; do if bash "$f" > /dev/null 2> err.txt; then ok=$((ok+1)); else bad+=("$(basename "$f"): $(cat err.txt)"); fi; done
echo "$ok ok"; printf 'failed %s\n' "${bad[@]}"
### arguments of a tool
cat > tool.sh <<'EOF'
#!/usr/bin/env bash
set -euo pipefail
verbose=false output=- level=1
usage() { cat <<U
Usage: tool [-v] [-o FILE] [--level N] FILES...
U
}
while [[ $# -gt 0 ]]; do
  case "$1" in
    -h|--help) usage; exit 0 ;;
    -v|--verbose) verbose=true; shift ;;
    -o|--output) output="${2:?needs a file}"; shift 2 ;;
    --level=*) level="${1#*=}"; shift ;;
    --level) level="$2"; shift 2 ;;
    --) shift; break ;;
    -*) echo "unknown option: $1" >&2; usage >&2; exit 64 ;;
    *) break ;;
  esac
done
echo "verbose=$verbose output=$output level=$level files=${*:-none}"
EOF
chmod +x tool.sh
./tool.sh -v --level=3 a b; ./tool.sh -o out.txt -- -x; ./tool.sh --help; ./tool.sh --bad 2>/dev/null; echo "rc=$?"
### make-like rebuild by time
build() { if [[ ! -e $2 || $1 -nt $2 ]]; then echo "build $2"; tr a-z A-Z < "$1" > "$2"; else echo "skip $2"; fi; }
echo src > a.in; build a.in a.out; build a.in a.out
touch -d '2001-01-01' a.out; build a.in a.out; cat a.out
### task runner script
cat > run <<'EOF'
#!/usr/bin/env bash
set -e
build() { echo "building ${1:-all}"; }
test() { build tests; echo "testing"; }
clean() { rm -rf out && echo cleaned; }
help() { compgen -A function 2>/dev/null | sort || declare -F | awk '{print $3}'; }
if [ $# -eq 0 ]; then echo "tasks: build test clean"; exit 2; fi
"$@"
EOF
chmod +x run; ./run build core; ./run test; mkdir out; ./run clean; ./run; echo "rc=$?"
### template with variables
cat > t.tpl <<'EOF'
Hello {{name}}, you are {{age}}.
Bye {{name}}.
EOF
render() { local text; text=$(cat "$1"); shift; for kv; do text=${text//"{{${kv%%=*}}}"/${kv#*=}}; done; echo "$text"; }
render t.tpl name=Ann age=30
sed -e 's/{{name}}/Bob/g' -e 's/{{age}}/9/' t.tpl
### template by eval of a here-doc
name=svc port=8080 replicas=2
cat > conf.yml <<EOF
service: $name
ports:
  - ${port}
replicas: $((replicas + 1))
literal: \$HOME
EOF
cat conf.yml
### log digestion
cat > app.log <<'EOF'
2024-05-01T10:00:00 INFO  api started port=80
2024-05-01T10:00:05 ERROR db  timeout after=30s
2024-05-01T10:01:00 ERROR api 500 path=/x
2024-05-01T10:02:00 ERROR db  timeout after=31s
EOF
grep -c ERROR app.log
awk '$2=="ERROR"{c[$3]++} END{for(k in c) print c[k], k}' app.log | sort -rn
grep ERROR app.log | cut -dT -f2 | cut -c1-5 | uniq -c | awk '{print $2, $1}'
grep -oE 'after=[0-9]+' app.log | cut -d= -f2 | sort -n | tail -1
### diff before and after an edit
printf 'host=a\nport=1\nmode=x\n' > conf; cp conf conf.orig
sed -i 's/^port=.*/port=2/; /^mode/d' conf
diff conf.orig conf; echo "rc=$?"
diff -u conf.orig conf | tail -n +3
### insert an import after the last import
printf 'import os\nimport sys\n\nx = 1\n' > m.py
n=$(grep -n '^import' m.py | tail -1 | cut -d: -f1)
sed -i "${n}a import json" m.py; cat m.py
### insert before a match and after a match
printf '[a]\nx=1\n[b]\ny=2\n' > c.ini
sed -i '/^\[b\]/i z=9' c.ini; sed -i '/^\[b\]/a w=8' c.ini; cat c.ini
### replace a block between markers
printf 'top\n# BEGIN gen\nold1\nold2\n# END gen\nbottom\n' > f
printf 'new1\nnew2\nnew3\n' > new
awk 'FNR==NR{b=b $0 "\n"; next} /# BEGIN gen/{print; printf "%s", b; skip=1; next} /# END gen/{skip=0} !skip' new f
sed '/# BEGIN gen/,/# END gen/{//!d}' f
### comment and uncomment lines
printf 'a=1\nb=2\n#c=3\n' > f
sed -i '/^b=/s/^/#/' f; sed -i 's/^#\(c=\)/\1/' f; cat f
### delete trailing spaces and add a last newline
printf 'a  \nb\t\nc' > f
sed -i 's/[[:space:]]*$//' f; [ -n "$(tail -c1 f)" ] && echo >> f
cat -A f
### tabs to spaces in a tree
mkdir s; printf '\tx\n' > s/a; printf 'y\n' > s/b
grep -rlP '\t' s | while read -r f; do expand -t 4 "$f" > "$f.new" && mv "$f.new" "$f"; done
cat s/a s/b | cat -A; ls s
### windows line ends
printf 'one\r\ntwo\r\n' > w.txt; printf 'unix\n' > u.txt
grep -lU $'\r' *.txt; sed -i 's/\r$//' w.txt; grep -c $'\r' w.txt; od -c w.txt | head -1
### rename a module and its uses
mkdir -p pkg; echo 'from pkg.utils import f' > main.py; echo 'def f(): pass' > pkg/utils.py
mv pkg/utils.py pkg/helpers.py; grep -rl 'pkg.utils' --include='*.py' . | xargs sed -i 's/pkg\.utils/pkg.helpers/g'
cat main.py; ls pkg
### import graph
mkdir p; printf 'import b\nfrom c import x\n' > p/a.py; printf 'import c\n' > p/b.py; : > p/c.py
for f in p/*.py; do m=$(basename "$f" .py); sed -nE 's/^(import|from) ([a-z]+).*/\2/p' "$f" | sed "s/^/$m -> /"; done
### unused functions
printf 'def used(): pass\ndef lonely(): pass\nused()\n' > m.py
for fn in $(sed -nE 's/^def (\w+).*/\1/p' m.py); do n=$(grep -cw "$fn" m.py); [ "$n" -le 1 ] && echo "unused: $fn"; done
### list of classes and methods
printf 'class A:\n    def x(self): pass\n    def y(self): pass\nclass B(A):\n    def z(self): pass\n' > m.py
awk '/^class/{sub(/[(:].*/,"",$2); c=$2; next} /^ +def/{sub(/\(.*/,"",$2); print c "." $2}' m.py
### exported names of a js file
printf 'export function a() {}\nexport const b = 1;\nexport default class C {}\nfunction hidden() {}\n' > m.js
grep -oE '^export (default )?(function|const|class) \w+' m.js | awk '{print $NF}' | sort
### package scripts and dependencies
echo '{"scripts":{"test":"jest","build":"tsc"},"dependencies":{"a":"^1.0.0"},"devDependencies":{"jest":"29"}}' > package.json
jq -r '.scripts | keys[]' package.json; jq -r '.dependencies + .devDependencies | to_entries[] | "\(.key)@\(.value)"' package.json
jq -r '.scripts.test // "none"' package.json; jq -e '.scripts.lint' package.json > /dev/null || echo "no lint"
### requirements to a lock check
printf 'flask==2.0\nrequests>=2\n# dev\npytest\n' > r.txt
grep -vE '^\s*(#|$)' r.txt | sed -E 's/[=<>].*//' | sort
grep -vE '==' r.txt | grep -v '^#' | while read -r l; do echo "unpinned: $l"; done
### gitignore like filter
printf '*.log\nbuild/\n' > .ignore; mkdir build; touch a.log a.c build/x
find . -type f | sed 's,^\./,,' | sort | while read -r f; do skip=; while read -r p; do case $f in $p|${p%/}/*) skip=1;; esac; done < .ignore; [ $skip ] || echo "$f"; done
### project scaffold
name=demo; mkdir -p $name/{src,tests,docs,scripts}
touch $name/src/{__init__,core}.py $name/tests/test_core.py
printf '# %s\n\nTODO\n' "$name" > $name/README.md
find $name | sort
echo "$(find $name -type f | wc -l) files, $(find $name -mindepth 1 -type d | wc -l) folders"
### makefile with tabs
cat > Makefile <<'EOF'
.PHONY: all test
all: test
test:
	@echo ok
clean:
	rm -rf build
EOF
grep -P '^\t' Makefile | wc -l; sed -n 's/^\([a-z]*\):.*/\1/p' Makefile; cat -A Makefile | sed -n 4p
### dockerfile facts
printf 'FROM python:3.12 AS base\nRUN pip install x\nEXPOSE 80\nFROM base\nCMD ["run"]\n' > Dockerfile
awk '/^FROM/{print "stage", ++n": "$2}' Dockerfile; grep -c '^RUN' Dockerfile; sed -n 's/^EXPOSE //p' Dockerfile
### env file handling
printf '# c\nA=1\nB="two words"\nexport C=3\n' > .env
set -a; source .env; set +a; echo "$A|$B|$C"
while IFS='=' read -r k v; do [[ $k == \#* || -z $k ]] && continue; echo "${k#export }: ${v//\"/}"; done < .env
grep -q '^D=' .env || echo 'D=4' >> .env; tail -1 .env
sed -i 's/^A=.*/A=9/' .env; grep '^A' .env
### compare env files for missing keys
printf 'A=1\nB=2\nC=3\n' > .env.example; printf 'A=x\nC=y\nZ=1\n' > .env
comm -23 <(cut -d= -f1 .env.example | sort) <(cut -d= -f1 .env | sort) | sed 's/^/missing /'
comm -13 <(cut -d= -f1 .env.example | sort) <(cut -d= -f1 .env | sort) | sed 's/^/extra /'
### yaml value lookup and edit
printf 'image:\n  name: app\n  tag: v1\nreplicas: 2\n' > v.yml
awk '$1=="tag:"{print $2}' v.yml; sed -i -E 's/^(  tag: ).*/\1v2/' v.yml; sed -i '/^replicas:/s/[0-9]*$/5/' v.yml; cat v.yml
### toml section key
printf '[a]\nver = "1"\n[b]\nver = "2"\n' > t.toml
awk -F' = ' '/^\[/{s=$0} s=="[b]" && $1=="ver"{gsub(/"/,"",$2); print $2}' t.toml
sed -i '/^\[b\]/,/^\[/s/^ver = .*/ver = "3"/' t.toml; cat t.toml
### changelog head
printf '# Changelog\n\n## 1.1\n- new\n- more\n\n## 1.0\n- first\n' > C.md
awk '/^## /{if(n++)exit} n' C.md; grep -m1 '^## ' C.md | cut -c4-
{ sed -n 1,2p C.md; printf '## 1.2\n- latest\n\n'; sed -n '3,$p' C.md; } > C2.md && sed -n 3,6p C2.md
### markdown contents
printf '# A\n## B c\ntext\n### D\n## E\n' > d.md
grep -nE '^#+ ' d.md | sed 's/:/ /' | while read -r n h t; do d=$(( ${#h} - 1 )); printf '%*s- %s (%d)\n' $((d*2)) '' "$t" "$n"; done
### code blocks of a readme
printf 'x\n```sh\necho one\n```\ny\n```py\nprint(2)\n```\n' > R.md
awk '/^```sh/{p=1;next} /^```/{p=0} p' R.md | bash
awk '/^```[a-z]/{print substr($0,4)}' R.md
### links of a document checked
mkdir docs; touch docs/a.md; printf '[a](docs/a.md) [b](docs/b.md) [w](https://x.y)\n' > R.md
grep -oE '\]\([^)]+\)' R.md | tr -d '])(' | grep -v '^http' | while read -r l; do [ -e "$l" ] && echo "ok $l" || echo "broken $l"; done
### licence header added once
printf 'x = 1\n' > a.py; printf '# Copyright me\ny = 2\n' > b.py
for f in *.py; do grep -q '^# Copyright' "$f" || sed -i '1i # Copyright me' "$f"; done; head -1 *.py
### headers missing
mkdir s; printf '// SPDX\n' > s/a.c; printf 'int x;\n' > s/b.c; printf 'int y;\n' > s/c.c
grep -L SPDX s/*.c; grep -L SPDX s/*.c | wc -l; for f in $(grep -L SPDX s/*.c); do { echo '// SPDX'; cat "$f"; } > t && mv t "$f"; done; grep -lc SPDX s/*.c | wc -l
### long lines
printf 'short\n%s\n' "$(printf 'x%.0s' {1..90})" > a.txt
awk 'length > 80 {print FILENAME ":" FNR ": " length}' a.txt; grep -nE '.{81,}' a.txt | cut -d: -f1; cut -c1-10 a.txt
### debug prints left
mkdir s; printf 'console.log(1)\nok()\n' > s/a.js; printf 'fine()\n' > s/b.js; printf 'print("x")\n' > s/c.py
grep -rnE 'console\.log|^print\(' s | sort | awk -F: '{print $1 ":" $2}'; grep -rlE 'console\.log' s --include='*.js' | xargs sed -i '/console\.log/d'; cat s/a.js
### conflict markers
printf 'a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> x\nd\n' > f
grep -nE '^(<{7}|={7}|>{7})' f | cut -d: -f1 | paste -sd,; sed '/^<<<<<<< /d;/^=======$/,/^>>>>>>> /d' f
### secrets scan
printf 'key = "AKIA%s"\npw = os.environ["P"]\ntoken: ghp_%s\n' ABCDEFGHIJKLMNOP "$(printf 'a%.0s' {1..36})" > c.py
grep -nEo 'AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}' c.py | cut -c1-12
### find big functions
{ echo 'def a():'; for i in 1 2 3; do echo "    x$i"; done; echo 'def b():'; echo '    y'; } > m.py
awk '/^def /{if(n)print n-1, f; f=$2; n=0} {n++} END{print n-1, f}' m.py | sort -rn
### files changed since a stamp
touch -d '2020-01-01' a b; touch -d '2021-01-01' stamp; touch -d '2022-01-01' c
find . -type f -newer stamp ! -name stamp; find . -type f ! -newer stamp ! -name stamp | sort | paste -sd' '
### checksum manifest
mkdir d; echo 1 > d/a; echo 2 > d/b
find d -type f | sort | xargs sha256sum > MANIFEST; sha256sum -c MANIFEST
echo 3 > d/b; sha256sum -c MANIFEST 2>/dev/null | grep FAILED; sha256sum --quiet -c MANIFEST > /dev/null 2>&1; echo "rc=$?"
### duplicate files removed
echo x > a; echo x > b; echo y > c
declare -A seen; for f in *; do h=$(md5sum < "$f" | cut -d' ' -f1); if [[ ${seen[$h]} ]]; then echo "$f dup of ${seen[$h]}"; rm "$f"; else seen[$h]=$f; fi; done; ls
### copy only changed files
mkdir s d; echo 1 > s/a; echo 2 > s/b; cp s/a d/
for f in s/*; do t=d/${f##*/}; cmp -s "$f" "$t" || { cp "$f" "$t"; echo "copied ${f##*/}"; }; done
for f in s/*; do cmp -s "$f" "d/${f##*/}" || echo again; done; ls d
### retry with a counter file
cat > flaky.sh <<'EOF'
n=$(cat count 2>/dev/null || echo 0); n=$((n+1)); echo $n > count
[ $n -ge 3 ]
EOF
for i in 1 2 3 4 5; do if bash flaky.sh; then echo "ok after $i"; break; else echo "try $i failed"; fi; done
### retry function with limits
retry() { local max=$1 n=0; shift; until "$@"; do n=$((n+1)); if (( n >= max )); then echo "gave up after $n"; return 1; fi; done; echo "fine"; }
retry 3 false; echo $?; retry 2 true; k=0; third() { k=$((k+1)); [ $k -eq 3 ]; }; retry 5 third; echo "k=$k"
### parallel work and results
mkdir out; for i in 1 2 3 4; do ( echo $((i * i)) > out/$i ) & done; wait
cat out/* | paste -sd+ ; cat out/* | paste -sd+ | sed 's/.*/echo $((&))/' | bash
seq 4 | xargs -P4 -I{} sh -c 'echo {} > out/x{}'; ls out | wc -l
### status of a batch of commands
cmds=("true" "false" "test -d ." "exit_not_there" "sh -c 'exit 3'")
for c in "${cmds[@]}"; do eval "$c" 2>/dev/null; rc=$?; printf '%-18s %d\n' "$c" $rc; done
### required tools check
need() { local m=(); for t; do command -v "$t" > /dev/null 2>&1 || m+=("$t"); done; (( ${#m[@]} == 0 )) || { echo "missing: ${m[*]}"; return 1; }; }
need grep sed awk && echo all; need ls zz_none yy_none || echo "rc=$?"
### logging functions
log() { printf '[%s] %s\n' "$1" "${*:2}"; }; info() { log INFO "$@"; }; err() { log ERROR "$@" >&2; }
info "starting" 3 jobs; err bad 2>&1; err hidden 2>/dev/null; info "$(printf 'multi\nline')" | wc -l
### colours only on a terminal
if [ -t 1 ]; then R=$'\e[31m'; N=$'\e[0m'; else R= N=; fi
echo "${R}plain${N}"; printf '\033[1mbold\033[0m\n' | sed 's/\x1b\[[0-9;]*m//g'; printf '\e[32mok\e[0m\n' | cat -v
### progress counts
files=(a b c); i=0; for f in "${files[@]}"; do i=$((i+1)); printf '[%d/%d] %s\n' $i ${#files[@]} "$f"; done
printf '%3d%%\n' $((100 * 2 / 3)); for p in 0 50 100; do n=$((p/10)); printf '%-10s|%3d%%\n' "$(printf '#%.0s' $(seq 1 $n 2>/dev/null))" $p; done
### choose by os-like names
detect() { case "$1" in Linux*) echo linux;; Darwin*) echo mac;; MINGW*|MSYS*) echo windows;; *) echo "unknown: $1";; esac; }
for o in Linux Darwin MINGW64_NT Plan9; do detect $o; done
### semver compare and sort
vlt() { [ "$1" != "$2" ] && [ "$(printf '%s\n' "$1" "$2" | sort -V | head -1)" = "$1" ]; }
vlt 1.9.0 1.10.0 && echo lt; vlt 2.0.0 1.99.9 || echo ge; vlt 1.0 1.0 || echo same
printf '%s\n' v1.10.1 v1.2.0 v1.10.0 v0.9 | sort -V | tail -1
bump() { local IFS=.; set -- $1 $2; case $4 in major) echo $(($1+1)).0.0;; minor) echo $1.$(($2+1)).0;; *) echo $1.$2.$(($3+1));; esac; }
bump 1.2.3 minor; bump 1.2.3 major; bump 1.2.3 patch
### slugs
slug() { echo "$1" | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9]+/-/g; s/^-+|-+$//g'; }
slug 'Hello, World!'; slug '  A  B--c '; s='Mixed Case'; s=${s,,}; echo "${s// /-}"
### camel to snake and back
echo 'getHTTPResponse someName' | sed -E 's/([a-z0-9])([A-Z])/\1_\2/g' | tr A-Z a-z
echo 'some_long_name' | awk -F_ '{s=$1; for(i=2;i<=NF;i++) s=s toupper(substr($i,1,1)) substr($i,2); print s}'
IFS=_ read -ra p <<< 'my_var_name'; printf '%s' "${p[0]}" "${p[@]:1}" | head -c 20; echo; printf '%s' "${p[@]^}"; echo
### queue of jobs in a file
printf '%s\n' 'todo a' 'todo b' 'done c' > q
next=$(awk '$1=="todo"{print $2; exit}' q); echo "next $next"; sed -i "0,/^todo $next\$/s//done $next/" q; cat q; grep -c '^done' q
### simple database in a file
db=./kv; touch $db
put() { sed -i "/^$1=/d" $db; echo "$1=$2" >> $db; }; get() { sed -n "s/^$1=//p" $db | tail -1; }; del() { sed -i "/^$1=/d" $db; }
put a 1; put b 2; put a 3; get a; get b; del b; get b; echo "[$(get none)]"; wc -l < $db
### cache by hash of the input
cached() { local k; k=$(printf '%s' "$*" | md5sum | cut -c1-8); if [ -f "c/$k" ]; then echo "hit: $(cat "c/$k")"; else mkdir -p c; "$@" | tee "c/$k"; fi; }
cached expr 6 '*' 7; cached expr 6 '*' 7; cached echo other; ls c | wc -l
### config with defaults and overrides
declare -A cfg=([host]=localhost [port]=80 [debug]=no)
printf 'port=8080\n\n# c\ndebug = yes\n' > app.conf
while IFS='=' read -r k v; do k=${k//[[:space:]]/}; v=${v//[[:space:]]/}; [[ -z $k || $k == \#* ]] && continue; cfg[$k]=$v; done < app.conf
APP_HOST=prod; for k in "${!cfg[@]}"; do e="APP_${k^^}"; [[ ${!e} ]] && cfg[$k]=${!e}; done
for k in host port debug; do echo "$k=${cfg[$k]}"; done
### json from the shell by jq
jq -n --arg name "it's \"me\"" --argjson n 3 --args '{name: $name, n: $n, tags: $ARGS.positional}' a 'b c'
printf '%s\n' x y | jq -R . | jq -s -c .
### api reply digestion
cat > r.json <<'EOF'
{"items":[{"id":1,"user":{"login":"ann"},"labels":[{"name":"bug"}],"state":"open"},{"id":2,"user":{"login":"bob"},"labels":[],"state":"closed"}],"total":2}
EOF
jq -r '.items[] | "#\(.id) \(.user.login) [\([.labels[].name] | join(","))] \(.state)"' r.json
jq '[.items[] | select(.state=="open")] | length' r.json; jq -r '.items | map(.user.login) | sort | join(" ")' r.json
jq -c '.items[] | {id, who: .user.login, bug: any(.labels[]; .name == "bug")}' r.json
### coverage table to a verdict
printf 'Name Stmts Miss Cover\na.py 10 1 90%%\nb.py 20 12 40%%\nTOTAL 30 13 57%%\n' > cov
awk 'NR>1 && $1!="TOTAL" && $4+0<80 {print $1, $4}' cov; t=$(awk '$1=="TOTAL"{print $4+0}' cov); [ "$t" -ge 60 ] && echo pass || echo "fail: $t"
### test output digestion
printf '%s\n' 'test a ... ok' 'test b ... FAILED' 'test c ... ok' 'test d ... ignored' > o
awk '/^test /{r[$NF]++} END{printf "ok %d failed %d ignored %d\n", r["ok"], r["FAILED"], r["ignored"]}' o
grep FAILED o | awk '{print $2}'; sed -n 's/^test \(.*\) \.\.\. ok$/\1/p' o | paste -sd,
### compiler messages by file
printf '%s\n' 'a.c:3:5: error: x undeclared' 'a.c:9:1: warning: unused' 'b.c:1:2: error: bad' > o
awk -F: '/error/{e[$1]++} /warning/{w[$1]++} END{for(f in e) print f, e[f], w[f]+0}' o | sort
grep error o | cut -d: -f1,2; sed -nE 's/^([^:]+):([0-9]+):[0-9]+: error: (.*)/\1 line \2 -> \3/p' o
### trace of calls
printf '  File "a.py", line 3, in f\n    g()\n  File "b.py", line 9, in g\n    boom()\nValueError: no\n' > tb
grep -oE 'File "[^"]+", line [0-9]+' tb | sed -E 's/File "(.*)", line (.*)/\1:\2/'; tail -1 tb | cut -d: -f1; awk -F'"' '/File/{print $2}' tb | tac 2>/dev/null | head -1
### apply an edit only when it fits
printf 'a = 1\nb = 2\n' > f
old='b = 2'; new='b = 3'; n=$(grep -cFx "$old" f); if [ "$n" -eq 1 ]; then c=$(< f); printf '%s\n' "${c/"$old"/$new}" > f; echo edited; else echo "matches: $n"; fi; cat f
old='nope'; grep -qF "$old" f || echo "not found"
### several edits in one sed file
cat > e.sed <<'EOF'
# rename
s/foo/bar/g
/^drop/d
2i\
inserted
$a\
last line
EOF
printf 'foo 1\nfoo 2\ndrop me\nend\n' | sed -f e.sed
### awk program file
cat > p.awk <<'EOF'
function pad(s, n) { while (length(s) < n) s = s "."; return s }
BEGIN { FS = ":" }
/^#/ { next }
{ total += $2; print pad($1, 8) $2 }
END { print pad("sum", 8) total }
EOF
printf '# c\na:1\nbee:20\n' | awk -f p.awk
### edit by line numbers
seq 5 > f; sed -i -e '2s/.*/two/' -e '4d' f; cat f | paste -sd,; sed -i '1,2{h;d};3G' f; cat f | paste -sd,
sed -i "3c\\changed" f; cat f | paste -sd,; line=$(grep -n changed f | cut -d: -f1); sed -i "${line}r /dev/null" f; wc -l < f
### swap two files and undo
echo A > a; echo B > b; mv a t && mv b a && mv t b; cat a b; cp a a.bak; echo broken > a; mv a.bak a; cat a; ls
### create and source a library
mkdir lib; cat > lib/str.sh <<'EOF'
[[ ${_STR:-} ]] && return; _STR=1
upper() { tr a-z A-Z; }
repeat() { local i; for ((i=0;i<$2;i++)); do printf '%s' "$1"; done; echo; }
EOF
. lib/str.sh; . lib/str.sh; echo hey | upper; repeat ab 3; echo "${BASH_SOURCE[0]:-main}" | grep -c .
### scripts that call scripts
mkdir bin; printf '#!/bin/bash\necho "child $1 ($X)"\nexit 4\n' > bin/child; printf '#!/bin/bash\nset -e\nexport X=env\nbin/child one || echo "child rc $?"\nbin/child two\necho never\n' > bin/parent; chmod +x bin/*
bin/parent; echo "parent rc $?"; PATH="$PWD/bin:$PATH"; X=p child three; echo $?
### stdin or file argument
cat > count.sh <<'EOF'
in=${1:--}
[ "$in" = - ] && in=/dev/stdin
n=0; while IFS= read -r l || [ -n "$l" ]; do n=$((n+1)); done < "$in"; echo "$n lines"
EOF
printf 'a\nb' | bash count.sh; printf 'x\n' > f; bash count.sh f; bash count.sh - < f
### filter that reads and reports
printf '5\nx\n7\n' > in; sum=0 bad=0
while read -r n; do [[ $n =~ ^[0-9]+$ ]] && (( sum += n )) || { (( bad++ )); echo "skip '$n'" >&2; }; done < in 2> warn
echo "sum=$sum bad=$bad"; cat warn
### menus without a terminal
ask() { local a; read -r -p "$1 [y/N] " a; case ${a,,} in y|yes) return 0;; *) return 1;; esac; }
echo y | { ask sure && echo did; }; echo | { ask sure || echo "did not"; }; { ask a && ask b && echo both; } <<< $'y\nYES'
### dates of a fixed clock
now=1700000000; date -u -d @$now '+%Y-%m-%d %H:%M'; stamp=$(date -u -d @$now +%Y%m%d); echo "backup-$stamp.tgz"; printf '%(%F)T\n' 0 | cut -c1-4; for d in 0 1 2; do date -u -d "@$((now + d * 86400))" +%a; done | paste -sd' '
### elapsed pretty printing
fmt_s() { local s=$1; printf '%02d:%02d:%02d\n' $((s/3600)) $((s%3600/60)) $((s%60)); }; fmt_s 3725; fmt_s 59
hum() { local b=$1 u=(B K M G) i=0; while (( b >= 1024 && i < 3 )); do b=$((b/1024)); i=$((i+1)); done; echo "$b${u[i]}"; }; hum 500; hum 20480; hum 5368709120
### math helpers
max() { local m=$1; for n; do (( n > m )) && m=$n; done; echo "$m"; }; max 3 9 2; avg() { local t=0; for n; do t=$((t+n)); done; awk -v t=$t -v n=$# 'BEGIN{printf "%.2f\n", t/n}'; }; avg 1 2 4; awk 'BEGIN{print 0.1+0.2}'; printf '%.1f\n' "$(awk 'BEGIN{print 7/3}')"; echo $(( (7 + 3 - 1) / 3 ))
### array helpers
contains() { local n=$1; shift; for x; do [[ $x == "$n" ]] && return 0; done; return 1; }
a=(red "light blue" green); contains "light blue" "${a[@]}" && echo yes; contains blue "${a[@]}" || echo no
uniq_arr() { printf '%s\n' "$@" | awk '!s[$0]++'; }; mapfile -t u < <(uniq_arr b a b c a); echo "${u[*]}"; IFS=$'\n' s=($(sort <<< "${a[*]}")); unset IFS; printf '%s;' "${s[@]}"; echo; echo "${a[@]//e/E}"
### string helpers
starts() { [[ $1 == "$2"* ]]; }; ends() { [[ $1 == *"$2" ]]; }; starts foobar foo && echo s; ends foobar bar && echo e; trim() { local v=$1; v="${v#"${v%%[![:space:]]*}"}"; v="${v%"${v##*[![:space:]]}"}"; echo "[$v]"; }; trim '  a b  '; rep() { printf "%0.s$1" $(seq $2); echo; }; rep '=' 10; printf '%-10s|%10s|\n' left right; x=abc; echo "${x:0:1}...${x: -1}"; wrap() { fold -s -w 10 <<< "$1"; }; wrap 'aaa bbb ccc ddd'
### quoting for a child command
msg='a "quoted" $var `cmd` it'"'"'s'
bash -c 'printf "<%s>\n" "$1"' _ "$msg"; printf -v q '%q' "$msg"; eval "echo $q"; env M="$msg" sh -c 'echo "$M"'; printf '%s\n' "$msg" | xargs -0 -I{} echo "{}" | head -1
### heredoc to a child with arguments
bash -s -- one 'two three' <<'EOF'
echo "$# [$2]"
cat <<X
inner $1
X
EOF
sh <<< 'echo from string'; cat > s.sh <<-'EOF'
	if true; then
		echo tabbed
	fi
	EOF
bash s.sh
### exit codes through pipes
run() { "$@" 2>&1 | sed 's/^/| /'; return "${PIPESTATUS[0]}"; }
run sh -c 'echo hi; exit 3'; echo "rc=$?"; run true; echo "rc=$?"; set -o pipefail; if ! grep x nofile 2>/dev/null | head; then echo "pipe failed"; fi
### tee to a log and keep the status
( echo work; exit 2 ) | tee build.log; echo "status ${PIPESTATUS[0]}"; { echo out; echo err >&2; } > >(sed 's/^/o:/' >> all) 2> >(sed 's/^/e:/' >> all); sleep 0.1; sort all; exec 3>&1; v=$(echo captured; echo shown >&3); echo "v=$v"
### safe script header
cat > s.sh <<'EOF'
#!/usr/bin/env bash
set -Eeuo pipefail
IFS=$'\n\t'
trap 'echo "error on line $LINENO (rc $?)" >&2' ERR
main() { local files=("a b" c); for f in ${files[@]}; do echo "$f"; done; false; echo never; }
main "$@"
EOF
bash s.sh 2> e; echo "rc=$?"; cat e | head -1
### unset variable guard
cat > s.sh <<'EOF'
set -u
: "${TARGET:=default}"
echo "$TARGET ${1:-noarg}"
echo "$UNSET_THING"
echo never
EOF
bash s.sh 2>/dev/null; echo "rc=$?"; TARGET=x bash s.sh y 2>/dev/null; bash s.sh 2>&1 | grep -c 'unbound variable'
### lock and stale pid file
pidfile=app.pid; echo 999999 > $pidfile
if [ -f $pidfile ] && kill -0 "$(cat $pidfile)" 2>/dev/null; then echo running; else echo stale; rm -f $pidfile; fi; [ -f $pidfile ] || echo removed; echo $$ > $pidfile; kill -0 "$(cat $pidfile)" && echo alive
### watch for a file with a limit
(sleep 0.1; echo ok > ready) & n=0; until [ -f ready ]; do sleep 0.05; n=$((n+1)); [ $n -gt 60 ] && break; done; cat ready; wait; (( n > 0 )) && echo waited
### background server-like job
worker() { while read -r j; do [ "$j" = quit ] && break; echo "did $j"; done; }
printf 'a\nb\nquit\nc\n' | worker; worker < <(printf 'x\n') ; (sleep 5) & p=$!; kill $p; wait $p 2>/dev/null; echo "rc=$?"
### numbers of a benchmark table
printf 'run ms\n1 120\n2 100\n3 140\n' > b; awk 'NR>1{s+=$2; if(min==""||$2<min)min=$2; if($2>max)max=$2; n++} END{printf "n=%d mean=%.1f min=%d max=%d\n",n,s/n,min,max}' b; tail -n +2 b | sort -k2n | awk '{a[NR]=$2} END{print "median", a[int((NR+1)/2)]}'; awk 'NR==FNR{if(FNR>1&&(m==""||$2<m))m=$2;next} FNR>1{printf "%d %.2fx\n",$1,$2/m}' b b
### tree of a folder drawn
mkdir -p r/a/x r/b; touch r/a/x/f r/b/g r/h
draw() { local d=$1 p=$2 e; for e in "$d"/*; do [ -e "$e" ] || continue; echo "$p- ${e##*/}"; [ -d "$e" ] && draw "$e" "$p  "; done; return 0; }; draw r ''
find r | sort | sed 's|[^/]*/|  |g'
### file sizes report
printf 'x%.0s' {1..1500} > a.bin; echo hi > b.txt; find . -type f -printf '%s %f\n' | sort -rn | awk '{printf "%-6s %5.1fK\n", $2, $1/1024}'; find . -type f -size +1k | wc -l; stat -c '%s %n' * | sort -n | head -1
### a patch by hand
printf 'a\nb\nc\n' > f; cp f g; sed -i 's/b/B/' g; diff -u f g > p.diff; grep -c '^[-+][^-+]' p.diff; sed -n 's/^+\([^+]\)/\1/p' p.diff; awk '/^@@/{print $2, $3}' p.diff; cp f h; grep '^-[^-]' p.diff | cut -c2- | while read -r l; do sed -i "s/^$l\$/B/" h; done; cmp g h && echo equal
### patch applied and reversed
printf '1\n2\n3\n4\n5\n' > f; cp f f.orig; sed 's/3/three/' f > g; diff -u f g > c.patch
patch f < c.patch; cat f | paste -sd,; patch -R f < c.patch > /dev/null; cmp f f.orig && echo back
### patch in a tree with -p1
mkdir -p a/src b/src; printf 'x\ny\n' > a/src/m; printf 'x\nz\n' > b/src/m; echo new > b/src/n
diff -ruN a b > t.patch; cp -r a w; (cd w && patch -p1 < ../t.patch); diff -r w b && echo same; cat w/src/m
### patch dry run and a failure
printf 'a\nb\n' > f; printf 'a\nc\n' > g; diff -u f g > p; patch --dry-run f < p > /dev/null; echo "rc=$?"; cat f; echo other > f; patch f < p > /dev/null 2>&1; echo "rc=$?"; ls *.rej
### patch with an offset
seq 20 > f; sed 's/15/fifteen/' f > g; diff -u f g > p; { echo top1; echo top2; cat f; } > h; patch h p; sed -n '17p' h; patch -o out -i p f > /dev/null; grep -n fifteen out
### git style patch with a new file
mkdir w; cd w; cat > ../x.patch <<'EOF'
diff --git a/hello.txt b/hello.txt
new file mode 100644
--- /dev/null
+++ b/hello.txt
@@ -0,0 +1,2 @@
+hello
+world
EOF
patch -p1 < ../x.patch; cat hello.txt; patch -R -p1 < ../x.patch > /dev/null; ls | wc -l
### tar round trip
mkdir -p p/q; echo 1 > p/a; echo 2 > p/q/b; tar -cf p.tar p; tar -tf p.tar | sort; mkdir out; tar -xf p.tar -C out; diff -r p out/p && echo same
### tar gz with czf and tzf
mkdir d; echo x > d/1; echo y > d/2; tar czf d.tgz d && tar tzf d.tgz | wc -l; rm -r d; tar xzf d.tgz; cat d/1 d/2; gzip -t d.tgz && echo sound
### tar verbose and exclude
mkdir -p s/node_modules s/src; touch s/node_modules/x s/src/m.js s/a.log; tar -cvf t.tar --exclude=node_modules --exclude='*.log' s | sort; tar -tf t.tar | grep -c node_modules
### tar strip components
mkdir -p pkg-1.0/src; echo code > pkg-1.0/src/m.c; tar -czf p.tar.gz pkg-1.0; mkdir x; tar -xzf p.tar.gz --strip-components=1 -C x; find x -type f; cat x/src/m.c
### tar to stdout and through a pipe
mkdir d; echo one > d/f; tar -cf - d | tar -tf -; tar -cf - d | gzip -c > d.tar.gz; tar -xOzf d.tar.gz d/f; mkdir o; tar -cf - -C d . | tar -xf - -C o; ls o
### tar one member and a glob
mkdir d; echo a > d/a.txt; echo b > d/b.md; tar -cf t.tar d; rm -r d; tar -xf t.tar d/a.txt; ls d; tar -tf t.tar --wildcards '*.md'; tar -xf t.tar d/none 2>/dev/null; echo "rc=$?"
### tar append and list long
echo 1 > a; echo 2 > b; tar -cf t.tar a; tar -rf t.tar b; tar -tf t.tar; tar -tvf t.tar | awk '{print $1, $NF}'; tar -tf nofile.tar 2>/dev/null; echo "rc=$?"
### tar keeps modes and links
mkdir d; echo x > d/f; chmod 750 d/f; ln -s f d/l; tar -cf t.tar d; rm -r d; tar -xf t.tar; stat -c %a d/f; readlink d/l
### gzip keep, level and names
seq 200 > f; gzip -k f; ls f*; gzip -l f.gz | awk 'NR==2{print $2}'; gunzip -c f.gz | cmp - f && echo same; gzip -9 -c f | gzip -dc | wc -l; rm f; gunzip f.gz; ls f*
### zcat and zgrep-like reading
printf 'ok\nERROR one\n' | gzip > a.log.gz; printf 'ERROR two\n' > b.log; { zcat a.log.gz; cat b.log; } | grep -c ERROR; for f in *.log*; do case $f in *.gz) gzip -dc "$f";; *) cat "$f";; esac; done | sort | head -2
### gzip errors and force
echo x > f; gzip f; echo y > f; gzip f < /dev/null 2>/dev/null; echo "rc=$?"; gzip -f f; gzip -dc f.gz; echo junk > j.gz; gzip -t j.gz 2>/dev/null; echo "rc=$?"; gzip nofile 2>/dev/null; echo "rc=$?"
### gzip many and by find
for i in 1 2 3; do echo "log $i" > l$i.log; done; gzip l*.log; ls; find . -name '*.gz' -exec gunzip {} +; ls; cat l*.log; find . -name 'l[12].log' | xargs gzip; ls | sort
### gzip concatenation and stdin
(echo a | gzip; echo b | gzip) > ab.gz; zcat ab.gz; gzip < /dev/null | wc -c | grep -c '^ *2[0-9]'; echo data | gzip -n | gunzip; printf 'aaaaaaaaaa%.0s' {1..100} | gzip -c | wc -c | awk '{print ($1 < 100)}'
### release archive
mkdir -p dist/app-1.0/bin; printf '#!/bin/sh\necho v1\n' > dist/app-1.0/bin/app; chmod +x dist/app-1.0/bin/app; (cd dist && tar czf app-1.0.tar.gz app-1.0 && sha256sum app-1.0.tar.gz > SUMS && sha256sum -c SUMS); mkdir inst && tar xzf dist/app-1.0.tar.gz -C inst --strip-components 1; inst/bin/app
### backup and restore with tar
mkdir data; for i in 1 2 3; do echo $i > data/f$i; done; tar czf backup.tgz -C data .; rm data/f2; echo changed > data/f1; mkdir r; tar xzf backup.tgz -C r; diff -rq data r; for f in r/*; do [ -e "data/${f##*/}" ] || cp "$f" data/; done; ls data
### tar of a file list
mkdir s; touch s/a.py s/b.txt s/c.py; find s -name '*.py' | sort > list; tar -cf t.tar -T list; tar -tf t.tar; find s -name '*.txt' -print0 | tar -cf u.tar --null -T -; tar -tf u.tar
### rg basics
mkdir -p src; printf 'fn main() {\n    todo!();\n}\n' > src/main.rs; echo 'todo later' > notes.txt
if command -v rg > /dev/null; then rg -n --no-heading 'todo' . | sort; rg -l todo . | sort; rg -c todo src; rg --files | sort; rg -t rust todo -N --no-filename .; rg nothing_here; echo "rc=$?"; fi
### python free json check
printf '{"a": [1, 2,]}' > bad.json; printf '{"a": [1, 2]}' > good.json; for f in *.json; do if jq empty "$f" 2>/dev/null; then echo "$f ok"; else echo "$f invalid"; fi; done
### lint of shell scripts by bash -n
echo 'if true; then echo x; fi' > a.sh; echo 'for i in; do' > b.sh; echo 'echo "open' > c.sh; for f in *.sh; do bash -n "$f" 2>/dev/null && echo "$f ok" || echo "$f broken"; done
### generated code
{ echo '// generated'; echo 'enum Color {'; for c in red green blue; do echo "  ${c^^},"; done; echo '}'; } > color.h; cat color.h; i=0; while read -r n; do echo "#define ${n%,} $i"; i=$((i+1)); done < <(sed -n '/{/,/}/{//!s/ *//p}' color.h)
### sql inserts from csv
printf 'id,name\n1,O'"'"'Neil\n2,Ann\n' | awk -F, -v q="'" 'NR==1{c=$1", "$2;next}{gsub(q,q q,$2); printf "INSERT INTO u (%s) VALUES (%d, %s%s%s);\n",c,$1,q,$2,q}'
### routes of a web app
printf '@app.get("/")\ndef home(): ...\n@app.post("/users/{id}")\ndef upd(id): ...\n' > app.py
grep -nE '^@app\.' app.py | sed -E 's/^([0-9]+):@app\.(\w+)\("([^"]+)"\)/\2 \3 (line \1)/' ; awk -F'"' '/^@app/{p=$2; getline; sub(/def /,""); sub(/\(.*/,""); print p, "->", $0}' app.py
### css and html small edits
printf '<div class="old">x</div>\n<p class="old big">y</p>\n' > i.html; sed -i -E 's/class="([^"]*)\bold\b/class="\1new/g' i.html; cat i.html; grep -oE 'class="[^"]+"' i.html | tr -d '"' | cut -d= -f2 | tr ' ' '\n' | sort -u | paste -sd,
### translation keys missing
echo '{"a":"A","b":"B","c":{"d":"D"}}' > en.json; echo '{"a":"Ä","c":{}}' > de.json
flat() { jq -r 'paths(scalars) | map(tostring) | join(".")' "$1" | sort; }; comm -23 <(flat en.json) <(flat de.json) | sed 's/^/missing: /'; flat en.json | wc -l
### dependency order
printf 'app lib\nlib core\napp util\nutil core\n' | tsort | paste -sd' ' | grep -c '^app'; printf 'a b\nb c\n' | tsort; declare -A dep=([a]="b c" [b]="c" [c]=""); declare -A done_; visit() { [[ ${done_[$1]} ]] && return; local d; for d in ${dep[$1]}; do visit "$d"; done; done_[$1]=1; echo "build $1"; }; visit a
### a spell list
printf 'teh cat adn dog\n' > t; declare -A fix=([teh]=the [adn]=and); for w in "${!fix[@]}"; do sed -i "s/\b$w\b/${fix[$w]}/g" t; done; cat t; tr -s ' ' '\n' < t | grep -vxFf <(printf 'the\ncat\nand\n')
### split a big file by sections
printf '== one\na\nb\n== two\nc\n' > all; awk '/^== /{f=$2".txt"; next} {print > f}' all; head one.txt two.txt; ls *.txt | wc -l; csplit -s -f part all '/^== /' '{*}'; ls part* | wc -l
### merge sorted logs of services
printf '10:01 a1\n10:05 a2\n' > a.log; printf '10:03 b1\n10:04 b2\n' > b.log; sort -m a.log b.log; for f in *.log; do sed "s/^/${f%.log} /" "$f"; done | sort -k2,2 | awk '{print $1, $3}' | paste -sd';'
### rate of events per minute
printf '%s\n' 10:00:01 10:00:30 10:01:10 10:03:59 | cut -d: -f1,2 | uniq -c | awk '{print $2, $1}'; printf '%s\n' 10:00:01 10:00:30 10:01:10 | awk -F: '{t=$1*3600+$2*60+$3; if(NR>1) print t-p; p=t}' | paste -sd,
### users over a threshold
printf 'ann 5\nbob 50\ncid 70\n' | awk -v t=40 '$2>t{n++; l=l" "$1} END{print n":"l}'; printf 'ann 5\nbob 50\n' | while read -r u n; do (( n > 40 )) && echo "warn $u"; done; true
### fixture data generated
for i in {1..5}; do printf '%d,user%02d,%s\n' "$i" "$i" "$([ $((i % 2)) -eq 0 ] && echo even || echo odd)"; done | tee f.csv | awk -F, '{c[$3]++} END{print c["odd"], c["even"]}'; wc -l < f.csv; tail -1 f.csv; seq -f 'item-%03g' 8 10
### compare outputs of two versions
v1() { echo "sum $(( $1 + 1 ))"; }; v2() { echo "sum $(( $1 + 1 + ($1 == 3) ))"; }; for n in 1 2 3; do diff <(v1 $n) <(v2 $n) > /dev/null && echo "$n same" || echo "$n differs: $(v1 $n) / $(v2 $n)"; done
### golden file test
mkdir golden; greet() { echo "Hello, $1!"; }; greet Ann > golden/ann.txt; echo 'Hello, Rob!' > golden/bob.txt
for n in ann bob; do N=${n^}; if diff -u golden/$n.txt <(greet "$N") > out.diff; then echo "ok $n"; else echo "FAIL $n"; grep '^[-+][^-+]' out.diff; fi; done
### long running option parsing by getopts in a function
f() { local OPTIND OPTARG o a=() v=0; while getopts 'vi:o:' o; do case $o in v) v=$((v+1));; i) a+=("in=$OPTARG");; o) a+=("out=$OPTARG");; *) return 2;; esac; done; shift $((OPTIND-1)); echo "v=$v ${a[*]} -- $*"; }; f -vv -i x -o y rest; f -i 'a b' ; f -z 2>/dev/null; echo "rc=$?"
