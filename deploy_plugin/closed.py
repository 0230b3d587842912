"""What runs on the server while a site is closed: the texts of shell, and of Python for the app's containers."""

from __future__ import annotations

from deploy_plugin.confirmation import UNTIL_EXPIRED

# Asked in the container that is to serve again. Its arguments: port, health path, Host header.
ASK = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=5)
connection.request("GET", sys.argv[2], headers={"Host": sys.argv[3]})
sys.exit(connection.getresponse().status >= 300)
"""
# Run in the container that serves still: it ends once nobody has been connected for a moment. Arguments: port, seconds.
IDLE = """
import sys, time
port, end, quiet = ":%04X" % int(sys.argv[1]), time.monotonic() + float(sys.argv[2]), 0


def connected():
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(name) as table:
            for row in list(table)[1:]:
                words = row.split()
                if words[1].endswith(port) and words[3] == "01":
                    return True


while quiet < 3 and time.monotonic() < end:
    quiet = 0 if connected() else quiet + 1
    time.sleep(0.1)
"""
# stdin: what is to come back; $1: where it is kept; $2: the checksum of an older snapshot of that name, which is none.
REMEMBER = """
set -e
umask 077
mkdir -p -- "$(dirname -- "$1")"
{ cat; echo "since=$(date +%s)"; } >"$1.new"
rm -f -- "$2"
mv -f -- "$1.new" "$1"
"""
# $1: what is to come back; $2: the page; $3: the file that says where visitors go; $4: the app; $5: its database;
# $6: how to ask whether it is well; $7: whether the database is to be restored, and the site opened again.
GO_BACK = r"""
state=$1 page=$2 upstream=$3 app=$4 database=$5 ask=$6 whole=$7
umask 077
exec 8>>"$state.lock" && flock 8 || exit
[ -e "$page" ] && [ -e "$state" ] || exit 0
said() { sed -n "s/^$1=//p" "$state" | tail -n 1; }
fail() { echo "failed=$1" >>"$state"; echo "$1" >&2; exit 45; }
running=$(docker ps -q --filter "label=deploy.app=$app") || fail "Docker does not say what runs"
[ -z "$running" ] || docker stop -t 10 $running >/dev/null || fail "what runs could not be stopped"
snapshot=$(said snapshot)
if [ "$whole" = yes ] && [ -e "$snapshot.sha256" ]; then
    (cd -- "$(dirname -- "$snapshot")" && sha256sum -c "$(basename -- "$snapshot").sha256" >/dev/null 2>&1) ||
        fail "the snapshot $snapshot is not what its checksum says"
    new=$database.restored
    like=$database
    [ -e "$like" ] || like=$(dirname -- "$database")
    cp -- "$snapshot" "$new" && chmod 600 "$new" || fail "the snapshot could not be copied: is the disk full?"
    [ "$(id -u)" != 0 ] || chown "$(stat -c %u:%g -- "$like")" "$new" || fail "the snapshot's owner could not be set"
    # In WAL mode again, if the database was, as its header says: what VACUUM makes has forgotten that.
    if [ -e "$database" ] && [ "$(od -A n -j 18 -N 1 -t u1 -- "$database" | tr -d ' ')" = 2 ]; then
        printf '\002\002' | dd of="$new" bs=1 seek=18 conv=notrunc 2>/dev/null || fail "the snapshot can't be written"
    fi
    sync "$new" 2>/dev/null || sync
    # Beside another database they would be taken for its own, and spoil it.
    rm -f -- "$database-wal" "$database-shm" "$database-journal" && mv -f -- "$new" "$database" ||
        fail "the snapshot could not be put in the database's place"
    sync "$database" 2>/dev/null || sync
fi
front=$(said front)
[ -z "$front" ] || docker rm -f "$front" >/dev/null || fail "$front could not be removed"
before=$(said upstream)
if [ -n "$before" ]; then
    printf '%s\n' "$before" >"$upstream.back" && chmod 644 "$upstream.back" && mv -f -- "$upstream.back" "$upstream" ||
        fail "where visitors went before could not be written"
else
    rm -f -- "$upstream"
fi
for name in $(said serving); do
    docker start "$name" >/dev/null || fail "$name could not be started"
done
[ "$whole" = yes ] || exit 0
for name in $(said serving); do
    tries=0
    until docker exec "$name" python -c "$ask" "$(said port)" "$(said health)" "$(said host)" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 30 ] || fail "$name runs again, and does not answer well"
        sleep 1
    done
done
rm -f -- "$page" && rm -f -- "$state"
"""
# Then: GO_BACK and its arguments. Docker may just be starting again: hence a few tries.
WATCH = f"""{UNTIL_EXPIRED}
for _ in 1 2 3 4 5; do
    sh -c "$@" && break
    sleep 5
done
rm -f -- "$file.expired"
"""
# $1: the file with the deadline; $2: the page; $3: what was to come back. The second line lets visitors in.
COMMIT = """
mv -- "$1" "$1.done" 2>/dev/null || exit 44
rm -f -- "$2" || exit
rm -f -- "$1.done" "$3"
"""
OPEN = 'rm -f -- "$1" && rm -f -- "$2"'
