### wait twice
(exit 7) & p=$!; wait $p; echo $?; wait $p; echo $?; wait %1 2> /dev/null; echo $?; (exit 2) & wait -p v $!; echo $? $((v == $!)); (exit 3) & q=$!; wait -n -p v; echo $? $((v == q)); (wait $p 2> /dev/null; echo $?)
### wait for the next of some
{ sleep 1.5; exit 3; } & a=$!; { sleep 0.1; exit 4; } & b=$!; wait -n $a $b; echo $?; wait -n; echo $?; wait $a; echo $?; wait $b; echo $?; wait -n; echo $?; wait -n 99999 2> /dev/null; echo $?
### signals that end nothing
sleep 0.8 & p=$!; kill -0 $p; echo $?; kill -STOP $p; kill -CONT $p; kill -WINCH $p; kill -CHLD $p; kill -URG $p; wait $p; echo $?; kill -CHLD $$; kill -WINCH $$; kill -CONT $$; echo alive; kill -0 $p 2> /dev/null; echo $?; kill -l 28; kill -l WINCH
### the stack of folders
HOME=/nowhere; mkdir -p pd/a pd/b pd/c pd/d; cd pd/a; pushd ../b; pushd ../c; pushd ../d; pushd +1; pushd -0; dirs +1; dirs -1; dirs -l; popd +1; popd -0; popd; dirs -v; pushd +9; echo $?; pushd; popd -n; dirs; pushd -n /tmp; dirs; popd +5; dirs +7; echo $?; pushd -; popd > /dev/null; dirs -p
### physical folders
mkdir -p r; ln -sfn r l; cd l; pwd | sed s,.*/,,; pwd -P | sed s,.*/,,; cd ..; cd -P l; pwd | sed s,.*/,,; cd ..; set -P; cd l; pwd | sed s,.*/,,; cd - > /dev/null; cd -L l; pwd | sed s,.*/,,; cd ..; [ l -ef r ] && echo same; ln -s nowhere n; [ n -ef n ] || echo none
### caller
f() { caller; caller 0; caller 1; echo $?; caller 5; echo $?; }
g() { f; }
g; caller; echo $?; caller 0; echo $?
### compgen
f1() { :; }; f2() { :; }; compgen -A function; compgen -A function f2; vv1=1; vv2=2; compgen -v vv; touch ca cb; mkdir cd; compgen -f c | sort; compgen -d c; compgen -W "apple banana avocado" a; echo $?; compgen -W "x y" z; echo $?; compgen -b pus; compgen -A builtin ech; compgen -P pre- -S -suf -W "a b"; compgen -k whi; compgen -G "c*" | sort; complete -F _x foo; echo $?; compgen -X "a*" -W "ab cd"; compgen -e HOM; compgen -v -X "!vv*" vv; w="one two"; compgen -W '$w' t; compgen -c ech | sort -u; compgen -A nonsense 2> /dev/null; echo $?
### devices and streams in tests
for t in f c e s r w d p; do [ -$t /dev/null ]; echo -n "$t$? "; done; [ -e /dev/stdin ]; echo $?; [ -e /dev/fd/1 ]; echo $?; [ -e /dev/fd/77 ]; echo $?; exec 5>&1; [ -e /dev/fd/5 ]; echo $?; echo five > /dev/fd/5; echo err 2>&1 > /dev/stderr | cat; read x < /dev/fd/3 3<<< three; echo $x; exec 7< <(echo seven); cat <&7; read y < /dev/stdin <<< in; echo $y
### coproc
coproc cat; echo hi >&${COPROC[1]}; read x <&${COPROC[0]}; echo $x ${#COPROC[@]}; eval "exec ${COPROC[1]}>&-"; wait $COPROC_PID; echo $?; coproc N { read l; echo got $l; }; echo z >&${N[1]}; read y <&${N[0]}; echo $y; wait; coproc { cat; }; echo a >&"${COPROC[1]}"; exec {COPROC[1]}>&-; cat <&"${COPROC[0]}"
### readonly
readonly x=1; x=2 true; echo after $?; x=3 eval 'echo $x'; eval "x=2; echo ev"; echo $?; eval 'echo $((1/0)); echo x'; echo $?; echo 'x=$((1/0)); echo d' > d; . ./d; echo $?; trap 'x=2; echo t' USR1; kill -USR1 $$; echo end; trap 'x=9' EXIT
x=2; echo not here
echo next $?
### programs with a slash
printf 'echo own "$@"; exit 3\n' > test; chmod +x test; cp test sort; printf '#!/bin/sh\necho own sort "$#" "$1"; exit 4\n' > sort; ./test a 'b c'; echo $?; ./sort 'x  y' z; echo $?; sh -c 'exec "$0" "$@"' ./test 'p  q' '*'; echo $?; sh -c 'exec "$0" "$@"' ./sort 'p  q' r; echo $?; sh -c 'exec "$0" "$@"' ./none 2> /dev/null; echo $?; sh -c 'exec "$0" "$@"' ./ 2> /dev/null; echo $?; PATH=$PWD:$PATH; cd /; sort m; echo $?; command sort n; sh -c 'exec "$0" "$@"' /bin/echo -n e 'f  g'; echo; env sh -c 'exec "$0" "$@"' printf '<%s>\n' 'a b' ''
### errors of expansion in texts
readonly x=1; f() { x=2; echo in; }
f; echo same
echo $((1/0)); echo same
eval 'x=2; echo same
echo next'; echo $?
eval "eval \"x=2
echo in\"
echo mid"; echo "o $?"
{ x=2
echo b; }
(eval 'x=2
echo in'; echo after); echo $?
y=$(x=2
echo b); echo "c $y"
if true; then eval "x=2; echo q
echo r"; fi; echo z
set -e; eval 'x=2
echo in' || echo or
echo $((1/0))
echo on
x=2
echo off
### a subshell ends itself
{ (kill -9 $BASHPID; echo no); } 2> /dev/null; echo $?
(trap 'echo told' TERM; kill $BASHPID; echo after)
x=$(echo a; kill $BASHPID; echo b) 2> /dev/null; echo "$? [$x]"
