//! S-expressions as libgcrypt reads and prints them: the syntax of the private key file.
//!
//! An expression is kept as the flat row of its items (an opening, atoms, a closing), the way libgcrypt keeps it. So reading,
//! printing and dropping need no recursion, and the odd inputs that libgcrypt lets pass (atoms outside any list, several lists in
//! a row) have a form here too. Atoms may be secret: they are wiped on drop and never printed by `Debug`.

mod parse;
mod print;

pub use parse::{MAX_DEPTH, SyntaxError};

use std::fmt;
use zeroize::Zeroizing;

/// The longest atom in bytes. libgcrypt keeps lengths in 16 bits and corrupts longer ones; here they are an error.
pub const MAX_ATOM: usize = 65_535;

/// One item of the flat row.
#[derive(Clone)]
#[cfg_attr(test, derive(PartialEq, Eq))]
enum Item {
    Open,
    Close,
    Atom(Zeroizing<Vec<u8>>),
}

/// An S-expression. [`Sexp::is_nil`] is libgcrypt's null expression: what "()" or white space alone is read as.
#[derive(Clone)]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub struct Sexp {
    items: Vec<Item>,
}

/// A member of a list to be built by [`Sexp::list`].
pub enum Member {
    /// A string of bytes, at most [`MAX_ATOM`] of them if it is to be read again.
    Atom(Zeroizing<Vec<u8>>),
    /// A list inside the list.
    List(Sexp),
}

impl Member {
    /// A public atom, as names of fields are.
    pub fn atom(bytes: &[u8]) -> Member {
        Member::Atom(Zeroizing::new(bytes.to_vec()))
    }
}

impl Sexp {
    /// Reads bytes as `gcry_sexp_new(.., autodetect = 0)` does.
    ///
    /// What libgcrypt tolerates is tolerated: text behind the list, an atom that the end of the input cuts off outside any list
    /// (dropped), display hints (kept as plain atoms).
    ///
    /// # Errors
    /// Where libgcrypt answers with an error, the same one; and for atoms over [`MAX_ATOM`] and nesting over [`MAX_DEPTH`].
    pub fn parse(input: &[u8]) -> Result<Sexp, SyntaxError> {
        parse::parse(input).map(Sexp::normalised)
    }

    /// A list of the given members.
    pub fn list(members: Vec<Member>) -> Sexp {
        let mut items = vec![Item::Open];
        for member in members {
            match member {
                Member::Atom(atom) => items.push(Item::Atom(atom)),
                Member::List(list) => items.extend(list.items),
            }
        }
        items.push(Item::Close);
        Sexp::normalised(items)
    }

    /// The text that `gcry_sexp_sprint(.., GCRYSEXP_FMT_ADVANCED, ..)` makes, with its final newline and without its NUL.
    ///
    /// [`Sexp::parse`] and libgcrypt read it back to the same expression, which is not so of the canonical form: libgcrypt
    /// prints an empty atom there as `0:` and refuses to read that.
    pub fn to_advanced(&self) -> Zeroizing<Vec<u8>> {
        print::advanced(&self.items)
    }

    /// Whether this is libgcrypt's null expression.
    pub fn is_nil(&self) -> bool {
        self.items.is_empty()
    }

    /// The number of members in lists of the outermost level, as `gcry_sexp_length` counts: over all lists if there are several.
    pub fn length(&self) -> usize {
        let mut depth = 0_usize;
        let mut length = 0;
        for item in &self.items {
            match item {
                Item::Open => {
                    length += usize::from(depth == 1);
                    depth += 1;
                }
                Item::Close => depth = depth.saturating_sub(1),
                Item::Atom(_) => length += usize::from(depth == 1),
            }
        }
        length
    }

    /// The atom at place `number` of the (first) list, as `gcry_sexp_nth_data` finds it; `None` if a list stands there or nothing.
    /// An expression that starts with an atom outside any list has that one at place 0.
    pub fn nth_data(&self, number: usize) -> Option<&[u8]> {
        if let (Some(Item::Atom(atom)), 0) = (self.items.first(), number) {
            return Some(atom);
        }
        match self.members().nth(number)? {
            [Item::Atom(atom)] => Some(atom),
            _ => None,
        }
    }

