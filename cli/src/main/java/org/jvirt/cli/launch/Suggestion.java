package org.jvirt.cli.launch;

import java.util.Collection;
import java.util.Comparator;
import java.util.stream.IntStream;

/// Finds the nearest of the words that exist.
public final class Suggestion {
    private Suggestion() {}

    /// The word of `known` that takes the fewest changed letters, ties going to the alphabetically first.
    public static String nearest(String word, Collection<String> known) {
        return known.stream()
                .min(Comparator.<String>comparingInt(k -> distance(word, k)).thenComparing(Comparator.naturalOrder()))
                .orElseThrow();
    }

    /// Levenshtein's distance.
    static int distance(String a, String b) {
        int[] row = IntStream.rangeClosed(0, b.length()).toArray();
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
