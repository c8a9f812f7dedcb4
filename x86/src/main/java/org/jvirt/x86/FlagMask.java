package org.jvirt.x86;

/// Bits of RFLAGS (Intel SDM volume 1, section 3.4.3) as masks for [OpcodeRow#flagsRead()] and its siblings.
public final class FlagMask {
    public static final int CF = 1;
    public static final int PF = 1 << 2;
    public static final int AF = 1 << 4;
    public static final int ZF = 1 << 6;
    public static final int SF = 1 << 7;
    public static final int TF = 1 << 8;
    public static final int IF = 1 << 9;
    public static final int DF = 1 << 10;
    public static final int OF = 1 << 11;
    public static final int IOPL = 3 << 12;
    public static final int NT = 1 << 14;
    public static final int RF = 1 << 16;
    public static final int VM = 1 << 17;
    public static final int AC = 1 << 18;
    public static final int VIF = 1 << 19;
    public static final int VIP = 1 << 20;
    public static final int ID = 1 << 21;
    /// The six status flags.
    public static final int STATUS = CF | PF | AF | ZF | SF | OF;
    public static final int ALL = STATUS | TF | IF | DF | IOPL | NT | RF | VM | AC | VIF | VIP | ID;

    private FlagMask() {}

    /// The mask of a table cell such as `oszapc`.
    static int parse(String letters) {
        if (letters.equals("all")) {
            return ALL;
        }
        int mask = 0;
        for (int i = 0; i < letters.length(); i++) {
            mask |= switch (letters.charAt(i)) {
                case 'c' -> CF;
                case 'p' -> PF;
                case 'a' -> AF;
                case 'z' -> ZF;
                case 's' -> SF;
                case 'i' -> IF;
                case 'd' -> DF;
                case 'o' -> OF;
                default -> throw new IllegalStateException("opcode table: no flag in " + letters);
            };
        }
        return mask;
    }
}
