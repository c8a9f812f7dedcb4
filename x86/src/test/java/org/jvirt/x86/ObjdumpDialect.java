package org.jvirt.x86;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Where objdump's words differ from the manual's, and this module keeps to the manual.
final class ObjdumpDialect {
    private static final Pattern EIZ = Pattern.compile("\\[eiz\\*1\\+(0x[0-9a-f]+)]");
    private static final Pattern TARGET = Pattern.compile("0x([0-9a-f]+)$");

    private static final Pattern NOISE = Pattern.compile("(addr16|addr32|data16|data32|notrack|rex\\.[WRXB]+) ");

    private ObjdumpDialect() {}

    /// Encodings that objdump does not know, or gives to an extension that this table leaves out; old processors
    /// and those without the extension execute them as the table says.
    static boolean unknown(String theirs, Instruction instruction) {
        boolean other = theirs.contains("(bad)")
                || theirs.contains("bnd")
                || theirs.contains("(8087 only)")
                || theirs.contains("(287 only)")
                || theirs.contains("cldemote")
                || theirs.contains("prefetchi");
        return other && (instruction.row().alias() || instruction.mnemonic() == Mnemonic.SALC);
    }

    static boolean equal(String ours, String theirs, Instruction instruction) {
        String other = theirs;
        while (NOISE.matcher(other).lookingAt()) {
            // a prefix that shows nowhere else in the text; a CS or DS prefix as branch hint
            other = other.substring(other.indexOf(' ') + 1);
        }
        Matcher eiz = EIZ.matcher(other);
        if (eiz.find()) {
            // no base, no index, but a SIB byte
            String plain = instruction.segmentOverridden() ? eiz.group(1) : "ds:" + eiz.group(1);
            other = other.substring(0, eiz.start()) + plain + other.substring(eiz.end());
        }
        other = other.replace("OWORD PTR", "XMMWORD PTR").replace("+0x0]", "]");
        String own = ours.replace("+0x0]", "]");
        if (isBranch(instruction)) {
            return name(other).equals(name(NOISE.matcher(ours).replaceFirst("")))
                    && sameTarget(ours, other, instruction);
        }
        if (instruction.mnemonic() == Mnemonic.CALL || instruction.mnemonic() == Mnemonic.JMP) {
            return withoutSegment(ours).equals(withoutSegment(other))
                    || sameButForSpelling(withoutSegment(ours), withoutSegment(other), instruction);
        }
        return own.equals(other) || sameButForSpelling(own, other, instruction);
    }

    private static boolean sameButForSpelling(String ours, String other, Instruction instruction) {
        int end = ours.indexOf(' ');
        String rest = end < 0 ? "" : ours.substring(end);
        String ourName = end < 0 ? ours : ours.substring(0, end);
        int otherEnd = other.indexOf(' ');
        String otherRest = otherEnd < 0 ? "" : other.substring(otherEnd);
        String otherName = otherEnd < 0 ? other : other.substring(0, otherEnd);
        if (rest.equals(otherRest)
                && (otherName.equals(ourName + "d")
                        || otherName.equals(ourName + "w")
                        || otherName.equals(ourName + "q"))) {
            return true;
        }
        return switch (instruction.mnemonic()) {
            // predicates in the name
            case CMPPS, CMPPD, CMPSS, CMPSD, VCMPPS, VCMPPD, VCMPSS, VCMPSD, PCLMULQDQ, VPCLMULQDQ ->
                otherName.contains("cmp") == ourName.contains("cmp")
                        && rest.substring(0, rest.lastIndexOf(',')).equals(otherRest);
            // Intel's m16:64, where objdump follows AMD
            case CALLF, JMPF, LSS, LFS, LGS -> ours.replace("TBYTE", "FWORD").equals(other);
            case MOVSXD -> instruction.operandSize() == 2;
            // the register's or the memory operand's size
            case MOV, LAR, LSL, UD0, UD1, INVLPG, INVPCID, LDDQU, VLDDQU, PREFETCHW, PREFETCH, NOP ->
                (instruction.mnemonic() != Mnemonic.MOV || instruction.kind(0) == OperandKind.SEGMENT)
                        && ourName.startsWith(otherName.substring(0, 3));
            default -> false;
        };
    }

    private static boolean isBranch(Instruction instruction) {
        return instruction.operandCount() > 0 && instruction.kind(0) == OperandKind.RELATIVE;
    }

    private static String withoutSegment(String text) {
        return text.replace(" ds:[", " [")
                .replace(" cs:[", " [")
                .replace(" ds:", " ")
                .replace(" cs:", " ");
    }

    /// The name, without the size suffix that 16-bit code shows.
    private static String name(String text) {
        String name = withoutTarget(text);
        boolean suffixed = name.endsWith("d") || name.endsWith("w");
        return suffixed ? name.substring(0, name.length() - 1) : name;
    }

    private static String withoutTarget(String text) {
        return text.substring(0, text.lastIndexOf(' '));
    }

    private static boolean sameTarget(String ours, String theirs, Instruction instruction) {
        long difference = target(ours) - target(theirs);
        // objdump does not wrap instruction pointers
        long mask = instruction.operandSize() == 2 ? 0xFFFF : instruction.operandSize() == 4 ? 0xFFFF_FFFFL : -1;
        return (difference & mask) == 0;
    }

    private static long target(String text) {
        Matcher matcher = TARGET.matcher(text);
        return matcher.find() ? Long.parseUnsignedLong(matcher.group(1), 16) : -1;
    }
}
