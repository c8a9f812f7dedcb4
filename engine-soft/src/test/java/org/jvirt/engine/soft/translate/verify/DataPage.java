package org.jvirt.engine.soft.translate.verify;

/// The pages of a program's data, in the order of their addresses.
enum DataPage {
    LOW_GUARD(Kind.ABSENT),
    FIRST(Kind.WRITABLE),
    SECOND(Kind.WRITABLE),
    READ_ONLY(Kind.READ_ONLY),
    THIRD(Kind.WRITABLE),
    SUPERVISOR(Kind.SUPERVISOR),
    FOURTH(Kind.WRITABLE),
    HOLE(Kind.ABSENT),
    FIFTH(Kind.WRITABLE),
    DEVICE(Kind.DEVICE),
    SIXTH(Kind.WRITABLE),
    ROM(Kind.ROM),
    SEVENTH(Kind.WRITABLE),
    HIGH_GUARD(Kind.ABSENT);

    enum Kind {
        ABSENT,
        WRITABLE,
        READ_ONLY,
        /// Only for the supervisor.
        SUPERVISOR,
        /// Device registers.
        DEVICE,
        /// Memory that ignores writes.
        ROM
    }

    final Kind kind;

    DataPage(Kind kind) {
        this.kind = kind;
    }

    boolean isRam() {
        return kind == Kind.WRITABLE || kind == Kind.READ_ONLY || kind == Kind.SUPERVISOR;
    }

    /// Offset of the page from [Layout#DATA].
    long offset() {
        return (long) ordinal() * Layout.PAGE;
    }

    /// Where the page's content lies: mostly not in the order of the addresses, so that an access that runs over
    /// the end of one page meets something else than the next one.
    long gpa() {
        return switch (kind) {
            case ABSENT -> throw new IllegalStateException(this + " has no memory");
            case WRITABLE, READ_ONLY, SUPERVISOR -> Layout.DATA_GPA + place() * Layout.PAGE;
            case DEVICE -> Layout.DEVICE_GPA;
            case ROM -> Layout.ROM_GPA;
        };
    }

    /// Two pages follow the one before them in memory as well.
    private long place() {
        return switch (this) {
            case SECOND -> FIRST.place() + 1;
            case FOURTH -> SUPERVISOR.place() + 1;
            default -> ordinal() * 5L & 15;
        };
    }
}
