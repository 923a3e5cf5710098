//! S-expressions as libgcrypt reads and prints them: the syntax of the private key file.
//!
//! An expression is kept as a flat list of its items (an opening, atoms, a closing), as libgcrypt keeps it. So reading,
//! printing and dropping need no recursion, and the odd inputs that libgcrypt accepts (atoms outside any list, several
//! lists in a row) can be represented too. Atoms may be secret: they are wiped on drop and never printed by `Debug`.

mod parse;
mod print;

pub use parse::{MAX_DEPTH, SyntaxError};

use crate::buffer::{self, OutOfMemory};
use std::fmt;
use zeroize::Zeroizing;

/// The longest atom in bytes. libgcrypt keeps lengths in 16 bits and corrupts longer ones; here they are an error.
pub const MAX_ATOM: usize = 65_535;

/// One item of the flat list.
#[cfg_attr(test, derive(Clone, PartialEq, Eq))]
enum Item {
    Open,
    Close,
    Atom(Zeroizing<Vec<u8>>),
}

/// An S-expression. [`Sexp::is_nil`] is libgcrypt's null expression, which it reads from "()" or only white space.
#[cfg_attr(test, derive(Clone, PartialEq, Eq))]
pub struct Sexp {
    items: Vec<Item>,
}

/// A member of a list to be built by [`Sexp::list`].
pub enum Member {
    /// A string of bytes, at most [`MAX_ATOM`] of them if it must be readable again.
    Atom(Zeroizing<Vec<u8>>),
    /// A list inside the list.
    List(Sexp),
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Member(secret)")
    }
}

impl Member {
    /// A public atom, as names of fields are.
    pub fn atom(bytes: &[u8]) -> Result<Member, OutOfMemory> {
        Ok(Member::Atom(Zeroizing::new(buffer::copy(bytes)?)))
    }
}

/// An S-expression within another, or the whole of it.
#[derive(Clone, Copy)]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub struct Part<'a> {
    items: &'a [Item],
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Part(secret)")
    }
}

impl Sexp {
    /// Reads bytes as `gcry_sexp_new(.., autodetect = 0)` does.
    ///
    /// As tolerant as libgcrypt: text after the list, an atom outside any list that the end of the input cuts off (dropped),
    /// and display hints (kept as plain atoms) are accepted.
    ///
    /// # Errors
    /// The same errors as libgcrypt; also for atoms over [`MAX_ATOM`] and nesting over [`MAX_DEPTH`].
    pub fn parse(input: &[u8]) -> Result<Sexp, SyntaxError> {
        parse::parse(input).map(Sexp::normalised)
    }

    /// A list of the given members.
    pub fn list(members: impl IntoIterator<Item = Member>) -> Result<Sexp, OutOfMemory> {
        let mut items = Vec::new();
        buffer::push(&mut items, Item::Open)?;
        for member in members {
            match member {
                Member::Atom(atom) => buffer::push(&mut items, Item::Atom(atom))?,
                Member::List(list) => {
                    for item in list.items {
                        buffer::push(&mut items, item)?;
                    }
                }
            }
        }
        buffer::push(&mut items, Item::Close)?;
        Ok(Sexp::normalised(items))
    }

    /// All of it.
    pub fn whole(&self) -> Part<'_> {
        Part { items: &self.items }
    }

    /// The text that `gcry_sexp_sprint(.., GCRYSEXP_FMT_ADVANCED, ..)` makes, with its final newline and without its NUL.
    ///
    /// [`Sexp::parse`] and libgcrypt read it back to the same expression, unlike the canonical form, where libgcrypt prints an
    /// empty atom as `0:` and refuses to read that.
    pub fn to_advanced(&self) -> Result<Zeroizing<Vec<u8>>, OutOfMemory> {
        print::advanced(&self.items)
    }

    /// Whether this is libgcrypt's null expression.
    pub fn is_nil(&self) -> bool {
        self.items.is_empty()
    }

    /// In libgcrypt an expression that starts with an empty list is nil, whatever follows.
    fn normalised(items: Vec<Item>) -> Sexp {
        match items.as_slice() {
            [Item::Open, Item::Close, ..] => Sexp { items: Vec::new() },
            _ => Sexp { items },
        }
    }
}

impl<'a> Part<'a> {
    /// A copy of it as a separate expression.
    pub fn to_sexp(self) -> Result<Sexp, OutOfMemory> {
        buffer::collect(self.items.iter().map(Item::copy)).map(Sexp::normalised)
    }

    /// The number of members in lists of the outermost level, as `gcry_sexp_length` counts: over all lists if there are several.
    pub fn length(self) -> usize {
        let mut depth = 0_usize;
        let mut length = 0;
        for item in self.items {
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

    /// The atom at index `number` of the (first) list, as `gcry_sexp_nth_data` finds it; `None` if there is a list or nothing.
    /// An expression that starts with an atom outside any list has that one at index 0.
    pub fn nth_data(self, number: usize) -> Option<&'a [u8]> {
        if let (Some(Item::Atom(atom)), 0) = (self.items.first(), number) {
            return Some(atom);
        }
        match self.members().nth(number)? {
            [Item::Atom(atom)] => Some(atom),
            _ => None,
        }
    }

    /// The members of the (first) list after its head. Where `gcry_sexp_nth` makes a list of an atom, this is the atom alone,
    /// which [`Self::nth_data`] has at index 0 as well.
    pub fn tail(self) -> impl Iterator<Item = Part<'a>> {
        self.members().skip(1).map(|items| Part { items })
    }

