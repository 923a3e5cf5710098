//! The private key file: `(privkeys (account (name ..) (protocol ..) (private-key (dsa (p ..) (q ..) (g ..) (y ..) (x ..)))) ..)`.

use super::sexp::{MAX_ATOM, Member, Part, Sexp, SyntaxError};
use crate::buffer::{self, OutOfMemory};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// An account with its key.
pub struct Account {
    /// The name of the account, without a NUL.
    pub name: Vec<u8>,
    /// The protocol, without a NUL.
    pub protocol: Vec<u8>,
    /// The list `(private-key ..)` as it was read, with everything else in it.
    pub key: Sexp,
    /// The numbers in it.
    pub numbers: DsaNumbers,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("name", &format_args!("\"{}\"", self.name.escape_ascii()))
            .field(
                "protocol",
                &format_args!("\"{}\"", self.protocol.escape_ascii()),
            )
            .finish_non_exhaustive()
    }
}

/// The numbers of a DSA key, each big-endian without leading zeros (0 is empty). Wiped on drop.
///
/// `x` is empty if the file has none: the account is then listed, as libotr lists it, and cannot sign.
#[derive(Default, Zeroize, ZeroizeOnDrop)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq))]
pub struct DsaNumbers {
    /// The prime modulus.
    pub p: Vec<u8>,
    /// The prime order.
    pub q: Vec<u8>,
    /// The generator.
    pub g: Vec<u8>,
    /// The public key.
    pub y: Vec<u8>,
    /// The private key.
    pub x: Vec<u8>,
}

impl fmt::Debug for DsaNumbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DsaNumbers").finish_non_exhaustive()
    }
}

/// Why a file has no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivateKeysError {
    /// It is not an S-expression.
    Syntax(SyntaxError),
    /// It is an S-expression, but not of keys, or a part of an account is missing.
    Unusable,
    /// There is no memory for them.
    OutOfMemory,
}

impl PrivateKeysError {
    /// The code of libgpg-error that libotr returns for this.
    pub fn code(self) -> u32 {
        match self {
            PrivateKeysError::Syntax(error) => error.code(),
            PrivateKeysError::Unusable => 54,
            PrivateKeysError::OutOfMemory => SyntaxError::OutOfMemory.code(),
        }
    }
}

impl fmt::Display for PrivateKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrivateKeysError::Syntax(error) => error.fmt(f),
            PrivateKeysError::Unusable => f.write_str("no usable private keys"),
            PrivateKeysError::OutOfMemory => OutOfMemory.fmt(f),
        }
    }
}

impl std::error::Error for PrivateKeysError {}

impl From<SyntaxError> for PrivateKeysError {
    fn from(error: SyntaxError) -> Self {
        match error {
            SyntaxError::OutOfMemory => PrivateKeysError::OutOfMemory,
            error => PrivateKeysError::Syntax(error),
        }
    }
}

impl From<OutOfMemory> for PrivateKeysError {
    fn from(_: OutOfMemory) -> Self {
        PrivateKeysError::OutOfMemory
    }
}

/// Reads a file: all accounts in order, or none.
///
/// libotr's list is in reverse order, because it adds each account at the front.
///
/// # Errors
/// The syntax error, or `Unusable` if any part of any account is missing.
pub fn parse(file: &[u8]) -> Result<Vec<Account>, PrivateKeysError> {
    match read(file) {
        (accounts, None) => Ok(accounts),
        (_, Some(error)) => Err(error),
    }
}

/// As [`parse`], but with an error the accounts before the damage are returned as well. There are none if the whole file is not
/// an S-expression.
pub fn read(file: &[u8]) -> (Vec<Account>, Option<PrivateKeysError>) {
    let keys = match Sexp::parse(file) {
        Ok(keys) => keys,
        Err(error) => return (Vec::new(), Some(error.into())),
    };
    let keys = keys.whole();
    let mut accounts = Vec::new();
    if keys.nth_data(0) != Some(b"privkeys") {
        return (accounts, Some(PrivateKeysError::Unusable));
    }
    for account in keys.tail() {
        let account = parse_account(account);
        let taken = account.and_then(|account| Ok(buffer::push(&mut accounts, account)?));
        if let Err(error) = taken {
            return (accounts, Some(error));
        }
    }
    // libotr counts members of a second list as accounts, and then does not find them.
    let is_whole = accounts.len() >= keys.length().saturating_sub(1);
    (accounts, (!is_whole).then_some(PrivateKeysError::Unusable))
}

fn parse_account(account: Part<'_>) -> Result<Account, PrivateKeysError> {
    if account.nth_data(0) != Some(b"account") {
        return Err(PrivateKeysError::Unusable);
    }
    let name = account.find_token(b"name");
    let protocol = account.find_token(b"protocol");
    let key = account.find_token(b"private-key");
    let (Some(name), Some(protocol), Some(key)) = (name, protocol, key) else {
        return Err(PrivateKeysError::Unusable);
    };
    Ok(Account {
        name: c_string(name)?,
        protocol: c_string(protocol)?,
        numbers: DsaNumbers::from_sexp(key)?,
        key: key.to_sexp()?,
    })
}

/// The atom after the head of a list, up to its first NUL.
fn c_string(list: Part<'_>) -> Result<Vec<u8>, PrivateKeysError> {
    let text = list.nth_data(1).ok_or(PrivateKeysError::Unusable)?;
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    Ok(buffer::copy(text)?)
}

