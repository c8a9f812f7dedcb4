package org.jvirt.linux;

/// One ioctl without argument, done millions of times: `KVM_RUN`. Allocates nothing. May block, and other threads
/// of the Java machine go on meanwhile, its garbage collector too.
public final class RepeatedCall {
    private final int fd;
    private final long request;

    RepeatedCall(int fd, long request) {
        this.fd = fd;
        this.request = request;
    }

    /// Does it. A failure is -1, whatever its reason; this is the faster form.
    public int call() {
        return LibC.ioctlPlain(fd, request, 0);
    }

    /// Does it. A failure is `-errno`.
    public int callForErrno() {
        return LibC.ioctl(fd, request, 0);
    }
}