    /// The first list, at any depth and in reading order, whose head is the atom `token`: `gcry_sexp_find_token`.
    pub fn find_token(self, token: &[u8]) -> Option<Part<'a>> {
        let start = self.items.windows(2).position(
            |pair| matches!(pair, [Item::Open, Item::Atom(head)] if head.as_slice() == token),
        )?;
        let items = member_at(self.items.get(start..)?)?;
        Some(Part { items })
    }

    /// The members of the first list, each as a slice of items.
    fn members(self) -> impl Iterator<Item = &'a [Item]> {
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
}

impl Item {
    fn copy(&self) -> Result<Item, OutOfMemory> {
        Ok(match self {
            Item::Open => Item::Open,
            Item::Close => Item::Close,
            Item::Atom(atom) => Item::Atom(Zeroizing::new(buffer::copy(atom)?)),
        })
    }
}

/// Shows only the size: atoms may be private keys.
impl fmt::Debug for Sexp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sexp")
            .field("items", &self.items.len())
            .finish_non_exhaustive()
    }
}

/// The first member of a slice: one atom, or a list with its closing. `None` at a closing or at the end.
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
                        *sexp.to_advanced().unwrap(),
                        unhex(fields[2]),
                        "{shown:?}: {:?}",
                        String::from_utf8_lossy(&sexp.to_advanced().unwrap())
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
        let whole = sexp.whole();
        let found = whole.find_token(b"c").unwrap();
        assert_eq!(found.nth_data(1), Some(&b"x"[..]));
        assert_eq!(found.to_sexp(), Ok(parse(b"(c 1:x)")));
        assert_eq!(whole.find_token(b"a").unwrap().to_sexp(), Ok(sexp.clone()));
        assert!(whole.find_token(b"x").is_none(), "x heads no list");
    }

    #[test]
    fn counts_and_picks_members_as_libgcrypt() {
        let sexp = parse(b"(a b (c d) ())");
        let sexp = sexp.whole();
        assert_eq!(sexp.length(), 4);
        assert_eq!(sexp.nth_data(0), Some(&b"a"[..]));
        assert_eq!(sexp.nth_data(1), Some(&b"b"[..]));
        assert_eq!(sexp.nth_data(2), None, "a list is no data");
        assert_eq!(sexp.nth_data(4), None);
        let tail: Vec<Part> = sexp.tail().collect();
        assert_eq!(tail.len(), 3);
        assert_eq!(tail[0].nth_data(0), Some(&b"b"[..]));
        assert!(tail[0].find_token(b"b").is_none());
        assert_eq!(tail[1].to_sexp(), Ok(parse(b"(c d)")));
        assert!(tail[2].to_sexp().unwrap().is_nil());
        assert_eq!(tail[2].nth_data(0), None);
        assert_eq!(parse(b"(a b)(c d e)").whole().length(), 5);
        let outside = parse(b"a (b c)");
        assert_eq!(outside.whole().nth_data(0), Some(&b"a"[..]));
        assert_eq!(outside.whole().nth_data(1), None);
    }

    #[test]
    fn debug_shows_no_atom() {
        let sexp = parse(b"(x secret)");
        let member = Member::atom(b"secret").unwrap();
        let shown = format!("{sexp:?}{:?}{member:?}", sexp.whole());
        assert_eq!(shown, "Sexp { items: 4, .. }Part(secret)Member(secret)");
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
        // Numbers that overflow in libgcrypt.
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
        let leaf = atom.prop_map(|bytes| Sexp::list([Member::atom(&bytes).unwrap()]).unwrap());
        leaf.prop_recursive(6, 60, 6, |inner| {
            (any::<Vec<u8>>(), prop::collection::vec(inner, 0..6)).prop_map(|(head, lists)| {
                let lists = lists.into_iter().map(Member::List);
                let head = Member::atom(&head).unwrap();
                Sexp::list(std::iter::once(head).chain(lists)).unwrap()
            })
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(sexp in sexps()) {
            prop_assert_eq!(parse(&sexp.to_advanced().unwrap()), sexp);
        }

        #[test]
        fn any_bytes_give_an_expression_or_an_error(input in any::<Vec<u8>>()) {
            let _ = Sexp::parse(&input).map(|sexp| sexp.to_advanced().unwrap());
        }

        #[test]
        fn any_syntax_like_bytes_give_an_expression_or_an_error(
            input in r#"[()\[\]"\\#|:0-9xafn \r\n=\x00]{0,40}"#
        ) {
            if let Ok(sexp) = Sexp::parse(input.as_bytes()) {
                let whole = sexp.whole();
                let _ = (whole.length(), whole.nth_data(1).is_some(), whole.tail().count());
                // Printing preserves everything, except for libgcrypt's treatment of nil.
                if !sexp.is_nil() {
                    prop_assert_eq!(parse(&sexp.to_advanced().unwrap()), sexp);
                }
            }
        }
    }
}
