#!/usr/bin/env bash
# Quartz 2.5.2: the same cron text means other days to Quartz than to the libraries that check texts for it.
#
# One would expect: `MON-FRI/2` is Monday, Wednesday, Friday, as `2-6/2` is; a text with a stray letter is refused; and
#   cron-utils 9.2.1 with its QUARTZ definition (the usual check of such texts in forms and APIs) means what Quartz does.
# What happens: behind a name Quartz reads no step: `MON-FRI/2` runs on all five days and `MON/2` on Mondays only,
#   where the same in numbers (`2-6/2`, `2/2`) steps. `2#1,4` forgets the 4, `1-5W` is no weekday rule, `FRIX` and
#   `5x` pass. cron-utils and Spring 7 step behind names. The other way, cron-utils reads `1,15W` as the plain
#   15th, where Quartz moves to the weekday; both accept it.
# Why it matters: a schedule that was checked, shown and approved with one library runs on other days in the other.
# Safely: write days of the week with steps as a list (`MON,WED,FRI`); refuse what two evaluators read differently;
#   show the next times by the very library that will fire.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>findings</groupId><artifactId>cron</artifactId><version>1</version>
<dependencies>
<dependency><groupId>org.quartz-scheduler</groupId><artifactId>quartz</artifactId><version>2.5.2</version></dependency>
<dependency><groupId>com.cronutils</groupId><artifactId>cron-utils</artifactId><version>9.2.1</version></dependency>
</dependencies></project>
XML
mvn -q -B -Dstyle.color=never dependency:copy-dependencies -DoutputDirectory=lib
cat > Steps.java <<'JAVA'
import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import java.time.*;
import java.time.format.DateTimeFormatter;
import java.util.*;
import org.quartz.CronExpression;

public class Steps {
    static final ZonedDateTime START = ZonedDateTime.parse("2026-02-28T12:00:00Z"); // March 2026 begins on a Sunday
    static final DateTimeFormatter DAY = DateTimeFormatter.ofPattern("EEE d", Locale.US);

    /** The first five days that Quartz fires on. */
    static String quartz(String cron) throws Exception {
        CronExpression c = new CronExpression(cron);
        c.setTimeZone(TimeZone.getTimeZone("UTC"));
        StringJoiner out = new StringJoiner(", ");
        Date at = Date.from(START.toInstant());
        for (int i = 0; i < 5; i++) {
            at = c.getNextValidTimeAfter(at);
            out.add(DAY.format(at.toInstant().atZone(ZoneOffset.UTC)));
        }
        return out.toString();
    }

    /** The same by cron-utils with its definition of Quartz's language, or "refused". */
    static String utils(String cron) {
        try {
            var parser = new CronParser(CronDefinitionBuilder.instanceDefinitionFor(CronType.QUARTZ));
            var times = ExecutionTime.forCron(parser.parse(cron).validate());
            StringJoiner out = new StringJoiner(", ");
            ZonedDateTime at = START;
            for (int i = 0; i < 5; i++) {
                at = times.nextExecution(at).orElseThrow();
                out.add(DAY.format(at));
            }
            return out.toString();
        } catch (IllegalArgumentException e) {
            return "refused";
        }
    }

    static void check(String cron, String byQuartz, String byUtils) throws Exception {
        String q = quartz(cron), u = utils(cron);
        System.out.printf("%-22s Quartz: %-40s cron-utils: %s%n", cron, q, u);
        if (!q.equals(byQuartz) || !u.equals(byUtils)) throw new AssertionError(byQuartz + " / " + byUtils);
    }

    public static void main(String[] a) throws Exception {
        String three = "Mon 2, Wed 4, Fri 6, Mon 9, Wed 11";
        check("0 0 6 ? * 2-6/2", three, three);
        check("0 0 6 ? * 2/2", three, three);
        check("0 0 6 ? * MON-FRI/2", "Mon 2, Tue 3, Wed 4, Thu 5, Fri 6", three);
        check("0 0 6 ? * MON/2", "Mon 2, Mon 9, Mon 16, Mon 23, Mon 30", three);
        check("0 0 6 ? * 2#1,4", "Mon 2, Mon 6, Mon 4, Mon 1, Mon 6", utils("0 0 6 ? * 2#1,4"));
        check("0 0 6 1-5W * ?", "Sun 1, Mon 2, Tue 3, Wed 4, Thu 5", utils("0 0 6 1-5W * ?"));
        check("0 0 6 ? * FRIX", "Fri 6, Fri 13, Fri 20, Fri 27, Fri 3", "refused");
        check("0 0 6 5x * ?", "Thu 5, Sun 5, Tue 5, Fri 5, Sun 5", "refused");
        check("0 0 6 1,15W * ?", "Sun 1, Mon 16, Wed 1, Wed 15, Fri 1", "Sun 1, Sun 15, Wed 1, Wed 15, Fri 1");
        System.out.println("Quartz 2.5.2, cron-utils 9.2.1");
        System.out.println("seen: two readings of one text, both without an error");
    }
}
JAVA
java -cp "lib/*" Steps.java 2>&1 | grep -v '^SLF4J'
