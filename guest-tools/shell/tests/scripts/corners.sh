### double paren subshell
( (echo deep) ); ( (echo a); echo b )
((echo x) ; (echo y)) | cat
### err line
trap 'echo "err at $LINENO"' ERR
false
(exit 3)
### lineno
echo $LINENO
f() {
  echo $LINENO
}
f
echo $LINENO
### quotes in replacement
x="a.b.c"; echo "${x//./\\}" "${x//./ }" "${x//[.]/"'"}"
p="C:\\dir\\f"; echo "$p" "${p//\\//}"
### slash patterns
p=a/b/c; echo "${p//\// }" ${p/%c/d} ${p/#a/z} "${p//[\/]/:}"
### nested parameter expansion
x=abc; y=b; echo "${x#*${y}}" "${x%${y}*}" "${x/${y}/[$y]}" "${z:-${x:-n}}" "${x:${#y}:1}"
### case modification patterns
x="foo bar"; a=($x); echo "${a[@]^}" "${x^^[aeiou]}"; y=ABC; echo "${y,,[AB]}"
### assign in arithmetic with arrays
a=(1 2 3); (( a[1] += 5, a[0]-- )); echo ${a[@]}; declare -A m; (( m[x] = 3 )); (( m[x] += 2 )); echo ${m[x]}; i=0; b[i++]=x; b[i++]=y; echo ${b[@]} $i
### ternary and logic
a=5; echo $(( a > 3 ? a < 10 ? 1 : 2 : 3 )) $(( (a & 1) && !(a & 2) )) $(( a == 5 || (b = 7) )) ${b:-unset}
### division errors
echo $((1/0)); echo "after $?"
### bad substitution
(echo ${x!y}) 2>/dev/null; echo "rc $?"
### unset positional
set -- a; echo "[$2]" "${2:-none}" "${@:2}" "${#}"
### read from pipe multiple
printf '1\n2\n3\n' | { read a; read b; rest=$(cat); echo "$a $b $rest"; }
### loop reading with external consuming
printf 'a\nb\nc\n' | while read x; do echo "x=$x"; cat > /dev/null; done
### break in pipeline
seq 10 | while read n; do [ $n -gt 2 ] && break; echo $n; done; echo "st $?"
### exit in pipeline
echo x | exit 4; echo $?; echo y | (exit 5); echo $?; { echo z; exit 6; } | cat; echo $?
### return values in conditionals
f() { return $1; }; for i in 0 1 2; do if f $i; then echo t; else echo "f $?"; fi; done
### while false status
while false; do :; done; echo $?; until true; do :; done; echo $?; for x in; do :; done; echo $?; false; for x in; do :; done; echo $?
### if no branch status
false; if false; then :; fi; echo $?; case x in y) ;; esac; echo $?
### function overriding builtin and command
cd() { builtin cd "$@" && echo "in $PWD"; }; cd /; unset -f cd; ls() { echo "my ls"; }; ls; command ls / > /dev/null && echo real; \ls > /dev/null && echo bs
### alias without expand
alias foo='echo hi'; foo 2>/dev/null || echo noalias
### alias with expand
shopt -s expand_aliases
alias foo='echo hi'
foo there
alias ll='foo -x'
ll y
### printf v with array
printf -v 'a[2]' '%s' x; echo ${a[2]}; printf -v s '%s;' 1 2 3; echo $s
### local array and nameref
f() { local -n out=$1; out=(a b "c d"); }; f res; echo ${#res[@]} "${res[2]}"; g() { local -A m=([k]=v); echo ${m[k]}; }; g
### declare in function is local
f() { declare v=in; declare -g w=g; }; v=out; f; echo $v $w
### export function env
x=1; f() { export y=2; }; f; sh -c 'echo "[$x][$y]"'; z=3 sh -c 'echo $z'; echo "[$z]"
### temp env for function
f() { echo "$V"; sh -c 'echo "$V"'; }; V=tmp f; echo "[$V]"
### ifs temp
IFS=: read a b <<< 'x:y'; echo "$a,$b"; echo "$IFS" | wc -c; v=a:b; f() { local IFS=:; set -- $v; echo $#; }; f; set -- $v; echo $#
### set output filtering
foo='a b'; set | grep '^foo='; declare -p foo; export foo; declare -p foo; declare -x | grep foo
### unusual names
_x=1; X_1=2; echo $_x$X_1; 1x=3 2>/dev/null; echo $?; a-b() { echo dash; }; a-b; my.func() { echo dot; }; my.func
### comments and hash
echo a#b '#c' "#d" \#e; x=a#b; echo $x ${x#a} ${#x} # tail
### semicolon newline mixes
if true; then
  echo 1; echo 2
fi; { echo 3
}; (echo 4
)
### braces edge
echo {a..c}{1..2} {1..3}{,x} "{a,b}" {a,b}"c d" {$x,y} a{b,c{d,e}}f {1..2..0} {,} {a} {a,b
echo ${x}{1,2} pre-{a,b}-post {01..10..3} {c..a} {-1..1}
### tilde
HOME=/h; echo ~ ~/x "~" a~b x=~ ; y=~/z; echo $y; echo ~nosuchuser; z=a:~; echo $z
### glob quoting
touch 'a*b' axb; echo a\*b "a*"b a'*'b a*b; x='a*b'; echo "$x" $x; ls "$x"
### glob dirs
mkdir -p one/two three; touch one/f one/two/g; echo */ one/*/ */*; for d in */; do echo "${d%/}"; done; echo */*/g
### glob ranges and classes
touch f1 f2 f10 fa fB; echo f[0-9] f[[:digit:]]* f[a-z] f[!0-9] f[^a] f?? 
### no match stays
echo *.none "*.x" [; echo [a; echo a]; ls *.none 2>/dev/null || echo nofiles
### here string with expansions
x="a  b"; cat <<< $x; cat <<< "$x"; cat <<< 'a'"b"$x; cat <<< ""
### redirect order
ls nonexistent 2>&1 >/dev/null | wc -l; { echo a; echo b >&2; } 2>&1 >/dev/null; exec 3>&1; { echo e >&2; } 2>&3; exec 3>&-
### append and read same
echo 1 > f; { cat f; echo 2; } >> g; cat g; cat f >> f2; cat f2
### multi redirects
echo x > a > b; wc -c < a; cat b; cat < a < b; > c; ls
### fd variables
exec {fd}> out; echo hi >&$fd; exec {fd}>&-; cat out; [ $fd -ge 10 ] && echo big
### noclobber variants
set -o noclobber; echo a > n; (echo b > n) 2>/dev/null || echo kept; echo c >> n; cat n; set +o noclobber; echo d > n; cat n
### trap in subshell and exit codes
(trap 'echo t' EXIT; exit 3); echo $?; trap 'echo done; exit 9' EXIT; exit 2
### trap signals
trap 'echo got; exit 5' TERM; kill $$; echo no
### trap return codes
f() { trap 'echo cleanup' EXIT; return 3; }; f; echo "r $?"
### wait statuses
(exit 7) & a=$!; (exit 8) & b=$!; wait $a; echo $?; wait $b; echo $?; sleep 0.01 & wait -n; echo $?
### jobs
sleep 0.3 & jobs | sed 's/  */ /g'; wait; jobs; kill %1 2>/dev/null || echo nojob
### background output capture
x=$(echo a & wait); echo "$x"; y=$( (sleep 0.05; echo late) & wait; echo now); echo $y
### coprocess of pipes
mkfifo p 2>/dev/null || true; (echo a; sleep 0.01; echo b) | (while read l; do echo "got $l"; done)
### pipe into function with args
add() { local t=0 n; while read n; do t=$((t+n)); done; echo $((t+$1)); }; seq 4 | add 10; seq 3 | add 1 | add 5
### stderr pipe
(echo out; echo err >&2) |& sort; f() { echo e >&2; }; f |& cat; f 2>&1 | tr e E
### many args
set -- $(seq 1000); echo $# ${999} ${1000}; echo "${@: -2}"; shift 998; echo $@
### long strings
x=$(printf 'a%.0s' {1..1000}); echo ${#x}; y=$x$x; echo ${#y}; echo ${y:1990:20}; z=${x//a/bb}; echo ${#z}
### numbers formats
printf '%d %d %d\n' 0x10 010 -5; printf '%s %s\n' $((16#ff)) $((2#1010)); printf '%.3f\n' 2; printf '%5.2f|%-8.3e|\n' 3.14159 31415.9; printf '%g %g %g\n' 100000 1000000 0.00001; printf '%x\n' -1
### echo options
echo -n; echo -e; echo -ne 'a\n'; echo -en 'b\n'; echo -nE 'c\n'; echo; echo -x; echo - ; echo -- -n; echo "-n"
### test complex
[ -n "a" -a -n "b" ] && echo 1; [ -z "" -o -n "" ] && echo 2; [ ! -z x ] && echo 3; [ "(" = "(" ] && echo 4; [ -f /etc/passwd -a ! -d /etc/passwd ] && echo 5; [ "a" = "a" -a "b" != "c" ] && echo 6; [ ! ] ; echo $?; [ = = = ] && echo 7; [ -n ] && echo 8
### double bracket complex
a=1 b=; [[ -n $a && ( -z $b || $a -gt 5 ) ]] && echo 1; [[ $a == 1 && ! $b ]] && echo 2; [[ "x y" == x\ y ]] && echo 3; [[ $b ]] || echo 4; [[ a.b == a?b ]] && echo 5; [[ -e /etc && -d /etc ]] && echo 6; [[ abc == [a-c]* ]] && echo 7; [[ $a -eq 1 ]] && echo 8
### regex corners
[[ "2024-01-15" =~ ^([0-9]{4})-([0-9]{2})-([0-9]{2})$ ]] && echo "${BASH_REMATCH[@]:1}"; [[ "a+b" =~ a\+b ]] && echo plus; [[ "k = v" =~ ^([a-z]+)[[:space:]]*=[[:space:]]*(.*)$ ]] && echo "${BASH_REMATCH[1]}:${BASH_REMATCH[2]}"; re="b|c"; [[ c =~ ^($re)$ ]] && echo alt; [[ "x.y" =~ [.] ]] && echo cls; [[ "a]b" =~ []] ]] && echo br; [[ ab =~ ^(a|b)+$ ]] && echo rep; [[ "" =~ ^$ ]] && echo empty
### case insensitive
shopt -s nocasematch; [[ ABC == abc ]] && echo y; case Foo in foo) echo z;; esac; [[ Hello =~ ^hello$ ]] && echo r; shopt -u nocasematch; [[ ABC == abc ]] || echo n
### shift errors
set -- a b; shift 5; echo "$? $#"; shift; shift; shift; echo $?
### eval quoting
x='a b'; eval "y='$x'"; echo "$y"; eval 'for i in 1 2; do echo $i; done'; cmd="echo \"q r\""; eval $cmd; eval "echo \$((1+2))"; z=$(eval 'echo in'); echo $z
### source with args and return
printf 'echo "$# $1"; return 3; echo no\n' > s; . ./s x y; echo $?; f() { . ./s z; echo "in f $?"; }; f; v=1; echo 'v=2; set -- new' > t; . ./t; echo $v $#
### subshell vars and functions exported to stage
f() { echo "f$1$v"; }; v=1; echo x | f a; f b | cat; { f c; } | cat; (f d) | cat; for i in 1; do f $i; done | cat
### set options in subshell stage
set -e; v=$(set +e; false; echo ok); echo $v; { false || true; } | cat; echo $-| tr -d 'hBcs'
### local in pipeline function
count() { local n=0; while read -r _; do n=$((n+1)); done; echo $n; }; printf 'a\nb\n' | count; n=5; printf 'a\n' | count; echo $n
### assignment statuses
x=$(exit 3); echo $?; y=$(exit 4)z; echo $? $y; local_f() { local v=$(exit 5); echo $?; local w; w=$(exit 6); echo $?; }; local_f; export E=$(false); echo $?
### status in substitution
false; echo "$(echo $?)" $?; (exit 9); x=$?; echo $x; true $(false); echo $?; $(exit 3); echo $?; $(true) ; echo $?
### empty command from expansion
x=; $x; echo $?; $x echo hi; "$x" 2>/dev/null; echo $?; `true` echo bq
### dollar special
set -- a b; echo $# $* "$@" $? $1$2 ${1}x; f() { echo $# "$0" | sed 's,[^ ]*/,,'; }; f 1 2 3; echo $_ > /dev/null; [ -n "$-" ] && echo flags; echo "$!" | wc -c
### ansi quoting
printf '%s\n' $'a\\b' $'\u00e9' $'\x7e' $'\cA' | od -c | head -3; x=$'multi\nline'; echo "$x" | wc -l; echo $'it\'s' "it's" 'it'\''s'
### unicode
x="héllo wörld"; echo ${#x} ${x:1:4} "${x^^}" "${x/é/e}"; for c in é ñ; do echo -n "$c "; done; echo; printf '%-6s|\n' é; [[ é == ? ]] && echo one; case ñ in [a-z]) echo r;; *) echo o;; esac
### binary safe
printf 'a\0b' | wc -c; x=$(printf 'a\0b' 2>/dev/null); echo ${#x}; printf '\xff\xfe' | od -An -tx1; y=$(printf '\xff'); printf '%s' "$y" | od -An -tx1
### cdpath and dirs
mkdir -p a/b; cd a/b; cd ../..; cd a; pwd | sed 's,.*/,,'; cd "$OLDPWD"; (cd a/b && pwd | sed 's,.*/,,'); pushd a >/dev/null; dirs -p | wc -l; popd >/dev/null; cd nodir 2>/dev/null || echo nocd; echo ${PWD##*/}
### nested heredocs and subst
x=$(cat <<A
$(cat <<B
inner
B
)
outer
A
); echo "$x"
### case in substitution
x=$(case a in a) echo yes;; (b) echo no;; esac); echo $x; y=$(for i in 1 2; do case $i in 1) echo one;; *) echo other;; esac; done); echo $y
### comment in substitution
x=$(echo a # comment with ) paren
echo b); echo $x
### quotes in substitution in quotes
echo "$(echo "a $(echo "b 'c' \"d\"")")" "`echo \`echo n\``" "x$(echo ")")y"
### function with redirect and heredoc
f() { cat; } <<EOF
fixed
EOF
f; g() { echo x; echo y >&2; } > gout 2>&1; g; cat gout
### loops with redirects
for i in 1 2; do echo $i; done > o; while read a; do echo "r$a"; done < o > o2; cat o2; until read z; do :; done < o; echo $z; if read q; then echo "q$q"; fi < o
### exit trap order and status
trap 'echo "exit $?"' EXIT; f() { exit 4; }; f
### printf percent s with missing and extra
printf '%s-%s|' a b c; echo; printf 'x%sy\n'; printf '%d|%s\n' 1 a 2; printf '%s\n' -n
### arithmetic strings
x="3 + 4"; echo $((x * 2)) $(($x * 2)); y=010; echo $((y)) $((10#$y)); z=""; echo $((z + 1)); echo $(( 5 , 6 )); echo $((${z:-3} ** 2)); echo $(( "1" + 1 ))
### for with seq and step
for i in $(seq 0 5 15); do printf '%s ' $i; done; for i in {0..15..5}; do printf '%s ' $i; done; for ((i=10;i>0;i-=4)); do printf '%s ' $i; done; echo
### readonly and errors continue
readonly r=1
r=2
echo "still $r"
### unbound in arithmetic
set -u
echo $((nope + 1))
echo no
