package org.jvirt.images.file;

/// How a host file is opened.
///
/// @param shared whether it is opened though others may be writing to it, as `qemu-img --force-share` does: only
/// for
///               reading, and what is read may be torn
public record FileAccess(boolean readOnly, CacheMode cache, boolean shared) {
    public FileAccess {
        if (shared && !readOnly) {
            throw new IllegalArgumentException("Only readers can share a file with a writer");
        }
    }

    public static FileAccess reading() {
        return new FileAccess(true, CacheMode.WRITEBACK, false);
    }

    public static FileAccess writing() {
        return new FileAccess(false, CacheMode.WRITEBACK, false);
    }
}
