package org.jvirt.x86;

import java.util.HashMap;

/// The operand cell of a row: `Ev*,Gv`. `=` marks an operand that is written, `*` one that is read and written.
///
/// @param specs the operands, destination first
/// @param access how each is used
record OperandList(OperandSpec[] specs, Access[] access) {
    static OperandList parse(String text, HashMap<String, OperandSpec> known) {
        if (text.equals("-")) {
            return new OperandList(new OperandSpec[0], new Access[0]);
        }
        int count = 1;
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == ',') {
                count++;
            }
        }
        OperandSpec[] specs = new OperandSpec[count];
        Access[] access = new Access[count];
        int at = 0;
        for (int i = 0; i < count; i++) {
            int end = text.indexOf(',', at);
            if (end < 0) {
                end = text.length();
            }
            int last = end;
            access[i] = Access.READ;
            switch (text.charAt(end - 1)) {
                case '=' -> {
                    access[i] = Access.WRITE;
                    last--;
                }
                case '*' -> {
                    access[i] = Access.READ_WRITE;
                    last--;
                }
                default -> {
                    // read only
                }
            }
            String name = text.substring(at, last);
            OperandSpec spec = known.get(name);
            if (spec == null) {
                spec = OperandSpec.parse(name);
                known.put(name, spec);
            }
            specs[i] = spec;
            at = end + 1;
        }
        return new OperandList(specs, access);
    }
}
