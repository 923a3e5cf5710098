//! Memory in which one data message after another is encoded or decoded.

use otr_crypto::secret::SecretBytes;

/// Memory for messages of usual length. What is longer gets memory of its own, which is freed afterwards.
#[derive(Debug, Default)]
pub(super) struct Workspace(SecretBytes);

impl Workspace {
    /// How much memory is kept between messages at most, in bytes.
    const KEPT: usize = 2048;

    /// Takes the memory out: an empty buffer, perhaps with a capacity.
    pub(super) fn take(&mut self) -> SecretBytes {
        std::mem::take(&mut self.0)
    }

    /// Takes it back. Secrets in it must have been wiped: it is not wiped again.
    pub(super) fn put_back(&mut self, mut bytes: SecretBytes) {
        let mut bytes = std::mem::take(&mut *bytes);
        if bytes.capacity() <= Self::KEPT {
            bytes.clear();
            self.0 = SecretBytes::new(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_messages_share_memory_and_long_ones_do_not_keep_theirs() {
        let mut workspace = Workspace::default();
        let mut bytes = workspace.take();
        assert_eq!(bytes.capacity(), 0);
        bytes.extend_from_slice(&[1; 300]);
        let place = bytes.as_ptr();
        workspace.put_back(bytes);
        let again = workspace.take();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        workspace.put_back(SecretBytes::new(vec![1; Workspace::KEPT + 1]));
        assert_eq!(workspace.take().capacity(), 0);
    }
}
