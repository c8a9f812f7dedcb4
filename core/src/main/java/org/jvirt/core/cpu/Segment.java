package org.jvirt.core.cpu;

/// A segment register with its hidden part.
///
/// @param limit      highest offset, scaled to bytes, 0–0xffff_ffff
/// @param attributes descriptor bits 40–47 and 52–55 as in the second descriptor word shifted right by 8: type 0–3,
///                   S 4, DPL 5–6, P 7, AVL 12, L 13, D/B 14, G 15; bit 16 set means unusable (a null selector was
///                   loaded)
public record Segment(int selector, long base, long limit, int attributes) {
    public static final int S = 1 << 4;
    public static final int PRESENT = 1 << 7;
    public static final int LONG = 1 << 13;
    public static final int BIG = 1 << 14;
    public static final int GRANULARITY = 1 << 15;
    public static final int UNUSABLE = 1 << 16;

    public int type() {
        return attributes & 0xf;
    }

    public int dpl() {
        return attributes >> 5 & 3;
    }

    public boolean has(int attribute) {
        return (attributes & attribute) != 0;
    }

    /// A flat 64-bit or 32-bit segment as boot protocols ask for.
    public static Segment flat(int selector, int attributes) {
        return new Segment(selector, 0, 0xffff_ffffL, attributes);
    }
}
