//! What the rules ask of one file's code: its functions, modules, imports, names and texts, each with its line.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use std::ops::RangeInclusive;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Expr, Item, ItemMod, ItemUse, Lit, Meta, Signature, UseTree};

type Lines = RangeInclusive<usize>;

/// All of a file that a rule may ask for.
#[derive(Default)]
pub struct Code {
    pub functions: Vec<Function>,
    /// Modules in other files.
    pub modules: Vec<Module>,
    /// Paths of two names or more, and all imports: groups are spread out.
    pub paths: Vec<(usize, String)>,
    /// Names before parentheses, with `!` where they are macros.
    pub calls: Vec<(usize, String)>,
    /// String literals, as they are meant.
    pub texts: Vec<(usize, String)>,
    /// The attributes of tests: `ignore`, `tokio::test`, with their arguments.
    pub marks: Vec<(usize, String)>,
    /// Items for tests only.
    tests: Vec<Lines>,
    /// Modules in this file.
    inline: Vec<(Lines, String)>,
}

/// A function with a body.
#[derive(PartialEq, Eq, Debug)]
pub struct Function {
    pub line: usize,
    pub name: String,
    pub lines: usize,
}

/// A `mod` without a body.
pub struct Module {
    /// Its name, behind those of the modules of this file that it lies in.
    pub name: Vec<String>,
    /// The file that an attribute names.
    pub path: Option<String>,
}

impl Code {
    /// Reads a file. Fails the test when it is no Rust.
    pub fn of(text: &str, name: &str) -> Self {
        let mut code = Self::default();
        let file =
            syn::parse_file(text).unwrap_or_else(|error| panic!("{name}:{}: {error}", error.span().start().line));
        Reader { code: &mut code, within: Vec::new() }.visit_file(&file);
        code.read(text.parse().unwrap_or_else(|error| panic!("{name}: {error}")));
        code
    }

    /// Does a line belong to an item for tests only?
    pub fn is_test(&self, line: usize) -> bool {
        self.tests.iter().any(|lines| lines.contains(&line))
    }

    /// The modules of this file around a line, from outside in.
    pub fn around(&self, line: usize) -> impl Iterator<Item = &str> {
        self.inline.iter().filter(move |(lines, _)| lines.contains(&line)).map(|(_, name)| name.as_str())
    }

    /// Names and texts: also those in the arguments of macros, which are no syntax.
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let line = token.span().start().line;
            at += 1;
            match token {
                TokenTree::Group(group) => {
                    let calls = self.calls.len();
                    self.read(group.stream());
                    // `#[expect(…)]` calls nothing.
                    if at > 1 && is_sign(tokens.get(at - 2), '#') {
                        self.calls.truncate(calls);
                    }
                }
                TokenTree::Literal(literal) => {
                    if let Ok(Lit::Str(text)) = syn::parse_str(&literal.to_string()) {
                        self.texts.push((line, text.value()));
                    }
                }
                // An import: it is syntax, and seen as that.
                TokenTree::Ident(word) if word == "use" && !is_sign(tokens.get(at), '<') => {
                    at += tokens[at..].iter().position(|token| is_sign(Some(token), ';')).unwrap_or_default();
                }
                TokenTree::Ident(ident) => {
                    let before = at.checked_sub(2).and_then(|before| tokens.get(before));
                    at = self.read_path(&tokens, at, (line, ident.to_string()), before);
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    /// A path from its first name on; where it ends.
    fn read_path(
        &mut self,
        tokens: &[TokenTree],
        mut at: usize,
        (line, mut path): (usize, String),
        before: Option<&TokenTree>,
    ) -> usize {
        let mut whole = true;
        while is_colons(tokens, at) {
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(next)) => path = format!("{path}::{next}"),
                // A group of imports, or types: the names before it are no path of their own.
                Some(TokenTree::Punct(next)) if next.as_char() == '<' => {
                    at += 2;
                    break;
                }
                _ => {
                    whole = false;
                    at += 2;
                    break;
                }
            }
            at += 3;
        }
        let last = path.rsplit("::").next().unwrap_or_default().to_owned();
        let (mut next, mut macro_sign) = (at, "");
        if is_sign(tokens.get(at), '!') {
            (next, macro_sign) = (at + 1, "!");
        }
        let parentheses = matches!(tokens.get(next), Some(TokenTree::Group(group)) if group.delimiter() != Delimiter::Bracket || macro_sign == "!");
        let is_call =
            matches!(tokens.get(next), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
        let is_definition = matches!(before, Some(TokenTree::Ident(word)) if word == "fn");
        if (is_call || macro_sign == "!" && parentheses) && !is_definition {
            self.calls.push((line, last + macro_sign));
        }
        // What a macro calls its own crate is somebody else's.
        if whole && path.contains("::") && !is_sign(before, '$') {
            self.paths.push((line, path));
        }
        at
    }
}

fn is_sign(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let joint = matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.spacing() == Spacing::Joint);
    joint && is_sign(tokens.get(at), ':') && is_sign(tokens.get(at + 1), ':')
}

/// Goes through the syntax.
struct Reader<'a> {
    code: &'a mut Code,
    within: Vec<String>,
}

