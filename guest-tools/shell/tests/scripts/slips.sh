### arithmetic after a semicolon
n=5; while ((n)); do b=1; ((n /= 2)); echo $n; done; ((n + 1)) && echo one; ((m = 8, m / 2)); echo $?; m=8; (( m /4 == 2 )) && echo two
( (ls / > /dev/null) ) && echo listed; ( (echo deep) )
### a needed parameter in a subshell
(echo ${1:?x}; echo no); echo $?; (set -u; echo $nothing; echo no); echo $?; x=$(echo ${1:?x}); echo $?
bash -c 'echo ${1:?x}; echo no'; echo $?; bash -c '(echo ${1:?x}); echo $?'; bash -c 'set -u; echo $x'; echo $?
### tildes after an equals sign
echo a=~ a=~/x a=b:~ --x=~ x-y=~ a=~root a=b:~/c "a=~" a='~' 1=~ a=\~; x=a=~; echo "$x"; y=a:~; echo "$y"; z==~; echo "$z"
### traps shown
trap '' INT; trap 'echo x' EXIT TERM; trap -p; trap -p INT; (trap -p); trap - INT TERM; trap; x=$(trap -p); echo "[$x]"
(trap -p; trap 'echo z' INT; trap -p); (trap 'echo q' EXIT; trap -p)
### ignored signals
trap '' USR1; kill -USR1 $$; echo alive; trap 'echo got' USR1; kill -USR1 $$; trap - USR1; echo end
### the command in a trap
trap 'echo "[$BASH_COMMAND] $?"' ERR; false; ls /nonexist 2> /dev/null; (exit 3); x=1 false a "b c"; f() { false; }; f; [[ a == b ]]; ((0)); ! true; echo end
### the err trap in functions
trap 'echo outer' ERR; f() { false; echo in; }; f; g() { trap 'echo own' ERR; false; return 0; }; g; false
set -E; f; echo 'false; true' > s; . ./s
### the debug trap
trap 'echo "D:$BASH_COMMAND"' DEBUG; x=1; echo a; for i in 1 2; do echo $i; done; f() { echo in f; }; f; [[ a == a ]]; case a in a) echo c;; esac; if true; then echo t; fi; (echo sub); y=$(echo z); trap - DEBUG; echo end
### the debug trap in functions
set -T; trap 'echo "D:$BASH_COMMAND"' DEBUG; f() { echo in f; }; f; (echo sub); false; echo $?
### the return trap
trap 'echo "R:$?:$FUNCNAME"' RETURN; f() { echo in; return 3; }; f; echo $?; set -T; f; set +T; g() { trap 'echo gr' RETURN; echo g; }; g; f; echo 'echo sourced' > s1; . ./s1; trap - RETURN; f
### a return trap of its own
g() { trap 'echo gr' RETURN; echo g; }; g; f() { echo f; }; f; trap -p
### mapfile calls back
mapfile -t -c 2 -C 'echo cb' a < <(seq 5); echo ${a[@]}; cb() { echo "<$1> <$2>"; }; mapfile -c 1 -C cb b < <(seq 2); mapfile -C cb b < <(seq 2); mapfile -s1 -O 3 -t -c1 -C cb b < <(seq 3); echo "${!b[@]}"
### a reference in for
a=1 b=2; declare -n r; for r in a b; do r=x$r; done; echo $a $b; declare -n q=a; for q in b; do echo $q; done; echo $a $b
### exported functions
f() { if [[ $1 == a* ]]; then echo "in f $1"; fi; cat <<X
doc $1
X
}; export -f f; bash -c 'f a1; bash -c "f a2"'; export -fn f; bash -c 'f 2' 2>/dev/null || echo gone; export -f none; echo $?
### test as a body
f() [[ $1 == a ]]; f a && echo y; f b || echo n; g() (( $1 > 2 )); g 3 && echo y; g 1 || echo n
h () [[ -n $1 && $2 -gt 1 ]]; h x 2; echo $?; h x 0; echo $?
### umask in words
umask u=rwx,g=,o=; umask; umask -S; umask g+r; umask; umask a-x; umask; umask -p; umask 022; umask u-w,o=rx; umask; umask z; echo $?; umask 999; echo $?; umask a=r; umask; umask +w; umask
### the format of times
{ TIMEFORMAT='%0lR %U %S %% x'; time true; TIMEFORMAT='%1R'; time sleep 0.01; TIMEFORMAT=; time true; unset TIMEFORMAT; time -p true; time true; } 2>&1 | tr '[1-9]' 0
### select asks again
printf '\n2\n' | { select x in a b; do echo "got $x $REPLY"; done; echo "rc $?"; }
select x in a b; do echo "got $x"; done < /dev/null; echo "rc $?"
### unset from the end
unset 'a[-1]'; echo $?; a=(1 2); unset 'a[-5]'; echo $?; unset 'a[-1]'; echo $? ${a[@]}
### a file that may not be run
echo 'echo hi' > ns; chmod 644 ns; ./ns; echo $?; chmod +x ns; ./ns
### the command in a last trap
trap 'echo $BASH_COMMAND' EXIT; x=$(false); echo done
### the debug trap in pipelines
trap 'echo "D:$BASH_COMMAND"' DEBUG; echo a | cat; ls /nonexist 2> /dev/null | cat; echo $? ${PIPESTATUS[@]}
### a trap for nothing
trap ''; echo $?; f() { :; }; export -f f; declare -F; export -p | grep -c FUNC
### traps that end what they watch
set -eE; trap 'echo "err $LINENO $BASH_COMMAND"' ERR; f() { false; }; f; echo no
### a script without its bit
echo 'echo ran' > s; chmod 644 s; ./s 2> /dev/null; echo $?; [ -x s ] || echo no; [[ -x s ]] || echo no; chmod +x s; ./s; [ -x s ] && echo yes; [[ -x . ]] && echo folder; mkdir p; cp s p/t; chmod -x p/t; (PATH=$PWD/p:$PATH; t) 2> /dev/null; echo $?; chmod 700 p/t; (PATH=$PWD/p:$PATH; t)
### the mask of new files
umask; umask 077; umask; umask -S; echo > f; stat -c %a f; chmod 644 f; echo > f; stat -c %a f; (umask 002; echo > g); stat -c %a g; umask 027; : >> h; stat -c %a h; bash -c umask; bash -c 'echo > i'; stat -c %a i; umask u=rwx,go=; umask
### one file under two names
echo a > f; ln f g; ln -s f l; cp f c; [ f -ef g ] && echo same; [[ f -ef l ]] && echo led; [ f -ef c ] || echo copy; [ f -ef none ] || echo none
