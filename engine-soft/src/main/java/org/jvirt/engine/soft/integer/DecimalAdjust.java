package org.jvirt.engine.soft.integer;

import org.jvirt.engine.soft.cpu.Flags;

/// What the BCD instructions compute, on AL or AX (Intel SDM volume 2, `AAA`, `AAD`, `AAM`, `AAS`, `DAA`, `DAS`).
///
/// SF, ZF and PF follow the new AL also where the manual leaves them undefined.
final class DecimalAdjust {
    private DecimalAdjust() {}

    static int daa(Flags flags, int al) {
        boolean low = (al & 15) > 9 || flags.af();
        boolean high = al > 0x99 || flags.cf();
        int r = al + (low ? 6 : 0) + (high ? 0x60 : 0) & 0xFF;
        note(flags, r, high, low);
        return r;
    }

    static int das(Flags flags, int al) {
        boolean low = (al & 15) > 9 || flags.af();
        boolean high = al > 0x99 || flags.cf();
        int r = al - (low ? 6 : 0) - (high ? 0x60 : 0) & 0xFF;
        note(flags, r, high || low && al < 6, low);
        return r;
    }

    static int aaa(Flags flags, int ax) {
        boolean adjust = (ax & 15) > 9 || flags.af();
        int r = (adjust ? ax + 0x106 : ax) & 0xFF0F;
        note(flags, r & 0xFF, adjust, adjust);
        return r;
    }

    static int aas(Flags flags, int ax) {
        boolean adjust = (ax & 15) > 9 || flags.af();
        int r = (adjust ? ax - 0x106 : ax) & 0xFF0F;
        note(flags, r & 0xFF, adjust, adjust);
        return r;
    }

    /// @param base not zero
    static int aam(Flags flags, int al, int base) {
        int r = (al / base) << 8 | al % base;
        note(flags, r & 0xFF, false, false);
        return r;
    }

    static int aad(Flags flags, int ax, int base) {
        int r = (ax & 0xFF) + (ax >>> 8) * base & 0xFF;
        note(flags, r, false, false);
        return r;
    }

    private static void note(Flags flags, int al, boolean carry, boolean adjust) {
        flags.note((byte) al, carry, false);
        if (adjust) {
            flags.unpack(flags.pack() | Flags.AF);
        }
    }
}
