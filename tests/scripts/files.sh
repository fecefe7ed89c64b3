### find by name, type and depth
mkdir -p src/a/b; touch src/x.c src/a/y.c src/a/b/z.h src/a/Y.C
find src -name '*.c' | sort
find src -iname 'y.c' | sort
find src -type d | sort
find src -maxdepth 1 -type f
find src -mindepth 3
### find with not, or and parentheses
touch a.txt b.log c.tmp d; mkdir e
find . \( -name '*.txt' -o -name '*.log' \) -print | sort
find . -type f ! -name '*.t*' | sort
find . -not -name '.' -a -type d
### find prune
mkdir -p app/node_modules/x app/src .git; touch app/node_modules/x/i.js app/src/m.js .git/c.js
find . -name node_modules -prune -o -name '*.js' -print | sort
find . -path './.git' -prune -o -type f -print | sort
find . -name '*.js' -not -path '*/node_modules/*' -not -path './.git/*'
### find size and empty
printf 'x%.0s' {1..3000} > big; echo small > small; : > none; mkdir hollow
find . -type f -size +1k
find . -empty | sort
find . -type f -size -10c | sort
find . -size 6c
### find exec one and many
echo one > 1.txt; echo two > 2.txt
find . -name '*.txt' -exec cat {} \; | sort
find . -name '*.txt' -exec wc -c {} + | tail -1
find . -name '1*' -exec sh -c 'echo "got ${1##*/}"' _ {} \;
find . -name '*.txt' -exec grep -l one {} \;
### find delete
touch a.pyc b.py; mkdir -p __pycache__; touch __pycache__/c.pyc
find . -name '*.pyc' -delete
find . | sort
find . -type d -empty -delete; ls
### find newer
touch -d '2020-01-01' old; touch -d '2021-01-01' ref; touch -d '2022-01-01' new
find . -type f -newer ref
find . -type f ! -newer ref | sort
find . -newermt '2021-06-01' -type f
### find printf
mkdir d; printf abc > d/f.txt; chmod 644 d/f.txt
find d -type f -printf '%f %s %p %h\n'
find d -printf '%y %P\n' | sort
find d -type f -printf '%m %d\n'
### find print0 and names with spaces
touch 'a b' 'c  d' "e'f"
find . -type f -print0 | sort -z | tr '\0' '\n'
find . -type f -print0 | sort -z | xargs -0 -n1 echo item
find . -type f -print0 | xargs -0 rm; ls | wc -l
### find regex
touch img1.png img22.png pic.jpg
find . -regex '.*/img[0-9]+\.png' | sort
find . -regextype posix-extended -regex '.*\.(png|jpg)' | sort
find . -iregex '.*PIC.*'
### find links
echo t > target; ln -s target good; ln -s gone bad; mkdir d; ln -s d dl
find . -type l | sort
find . -xtype l
find -L . -type l
find . -lname target
### find perm
touch a b c; chmod 755 a; chmod 600 b; chmod 644 c
find . -type f -perm 600
find . -type f -perm -u+x
find . -type f -perm /o+r | sort
### find quit and order
mkdir -p one/two; touch one/f one/two/f
find one -name f | wc -l
find one -name f -print -quit | wc -l
find one -depth | tail -1
find one/two -depth
### find path and wholename
mkdir -p a/test b/test; touch a/test/t1 b/test/t2
find . -path '*/test/*' | sort
find . -path './a/*' -type f
find a b -name 't?' | sort
### find errors
find nodir; echo "st $?"
find . -bogus 2>/dev/null; echo "st $?"
find . -name 2>/dev/null; echo "st $?"
find . -exec echo {} 2>/dev/null; echo "st $?"
### find and a while read
mkdir -p x/y; echo 1 > x/a.txt; echo 22 > x/y/b.txt
find x -name '*.txt' | sort | while IFS= read -r f; do printf '%s %d\n' "${f#x/}" "$(wc -c < "$f")"; done
total=0
while IFS= read -r -d '' f; do total=$((total + $(wc -c < "$f"))); done < <(find x -type f -print0)
echo "$total"
### find same names in two trees
mkdir -p l r/s; touch l/a l/b r/b r/s/c
comm -12 <(find l -type f -printf '%f\n' | sort) <(find r -type f -printf '%f\n' | sort)
comm -3 <(cd l && find . | sort) <(cd r && find . | sort)
### find duplicates by content
echo same > a; echo same > b; echo other > c
find . -type f -exec md5sum {} + | sort | awk '{c[$1]++; n[$1]=n[$1] " " $2} END {for (h in c) if (c[h] > 1) print n[h]}'
### find biggest files
for i in 1 5 3; do head -c ${i}00 /dev/zero > f$i; done
find . -type f -printf '%s %f\n' | sort -rn | head -2
### find grep chain
mkdir s; echo 'import os' > s/a.py; echo 'import sys' > s/b.py; echo 'x' > s/c.txt
find s -name '*.py' -exec grep -H os {} \;
find s -name '*.py' | xargs grep -l import | sort
find s -type f | xargs -n1 basename | sort | sed 's/\..*//' | paste -sd,
### count by extension
touch a.py b.py c.js d.md e.md f.md README
find . -type f -name '*.*' | sed 's/.*\.//' | sort | uniq -c | sort -rn | awk '{print $2, $1}'
### xargs batches
seq 7 | xargs -n 3 echo row
seq 3 | xargs -I N echo "<N-N>"
printf 'a b\nc\n' | xargs -d '\n' -n1 echo
echo one two | xargs -n1 -t 2>/dev/null
### xargs with sh and several arguments
printf '%s\n' a 1 b 2 | xargs -n2 sh -c 'echo "$0=$1"'
printf '%s\n' x y | xargs -I{} sh -c 'echo {} > {}.txt'; cat x.txt y.txt
ls *.txt | xargs -n1 sh -c 'echo "${0%.txt}"'
### xargs status
echo 1 2 | xargs -n1 sh -c 'exit 3' ; echo "st $?"
echo x | xargs sh -c 'exit 255'; echo "st $?"
: | xargs -r false; echo "st $?"
echo a | xargs -n1 no_such_program_x 2>/dev/null; echo "st $?"
### xargs from a file and with a limit
printf '%s\n' 1 2 3 4 > list
xargs -a list echo
xargs -a list -n2 | tac
xargs -a list -s 40 echo | wc -l
xargs -p echo < /dev/null 2>/dev/null; echo "st $?"
### cp a tree and compare
mkdir -p src/d; echo 1 > src/a; echo 2 > src/d/b
cp -r src dst
diff -r src dst && echo identical
echo changed > dst/d/b; diff -rq src dst
cp -ru src/. dst; cat dst/d/b
### cp into existing and new places
echo x > f; mkdir d
cp f d; cp f d/g; cp f h; cp d/g d/h
find . -type f | sort
cp -r d d2; cp -r d d2; find d2 | sort
### cp several and glob
touch a.txt b.txt c.md; mkdir out
cp *.txt out/; ls out
cp a.txt c.md nowhere 2>/dev/null; echo "st $?"
cp -t out c.md; ls out | wc -l
### cp backup and update
echo v1 > f; echo v2 > g
cp --backup=numbered g f; cp --backup=numbered g f; ls
cat f.~1~
touch -d '2000-01-01' g; echo v3 > g2; touch -d '1999-01-01' g2; cp -u g2 g; cat g
### cp links
echo data > t; ln -s t l
cp l copy; [ -L copy ] || echo followed
cp -P l kept; readlink kept
cp -a l arch; readlink arch
mkdir d; cp -r l d/; [ -L d/l ] && echo "link in tree"
### mv files and folders
mkdir a b; touch a/1 a/2 f
mv f a/; mv a/1 a/one; mv a/2 b
find . -type f | sort
mv a b/; find . | sort
mv b/a/one .; rmdir b/a; ls b
### mv onto things
echo 1 > x; echo 2 > y; mv x y; cat y; ls
mkdir d; mv y d; mv d/y z; cat z; mkdir e; touch e/z
mv z e 2>/dev/null; cat e/z
mkdir p q; touch p/f; mv p q/; mv nothing q 2>/dev/null; echo "st $?"
mv -n e/z q; ls q; mv -T q r; ls
### rename in a loop
touch 'Photo 1.JPG' 'Photo 2.JPG' notes.txt
for f in *.JPG; do n=${f,,}; mv -- "$f" "${n// /_}"; done
ls
i=1; for f in photo*; do mv "$f" "$(printf 'img_%03d.jpg' $i)"; i=$((i+1)); done; ls
### rename extensions in a tree
mkdir -p a/b; touch a/x.htm a/b/y.htm
find . -name '*.htm' -exec sh -c 'mv "$1" "${1%.htm}.html"' _ {} \;
find . -type f | sort
### ln symbolic chains
echo end > z; ln -s z y; ln -s y x
cat x; readlink x; readlink -f x | sed 's,.*/,,'
ln -sf nowhere y; cat x 2>/dev/null; echo "st $?"
rm z; [ -e x ] || echo broken; [ -L x ] && echo "a link"
### ln to folders
mkdir -p v1 v2; echo one > v1/f; echo two > v2/f
ln -s v1 current; cat current/f
ln -sfn v2 current; cat current/f
ln -s ../v1 v2/back; cat v2/back/f; ls current/
rm current; ls
### hard links share content
echo a > f; ln f g; echo b >> g; cat f
stat -c %h f; [ f -ef g ] && echo same
rm f; cat g; stat -c %h g
### ln errors
touch a; ln -s a b; ln -s a b; echo "st $?"
ln nofile c; echo "st $?"
ln -s; echo "st $?"
mkdir d; ln d e; echo "st $?"
### touch times
touch -d '2020-05-06 07:08:09' f; stat -c '%y' f | cut -d. -f1
touch -d '2021-01-01 UTC' g; [ g -nt f ] && echo newer
touch -r f g; [ g -nt f ] || echo equal
touch -t 200001010000 f; date -r f +%Y
stat -c %Y f
### touch many and conditions
touch a b c; ls; touch -c d; ls | wc -l
touch "with space" sub/x 2>/dev/null; echo "st $?"; ls
mkdir sub; touch sub/x sub/y; ls sub
### touch access and change
touch f; touch -a -d '2001-01-01' f; stat -c %X f
touch -m -d '2002-02-02' f; stat -c %Y f
stat -c %x f | cut -c1-10
### stat formats
printf 'hello' > f; chmod 640 f; mkdir d; chmod 755 d
stat -c '%n:%s:%a:%F' f d | sed 's/d:[0-9]*:/d:N:/'
stat -c '%A' f d
stat -c '%U' f | wc -l; stat -f . > /dev/null; echo $?
stat -c %s nofile 2>/dev/null; echo "st $?"
### test operators on a tree
mkdir d; echo x > f; : > e; ln -s f l
for t in -e -f -d -s -L -r -w; do for n in d f e l no; do [ $t $n ] && printf '%s%s ' $t $n; done; done; echo
### chmod and what it does
echo 'echo ran' > s; chmod 644 s; ./s 2>/dev/null; echo "st $?"
chmod +x s; ./s
chmod u-x,g-x,o-x s; [ -x s ] || echo no; stat -c %a s
chmod 750 s; stat -c %A s; chmod a=r s; stat -c %a s
### permissions over a tree
mkdir -p t/u; touch t/f t/u/g; chmod -R go-rwx t
find t -printf '%m %p\n' | sort
find t -type f -exec chmod 644 {} +; find t -type d -exec chmod 755 {} +
find t -printf '%m %p\n' | sort
### rm variants
mkdir -p d/e; touch a b d/f d/e/g
rm a; rm -rf d; ls
rm nofile; echo "st $?"; rm -f nofile; echo "st $?"
mkdir k; rm k; echo "st $?"; rm -d k; ls
rm -v b
### rm with odd names
touch -- '-rf' ' lead' 'new
line' '*'
ls | wc -l
rm -- -rf; rm ' lead'; rm '*'; ls | wc -l
rm ./new*; ls -A | wc -l
### mkdir and rmdir
mkdir -p a/b/c && find a
rmdir a 2>/dev/null || echo busy
rmdir a/b/c a/b a && ls | wc -l
mkdir one one 2>/dev/null; echo "st $?"
mkdir -m 711 m; stat -c %a m
mkdir -p deep/{x,y}/{1,2}; find deep -mindepth 2 | sort | paste -sd' '
### tree sizes
mkdir -p p/q; head -c 100 /dev/zero > p/a; head -c 250 /dev/zero > p/q/b
find p -type f -printf '%s\n' | paste -sd+ | sed 's/^/echo $((/;s/$/))/' | sh
wc -c $(find p -type f | sort)
find p -type f -exec cat {} + | wc -c
### du of files
head -c 2048 /dev/zero > a; head -c 10 /dev/zero > b
du -b a b; du -bc a b | tail -1; du -b --apparent-size b | cut -f1
du -sb nofile 2>/dev/null; echo "st $?"
### tree
mkdir -p proj/src/lib; touch proj/README proj/src/main.c proj/src/lib/x.c
(cd proj && find . -print | sed -e 's;[^/]*/;|__;g;s;__|; |;g' | sort)
### listing by size and time
head -c 30 /dev/zero > a; head -c 10 /dev/zero > b; head -c 20 /dev/zero > c
ls -S; ls -Sr | paste -sd' '
touch -d '2003-01-01' a; touch -d '2001-01-01' b; touch -d '2002-01-01' c
ls -t; ls -1tr | head -1
### ls details by awk
echo 12345 > f; chmod 644 f; mkdir d
ls -l f | awk '{print $1, $5, $NF}'
ls -ld d | cut -c1
ls -la | awk 'NR>1 {print $NF}' | sort
ls -l | tail -n +2 | wc -l
### ls over patterns
mkdir a; touch a/1 a/2 b.txt .h
ls -d */; ls -d .[a-z]*; ls a b.txt; ls *.none 2>/dev/null; echo "st $?"
ls -R; ls -1 a/* | wc -l; ls -A
### realpath and readlink
mkdir -p a/b; touch a/b/f; ln -s a/b/f l
realpath --relative-to=. l a/../a/b
readlink l; readlink -f l | sed "s,^$PWD,.,"
realpath nofile/x 2>/dev/null; echo "st $?"
realpath -m --relative-to=a nofile
### dirname and basename over lists
printf '%s\n' /a/b/c.txt ./d/e f /g/ > paths
while read -r p; do echo "$(dirname "$p") $(basename "$p")"; done < paths
xargs -n1 basename < paths | paste -sd' '
basename -s .txt -a /a/b/c.txt q.txt
### mktemp kinds
f=$(mktemp); echo data > "$f"; cat "$f"; rm "$f"; [ -e "$f" ] || echo removed
d=$(mktemp -d); touch "$d/x"; ls "$d"; rm -r "$d"
g=$(mktemp -p . note.XXXX); [ -f "$g" ] && echo "${g:0:7} ${#g}"
[ "$(mktemp -u)" != "$(mktemp -u)" ] && echo differ
### split and join again
seq 1 100 > n; split -l 30 -d n part; ls part*; wc -l part03 | cut -d' ' -f1
cat part* | cmp - n && echo same
split -b 100 n b.; cat b.* | md5sum | cut -c1-8; md5sum < n | cut -c1-8
### compare folders by checksum
mkdir a b; echo 1 > a/x; echo 1 > b/x; echo 2 > a/y; echo 3 > b/y
(cd a && md5sum *) > sums; (cd b && md5sum -c ../sums 2>/dev/null); echo "st $?"
for f in a/*; do cmp -s "$f" "b/${f##*/}" && echo "${f##*/} same" || echo "${f##*/} differs"; done
### write a file in place
printf 'b\na\n' > f; sort -o f f; cat f
tac f > f.tmp 2>/dev/null; mv f.tmp f; wc -l < f
{ echo head; cat f; } > g && mv g f; head -1 f
echo "$(cat f)" tail > f; wc -w < f
### append, truncate, size
for i in 1 2 3; do echo line$i >> log; done; wc -l < log
: > log; [ -s log ] || echo empty
truncate -s 10 log; stat -c %s log; printf end >> log; wc -c < log; tail -c 3 log; echo
### here-doc made files with modes
cat > run.sh <<'E'
#!/bin/sh
echo "run: $#"
E
chmod 755 run.sh; ./run.sh a b; sh run.sh; ls -l run.sh | cut -c1-10
### read-only files
echo keep > f; chmod 444 f; stat -c %A f
rm -f f; ls | wc -l; mkdir d; chmod 555 d; stat -c %a d; chmod 755 d; touch d/x; ls d
### copying with find and cpio-like loops
mkdir -p s/a/b d; touch s/1.txt s/a/2.txt s/a/b/3.log
(cd s && find . -name '*.txt') | while read -r f; do mkdir -p "d/$(dirname "$f")"; cp "s/$f" "d/$f"; done
find d -type f | sort
### moving by extension
touch a.jpg b.png c.txt d.jpg e
for f in *.*; do x=${f##*.}; mkdir -p "by/$x"; mv "$f" "by/$x/"; done
find . -type f | sort
### cleaning of build files
mkdir -p a/build b/build src; touch a/build/o src/k.o src/k.c x~ '#y#'
find . -type d -name build -exec rm -rf {} +
find . \( -name '*.o' -o -name '*~' -o -name '#*#' \) -type f -delete
find . | sort
### newest file
for y in 2001 2003 2002; do touch -d "$y-01-01" "f$y"; done
ls -t | head -1
newest=; for f in f*; do [[ -z $newest || $f -nt $newest ]] && newest=$f; done; echo "$newest"
find . -type f -printf '%T@ %f\n' | sort -n | tail -1 | cut -d' ' -f2
### globs over a tree
shopt -s globstar nullglob
mkdir -p a/b; touch a/1.md a/b/2.md 3.md
printf '%s\n' **/*.md; files=(**/*.none); echo ${#files[@]}
for d in **/; do printf '%s ' "$d"; done; echo
for f in a/**; do [ -f "$f" ] && echo "f $f"; done
### files with unusual names in loops
touch 'a b' 'x*y' '[z]' '$d' 'q"r'
for f in *; do printf '<%s>' "$f"; done; echo
ls | while IFS= read -r f; do [ -e "$f" ] && echo "ok $f"; done
rm -f 'x*y' '[z]'; ls | wc -l
### links found and fixed
mkdir d; touch d/t; ln -s d/t ok; ln -s d/missing dead
for l in *; do [ -L "$l" ] && { [ -e "$l" ] && echo "$l ok" || { echo "$l dead"; rm "$l"; }; }; done
ls
### backup rotation
for n in 1 2 3 4; do
  [ -f b.2 ] && mv b.2 b.3; [ -f b.1 ] && mv b.1 b.2; [ -f b ] && mv b b.1
  echo "version $n" > b
done
head b b.1 b.2 b.3
### locks with mkdir
lock() { mkdir lock.d 2>/dev/null; }
lock && echo got; lock || echo "held"
rmdir lock.d; lock && echo again
### noclobber as a lock
(set -o noclobber; echo a > pid) 2>/dev/null && echo first
(set -o noclobber; echo b > pid) 2>/dev/null || echo second refused
cat pid
### disk to memory and back
mapfile -t lines < <(printf 'x\ny\nz\n'); printf '%s\n' "${lines[@]}" > f
c=$(< f); echo "${#c}"; printf '%s' "$c" > g; cmp f g | head -1; echo "$c" | cmp - f && echo same
### dd blocks
printf 'abcdefghij' > f
dd if=f of=g bs=3 count=2 2>/dev/null; cat g; echo
dd if=f bs=1 skip=7 2>/dev/null; echo
printf 'ZZ' | dd of=f bs=1 seek=4 conv=notrunc 2>/dev/null; cat f; echo
### binary files
printf '\x00\x01\xff' > b; wc -c < b; od -An -tx1 b; cmp -l b <(printf '\x00\x02\xff')
head -c 2 b | od -An -tu1; cat b b | wc -c; xxd -p b; file b | cut -d: -f1
### file program
echo text > t; printf '#!/bin/sh\n' > s; : > e; mkdir d
file t | cut -d: -f1; file -b e; file d | awk '{print $NF}'; file nofile > /dev/null; echo "st $?"
### xargs and mv by new names
touch 1.txt 2.txt
ls *.txt | sed 's/\(.*\)\.txt/\1.txt \1.md/' | xargs -n2 mv; ls
printf '%s\0' *.md | xargs -0 -I{} cp {} {}.bak; ls
### paths with dots and dashes
mkdir -p ./-d/..x; touch ./-d/..x/-f; find ./-d | sort
cd ./-d; ls; cd ..; rm -r -- -d; ls -A | wc -l
### cd and relative work
mkdir -p w/x; cd w/x; touch f; cd ../..; ls w/x
(cd w && mv x y && ls); ls w; cd w/y && ls && cd - > /dev/null; basename "$PWD/w"
### write through a link
echo old > real; ln -s real link; echo new > link; cat real
sed -i 's/new/edited/' link; cat real link; [ -L link ] && echo "still link" || echo "now a file"
### copies keep or change times
touch -d '2005-05-05' f; cp f g; [ g -nt f ] && echo "copy newer"
cp -p f h; stat -c %Y f h | uniq | wc -l; cp -a f i; [ i -nt f ] || echo "kept"
mv g j; [ j -nt f ] && echo moved
### a script is made and made ready to run
printf '#!/bin/bash\necho "args: $*"\n' > tool; ./tool a 2>/dev/null; echo "st $?"
chmod u+x tool; ./tool a b; [ -x tool ] && echo ready
install -D -m 755 tool bin/tool; PATH=$PWD/bin:$PATH; tool c; stat -c '%a %n' bin/tool
cp tool again; ./again d; mv again third; ./third e; chmod -x third; ./third 2>/dev/null; echo "st $?"
### modes go through an archive
mkdir -p p/bin; echo 'echo hi' > p/bin/run; chmod 755 p/bin/run; echo secret > p/key; chmod 600 p/key; chmod 711 p
tar czf p.tgz p; rm -r p; tar xzf p.tgz; find p -printf '%m %p\n' | sort
tar tvzf p.tgz | awk '{print $1}' | sort
### private files by umask
(umask 077; mkdir .keys; echo k > .keys/id; cp .keys/id .keys/copy); find .keys -printf '%m %p\n' | sort
umask; touch open; stat -c %a open
### files that may not be written
echo a > f; chmod a-w f; ls -l f | cut -c1-10; find . -type f ! -perm /222 | sort; chmod u+w f; echo b >> f; wc -l < f
### install as makefiles do
echo code > lib.so; echo doc > man.1; install -d out/lib out/man; install -m 644 man.1 out/man; install -m 755 lib.so out/lib
find out -type f -printf '%m %p\n' | sort; install -v -m 600 lib.so man.1 out | sort; ls out
### find asks before it runs
touch a b; find . -name a -ok rm {} \; < /dev/null 2>&1; echo " $?"; ls
printf 'n\nn\n' | find . -type f -okdir rm {} \; 2> /dev/null; ls
touch one; printf 'y\n' | find one -ok rm {} \; 2>&1; echo " $?"; ls; find . -ok rm {} + 2>&1; echo $?
### find deletes nothing that is pruned
mkdir -p n/keep; touch n/keep/f n/g; find n -path n/keep -prune -o -type f -delete 2> /dev/null; echo $?; find n | sort
find n -depth -path n/keep -prune -o -type f -delete; echo $?; find n | sort
### a patch makes a file
printf -- '--- a/w\n+++ b/w\n@@ -0,0 +1,2 @@\n+one\n+two\n' > p; patch -i p; echo $?; cat w; rm w; patch -p1 < p; cat w
printf -- '--- a/w\n+++ b/w\n@@ -1,2 +0,0 @@\n-one\n-two\n' > q; patch -p1 < q; wc -c w; rm w
printf -- '--- a/s/w\n+++ b/s/w\n@@ -0,0 +1 @@\n+one\n' > p; patch -p1 < p; cat s/w; patch -R -p1 < p; wc -c s/w
### rm leaves what stands above
mkdir -p d/e; cd d/e; rm -rf .. 2>&1; echo $?; rm -rf ../. 2>&1; echo $?; rm -rf . 2>&1; echo $?; cd ../..; rm -r d/.. 2>&1; echo $?; find d | sort
### an empty name is no file
touch x y; mv "" a 2>&1; echo $?; cp -r "" a 2>&1; echo $?; mv x "" 2>&1; echo $?; cp x "" 2>&1; echo $?; mv x y "" 2>&1; echo $?; ls
### mv refuses what does not fit
mkdir -p d/x e; touch x y; mv x d 2>&1; mv d x 2>&1; mv nope z 2>&1; mv d d 2>&1; mv x x 2>&1; mv x y e; ls e; touch x
mv -n x e; mv -bv x e/x; mv -vT e f; ls f; mv -u f/x f/y; mv -v -t d f/x~ f/y; find . | sort
### help behind a command is the command's
env printf '%s\n' --help; nice printf '%s\n' --version; timeout 5 printf '%s\n' --help; echo a | xargs printf '%s ' --help; echo
