//! The status page: plain HTML that a phone shows at 3 a.m. No script; it loads itself again.

use super::server::{Shown, ShownRun, ShownWorker};
use std::fmt::{self, Write as _};

const STYLE: &str = "
:root { color-scheme: light dark; --faint: #777; --line: #8884; --good: #1a7f37; --bad: #cf222e; --busy: #0969da; }
@media (prefers-color-scheme: dark) { :root { --good: #4ac26b; --bad: #ff7b72; --busy: #58a6ff; --faint: #999; } }
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.2rem; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .4rem; } h3 { font-size: .95rem; margin: 1rem 0 .3rem; }
small, .faint { color: var(--faint); } .good { color: var(--good); } .bad { color: var(--bad); } .busy { color: var(--busy); }
section { border-top: 1px solid var(--line); } .wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; } th { text-align: left; font-weight: 600; }
td, th { padding: .2rem .6rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
progress { width: 100%; height: .8rem; } ul { list-style: none; padding: 0; margin: 0; font-size: .9rem; }
li { overflow-wrap: anywhere; }";

/// The whole page.
pub(super) fn html(shown: &Shown) -> String {
    let mut page = String::new();
    // Writing into a string cannot fail.
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta http-equiv=\"refresh\" content=\"5\">\
         <title>filegen: {}</title><style>{STYLE}</style></head><body><h1>filegen</h1>\
         <p><small>{} &middot; version {} &middot; up since {} &middot; seen {} &middot; <a href=\"/status\">JSON</a> &middot; \
         <a href=\"/metrics\">metrics</a></small></p>",
        Text(&names(shown)),
        Text(&shown.instance),
        shown.version,
        shown.started_at,
        shown.at
    );
    for worker in &shown.workers {
        let _ = section(&mut page, worker);
    }
    page.push_str("</body></html>\n");
    page
}

fn names(shown: &Shown) -> String {
    shown.workers.iter().map(|worker| worker.worker_id.as_str()).collect::<Vec<_>>().join(", ")
}

fn section(page: &mut String, worker: &ShownWorker) -> fmt::Result {
    let tone = if worker.role == "leading" { "good" } else { "faint" };
    write!(
        page,
        "<section><h2>{} <span class=\"{tone}\">{}</span></h2><p>lease {}, holder <b>{}</b>, token {}",
        Text(&worker.worker_id),
        worker.role,
        worker.lease,
        Text(worker.holder.as_deref().unwrap_or("nobody")),
        worker.token.map_or_else(|| "-".to_owned(), |token| token.to_string()),
    )?;
    if worker.outbox > 0 {
        write!(page, ", <span class=\"bad\">{} completion events wait</span>", worker.outbox)?;
    }
    page.push_str("</p>");
    if let Some(error) = &worker.error {
        write!(page, "<p class=\"bad\">{}</p>", Text(error))?;
    }
    match &worker.run {
        Some(run) => under_way(page, run)?,
        None => page.push_str("<p class=\"faint\">no run under way here</p>"),
    }
    dependencies(page, worker)?;
    runs(page, worker)?;
    passed_over(page, worker)?;
    happened(page, worker)
}

fn under_way(page: &mut String, run: &ShownRun) -> fmt::Result {
    write!(
        page,
        "<p class=\"busy\">{}: page {} of {}, {} of {} rows, {:.0} rows/s, {:.1} pages/s, done at {}</p>\
         <progress max=\"{}\" value=\"{}\"></progress>",
        Text(&run.run_id),
        run.page,
        run.pages_expected,
        run.rows,
        run.rows_expected,
        run.rows_per_second,
        run.pages_per_second,
        run.forecast_end.as_deref().unwrap_or("?"),
        run.rows_expected.max(1),
        run.rows,
    )
}

fn dependencies(page: &mut String, worker: &ShownWorker) -> fmt::Result {
    page.push_str("<h3>Needs</h3><div class=\"wide\"><table>");
    for (name, found) in &worker.dependencies {
        let tone = match found.state {
            "up" => "good",
            "down" => "bad",
            _ => "faint",
        };
        write!(
            page,
            "<tr><td>{name}</td><td class=\"{tone}\">{}</td><td class=\"number\">{:.1} ms</td><td class=\"faint\">{}</td></tr>",
            found.state,
            found.latency_seconds * 1000.0,
            Text(found.last_error.as_deref().unwrap_or_default()),
        )?;
    }
    page.push_str("</table></div>");
    Ok(())
}

fn runs(page: &mut String, worker: &ShownWorker) -> fmt::Result {
    if worker.runs.is_empty() {
        return Ok(());
    }
    page.push_str(
        "<h3>Runs</h3><div class=\"wide\"><table><tr><th>date</th><th>status</th><th class=\"number\">rows</th>\
         <th>completed</th><th>asked for by</th></tr>",
    );
    for run in &worker.runs {
        let tone = match run.status {
            "published" => "good",
            "failed" => "bad",
            _ => "busy",
        };
        write!(
            page,
            "<tr><td>{}</td><td class=\"{tone}\">{}</td><td class=\"number\">{}</td><td>{}</td><td class=\"faint\">{}</td></tr>",
            run.business_date,
            run.status,
            run.rows,
            run.completed_at.as_deref().unwrap_or("-"),
            Text(&run.requested_by),
        )?;
        if let Some(error) = &run.error {
            write!(page, "<tr><td></td><td colspan=\"4\" class=\"bad\">{}</td></tr>", Text(error))?;
        }
    }
    page.push_str("</table></div>");
    Ok(())
}

fn passed_over(page: &mut String, worker: &ShownWorker) -> fmt::Result {
    if worker.passed_over.is_empty() {
        return Ok(());
    }
    page.push_str(
        "<h3>Events passed over</h3><div class=\"wide\"><table><tr><th>at</th><th>topic</th>\
         <th class=\"number\">partition</th><th class=\"number\">offset</th><th>reason</th></tr>",
    );
    for event in &worker.passed_over {
        write!(
            page,
            "<tr><td>{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"bad\">{}</td></tr>",
            event.at,
            Text(&event.topic),
            event.partition,
            event.offset,
            Text(&event.reason),
        )?;
    }
    page.push_str("</table></div>");
    Ok(())
}

fn happened(page: &mut String, worker: &ShownWorker) -> fmt::Result {
    page.push_str("<h3>Lately</h3><ul>");
    for happening in &worker.happened {
        write!(page, "<li><small>{}</small> {}</li>", happening.at, Text(&happening.what))?;
    }
    page.push_str("</ul></section>");
    Ok(())
}

/// Text that came from outside, as HTML takes it.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_text() {
        assert_eq!(Text("<b>\"a\" & b</b>").to_string(), "&lt;b&gt;&quot;a&quot; &amp; b&lt;/b&gt;");
    }
}
