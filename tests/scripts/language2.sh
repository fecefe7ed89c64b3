### extglob names
shopt -s extglob
touch a.c a.h a.o b.c README
echo !(*.c)
echo @(a|b).c
echo +([a-z]).@(c|h)
echo *.!(c|h)
echo ?(a).c*
echo *(a)*.o
### extglob in case
shopt -s extglob
kind() {
  case $1 in
    +([0-9])) echo int ;;
    +([0-9]).+([0-9])) echo float ;;
    @(true|false)) echo bool ;;
    !(*[!a-z]*)) echo word ;;
    *) echo other ;;
  esac
}
for v in 12 3.5 true hello "a b" -1; do kind "$v"; done
### here-doc into a pipe
cat <<A | tr a-z A-Z; echo x
first $((2*3)) "quoted" \$esc `echo bt`
$(echo sub) ${nope:-default}
A
### here-doc with a backslash at the end of a line
cat <<E
one \
two \\
three
E
cat <<'E'
one \
two \\
E
### here-doc delimiters
cat <<"END OF TEXT"
$x
END OF TEXT
cat <<-'T'
	tab $y
	T
cat << \X
$raw
X
### here-doc in a while loop
n=0
while read -r name size; do
  n=$((n + size))
  echo "$name:$size"
done <<LIST
alpha 10
beta 20
gamma $((5 * 6))
LIST
echo "total $n"
### here-doc in a function called twice
page() {
  cat <<HTML
<h1>$1</h1>
<p>${2:-no text}</p>
HTML
}
page Home
page About "It's us"
### two here-docs on different descriptors
cat /dev/fd/3 /dev/fd/4 3<<A 4<<B
from three
A
from four
B
### here-doc inside a substitution inside quotes
x="$(cat <<EOF
line "one"
line 'two' )
EOF
)"
echo "$x" | wc -l
echo "[$x]"
### here-doc in an if and in a for
if true; then
  cat <<YES
then part
YES
else
  cat <<NO
else part
NO
fi
for i in 1 2; do cat <<L; done
item $i
L
### newline in quotes
msg="first
  second
third"
echo "$msg"
echo $msg
printf '%s\n' "${msg//$'\n'/,}"
### line continuation everywhere
echo one \
  two \
  three
ec\
ho four
x=a\
b; echo $x
true &&
  echo five ||
  echo six
seq 3 |
  tail -1 |
  cat
### comments in odd places
echo a # b
echo a#b
# whole line
x=( # first
  1 # one
  # nothing
  2
)
echo ${#x[@]}
case a in # look
  # a comment
  a) echo yes ;; # end
esac
### reserved words as arguments
echo if then else fi for do done while case esac in function select time { } !
for in in in; do echo $in; done
case in in in) echo in ;; esac
if=3; echo $if
### function bodies of other kinds
f() ( x=2; echo "sub $x" )
g() if true; then echo cond; fi
h() for i in "$@"; do echo "- $i"; done
k() { echo; } 
x=1; f; echo $x
g; h a b
i() [[ $1 == y* ]]
i yes && echo matched
### redirect on a compound
{ echo 1; echo 2; } > out
while read l; do echo "got $l"; done < out >> out2
if read x; then echo "x=$x"; fi < out
for i in a b; do echo $i; done | sort -r > out3
(echo sub; echo err >&2) > out4 2>&1
cat out2 out3 out4
case x in x) echo case ;; esac > out5; cat out5
f() { echo body; } > out6; f; f; cat out6
### assoc array sorted report
declare -A stock=([apple]=5 [pear]=12 [fig]=0)
for k in $(printf '%s\n' "${!stock[@]}" | sort); do
  printf '%-6s %3d %s\n' "$k" "${stock[$k]}" "$([[ ${stock[$k]} -eq 0 ]] && echo OUT)"
