# Fetches the Kafka server's jars with Maven, once. Prints their folder, or what went wrong.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
jars=$here/../../../target/test-servers/kafka/4.1.1
if [ ! -d "$jars" ]; then
    mkdir -p "${jars%/*}" && part=$(mktemp -d "$jars.XXXXXX") || exit 1
    mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$part" >"$part.log" 2>&1 ||
        { cat "$part.log"; rm -rf "$part" "$part.log"; exit 1; }
    # Two at once: the first wins, the second throws its own away.
    mv -T "$part" "$jars" 2>/dev/null || rm -rf "$part"
    rm -f "$part.log"
fi
echo "$jars"
