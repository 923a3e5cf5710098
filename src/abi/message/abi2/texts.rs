//! The texts for the user, and for the correspondent's user.
//!
//! Clients of libotr 3 search these texts for some phrases, which are marked and must not change. `<b>` and `<i>` are HTML,
//! which the lines in a conversation may contain.

use otr_protocol::buffer::concat;
use otr_protocol::effects::Notice;

/// The texts of a notice.
pub(crate) struct Wording {
    /// A line in the conversation.
    pub line: Vec<u8>,
    /// The texts of a window; `None` for a notice that is only shown in the conversation.
    pub window: Option<Window>,
}

/// The parts of a window.
pub(crate) struct Window {
    /// Whether it is an error or a warning.
    pub is_error: bool,
    /// What it is about.
    pub title: &'static str,
    /// What happened.
    pub primary: Vec<u8>,
    /// Details.
    pub secondary: &'static str,
}

/// Joins the parts of a text. `None` if out of memory.
macro_rules! text {
    ($($part:expr),+) => {
        concat(&[$(AsRef::<[u8]>::as_ref(&$part)),+]).ok()?
    };
}

/// The texts for a notice about a correspondent; `message` is the text that belongs to it. `None` for a notice that is only
/// logged, and if out of memory.
pub(crate) fn wording(notice: Notice, user: &[u8], message: &[u8]) -> Option<Wording> {
    let window = |is_error, title, primary: Vec<u8>, secondary| {
        Some(Window {
            is_error,
            title,
            primary,
            secondary,
        })
    };
    Some(match notice {
        Notice::EncryptionRequired => Wording {
            line: text!(
                "A private conversation is being started first. Your message follows as soon as there is one."
            ),
            window: window(
                false,
                "Encryption required",
                text!("Your message to ", user, " was not sent unencrypted"),
                "Your settings allow only encrypted messages to this correspondent. A private conversation is being started, \
                 and your message follows as soon as there is one.",
            ),
        },
        Notice::EncryptionError => Wording {
            line: text!("Your message could not be encrypted, and was not sent."),
            window: window(
                true,
                "Encryption failed",
                text!("Your message to ", user, " could not be encrypted"),
                "It was not sent.",
            ),
        },
        Notice::ConnectionEnded => Wording {
            line: text!(
                "Your message was not sent: ",
                user,
                " has ended the private conversation. End it as well, or start it again."
            ),
            // Clients look for all three parts.
            window: window(
                true,
                "Private connection closed",
                text!(user, " has already closed his private connection to you"),
                "Your message was not sent.  Either close your private connection to him, or refresh it.",
            ),
        },
        Notice::MessageReflected => {
            let why =
                "Either you are talking to yourself, or somebody sends your messages back to you.";
            Wording {
                line: text!("Our own OTR messages are coming back. ", why),
                window: window(
                    true,
                    "OTR error",
                    text!("Our own OTR messages are coming back"),
                    why,
                ),
            }
        }
        Notice::ReceivedUnreadable => Wording {
            // Clients look for "received an unreadable encrypted".
            line: text!(
                "We received an unreadable encrypted message from ",
                user,
                "."
            ),
            window: window(
                true,
                "OTR error",
                text!(
                    "We received an unreadable encrypted message from ",
                    user,
                    "."
                ),
                "",
            ),
        },
        Notice::ReceivedMalformed => Wording {
            line: text!("A damaged OTR message arrived from ", user, "."),
            window: window(
                true,
                "OTR error",
                text!("A damaged OTR message arrived from ", user, "."),
                "",
            ),
        },
        Notice::MessageResent => Wording {
            line: text!("<b>Your last message to ", user, " was sent again.</b>"),
            window: None,
        },
        Notice::ReceivedNotInPrivate | Notice::ReceivedForOtherInstance => Wording {
            line: text!(
                "<b>An encrypted message from ",
                user,
                " can't be read, since you have no private conversation at present.</b>"
            ),
            window: None,
        },
        Notice::ReceivedUnencrypted => Wording {
            line: text!(
                "<b>This message from ",
                user,
                " was <i>not</i> encrypted: [</b>",
                message,
                "<b>]</b>"
            ),
            window: None,
        },
        Notice::ReceivedError => Wording {
            line: text!("OTR Error: ", message),
            window: None,
        },
        Notice::HeartbeatReceived | Notice::HeartbeatSent | Notice::ReceivedUnrecognised => {
            return None;
        }
    })
}

/// The line for the log, if a notice has one and there is memory for it.
pub(crate) fn log_line(notice: Notice, user: &[u8]) -> Option<Vec<u8>> {
    Some(match notice {
        Notice::HeartbeatReceived => text!("Heartbeat received from ", user, ".\n"),
        Notice::HeartbeatSent => text!("Heartbeat sent to ", user, ".\n"),
        Notice::ReceivedUnrecognised => {
            text!("OTR message of an unknown kind received from ", user, ".\n")
        }
        _ => return None,
    })
}

/// The text that no session could be set up. `None` if out of memory.
pub(crate) fn setup_failed(reason: &[u8]) -> Option<Wording> {
    let words = "The private conversation could not be set up: ";
    Some(Wording {
        line: text!(words, reason),
        window: Some(Window {
            is_error: true,
            title: "OTR error",
            primary: text!(words, reason),
            secondary: "",
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use otr_protocol::effects::unexpected_data;

    #[test]
    fn clients_find_the_phrases_that_they_look_for() {
        let all = [
            Notice::EncryptionRequired,
            Notice::EncryptionError,
            Notice::ConnectionEnded,
            Notice::MessageReflected,
            Notice::MessageResent,
            Notice::ReceivedNotInPrivate,
            Notice::ReceivedUnreadable,
            Notice::ReceivedMalformed,
            Notice::ReceivedError,
            Notice::ReceivedUnencrypted,
        ];
        let mut said = String::from_utf8(unexpected_data(b"bob").unwrap()).unwrap() + "\n";
        for notice in all {
            let words = wording(notice, b"\xc3\xa4lice", b"hello").unwrap();
            assert!(log_line(notice, b"").is_none());
            said += &(String::from_utf8(words.line).unwrap() + "\n");
            if let Some(window) = words.window {
                let primary = String::from_utf8(window.primary).unwrap();
                said += &format!("{}\n{primary}\n{}\n", window.title, window.secondary);
            }
        }
        for phrase in [
            "You sent encrypted data to bob, who wasn't expecting it",
            "\u{e4}lice has already closed his private connection to you",
            "Your message was not sent.  Either close your private connection to him, or refresh it.",
            "received an unreadable encrypted",
            "\nPrivate connection closed\n",
            "<i>not</i> encrypted: [</b>hello<b>]</b>",
        ] {
            assert!(said.contains(phrase), "{phrase}");
        }
        for notice in [
            Notice::HeartbeatReceived,
            Notice::HeartbeatSent,
            Notice::ReceivedUnrecognised,
        ] {
            assert!(wording(notice, b"a", b"").is_none());
            assert!(log_line(notice, b"a").unwrap().ends_with(b" a.\n"));
        }
    }
}
