//! What a file is to Unix beside its contents: who owns it, who may read it, which one it is. Other systems have none of that here:
//! there a file has the rights that its directory gives it.

use std::fs::File;
use std::io::{self, ErrorKind};

#[cfg(not(unix))]
pub(super) use elsewhere::{FileTypeExt, MetadataExt, OpenOptionsExt, fchown};
#[cfg(unix)]
pub(super) use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, fchown};

/// Gives a file its mode.
pub(super) fn set_mode(file: &File, bits: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(bits))
    }
    #[cfg(not(unix))]
    {
        let _ = (file, bits);
        Ok(())
    }
}

/// An error by its number, as C programs know it. Other systems number theirs in another way.
pub(super) fn numbered(number: i32, kind: ErrorKind) -> io::Error {
    if cfg!(unix) {
        io::Error::from_raw_os_error(number)
    } else {
        kind.into()
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::fs::{File, FileType, Metadata, OpenOptions};
    use std::io;

    /// All files have one owner and one mode, and cannot be told apart.
    pub(in super::super) trait MetadataExt {
        fn uid(&self) -> u32 {
            0
        }
        fn gid(&self) -> u32 {
            0
        }
        fn mode(&self) -> u32 {
            0
        }
        fn dev(&self) -> u64 {
            0
        }
        fn ino(&self) -> u64 {
            0
        }
    }
    impl MetadataExt for Metadata {}

    pub(in super::super) trait FileTypeExt {
        fn is_block_device(&self) -> bool {
            false
        }
    }
    impl FileTypeExt for FileType {}

    pub(in super::super) trait OpenOptionsExt {
        fn mode(&mut self, _bits: u32) -> &mut Self {
            self
        }
    }
    impl OpenOptionsExt for OpenOptions {}

    pub(in super::super) fn fchown(_: &File, _: Option<u32>, _: Option<u32>) -> io::Result<()> {
        Ok(())
    }
}