done
total=0; for v in "${stock[@]}"; do (( total += v )); done; echo "total $total"
stock[fig]=$(( stock[fig] + 3 )); (( stock[apple]-- )); echo "${stock[fig]} ${stock[apple]}"
### matrix in an assoc array
declare -A m
for ((r=0; r<3; r++)); do for ((c=0; c<3; c++)); do m[$r,$c]=$((r * 3 + c)); done; done
for ((r=0; r<3; r++)); do row=(); for ((c=0; c<3; c++)); do row+=("${m[$c,$r]}"); done; echo "${row[*]}"; done
### bubble sort
a=(5 2 9 1 7)
n=${#a[@]}
for ((i = 0; i < n; i++)); do
  for ((j = 0; j < n - i - 1; j++)); do
    if ((a[j] > a[j+1])); then t=${a[j]}; a[j]=${a[j+1]}; a[j+1]=$t; fi
  done
done
echo "${a[@]}"
### primes
for ((n = 2; n < 40; n++)); do
  for ((d = 2; d * d <= n; d++)); do
    (( n % d == 0 )) && continue 2
  done
  printf '%d ' "$n"
done
echo
### fizzbuzz
for i in {1..15}; do
  out=
  (( i % 3 )) || out+=Fizz
  (( i % 5 )) || out+=Buzz
  echo "${out:-$i}"
done | paste -sd' ' -
### string reverse and palindromes
rev_() { local s=$1 r= i; for ((i = ${#s}; i > 0; i--)); do r+=${s:i-1:1}; done; printf '%s' "$r"; }
for w in level shell noon a ""; do
  if [[ $w == "$(rev_ "$w")" ]]; then echo "'$w' yes"; else echo "'$w' no"; fi
done
### base conversion
tobin() { local n=$1 b=; while ((n)); do b=$((n % 2))$b; ((n /= 2)); done; echo "${b:-0}"; }
for i in 0 1 5 255; do tobin $i; done
printf '%d %d\n' "$((2#1111))" "0x7f"
printf '%x-%o\n' 3735928559 511
### roman numbers
roman() {
  local n=$1 out= i
  local -a v=(1000 900 500 400 100 90 50 40 10 9 5 4 1) s=(M CM D CD C XC L XL X IX V IV I)
  for i in "${!v[@]}"; do while (( n >= v[i] )); do out+=${s[i]}; (( n -= v[i] )); done; done
  echo "$out"
}
roman 1994; roman 2024; roman 4
### towers with a counter in the caller
moves=0
hanoi() { (( $1 == 0 )) && return; hanoi $(($1 - 1)) "$2" "$4" "$3"; (( ++moves )); hanoi $(($1 - 1)) "$4" "$3" "$2"; }
hanoi 5 A B C
echo "$moves moves"
### memo of fibonacci
declare -A memo
fib() {
  local n=$1
  if (( n < 2 )); then r=$n; return; fi
  if [[ ${memo[$n]} ]]; then r=${memo[$n]}; return; fi
  local a; fib $((n - 1)); a=$r; fib $((n - 2))
  r=$((a + r)); memo[$n]=$r
}
fib 50; echo $r
### queue with indices
q=(); head=0
put() { q+=("$1"); }
get() { (( head < ${#q[@]} )) || return 1; r=${q[head]}; head=$((head + 1)); }
put a; put "b b"; get; echo "$r"; put c
while get; do echo "$r"; done
get || echo "empty $?"
### local arrays do not leak
f() { local -a l=(1 2 3); local -A h=([x]=1); l+=(4); echo "${#l[@]} ${h[x]}"; }
f; echo "[${l[*]}][${h[x]}]"
### dynamic function names
for op in add sub mul; do
  case $op in add) s=+ ;; sub) s=- ;; mul) s='*' ;; esac
  eval "$op() { echo \$(( \$1 $s \$2 )); }"
done
for op in add sub mul; do "$op" 7 3; done
declare -F | awk '{print $3}'
### dispatch table
declare -A cmds=([hi]=say_hi [bye]=say_bye)
say_hi() { echo "hi ${1:-you}"; }
say_bye() { echo bye; return 3; }
run() { local f=${cmds[$1]}; [[ $f ]] || { echo "no command $1" >&2; return 64; }; shift; "$f" "$@"; }
run hi Bob; run bye; echo $?; run nope 2>&1; echo $?
### getopts with long options by hand
set -- -v --name=bob --level 3 -abc file1 -- -x
while (( $# )); do
  case $1 in
    --) shift; break ;;
    --*=*) echo "long ${1%%=*} = ${1#*=}" ;;
    --level) echo "level $2"; shift ;;
    -??*) r=${1#-?}; echo "short ${1:0:2}"; shift; set -- "-$r" "$@"; continue ;;
    -?) echo "short $1" ;;
    *) echo "arg $1" ;;
  esac
  shift
done
echo "rest: $*"
### trap with cleanup of a temp folder
work=$(mktemp -d)
trap 'rm -rf "$work"; echo "cleaned: $([ -d "$work" ] && echo no || echo yes)"' EXIT
echo data > "$work/f"
cat "$work/f"
exit 3
### trap and signals in order
trap 'echo hup' HUP
trap 'echo term; exit 12' TERM
trap 'echo "exit $?"' EXIT
kill -HUP $$
echo between
kill -TERM $$
echo never
### err trap in functions with errtrace
trap 'echo "err in ${FUNCNAME[0]:-main}"' ERR
f() { false; true; }
f
set -E
f
false
### set e in subshells and conditionals
set -e
(set +e; false; echo "sub continues")
r=0; (false; echo no) || r=$?
echo "r=$r"
f() { set +e; false; echo "in f"; set -e; }
f
while ! [ -f made ]; do touch made; done
echo end
### err exit with a line report
set -eE
trap 'echo "failed at line $LINENO: $BASH_COMMAND"' ERR
ok() { true; }
ok
grep -q nothing /dev/null
echo unreachable
### pipefail and tee
set -o pipefail
if ! (echo partial; exit 5) | tee out > /dev/null; then echo "rc ${PIPESTATUS[0]}"; fi
cat out
grep x /dev/null | wc -l | tr -d ' '; echo "${PIPESTATUS[*]}"
### set u with arrays and positional
set -u
f() { echo "${2-two}" "${@:3}"; }
f a; f a b c d
declare -A m; echo "${m[x]-nokey}"
a=(1); echo "${a[3]:-noelem}"
echo "${a[3]}"
echo never
### dollar at in odd places
set -- 1 "2 3" ''
printf '<%s>' "$@"; echo
printf '<%s>' "pre$@post"; echo
printf '<%s>' ${@+"$@"}; echo
x=("$@" end); echo ${#x[@]}
y="$@"; echo "$y"
for i in "${@:2}"; do echo "[$i]"; done
set --; printf '<%s>' "$@" "[$*]"; echo
### word splitting of results
f='a.txt  b.txt'
set -- $f; echo $#
set -- "$f"; echo $#
set -- $(echo "$f" "c d"); echo $#
set -- $f"$f"; echo $#
IFS=.; set -- $f; echo "$#:$2"
### ifs read of records
while IFS=: read -r user _ uid gid name rest; do
  printf '%s %d %s [%s]\n' "$user" "$uid" "${name:-none}" "$rest"
done <<'E'
root:x:0:0:Super User:/root:/bin/sh
bob:x:1000:1000::/home/bob:/bin/bash
E
### read with prompts, delimiters and defaults
printf 'a;b;c' | while IFS= read -r -d ';' p || [[ $p ]]; do echo "p=$p"; done
printf 'x\0y z\0' | while IFS= read -r -d '' p; do echo "z=$p"; done
read -r -a w < <(echo "one two  three"); echo "${#w[@]}"
read -r v <<< "" ; echo "$? [$v]"
read -r v < /dev/null; echo "$? [$v]"
IFS=$'\t' read -r a b c <<< $'1\t\t3'; echo "[$a][$b][$c]"
### mapfile with a callback
mapfile -t -c 2 -C 'echo cb' L < <(seq 5)
echo "${#L[@]}"
mapfile -t L < /dev/null; echo "${#L[@]}"
printf '%s\n' x '' y | { mapfile -t L; echo "${#L[@]} [${L[1]}]"; }
### printf table
printf '%-10s|%8s|%6s\n' name qty price
while read -r n q p; do printf '%-10s|%8d|%6.2f\n' "$n" "$q" "$p"; done <<'E'
bolt 100 0.25
nut 42 1.5
E
printf '=%.0s' {1..20}; echo
### printf escapes
printf 'a\tb\\c\n\101\x42\n'
printf '%s\n' 'a\tb'; printf '%b\n' 'a\tb' 'c\0101'
printf "%s\0" a b | tr '\0' '|'; echo
printf '%d%%\n' 50; printf '%5s%%|\n' 7
printf '%q\n' '' 'a' 'a b' '$x' "a'b" $'tab\t'
### printf errors
printf '%d\n' 12abc; echo "st $?"
printf '%f\n' x; echo "st $?"
printf '%z\n' 1; echo "st $?"
printf; echo "st $?"
### echo oddities
echo -e 'a\c'; echo b
echo -n -e 'x\n'; echo -ne '\t|\n'; echo -en '\e[0m' | od -An -c | tr -s ' '
echo '-n'; echo -nx; echo - -e; echo -E 'a\nb'
### substring edge cases
s=hello
echo "[${s:10}]" "[${s:5}]" "[${s: -10}]" "[${s:1:-1}]" "[${s:0:0}]"
echo "${s:(-3):2}" "${s: -3: -1}"
set -- a b c; echo "${@:0:1}" | grep -c .; echo "${@:4}" "${@:3:9}"
a=(1 2 3); echo "${a[@]:5}" "${a[@]:1:0}end"
### replace with special characters
p=/usr/local/bin
echo "${p//\//::}" "${p/\/usr/~}" "${p//[aeiou]/}"
s='a*b*c'; echo "${s//\*/+}" "${s//"*"/-}"
s='path\to\x'; echo "${s//\\//}"
s="tab	here"; echo "${s/$'\t'/<TAB>}"
s=aaa; echo "${s/a/b}" "${s//a/aa}" "${s/#a/^}" "${s/%a/$}"
### nested expansions
a=1 b=2 name=a
echo "${!name}${b:+${a:-x}}" "${c:-${d:-${a}${b}}}" "${c:=$(echo made)}$c"
arr=(x yy zzz); echo "${#arr[${#arr[@]}-1]}" "${arr[$((a+b-2))]}" "${arr[@]:$a:$b}"
f=archive.tar.gz; echo "${f%%.*}.${f##*.}" "${f/.${f#*.}/}" "${f:0:$(( ${#f} - 7 ))}"
### case conversion by pattern and title case
s="the quick brown"
for w in $s; do printf '%s ' "${w^}"; done; echo
a=($s); echo "${a[@]^}" "${a[*]^^[tb]}"
declare -u U=abc; U+=def; echo "$U"; declare -l L; L=MiXeD; echo "$L"
### arithmetic commands and conditions
a=3
if (( a > 2 && a < 5 )); then echo mid; fi
(( a == 3 )) && (( b = a ** 2 )) ; echo $b
(( c = a > 1 ? 10 : 20, d = c / 3 )); echo $c $d
for (( i = 1, s = 0; i <= 10; s += i, i++ )); do :; done; echo $s
while (( a-- )); do printf '%d' $a; done; echo
(( e = 5, e <<= 2, e |= 1, e ^= 3 )); echo $e; (( e %= 4 )); echo $e
### arithmetic with strings and bases
x=y y=z z=42; echo $((x)) $((x+1))
echo $((08 + 1)) 2>/dev/null || echo "bad octal"
### numbers too large and signs
echo $((2**62)) $((2**63)) $((9223372036854775807))
echo $(( -7 % 3 )) $(( 7 % -3 )) $(( -7 / 2 ))
echo $(( +5 - -5 )) $(( 3 - - 2 )) $(( -2 ** 2 )) $(( 2 ** 0 ))
echo $(( 2 ** -1 ))
### indirect and prefix lists
color_red=1 color_blue=2
for v in ${!color_*}; do echo "$v=${!v}"; done
declare -A map=([b]=2); key=map; ref="map[b]"; echo "${!ref}"
n=3; eval "echo \${n}\$n"; v=n; echo "${!v}"; unset v; echo "${!v-unset}" 2>/dev/null
### nameref in loops
a=(1 2) b=(3 4 5)
declare -n r
for r in a b; do echo "${#r[@]}: ${r[*]}"; done
swap() { local -n p=$1 q=$2; local t=$p; p=$q; q=$t; }
x=left y=right; swap x y; echo "$x $y"
### quoting for reuse
args=("a b" "it's" '$HOME' "" '*')
printf -v q '%q ' "${args[@]}"
eval "set -- $q"; echo $#; for a; do echo "<$a>"; done
eval "copy=(${args[*]@Q})"; echo "${#copy[@]}" "${copy[1]}"
### declare -p round trip
declare -A m=([a]="1 2" [b]='q"x'); declare -a l=(x [3]=y)
s=$(declare -p m l)
unset m l
eval "$s"
echo "${m[a]} ${m[b]} ${!l[*]} ${l[3]}"
### subshell levels
echo $BASH_SUBSHELL; (echo $BASH_SUBSHELL; (echo $BASH_SUBSHELL)); echo $(echo $BASH_SUBSHELL)
x=1; (x=2; (x=3; echo $x); echo $x); echo $x
( exit 4 ); echo $?; (cd /; true); [ -n "$PWD" ] && [ "$PWD" != / ] && echo "same folder"
### variables in a pipe loop
n=0; seq 3 | while read -r i; do n=$((n+i)); done; echo "pipe $n"
n=0; while read -r i; do n=$((n+i)); done < <(seq 3); echo "subst $n"
n=0; for i in $(seq 3); do n=$((n+i)); done; echo "for $n"
n=$(seq 3 | { t=0; while read -r i; do t=$((t+i)); done; echo $t; }); echo "group $n"
### process substitution as files
comm -13 <(printf '%s\n' a b c) <(printf '%s\n' b c d)
while IFS=$'\t' read -r a b; do echo "$b/$a"; done < <(paste <(seq 2) <(echo x; echo y))
cat <(echo one) - <(echo three) <<< two
f() { cat "$1" "$2"; }; f <(echo p) <(echo q)
grep -c . <(seq 12); wc -l < <(seq 4) | tr -d ' '
### output process substitution
seq 5 | tee >(grep 3 > three) >(wc -l | tr -d ' ' > count) > /dev/null
sleep 0.15
cat three count
### wait for many and collect
work() { sleep 0.0$1; return "$1"; }
pids=()
for i in 1 2 3; do work $i & pids+=($!); done
sum=0; for p in "${pids[@]}"; do wait "$p"; (( sum += $? )); done
echo $sum; wait; echo $?
### job control words
sleep 0.2 & 
jobs -p | wc -l | tr -d ' '
kill %1; wait %1 2>/dev/null; echo $?
(sleep 0.01; echo late) & wait; echo after
true & wait -n; echo $?
### background group writes a file
{ sleep 0.05; echo ready > flag; } &
until [ -f flag ]; do sleep 0.02; done
cat flag; wait
### timeout and kill status
timeout 0.1 sleep 2; echo $?
timeout -k 1 0.1 bash -c 'trap "" TERM; exec sleep 0.2' ; echo $?
timeout 2 bash -c 'exit 9'; echo $?
### exec replaces and redirects
bash -c 'exec echo replaced; echo never'
(exec > captured; echo hidden; ls nofile 2>&1 | wc -l | tr -d ' ')
cat captured
exec 9>&1; (exec 1>&2; echo to-real >&9) 2>/dev/null; exec 9>&-
### env of children
export A=1; B=2
bash -c 'echo "${A-no} ${B-no}"'
A=3 B=4 bash -c 'echo "$A $B"'; echo "$A $B"
env -i X=9 /bin/bash -c 'echo "${A-clean} $X"' 2>/dev/null
f() { echo "f:$A"; }; A=5 f; echo $A; export -f f; bash -c f
### sourced script sees and sets
x=outer; set -- main args
cat > part.sh <<'E'
echo "x=$x n=$# 1=$1"
x=inner
local_ok() { echo from part; }
[ "$1" = stop ] && return 7
echo end of part
E
. ./part.sh; echo "$? $x"; . ./part.sh stop; echo $?; local_ok
### bash with options
bash -e -c 'false; echo no'; echo $?
bash -u -c 'echo $nope; echo no' 2>/dev/null; echo $?
bash -c 'echo $#: "$@"' name 1 2 3
echo 'echo from stdin; exit 4' | bash; echo $?
bash -o pipefail -c 'false | true'; echo $?
bash <<'E'
for i in 1 2; do echo "in $i"; done
E
### tests on files
echo x > full; : > empty; mkdir d; ln -s full link; chmod 000 empty
for f in full empty d link none; do
  r=; for t in e f d L s; do [ -$t $f ] && r+=$t; done; echo "$f:$r"
done
[[ full -ef link ]] && echo same; [[ -p /dev/null ]] || echo nopipe; [[ -c /dev/null ]] && echo char
chmod 755 full; [ -x full ] && echo exec; [ -O full ] && echo mine
### string tests
a="" b="x y"
[ -z "$a" ] && [ -n "$b" ] && echo 1
[ "$b" = "x y" ] && echo 2; [ $b = "x y" ] 2>/dev/null || echo 3
[[ $b == x* ]] && [[ $b != X* ]] && echo 4; [[ $a < $b ]] && echo 5
[[ "$b" == *" "* ]] && echo 6; [ -n $nope ] && echo 7; [ "a" \< "b" ] && echo 8; [[ b > a ]] && echo 9
### regex in loops over lines
re='^([A-Z]+)-([0-9]+):[[:space:]]+(.*)$'
while IFS= read -r l; do
  if [[ $l =~ $re ]]; then printf '%s/%d "%s"\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"; else echo "skip: $l"; fi
done <<'E'
ABC-12: fix the thing
nope
X-7:   spaced
E
### regex classes, anchors, alternation
for v in 2024-01-31 2024-13-01 24-1-1 192.168.1.1 ff00 "#a1b2c3"; do
  if [[ $v =~ ^[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}$ ]]; then echo "$v date"
  elif [[ $v =~ ^([0-9]{1,3}\.){3}[0-9]{1,3}$ ]]; then echo "$v ip ${BASH_REMATCH[1]}"
  elif [[ $v =~ ^#?[[:xdigit:]]+$ ]]; then echo "$v hex"
  else echo "$v none"; fi
done
### select menu
printf '1\n\n9\n3\n' | { PS3='? '; select x in one two quit; do
  case $x in quit) echo bye; break ;; "") echo "bad $REPLY" ;; *) echo "got $x" ;; esac
done; } 2>/dev/null
### unset things
x=1 a=(1 2 3); f() { :; }
unset x; echo "${x-gone}"; unset 'a[1]'; echo "${a[*]} ${#a[@]}"; unset a; echo "${a-gone}"
unset -f f; type f > /dev/null 2>&1 || echo nof; unset nothing; echo $?; unset -v PATHX; readonly r=1; unset r 2>/dev/null || echo kept
### brace group against subshell exit
f() { { return 3; }; echo no; }; f; echo $?
g() { (return 4); echo "went on $?"; }; g
h() { for i in 1 2 3; do [ $i = 2 ] && return $i; done; }; h; echo $?
{ exit 5; } | cat; echo "${PIPESTATUS[0]}"
### alias expansion in scripts
shopt -s expand_aliases
alias say='echo said' run='say now'
say hi
run
\say hi 2>/dev/null || echo "not an alias $?"
unalias say
say hi 2>/dev/null || echo "gone $?"
### history expansion is off
echo "wow!" 'a!b' hey!
echo "!!" !x
### exit codes of kinds of failure
nosuch_command_here 2>/dev/null; echo $?
touch notexec; ./notexec 2>/dev/null; echo $?
mkdir adir; ./adir 2>/dev/null; echo $?
bash nofile.sh 2>/dev/null; echo $?
bash -c 'if' 2>/dev/null; echo $?
(exit 77); echo $?; false; echo $?; : ; echo $?
### syntax error in a sourced file
printf 'echo one\nif true\n  echo broken\n' > bad.sh
. ./bad.sh 2>/dev/null; echo "after $?"
bash bad.sh 2>/dev/null; echo "after $?"
bash -n bad.sh 2>/dev/null; echo "checked $?"
### shopt and set queries
shopt -q globstar && echo on || echo off; shopt -s globstar; shopt globstar | tr '\t' ' ' | tr -s ' '
set -o | awk '$1=="pipefail"{print $2}'; set -o pipefail; [[ -o pipefail ]] && echo set
shopt -p nullglob; shopt -s nosuchopt 2>/dev/null; echo $?; case $- in *e*) echo e;; *) echo "no e";; esac
### type of things
f() { echo "in f"; }
type -t f cd echo ls if nope; echo $?
type f | head -2
declare -f f | tail -2
command -v f; command -V if
### long pipelines keep order and status
seq 100 | grep -v 5 | awk '$1 % 2' | sort -rn | head -3 | tr '\n' ' ' | sed 's/ $//' | rev | cut -c1-5; echo "${#PIPESTATUS[@]}"
### reading two files in step
printf '%s\n' a b c > l; printf '%s\n' 1 2 3 > r
while read -r x <&3 && read -r y <&4; do echo "$x=$y"; done 3< l 4< r
exec 3< l; while read -r -u 3 x; do echo -n "$x,"; done; exec 3<&-; echo
### state machine over characters
s='a "b c" d\ e "f'
tok= q=0 out=()
for ((i = 0; i < ${#s}; i++)); do
  c=${s:i:1}
  case $c in
    '"') q=$((1 - q)) ;;
    '\') ((i++)); tok+=${s:i:1} ;;
    ' ') if ((q)); then tok+=$c; else out+=("$tok"); tok=; fi ;;
    *) tok+=$c ;;
  esac
done
out+=("$tok"); printf '[%s]\n' "${out[@]}"; echo "open quote: $q"
### calculator with precedence by the shell
calc() { echo "$(( $* ))"; }
calc 1 + 2 '*' 3; calc '(1 + 2)' '*' 3; calc 7 / 2; calc '2**8 - 1'; calc '5 == 5'; (calc 3 / 0) 2>/dev/null || echo err
### lists of tests with skip and fail
pass=0 fail=0 skip=0
t() { local want=$1 got; shift; if [[ $1 == skip ]]; then ((skip++)); return; fi; got=$("$@" 2>&1); if [[ $got == "$want" ]]; then ((pass++)); else ((fail++)); echo "not ok: $* -> '$got' want '$want'"; fi; }
t 3 expr 1 + 2; t hi echo hi; t bye echo hello; t x skip; t '' true
echo "pass=$pass fail=$fail skip=$skip"; ((fail == 0)); exit $?
