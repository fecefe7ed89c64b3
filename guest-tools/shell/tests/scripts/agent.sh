### tree and search
mkdir -p src/lib tests docs
cat > src/main.py <<'EOF'
import os
def main():
    # TODO: fix this
    print("hello")
EOF
cat > src/lib/util.py <<'EOF'
def helper(x):
    # TODO: improve
    return x + 1
EOF
echo "# Docs" > docs/README.md
find . -type f | sort
grep -rn "TODO" src | sort
grep -rl "def " --include='*.py' . | sort | wc -l
wc -l $(find . -name '*.py' | sort) | tail -1 | tr -s ' '
### search and replace over a tree
mkdir -p a/b; for f in a/1.txt a/b/2.txt; do echo "foo old_name bar old_name" > $f; done
grep -rl old_name . | while read -r f; do sed -i 's/old_name/new_name/g' "$f"; done
cat a/1.txt a/b/2.txt
find . -name '*.txt' -exec sed -i 's/foo/FOO/' {} +
grep -r FOO . | sort
### log digestion
cat > app.log <<'EOF'
2024-01-01 10:00:00 INFO start
2024-01-01 10:00:01 ERROR db timeout
2024-01-01 10:00:02 WARN slow
2024-01-01 10:00:03 ERROR db timeout
2024-01-01 10:00:04 ERROR disk full
EOF
grep ERROR app.log | awk '{$1=$2=$3=""; print substr($0,4)}' | sort | uniq -c | sort -rn
awk '{count[$3]++} END {for (k in count) print k, count[k]}' app.log | sort
echo "errors: $(grep -c ERROR app.log)"
cut -d' ' -f3 app.log | sort | uniq -c | sort -k1,1nr -k2 | head -2
### csv
cat > d.csv <<'EOF'
name,age,city
ann,30,Rome
bob,25,Oslo
cid,35,Rome
EOF
tail -n +2 d.csv | while IFS=, read -r name age city; do
  if [ "$age" -ge 30 ]; then echo "$name ($city)"; fi