    /// The members of the (first) list behind its head, each as a list of its own: an atom as a list of just that atom, as
    /// `gcry_sexp_nth` gives them. An empty list comes as nil.
    pub fn tail(&self) -> impl Iterator<Item = Sexp> + '_ {
        self.members().skip(1).map(|member| match member {
            [Item::Atom(atom)] => Sexp {
                items: vec![Item::Open, Item::Atom(atom.clone()), Item::Close],
            },
            list => Sexp::normalised(list.to_vec()),
        })
    }

    /// The first list, at any depth and in reading order, whose head is the atom `token`: `gcry_sexp_find_token`.
    pub fn find_token(&self, token: &[u8]) -> Option<Sexp> {
        let start = self.items.windows(2).position(
            |pair| matches!(pair, [Item::Open, Item::Atom(head)] if head.as_slice() == token),
        )?;
        let list = member_at(self.items.get(start..)?)?;
        Some(Sexp {
            items: list.to_vec(),
        })
    }

    /// The members of the first list, each as its row of items.
    fn members(&self) -> impl Iterator<Item = &[Item]> {
        let mut rest = match self.items.split_first() {
            Some((Item::Open, rest)) => rest,
            _ => &[],
        };
        std::iter::from_fn(move || {
            let member = member_at(rest)?;
            rest = rest.get(member.len()..)?;
            Some(member)
        })
    }

    /// libgcrypt has no empty list at the start: such an expression is nil, whatever follows.
    fn normalised(items: Vec<Item>) -> Sexp {
        match items.as_slice() {
            [Item::Open, Item::Close, ..] => Sexp { items: Vec::new() },
            _ => Sexp { items },
        }
    }
}

/// Shows the size alone: atoms may be private keys.
impl fmt::Debug for Sexp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sexp")
            .field("items", &self.items.len())
            .finish_non_exhaustive()
    }
}

