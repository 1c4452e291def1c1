//! Modules that import each other in a circle.

use super::source::File;
use std::collections::{BTreeMap, BTreeSet};

/// For each module, those that it imports from. A module and its parts are one room: what they take from each other does
/// not count.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// The imports among these files, tests apart.
pub fn imports(files: &[&File]) -> Imports {
    let files: Vec<_> = files.iter().filter(|file| !file.is_test()).collect();
    let modules: BTreeSet<String> = files.iter().map(|file| file.module()).collect();
    let mut imports = Imports::new();
    for file in files {
        let module = file.module();
        let found = file.imports().into_iter().filter_map(|(_, path)| home(&path, &modules));
        let others = found.filter(|other| !is_one_room(&module, other)).collect();
        imports.insert(module, others);
    }
    imports
}

/// The module that a path leads into.
fn home(path: &str, modules: &BTreeSet<String>) -> Option<String> {
    let mut path = path;
    while !modules.contains(path) {
        path = path.rsplit_once("::")?.0;
    }
    Some(path.to_owned())
}

fn is_one_room(one: &str, other: &str) -> bool {
    let holds = |outer: &str, inner: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    holds(one, other) || holds(other, one)
}

/// The circles: modules each of which leads to each other one.
pub fn circles(imports: &Imports) -> BTreeSet<BTreeSet<String>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|module| (module.as_str(), reached(imports, module))).collect();
    let mutual = |one: &str| {
        let there = reach[one].iter().filter(|other| reach.get(*other).is_some_and(|back| back.contains(one)));
        there.map(|other| (*other).to_owned()).collect::<BTreeSet<String>>()
    };
    reach.keys().map(|module| mutual(module)).filter(|circle| circle.len() > 1).collect()
}

fn reached<'a>(imports: &'a Imports, from: &'a str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        open.extend(imports.get(module).into_iter().flatten().map(String::as_str).filter(|next| seen.insert(*next)));
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &[&str])]) -> Vec<Vec<String>> {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let imports = pairs.iter().map(|(from, to)| ((*from).to_owned(), set(to))).collect();
        circles(&imports).into_iter().map(|circle| circle.into_iter().collect()).collect()
    }

    #[test]
    fn a_circle_is_found_whatever_leads_to_it() {
        assert_eq!(of(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"]), ("d", &["d"])]), [["b", "c"]]);
        assert_eq!(of(&[("a", &["b"]), ("b", &["c"]), ("c", &["a", "d"]), ("d", &[])]), [["a", "b", "c"]]);
        assert_eq!(of(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]), Vec::<Vec<String>>::new());
    }

    #[test]
    fn a_module_and_its_parts_are_one_room() {
        assert!(is_one_room("a::b", "a::b::c") && is_one_room("a::b::c", "a"));
        assert!(!is_one_room("a::b", "a::bc") && !is_one_room("a::b", "a::c"));
    }
}