impl Reader<'_> {
    fn function(&mut self, signature: &Signature, body: &Block) {
        let line = signature.fn_token.span.start().line;
        let lines = body.span().end().line + 1 - line;
        self.code.functions.push(Function { line, name: signature.ident.to_string(), lines });
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if attributes(item).iter().any(is_for_tests) {
            let span = item.span();
            self.code.tests.push(span.start().line..=span.end().line);
        }
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        if item.attrs.iter().any(is_for_tests) {
            self.code.tests.push(item.span().start().line..=item.span().end().line);
        }
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.within.push(item.ident.to_string());
        if item.content.is_some() {
            let lines = item.span().start().line..=item.span().end().line;
            self.code.inline.push((lines, item.ident.to_string()));
            visit::visit_item_mod(self, item);
        } else {
            let path = item.attrs.iter().find_map(|attribute| match &attribute.meta {
                Meta::NameValue(given) if given.path.is_ident("path") => text_of(&given.value),
                _ => None,
            });
            self.code.modules.push(Module { name: self.within.clone(), path });
        }
        self.within.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let line = item.span().start().line;
        spread(&item.tree, "", line, &mut self.code.paths);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let path: Vec<String> = attribute.path().segments.iter().map(|part| part.ident.to_string()).collect();
        let name = path.join("::");
        if ["ignore", "test", "tokio::test"].contains(&name.as_str()) {
            let given = attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
            self.code.marks.push((attribute.span().start().line, format!("{name}({given})")));
        }
    }
}

fn text_of(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// `#[cfg(test)]`, alone or with other conditions.
fn is_for_tests(attribute: &Attribute) -> bool {
    let condition = attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
    attribute.path().is_ident("cfg") && condition.split(|c: char| !c.is_alphanumeric()).any(|word| word == "test")
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The paths that an import stands for, each with the line of its last name.
fn spread(tree: &UseTree, head: &str, line: usize, into: &mut Vec<(usize, String)>) {
    let joined = |name: &syn::Ident| if head.is_empty() { name.to_string() } else { format!("{head}::{name}") };
    let whole = |name: &syn::Ident| if name == "self" { head.to_owned() } else { joined(name) };
    match tree {
        UseTree::Path(path) => spread(&path.tree, &joined(&path.ident), path.ident.span().start().line, into),
        UseTree::Name(name) => into.push((name.ident.span().start().line, whole(&name.ident))),
        UseTree::Rename(name) => into.push((name.ident.span().start().line, whole(&name.ident))),
        UseTree::Glob(_) => into.push((line, head.to_owned())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| spread(tree, head, line, into)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        Code::of(text, "text").paths.into_iter().map(|(_, path)| path).collect()
    }

    #[test]
    fn groups_of_imports_are_spread_out() {
        assert_eq!(
            paths("use crate::{a::b, c::{self, d as e}, f::*};"),
            ["crate::a::b", "crate::c", "crate::c::d", "crate::f"]
        );
        assert_eq!(paths("pub(crate) use super::super::x;"), ["super::super::x"]);
    }

    #[test]
    fn a_path_is_seen_wherever_it_stands() {
        let text = "fn f(a: b::C) -> d::E<g::H> { assert!(i::j(k::L::<m::N>::o())); $crate::p!(); \"q::r\"; }";
        let text = text.replace("$crate::p!();", "");
        assert_eq!(paths(&text), ["b::C", "d::E", "g::H", "i::j", "k::L", "m::N"]);
        assert_eq!(paths("macro_rules! m { () => { $crate::a::b } }"), Vec::<String>::new());
    }

    #[test]
    fn a_function_is_measured_from_its_name_to_its_brace() {
        let text = "fn a() {}\nimpl X {\n    #[cold]\n    pub(crate) async fn b(\n        x: u8,\n    ) {\n        x\n    }\n}\n\
                    trait T { fn c(); }\n// fn d\n";
        let function = |line, name: &str, lines| Function { line, name: name.to_owned(), lines };
        assert_eq!(Code::of(text, "text").functions, [function(1, "a", 1), function(4, "b", 5)]);
    }

    #[test]
    fn a_call_is_seen_in_every_form_and_a_definition_is_none() {
        let text = "fn sleep(x: u8) { x.sleep(1); thread::sleep(x); select! { () = clock.sleep(2) => {} } sleep(3); }";
        let calls = Code::of(text, "text").calls;
        assert_eq!(calls.iter().filter(|(_, name)| name == "sleep").count(), 4, "{calls:?}");
        assert!(calls.contains(&(1, "select!".to_owned())), "{calls:?}");
        assert!(Code::of("#[expect(x::y, reason = \"z\")]\nfn f() {}", "text").calls.is_empty());
    }

    #[test]
    fn what_is_for_tests_and_modules_are_known_by_their_lines() {
        let text = "mod a;\n#[cfg(test)]\nmod tests {\n    use super::*;\n}\n#[path = \"b/c.rs\"]\nmod c;\nmod d {\n    mod e;\n}\n";
        let code = Code::of(text, "text");
        assert_eq!((1..=10).filter(|line| code.is_test(*line)).collect::<Vec<_>>(), [2, 3, 4, 5]);
        assert_eq!(code.around(4).collect::<Vec<_>>(), ["tests"]);
        let modules: Vec<_> =
            code.modules.iter().map(|module| (module.name.join("::"), module.path.as_deref())).collect();
        assert_eq!(modules, [("a".to_owned(), None), ("c".to_owned(), Some("b/c.rs")), ("d::e".to_owned(), None)]);
    }
}