done
awk -F, 'NR>1 {s+=$2; n++} END {printf "%.1f\n", s/n}' d.csv
declare -A by; while IFS=, read -r n a c; do by[$c]+="$n "; done < <(tail -n +2 d.csv)
for c in $(printf '%s\n' "${!by[@]}" | sort); do echo "$c: ${by[$c]}"; done
sort -t, -k2 -n d.csv | head -2
### backup with timestamps
set -euo pipefail
SRC="src"; mkdir -p "$SRC"; echo data > "$SRC/f.txt"
BACKUP_DIR="backup"
mkdir -p "${BACKUP_DIR}"
for file in "$SRC"/*.txt; do
  [ -e "$file" ] || continue
  base=$(basename "$file" .txt)
  cp "$file" "${BACKUP_DIR}/${base}.bak"
done
ls -1 "$BACKUP_DIR"
### usage and options
usage() { echo "usage: $0 [-v] [-o out] file" | sed 's,[^ ]*case.sh,PROG,'; }
main() {
  local verbose=0 out=default
  while [[ $# -gt 0 ]]; do
    case "$1" in
      -v|--verbose) verbose=1; shift ;;
      -o|--output) out="$2"; shift 2 ;;
      --) shift; break ;;
      -*) usage; return 1 ;;
      *) break ;;
    esac
  done
  echo "verbose=$verbose out=$out rest=$*"
}
main -v -o x.txt a b
main --verbose -- -z
main --bad || echo "failed: $?"
### retry loop
n=0
until [ "$n" -ge 3 ]; do
  echo "try $n"
  if [ "$n" -eq 2 ]; then echo ok; break; fi
  n=$((n+1))
done
### cleanup trap
set -euo pipefail
tmp=$(mktemp -d)
cleanup() { rm -rf "$tmp"; echo "cleaned"; }
trap cleanup EXIT
echo x > "$tmp/f"
cat "$tmp/f"
false
echo unreachable
### build project tree
mkdir -p proj/{src,tests,docs}/sub
touch proj/src/{main,util}.c proj/tests/test_{a,b}.c
cat > proj/Makefile <<'EOF'
all:
	echo building
EOF
(cd proj && find . -type f | sort)
ls proj
echo "files: $(find proj -type f | wc -l)"
### command checks
if command -v python3 >/dev/null 2>&1; then echo "python ok"; else echo "no python"; fi
command -v definitely_not_here >/dev/null 2>&1 || echo "missing tool"
which definitely_not_here >/dev/null 2>&1 || echo "no which"
### status check
if ! grep -q needle /etc/hostname_not 2>/dev/null; then echo "not found"; fi
grep -q root /etc/passwd && echo "root there" || echo "no root"
ls /nope >/dev/null 2>&1; rc=$?
[ $rc -ne 0 ] && echo "rc nonzero"
### json by hand
items=(one two three)
printf '['
for i in "${!items[@]}"; do
  [ "$i" -gt 0 ] && printf ','
  printf '{"id":%d,"name":"%s"}' "$i" "${items[$i]}"
done
printf ']\n'
### python one-liner with json
echo '{"a": {"b": [1,2,3]}}' > x.json
python3 -c "import json; d=json.load(open('x.json')); print(sum(d['a']['b']))"
python3 <<'EOF'
import json
print(json.dumps({"k": [1, 2]}, sort_keys=True))
EOF
VALUE=$(python3 -c 'print(6*7)'); echo "value=$VALUE"
### xargs and find
mkdir d; for i in 1 2 3; do echo "line $i" > d/f$i.txt; done
find d -name '*.txt' -print0 | xargs -0 cat | sort
find d -name '*.txt' | sort | xargs -I{} basename {} .txt
find d -type f -name 'f[12]*' | sort | xargs grep -l line
ls d | xargs -n 1 echo item
### sed pipelines
printf 'alpha\nbeta\ngamma\n' > t
sed -n '2p' t; sed '/beta/d' t; sed 's/a$/A/' t; sed -e '1i top' -e '$a bottom' t; sed -n '/al/,/be/p' t
cat t | tr a-z A-Z | rev | cut -c1-3 | paste -sd+
### here doc script created and run
cat > run.sh <<'EOF'
#!/usr/bin/env bash
set -e
name="${1:-world}"
echo "hello $name"
exit 3
EOF
chmod +x run.sh
./run.sh
echo "exit: $?"
./run.sh bob || echo "failed with $?"
bash run.sh x | cat
### numbered output and head
seq 1 20 | head -n 5 | nl | tr -s ' \t' ' '
seq 1 10 | awk 'NR%2==0' | paste -sd, -
for i in $(seq 3); do printf '%02d ' "$i"; done; echo
### while with counter
count=0
while IFS= read -r line; do
  count=$((count + 1))
  printf '%d: %s\n' "$count" "$line"
done < <(printf 'x\n  y\nz z\n')
echo "total $count"
### string work
path="/home/user/project/file.tar.gz"
echo "${path##*/}" "${path%/*}" "$(basename "$path")" "$(dirname "$path")"
ext="${path##*.}"; stem="${path##*/}"; stem="${stem%%.*}"; echo "$ext $stem"
s="Hello World"; echo "${s,,}" "${s// /_}" "${#s}"; [[ $s == *World* ]] && echo contains
IFS='/' read -ra parts <<< "$path"; echo "${#parts[@]} ${parts[2]}"
### version compare
ver_ge() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n1)" = "$2" ]; }
ver_ge 1.10.0 1.9.0 && echo newer; ver_ge 1.2 1.3 || echo older
### parallel jobs
for i in 1 2 3; do (sleep 0.0$i; echo "job $i" > "j$i") & done
wait
cat j1 j2 j3
pids=(); for i in 1 0; do (exit $i) & pids+=($!); done
fail=0; for p in "${pids[@]}"; do wait "$p" || fail=$((fail+1)); done; echo "failed $fail"
### config parse
cat > app.conf <<'EOF'
# comment
host = localhost
port=8080

