package org.jvirt.cli.launch;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.live.DiskLimit;
import org.jvirt.images.live.DiskLimits;
import org.jvirt.images.live.ErrorAction;
import org.jvirt.images.live.ErrorPolicy;
import org.jvirt.images.live.LiveSettings;

/// The keys of a disk option that say how the disk behaves while the machine runs: `id`, `rerror`, `werror`, and
/// limits under both names that QEMU has for each (`iops_rd`, `throttling.iops-read`).
public final class LiveOptions {
    private static final String[][] LIMITS = {
        {"bps", "bps-total"},
        {"bps_rd", "bps-read"},
        {"bps_wr", "bps-write"},
        {"iops", "iops-total"},
        {"iops_rd", "iops-read"},
        {"iops_wr", "iops-write"},
    };
    /// What a message about an unknown key may suggest.
    static final Set<String> KEYS = Set.of("id", "rerror", "werror", "bps", "iops", "bps_max", "iops_max", "group");

    private LiveOptions() {}

    /// Takes these keys out of `values`.
    ///
    /// @param option for messages
    public static LiveSettings take(String option, KeyValues values) {
        List<DiskLimit> limits = new ArrayList<>();
        for (String[] names : LIMITS) {
            limits.add(limit(option, values, names[0], names[1]));
        }
        var all = new DiskLimits(
                limits.get(0),
                limits.get(1),
                limits.get(2),
                limits.get(3),
                limits.get(4),
                limits.get(5),
                number(option, values, "iops_size", "throttling.iops-size").orElse(0L));
        LiveSettings settings = LiveSettings.DEFAULT
                .withId(values.take("id").orElse(""))
                .withLimits(all)
                .withErrors(new ErrorPolicy(
                        action(option, values, "rerror", ErrorPolicy.DEFAULT.reads()),
                        action(option, values, "werror", ErrorPolicy.DEFAULT.writes())));
        return values.take("group")
                .or(() -> values.take("throttling.group"))
                .map(settings::withGroup)
                .orElse(settings);
    }

    private static DiskLimit limit(String option, KeyValues values, String old, String name) {
        // bps_rd becomes bps_rd_max, as QEMU has it.
        String max = old + "_max";
        String length = max + "_length";
        long average = number(option, values, old, "throttling." + name).orElse(0L);
        long burst = number(option, values, max, "throttling." + name + "-max").orElse(0L);
        long seconds = number(option, values, length, "throttling." + name + "-max-length")
                .orElse(1L);
        try {
            return new DiskLimit(average, burst, seconds);
        } catch (UserErrorException e) {
            throw new UserErrorException("%s: %s: %s.".formatted(option, old, e.getMessage()), e);
        }
    }

    private static Optional<Long> number(String option, KeyValues values, String old, String name) {
        Optional<String> text = values.take(old).or(() -> values.take(name));
        return text.map(digits -> Character.isDigit(digits.isEmpty() ? 'x' : digits.charAt(digits.length() - 1))
                ? MemorySize.parse(option, digits + "b")
                : MemorySize.parse(option, digits));
    }

    private static ErrorAction action(String option, KeyValues values, String key, ErrorAction otherwise) {
        Optional<String> given = values.take(key).filter(name -> !name.equals("auto"));
        return given.map(name -> ErrorAction.named(name)
                        .orElseThrow(() -> new UserErrorException(
                                "%s: %s=%s is not report, stop, ignore or enospc.".formatted(option, key, name))))
                .orElse(otherwise);
    }
}
