### a large text crosses
x=$(head -c 5000000 /dev/zero | tr '\0' x); echo ${#x}; echo "$x" | wc -c; wc -c <<< "$x"; printf '%s' "$x" | tail -c 3; f() { echo "${#x} here"; }; f | cat; (echo ${#x}) | cat
### many words from a brace
printf '%s\n' {1..300000} | wc -l; printf '%s\n' {1..300000} | tail -1; echo {a,b}{1..3} {3..1} {c..a} {01..3} x{1..2}y{a,b} {a..c..2} {1..9..4} {1..a} {-1..1}
n=0; for i in {1..50000}; do n=$i; done; echo $n
### too many arguments
/bin/echo $(seq 1 1000000); echo $?; export big=$(seq 1 500000); /bin/true; echo $?; /bin/true | cat; echo "${PIPESTATUS[0]}"; unset big; /bin/echo fine
### chance in subshells
a=$(echo $RANDOM$RANDOM$RANDOM); b=$(echo $RANDOM$RANDOM$RANDOM); [ "$a" != "$b" ] && echo other; (echo $RANDOM$RANDOM) > r1; (echo $RANDOM$RANDOM) > r2; cmp -s r1 r2 || echo other; RANDOM=5; a=$RANDOM; RANDOM=5; : $(echo $RANDOM); [ $a = $RANDOM ] && echo same
### substitutions do not share a file
cat <(echo a) <(cat <(echo b) <(echo c)); (cat <(echo d) & cat <(echo e); wait) | sort; { for i in 1 2 3; do cat <(echo $i) & done; wait; } | sort; f() { diff <(echo "$1") <(echo "$2") > /dev/null; }; f a a; echo $?; f a b; echo $?
### a writer's substitution in the middle
seq 10 | tee >(wc -l > n) | cat > /dev/null; sleep 0.3; cat n; { echo a; echo b; } | tee >(tr a-z A-Z > up) | tail -1; sleep 0.3; cat up; seq 3 | tee >(cat > bg) > /dev/null & wait; sleep 0.3; cat bg; seq 100 2> >(cat >&2) | head -1
### many substitutions
n=0; for i in $(seq 150); do read x < <(echo $i); n=$((n + x)); done; echo $n
### redirected for good
cat > s.sh <<'E'
exec > >(sed 's/^/log: /' > log) 2>&1
echo one; echo two >&2; seq 1000; echo three
E
bash s.sh; echo $?; sleep 0.3; wc -l < log; head -2 log; tail -1 log
### endless files
head -c 3000000 < /dev/zero | wc -c; head -c 3000000 < /dev/urandom | wc -c; read -r -N 3 x < /dev/urandom; echo $?
### a read that waits too long
sleep 0.4 | { read -t 0.1 x; echo "$? [$x]"; }; { printf 'abc'; sleep 1.5; } | { read -t 0.8 x; echo "$? [$x]"; }; { printf 'a b\nc'; sleep 0.6; } | { read -t 5 x y; echo "$? $y"; read -t .1 -n 3 z; echo "$? $z"; }
read -t 0 x <<< here; echo "$? [$x]"; sleep 0.3 | { read -t 0; echo $?; }; read -t 1 x <<< now; echo "$? $x"; read -t x 2> /dev/null; echo $?; read -t 1 -a l <<< 'p q'; echo ${l[1]}; read -t 1 < /dev/null; echo $?
printf 'a\\\nb\nc\\d\n' | { read x; echo "$x"; read x; echo "$x"; }; read -n 2 x <<< äöü; echo "$x"; read -N 4 x <<< $'a\nbcd'; echo "$x"; printf '\xff\xfe' | { read -n 1 x; printf %s "$x" | wc -c; }
### FUNCNEST only lowers
f() { if [ $1 -gt 0 ]; then f $(($1 - 1)); else echo bottom; fi; }
f 40; FUNCNEST=10; f 5; f 20; echo $?
### nested too deeply
eval "$(printf '(%.0s' {1..20000})" 2> /dev/null; echo $?; eval "$(printf '{ %.0s' {1..20000})" 2> /dev/null; echo $?; eval "$(printf 'if %.0s' {1..20000})" 2> /dev/null; echo $?; ((((((1)))))) && echo still; echo $(( ((((((2)))))) + - - -3 )); x=$(eval "$(printf '$(%.0s' {1..5000})" 2> /dev/null); echo here
### long lines are read
x=$(head -c 3000000 /dev/zero | tr '\0' y); read -r y <<< "$x"; echo ${#y}; IFS= read -r -d '' y <<< "$x"; echo $? ${#y}; read y <<< "$x"; echo ${#y}; mapfile -t l <<< "$x"; echo ${#l}; read -r a < <(printf '  a b\t\n'); echo "[$a]"; IFS= read -r a <<< '  c '; echo "[$a]"; IFS=: read -r a <<< 'd:'; echo "[$a]"; IFS=: read -r a <<< 'e:f:'; echo "[$a]"; read -r <<< ' g '; echo "[$REPLY]"; read -r a[2] <<< ' h\ '; echo "[${a[2]}]"; printf 'i' | { read -r a; echo "$? $a"; }; printf 'j\0k\n' | { read -r a; echo "$a"; }
### groups that never close
shopt -s extglob; x=$(printf '@(%.0s' {1..16}); [[ a == $x ]]; echo $?; [[ $x == "$x" ]]; echo $?; [[ aab == +(a)b ]]; echo $?; [[ 'a@(b' == a@\(b ]]; echo $?; [[ ab == @(a|@(b|c))@(b) ]]; echo $?
