#!/usr/bin/env bash
# Quartz 2.5.2: "the weekday nearest the 15th" has another next time according to when one asks, or none that month.
#
# One would expect: `0 0 6 15W * ?` is a fixed set of times. The 15th of March 2026 is a Sunday, so the run is on Monday
#   the 16th at 06:00, whoever asks before that, and `0 0 6,18 15W * ?` adds 18:00.
# What happens: asked up to Sunday 06:00, Quartz says Monday 06:00. Asked after Sunday 06:00, or on Monday before the
#   run, it says April: a scheduler that computes the next time that weekend (a start, a resume, a new trigger) runs
#   nothing in March. When the 15th is a Saturday the run is on Friday the 14th; that day is found.
#   With two hours, 18:00 of the shifted day is lost after 06:00, and 06:00 is lost when one asks in an afternoon,
#   even for `LW` and even a fortnight before. isSatisfiedBy() denies 18:00 of the shifted day as well.
# Why it matters: month-end and mid-month files hang on W and LW; the run is missed silently, once in some months.
# Safely: one hour for LW; for nW a daily trigger on MON-FRI and the rule in the job (or another evaluator: Spring 7's
#   CronExpression answers right); never trust a next time without comparing it from two starting points.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>findings</groupId><artifactId>cron</artifactId><version>1</version>
<dependencies>
<dependency><groupId>org.quartz-scheduler</groupId><artifactId>quartz</artifactId><version>2.5.2</version></dependency>
<dependency><groupId>org.springframework</groupId><artifactId>spring-context</artifactId><version>7.0.0</version></dependency>
</dependencies></project>
XML
mvn -q -B -Dstyle.color=never dependency:copy-dependencies -DoutputDirectory=lib
cat > Weekday.java <<'JAVA'
import java.time.*;
import java.util.*;
import org.quartz.CronExpression;

public class Weekday {
    static void check(String cron, String from, String expected) throws Exception {
        CronExpression c = new CronExpression(cron);
        c.setTimeZone(TimeZone.getTimeZone("UTC"));
        String got = c.getNextValidTimeAfter(Date.from(Instant.parse(from))).toInstant().toString();
        var spring = org.springframework.scheduling.support.CronExpression.parse(cron).next(
                Instant.parse(from).atZone(ZoneOffset.UTC)).toInstant();
        System.out.printf("%-22s after %s: Quartz %s, Spring %s%s%n", cron, from, got, spring,
                got.equals(spring.toString()) ? "" : "   <-- ");
        if (!got.equals(expected)) throw new AssertionError("expected " + expected);
    }

    public static void main(String[] a) throws Exception {
        System.out.println("Quartz 2.5.2, Spring " + org.springframework.core.SpringVersion.getVersion());
        String one = "0 0 6 15W * ?", two = "0 0 6,18 15W * ?", last = "0 0 6,18 LW * ?";
        check(one, "2026-03-14T12:00:00Z", "2026-03-16T06:00:00Z");
        check(one, "2026-03-15T04:00:00Z", "2026-03-16T06:00:00Z");
        check(one, "2026-03-15T12:00:00Z", "2026-04-15T06:00:00Z"); // Sunday noon: March is lost
        check(one, "2026-03-16T05:00:00Z", "2026-04-15T06:00:00Z"); // an hour before the run: lost
        check(one, "2026-08-01T12:00:00Z", "2026-08-14T06:00:00Z"); // shifted back to Friday: found
        check(two, "2026-03-15T04:00:00Z", "2026-03-16T06:00:00Z");
        check(two, "2026-03-16T06:30:00Z", "2026-04-15T06:00:00Z"); // 18:00 of the same day is lost
        check(two, "2026-03-14T12:00:00Z", "2026-03-16T18:00:00Z"); // asked at noon: 06:00 is lost
        check(last, "2026-03-15T04:00:00Z", "2026-03-31T06:00:00Z");
        check(last, "2026-03-14T12:00:00Z", "2026-03-31T18:00:00Z"); // a fortnight before, asked at noon
        CronExpression c = new CronExpression(two);
        c.setTimeZone(TimeZone.getTimeZone("UTC"));
        boolean evening = c.isSatisfiedBy(Date.from(Instant.parse("2026-03-16T18:00:00Z")));
        System.out.println("isSatisfiedBy(2026-03-16T18:00:00Z) of " + two + ": " + evening);
        if (evening) throw new AssertionError("18:00 satisfies the expression now");
        System.out.println("seen: the next time depends on when one asks");
    }
}
JAVA
java -cp "lib/*" Weekday.java
