package org.jvirt.cli.console;

/// Finds the escape keys in what the user types: Ctrl-A and one more key, as on QEMU's terminal.
///
/// ```
///             Ctrl-A                 h x b c ? Ctrl-A
///   PLAIN ───────────▶ ESCAPED ─────────────────────▶ PLAIN
/// ```
///
/// Not thread-safe.
final class EscapeKeys {
    static final byte CTRL_A = 1;

    static final String HELP = """
            Ctrl-A h      this help
            Ctrl-A x      quit: the virtual machine ends at once
            Ctrl-A b      send a break (Linux: SysRq)
            Ctrl-A c      to the monitor, and back to the console
            Ctrl-A Ctrl-A send Ctrl-A to the guest
            """;

    /// What a key means.
    enum Meaning {
        /// Goes to the guest (or the monitor).
        INPUT,
        /// Was the first half of an escape.
        NOTHING,
        HELP,
        QUIT,
        BREAK,
        SWITCH
    }

    private boolean escaped;

    Meaning of(byte key) {
        if (!escaped) {
            escaped = key == CTRL_A;
            return escaped ? Meaning.NOTHING : Meaning.INPUT;
        }
        escaped = false;
        return switch (key) {
            case CTRL_A -> Meaning.INPUT;
            case 'h', 'H', '?' -> Meaning.HELP;
            case 'x', 'X' -> Meaning.QUIT;
            case 'b', 'B' -> Meaning.BREAK;
            case 'c', 'C' -> Meaning.SWITCH;
            default -> Meaning.NOTHING;
        };
    }
}
