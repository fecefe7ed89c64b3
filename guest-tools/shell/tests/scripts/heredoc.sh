### plain
x=5
cat <<EOF
a $x $((x+1)) $(echo sub)
"quoted" 'single' \$x \\ `echo bq`
EOF
### quoted
cat <<'EOF'
a $x $(no) \n `x`
EOF
### tabs
cat <<-EOF
	tab
		two
	EOF
echo after
### two
cat <<A; cat <<B
a
A
b
B
### in function
f() {
  cat <<EOF
arg $1
EOF
}
f x; f y | tr x-z X-Z
### in loop
for i in 1 2; do
cat <<EOF
item $i
EOF
done
### in substitution
x=$(cat <<EOF
it's here
line 2
EOF
)
echo "$x"
### pipe
cat <<EOF | sort -r | head -1
a
c
b
EOF
### while read
while IFS=: read -r a b; do
  echo "$b=$a"
done <<EOF
x:1
y:2
EOF
### to file
cat > f.txt <<EOF
content
EOF
cat f.txt
### if
if grep -q b <<EOF
a
b
EOF
then echo found; fi
### escaped
cat <<"EOF"
$HOME "x"
EOF
cat <<\EOF
$HOME
EOF
### empty
cat <<EOF
EOF
echo done
### nested quotes
cat <<EOF
${x:-"default"} ${y:-'single'} "$(echo "in quotes")"
EOF
### python
python3 - <<'EOF'
print("hi", 1+1)
EOF
### arithmetic and backslash newline
cat <<EOF
one \
two $((3*3))
EOF
### in if block with variables
NAME=app
if true; then
cat > conf <<END
{
  "name": "$NAME",
  "path": "\$HOME",
  "n": $((2+3))
}
END
fi
cat conf
### subshell and redirect out
(cat <<EOF
sub
EOF
) > out; cat out
