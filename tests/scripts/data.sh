### csv column by name
cat > d.csv <<'E'
id,name,score
1,ann,90
2,bob,75
3,cid,82
E
awk -F, -v col=score 'NR==1{for(i=1;i<=NF;i++) if($i==col) c=i; next} {print $c}' d.csv
head -1 d.csv | tr ',' '\n' | grep -n score | cut -d: -f1
### csv sums by group
printf 'dept,amt\nops,10\ndev,20\nops,5\n' > d.csv
awk -F, 'NR>1{s[$1]+=$2; n[$1]++} END{for(k in s) printf "%s %d %.2f\n", k, s[k], s[k]/n[k]}' d.csv | sort
### csv with quoted fields
printf 'a,"x, y",3\nb,"q ""z""",4\n' > d.csv
awk '{n=0; s=$0; while (s != "") { if (match(s, /^"([^"]|"")*"/)) {} else match(s, /^[^,]*/); f=substr(s,1,RLENGTH); s=substr(s,RLENGTH+2); gsub(/^"|"$/,"",f); gsub(/""/,"\"",f); printf "[%s]", f }; print "" }' d.csv
### csv sort keeps the header
printf 'n,v\nb,2\na,3\nc,1\n' > d.csv
(head -1 d.csv; tail -n +2 d.csv | sort -t, -k2n)
{ read -r h; echo "$h"; sort -t, -k1,1r; } < d.csv
### csv to tsv and back
printf 'a,b\n1,2\n' > d.csv
tr ',' '\t' < d.csv > d.tsv; cat d.tsv; awk -F'\t' -v OFS=, '{$1=$1}1' d.tsv | cmp - d.csv && echo same
### csv to json with awk
printf 'name,age\nann,30\nbob,25\n' | awk -F, 'NR==1{split($0,h,",");next}{printf "%s{",(NR>2?",":"[");for(i=1;i<=NF;i++)printf "%s\"%s\":\"%s\"",(i>1?",":""),h[i],$i;printf "}"}END{print "]"}' | tee o.json; jq -c '.[].name' o.json
### csv join of two files
printf 'id,name\n1,ann\n2,bob\n' > u; printf 'uid,item\n1,pen\n1,cup\n3,hat\n' > o
awk -F, 'FNR==1{next} NR==FNR{n[$1]=$2;next} {print ($1 in n)?n[$1]:"?", $2}' u o
join -t, <(tail -n +2 u | sort) <(tail -n +2 o | sort)
### csv pivot
printf 'jan,a,1\njan,b,2\nfeb,a,3\nfeb,b,4\n' | awk -F, '{m[$1,$2]=$3; if(!($1 in r)){r[$1];ro[++nr]=$1}; if(!($2 in c)){c[$2];co[++nc]=$2}} END{for(j=1;j<=nc;j++)printf "\t%s",co[j];print"";for(i=1;i<=nr;i++){printf "%s",ro[i];for(j=1;j<=nc;j++)printf "\t%d",m[ro[i],co[j]];print""}}'
### csv validation
printf '1,a,x\n2,b\nthree,c,z\n' > d.csv
awk -F, 'NF!=3{print "line " NR ": " NF " fields"; bad=1} $1 !~ /^[0-9]+$/{print "line " NR ": bad id " $1; bad=1} END{exit bad}' d.csv; echo "st $?"
### csv dedupe by key
printf 'k1,old\nk2,x\nk1,new\n' > d.csv
awk -F, '!s[$1]++' d.csv; tac d.csv 2>/dev/null | awk -F, '!s[$1]++' | sort
awk -F, '{l[$1]=$0} END{for(k in l) print l[k]}' d.csv | sort
### csv add a column
printf 'q,p\n2,3\n4,5\n' | awk -F, -v OFS=, 'NR==1{print $0,"total";next}{print $0,$1*$2}'
paste -d, <(printf 'a\nb\n') <(seq 2) <(printf 'x\ny\n')
### csv percentage of total
printf 'a 30\nb 50\nc 20\n' > d; awk 'NR==FNR{t+=$2;next}{printf "%s %5.1f%%\n",$1,100*$2/t}' d d
### top n and ties
printf '%s\n' 'x 5' 'y 9' 'z 9' 'w 1' | sort -k2,2nr -k1,1 | head -2
printf '%s\n' 'x 5' 'y 9' 'z 9' | awk '$2>m{m=$2;r=$1;next} $2==m{r=r","$1} END{print m, r}'
### histogram bars
printf '3\n1\n3\n2\n3\n1\n' | sort -n | uniq -c | while read -r n v; do printf '%2d %s\n' "$v" "$(printf '#%.0s' $(seq "$n"))"; done
### histogram by awk buckets
seq 1 7 50 | awk '{b=int($1/10)*10; h[b]++} END{for(i=0;i<50;i+=10){printf "%2d-%2d ",i,i+9; for(j=0;j<h[i];j++)printf "*"; print ""}}'
### running totals and moving average
printf '%s\n' 4 8 6 2 | awk '{t+=$1; printf "%d %d %.1f\n", $1, t, t/NR}'
seq 6 | awk '{b[NR%3]=$1} NR>=3{print (b[0]+b[1]+b[2])/3}'
### median and percentiles
printf '%s\n' 9 1 5 3 7 | sort -n | awk '{a[NR]=$1} END{print "min", a[1], "med", a[int((NR+1)/2)], "max", a[NR]; p=int(NR*.9+.5); print "p90", a[p]}'
### mean and deviation
printf '2 4 4 4 5 5 7 9\n' | tr ' ' '\n' | awk '{s+=$1;q+=$1*$1} END{m=s/NR; printf "n=%d mean=%.2f sd=%.2f\n",NR,m,sqrt(q/NR-m*m)}'
### transpose
printf '1 2 3\n4 5 6\n' | awk '{for(i=1;i<=NF;i++)m[NR,i]=$i; if(NF>w)w=NF} END{for(i=1;i<=w;i++){for(j=1;j<=NR;j++)printf "%s%s",m[j,i],(j<NR?" ":"\n")}}'
### access log: hits by path
cat > a.log <<'E'
1.1.1.1 - - [01/Jan/2024:10:00:01 +0000] "GET /a HTTP/1.1" 200 512
2.2.2.2 - - [01/Jan/2024:10:00:02 +0000] "GET /b HTTP/1.1" 404 12
1.1.1.1 - - [01/Jan/2024:11:00:03 +0000] "POST /a HTTP/1.1" 500 0
E
awk '{print $7}' a.log | sort | uniq -c | sort -rn | awk '{print $2, $1}'
awk '{c[$9]++} END{for(s in c) print s, c[s]}' a.log | sort
awk -F'"' '{split($2,r," "); print r[1]}' a.log | sort | uniq -c | awk '{print $2"="$1}'
### access log: bytes and errors by ip
printf '%s\n' '1.1.1.1 200 512' '2.2.2.2 404 12' '1.1.1.1 500 100' > l
awk '{b[$1]+=$3; if($2>=400)e[$1]++} END{for(i in b) print i, b[i], e[i]+0}' l | sort
cut -d' ' -f1 l | sort -u | wc -l
### log by hour
printf '10:01 x\n10:59 y\n11:30 z\n' | cut -d: -f1 | uniq -c | awk '{printf "%s:00 %d\n",$2,$1}'
printf '10:01 x\n10:59 y\n11:30 z\n' | sed -E 's/^([0-9]+):.*/\1/' | sort | uniq -c | sort -k2r | awk '{print $2}'
### log levels with durations
printf 'INFO t=12ms\nWARN t=200ms\nINFO t=8ms\n' | sed -E 's/t=([0-9]+)ms/\1/' | awk '{n[$1]++; t[$1]+=$2; if($2>m[$1])m[$1]=$2} END{for(k in n) printf "%-5s n=%d avg=%.1f max=%d\n",k,n[k],t[k]/n[k],m[k]}' | sort
### log between two times
printf '09:00 a\n10:00 b\n11:00 c\n12:00 d\n' > l
awk '$1>="10:00" && $1<"12:00"' l; sed -n '/^10/,/^11/p' l; grep -nE '^(09|12)' l
### log with stack traces
printf 'E one\n  at a\n  at b\nI two\nE three\n  at c\n' > l
awk '/^[A-Z]/{if(r)print r; r=$0; next}{r=r " |" $0}END{print r}' l
grep -c '^  at' l; awk '/^E/{p=1} /^I/{p=0} p' l; grep -A1 '^E' l | grep -v '^--'
### log of sessions paired
printf 'login a 1\nlogin b 2\nlogout a 5\nlogout b 9\n' | awk '$1=="login"{s[$2]=$3} $1=="logout"{print $2, $3-s[$2]}'
### key value lines to a table
printf 'id=1 user=ann ok=yes\nid=2 user=bob ok=no\n' | awk '{for(i=1;i<=NF;i++){split($i,p,"=");v[p[1]]=p[2]} print v["user"], v["ok"]}' | column -t
### ini sections
printf '[a]\nx=1\n[b]\nx=2\ny=3\n' > c.ini
awk -F= '/^\[/{s=substr($0,2,length($0)-2);next}{print s"."$1"="$2}' c.ini
sed -n '/^\[b\]/,/^\[/{s/^y=//p;}' c.ini; awk -v s=b -v k=x -F= '$0=="["s"]"{f=1;next} /^\[/{f=0} f&&$1==k{print $2}' c.ini
### env file to json
printf 'A=1\n# no\nB=two words\n' | grep -v '^#' | jq -R -s -c 'split("\n") | map(select(length>0) | split("=") | {(.[0]): .[1]}) | add'
### yaml like to flat keys
printf 'app:\n  name: x\n  port: 80\ndb:\n  host: h\n' | awk -F': *' '/^[a-z]/{p=$1; sub(/:$/,"",p); next}{sub(/^ +/,"",$1); print p"."$1"="$2}'
### word count of a text
printf 'the cat sat on the mat the end\n' > t
tr ' ' '\n' < t | sort | uniq -c | sort -k1,1nr -k2 | head -3 | awk '{print $2, $1}'
awk '{for(i=1;i<=NF;i++)c[$i]++} END{for(w in c)if(c[w]>1)print w,c[w]}' t
### letters count
echo 'hello world' | grep -o '[a-z]' | sort | uniq -c | sort -k1,1nr -k2 | head -3 | awk '{print $2 $1}' | paste -sd' '
### longest and shortest line
printf 'aa\nbbbb\nc\n' | awk '{print length, $0}' | sort -n | sed -n '1p;$p'
printf 'aa\nbbbb\nc\n' | awk 'length>m{m=length;l=$0}END{print l}'
### set operations
printf '%s\n' 1 2 3 > a; printf '%s\n' 2 3 4 > b
echo "and $(comm -12 a b | paste -sd,)"; echo "a-b $(comm -23 a b)"; echo "or $(sort -u a b | paste -sd,)"
grep -Fxvf a b; awk 'NR==FNR{s[$0];next} $0 in s' a b | wc -l
### group to lists
printf 'fruit apple\nveg kale\nfruit fig\n' | awk '{g[$1]=(g[$1]?g[$1]",":"")$2} END{for(k in g)print k": "g[k]}' | sort
printf 'a 1\na 2\nb 3\n' | while read -r k v; do [ "$k" = "$p" ] && printf ',%s' "$v" || printf '%s%s=%s' "${p:+;}" "$k" "$v"; p=$k; done; echo
### fixed width records
printf 'ANN   030NY\nBOBBY 041LA\n' | awk '{n=substr($0,1,6); sub(/ +$/,"",n); print n","substr($0,7,3)+0","substr($0,10)}'
printf 'ANN   030NY\n' | cut -c1-3,10-11; printf 'ab12' | sed -E 's/(..)(..)/\2\1/'; echo
### records of several lines
printf 'Name: a\nAge: 1\n\nName: b\nAge: 2\n' > r
awk 'BEGIN{RS="";FS="\n"}{for(i=1;i<=NF;i++){split($i,p,": ");printf "%s%s",p[2],(i<NF?",":"\n")}}' r
grep -A1 'Name: b' r | tail -1; paste -sd' ' r | sed 's/  /\n/g'
### numbering and ranking
printf 'c 3\na 9\nb 9\n' | sort -k2,2nr -k1,1 | awk '$2!=p{r=NR} {print r, $1; p=$2}'
printf 'x\ny\n' | nl -w1 -s') '; printf 'x\ny\n' | awk '{printf "%02d %s\n", NR, $0}'
### sum with units
printf '1K\n2M\n512\n' | numfmt --from=iec | paste -sd+ | sed 's/.*/echo $((&))/' | bash
echo 1536 | numfmt --to=iec; printf '10m\n2h\n30s\n' | awk '/s$/{t+=$1} /m$/{t+=$1*60} /h$/{t+=$1*3600} END{printf "%d:%02d:%02d\n",t/3600,t%3600/60,t%60}'
### dates in data
printf '2024-03-05\n2023-12-31\n2024-01-15\n' > d; sort d | head -1; cut -d- -f1 d | sort | uniq -c | awk '{print $2":"$1}'
awk -F- '{print $3"/"$2"/"$1}' d; while read -r x; do date -u -d "$x" +%a; done < d | paste -sd' '
### date differences
a=$(date -u -d 2024-02-01 +%s); b=$(date -u -d 2024-03-01 +%s); echo $(( (b - a) / 86400 ))
for i in 0 1 2; do date -u -d "2024-02-28 +$i days" +%m/%d; done | paste -sd' '
### jq field and array access
echo '{"a":{"b":[10,20,{"c":"d"}]},"n":null}' > x.json
jq '.a.b[0]' x.json; jq -r '.a.b[2].c' x.json; jq '.a.b | length' x.json; jq -c '.a.b[-1], .n, .zz' x.json; jq '.a.b[:2]' -c x.json
### jq select and map
echo '[{"n":"a","v":1},{"n":"b","v":5},{"n":"c","v":3}]' > x.json
jq -r '.[] | select(.v > 2) | .n' x.json; jq -c 'map(.v * 2)' x.json; jq 'map(.v) | add' x.json; jq -c '[.[] | {(.n): .v}] | add' x.json
### jq sort, group and unique
echo '[{"g":"x","v":2},{"g":"y","v":1},{"g":"x","v":3}]' > x.json
jq -c 'group_by(.g) | map({g: .[0].g, n: length, s: (map(.v) | add)})' x.json
jq -c 'sort_by(.v) | map(.v)' x.json; jq -c 'map(.g) | unique' x.json; jq -c 'max_by(.v), min_by(.v)' x.json
### jq keys and entries
echo '{"b":2,"a":1}' > x.json
jq -c 'keys' x.json; jq -c 'to_entries' x.json; jq -r 'to_entries[] | "\(.key)=\(.value)"' x.json; jq -c 'with_entries(.value += 1)' x.json; jq -S -c . x.json; jq 'has("a"), has("z")' x.json
### jq edit of a config
echo '{"name":"app","version":"1.0.0","deps":{"x":"1"}}' > package.json
jq '.version = "1.1.0" | .deps.y = "2"' package.json > t && mv t package.json; cat package.json
jq 'del(.deps.x)' -c package.json; jq -c '.deps | keys' package.json; jq --arg v 9 '.deps.z = $v | .deps' -c package.json
### jq strings
echo '{"s":"Hello World"}' | jq -r '.s | ascii_downcase, ascii_upcase, length, (split(" ") | join("-")), (test("World")), ltrimstr("Hello "), .[0:5]'
jq -n -r '"a,b,c" | split(",") | reverse | join(";")'; jq -n '"x" * 3'; jq -rn '"tab\there"'; jq -n '"é" | length'
### jq regex
echo '"v1.22.3"' | jq -c 'capture("v(?<a>[0-9]+)\\.(?<b>[0-9]+)")'; echo '"a1b22"' | jq -c '[scan("[0-9]+")]'; echo '"foo bar"' | jq -r 'gsub("o";"0")'; echo '"abc"' | jq 'test("B";"i")'; echo '"x-y"' | jq -c 'split("-")'; echo '"aXbX"' | jq -r 'sub("X";"_")'
### jq csv and tsv
echo '[{"a":1,"b":"x,y"},{"a":2,"b":"q\"r"}]' | jq -r '.[] | [.a,.b] | @csv'
echo '[[1,"x"],[2,"y z"]]' | jq -r '.[] | @tsv'; jq -rn '["a b","c"] | @sh'; jq -rn '"a&b c" | @uri'; jq -rn '"hi" | @base64'; jq -rn '"aGk=" | @base64d'; jq -rn '"<p>" | @html'; jq -n -r '[1,{"a":2}] | @json'
### jq slurp, raw and null input
printf '1\n2\n3\n' | jq -s add; printf 'a\nb\n' | jq -R .; printf 'a\nb\n' | jq -R -s -c 'split("\n")'; jq -n '1+2*3'; jq -n -c '[range(5)]'; printf '{"a":1}{"a":2}' | jq -c .a; printf '1 2 3' | jq -n '[inputs] | length'
### jq arguments
jq -n --arg a 1 --argjson b 2 -c '[$a,$b]'; jq -n -c '$ARGS.positional' --args x y; echo '{"k":1}' > f.json; jq -n --slurpfile f f.json -c '$f'; A=env jq -nr 'env.A'; jq -n --arg k key -c '{($k): 1}'; jq -nr --rawfile t f.json '$t | length'
### jq conditionals and alternatives
for v in 5 null '"s"' '[]'; do echo "$v" | jq -r 'if type == "number" then "num" elif . == null then "nil" else type end'; done
echo '{"a":null}' | jq -r '.a // "dflt", (.b.c // "deep")'; echo '[1,null,2]' | jq -c 'map(select(. != null))'; jq -n '[] | length == 0 and true'
### jq reduce, recursion and paths
jq -n 'reduce range(1;6) as $i (1; . * $i)'; echo '{"a":{"b":1},"c":[2,3]}' > x; jq -c '[.. | numbers]' x; jq -c '[paths]' x; jq -c 'getpath(["a","b"])' x; jq -c '[leaf_paths | join(".")]' x 2>/dev/null || jq -c '[paths(scalars) | map(tostring) | join(".")]' x; jq -c 'walk(if type=="number" then .+1 else . end)' x; jq -c 'del(.c[0])' x
### jq functions and variables
jq -n 'def sq: . * .; def add2(a; b): a + b; [3 | sq, add2(1; 2)]' -c; jq -n '5 as $x | [$x, $x * 2]' -c; jq -nc '[limit(3; range(10))], first(range(5; 9)), [range(0; 10; 3)]'; jq -nc '{"a":1} * {"b":{"c":2}}'; jq -nc '[1,[2,[3]]] | flatten'; jq -nc '[3,1,2] | sort, min, max, (index(1))'
### jq errors and exit codes
echo '{bad' | jq . 2>/dev/null; echo "st $?"; echo '{}' | jq '.a.b.c'; echo '5' | jq '.a' 2>/dev/null; echo "st $?"; jq . nofile 2>/dev/null; echo "st $?"; echo null | jq -e . ; echo "st $?"; echo '{}' | jq 'foo(' 2>/dev/null; echo "st $?"; echo '[1]' | jq -c '.[0] | try error("x") catch .'; echo '1' | jq 'error("boom")' 2>&1 | wc -l
### jq numbers
jq -nc '[1.0, 1.5, 1e3, 100000000000000000000, 3.14159, -0.5, 10/4, 7%3]'; jq -n '3.7 | floor, ceil, round, sqrt > 1'; jq -nc '"42" | tonumber + 1'; jq -nc '[1,2] | add / length'; jq -n '1/3'; jq -nc '[10,9,2] | sort | map(tostring)'; jq -n 'infinite > 1, (nan | isnan)'
### jq output forms
echo '{"a":[1,{"b":2}],"c":"x"}' > x; jq . x; jq --tab . x; jq --indent 1 '.a' x; jq -c . x; jq -j '.c, .a[0]' x; echo; jq -a -n '"é"'; jq -C -n 1 | cat -v
### jq to shell variables
echo '{"host":"h","port":80}' > c.json
read -r h p < <(jq -r '"\(.host) \(.port)"' c.json); echo "$h:$p"
eval "$(jq -r 'to_entries[] | "CFG_\(.key)=\(.value|@sh)"' c.json)"; echo "$CFG_host $CFG_port"
mapfile -t ks < <(jq -r 'keys[]' c.json); echo "${#ks[@]} ${ks[0]}"; for k in "${ks[@]}"; do jq -r --arg k "$k" '.[$k]' c.json; done
### jq build from lines
printf 'ann 30\nbob 25\n' | jq -R -c 'split(" ") | {name: .[0], age: (.[1] | tonumber)}' | jq -s -c 'sort_by(.age) | map(.name)'
ls_json() { for f in "$@"; do jq -n --arg f "$f" --argjson n "${#f}" '{$f,$n}' -c; done | jq -s -c .; }; ls_json a bb
### jq merge files
echo '{"a":1,"b":{"x":1}}' > base; echo '{"b":{"y":2},"c":3}' > over
jq -s -c '.[0] * .[1]' base over; jq -s -c 'add' base over; jq -c --slurpfile o over '. + $o[0] | keys' base; jq -c -s 'map(keys) | add | unique' base over
### jq over json lines
printf '%s\n' '{"l":"e","ms":5}' '{"l":"i","ms":7}' '{"l":"e","ms":9}' > log.jsonl
jq -r 'select(.l=="e") | .ms' log.jsonl | paste -sd+ ; jq -s -c 'group_by(.l) | map({(.[0].l): length}) | add' log.jsonl; jq -s 'map(.ms) | add / length' log.jsonl; grep '"l":"e"' log.jsonl | jq -s length; tail -1 log.jsonl | jq -c 'del(.l)'
### jq dates and sorting of keys
jq -n '0 | todate'; jq -n '"2024-01-02T03:04:05Z" | fromdate'; jq -nr '1700000000 | strftime("%Y-%m-%d")'; echo '{"z":1,"a":{"y":2,"b":3}}' | jq -S -c .; jq -nc '{"b":1,"a":2} | keys_unsorted'; jq -nc '[{"a":2},{"a":1}] | sort_by(-.a)'; jq -nc '[1,2,3] | contains([2]), inside([1,2,3,4]), any(. > 2), all(. > 0)'
### jq array edits
echo '{"l":["a","b","c"]}' > x; jq -c '.l += ["d"]' x; jq -c '.l[1] = "B"' x; jq -c '.l |= map(. + "!")' x; jq -c 'del(.l[] | select(. == "b"))' x; jq -c '.l | index("c"), (.[1:] | first), last' x; jq -c '.l | to_entries | map("\(.key)\(.value)")' x; jq -c '.l - ["a"]' x; jq -c '[.l[] | ascii_upcase] | @text' x
### report with a header and totals
printf 'pen 2 1.5\ncup 1 4.25\n' | awk 'BEGIN{printf "%-6s%5s%8s\n","item","qty","sum"} {s=$2*$3; t+=s; printf "%-6s%5d%8.2f\n",$1,$2,s} END{for(i=0;i<19;i++)printf "-"; printf "\n%-6s%13.2f\n","total",t}'
### report in markdown
printf 'a 1\nb 2\n' | { echo '| k | v |'; echo '|---|---|'; while read -r k v; do echo "| $k | $v |"; done; }
printf 'x,y\n1,2\n' | sed 's/,/ | /g;s/^/| /;s/$/ |/' | sed '1a |---|---|'
### html table from csv
printf 'a,b\n<1>,2\n' | sed 's/&/\&amp;/g;s/</\&lt;/g;s/>/\&gt;/g' | awk -F, 'BEGIN{print "<table>"}{t=NR==1?"th":"td"; printf "<tr>"; for(i=1;i<=NF;i++)printf "<%s>%s</%s>",t,$i,t; print "</tr>"}END{print "</table>"}'
### multiplication table
awk 'BEGIN{for(i=1;i<=4;i++){for(j=1;j<=4;j++)printf "%4d",i*j;print ""}}'
for i in 1 2 3; do for j in 1 2 3; do printf '%d\t' $((i*j)); done; echo; done | expand -t 4 | sed 's/ *$//'
### sampling every nth and shuffling with a seed
seq 20 | awk 'NR%5==0'; seq 20 | sed -n '1~7p'; seq 9 | split -n r/2/3 | paste -sd,; seq 5 | shuf --random-source=<(printf '%0100d' 0) | sort -n | paste -sd,
### merging sorted files
printf '1 a\n4 d\n' > x; printf '2 b\n3 c\n' > y; sort -n x y; sort -m -n x y | cut -d' ' -f2 | paste -sd ''; sort -k2 x y -o z; wc -l < z
### differences of consecutive rows
printf '10\n13\n11\n' | awk 'NR>1{printf "%+d\n",$1-p}{p=$1}'; printf 'a\na\nb\na\n' | uniq -c | awk '{print $2"x"$1}' | paste -sd' '; paste <(seq 3) <(seq 2 4) | awk '{print $2-$1}' | uniq
### cumulative percent
printf 'a 5\nb 3\nc 2\n' | awk '{k[NR]=$1;v[NR]=$2;t+=$2} END{for(i=1;i<=NR;i++){c+=v[i]; printf "%s %.0f%%\n",k[i],c*100/t}}'
### matrix products in awk
printf '1 2\n3 4\n' > m; awk '{for(i=1;i<=NF;i++)a[NR,i]=$i} END{for(i=1;i<=2;i++){for(j=1;j<=2;j++){s=0;for(k=1;k<=2;k++)s+=a[i,k]*a[k,j];printf "%d ",s}print ""}}' m | sed 's/ $//'
### parse of urls
for u in 'https://ex.com:8080/a/b?x=1&y=2#f' 'http://h/'; do
  [[ $u =~ ^(https?)://([^:/]+)(:([0-9]+))?(/[^?#]*)?(\?([^#]*))?(#(.*))?$ ]] && echo "${BASH_REMATCH[1]}|${BASH_REMATCH[2]}|${BASH_REMATCH[4]}|${BASH_REMATCH[5]}|${BASH_REMATCH[7]}|${BASH_REMATCH[9]}"
done; echo 'x=1&y=a%20b' | tr '&' '\n' | sed 's/%20/ /g' | while IFS='=' read -r k v; do echo "$k -> $v"; done
### url encoding and decoding
enc() { local s=$1 i c; for ((i=0;i<${#s};i++)); do c=${s:i:1}; case $c in [a-zA-Z0-9.~_-]) printf '%s' "$c";; *) printf '%%%02X' "'$c";; esac; done; echo; }
dec() { local s=${1//+/ }; printf '%b\n' "${s//%/\\x}"; }
enc 'a b&c/d'; dec 'a%20b%26c+d'
### hex and ascii dumps of data
printf 'Hi!\n' | od -An -tx1 | tr -d ' \n'; echo; printf '48692121' | xxd -r -p; echo; for c in A z 0; do printf '%s=%d ' $c "'$c"; done; echo; printf "\\x$(printf %x 65)\n"
### base64 of json in a field
p=$(printf '{"sub":"ann"}' | base64 -w0); echo "h.$p.s" | cut -d. -f2 | base64 -d | jq -r .sub
printf 'k:%s\n' "$(echo -n user:pass | base64)"; echo dXNlcjpwYXNz | base64 -d | cut -d: -f1
### ip addresses
ip2int() { local IFS=.; set -- $1; echo $(( ($1<<24) + ($2<<16) + ($3<<8) + $4 )); }
ip2int 10.0.0.1; printf '10.0.0.2\n9.9.9.9\n10.0.0.10\n' | sort -t. -k1,1n -k2,2n -k3,3n -k4,4n; printf '10.0.0.2\n9.9.9.9\n' | sort -V | head -1; echo 10.1.2.3 | awk -F. '{printf "%02x%02x%02x%02x\n",$1,$2,$3,$4}'
### inventory with low stock
printf 'sku,qty,min\nA,5,10\nB,20,10\nC,0,1\n' > inv.csv
awk -F, 'NR>1 && $2<$3 {printf "%s order %d\n",$1,$3-$2; n++} END{print n " low"; exit n>0}' inv.csv; echo "st $?"
while IFS=, read -r s q m; do [ "$s" = sku ] && continue; (( q < m )) && echo "$s" ; done < inv.csv | paste -sd' '
### grade book
printf 'ann 90 80 100\nbob 60 70 65\n' | while read -r n rest; do t=0 c=0; for g in $rest; do t=$((t+g)); c=$((c+1)); done; a=$((t/c)); case $a in 9?|100) l=A;; 8?) l=B;; *) l=C;; esac; echo "$n $a $l"; done
### time series gaps
printf '1\n2\n5\n6\n9\n' | awk 'NR>1 && $1!=p+1{print "gap " p+1 "-" $1-1}{p=$1}'; printf '1\n2\n3\n7\n8\n' | awk 'NR==1{s=p=$1;next} $1==p+1{p=$1;next} {print s"-"p; s=p=$1} END{print s"-"p}'
### two level grouping
printf 'eu de 5\neu fr 3\nus ny 7\n' | awk '{t[$1]+=$3; d[$1]=d[$1] sprintf("  %s %d\n",$2,$3)} END{for(r in t) printf "%s %d\n%s", r, t[r], d[r]}'  | sed -n '/^eu/,/^us/p' | grep -c '^  '
printf 'eu de 5\neu fr 3\nus ny 7\n' | awk '$1!=p{if(p)print p, s; s=0; p=$1}{s+=$3}END{print p, s}'
