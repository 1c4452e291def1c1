//! "Did you mean": the nearest of the names that there are.

/// The name that `given` was probably meant to be. `None` when nothing is near.
pub(super) fn nearest<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| {
        text.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect::<String>()
    };
    let given = plain(given);
    // Case and separators are free; then a third of the letters may differ.
    let limit = (given.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| (strsim::osa_distance(&given, &plain(name)), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `a`, `b` and `c`, each in backquotes.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_suggested() {
        let names = ["page_size", "page_bytes", "view", "key"];
        assert_eq!(nearest("pagesize", names), Some("page_size"));
        assert_eq!(nearest("PageSize", names), Some("page_size"));
        assert_eq!(nearest("veiw", names), Some("view"));
        assert_eq!(nearest("keys", names), Some("key"));
        assert_eq!(nearest("isolation", names), None);
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