[section]
key = "some value"
EOF
while IFS='=' read -r k v; do
  [[ $k =~ ^[[:space:]]*# || -z $k || $k == \[* ]] && continue
  k="${k// /}"; v="${v# }"
  echo "$k -> $v"
done < app.conf
grep -v '^#' app.conf | grep -v '^$' | sed 's/ *= */=/'
### dotenv
printf 'A=1\nB="two words"\n' > .env
set -a; . ./.env; set +a
echo "$A $B"; env | grep '^B='
### assertion helper
pass=0; fail=0
assert_eq() { if [ "$1" = "$2" ]; then pass=$((pass+1)); else fail=$((fail+1)); echo "FAIL: $1 != $2"; fi; }
assert_eq "$(echo a)" a; assert_eq $((1+1)) 2; assert_eq x y
echo "pass=$pass fail=$fail"
[ "$fail" -eq 0 ] || exit 1
### diff two outputs
printf 'a\nb\nc\n' > one; printf 'a\nx\nc\n' > two
diff one two; echo "rc=$?"
diff -u one two | tail -n +3
cmp -s one two || echo differ
comm -12 <(sort one) <(sort two)
### tar and gzip
mkdir pkg; echo 1 > pkg/a; echo 2 > pkg/b
tar czf pkg.tgz pkg && tar tzf pkg.tgz | sort
rm -r pkg; tar xzf pkg.tgz; cat pkg/a pkg/b
### long pipeline with awk
printf '%s\n' "a 3" "b 1" "c 2" | sort -k2 -n | awk '{print NR": "$1}' | tee out | tail -1
cat out
### multi line string and quoting
msg="line one
line two 'q' \"dq\""
echo "$msg"
printf '%s\n' "$msg" | wc -l
cmd=(printf '%s|' "a b" c); "${cmd[@]}"; echo
### exit code chain
(exit 2) || { code=$?; echo "code $code"; }
set +e; false; echo $?; set -e; true; echo done
### function library
log() { local level=$1; shift; printf '[%s] %s\n' "$level" "$*"; }
die() { log ERROR "$@"; exit 1; }
log INFO starting up; require() { command -v "$1" >/dev/null || die "need $1"; }
require ls; require nosuch_tool; echo no
### git is missing is fine
git_status=$(true); echo "${git_status:-clean}"
### truncating and appending
: > f; for i in 1 2 3; do echo "$i" >> f; done; head -1 f; tail -1 f; wc -l < f
truncate -s 0 f; [ -s f ] || echo empty
echo "a" | tee f1 f2 >/dev/null; cat f1 f2
### arithmetic table
for i in 1 2 3; do for j in 1 2 3; do printf '%3d' $((i*j)); done; echo; done
### rename files
touch a.jpeg b.jpeg "c d.jpeg"
for f in *.jpeg; do mv -- "$f" "${f%.jpeg}.jpg"; done
ls -1
### process files with spaces
mkdir "my dir"; echo 1 > "my dir/f 1.txt"; echo 2 > "my dir/f 2.txt"
find . -type f -print0 | sort -z | while IFS= read -r -d '' f; do echo "<$f> $(cat "$f")"; done
### time limits
timeout 1 sleep 5; echo "rc $?"
timeout 5 echo fine
### date use
d=$(date -u -d @0 +%Y-%m-%d); echo "$d"; printf '%(%Y)T\n' 0
### inline edit with here string
while read -r k v; do declare "cfg_$k=$v"; done <<< $'x 1\ny 2'
echo "$cfg_x $cfg_y"; name=cfg_x; echo "${!name}"
### check and create
[ -d build ] || mkdir build; [[ -f build/x ]] && echo there || touch build/x; ls build
test -n "${CI:-}" && echo ci || echo local
### dedupe preserving order
printf '%s\n' b a b c a | awk '!seen[$0]++'
declare -A seen; for w in b a b c a; do [[ ${seen[$w]} ]] && continue; seen[$w]=1; printf '%s ' "$w"; done; echo