impl DsaNumbers {
    /// Finds the numbers in a `(private-key (dsa ..))`, or in any list that contains a `(dsa ..)`.
    ///
    /// # Errors
    /// `Unusable` if p, q, g or y is missing. Whether they are a valid key is checked by otr-crypto. `OutOfMemory`.
    pub fn from_sexp(key: Part<'_>) -> Result<DsaNumbers, PrivateKeysError> {
        let dsa = key.find_token(b"dsa").ok_or(PrivateKeysError::Unusable)?;
        let digits = |name: &[u8]| {
            let bytes = dsa.find_token(name)?.nth_data(1)?;
            let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
            bytes.get(zeros..)
        };
        // A missing number is found before any is copied.
        let [p, q, g, y] = [b"p", b"q", b"g", b"y"].map(|name| digits(name));
        let ((Some(p), Some(q)), (Some(g), Some(y))) = ((p, q), (g, y)) else {
            return Err(PrivateKeysError::Unusable);
        };
        let mut numbers = DsaNumbers::default();
        numbers.p = buffer::copy(p)?;
        numbers.q = buffer::copy(q)?;
        numbers.g = buffer::copy(g)?;
        numbers.y = buffer::copy(y)?;
        numbers.x = buffer::copy(digits(b"x").unwrap_or_default())?;
        Ok(numbers)
    }

    /// The list `(private-key (dsa ..))` with these numbers, as libgcrypt makes it for a new key.
    pub fn to_sexp(&self) -> Result<Sexp, OutOfMemory> {
        let mut dsa = Vec::new();
        dsa.push(Member::atom(b"dsa")?);
        for (name, number) in [
            (b"p", &self.p),
            (b"q", &self.q),
            (b"g", &self.g),
            (b"y", &self.y),
            (b"x", &self.x),
        ] {
            let value = Member::Atom(signed(number)?);
            dsa.push(Member::List(Sexp::list([Member::atom(name)?, value])?));
        }
        Sexp::list([
            Member::atom(b"private-key")?,
            Member::List(Sexp::list(dsa)?),
        ])
    }

    /// The public key block that is sent and hashed to the fingerprint: p, q, g, y as MPIs (4 bytes of length each), without
    /// the type in front.
    pub fn pubkey_data(&self) -> Result<Vec<u8>, OutOfMemory> {
        let mut block = Vec::new();
        for number in [&self.p, &self.q, &self.g, &self.y] {
            // Atoms are bounded by MAX_ATOM, so a number cannot have 4 GiB.
            let length = u32::try_from(number.len()).unwrap_or(u32::MAX);
            buffer::append(&mut block, &length.to_be_bytes())?;
            buffer::append(&mut block, number)?;
        }
        Ok(block)
    }
}

/// A number in libgcrypt's signed form: with a leading zero byte if the first bit would be a sign.
fn signed(number: &[u8]) -> Result<Zeroizing<Vec<u8>>, OutOfMemory> {
    let would_be_minus = number.first().is_some_and(|&first| first >= 0x80);
    let zero: &[u8] = if would_be_minus { b"\0" } else { b"" };
    Ok(Zeroizing::new(buffer::concat(&[zero, number])?))
}

/// An account to be written.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The name of the account.
    pub name: &'a [u8],
    /// Its protocol.
    pub protocol: &'a [u8],
    /// Its list `(private-key ..)`.
    pub key: &'a Sexp,
}

/// Why no file was made. It is an error so that no key is lost silently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritten {
    /// A name is longer than the 65535 bytes that libgcrypt can read back.
    NameTooLong,
    /// There is no memory for it.
    OutOfMemory,
}

impl Unwritten {
    /// The code of libgpg-error for this: that of a string that is too long, or `ENOMEM`.
    pub fn code(self) -> u32 {
        match self {
            Unwritten::NameTooLong => SyntaxError::StringTooLong.code(),
            Unwritten::OutOfMemory => SyntaxError::OutOfMemory.code(),
        }
    }
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unwritten::NameTooLong => f.write_str("a name is too long for the private key file"),
            Unwritten::OutOfMemory => OutOfMemory.fmt(f),
        }
    }
}

impl std::error::Error for Unwritten {}

impl From<OutOfMemory> for Unwritten {
    fn from(_: OutOfMemory) -> Self {
        Unwritten::OutOfMemory
    }
}

/// The contents of a file with these accounts, in order and in libotr's layout.
///
/// # Errors
/// See [`Unwritten`].
pub fn write<'a>(
    accounts: impl IntoIterator<Item = Entry<'a>>,
) -> Result<Zeroizing<Vec<u8>>, Unwritten> {
    let mut parts = Vec::new();
    let mut add = |part| buffer::push(&mut parts, part);
    for account in accounts {
        add(Zeroizing::new(buffer::bounded(b" (account\n")))?;
        for (field, value) in [("name", account.name), ("protocol", account.protocol)] {
            if value.len() > MAX_ATOM {
                return Err(Unwritten::NameTooLong);
            }
            let list = Sexp::list([Member::atom(field.as_bytes())?, Member::atom(value)?])?;
            add(list.to_advanced()?)?;
        }
        add(account.key.to_advanced()?)?;
        add(Zeroizing::new(buffer::bounded(b" )\n")))?;
    }
    let (head, tail) = (b"(privkeys\n", b")\n");
    let length = parts.iter().map(|part| part.len()).sum::<usize>() + head.len() + tail.len();
    // Allocated in one piece, so that no copy of a key is left behind.
    let mut file = Zeroizing::new(buffer::with_capacity(length)?);
    buffer::append(&mut file, head)?;
    for part in &parts {
        buffer::append(&mut file, part)?;
    }
    buffer::append(&mut file, tail)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
