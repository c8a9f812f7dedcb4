package org.jvirt.machine.host;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jvirt.core.UserErrorException;

/// Host processors or memory nodes by number, written as Linux does: `0-3,8`.
///
/// @param numbers not empty
public record NumberSet(SortedSet<Integer> numbers) {
    /// More than any Linux has processors.
    private static final int LIMIT = 8192;

    public NumberSet {
        numbers = Collections.unmodifiableSortedSet(new TreeSet<>(numbers));
        if (numbers.isEmpty() || numbers.first() < 0 || numbers.last() >= LIMIT) {
            throw new UserErrorException(
                    "A set of host CPUs or nodes has numbers from 0 to %d, at least one".formatted(LIMIT - 1));
        }
    }

    /// @param option names the option in the message
    public static NumberSet parse(String option, String text) {
        var numbers = new TreeSet<Integer>();
        for (String part : text.split(",", -1)) {
            int dash = part.indexOf('-');
            int first = number(option, text, dash < 0 ? part : part.substring(0, dash));
            int last = dash < 0 ? first : number(option, text, part.substring(dash + 1));
            if (first > last || last >= LIMIT) {
                throw malformed(option, text);
            }
            for (int i = first; i <= last; i++) {
                numbers.add(i);
            }
        }
        return new NumberSet(numbers);
    }

    private static int number(String option, String text, String digits) {
        if (digits.isEmpty() || digits.length() > 5 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw malformed(option, text);
        }
        return Integer.parseInt(digits);
    }

    private static UserErrorException malformed(String option, String text) {
        return new UserErrorException("%s: '%s' is no set of numbers: write 3, 0-3 or 0-1,8".formatted(option, text));
    }

    BitSet bits() {
        var bits = new BitSet();
        numbers.forEach(bits::set);
        return bits;
    }

    @Override
    public String toString() {
        List<String> ranges = new ArrayList<>();
        BitSet bits = bits();
        for (int from = bits.nextSetBit(0); from >= 0; ) {
            int end = bits.nextClearBit(from);
            ranges.add(end - from == 1 ? Integer.toString(from) : from + "-" + (end - 1));
            from = bits.nextSetBit(end);
        }
        return String.join(",", ranges);
    }
}
