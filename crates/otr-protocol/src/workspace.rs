//! Memory in which one data message after another is encoded or decoded.

/// Memory for messages of usual length. What is longer gets memory of its own, which is freed afterwards.
#[derive(Debug, Default)]
pub(super) struct Workspace(Vec<u8>);

impl Workspace {
    /// How much memory is kept between messages at most, in bytes.
    const KEPT: usize = 2048;

    /// Takes the memory out: an empty buffer, perhaps with a capacity.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    /// Takes it back. Secrets in it must have been wiped.
    pub(super) fn put_back(&mut self, mut bytes: Vec<u8>) {
        if bytes.capacity() <= Self::KEPT {
            bytes.clear();
            self.0 = bytes;
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
        workspace.put_back(vec![1; Workspace::KEPT + 1]);
        assert_eq!(workspace.take().capacity(), 0);
    }
}
