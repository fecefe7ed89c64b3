### extglob on its own line
shopt -s extglob
touch aa ab ac b1
echo @(aa|ab); echo !(aa|ab); echo +(a)*; echo ?(a)b*; echo *(a|b)c
rm !(aa); ls
### syntax error later
echo first
if then
### comments # and continuation
echo a # comment
# whole line
echo b \
  c
echo "x" ; # end
### nested functions and recursion
hanoi() { local n=$1; (( n == 0 )) && return; hanoi $((n-1)) $2 $4 $3; echo "$2->$3"; hanoi $((n-1)) $4 $3 $2; }
hanoi 3 A C B
### deep recursion
f() { if [ $1 -gt 0 ]; then f $(($1-1)); else echo bottom; fi; }
f 200
### case with many patterns
for x in apple 42 /usr "" -v a.b; do
  case $x in
    [0-9]*) echo num ;;
    /*) echo path ;;
    -*) echo opt ;;
    "") echo empty ;;
    *.*) echo dotted ;;
    *) echo word ;;
  esac
done
### pipes of compound commands
for i in 3 1 2; do echo $i; done | sort | while read x; do echo "<$x>"; done | { read first; echo "first $first"; cat; }
if true; then echo a; echo b; fi | wc -l
{ echo x; echo y; } | (read a; read b; echo "$b$a")
f() { while read l; do echo "f:$l"; done; }; printf '1\n2\n' | f | f
### variables in pipelines are lost
x=0; seq 3 | while read n; do x=$n; done; echo $x
shopt -s lastpipe; seq 3 | while read n; do x=$n; done; echo $x
### multi line arrays
a=(
  one   # first
  "two words"
  three
)
echo ${#a[@]} "${a[1]}"
declare -A m=(
  [k1]=v1
  [k2]="v 2"
)
echo "${m[k2]}"
### arithmetic for with pipes
for ((i=0; i<3; i++)); do
  for ((;;)); do
    break
  done
  echo $i
done | tac
### select
select x in alpha beta; do echo "got $x"; break; done <<< 2
### long and-or lists
true &&
  echo yes ||
  echo no
false ||
  echo fallback
[ 1 = 1 ] && { echo grouped; false; } || echo or
### here doc in a while in a pipe
cat <<EOF | while read -r a b; do echo "$b $a"; done
1 one
2 two
EOF
### subshell isolation
x=1; f() { echo orig; }
(x=2; f() { echo new; }; cd /; f; echo $x; export Y=1; set -e; trap 'echo t' EXIT)
echo $x; f; [ -z "$Y" ] && echo noY; case $- in *e*) echo e;; esac
### command substitution in conditions
if [ "$(echo a)" = a ]; then echo yes; fi
[ $(seq 3 | wc -l) -eq 3 ] && echo three
if out=$(ls /nonexist 2>&1); then echo ok; else echo "failed"; fi
x=$(false); echo $?
### exec in subshell
(exec echo replaced; echo no); echo still
### process substitution
while read -r a; do echo "a=$a"; done < <(printf '1\n2\n')
diff <(sort <<< $'b\na') <(printf 'a\nb\n') && echo same
f() { cat "$1" "$2"; }; f <(echo p) <(echo q)
### unset and defaults
unset v; : "${v:=dflt}"; echo $v; : ${w=x}; echo $w
f() { local a=${1:-none} b=${2-}; echo "$a[$b]"; }; f; f x y
### nounset with arrays
set -u; a=(); echo "${a[@]+"${a[@]}"}" ; echo ${#a[@]}; echo "${1-none}"; b=(1); echo ${b[0]}
### errexit in functions and substitutions
set -e
f() { echo start; false; echo "not reached"; }
x=$(f || echo rescued); echo "$x"
f && echo y || echo n
g() { return 1; }
g || true
echo end
### pipefail and errexit
set -eo pipefail
true | true; echo ok
if false | true; then echo y; else echo n; fi
false | true
echo no
### ERR trap with functions
trap 'echo "err at $LINENO"' ERR
false
(exit 3)
true
### printf reuse and special
printf '%s: %d\n' a 1 b 2 c
printf '%s\n' "$(printf 'a\nb')" | wc -l
printf -- '-x\n'; printf '%%\n'; printf '%-10s|\n' left
### ifs variants
IFS=$'\n'; x=$'a b\nc d'; for l in $x; do echo "[$l]"; done; unset IFS
IFS=; x="a b"; for l in $x; do echo "[$l]"; done; IFS=' '
x="a:b"; IFS=: read -r p q <<< "$x"; echo "$q$p"; echo "$IFS" | od -c | head -1
### glob in case and test
f=notes.txt; [[ $f == *.txt && $f != *.md ]] && echo txt; [[ $f == n?tes* ]] && echo q; [[ $f =~ \.txt$ ]] && echo re
### special files
echo x > /dev/null && echo ok; cat /dev/null; read x < /dev/null || echo eof; : < /dev/zero; head -c 4 < /dev/zero | wc -c
### signals status
sh -c 'kill -9 $$'; echo $?; (kill -15 $BASHPID) 2>/dev/null; echo after
bash -c 'exit 42'; echo $?; sh -c 'echo "$0 $1"' name arg
### octal and printf quoting
x=$'a\nb'; printf '%q\n' "$x"; echo "${x@Q}"; declare -p x
### redirect a block
{
  echo stdout
  echo stderr >&2
} > out.txt 2> err.txt
cat out.txt err.txt
while read -r l; do echo "$l" ; done < out.txt > copy.txt; cat copy.txt
### variable indirection and eval
for i in 1 2; do eval "var_$i=val$i"; done; for i in 1 2; do n="var_$i"; echo "${!n}"; done; eval echo \$var_{1,2}
### string comparison and numbers
[[ 10 > 9 ]] || echo lexical; (( 10 > 9 )) && echo numeric; [ 10 -gt 9 ] && echo gt; [[ "a" < "b" ]] && echo lt
### local dynamic scope
f() { local x=1; g; echo "f:$x"; }; g() { x=2; local y=3; h; }; h() { echo "h:$x$y"; }; x=0; f; echo "top:$x[$y]"
### getopts loop
parse() { local OPTIND opt; while getopts ":hn:v" opt; do case $opt in h) echo help;; n) echo "n=$OPTARG";; v) echo verbose;; \?) echo "bad -$OPTARG";; :) echo "need arg -$OPTARG";; esac; done; shift $((OPTIND-1)); echo "args: $*"; }
parse -hv -n 5 a b; parse -x; parse -n; parse -n5 -v -- -q
### yes head
yes | head -n 2; yes abc | head -c 8; echo; seq 1000000 | tail -1
### big loop
s=0; for ((i=0;i<5000;i++)); do s=$((s+i)); done; echo $s
### xtrace to stderr
set -x; echo hi; for i in 1; do :; done; { set +x; } 2>/dev/null; echo bye
### trailing things
echo end; true &
wait; echo $?
### uppercase and defaults in dquotes
name="joe"; echo "Hi ${name^}!" "${name:0:1}" "${undefined:-"def ault"}" "${name:+set}" "$((${#name}*2))"
### backslash newline in quotes
echo "a\
b" 'c\
d'
### time
time sleep 0 2>/dev/null; echo ok