/// The member that starts a row: one atom, or a list with its closing. `None` at a closing or at the end.
fn member_at(items: &[Item]) -> Option<&[Item]> {
    let mut depth = 0_usize;
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Open => depth += 1,
            Item::Close => depth = depth.checked_sub(1)?,
            Item::Atom(_) => {}
        }
        if depth == 0 {
            return items.get(..=index);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &[u8]) -> Sexp {
        Sexp::parse(text).unwrap()
    }

    /// Cases made with libgcrypt 1.10.1: hex of the input, the error number (0 for none), hex of what it printed
    /// ("-" where there was nothing to print).
    const LIBGCRYPT_CASES: &str = include_str!("../../../../tests/data/store/sexp-cases.txt");

    #[test]
    fn reads_and_prints_as_libgcrypt() {
        let mut cases = 0;
        let mut errors = std::collections::BTreeSet::new();
        for line in LIBGCRYPT_CASES
            .lines()
            .filter(|line| !line.starts_with('%'))
        {
            let fields: Vec<&str> = line.split(' ').collect();
            let input = unhex(fields[0]);
            let code: u32 = fields[1].parse().unwrap();
            let shown = String::from_utf8_lossy(&input).into_owned();
            match Sexp::parse(&input) {
                Err(error) => assert_eq!(error.code(), code, "{shown:?}"),
                Ok(sexp) => {
                    assert_eq!(code, 0, "{shown:?}");
                    assert_eq!(
                        *sexp.to_advanced(),
                        unhex(fields[2]),
                        "{shown:?}: {:?}",
                        String::from_utf8_lossy(&sexp.to_advanced())
                    );
                }
            }
            cases += 1;
            errors.insert(code);
        }
        assert!(cases >= 150, "only {cases} cases");
        for code in [0, 45, 201, 202, 203, 205, 206, 207, 208, 209, 210, 211, 212] {
            assert!(errors.contains(&code), "no case with error {code}");
        }
    }

    fn unhex(text: &str) -> Vec<u8> {
        if text == "-" {
            return Vec::new();
        }
        assert_eq!(text.len() % 2, 0);
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn finds_lists_at_any_depth_in_reading_order() {
        let sexp = parse(b"(a (b (c 1:x) (d 1:y)) (c 1:z))");
        assert_eq!(sexp.find_token(b"c").unwrap().nth_data(1), Some(&b"x"[..]));
        assert_eq!(sexp.find_token(b"a"), Some(sexp.clone()));
        assert_eq!(sexp.find_token(b"x"), None, "x heads no list");
    }

    #[test]
    fn counts_and_picks_members_as_libgcrypt() {
        let sexp = parse(b"(a b (c d) ())");
        assert_eq!(sexp.length(), 4);
        assert_eq!(sexp.nth_data(0), Some(&b"a"[..]));
        assert_eq!(sexp.nth_data(1), Some(&b"b"[..]));
        assert_eq!(sexp.nth_data(2), None, "a list is no data");
        assert_eq!(sexp.nth_data(4), None);
        let tail: Vec<Sexp> = sexp.tail().collect();
        assert_eq!(tail, [parse(b"(b)"), parse(b"(c d)"), parse(b"()")]);
        assert!(tail[2].is_nil() && !tail[0].is_nil());
        assert_eq!(parse(b"(a b)(c d e)").length(), 5);
        assert_eq!(parse(b"a (b c)").nth_data(0), Some(&b"a"[..]));
        assert_eq!(parse(b"a (b c)").nth_data(1), None);
    }

    #[test]
    fn debug_shows_no_atom() {
        let shown = format!("{:?}", parse(b"(x secret)"));
        assert_eq!(shown, "Sexp { items: 4, .. }");
    }

    #[test]
    fn depth_and_atoms_are_bounded() {
        let nested = |depth: usize| [b"(a ".repeat(depth), b")".repeat(depth)].concat();
        assert!(Sexp::parse(&nested(MAX_DEPTH)).is_ok());
        let error = Sexp::parse(&nested(MAX_DEPTH + 1)).unwrap_err();
        assert_eq!((error, error.code()), (SyntaxError::TooDeep, 67));

        for (start, end) in [("(\"", "\")"), ("(", ")")] {
            let atom =
                |length: usize| [start.as_bytes(), &b"a".repeat(length), end.as_bytes()].concat();
            assert!(Sexp::parse(&atom(MAX_ATOM)).is_ok());
            assert_eq!(
                Sexp::parse(&atom(MAX_ATOM + 1)).unwrap_err(),
                SyntaxError::StringTooLong
            );
        }
        // Numbers that libgcrypt lets wrap around.
        for length in [
            "4294967297",
            "18446744073709551617",
            "99999999999999999999999999",
        ] {
            assert_eq!(
                Sexp::parse(format!("({length}:a)").as_bytes()).unwrap_err(),
                SyntaxError::StringTooLong
            );
        }
    }

    fn sexps() -> impl Strategy<Value = Sexp> {
        let atom = prop_oneof![
            any::<Vec<u8>>(),
            "[a-z0-9./_:*+=-]{0,9}".prop_map(String::into_bytes),
            "[ -~\\t\\r\\n\\f\\v\\x08\\x00]{0,9}".prop_map(String::into_bytes),
        ];
        let leaf = atom.prop_map(|bytes| Sexp::list(vec![Member::atom(&bytes)]));
        leaf.prop_recursive(6, 60, 6, |inner| {
            (any::<Vec<u8>>(), prop::collection::vec(inner, 0..6)).prop_map(|(head, lists)| {
                let lists = lists.into_iter().map(Member::List);
                Sexp::list(std::iter::once(Member::atom(&head)).chain(lists).collect())
            })
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(sexp in sexps()) {
            prop_assert_eq!(parse(&sexp.to_advanced()), sexp);
        }

        #[test]
        fn any_bytes_give_an_expression_or_an_error(input in any::<Vec<u8>>()) {
            let _ = Sexp::parse(&input).map(|sexp| sexp.to_advanced());
        }

        #[test]
        fn any_syntax_like_bytes_give_an_expression_or_an_error(
            input in r#"[()\[\]"\\#|:0-9xafn \r\n=\x00]{0,40}"#
        ) {
            if let Ok(sexp) = Sexp::parse(input.as_bytes()) {
                let _ = (sexp.length(), sexp.nth_data(1).is_some(), sexp.tail().count());
                // Printing keeps all but libgcrypt's ways with nil.
                if !sexp.is_nil() {
                    prop_assert_eq!(parse(&sexp.to_advanced()), sexp);
                }
            }
        }
    }
}
