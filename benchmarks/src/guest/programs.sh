# What `./build bench programs` runs, in a Debian system's root directory, natively and in every guest alike. The work
# is fixed, and what each program writes is the same everywhere. /bench holds this script, timed and bench.c.
set -e
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/tmp
cd /tmp
seq 1 500000 > data
run() { /bench/timed "$@"; }

run gcc /usr/bin/gcc -O2 -S -o - /bench/bench.c
run openssl /usr/bin/openssl enc -aes-128-ctr -K 000102030405060708090a0b0c0d0e0f -iv 00000000000000000000000000000000 \
    -in data
run python /usr/bin/python3 -I -S -c 'import sys
a, b, words = 0, 1, {}
for i in range(400000):
    a, b = b, (a + b) & 0xffffffff
    words[b & 4095] = words.get(b & 4095, 0) + i
sys.stdout.write("%d %d\n" % (a, sum(words.values())))'
run sqlite /usr/bin/sqlite3 :memory: "
CREATE TABLE t (id INTEGER PRIMARY KEY, k INTEGER, v TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
INSERT INTO t SELECT i, (i * 7919) % 10007, 'row ' || i FROM n;
CREATE INDEX t_k ON t (k);
SELECT count(*), sum(length(a.v)) FROM t a JOIN t b ON a.k = b.k WHERE a.id < 10000;
SELECT k, count(*) FROM t GROUP BY k ORDER BY 2 DESC, 1 LIMIT 5;"
run gzip /usr/bin/gzip -n -c data
run xz /usr/bin/xz -1 -T1 -c data
run sha256sum /usr/bin/sha256sum data
run spawn /bin/sh -c 'i=0; while [ $i -lt 500 ]; do /bin/true; i=$((i + 1)); done'
rm data
