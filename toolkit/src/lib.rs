//! The programs of libotr's toolkit, and `otr-keys`. Each module of a program has a `run` that gets its arguments and
//! streams, so that tests need no process.
//!
//! - [`otr_parse`], [`otr_sesskeys`], [`otr_mackey`], [`otr_readforge`], [`otr_modify`], [`otr_remac`]: the six of libotr 4.1.1,
//!   with its arguments, its output to the byte and its exit status.
//! - [`otr_keys`]: key, fingerprint and instance tag files.
//! - [`program`]: what all of them share; [`messages`]: reading and writing messages.
#![forbid(unsafe_code)]

pub mod arguments;
pub mod data_message;
pub mod dump;
pub mod key_files;
pub mod messages;
pub mod otr_keys;
pub mod otr_mackey;
pub mod otr_modify;
pub mod otr_parse;
pub mod otr_readforge;
pub mod otr_remac;
pub mod otr_sesskeys;
pub mod program;
